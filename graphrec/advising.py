"""What to do about what a fit will cost: whether memory suffices, and where which engine takes over."""

from __future__ import annotations

import os

from graphrec.config import Config
from graphrec.pilots import READING
from graphrec.planning import MEMORY, TEXTS, Plan
from graphrec.stages import BETWEEN

LONG = 600.0  # core-seconds above which it is said what would divide them
READ = ("kg", "features", TEXTS)  # stages that read and embed texts, which an engine can be handed


def memory_mb(config: Config) -> float:
    """What a fit may take: ``runtime.memory_gb``, else what the machine has; 0 where the system does not tell."""
    if config.runtime.memory_gb:
        return config.runtime.memory_gb * 1024
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    except (AttributeError, OSError, ValueError):
        return 0.0


def advice(plan: Plan, config: Config, preset: str) -> list[str]:
    """Sentences, the most important one first."""
    others = {"fast": "best takes more", "default": "fast takes less, best more", "best": "fast and default take less"}
    return [
        *([f"By the dimensions of the pilots the fit will be refused: {plan.no_index}."] if plan.no_index else []),
        *_of_memory(plan, config, preset),
        *_of_time(plan, config),
        *(f"{name} sits out: {why} (--set {name}.max_items=…)." for name, why in plan.left_out.items()),
        *_of_index(plan, config),
        f"Of the presets {others.get(preset, '')}: each is foretold by --preset.",
        "Not foretold: seconds on a card, what a cluster takes, and measuring (evaluate). Training may stop sooner, "
        "and a search take longer, than on a part of the data.",
    ]


def _of_memory(plan: Plan, config: Config, preset: str) -> list[str]:
    stage, peak = plan.peak
    there, of = memory_mb(config), "runtime.memory_gb" if config.runtime.memory_gb else "this machine"
    if not there:
        return []
    most = "between stages" if stage == BETWEEN else f"in {stage}"
    told = f"{peak / 1024:,.1f} GB, most {most}, of {there / 1024:,.1f} GB ({of})"
    if peak * MEMORY[1] <= there:
        return [f"Memory suffices: {told}."]
    if stage == READING:  # before anything is learned
        ways = ["fewer rows or columns in the source"]
    else:
        ways = ["--preset fast"] if preset != "fast" else []
        ways += [f"leave {stage} out (--set blocks=…)"] if stage in config.blocks and len(config.blocks) > 1 else []
        ways += ["--set split.k_core=5", *(["a smaller spectral.memory_gb"] if "spectral" in config.blocks else [])]
    may = "does not suffice" if peak > there else "may not suffice"
    return [
        f"Memory {may}: {told}. What takes less: {', '.join(ways)}; else a machine with more, since torchrun and Ray "
        "divide seconds, not memory. See docs/capacity.md."
    ]


def _of_time(plan: Plan, config: Config) -> list[str]:
    stages = plan.stages
    network = sum(stages[name].seconds for name in config.blocks if name in stages and config.block(name).together)
    texts = sum(stages[name].seconds for name in READ if name in stages)
    out = []
    if plan.spent >= plan.seconds:
        out.append("To fit it takes no longer than to foretell it: fit it next time.")
    if plan.seconds <= LONG:
        return [*out, "One process is enough."]
    if texts > plan.seconds / 4:
        out.append(f"Texts are {texts / plan.seconds:.0%} of the seconds: --engine ray hands them to a cluster.")
    longest = max((name for name in config.blocks if name in stages), key=lambda name: stages[name].seconds)
    divided = f"networks, {network / plan.seconds:.0%} of it, are trained by all at once" if network else ""
    dealt = "" if config.block(longest).together else f"{longest}, the longest block, bounds what that gains"
    out.append(
        "torchrun --nproc-per-node 2 -m graphrec fit … (several machines: fit --engine ray --workers N) divides the "
        f"seconds: {'; '.join(part for part in (divided, 'other blocks are dealt out', dealt) if part)}."
    )
    return out


def _of_index(plan: Plan, config: Config) -> list[str]:
    how = config.retrieve
    if min(plan.shape.items, how.shard or plan.shape.items) <= how.exact_below:
        return []
    return [
        f"The index is no longer exact above {how.exact_below:,} items (retrieve.exact_below): {how.large}; "
        "retrieve.memory_gb bounds it, and retrieve.shard divides it."
    ]
