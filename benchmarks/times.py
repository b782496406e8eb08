"""What times are worth: a model that knows them, beside one of the same log without times or order, and one of times
dealt anew to the events.

    python benchmarks/times.py ../shared/data --only lfm1m
    python benchmarks/times.py ../shared/data --only lfm1m --dev      # validation figures alone

All have the same split, whose test part is later than all else, the same blocks and the same search. Everything is
chosen on validation users, and the test part is looked at once for each row. ``no season`` knows times, and has every
block but `season`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender

RUNS = {"lfm1m": "temporal", "musical_instruments": "temporal", "yelp_places": "temporal"}
BLOCKS = ("popularity", "season", "spectral", "neighbours", "ease", "transitions")
SEARCH = (  # the values of the preset ``fast``
    *("spectral.rank=64,256,512", "spectral.alpha=0.4", "neighbours.alpha=0.25,0.5", "neighbours.beta=0.4,0.5"),
    *("ease.regularisation=30,300,3000", "kg.enabled=false", "features.enabled=false", "blend.users=1500"),
)


def blind(data: Dataset) -> Dataset:
    """The same without times or order."""
    return replace(data, events=replace(data.events, timestamps=None, order=None))


def shuffled(data: Dataset) -> Dataset:
    """The same with its times dealt anew to all events."""
    times = data.events.timestamps
    assert times is not None
    dealt = np.random.default_rng(11).permutation(times)
    return replace(data, events=replace(data.events, timestamps=dealt, order=None))


def of(parts: Split, change: Callable[[Dataset], Dataset]) -> Split:
    """The split with all that is learned from changed; what is to be found stays."""
    more = tuple(replace(carve, train=change(carve.train)) for carve in parts.further)
    out = replace(parts, train=change(parts.train), further=more)
    out.__dict__["fit_data"] = change(parts.fit_data)
    return out


def measured(data: Dataset, config: Config, dev: bool) -> dict[str, Any]:
    """The figures of each model; for ``dev`` those of validation alone."""
    parts = split(data, config.cut, config.seed)
    task, per_user = Task.of(config), {}
    rows: list[dict[str, Any]] = []
    bare = config.with_(blocks=[name for name in config.blocks if name != "season"])
    models: dict[str, tuple[Config, Split]] = {
        "with times": (config, parts),
        "without": (config, of(parts, blind)),
        "with shuffled times": (config, of(parts, shuffled)),
        "no season": (bare, parts),
    }
    for name, (settings, known) in models.items():
        if name == "no season" and "left_out" in rows[0]["season"]:
            continue  # it would be the same
        start = time.process_time()
        model = Recommender(settings).fit_split(known).fitted
        row = {"model": name, "seconds": time.process_time() - start, "chosen": model.chosen["weights"]}
        row["valid"] = next(v for k, v in model.chosen["validation"].items() if k.startswith("ndcg"))
        row["season"] = model.chosen.get("season")
        print(f"  {row}", flush=True)
        rows.append(row)
        if dev:
            continue
        queries = Queries.before(Ties(known.fit_data), parts.test)
        found = evaluate(Recommender.of(model), queries, task.truth(parts.test), (10, 20), auc=False, task=task)
        row["test"] = {m: found.metrics[m] for m in ("ndcg@10", "recall@10", "ndcg@20", "recall@20")}
        per_user[name] = found.per_user["ndcg@10"]
        print(f"    {row['test']}", flush=True)
    if dev:
        return {"rows": rows}
    others = [name for name in per_user if name != "with times"]
    p = {name: paired_p_value(per_user["with times"], per_user[name]) for name in others}
    return {"rows": rows, "p": p, "users": len(per_user["with times"])}


def main(
    data: Path,
    only: Annotated[str, typer.Option(help="One of the data sets.")] = "",
    set_: Annotated[list[str] | None, typer.Option("--set", help="Further settings, as on the command line.")] = None,
    dev: Annotated[bool, typer.Option(help="Look at no test part, and keep nothing.")] = False,
) -> None:
    for name, kind in RUNS.items():
        if only and only != name:
            continue
        settings = [f"blocks={','.join(BLOCKS)}", *SEARCH, f"split.kind={kind}", *(set_ or [])]
        config = Config.load(None, settings)
        start, source = time.perf_counter(), Dataset.load(data / name)
        found = measured(source, config, dev)
        looks = report.kept("times", f"{name}, {kind}").get("looks", 0) + (not dev)
        found |= {"settings": settings, "data": source.digest(), "looks": looks, "wall": time.perf_counter() - start}
        print(name, found.get("p"), f"{found['wall']:.0f} s", flush=True)
        if not dev:
            report.keep("times", f"{name}, {kind}", found)


if __name__ == "__main__":
    typer.run(main)
