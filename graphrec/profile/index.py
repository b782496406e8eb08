"""Maximum inner product search over item profiles, with FAISS.

FAISS proposes candidates; those are scored here once more, exactly, so that a result depends on its query alone: not on
the other queries of the call, whose number decides in which order BLAS sums. Where items that FAISS left out may tie
with the last one found, the whole catalogue is scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from graphrec.config import RetrieveConfig
from graphrec.errors import ArtifactError, CorruptArtifactError
from graphrec.types import Floats, Ints

SPARE = 16  # candidates beyond those asked for, so that a tie at the last place is seen
CHUNK = 1 << 20  # float64 numbers held at once in exact scoring
SCAN = 0.1  # share of the catalogue with a score of its own from which the whole is scored
FLOAT = np.finfo(np.float32)
DEFAULTS = RetrieveConfig()
NONE: Ints = np.zeros(0, np.int64)


class Index:
    """The items with the largest inner product with a query, leaving some out.

    Exact up to ``config.exact_below`` items; above, HNSW (Malkov and Yashunin, TPAMI 2018), which may miss an item but
    never misstates a score; built by several threads, its graph differs a little from run to run.

    ``prior``: int64, the dimensions that say nothing but how popular an item is; ``similar`` leaves them out.
    """

    def __init__(self, index: Any, config: RetrieveConfig, prior: Ints = NONE) -> None:
        self._index = index
        self._config = config
        self._prior = prior
        self._hnsw = isinstance(index, faiss.IndexHNSW)
        storage: Any = faiss.downcast_index(index.storage) if self._hnsw else index
        size = index.ntotal * index.d
        memory = faiss.rev_swig_ptr(storage.get_xb(), size) if size else np.zeros(0, np.float32)
        self._items: Floats = memory.reshape(index.ntotal, index.d)  # (I, D), a view of FAISS's own memory
        self.longest = float(np.sqrt(np.einsum("id,id->i", self._items, self._items).max(initial=0.0)))

    @classmethod
    def build(cls, items: Floats, config: RetrieveConfig = DEFAULTS, prior: Ints = NONE) -> Index:
        """Index item profiles, float32 (I, D)."""
        n, width = items.shape
        index: Any = (
            faiss.IndexFlatIP(width)
            if n <= config.exact_below
            else faiss.IndexHNSWFlat(width, config.hnsw_links, faiss.METRIC_INNER_PRODUCT)
        )
        index.add(np.ascontiguousarray(items, dtype=np.float32))
        return cls(index, config, prior)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def width(self) -> int:
        """Number of dimensions D."""
        return int(self._items.shape[1])

    def search(self, queries: Floats, k: int, exclude: Sequence[Ints] | None = None) -> tuple[Ints, Floats]:
        """The k best items of each query.

        Args:
            queries: float32 (B, D).
            k: may exceed the catalogue.
            exclude: for each query the item numbers that must not come back, in any order.

        Returns:
            Item numbers int64 (B, k) and their inner products float32 (B, k), best first, equal ones by item number.
            A row with fewer than k items to offer ends in -1 and -inf.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        nums = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        barred = [np.unique(e) for e in exclude] if exclude is not None else [np.zeros(0, np.int64)] * len(queries)
        wanted = np.array([min(k, len(self) - len(b)) for b in barred], dtype=np.int64)
        fetch = np.array([self._fetch(k + len(b)) for b in barred], dtype=np.int64)
        for size in np.unique(fetch[wanted > 0]).tolist():
            rows = np.flatnonzero((fetch == size) & (wanted > 0))
            for row, (candidates, bound) in zip(rows, self._candidates(queries[rows], size), strict=True):
                query, out, n = queries[row], barred[row], wanted[row]
                best, score = self._rank(query, np.setdiff1d(candidates[candidates >= 0], out), n)
                if len(best) < n or score[-1] <= bound:
                    best, score = self._rank(query, self._scan(query, out, n), n)
                nums[row, :n], scores[row, :n] = best, score
        return nums, scores

    def search_sum(self, query: Floats, sparse: Floats, k: int, exclude: Ints) -> tuple[Ints, Floats]:
        """The k best items by inner product plus a score of their own, mostly zero: dense and sparse search as one.

        Args:
            query: float32 (D,). sparse: float32 (I,). exclude: item numbers that must not come back.

        Exact where ``search`` is: an item without a score of its own is found by the index among its like, the others
        are all scored. Returns item numbers and scores, best first, equal ones by item number.
        """
        touched = np.flatnonzero(sparse)
        barred = np.union1d(touched, exclude).astype(np.int64)
        if len(barred) > len(self) * SCAN:
            candidates = np.setdiff1d(np.arange(len(self)), exclude)
            n = min(k, len(candidates))
            if not n:
                return candidates, np.zeros(0, np.float32)
            rough = self._items[candidates] @ query + sparse[candidates]
            last = float(np.partition(rough, -n)[-n])
            candidates = candidates[rough >= last - 2 * self._rounding(query) - 4 * FLOAT.eps * abs(last)]
        else:
            found = self.search(query[None], k, [barred])[0][0]
            candidates = np.union1d(found[found >= 0], np.setdiff1d(touched, exclude)).astype(np.int64)
        scores = self._exact(query, candidates) + sparse[candidates]
        order = np.argsort(-scores, kind="stable")[:k]
        return candidates[order], scores[order]

    def similar(self, item_num: int, k: int) -> tuple[Ints, Floats]:
        """The k items nearest to one in cosine, without itself: int64 (k,) and float32 (k,), padded like ``search``."""
        query = self._cosine._items[item_num : item_num + 1]
        nums, scores = self._cosine.search(query, k, [np.array([item_num])])
        return nums[0], scores[0]

    def save(self, path: str | Path) -> None:
        """Write the index in FAISS's format. Raises ArtifactError where the disk refuses."""
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise ArtifactError(f"{path}: cannot be written ({error}); free the disk or choose another path") from None

    @classmethod
    def load(
        cls,
        path: str | Path,
        config: RetrieveConfig = DEFAULTS,
        shape: tuple[int, int] | None = None,
        prior: Ints = NONE,
    ) -> Index:
        """Read an index. Raises CorruptArtifactError unless it is one of ``build``'s, over ``shape`` = (I, D)."""
        try:
            index = faiss.read_index(str(path))
        except (RuntimeError, MemoryError) as error:
            raise CorruptArtifactError(f"{path}: expected a FAISS index ({error}); write the artifact again") from None
        if (
            not isinstance(index, faiss.IndexFlat | faiss.IndexHNSWFlat)
            or index.metric_type != faiss.METRIC_INNER_PRODUCT
        ):
            found = f"{type(index).__name__} with metric {index.metric_type}"
            raise CorruptArtifactError(
                f"{path}: expected an inner product index, found {found}; write the artifact again"
            )
        if shape is not None and (index.ntotal, index.d) != shape:
            raise CorruptArtifactError(
                f"{path}: expected {shape[0]:,} items of width {shape[1]}, found {index.ntotal:,} of width {index.d};"
                " write the artifact again"
            )
        return cls(index, config, prior)

    @cached_property
    def _cosine(self) -> Index:
        items = self._items.copy()
        items[:, self._prior] = 0
        lengths = np.linalg.norm(items, axis=1, keepdims=True)  # (I, 1)
        return Index.build(items / np.maximum(lengths, FLOAT.tiny), self._config)

    def _fetch(self, n: int) -> int:
        """How many candidates give n items: a power of two, so that queries with other exclusions share a search."""
        return min(len(self), 1 << (n + SPARE - 1).bit_length())

    def _candidates(self, queries: Floats, size: int) -> Iterator[tuple[Ints, float]]:
        """For each query: item numbers (size,), -1 where there are none, and a bound on the scores of all others."""
        if self._hnsw:
            parameters = faiss.SearchParametersHNSW(  # type: ignore[attr-defined]  # not in FAISS's stubs
                efSearch=max(self._config.ef_search, size)
            )
            nums = self._index.search(queries, size, params=parameters)[1]
            bounds = np.full(len(queries), -np.inf)
        else:
            scores, nums = self._index.search(queries, size)
            bounds = np.array([s + self._rounding(q) for s, q in zip(scores[:, -1], queries, strict=True)])
            bounds[:] = bounds if size < len(self) else -np.inf
        return zip(nums, bounds.tolist(), strict=True)

    def _rounding(self, query: Floats) -> float:
        """How far a float32 inner product of D terms, summed in any order, can be from the exact one, twice over.

        Higham, Accuracy and Stability of Numerical Algorithms, eq. 3.5: |error| ≤ γ_D Σ|q_j x_j| ≤ γ_D ‖q‖ ‖x‖.
        """
        length = float(np.linalg.norm(query.astype(np.float64)))
        return (self.width + 2) * (float(FLOAT.eps) * length * self.longest + float(FLOAT.tiny))

    def _scan(self, query: Floats, out: Ints, n: int) -> Ints:
        """Every item that may be among the n best, from scoring the whole catalogue: ascending numbers."""
        scores = self._items @ query  # (I,)
        scores[out] = -np.inf
        last = float(np.partition(scores, -n)[-n])
        return np.flatnonzero(scores >= last - 2 * self._rounding(query))

    def _rank(self, query: Floats, nums: Ints, n: int) -> tuple[Ints, Floats]:
        """The n best of these ascending item numbers, and their scores."""
        scores = self._exact(query, nums)
        order = np.argsort(-scores, kind="stable")[:n]
        return nums[order], scores[order]

    def _exact(self, query: Floats, nums: Ints) -> Floats:
        """Inner products float32 (n,) of these items, summed in float64 in an order that never varies."""
        step = max(1, CHUNK // max(self.width, 1))
        scores = np.empty(len(nums), dtype=np.float32)
        for start in range(0, len(nums), step):
            block = self._items[nums[start : start + step]].astype(np.float64)  # (≤step, D)
            scores[start : start + step] = (block * query).sum(axis=1)
        return scores
