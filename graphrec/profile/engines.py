"""Which index is built of many items: by their number, by the memory that it may take once loaded, and by the recall
that is measured on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphrec.errors import ConfigError
from graphrec.profile import lists
from graphrec.profile.lists import CODED, FIRST, Kind
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats

MEASURED = 20_000  # items from which recall is measured
ASKED, K, TOOK, OF = 64, 10, 10, 3  # queries, each the mean of ten items out of three lists, and how many are found
MOST = 0.5  # of the lists that a query looks into


def gigabytes(kind: str, n: int, width: int, links: int = 32) -> float:
    """GiB that a loaded index of n items takes: the rows and beside them lists or a graph; of codes, whose rows stay on
    the disk, these alone."""
    rows, numbers = 4 * n * (width + (kind != "exact")), 8 * n
    of = {
        "exact": rows,
        "lists": 2 * rows + numbers,
        "graph": rows + 8 * links * n + numbers,
        "halves": rows + rows // 2 + numbers,
        "codes": rows // (4 * CODED) + numbers,
    }
    return of[kind] / 2**30


def chosen(n: int, width: int, config: RetrieveConfig) -> Kind:
    """Exact for few items, else the kind that is set; where ``memory_gb`` is less than that takes, the next smaller:
    halves, then codes. Raises ConfigError where none is small enough."""
    first: Kind = "exact" if n <= config.exact_below else config.large
    if first == "codes" and n < FIRST:  # too few to learn codes from
        first = "halves"
    if not config.memory_gb:
        return first
    smaller: list[Kind] = ["codes"] if first == "codes" else ["halves", "codes"]
    for kind in [first, *(k for k in smaller if k != first)]:
        if gigabytes(kind, n, width, config.hnsw_links) <= config.memory_gb and (kind != "codes" or n >= FIRST):
            return kind
    least = min(gigabytes(kind, n, width) for kind in (first, *(smaller if n >= FIRST else [])))
    raise ConfigError(
        f"retrieve.memory_gb: {config.memory_gb:g} GB hold no index of {n:,} items in {width} dimensions, of which the "
        f"smallest takes {least:.2g} GB; raise it, set it to 0, or fit fewer dimensions (spectral.rank, graph.dim)"
    )


def looked_further(index: Any, items: Floats, config: RetrieveConfig, people: Floats | None = None) -> float | None:
    """How many of the ten best the lists of ``index`` find; they look into more of them until it is ``recall``, at most
    into half. None where there are too few items to measure. What is found is stored with the index (``nprobe``).

    ``people``: profiles float32 (B, D) of some who will ask; where they are less than ``ASKED``, made-up ones, whose
    items are nearer to each other than those of many people, so that more is found for them."""
    if len(items) < MEASURED:
        return None
    queries = _queries(items) if people is None or len(people) < ASKED else people[:ASKED]
    scores = items @ queries.T  # (I, B)
    best = np.argpartition(-scores, K, axis=0)[:K].T
    inverted = lists.parts(index)[0]
    wide = np.pad(queries, ((0, 0), (0, index.d - queries.shape[1])))
    while True:
        found = lists.nearest(inverted, wide, lists.fetched(inverted, 2 * K))
        recall = float(np.mean([len(np.intersect1d(a, b)) / K for a, b in zip(best, found, strict=True)]))
        probes = lists.probes(inverted, 2 * K)
        if recall >= config.recall or probes >= MOST * inverted.nlist:
            return recall
        inverted.nprobe = 2 * probes


def _queries(items: Floats) -> Floats:
    """Profiles as people have them, float32 (B, D): means of items that are near each other, around ``OF`` of them."""
    random = np.random.default_rng(0)
    around = items[random.integers(0, len(items), ASKED * OF)]
    some = items[np.sort(random.permutation(len(items))[:MEASURED])]
    near = np.argpartition(-(around @ some.T), TOOK, axis=1)[:, : TOOK // OF + 1]  # (B · OF, 4)
    means: Floats = some[near].mean(axis=1).reshape(ASKED, OF, -1).mean(axis=1)
    return means
