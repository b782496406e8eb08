"""Inverted lists over items of one length, out of FAISS: each query looks into the lists whose centres are nearest.

The lists hold the rows once more, each list in one piece, since that is what is read fast (8 bits a dimension take two
and a half times as long); where memory is short as halves (16 bits a dimension), or as codes (product quantisation, a
byte for ``CODED`` dimensions), of which more are brought, since what is found is scored anew by the rows, which may
then stay on the disk. Centres come from k-means (Jégou, Douze and Schmid, Product quantization for
nearest neighbor search, TPAMI 2011, section IV) and are of one length as the items are, so that the nearest is that of
the largest inner product, which is how a query looks them up (Gowalla's items, a query in a twentieth of the lists:
recall@10 .993; with centres as long as means are, .947 to .959; along HNSW's graph, in the same time, .761).
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias

import faiss
import numpy as np

from graphrec.types import Floats, Ints

LISTS = 8  # times √I
FEWEST = 16  # items of a list, in the mean
LEARNED = 32  # items of a list that k-means reads
ROUNDS = 6
SHARE = 0.033  # of the lists a query looks into, at least
ROOM = 64  # items looked at for each that is wanted
CODED = 4  # dimensions of a byte of codes
FIRST = 256  # items that codes are learned from, at least
SCORED = 8  # times as many are brought by codes, for they are coarse
ADDED = 1 << 16  # rows that are added at once
Kind: TypeAlias = Literal["exact", "lists", "graph", "halves", "codes"]
UNBATCHED = 16  # queries at once; of more FAISS multiplies matrices, which round by their number


class Rows(Protocol):
    """Rows float32 (I, d) that are made when they are asked for."""

    @property
    def shape(self) -> tuple[int, int]: ...

    def __getitem__(self, of: Any) -> Floats: ...


def build(items: Rows, kind: Kind = "lists") -> Any:
    """FAISS's index of lists and of the float32 rows as one, from items of one length, float32 (I, d), I ≥ 1; of
    ``codes`` d is a multiple of ``CODED`` and I at least ``FIRST``. Rows are added some at a time."""
    n, width = items.shape
    n_lists = max(1, min(int(LISTS * n**0.5), n // FEWEST))
    random = np.random.default_rng(0)
    least = max(LEARNED * n_lists, FIRST)
    some = items[:] if n <= least else items[np.sort(random.permutation(n)[:least])]
    means = faiss.Kmeans(
        width, n_lists, niter=ROUNDS, seed=1, spherical=True, min_points_per_centroid=1, max_points_per_centroid=LEARNED
    )
    means.train(some)
    centres = faiss.IndexFlatIP(width)
    centres.add(np.asarray(means.centroids, np.float32))
    lists: Any
    if kind == "codes":
        lists = faiss.IndexIVFPQ(centres, width, n_lists, width // CODED, 8, faiss.METRIC_INNER_PRODUCT)
    elif kind == "halves":
        form = faiss.ScalarQuantizer.QT_fp16
        lists = faiss.IndexIVFScalarQuantizer(centres, width, n_lists, form, faiss.METRIC_INNER_PRODUCT)
    else:
        lists = faiss.IndexIVFFlat(centres, width, n_lists, faiss.METRIC_INNER_PRODUCT)
    lists.train(some)
    rows: Any = faiss.IndexFlatIP(width)
    both: Any = faiss.IndexRefine(lists, rows)
    for start in range(0, n, ADDED):
        both.add(items[start : start + ADDED])
    return both


def parts(index: Any) -> tuple[Any, Any]:
    """The lists and the float32 rows of an index of ``build``, as they are or read again. Raises TypeError for any
    other."""
    lists, rows = (faiss.downcast_index(part) for part in (index.base_index, index.refine_index))
    ours = isinstance(lists, (faiss.IndexIVFFlat, faiss.IndexIVFScalarQuantizer, faiss.IndexIVFPQ))
    ours = ours and isinstance(rows, faiss.IndexFlat)
    if not ours or lists.ntotal != rows.ntotal or rows.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise TypeError("no lists with their rows")
    return lists, rows


def fetched(lists: Any, size: int) -> int:
    """How many to bring so that the best ``size`` are among them."""
    return min(lists.ntotal, SCORED * size) if isinstance(lists, faiss.IndexIVFPQ) else size


def probes(lists: Any, size: int) -> int:
    """How many lists a query looks into that wants so many: what was found to be needed is in ``nprobe``."""
    size = size // SCORED if isinstance(lists, faiss.IndexIVFPQ) else size
    wanted = max(SHARE, ROOM * size / max(lists.ntotal, 1))
    return int(min(lists.nlist, max(1, int(np.ceil(wanted * lists.nlist)), lists.nprobe)))


def behind(index: Any) -> int:
    """Dimensions that an index may hold beside those of the items, at most."""
    return CODED if isinstance(index, faiss.IndexRefine) and isinstance(parts(index)[0], faiss.IndexIVFPQ) else 1


def nearest(lists: Any, queries: Floats, size: int) -> Ints:
    """Item numbers int64 (B, size) for queries float32 (B, d), -1 where the lists that are looked into hold no more."""
    settings = faiss.SearchParametersIVF(nprobe=probes(lists, size))  # type: ignore[call-arg]
    found = np.full((len(queries), size), -1, np.int64)
    for start in range(0, len(queries), UNBATCHED):
        some = queries[start : start + UNBATCHED]
        found[start : start + UNBATCHED] = lists.search(some, size, params=settings)[1]
    return found
