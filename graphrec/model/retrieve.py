"""encode → retrieve: the best items of every query, by its profile or by what stands in for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from graphrec.model.asked import Asked
from graphrec.model.learned import Learned
from graphrec.model.standing import FLAT_SCORES, standing_of, word_scores
from graphrec.profile.many import best_of_many
from graphrec.query.query import Queries
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
    queries = asked.queries[rows]
    profile, sparse, personal = model.profiles.encode(queries)  # (B, D), (B, I) or None, (B,)
    usual = ~_unusual(queries, personal)
    barred = [asked.barred(place) for place in rows.tolist()]
    by_profile = iter(_by_profile(model, profile, sparse, k, barred, asked.allowed, np.flatnonzero(usual)))
    out, liking = [], cache(partial(word_scores, model))
    for n in range(len(rows)):
        own = None if sparse is None else sparse[n]
        found = next(by_profile) if usual[n] else None
        if found is None or _level(model, profile[n], own, found.scores):
            of_profile = model.items @ profile[n] + (0 if own is None else own)  # (I,)
            standing = standing_of(model, queries[np.array([n])], of_profile, bool(personal[n]), liking)
            if found is None or not standing.plain:
                nums, best = ranked(standing.scores(of_profile), k, barred[n], asked.allowed)
                found = Found(nums, best, standing.degraded)
        out.append(found)
    return out


def scores(model: Learned, queries: Queries) -> Floats:
    """Scores of the whole catalogue, float32 (B, I); see ``Model.scores``."""
    profile, sparse, personal = model.profiles.encode(queries)
    out: Floats = profile @ model.items.T
    if sparse is not None:
        out += sparse
    liking = cache(partial(word_scores, model))
    for n in np.flatnonzero(_unusual(queries, personal) | _nearly_level(out, queries)).tolist():
        out[n] = standing_of(model, queries[np.array([n])], out[n], bool(personal[n]), liking).scores(out[n])
    return out


def ranked(scores: Floats, k: int, exclude: Ints, allowed: Mask | None = None) -> tuple[Ints, Floats]:
    """The k best items by scores (I,), ties by item number, without excluded ones and those that are not allowed."""
    may = np.ones(len(scores), bool) if allowed is None else allowed.copy()
    may[exclude] = False
    nums = np.flatnonzero(may)
    best = nums[np.argsort(-scores[nums], kind="stable")[:k]].astype(np.int64)
    return best, scores[best]


def _by_profile(
    model: Learned,
    profile: Floats,
    sparse: Floats | None,
    k: int,
    barred: list[Ints],
    allowed: Mask | None,
    rows: Ints,
) -> list[Found]:
    """The best items of the queries at ``rows`` by profile alone: of many by one product, of one by the index."""
    out = [barred[n] for n in rows.tolist()]
    if len(rows) > 1 and len(model.items) <= model.config.retrieve.exact_below:
        own = None if sparse is None else sparse[rows]
        return [Found(*best) for best in best_of_many(profile[rows], model.items, own, k, out, allowed)]
    if sparse is None:
        nums, best = model.index.search(profile[rows], k, out, allowed)
        return [Found(n[n >= 0], s[n >= 0]) for n, s in zip(nums, best, strict=True)]
    pairs = zip(rows.tolist(), out, strict=True)
    return [Found(*model.index.search_sum(profile[n], sparse[n], k, without, allowed)) for n, without in pairs]


def _unusual(queries: Queries, personal: Mask) -> Mask:
    """Queries whose profile alone does not decide, bool (B,): nothing is liked, or something is asked for in words."""
    worded = np.zeros(len(queries), bool)
    if queries.asked is not None:
        worded[:] = [bool(query.words) for query in queries.asked]
    out: Mask = ~personal | (np.diff(queries.liked.indptr) == 0) | worded
    return out


def _nearly_level(scores: Floats, queries: Queries) -> Mask:
    """Queries whose scores (B, I) may tell nothing apart, bool (B,): those at some places differ by no more than
    rounding."""
    places = np.unique(np.linspace(0, scores.shape[1] - 1, PROBES).astype(np.int64))
    seen = queries.seen[:, places].toarray() > 0  # (B, PROBES)
    some = scores[:, places]
    spread = np.where(seen, -np.inf, some).max(axis=1) - np.where(seen, np.inf, some).min(axis=1)
    out: Mask = spread <= FLAT_SCORES * np.maximum(scores.max(axis=1), -scores.min(axis=1))
    return out


def _level(model: Learned, profile: Floats, sparse: Floats | None, scores: Floats) -> bool:
    """Whether the best scores (n,) differ by no more than rounding."""
    if len(scores) < 2:
        return len(scores) == 1  # one alone does not tell: all are looked at
    largest = float(np.linalg.norm(profile)) * float(model.index.longest)
    largest += 0.0 if sparse is None else float(np.abs(sparse).max(initial=0.0))
    return float(scores[0] - scores[-1]) <= FLAT_SCORES * largest
