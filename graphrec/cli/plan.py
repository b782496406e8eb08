"""`graphrec plan`: what a fit will cost, before it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from graphrec.cli.options import AllowBad, AsJson, ConfigFile, PresetName, Settings, config_of, load_data
from graphrec.cli.output import Sheet, answer, note, print_json, warn
from graphrec.errors import ConfigError

Number = Annotated[int | None, typer.Option(min=1)]
LEAST = 0.05  # core-seconds of a stage that is shown


def plan(
    source: Annotated[Path | None, typer.Argument(help="Data to be fitted.")] = None,
    users: Number = None,
    items: Number = None,
    events: Annotated[int | None, typer.Option(min=1, help="Distinct pairs of user and item.")] = None,
    preset: PresetName = "default",
    config: ConfigFile = None,
    set_: Settings = [],  # noqa: B006 (typer reads it)
    allow_bad: AllowBad = None,
    as_json: AsJson = False,
) -> None:
    """What `graphrec fit` will take: time and memory of each stage, and disk.

    A few of the people of SOURCE, or of generated data of so many --users, --items and --events, are fitted and
    measured, which takes a minute or two.
    """
    from graphrec.plan import DOUBT, Size, planned, sample_like, sample_of

    settings = config_of(config, set_, preset=preset)
    told = {"--users": users, "--items": items, "--events": events}
    if source is not None:
        if given := [name for name, value in told.items() if value is not None]:
            raise ConfigError(f"{source} says it itself; leave {', '.join(given)} out, or the source")
        data = load_data(source, allow_bad)
        size, sample = Size.of(data), sample_of(data)
    else:
        if missing := [name for name, value in told.items() if value is None]:
            raise ConfigError(f"nothing to plan for; name data, or add {', '.join(missing)}")
        size = Size(users or 0, items or 0, events or 0)
        sample = sample_like(size)
    found = planned(size, sample, settings)
    low, high = found.between
    free = available_gb()
    if as_json:
        stages = [vars(cost) for cost in found.stages]
        print_json(
            {
                "size": vars(size),
                "stages": stages,
                "seconds": {"about": found.seconds, "least": low, "most": high},
                "memory_gb": {"about": found.memory_gb, "most": found.memory_gb * (1 + DOUBT), "free": free},
                "disk_gb": found.disk_gb,
                "index": found.index,
                "pilots_seconds": found.pilots,
            }
        )
        return
    sheet = Sheet("stage", "time", "memory, GB", title=f"preset {preset}", figures=("time", "memory, GB"))
    for cost in found.stages:
        if cost.seconds >= LEAST:
            sheet.row(cost.stage, duration(cost.seconds), f"{cost.memory_gb:.1f}")
    sheet.row("in all", duration(found.seconds), f"{found.memory_gb:.1f}", style="bold")
    answer(sheet)
    most = found.memory_gb * (1 + DOUBT)
    note(f"{size}; between {duration(low)} and {duration(high)} of one core, at most about {most:.1f} GB, and")
    note(f"{found.disk_gb:.2f} GB of disk; index: {found.index}; found out in {duration(found.pilots)}")
    cores = os.cpu_count() or 1
    if most > free:
        warn(
            f"{free:.1f} GB are free here: take a machine with more, --preset fast, fewer blocks (--set blocks=...), "
            "or less data (--set split.k_core=5); several processes do not need less"
        )
    elif found.seconds > 3600 and cores > 1:
        note(f"{cores} cores: torchrun --nproc-per-node {min(cores, 4)} -m graphrec fit … shares the work out")


def available_gb() -> float:
    """Memory that is free, in GiB."""
    if sys.platform == "linux":
        told = Path("/proc/meminfo").read_text("ascii")
        return int(told.split("MemAvailable:")[1].split()[0]) / 2**20
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def duration(seconds: float) -> str:
    """Seconds as people say them: "40 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
