"""Users forgotten, 1, 10 and 100 of them one after another: what is left beside a model that never knew them.

    python benchmarks/forget.py DATA [--only musical_instruments]

A model of the preset ``fast`` is fitted, which is the price of retraining with choosing. Then a user is taken out of
it, of what is left ten more, and of that a hundred. Beside it stands the way ``anew``, which learns everything from the
others' data with the same choices and norms, as a fit that never knew them (``tests/test_forgetting.py`` holds it to
that): the largest difference of any entry of a block's users and items, and the seconds of the core of each. The test
part is not looked at.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import report
import typer

from graphrec import forgetting
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.forgetting import Receipt, Way, forgotten
from graphrec.model.model import Model
from graphrec.profile.api import FittedBlock
from graphrec.recommender import Recommender

SETS = ("musical_instruments", "lastfm_social")
SIZES = (1, 10, 100)
LEAST = 0.05
WAYS: tuple[Way, ...] = ("quick", "refit")


def measure(folder: Path, settings: list[str]) -> dict[str, Any]:
    """One data set."""
    data, config = Dataset.load(folder), Config.load(None, settings, "fast")
    start = time.process_time()
    model = Recommender(config).fit(data).fitted
    chosen_anew = time.process_time() - start
    weights = {name: max(weight, LEAST) for name, weight in model.chosen["weights"].items()}
    model = Recommender(config).fit(data, {**model.chosen, "weights": weights}).fitted  # every block is heard
    order = np.random.default_rng(0).permutation(model.data.n_users)[: sum(SIZES)]
    users = [model.data.users.ids[n] for n in order.tolist()]
    rows: list[dict[str, Any]] = []
    left, done = dict.fromkeys(WAYS, model), 0
    for size in SIZES:
        fresh, anew = forgotten(model, users[: done + size], "anew", caches=False)
        for way in WAYS:
            left[way], receipt = forgotten(left[way], users[done : done + size], way, caches=False)
            rows += compared(size, left[way], fresh, receipt, anew)
        done += size
    return {
        "data": model.data.fingerprint(),
        "counts": dict(model.counts),
        "chosen_anew": chosen_anew,
        "settings": settings,
        "content": model.chosen.get("content"),
        "weights": model.chosen["weights"],
        "rows": rows,
        "looks": 0,
    }


def compared(n: int, left: Model, fresh: Model, receipt: Receipt, anew: Receipt) -> list[dict[str, Any]]:
    """A row for all, and one for each block: how, seconds, those of learning it anew, the largest difference."""
    told = {"way": receipt.way, "users": n}
    rows: list[dict[str, Any]] = [
        {**told, "block": "all", "how": receipt.graph, "seconds": receipt.seconds, "anew": anew.seconds}
    ]
    for taken, other in zip(receipt.blocks, anew.blocks, strict=True):
        if taken.way == "left out":
            continue
        one, two = (model.profiles[taken.block] for model in (left, fresh))
        off = max(apart(getattr(one, side), getattr(two, side)) for side in SIDES)
        row = {"block": taken.block, "how": taken.way, "seconds": taken.seconds, "anew": other.seconds}
        rows.append({**told, **row, "off": off, "same": alike(left, fresh, taken.block)})
    for row in rows:
        print(row, flush=True)
    return rows


SIDES = ("users", "items")


def apart(a: Any, b: Any) -> float:
    """The largest difference of any entry; infinite where they differ in shape."""
    if a.shape != b.shape:
        return float("inf")
    found: Any = abs(a - b)
    return float(found.max()) if min(a.shape) else 0.0


def alike(left: Model, fresh: Model, name: str) -> float:
    """The share of the ten best items by a block that are the same, over a thousand users."""
    some = np.arange(min(1000, left.data.n_users))

    def best(model: Model) -> list[set[int]]:
        block: FittedBlock = model.profiles[name]
        found: Any = block.users[some] @ block.items.T
        scores = found.toarray() if hasattr(found, "toarray") else np.asarray(found)
        return [set(row) for row in np.argpartition(-scores, 10, axis=1)[:, :10].tolist()]

    pairs = zip(best(left), best(fresh), strict=True)
    return float(np.mean([len(a & b) / 10 for a, b in pairs]))


def main(
    folder: Annotated[Path, typer.Argument(help="The folder with the data sets.")],
    only: Annotated[str, typer.Option(help="One of them.")] = "",
    set_: Annotated[list[str] | None, typer.Option("--set")] = None,
) -> None:
    """Measure, and keep it in results.json."""
    vars(forgetting)["time"] = SimpleNamespace(perf_counter=time.process_time)  # of the core
    for name in SETS:
        if not only or only == name:
            report.keep("forget", name, measure(folder / name, set_ or []))


if __name__ == "__main__":
    typer.run(main)
