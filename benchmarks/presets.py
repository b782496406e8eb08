"""What each preset costs and gives: accuracy, seconds and memory on all shared sets, drawn as a curve.

    python benchmarks/presets.py ../shared/data --only musical_instruments/temporal
    python benchmarks/presets.py ../shared/data --preset fast

Each is what `graphrec evaluate --preset` does, in a process of its own: chosen on validation users, learned from all
but the test part, tested once. Then every block is tested alone, those too that the blend left out: a blend should not
lose to its own best block by more than one standard error of the difference over users. Where the last event of each
user is held out there are two more figures, as sequential models are compared: learned with the same choices without
each user's validation event, which is in the histories that are read, and learned with it. Texts that an earlier run
embedded and mentions that it extracted are in the cache, as they are for whoever fits again.

On gowalla `best` was tried with five networks side by side instead of three: on validation users the blend had .1307
against .1306, no gain for 1.6 times the trainings, and on the test part recall@20 .1983 and NDCG@20 .1658, less than
the three had (.1989, .1668). It stopped them an epoch earlier; the rest is what the day makes. The three stay.
"""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import report
import torch
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import Report, Scorer, Task, evaluate
from graphrec.experiment import peak_rss_mb
from graphrec.fit import Fitting, as_read, learn_from
from graphrec.presets import PRESETS, Preset
from graphrec.profile.api import FittedBlock
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from graphrec.runtime import Runtime
from graphrec.stages import core_seconds

RUNS: dict[str, str] = {  # folder/split: what a user takes is relevant if it is liked, or all of it
    "magazine_subscriptions/temporal": "liked",
    "musical_instruments/temporal": "liked",
    "musical_instruments/leave-last": "all",
    "lastfm_social/given": "all",
    "yelp_places/temporal": "all",
    "lfm1m/temporal": "all",
    "amazon_beauty/leave-last": "all",
    "ml1m_sequences/leave-last": "all",
    "ml1m_kg/given": "all",
    "gowalla/given": "all",
}
PICTURE = report.HERE.parent / "docs" / "presets.svg"
METRICS = ("ndcg@10", "ndcg@20", "recall@20")


def measure(folder: Path, kind: str, relevant: str, preset: Preset) -> dict[str, Any]:
    """Figures of the blend, seconds and memory until they were there, and each block alone beside it."""
    config = Config.load(None, (f"split.kind={kind}", f"evaluate.relevant={relevant}"), preset)
    start, busy = time.perf_counter(), core_seconds()
    parts = split(Dataset.load(folder), config.cut, config.seed)
    model = Recommender(config).fit_split(parts)
    seconds = {"fit": time.perf_counter() - start}
    busy = core_seconds() - busy  # what other work on the machine does not lengthen
    queries, task = Queries.before(Ties(parts.fit_data), parts.test), Task.of(config)

    def tested(scorer: Scorer) -> Report:
        return evaluate(scorer, queries, task.truth(parts.test), (10, 20), config.evaluate.batch_size, task=task)

    blend = tested(model)
    seconds["evaluate"] = time.perf_counter() - start - seconds["fit"]
    found: dict[str, Any] = {"users": len(blend.user_nums), "split": parts.kind, "relevant": relevant}
    found |= {"metrics": {name: blend.metrics[name] for name in METRICS}, "seconds": seconds, "busy": busy}
    chosen = {**model.fitted.chosen}
    if "graph" in chosen:  # without its learning curve, which network.py is for
        chosen["graph"] = {k: v for k, v in chosen["graph"].items() if k not in ("curve", "losses")}
    found |= {"peak_rss_mb": peak_rss_mb(), "chosen": chosen, "alone": {}}
    if parts.kind == "leave-last":
        two = {
            "refitted": blend,
            "train": tested(early(Recommender(config).fit(parts.folds[0].train, chosen), queries.ties)),
        }
        found["rows"] = {how: {m: one.metrics[m] for m in ("ndcg@10", "recall@10")} for how, one in two.items()}
    found["card"] = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    fitting = Fitting(config, Runtime.of(config.runtime, config.seed), lambda: model.encoder)
    inputs, _ = learn_from(as_read(parts.fit_data, config), fitting)
    for name, block in fitting.blocks().items():
        left_out = model.fitted.profiles[name].empty and "left_out" not in model.fitted.chosen[name]
        learned = block.fit(inputs, model.fitted.chosen[name]) if left_out else model.fitted.profiles[name]
        if not learned.empty:
            alone = tested(learned)
            lost = alone.per_user["ndcg@20"] - blend.per_user["ndcg@20"]
            error = float(lost.std() / len(lost) ** 0.5)
            found["alone"][name] = {"ndcg@20": alone.metrics["ndcg@20"], "lost": float(lost.mean()), "error": error}
    return found


def early(model: Recommender, ties: Ties) -> Scorer:
    """What was learned without the last event of each history, as it reads the histories with them."""
    profiles = model.fitted.profiles
    read = replace(profiles, blocks=tuple(reading(block, ties) for block in profiles.blocks))
    return replace(model.fitted, profiles=read)


def reading(block: FittedBlock, ties: Ties) -> FittedBlock:
    """The block with the rows of stored users made of these histories; one that folds nobody in stays as it is."""
    if block.empty or not hasattr(block, "fitted"):
        return block
    read: FittedBlock = block.fitted(ties)
    return read if getattr(read, "history", True) is not None else block


def draw(results: dict[str, Any], picture: Path) -> None:
    """NDCG@20 against that of the quickest preset there, over the core-seconds of choosing and learning: a line for
    each data set with several."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.add_subplot()
    for name, found in sorted(results.items()):
        there = [found[preset] for preset in PRESETS if preset in found]
        if len(there) > 1:
            gains = [one["metrics"]["ndcg@20"] / there[0]["metrics"]["ndcg@20"] for one in there]
            axes.plot([one["busy"] for one in there], gains, marker="o", label=name)
    axes.set(xscale="log", xlabel="core-seconds of choosing and learning", ylabel="NDCG@20, the quickest preset = 1")
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(picture, metadata={"Date": None})


def told(found: dict[str, Any]) -> str:
    """A line of figures."""
    best = max(found["alone"], key=lambda name: found["alone"][name]["ndcg@20"])
    alone = found["alone"][best]
    figures = " ".join(f"{name} {value:.4f}" for name, value in found["metrics"].items())
    beside = f"{best} alone {alone['ndcg@20']:.4f}, lost {alone['lost']:+.4f} ± {alone['error']:.4f}"
    return f"{figures}; {beside}; {found['busy']:.0f} core-s, {found['peak_rss_mb']:.0f} MB"


def main(
    data: Path,
    only: Annotated[str, typer.Option(help="One of the runs.")] = "",
    preset: Annotated[str, typer.Option(help="One of the presets.")] = "",
) -> None:
    """Run, store, draw, and print."""
    fresh = multiprocessing.get_context("spawn")
    names: tuple[Preset, ...] = ("fast", "default", "best")
    for name, relevant in RUNS.items():
        folder, kind = name.split("/")
        for how in names:
            if only in ("", name) and preset in ("", how) and (data / folder).exists():
                with ProcessPoolExecutor(1, fresh) as pool:
                    found = pool.submit(measure, data / folder, kind, relevant, how).result()
                report.keep("presets", name, {**report.kept("presets", name), how: found})
                print(f"{name}, {how}: {told(found)}", flush=True)
    draw(report.kept("presets"), PICTURE)


if __name__ == "__main__":
    typer.run(main)
