"""Block weights ≥ 0, learned on validation users: a mean of two estimates that err differently.

One minimises the listwise softmax loss of what the users were held out. It is convex and hears of every held-out item
wherever it stands, so a hundred users tell more than by NDCG, which is a step function of the weights; but NDCG it only
bounds (Bruch et al., ICTIR 2019). The other goes on from there by a coordinate search of NDCG itself, averaged over
resamples where users are few (bagging: Breiman, Machine Learning 1996). Where users are too few to tell blocks apart,
they weigh alike: equal weights have no error of estimation, and hold better where what is to come differs from the
validation part (the forecast combination puzzle: Smith and Wallis, Oxford Bulletin of Economics and Statistics 2009).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax

from graphrec.blocks.folds import Among, Folds, Validation, worth
from graphrec.profile.api import FittedBlock
from graphrec.query.query import Queries
from graphrec.stages import JUDGING
from graphrec.types import Floats, Ints

Doubles: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]]"

ALIKE = 3.0  # users whose say it takes to move weights from their mean
SURE = 2.0  # standard errors by which a single block has to lead
TINY = 1e-12
STEPS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)  # of the search, the largest weight being 1
SWEEPS = 3
EVEN = 1000  # users at which both estimates count alike
BAGS, DRAWN = 8, 8000  # resamples; of so many users in all of these (``blend.resampled``), where that makes two
BATCH = 512  # users scored at once
LEAST = 0.03  # of the largest weight, below which a block is left out


class Scored(Protocol):
    """Whatever says something of every item."""

    def scores(self, queries: Queries) -> Floats:
        """float32 (B, I)."""
        ...


@JUDGING
def blend(
    blocks: Sequence[Sequence[FittedBlock]], folds: Folds, candidates: int = 40, resampled: int = DRAWN
) -> tuple[dict[str, float], float]:
    """Weights w_b ≥ 0, largest 1, and what they are worth on the validation users (``Folds.value``).

    With s_b(u, i) the scores of block b at unit deviation among the items listed for a user, where ranks are decided
    (over the catalogue all have it, but a block that is zero for most items differs far more among the best), P_u the
    held-out items among those listed, and N users with any, the first estimate minimises

        - 1/N Σ_u mean_{i ∈ P_u} log softmax_i(Σ_b w_b s_b(u, ·)) + ``ALIKE``/N Σ_b (w_b - mean w)²

    (ListNet's top-one loss: Cao et al., ICML 2007). The second is where each block in turn, sweep by sweep, took the
    weight from ``STEPS`` that is best with the others held; it moves only for a strictly better score. At a sum of 1,
    it counts N / ``EVEN`` times what the first does: what the first is off does not depend on N, what the second errs
    falls with it. ``LEAST`` of the largest is none.

    The best single block is taken where its NDCG is better by ``SURE`` standard errors (``Folds.doubt``): the best of
    several looks better on few users than it is, and an average is the safer guess.

    Args:
        blocks: each block as it was fitted on every fold.
        candidates: only the items that are among so many best of some block are ranked for a user.
        resampled: users in all resamples together, at most.
    """
    lists, parts, spreads = listed(blocks, folds, candidates)
    heard = spreads > 0
    units = np.where(heard, spreads, 1)
    if not heard.any():  # nobody tells which: all that say anything, if any do
        says = np.array([not all(one.empty for one in b) for b in blocks])
        heard = says if says.any() else ~says
    known: dict[bytes, Floats] = {}

    def per_user(weights: Doubles) -> Floats:
        if (key := weights.tobytes()) not in known:
            totals = [np.tensordot(weights.astype(np.float32), scores, axes=1) for scores in parts]  # each (A, C)
            known[key] = np.concatenate([one.per_user_ndcg(all_) for one, all_ in zip(lists, totals, strict=True)])
        return known[key]

    by_loss = _softmax_weights(lists, parts, heard)
    bags, rng = min(BAGS, resampled // max(folds.users, 1)), np.random.default_rng(0)
    samples = [[rng.choice(way, len(way)) for way in folds.members] for _ in range(bags)]
    ends = [_searched(by_loss, heard, per_user, of) for of in (samples if bags > 1 else [folds.members])]
    found = by_loss / by_loss.sum() + np.mean(ends, axis=0) * (folds.users / EVEN)
    found[found < LEAST * found.max()] = 0.0
    found_ndcg = per_user(found)
    for alone in np.eye(len(blocks))[heard]:
        ndcg = per_user(alone)
        lead = np.log(max(worth(ndcg, folds.members), TINY) / max(worth(found_ndcg, folds.members), TINY))
        if lead > SURE * max(folds.doubt(ndcg, found_ndcg), TINY):
            found, found_ndcg = alone, ndcg
    weights = found / units
    names = [b[0].name for b in blocks]
    told = {name: float(w) for name, w in zip(names, weights / weights.max(), strict=True)}
    return told, worth(found_ndcg, folds.members)


def listed(
    blocks: Sequence[Sequence[Scored]], folds: Folds, candidates: int
) -> tuple[list[Among], list[Floats], Floats]:
    """Of each fold the items that are among the best of some block, and the blocks' scores of these at unit deviation,
    float32 (blocks, A, C); and what the deviations were, float32 (blocks,), 0 of a block that says the same of all."""
    lists = [_short_lists([b[n] for b in blocks], fold.validation, candidates) for n, fold in enumerate(folds)]
    parts = [np.stack([_scores(b[n], fold.validation, lists[n]) for b in blocks]) for n, fold in enumerate(folds)]
    spreads = _spreads(lists, parts)
    for scores in parts:
        scores /= np.where(spreads > 0, spreads, 1)[:, None, None]
    return lists, parts, spreads


def likeliest(
    lists: Sequence[Among], parts: Sequence[Floats], alike: float = 0.0, says: Sequence[Doubles] | None = None
) -> tuple[Doubles, float]:
    """Weights ≥ 0 of blocks at unit deviation, float64 (blocks,), that make what users were held out likeliest, and the
    sum over users of how likely that is, Σ_u mean_{i ∈ P_u} log softmax_i; both as ``alike`` users have their say that
    weights are alike. ``lists``, ``parts``: as ``listed`` returns them. ``says``: how much each user counts, float64
    (A,) of each fold; 1 by default."""
    users, n = max(sum(len(listed.users) for listed in lists), 1), len(parts[0])
    own = says if says is not None else [np.ones(len(listed.users)) for listed in lists]
    shares = [
        say[:, None] * listed.relevant / np.maximum(listed.relevant.sum(axis=1, keepdims=True), 1)
        for say, listed in zip(own, lists, strict=True)
    ]  # (A, C)

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        total, slope = 0.0, np.zeros(n)
        for say, listed, scores, share in zip(own, lists, parts, shares, strict=True):
            logits = np.tensordot(weights.astype(np.float32), scores, axes=1)  # (A, C)
            logits[listed.none] = -np.inf
            logs = log_softmax(logits, axis=1)
            total -= float(share[listed.relevant] @ logs[listed.relevant])
            slope += np.tensordot(scores, (say[:, None] * np.exp(logs) - share).astype(np.float32), axes=2)
        apart = weights - weights.mean()
        return (total + alike * float(apart @ apart)) / users, (slope + 2 * alike * apart) / users

    found = minimize(loss, np.full(n, 1 / n), jac=True, bounds=[(0, None)] * n, method="L-BFGS-B")
    return found.x, -float(found.fun) * users


def _softmax_weights(lists: Sequence[Among], parts: Sequence[Floats], heard: npt.NDArray[np.bool_]) -> Doubles:
    """The weights of blocks at unit deviation, float64 (blocks,), largest 1; 0 of those that are not ``heard``."""
    best, _ = likeliest(lists, [scores[heard] for scores in parts], ALIKE)
    found = np.zeros(len(heard))
    found[heard] = best / best.max() if best.max() > 0 else 1.0
    return found


def _searched(
    start: Doubles, heard: npt.NDArray[np.bool_], per_user: Callable[[Doubles], Floats], of: list[Ints]
) -> Doubles:
    """Where a coordinate search of NDCG on some users of each way ends that starts at these weights, largest 1; float64
    (blocks,), of sum 1."""
    best, top = start, worth(per_user(start), of)
    for _ in range(SWEEPS if heard.sum() > 1 else 0):
        before = best
        for place in np.flatnonzero(heard):
            for step in STEPS:
                tried = best.copy()
                tried[place] = step
                if tried.any() and (found := worth(per_user(tried), of)) > top:
                    best, top = tried, found
        if best is before:
            break
    out: Doubles = best / best.sum()
    return out


def _spreads(lists: Sequence[Among], parts: Sequence[Floats]) -> Floats:
    """The deviation of each block's scores among the items listed for a user, its mean over users, float32 (blocks,); 0
    where it says the same of all."""
    found = []
    for listed, scores in zip(lists, parts, strict=True):
        there = np.where(listed.items >= 0, scores, np.float32(np.nan))  # (blocks, A, C); each list has an item
        found.append(np.nanstd(there, axis=2))
    mean = np.hstack(found).mean(axis=1) if any(f.size for f in found) else np.zeros(len(parts[0]), np.float32)
    return np.asarray(mean, np.float32)


def _scores(block: Scored, validation: Validation, listed: Among) -> Floats:
    """The block's scores of listed items (A, C)."""
    out = np.empty(listed.items.shape, np.float32)
    for start in range(0, len(out), BATCH):
        rows = slice(start, start + BATCH)
        scores = block.scores(validation.queries[listed.users[rows]])
        out[rows] = np.take_along_axis(scores, np.maximum(listed.items[rows], 0), axis=1)
    return out


def _short_lists(blocks: Sequence[Scored], validation: Validation, candidates: int) -> Among:
    """The items that are among the best of some block."""
    best = np.hstack([validation.best(block.scores, candidates) for block in blocks])
    none = np.iinfo(np.int64).max
    items = np.sort(np.where(best < 0, none, best), axis=1)
    items[:, 1:][items[:, 1:] == items[:, :-1]] = none
    items.sort(axis=1)
    return validation.among(np.where(items < none, items, -1))
