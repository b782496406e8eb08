"""How long until the accuracy of implicit's alternating least squares: equal dimension, same events, one run.

    python benchmarks/als.py --size 10_000_000

`implicit` (its own code, on all cores) alternates, and after each round the lists of people who were held out are
measured; its confidence and damping are those that were best on a tenth of the people and items, of a grid, in lists of
validation users. graphrec's `spectral` has as many dimensions and no search. Seconds are core-seconds of learning
alone, which other work on the machine does not lengthen. ``ratio``: spectral's by implicit's until a round that is at
least as accurate, or until its best one where none is.
"""

from __future__ import annotations

import os
import tempfile
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow.csv
import report
import scipy.sparse as sp
import typer
from scale import ASKED, CHOSEN
from threadpoolctl import threadpool_limits

from graphrec.blocks.api import FitInputs
from graphrec.blocks.spectral import Spectral
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import EmbeddingScorer, Scorer, Task, evaluate
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.samples.many import generated

DIM, ROUNDS = 64, 15
GRID = tuple(product((1.0, 10.0, 40.0), (1.0, 10.0, 100.0)))  # of α and λ
SMALL = 10  # times smaller than the data are the people and items that they are chosen on


class Split:
    """Events to learn from, and people whose last event is to be found."""

    def __init__(self, n_events: int, config: Config) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "events.csv"
            pyarrow.csv.write_csv(generated(n_events, n_events // 20, n_events // 100), file)
            parts = split(Dataset.load(file), config.cut, config.seed)
        self.config, self.ties = config, Ties(parts.fit_data)
        queries, self.task = Queries.before(self.ties, parts.test), Task.of(config)
        self.asked = queries[np.sort(np.random.default_rng(0).permutation(len(queries))[:ASKED])]
        self.truth = self.task.truth(parts.test)[self.asked.user_nums]  # (n, I)

    def ndcg(self, scorer: Scorer) -> float:
        """NDCG@20 of the people who are asked."""
        size = self.config.evaluate.batch_size
        return float(evaluate(scorer, self.asked, self.truth, (20,), size, task=self.task).metrics["ndcg@20"])


def busy() -> float:
    """Core-seconds that this process has had."""
    return sum(os.times()[:2])


def alternated(on: Split, alpha: float, regularisation: float, rounds: int) -> list[tuple[float, float]]:
    """Core-seconds and NDCG@20 after each round of implicit's."""
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(DIM, regularisation, alpha, iterations=rounds, random_state=0, use_gpu=False)
    out, spent, since = list[tuple[float, float]](), 0.0, busy()

    def after(*_: Any) -> None:
        nonlocal spent, since
        spent += busy() - since
        out.append((spent, on.ndcg(EmbeddingScorer(model.user_factors, model.item_factors))))
        since = busy()

    with threadpool_limits(1, "blas"):  # implicit has threads of its own
        model.fit(sp.csr_matrix(on.ties.matrix, dtype=np.float32), show_progress=False, callback=after)
    return out


def main(
    size: Annotated[int, typer.Option(help="Events; twenty a person, and a hundred an item.")] = 10_000_000,
    keep: bool = False,
) -> None:
    """Measure, print, and with --keep store."""
    config = Config.load(None, ("features.enabled=false", "split.kind=leave-last"), "default")
    small = Split(size // SMALL, config)
    grid = {pair: max(ndcg for _, ndcg in alternated(small, *pair, ROUNDS // 2)) for pair in GRID}
    alpha, regularisation = max(grid, key=grid.__getitem__)
    print({f"α {a:g}, λ {r:g}": round(ndcg, 4) for (a, r), ndcg in grid.items()}, flush=True)
    on = Split(size, config)
    start, inputs = busy(), FitInputs(on.ties, None, Runtime.of(config.runtime, config.seed))
    block = Spectral().fit(inputs, {**CHOSEN["spectral"], "rank": DIM})
    seconds, ndcg = busy() - start, on.ndcg(block)
    print(f"spectral {seconds:.1f} core-s, NDCG@20 {ndcg:.4f}", flush=True)
    rounds = alternated(on, alpha, regularisation, ROUNDS)
    reached = next((s for s, found in rounds if found >= ndcg), max(rounds, key=lambda one: one[1])[0])
    for number, (spent, found) in enumerate(rounds, 1):
        print(f"implicit, round {number:2} {spent:8.1f} core-s, NDCG@20 {found:.4f}", flush=True)
    print(f"ratio {seconds / reached:.2f}")
    told: dict[str, Any] = {
        "users": on.ties.matrix.shape[0],
        "items": on.ties.matrix.shape[1],
        "events": int(on.ties.matrix.nnz),
    }
    told |= {"dim": DIM, "alpha": alpha, "regularisation": regularisation, "grid": [[*p, n] for p, n in grid.items()]}
    told |= {"seconds": seconds, "ndcg": ndcg, "rounds": rounds, "ratio": seconds / reached}
    if keep:
        report.keep("als", f"{size:,} events", told)


if __name__ == "__main__":
    typer.run(main)
