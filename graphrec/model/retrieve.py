"""encode → retrieve: the best items of every query, by its profile or by what stands in for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.model.asked import SOMEBODY, Asked
from graphrec.model.learned import Learned
from graphrec.model.standing import FLAT_SCORES, standing_of
from graphrec.model.worded import liking_of
from graphrec.query.query import Queries
from graphrec.query.ties import row
from graphrec.types import Floats, Ints

PROBES = 64  # items by which scores are seen to differ
Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """What one query is answered with: item numbers int64 (n,) and scores float32 (n,), best first; why the answer is
    less than it could be; and what re-rankers changed."""

    nums: Ints
    scores: Floats
    why: tuple[str, ...] = ()
    changes: tuple[Any, ...] = ()


def retrieve(model: Learned, asked: Asked, rows: Ints, k: int) -> list[Found]:
    """The k best items of each query at ``rows``; fewer where no more may come back."""
    queries = asked.queries if np.array_equal(rows, np.arange(len(asked.queries))) else asked.queries[rows]
    profile, sparse, personal = model.profiles.encode(queries)  # (B, D), (B, I) or None, (B,)
    usual = ~_unusual(queries, personal)
    barred = [asked.barred(place) for place in rows.tolist()]
    without = [out for out, alone in zip(barred, usual.tolist(), strict=True) if alone]
    some = None if sparse is None else sparse[usual]
    by_profile = model.index.best(profile[usual], some, k, without, asked.allowed)
    new = asked.seen == "exclude"
    out, liking = [], cache(partial(liking_of, model))
    for n in range(len(rows)):
        own = None if sparse is None else sparse[n]
        found = Found(*next(by_profile)) if usual[n] else None
        if found is None or _level(model, profile[n], own, found, queries.seen, n, new):
            of_profile = model.index.products(profile[n]) + (0 if own is None else own)  # (I,)
            asker = asked.user_ids[int(rows[n])] != SOMEBODY
            standing = standing_of(model, queries[np.array([n])], of_profile, bool(personal[n]), liking, asker)
            if found is None or not standing.plain:
                nums, best = ranked(standing.scores(of_profile), k, barred[n], asked.allowed)
                found = Found(nums, best, standing.degraded)
        out.append(found)
    return out


def scores(model: Learned, queries: Queries) -> Floats:
    """Scores of the whole catalogue, float32 (B, I); see ``Model.scores``."""
    profile, sparse, personal = model.profiles.encode(queries)
    out = model.index.products(profile)
    if sparse is not None:
        out += sparse
    liking = cache(partial(liking_of, model))
    for n in np.flatnonzero(unusual(queries, personal, out)).tolist():
        out[n] = standing_of(model, queries[np.array([n])], out[n], bool(personal[n]), liking).scores(out[n])
    return out


def unusual(queries: Queries, personal: Mask, scores: Floats) -> Mask:
    """Queries that something stands in for, or beside, bool (B,), by their scores (B, I) from profiles alone."""
    out: Mask = _unusual(queries, personal) | _nearly_level(scores, queries)
    return out


def decided(model: Learned, query: Queries, profile: Floats, sparse: Floats | None, personal: Mask) -> bool:
    """Whether the profile float32 (D,) of one query (B = 1) and what is beside it (I,) surely decide alone: somebody's,
    and at some places that are not taken the scores differ. Says so without a product over the catalogue; where it is
    not sure, ``unusual`` tells."""
    if _unusual(query, personal)[0]:
        return False
    some = _some(model, profile, sparse, query.seen, 0)
    return len(some) > 1 and not _same(model, profile, sparse, some)


def ranked(scores: Floats, k: int, exclude: Ints, allowed: Mask | None = None) -> tuple[Ints, Floats]:
    """The k best items by scores (I,), ties by item number, without excluded ones and those that are not allowed."""
    may = np.ones(len(scores), bool) if allowed is None else allowed.copy()
    may[exclude] = False
    nums = np.flatnonzero(may)
    if k < len(nums):  # those above the k-th score, and all that are level with it
        some = scores[nums]
        nums = nums[some >= np.partition(some, len(some) - k)[len(some) - k]]
    best = nums[np.argsort(-scores[nums], kind="stable")[:k]].astype(np.int64)
    return best, scores[best]


def _unusual(queries: Queries, personal: Mask) -> Mask:
    """Queries whose profile alone does not decide, bool (B,): nothing is liked, or something is asked for in words."""
    worded = np.zeros(len(queries), bool)
    if queries.asked is not None:
        worded[:] = [bool(query.words) for query in queries.asked]
    out: Mask = ~personal | (queries.activity == 0) | worded
    return out


def _nearly_level(scores: Floats, queries: Queries) -> Mask:
    """Queries whose scores (B, I) may tell nothing apart, bool (B,): those at some places differ by no more than
    rounding."""
    places = _places(scores.shape[1])
    seen = queries.seen[:, places].toarray() > 0  # (B, PROBES)
    some = scores[:, places]
    spread = np.where(seen, -np.inf, some).max(axis=1) - np.where(seen, np.inf, some).min(axis=1)
    out: Mask = spread <= FLAT_SCORES * np.maximum(scores.max(axis=1), -scores.min(axis=1))
    return out


def _level(
    model: Learned, profile: Floats, sparse: Floats | None, found: Found, seen: sp.csr_matrix, n: int, new: bool
) -> bool:
    """Whether what row n of ``seen`` does not hold may score the same but for rounding: by the best of it, or at some
    places where they do not tell. ``new``: nothing seen is among those found."""
    if not len(found.nums):
        return False
    some = found.scores if new else found.scores[~np.isin(found.nums, row(seen, n))]
    if len(some) < 2:
        some = _some(model, profile, sparse, seen, n)
    return len(some) < 2 or _same(model, profile, sparse, some)  # of fewer, all are looked at


def _some(model: Learned, profile: Floats, sparse: Floats | None, seen: sp.csr_matrix, n: int) -> Floats:
    """Scores at those of ``_places`` that row n of ``seen`` does not hold."""
    places = np.setdiff1d(_places(len(model.index)), row(seen, n))
    out: Floats = model.index.rows(places) @ profile + (0 if sparse is None else sparse[places])
    return out


def _same(model: Learned, profile: Floats, sparse: Floats | None, some: Floats) -> bool:
    """Whether some scores differ by no more than rounding of the largest that there may be."""
    largest = float(np.linalg.norm(profile)) * float(model.index.longest)
    largest += 0.0 if sparse is None else float(np.abs(sparse).max(initial=0.0))
    return float(some.max() - some.min()) <= FLAT_SCORES * largest


def _places(n_items: int) -> Ints:
    """Some item numbers, spread over the catalogue, int64."""
    return np.unique(np.linspace(0, n_items - 1, PROBES).astype(np.int64))
