"""How much ranking everybody costs beyond the bare product: evaluation beside matrix product and top-k alone.

    python benchmarks/evaluation_speed.py ../shared/data/gowalla

Profiles are random, of the width of the real ones: the time depends on their size alone. Both run turn about.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import report
import torch
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import EmbeddingScorer, evaluate
from graphrec.experiment import peak_rss_mb
from graphrec.profile.many import best_of_many
from graphrec.query.query import Queries
from graphrec.query.ties import Ties

K, BATCH = 20, 1024


def main(
    folder: Path,
    width: Annotated[int, typer.Option(help="Dimensions of a profile.")] = 1000,
    rounds: Annotated[int, typer.Option(help="Times that each is run.")] = 3,
) -> None:
    """Measure both and keep the result."""
    data, config, random = Dataset.load(folder), Config(), np.random.default_rng(0)
    parts = split(data, config.split.model_copy(update={"kind": "given"}))
    queries, truth = Queries.stored(Ties(parts.fit_data)), parts.test.seen()
    users = random.standard_normal((data.n_users, width), dtype=np.float32)  # (U, d)
    items = random.standard_normal((data.n_items, width), dtype=np.float32)  # (I, d)

    def bare() -> None:
        rows, columns = torch.from_numpy(users), torch.from_numpy(items).T
        for start in range(0, len(rows), BATCH):
            (rows[start : start + BATCH] @ columns).topk(K, dim=1)

    seen = queries.seen
    taken_by = [seen.indices[slice(*seen.indptr[n : n + 2])].astype(np.int64) for n in range(data.n_users)]

    def everybody() -> None:
        for start in range(0, len(users), BATCH):
            rows = slice(start, start + BATCH)
            for _ in best_of_many(users[rows], items, None, K, taken_by[rows]):
                pass

    what: dict[str, Callable[[], object]] = {
        "matrix product and top-k, bare": bare,
        "recommend, for everybody": everybody,
        "evaluate": lambda: evaluate(EmbeddingScorer(users, items), queries, truth, (K,), auc=False),
        "evaluate, with AUC": lambda: evaluate(EmbeddingScorer(users, items), queries, truth, (K,)),
    }
    taken: dict[str, list[float]] = {name: [] for name in what}
    for _ in range(rounds):
        for name, call in what.items():
            start = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - start)
    seconds = {name: median(values) for name, values in taken.items()}
    first = next(iter(seconds.values()))
    rows = [{"what": name, "seconds": value, "ratio": value / first} for name, value in seconds.items()]
    found: dict[str, Any] = {
        "users": len(np.unique(parts.test.interactions.user_nums)),
        "items": data.n_items,
        "width": width,
    }
    found |= {"data": data.fingerprint(), "rounds": rounds, "rows": rows, "peak_rss_mb": peak_rss_mb()}
    report.keep("evaluation_speed", data.name, found)
    print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)
