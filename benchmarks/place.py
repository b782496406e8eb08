"""What places are worth: NDCG with the block of places, without it, and with coordinates dealt anew to the items.

    python benchmarks/place.py ../shared/data
    python benchmarks/place.py ../shared/data --dev     # validation figures alone

Everything is chosen on validation users, baselines too; learned anew with the validation part, and the test part is
looked at once for each row. ``usual places`` is the density of where somebody went, without how many took an item;
``nearest popular`` is what is popular within so many km of the cell where somebody went most.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import typer
from sequences import Sum, alone

from graphrec.blocks.api import FitInputs
from graphrec.blocks.blend import blend
from graphrec.blocks.folds import Fold, Folds
from graphrec.blocks.place import Map, Place, PlaceSettings, shuffled
from graphrec.blocks.search import Chosen
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.points import item_points
from graphrec.data.popularity import decayed_counts
from graphrec.data.split import split
from graphrec.evaluate.ranking import Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.evaluate.validation import Validation
from graphrec.fit import BLENDED
from graphrec.profile.api import FittedBlock
from graphrec.profile.places import Points, apart
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.types import Floats

RUNS = {"yelp_places": "temporal"}
BLOCKS = ("popularity", "spectral", "neighbours", "ease")
SEARCH = (
    *("spectral.rank=64,256", "spectral.alpha=0.4", "neighbours.alpha=0.25,0.5", "neighbours.beta=0.4,0.5"),
    *("ease.regularisation=30,300,3000", "kg.enabled=false", "features.enabled=false"),
)
RADII, LIVES = (1.0, 3.0, 10.0, 30.0, 100.0), (0.0, 90.0, 365.0)
BLENDS = {"without": BLOCKS, "with place": (*BLOCKS, "place"), "with shuffled places": (*BLOCKS, "shuffled places")}


class NearestPopular:
    """What is popular within a radius of the cell that somebody went to most; after it the rest."""

    def __init__(self, inputs: FitInputs, laid: Map, radius: float, life: float) -> None:
        self.laid, self.radius, self.apart = laid, radius, apart(laid.centres)
        counts = decayed_counts(inputs.train, life).astype(np.float64)
        self.popular = counts / max(float(counts.max()), 1e-9)

    def scores(self, queries: Queries) -> Floats:
        known = self.laid.cell_of >= 0
        cells = np.zeros((len(queries), len(self.laid.centres)))
        went = queries.taste("alike").tocoo()
        kept = known[went.col]
        np.add.at(cells, (went.row[kept], self.laid.cell_of[went.col[kept]]), went.data[kept])
        near = (self.apart <= self.radius)[:, self.laid.cell_of] & known  # (C, I)
        within = near[cells.argmax(axis=1)] & (cells.max(axis=1) > 0)[:, None]
        return np.asarray(within + self.popular, np.float32)


class Shuffled(Place):
    """The same over coordinates dealt anew, without the control that would leave it out."""

    def points(self, data: Dataset) -> Points:
        return shuffled(item_points(data), seed=11)

    def tune(self, folds: Folds, trials: int | None = None) -> tuple[tuple[FittedBlock, ...], Chosen]:
        block, chosen = self.choose(folds, trials)
        return (block,), chosen


class Usual(Place):
    """The density of where somebody went, chosen by what it is worth alone."""

    beside = False


def nearest_popular(folds: Folds) -> tuple[dict[str, float], float]:
    """The radius and half-life that are best on validation users."""
    (fold,) = folds
    laid = Map.of(item_points(fold.inputs.train), 1500)
    found = {
        (radius, life): folds.value(
            lambda f: f.validation.per_user_ndcg_of(NearestPopular(f.inputs, laid, radius, life).scores)  # noqa: B023
        )
        for radius in RADII
        for life in LIVES
    }
    best = max(found, key=found.__getitem__)
    return {"radius": best[0], "life": best[1]}, found[best]


def measured(data: Dataset, config: Config, dev: bool) -> dict[str, Any]:
    """Validation figures and choices of all models; figures of the test part unless it is for ``dev``."""
    parts = split(data, config.cut, config.seed)
    runtime = Runtime.of(config.runtime, config.seed)
    inputs = [FitInputs(Ties(carve.train), None, runtime) for carve in parts.folds]
    folds, judges = (
        Folds(Fold(i, Validation.of(i.ties, carve, config, n)) for i, carve in zip(inputs, parts.folds, strict=True))
        for n in (1, BLENDED)
    )
    made: dict[str, Any] = {name: config.block(name) for name in (*BLOCKS, "place")}
    made["usual places"] = Usual(PlaceSettings(popular=(0.0,), recent=(0.0,)))
    made["shuffled places"] = Shuffled()
    tuned: dict[str, Sequence[Any]] = {}
    chosen, seconds = {}, {}
    for name, block in made.items():
        start = time.process_time()
        tuned[name], chosen[name] = block.tune(folds)
        seconds[name] = time.process_time() - start
        print(f"  {name}: {chosen[name]}, {seconds[name]:.0f} s", flush=True)
    weights: dict[str, dict[str, float]] = {name: {name: 1.0} for name in tuned}
    valid = {name: alone(tuned[name], judges) for name in weights}
    for blended, names in BLENDS.items():
        weights[blended], valid[blended] = blend([[replace(b, name=n) for b in tuned[n]] for n in names], judges)
        seconds[blended] = sum(seconds[n] for n in names)
    near, valid["nearest popular"] = nearest_popular(judges)
    rows = [{"model": n, "valid": valid[n], "seconds": seconds.get(n, 0.0)} for n in (*weights, "nearest popular")]
    if dev:
        return {"rows": rows, "weights": {n: weights[n] for n in BLENDS}, "chosen": chosen, "near": near}
    ties, task = Ties(parts.fit_data), Task.of(config)
    queries, truth = Queries.before(ties, parts.test), task.truth(parts.test)
    last = FitInputs(ties, None, runtime)
    blocks = {name: block.fit(last, chosen[name]) for name, block in made.items()}
    per_user = {}
    for row in rows:
        name = str(row["model"])
        scorer: Any = Sum(blocks, weights[name]) if name in weights else None
        if scorer is None:
            laid = Map.of(item_points(ties.data), 1500)
            scorer = NearestPopular(last, laid, near["radius"], near["life"])
        found = evaluate(scorer, queries, truth, (10, 20), auc=False, task=task)
        row["test"] = {m: found.metrics[m] for m in ("ndcg@10", "recall@10", "ndcg@20", "recall@20")}
        per_user[name] = found.per_user["ndcg@10"]
    others = [name for name in per_user if name != "with place"]
    p = {name: paired_p_value(per_user["with place"], per_user[name]) for name in others}
    p["place alone, usual places"] = paired_p_value(per_user["place"], per_user["usual places"])
    p["place alone, nearest popular"] = paired_p_value(per_user["place"], per_user["nearest popular"])
    users = len(next(iter(per_user.values())))
    kept = {"weights": {n: weights[n] for n in BLENDS}, "chosen": chosen, "near": near}
    return {"rows": rows, "p": p, "users": users, **kept}


def main(
    data: Path,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Further settings, as on the command line.")] = None,
    dev: Annotated[bool, typer.Option(help="Look at no test part, and keep nothing.")] = False,
) -> None:
    for name, kind in RUNS.items():
        settings = [*SEARCH, f"split.kind={kind}", *(set_ or [])]
        config = Config.load(None, settings)
        start, source = time.perf_counter(), Dataset.load(data / name)
        found = measured(source, config, dev)
        looks = report.kept("place", f"{name}, {kind}").get("looks", 0) + (not dev)
        found |= {"settings": settings, "data": source.digest(), "looks": looks, "wall": time.perf_counter() - start}
        for row in found["rows"]:
            print(name, row, flush=True)
        print(name, found["weights"], found.get("p"), f"{found['wall']:.0f} s", flush=True)
        if not dev:
            report.keep("place", f"{name}, {kind}", found)


if __name__ == "__main__":
    typer.run(main)
