"""Block weights, chosen on validation users: a coordinate search that keeps a block only where it earns its place.

What the search found is then moved towards equal weights as far as the validation users cannot tell the difference.
Equal weights have no error of estimation, and hold better where what is to come differs from the validation part (the
forecast combination puzzle: Smith and Wallis, Oxford Bulletin of Economics and Statistics 2009).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from graphrec.blocks.api import Validation
from graphrec.profile.api import FittedBlock
from graphrec.types import Floats, Ints

STEPS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
SWEEPS = 3
TOWARDS_EQUAL = (1.0, 0.75, 0.5, 0.25)


def blend(
    blocks: Sequence[FittedBlock], validation: Validation, candidates: int = 300
) -> tuple[dict[str, float], float]:
    """Weights w_b ≥ 0, largest 1, and their NDCG@k on the validation users.

    The best single block starts at 1. Then, sweep by sweep, each block in turn takes the weight from ``STEPS`` that is
    best with the others held; a weight moves only for a strictly better score, so a block that adds nothing stays at 0.
    All blocks have unit deviation over the catalogue, so the weights are comparable.

    At the end the weights above 0 become w^(1-t), t the largest of ``TOWARDS_EQUAL`` at which the mean loss of NDCG is
    no more than its standard error over the users (the one-standard-error rule: Breiman et al., CART, 1984).

    Args:
        candidates: only the items that are among so many best of some block are ranked for a user.
    """
    items = _short_lists(blocks, validation, candidates)  # (B, C)
    listed = np.maximum(items, 0)
    alone_scores = [np.take_along_axis(b.scores(validation.queries), listed, axis=1) for b in blocks]  # each (B, C)
    known: dict[tuple[float, ...], Floats] = {}

    def per_user(weights: tuple[float, ...]) -> Floats:
        if weights not in known:
            total = np.zeros(items.shape, np.float32)
            for weight, scores in zip(weights, alone_scores, strict=True):
                if weight:
                    total += np.float32(weight) * scores
            known[weights] = validation.per_user_ndcg_among(items, total)
        return known[weights]

    def score(weights: tuple[float, ...]) -> float:
        found = per_user(weights)
        return float(found.mean(dtype=np.float64)) if len(found) else 0.0

    places = [n for n, b in enumerate(blocks) if not b.empty] or list(range(len(blocks)))  # one left out has no weight
    alone = [tuple(float(a == b) for b in range(len(blocks))) for a in places]
    best = max(alone, key=score)
    if len(blocks) == 1:
        return {blocks[0].name: 1.0}, score(best)
    for _ in range(SWEEPS):
        before = best
        for place in places:
            for step in STEPS:
                candidate = (*best[:place], step, *best[place + 1 :])
                if any(candidate) and score(candidate) > score(best):
                    best = candidate
        if best == before:
            break
    best = _towards_equal(best, per_user)
    largest = max(best)
    return {block.name: w / largest for block, w in zip(blocks, best, strict=True)}, score(best)


def _short_lists(blocks: Sequence[FittedBlock], validation: Validation, candidates: int) -> Ints:
    """The items that are among the best of some block, int64 (B, C), ascending; -1 after the last."""
    best = np.hstack([validation.best(block.scores, candidates) for block in blocks])
    none = np.iinfo(np.int64).max
    items = np.sort(np.where(best < 0, none, best), axis=1)
    items[:, 1:][items[:, 1:] == items[:, :-1]] = none
    items.sort(axis=1)
    width = max(int((items < none).sum(axis=1).max(initial=0)), 1)
    return np.where(items[:, :width] < none, items[:, :width], -1)


def _towards_equal(weights: tuple[float, ...], per_user: Callable[[tuple[float, ...]], Floats]) -> tuple[float, ...]:
    found = per_user(weights)  # (B,)
    for t in TOWARDS_EQUAL if len(found) else ():
        candidate = tuple(w ** (1 - t) if w else 0.0 for w in weights)
        loss = found - per_user(candidate)  # (B,)
        if loss.mean() <= loss.std() / len(loss) ** 0.5:
            return candidate
    return weights
