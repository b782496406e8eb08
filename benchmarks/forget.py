"""Users forgotten, 1, 10 and 100 of them one after another: what is left beside a model that never knew them.

    python benchmarks/forget.py DATA [--only musical_instruments]

A model of the preset ``fast`` is fitted, which is the price of retraining with choosing. Then one user is taken out of
it, then ten more one by one, then a hundred at once. Beside what is left stands a fit of the others' data with the same
choices and norms, which never knew them: the largest difference of any entry of a block's users and items, and the
seconds of each. The test part is not looked at.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import scipy.sparse as sp
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.erased import without
from graphrec.forgetting import Receipt, Way, forgotten
from graphrec.model.model import Model
from graphrec.profile.api import FittedBlock
from graphrec.recommender import Recommender

SETS = {"musical_instruments": "", "lastfm_social": "split"}
SIZES = (1, *[1] * 10, 100)  # of each call
AT = {1: 1, 11: 10, 12: 100}  # calls after which it is compared: users forgotten since the last time
WAYS: tuple[Way, ...] = ("quick", "refit")


def measure(folder: Path, settings: list[str]) -> dict[str, Any]:
    """One data set."""
    data, config = Dataset.load(folder), Config.load(None, settings, "fast")
    start = time.perf_counter()
    first = Recommender(config)
    model = first.fit(data).fitted
    chosen_anew = time.perf_counter() - start
    order = np.random.default_rng(0).permutation(model.data.n_users)[: sum(SIZES)]
    users = [model.data.users.ids[n] for n in order.tolist()]
    rows: list[dict[str, Any]] = []
    for way in WAYS:
        left, done, receipts = model, 0, list[Receipt]()
        for call, size in enumerate(SIZES, 1):
            left, receipt = forgotten(left, users[done : done + size], way, caches=False)
            done += size
            receipts.append(receipt)
            if call not in AT:
                continue
            fresh, took = retrained(model, users[:done], first)
            rows += compared(way, AT[call], left, fresh, receipts, took)
            receipts = []
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


def retrained(model: Model, users: list[str], first: Recommender) -> tuple[Model, dict[str, float]]:
    """A model that never knew these users, with the same choices, and what it took, by block and in all."""
    data = without(model.data, model.data.users.numbers(users))
    start = time.perf_counter()
    fresh = Recommender(model.config, encoder=first.encoder).fit(data, dict(model.chosen)).fitted
    took = {"all": time.perf_counter() - start}
    again, receipt = forgotten(model, users, "anew", caches=False)
    assert set(again.data.users.ids) == set(fresh.data.users.ids)
    return fresh, took | {taken.block: taken.seconds for taken in receipt.blocks}


def compared(
    way: Way, n: int, left: Model, fresh: Model, receipts: list[Receipt], took: dict[str, float]
) -> list[dict[str, Any]]:
    """A row a block and one in all: seconds of a call (the mean), of retraining, the largest difference."""
    seconds = float(np.mean([receipt.seconds for receipt in receipts]))
    rows: list[dict[str, Any]] = [
        {"way": way, "users": n, "block": "all", "how": "", "seconds": seconds, "retrained": took["all"], "off": None}
    ]
    for number, taken in enumerate(receipts[-1].blocks):
        if taken.way == "left out":
            continue
        mine = float(np.mean([receipt.blocks[number].seconds for receipt in receipts]))
        off = [apart(getattr(left.profiles[taken.block], s), getattr(fresh.profiles[taken.block], s)) for s in SIDES]
        row = {"block": taken.block, "how": taken.way, "seconds": mine, "retrained": took[taken.block]}
        rows.append({"way": way, "users": n, **row, "off": max(off), "ranks": alike(left, fresh, taken.block)})
        print({**rows[-1]}, flush=True)
    print(rows[0] if len(rows) == 1 else rows[-len(rows)], flush=True)
    return rows


SIDES = ("users", "items")


def apart(a: Any, b: Any) -> float:
    """The largest difference of any entry; infinite where they differ in shape."""
    if a.shape != b.shape:
        return float("inf")
    found = abs(sp.csr_matrix(a) - sp.csr_matrix(b)) if sp.issparse(a) else np.abs(a - b)
    return float(found.max()) if min(a.shape) else 0.0


def alike(left: Model, fresh: Model, name: str) -> float:
    """The share of the ten best items by a block that are the same, over a thousand users."""
    some = np.arange(min(1000, left.data.n_users))

    def best(model: Model) -> list[set[int]]:
        block: FittedBlock = model.profiles[name]
        found = block.users[some] @ block.items.T
        scores = np.asarray(found.toarray() if sp.issparse(found) else found)
        return [set(row) for row in np.argpartition(-scores, 10, axis=1)[:, :10].tolist()]

    pairs = zip(best(left), best(fresh), strict=True)
    return float(np.mean([len(a & b) / 10 for a, b in pairs]))


def main(
    folder: Annotated[Path, typer.Argument(help="The folder with the data sets.")],
    only: Annotated[str, typer.Option(help="One of them.")] = "",
    set_: Annotated[list[str] | None, typer.Option("--set")] = None,
) -> None:
    """Measure, and keep it in results.json."""
    for name, below in SETS.items():
        if not only or only == name:
            found = measure(folder / name / below if below else folder / name, set_ or [])
            report.keep("forget", name, found)


if __name__ == "__main__":
    typer.run(main)
