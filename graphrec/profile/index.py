"""Maximum inner product search over item profiles, with FAISS.

FAISS proposes candidates; those are scored here once more, exactly, so that a result depends on its query alone: not on
the other queries of the call, whose number decides in which order BLAS sums. Where items that FAISS left out may tie
with the last one found, all that may be ranked are scored. How candidates are found, filters too: ``proposals.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from graphrec.errors import ArtifactError, CorruptArtifactError, DataError
from graphrec.profile import engines, lists
from graphrec.profile.many import best_of_many
from graphrec.profile.proposals import FLOAT, Lengthened, Mask, Proposals, of_one_length, power
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats, Ints

SPARE = 16  # candidates beyond those asked for, so that a tie at the last place is seen
CHUNK = 1 << 20  # float64 numbers held at once in exact scoring
SCAN = 0.1  # share of the catalogue with a score of its own from which the whole is scored
GATHERED = 0.2  # share of the catalogue up to which picking rows and multiplying them is faster than multiplying all
DEFAULTS = RetrieveConfig()
NONE: Ints = np.zeros(0, np.int64)


class Index:
    """The items with the largest inner product with a query, leaving some out.

    Exact up to ``config.exact_below`` items. Above (``engines.py``), inverted lists (``lists.py``) of rows, halves or
    codes, or HNSW (Malkov and Yashunin, TPAMI 2018), which may miss an item but never misstate a score; built by
    several threads, HNSW's graph differs a little from run to run.
    """

    def __init__(self, index: Any, config: RetrieveConfig, width: int) -> None:
        self._index = index
        self._config = config
        self._propose = Proposals(index, config.ef_search, width)
        self.items = self._propose.items  # float32 (I, D), a view
        self.longest = self._propose.longest
        self.recall: float | None = None  # of ten, where ``build`` measured it

    @classmethod
    def build(cls, items: Floats, config: RetrieveConfig = DEFAULTS, people: Floats | None = None) -> Index:
        """Index item profiles, float32 (I, D). ``people``: profiles float32 (B, D) of some who will ask, on whom recall
        is measured (``engines.looked_further``). Raises ConfigError where ``memory_gb`` holds none of them."""
        n, width = items.shape
        kind = engines.chosen(n, width, config)
        if kind == "exact":
            index: Any = faiss.IndexFlatIP(width)
            index.add(np.ascontiguousarray(items, dtype=np.float32))
        elif kind in ("lists", "halves", "codes"):
            index = lists.build(Lengthened(items, lists.CODED if kind == "codes" else 1), kind)
        else:
            index = faiss.IndexHNSWFlat(width + 1, config.hnsw_links, faiss.METRIC_INNER_PRODUCT)
            index.add(of_one_length(items))
        out = cls(index, config, width)
        if isinstance(index, faiss.IndexRefine):
            out.recall = engines.looked_further(index, out.items, config, people)
        return out

    def __len__(self) -> int:
        return len(self.items)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process is sent FAISS's own form of it."""
        return _read, (faiss.serialize_index(self._index), self._config, self.width, self.recall)

    @property
    def width(self) -> int:
        """Number of dimensions D."""
        return int(self.items.shape[1])

    def best(
        self,
        queries: Floats,
        sparse: Floats | None,
        k: int,
        exclude: Sequence[Ints],
        allowed: Mask | None = None,
    ) -> Iterator[tuple[Ints, Floats]]:
        """The k best items of each query, fewer where no more may come back: of many by one product, of one by the
        index. Item numbers and scores, best first; arguments as in ``search`` and ``best_of_many``."""
        if len(queries) > 1 and len(self) <= self._config.exact_below:
            yield from best_of_many(queries, self.items, sparse, k, exclude, allowed)
        elif sparse is None:
            for nums, scores in zip(*self.search(queries, k, exclude, allowed), strict=True):
                yield nums[nums >= 0], scores[nums >= 0]
        else:
            for query, own, without in zip(queries, sparse, exclude, strict=True):
                yield self.search_sum(query, own, k, without, allowed)

    def search(
        self, queries: Floats, k: int, exclude: Sequence[Ints] | None = None, allowed: Mask | None = None
    ) -> tuple[Ints, Floats]:
        """The k best items of each query.

        Args:
            queries: float32 (B, D).
            k: may exceed the catalogue.
            exclude: for each query the item numbers that must not come back, in any order.
            allowed: bool (I,), the items that may come back, for all queries; None is all.

        Returns:
            Item numbers int64 (B, k) and their inner products float32 (B, k), best first, equal ones by item number.
            A row with fewer than k items to offer ends in -1 and -inf.

        Raises DataError where ``allowed`` is not of the catalogue's size.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        among = self._among(allowed)
        left = len(self) if among is None else len(among)
        nums = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        barred = [np.unique(e) for e in exclude] if exclude is not None else [NONE] * len(queries)
        if among is not None and allowed is not None:
            barred = [b[allowed[b]] for b in barred]
        need = np.array([k + len(b) for b in barred], dtype=np.int64)
        wanted = np.minimum(k, left + k - need)
        fetch = np.array([power(n + SPARE, left) for n in need.tolist()], dtype=np.int64)
        for size in np.unique(fetch[wanted > 0]).tolist():
            rows = np.flatnonzero((fetch == size) & (wanted > 0))
            found = self._propose(queries[rows], size, need[rows], among)
            for row, (candidates, bound) in zip(rows, found, strict=True):
                query, out, n = queries[row], barred[row], wanted[row]
                best, score = self._rank(query, np.setdiff1d(candidates[candidates >= 0], out), n)
                if len(best) < n or score[-1] <= bound:
                    best, score = self._rank(query, self._scan(query, self._without(out, allowed), n), n)
                nums[row, :n], scores[row, :n] = best, score
        return nums, scores

    def search_sum(
        self, query: Floats, sparse: Floats, k: int, exclude: Ints, allowed: Mask | None = None
    ) -> tuple[Ints, Floats]:
        """The k best items by inner product plus a score of their own, mostly zero: dense and sparse search as one.

        Args:
            query: float32 (D,). sparse: float32 (I,). exclude: item numbers that must not come back.
            allowed: bool (I,), the items that may come back; None is all.

        Exact where ``search`` is: an item without a score of its own is found by the index among its like, the others
        are all scored. Returns item numbers and scores, best first, equal ones by item number. Raises as ``search``.
        """
        self._among(allowed)
        own = sparse != 0
        own[exclude] = False
        touched = np.flatnonzero(own if allowed is None else own & allowed)
        if len(touched) + len(exclude) > len(self) * SCAN:
            candidates = self._without(exclude, allowed)
        else:
            barred = np.union1d(touched, exclude).astype(np.int64)
            found = self.search(query[None], k, [barred], allowed)[0][0]
            candidates = np.union1d(found[found >= 0], touched).astype(np.int64)
        candidates = self._scan(query, candidates, min(k, len(candidates)), sparse)
        scores = self.exact(query, candidates) + sparse[candidates]
        order = np.argsort(-scores, kind="stable")[:k]
        return candidates[order], scores[order]

    def settled(self, query: Floats, scores: Floats, item_num: int, sparse: Floats | None = None) -> Floats:
        """Scores of the catalogue by one product, with those that may tie with one item's as ``search`` has them.

        Args:
            query: float32 (D,). scores: float32 (I,). sparse: float32 (I,), what is in them beside the inner products.
        """
        slack = 4 * float(FLOAT.eps) * abs(float(scores[item_num]))
        near = np.flatnonzero(np.abs(scores - scores[item_num]) <= 2 * self.rounding(query) + slack)
        out = scores.copy()
        out[near] = self.exact(query, near) + (0 if sparse is None else sparse[near])
        return out

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
    ) -> Index:
        """Read an index, or, where the file is larger than ``config.memory_gb``, map it: pages are read from the disk
        when they are needed, and dropped for others. Raises CorruptArtifactError unless it is one of ``build``'s, over
        ``shape`` = (I, D)."""
        try:
            large = config.memory_gb and Path(path).stat().st_size > config.memory_gb * 2**30
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if large else 0)
        except (RuntimeError, MemoryError, OSError) as error:
            raise CorruptArtifactError(f"{path}: expected a FAISS index ({error}); write the artifact again") from None
        if not _is_ours(index):
            found = f"{type(index).__name__} with metric {index.metric_type}"
            raise CorruptArtifactError(
                f"{path}: expected an inner product index, found {found}; write the artifact again"
            )
        width = index.d - (not isinstance(index, faiss.IndexFlat))
        behind = 0 if isinstance(index, faiss.IndexFlat) else lists.behind(index)
        if shape is not None and 0 <= index.d - shape[1] <= behind:
            width = shape[1]  # a graph from before items were brought to one length, or codes with zeros behind
        if shape is not None and (index.ntotal, width) != shape:
            raise CorruptArtifactError(
                f"{path}: expected {shape[0]:,} items of width {shape[1]}, found {index.ntotal:,} of width {width};"
                " write the artifact again"
            )
        return cls(index, config, width)

    def _among(self, allowed: Mask | None) -> Ints | None:
        """The numbers of the allowed items, ascending; None where all are."""
        if allowed is None:
            return None
        if allowed.shape != (len(self),):
            raise DataError(f"a mask of shape {allowed.shape} for {len(self):,} items; give one bool for each item")
        among = np.flatnonzero(allowed)
        return None if len(among) == len(self) else among

    def _without(self, out: Ints, allowed: Mask | None) -> Ints:
        """The numbers of the items that may be ranked, ascending."""
        may = np.ones(len(self), np.bool_) if allowed is None else allowed.copy()
        may[out] = False
        return np.flatnonzero(may)

    def _scan(self, query: Floats, may: Ints, n: int, sparse: Floats | None = None) -> Ints:
        """Of the items that may be ranked every one that can be among the n best, ascending: all of them are scored.

        ``sparse``: float32 (I,), what is added to the inner products.
        """
        if not n:
            return NONE
        whole = len(may) > len(self) * GATHERED
        scores: Floats = (self.items @ query)[may] if whole else self.items[may] @ query  # (n of may,)
        if sparse is not None:
            scores += sparse[may]
        last = float(np.partition(scores, -n)[-n])
        slack = 0.0 if sparse is None else 4 * float(FLOAT.eps) * abs(last)
        return may[scores >= last - 2 * self.rounding(query) - slack]

    def rounding(self, query: Floats) -> float:
        """How far a float32 product of a query (D,) with any item can be from the exact one, twice over."""
        return self._propose.rounding(query)

    def products(self, queries: Floats) -> Floats:
        """Inner products with all items in float32, as they round: (I,) of one query (D,), (B, I) of several (B, D)."""
        out: Floats = self.items @ queries if queries.ndim == 1 else queries @ self.items.T
        return out

    def rows(self, nums: Ints) -> Floats:
        """Profiles of these items, float32 (n, D)."""
        return self.items[nums]

    def holds(self, items: Floats) -> bool:
        """Whether it is of these item profiles."""
        return items.shape == (len(self), self.width) and np.array_equal(items, self.items)

    def _rank(self, query: Floats, nums: Ints, n: int) -> tuple[Ints, Floats]:
        """The n best of these ascending item numbers, and their scores."""
        scores = self.exact(query, nums)
        order = np.argsort(-scores, kind="stable")[:n]
        return nums[order], scores[order]

    def exact(self, query: Floats, nums: Ints) -> Floats:
        """Inner products float32 (n,) of these items, summed in float64 in an order that never varies."""
        step = max(1, CHUNK // max(self.width, 1))
        scores = np.empty(len(nums), dtype=np.float32)
        for start in range(0, len(nums), step):
            block = self.items[nums[start : start + step]].astype(np.float64)  # (≤step, D)
            scores[start : start + step] = (block * query).sum(axis=1)
        return scores


def _read(raw: npt.NDArray[np.uint8], config: RetrieveConfig, width: int, recall: float | None) -> Index:
    out = Index(faiss.deserialize_index(raw), config, width)
    out.recall = recall
    return out


def _is_ours(index: Any) -> bool:
    """Whether ``Index.build`` makes such an index."""
    if isinstance(index, faiss.IndexRefine):
        try:
            lists.parts(index)
        except TypeError:
            return False
    ours = isinstance(index, faiss.IndexFlat | faiss.IndexHNSWFlat | faiss.IndexRefine)
    return ours and index.metric_type == faiss.METRIC_INNER_PRODUCT
