"""What recipes without a search reach in minutes on a CPU: every hyper-parameter was settled beforehand.

    python benchmarks/minute.py ../shared/data/gowalla                      # about a minute
    python benchmarks/minute.py ../shared/data/gowalla --recipe "half an hour"

The choices were made on validation users by `graphrec evaluate` (see the accuracy runs), the factors of `ials` kept at
256 for the time's sake in the shortest one. Weights are equal, but in "half an hour", which has those of the default
settings' own search (accuracy, gowalla/given) and two wide networks instead of its one. Learning on all training data
is timed from the loaded Dataset to the finished index, beside one product of the same profiles with the catalogue,
which says how fast the machine was just then.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import evaluate
from graphrec.experiment import peak_rss_mb
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender

SPECTRAL = {"rank": 1000, "alpha": 0.4, "beta": 0.45, "power": 0.8, "friends": 0.0, "knowledge": 0.0}
IALS = {"factors": 256, "alpha": 40.0, "regularisation": 100.0, "knowledge": 0.0}
GRAPH = {"temperature": 0.1, "epochs": 6, "popularity": 1.0, "half_life": 0.0}
WIDE = {"dim": 256, "learning_rate": 0.01, "max_steps": 320}


class Recipe(NamedTuple):
    """Settled choices of each block, their weights (equal where none are given), and the networks of `graph`."""

    blocks: dict[str, dict[str, float]]
    weights: dict[str, float] | None = None
    members: int = 1


THREE = {"spectral": SPECTRAL, "ials": {**IALS, "factors": 512, "regularisation": 1.0}, "graph": GRAPH}
POPULARITY, NEIGHBOURS = {"half_life": 0.0}, {"n": 200, "alpha": 0.25, "beta": 0.5, "knowledge": 0.0, "friends": 0.0}
RECIPES = {
    "two blocks": Recipe({"spectral": SPECTRAL, "ials": IALS}),
    "three blocks": Recipe(THREE),
    "half an hour": Recipe(
        {"popularity": POPULARITY, "neighbours": NEIGHBOURS, **THREE},
        {"popularity": 1 / 2, "neighbours": 1 / 30, "spectral": 1 / 6, "ials": 1 / 3, "graph": 1.0},
        members=2,
    ),
}


def main(folder: Path, recipe: Annotated[str, typer.Option(help="One of the recipes.")] = "two blocks") -> None:
    """Measure and keep the result."""
    blocks, weights, members = RECIPES[recipe]
    chosen = {**blocks, "weights": weights or dict.fromkeys(blocks, 1.0)}
    data = Dataset.load(folder)
    graph = {**WIDE, "members": members}
    config = Config().with_(blocks=list(blocks), split={"kind": "given"}, graph=graph)
    parts = split(data, config.split, config.seed)
    start = time.perf_counter()
    model = Recommender(config).fit(data, chosen)
    fitting = time.perf_counter() - start
    start = time.perf_counter()
    for rows in np.array_split(model.fitted.users, 30):
        rows @ model.fitted.items.T
    product = time.perf_counter() - start
    found = evaluate(model, Queries.stored(Ties(parts.fit_data)), parts.test.seen(), (20,), auc=False, progress=True)
    document = {
        "data": data.fingerprint(),
        "chosen": chosen,
        "users": len(found.user_nums),
        "metrics": found.metrics,
        "seconds": {"fit": fitting, "product": product},
        "peak_rss_mb": peak_rss_mb(),
    }
    report.keep("minute", f"{data.name}, {recipe}", document)
    print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)
