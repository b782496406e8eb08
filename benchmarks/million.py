"""The index over a catalogue of a million items at 128 dimensions: lists or a graph beside the whole product.

    python benchmarks/million.py [--large graph|halves|codes]

Items are made up as embeddings are: around topics of which some are larger, in dimensions of which each says less than
the one before (deviations j^-1/4), and of lengths that vary (log-normal, 0.3). A user is the mean of ten items out of
three topics, which is what a profile is. Asked one at a time, as a service asks, both ways in turn on one thread, in
CPU time. Recall@10 is against the exact index, over other users than those by whom the index was built to be asked.
"""

from __future__ import annotations

import time
from typing import Annotated

import faiss
import numpy as np
import report
import typer

from graphrec.experiment import peak_rss_mb
from graphrec.profile.engines import ASKED, gigabytes
from graphrec.profile.index import Index
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats, Ints

K, TOOK, OF = 10, 10, 3
TOPICS, SPREAD, FALLS, LENGTHS = 5_000, 0.7, 0.25, 0.3


def made(n_items: int, width: int, n_users: int) -> tuple[Floats, Floats]:
    """Items float32 (I, d) and users float32 (U, d)."""
    random = np.random.default_rng(0)
    falls = (np.arange(1, width + 1) ** -FALLS).astype(np.float32)
    centres = random.standard_normal((TOPICS, width), dtype=np.float32) * falls
    shares = 1.0 / np.arange(1, TOPICS + 1) ** 0.5
    of = np.sort(random.choice(TOPICS, n_items, p=shares / shares.sum()))
    items = random.standard_normal((n_items, width), dtype=np.float32)
    items *= np.float32(SPREAD) * falls
    items += centres[of]
    items *= np.exp(LENGTHS * random.standard_normal((n_items, 1), dtype=np.float32))
    starts = np.searchsorted(of, np.arange(TOPICS + 1))
    topics = random.choice(np.flatnonzero(np.diff(starts) > TOOK), (n_users, OF))
    chosen = topics[np.arange(n_users)[:, None], random.integers(0, OF, (n_users, TOOK))]
    took = starts[chosen] + (random.random((n_users, TOOK)) * np.diff(starts)[chosen]).astype(np.int64)
    users: Floats = items[took].mean(axis=1)
    return items, users


def asked(index: Index, user: Floats) -> tuple[Ints, float]:
    """The K best int64 (K,), and the CPU seconds they took."""
    start = time.process_time()
    found: Ints = index.search(user[None], K)[0][0]
    return found, time.process_time() - start


def main(
    items: Annotated[int, typer.Option(help="Size of the catalogue.")] = 1_000_000,
    width: Annotated[int, typer.Option(help="Dimensions of a profile.")] = 128,
    users: Annotated[int, typer.Option(help="Who are asked.")] = 300,
    large: Annotated[str, typer.Option(help="lists, graph, halves or codes.")] = "lists",
) -> None:
    """Measure and keep the result."""
    faiss.omp_set_num_threads(1)
    sides, drawn = made(items, width, ASKED + users)
    known, people = drawn[:ASKED], drawn[ASKED:]
    start = time.process_time()
    quick = Index.build(sides, RetrieveConfig.model_validate({"exact_below": 0, "large": large}), known)
    built = time.process_time() - start
    exact = Index.build(sides, RetrieveConfig(exact_below=items + 1))
    recalls, seconds = [], np.zeros((users, 2))
    for n, user in enumerate(people):
        true, seconds[n, 0] = asked(exact, user)
        found, seconds[n, 1] = asked(quick, user)
        recalls.append(len(np.intersect1d(true, found)) / K)
    ways = zip(("exact", large), seconds.T, strict=True)
    told = {
        "recall@10": float(np.mean(recalls)),
        "ms": {name: [float(np.quantile(taken, q)) * 1e3 for q in (0.5, 0.99)] for name, taken in ways},
        "times": float(seconds[:, 0].mean() / seconds[:, 1].mean()),
        "build_seconds": built,
        "recall_measured_when_built": quick.recall,
        "gigabytes": gigabytes(large, items, width),
        "peak_rss_mb": peak_rss_mb(),
        "users": users,
    }
    print(told, flush=True)
    report.keep("million", f"{items:,} items, {width} dimensions, {large}", told)


if __name__ == "__main__":
    typer.run(main)
