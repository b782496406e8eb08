"""Whether the pilot of `transitions` and `sequence` finds an order where there is one: on validation users alone.

    python benchmarks/order.py ../shared/data

On each set that tells an order: how much better the last events rank alone than all of the history (by which the pilot
went before), what the order makes likelier beside it (``transitions.order_gain``), and the same with the events of each
user in random order.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import typer

from graphrec.blocks.api import FitInputs
from graphrec.blocks.folds import Fold, Folds, worth
from graphrec.blocks.transitions import HEARD, PILOT, UNHEARD, Transitions, _Judge, order_gain
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.validation import Validation
from graphrec.fit import as_read
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime

RUNS = (
    *("musical_instruments/leave-last", "musical_instruments/temporal", "amazon_beauty/leave-last"),
    *("yelp_places/temporal", "lfm1m/temporal", "ml1m_kg/given", "ml1m_sequences/leave-last"),
)
SETTINGS = ("kg.enabled=false", "features.enabled=false")
SHUFFLES = 2


def shuffled(data: Dataset, seed: int) -> Dataset:
    """The same events at the same times, of each user in random order."""
    e = data.events
    rows = np.lexsort((np.random.default_rng(seed).random(len(e)), e.user_nums))
    usual = np.argsort(e.user_nums, kind="stable")
    columns: dict[str, Any] = {}
    for name in ("timestamps", "order"):
        if (column := getattr(e, name)) is not None:
            dealt = column.copy()
            dealt[rows] = column[usual]
            columns[name] = dealt
    return replace(data, events=replace(e, **columns))


def folds_of(data: Dataset, config: Config) -> Folds:
    """What a fit would choose on. # No leakage. The test part is in none."""
    runtime, found = Runtime.of(config.runtime, config.seed), []
    for carve in split(data, config.cut, config.seed).folds:
        ties = Ties(as_read(carve.train, config))
        found.append(Fold(FitInputs(ties, None, runtime), Validation.of(ties, carve, config)))
    return Folds(found)


def measured(data: Dataset, config: Config) -> dict[str, Any]:
    folds = folds_of(data, config)
    judge = _Judge(folds)
    first = {name: values[0] for name, values in Transitions().space(folds.inputs).items()}
    heard, unheard = (judge.per_user({**first, **PILOT, **way}) for way in (HEARD[0], UNHEARD))
    alone = float(np.log(worth(heard, judge.folds.members) / worth(unheard, judge.folds.members)))
    start = time.process_time()
    gain = order_gain(folds)
    seconds = time.process_time() - start
    out = {"alone": alone, "doubt": judge.folds.doubt(heard, unheard), "before": judge.folds.prefers(heard, unheard)}
    out |= {"gain": gain, "now": gain > 2 * len(HEARD), "seconds": seconds, "users": folds.users}
    return out | {"shuffled": [order_gain(folds_of(shuffled(data, seed), config)) for seed in range(SHUFFLES)]}


def main(data: Path, only: Annotated[list[str] | None, typer.Option()] = None) -> None:
    rows = report.kept("order", "sets").get("rows", [])
    for name in only or RUNS:
        folder, kind = name.split("/")
        config = Config.load(None, [*SETTINGS, f"split.kind={kind}"])
        source = Dataset.load(data / folder)
        source = source if kind == "given" else replace(source, parts=None)
        row = {"set": name, **measured(source, config), "data": source.digest()}
        print(row, flush=True)
        rows = [*(r for r in rows if r["set"] != name), row]
        report.keep("order", "sets", {"rows": rows, "settings": list(SETTINGS), "bar": 2 * len(HEARD)})


if __name__ == "__main__":
    typer.run(main)
