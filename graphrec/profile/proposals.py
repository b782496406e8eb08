"""Candidates for an inner product search, out of FAISS: by scoring everything in float32, out of inverted lists, or
along HNSW's graph.

A filter is a mask inside the search. Few allowed items are scored, they alone. For many, lists or graph are asked for
as many more as are barred, and believed only where enough allowed ones are among the nearest; else all allowed are
scored. A walk that only skips what is barred (FAISS's ``IDSelector``) brings k items too, but any k where filter and
taste have to do with each other (``benchmarks/filtered_search.py``).

Both are of items of one length M by a further dimension √(M² - ‖x‖²) that is 0 in every query (Bachrach et al.,
RecSys 2014): inner products stay, and long items do not keep edges from the others. M is the length that all but one in
a hundred do not exceed, and what is longer stays so: by that of the longest, where few are far longer than the rest,
all others are nearly one point, and no graph of them leads anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import faiss
import numpy as np
import numpy.typing as npt

from graphrec.profile import lists
from graphrec.types import Floats, Ints

ROWS = 1 << 22  # float32 numbers of item rows picked at once
WORTH = 40  # items scored in the time that it takes to bring one more candidate
ALIKE = 0.99  # of the items are of one length in the graph
BLAS = 20  # queries from which FAISS multiplies matrices
FLOAT = np.finfo(np.float32)
Mask: TypeAlias = npt.NDArray[np.bool_]


class _Memory:
    """The vectors of a flat FAISS index, read-only, for ``np.asarray``; the index lives as long as the array."""

    def __init__(self, index: Any, storage: Any) -> None:
        self._index = index
        found = faiss.rev_swig_ptr(storage.get_xb(), index.ntotal * index.d).__array_interface__
        self.__array_interface__ = {**found, "shape": (index.ntotal, index.d), "data": (found["data"][0], True)}


class Proposals:
    """Who may be among the best of a FAISS index over inner products: flat, of lists, or HNSW.

    Attributes: items: float32 (I, D), a view of FAISS's own memory. longest: the length of the longest of them.
    """

    def __init__(self, index: Any, ef_search: int, width: int) -> None:
        self._index, self._ef_search = index, ef_search
        self._lists: Any = None
        storage: Any = index
        if isinstance(index, faiss.IndexRefine):
            self._lists, storage = lists.parts(index)
        self._whole = isinstance(index, faiss.IndexFlat)
        if isinstance(index, faiss.IndexHNSW):
            storage = faiss.downcast_index(index.storage)
        held = index.ntotal * index.d > 0
        memory = np.asarray(_Memory(index, storage)) if held else np.zeros((index.ntotal, index.d), np.float32)
        self._storage = storage
        self.items: Floats = memory[:, :width]
        self.longest = float(np.sqrt(np.einsum("id,id->i", self.items, self.items).max(initial=0.0)))

    def __call__(self, queries: Floats, size: int, need: Ints, among: Ints | None) -> Iterator[tuple[Ints, float]]:
        """For each query: item numbers, -1 where there are none, and a bound on the scores of all others.

        Args:
            queries: float32 (B, D). size: how many to bring.
            need: int64 (B,), how many must have been found under a filter to be believed.
            among: the numbers of the items to look among, ascending, at least one; None is all.
        """
        if self._whole:
            return self._scored(queries, size, among)
        if among is None:
            return zip(self._walk(queries, size), [-np.inf] * len(queries), strict=True)
        wider = power(size * len(self.items) // len(among), len(self.items))
        if wider * WORTH > len(among):
            return self._scored(queries, size, among)
        return self._filtered(queries, size, wider, need, among)

    def _wide(self, queries: Floats) -> Floats:
        """Queries as wide as what FAISS holds, float32 (B, d)."""
        return np.pad(queries, ((0, 0), (0, self._index.d - queries.shape[1])))

    def rounding(self, query: Floats) -> float:
        """How far a float32 inner product of D terms, summed in any order, can be from the exact one, twice over.

        Higham, Accuracy and Stability of Numerical Algorithms, eq. 3.5: |error| ≤ γ_D Σ|q_j x_j| ≤ γ_D ‖q‖ ‖x‖.
        """
        length = float(np.linalg.norm(query.astype(np.float64)))
        return (len(query) + 2) * (float(FLOAT.eps) * length * self.longest + float(FLOAT.tiny))

    def _filtered(
        self, queries: Floats, size: int, wider: int, need: Ints, among: Ints
    ) -> Iterator[tuple[Ints, float]]:
        """The allowed ones of the nearest; for queries that have too few of them near, the best of all."""
        allowed = np.zeros(len(self.items), np.bool_)
        allowed[among] = True
        nums = self._walk(queries, wider)  # (B, wider)
        nums[~allowed[nums]] = -1
        few = (nums >= 0).sum(axis=1) < np.minimum(need, len(among))  # (B,)
        scored = self._scored(queries[few], size, among) if few.any() else iter(())
        for row, missed in zip(nums, few, strict=True):
            yield next(scored) if missed else (row, -np.inf)

    def _walk(self, queries: Floats, size: int) -> Ints:
        """The nearest in lists or graph, int64 (B, size), -1 where these reach no more."""
        if self._lists is not None:
            return lists.nearest(self._lists, self._wide(queries), lists.fetched(self._lists, size))
        parameters = faiss.SearchParametersHNSW(  # type: ignore[attr-defined]  # not in FAISS's stubs
            efSearch=max(self._ef_search, size)
        )
        nums: Ints = self._index.search(self._wide(queries), size, params=parameters)[1]
        return nums

    def _scored(self, queries: Floats, size: int, among: Ints | None) -> Iterator[tuple[Ints, float]]:
        """From scoring every item, or every one among these."""
        if among is None:
            scores, nums = self._storage.search(self._wide(queries), size)
        elif len(queries) < BLAS:
            selector = faiss.IDSelectorArray(among)
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # not in FAISS's stubs
            scores, nums = self._storage.search(self._wide(queries), size, params=parameters)
        else:
            scores, nums = self._multiplied(queries, size, among)
        left = len(self.items) if among is None else len(among)
        last = scores[:, -1] if size < left else np.full(len(queries), -np.inf)
        return zip(nums, [float(s) + self.rounding(q) for s, q in zip(last, queries, strict=True)], strict=True)

    def _multiplied(self, queries: Floats, size: int, among: Ints) -> tuple[Floats, Ints]:
        """The best of these items by matrix products: scores float32 and numbers int64 (B, size), best first.

        Rows are picked a few at a time, so that no second item matrix comes to be.
        """
        step = max(size, ROWS // max(queries.shape[1], 1))
        scores, nums = np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        for start in range(0, len(among), step):
            some = among[start : start + step]
            most = min(size, len(some))
            found, places = faiss.knn(queries, self.items[some], most, metric=faiss.METRIC_INNER_PRODUCT)
            scores, nums = np.hstack([scores, found]), np.hstack([nums, some[places]])
            order = np.argsort(-scores, axis=1, kind="stable")[:, :size]
            scores, nums = np.take_along_axis(scores, order, 1), np.take_along_axis(nums, order, 1)
        return scores, nums


def of_one_length(items: Floats) -> Floats:
    """Items float32 (I, D) with a last dimension that makes ``ALIKE`` of them equally long, float32 (I, D + 1)."""
    squares = np.einsum("id,id->i", items, items, dtype=np.float64)
    length = np.quantile(squares, ALIKE) if len(squares) else 0.0
    rest = np.sqrt(np.maximum(length - squares, 0.0))
    return np.hstack([items, rest[:, None]]).astype(np.float32)


class Lengthened:
    """The same, made as rows are asked for, so that no second item matrix comes to be; with zeros behind up to a
    ``multiple`` of dimensions, which say nothing."""

    def __init__(self, items: Floats, multiple: int = 1) -> None:
        self._items = items
        self.shape = (len(items), -(-(items.shape[1] + 1) // multiple) * multiple)
        squares = np.concatenate(
            [np.zeros(0), *(np.einsum("id,id->i", r, r, dtype=np.float64) for r in np.array_split(items, 64))]
        )
        length = np.quantile(squares, ALIKE) if len(squares) else 0.0
        self._rest = np.sqrt(np.maximum(length - squares, 0.0)).astype(np.float32)  # (I,)

    def __getitem__(self, of: Any) -> Floats:
        rows = self._items[of]
        out = np.zeros((len(rows), self.shape[1]), np.float32)
        out[:, : rows.shape[1]], out[:, rows.shape[1]] = rows, self._rest[of]
        return out


def power(n: int, most: int) -> int:
    """A power of two from n on, at most ``most``: so queries with other exclusions share a search."""
    return min(most, 1 << max(n - 1, 0).bit_length())
