"""Block weights, learned on validation users: the listwise softmax of what they were held out, with weights ≥ 0.

The loss is convex and hears of every held-out item where it stands, so a hundred users tell more than by NDCG itself,
which is a step function of the weights. It bounds NDCG from below (Bruch et al., ICTIR 2019). Where users are too few
to tell blocks apart, they weigh alike: equal weights have no error of estimation, and hold better where what is to come
differs from the validation part (the forecast combination puzzle: Smith and Wallis, Oxford Bulletin of Economics and
Statistics 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax

from graphrec.blocks.folds import Among, Folds, Validation, worth
from graphrec.profile.api import FittedBlock
from graphrec.types import Floats

Doubles: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]]"

ALIKE = 3.0  # users whose say it takes to move weights from their mean
SURE = 2.0  # standard errors by which a single block has to lead
TINY = 1e-12
BATCH = 512  # users scored at once
LEAST = 0.03  # of the largest weight, below which a block is left out


def blend(
    blocks: Sequence[Sequence[FittedBlock]], folds: Folds, candidates: int = 40
) -> tuple[dict[str, float], float]:
    """Weights w_b ≥ 0, largest 1, and what they are worth on the validation users (``Folds.value``).

    With s_b(u, i) the scores of block b at unit deviation among the items listed for a user, where ranks are decided
    (over the catalogue all have it, but a block that is zero for most items differs far more among the best), P_u the
    held-out items among those listed, and N users with any, the weights minimise

        - 1/N Σ_u mean_{i ∈ P_u} log softmax_i(Σ_b w_b s_b(u, ·)) + ``ALIKE``/N Σ_b (w_b - mean w)²

    (ListNet's top-one loss: Cao et al., ICML 2007). ``LEAST`` of the largest is none. The best single block is taken
    where its NDCG is better by ``SURE`` standard errors (``Folds.doubt``): the best of several looks better on few
    users than it is, and an average is the safer guess.

    Args:
        blocks: each block as it was fitted on every fold.
        candidates: only the items that are among so many best of some block are ranked for a user.
    """
    lists = [_short_lists([b[n] for b in blocks], fold.validation, candidates) for n, fold in enumerate(folds)]
    parts = [  # of each fold, float32 (blocks, A, C)
        np.stack([_scores(b[n], fold.validation, lists[n]) for b in blocks]) for n, fold in enumerate(folds)
    ]
    spreads = _spreads(lists, parts)
    for scores in parts:
        scores /= spreads[:, None, None]
    heard = np.array([not b[0].empty for b in blocks])
    heard |= ~heard.any()  # where all are left out
    found = _softmax_weights(lists, parts, heard)

    def per_user(weights: Doubles) -> Floats:
        totals = [np.tensordot(weights.astype(np.float32), scores, axes=1) for scores in parts]  # each (A, C)
        return np.concatenate([listed.per_user_ndcg(total) for listed, total in zip(lists, totals, strict=True)])

    found_ndcg = per_user(found)
    for alone in np.eye(len(blocks))[heard]:
        ndcg = per_user(alone)
        lead = np.log(max(worth(ndcg, folds.members), TINY) / max(worth(found_ndcg, folds.members), TINY))
        if lead > SURE * max(folds.doubt(ndcg, found_ndcg), TINY):
            found, found_ndcg = alone, ndcg
    weights = found / spreads
    names = [b[0].name for b in blocks]
    told = {name: float(w) for name, w in zip(names, weights / weights.max(), strict=True)}
    return told, worth(found_ndcg, folds.members)


def _softmax_weights(lists: Sequence[Among], parts: Sequence[Floats], heard: npt.NDArray[np.bool_]) -> Doubles:
    """The weights of blocks at unit deviation, float64 (blocks,); 0 of those that are not ``heard``."""
    users, n = max(sum(len(listed.users) for listed in lists), 1), int(heard.sum())
    scored = [scores[heard] for scores in parts]
    shares = [listed.relevant / np.maximum(listed.relevant.sum(axis=1, keepdims=True), 1) for listed in lists]  # (A, C)

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        total, slope = 0.0, np.zeros(n)
        for listed, scores, share in zip(lists, scored, shares, strict=True):
            logits = np.tensordot(weights.astype(np.float32), scores, axes=1)  # (A, C)
            logits[listed.none] = -np.inf
            logs = log_softmax(logits, axis=1)
            total -= float(share[listed.relevant] @ logs[listed.relevant])
            slope += np.tensordot(scores, (np.exp(logs) - share).astype(np.float32), axes=2)
        apart = weights - weights.mean()
        return (total + ALIKE * float(apart @ apart)) / users, (slope + 2 * ALIKE * apart) / users

    best = minimize(loss, np.full(n, 1 / n), jac=True, bounds=[(0, None)] * n, method="L-BFGS-B").x
    found = np.zeros(len(heard))
    found[heard] = best if best.max() > 0 else 1.0
    found[found < LEAST * found.max()] = 0.0
    return found


def _spreads(lists: Sequence[Among], parts: Sequence[Floats]) -> Floats:
    """The deviation of each block's scores among the items listed for a user, its mean over users, float32 (blocks,); 1
    where it says the same of all."""
    found = []
    for listed, scores in zip(lists, parts, strict=True):
        there = np.where(listed.items >= 0, scores, np.float32(np.nan))  # (blocks, A, C); each list has an item
        found.append(np.nanstd(there, axis=2))
    mean = np.hstack(found).mean(axis=1) if any(f.size for f in found) else np.zeros(len(parts[0]), np.float32)
    return np.where(mean > 0, mean, 1).astype(np.float32)


def _scores(block: FittedBlock, validation: Validation, listed: Among) -> Floats:
    """The block's scores of listed items (A, C)."""
    out = np.empty(listed.items.shape, np.float32)
    for start in range(0, len(out), BATCH):
        rows = slice(start, start + BATCH)
        scores = block.scores(validation.queries[listed.users[rows]])
        out[rows] = np.take_along_axis(scores, np.maximum(listed.items[rows], 0), axis=1)
    return out


def _short_lists(blocks: Sequence[FittedBlock], validation: Validation, candidates: int) -> Among:
    """The items that are among the best of some block."""
    best = np.hstack([validation.best(block.scores, candidates) for block in blocks])
    none = np.iinfo(np.int64).max
    items = np.sort(np.where(best < 0, none, best), axis=1)
    items[:, 1:][items[:, 1:] == items[:, :-1]] = none
    items.sort(axis=1)
    return validation.among(np.where(items < none, items, -1))
