"""Block weights, chosen on validation users: a coordinate search that keeps a block only where it earns its place.

What the search found is then moved towards equal weights as far as the validation users cannot tell the difference.
Equal weights have no error of estimation, and hold better where what is to come differs from the validation part (the
forecast combination puzzle: Smith and Wallis, Oxford Bulletin of Economics and Statistics 2009).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphrec.blocks.folds import Among, Folds, Validation, worth
from graphrec.profile.api import FittedBlock
from graphrec.types import Floats, Ints

STEPS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
SWEEPS = 3
TOWARDS_EQUAL = (1.0, 0.75, 0.5, 0.25)
TOLD = 0.25  # standard errors that moving towards equal may cost
SURE = 2.0  # standard errors by which a single block has to lead
TINY = 1e-12
BAGS = 8  # resamples of the users, over which weights are averaged (bagging: Breiman, Machine Learning 1996), where
DRAWN = 8000  # users in all of these are at least two resamples
BATCH = 512  # users scored at once
LEAST = 0.03  # of the largest weight, below which a block is left out


def blend(
    blocks: Sequence[Sequence[FittedBlock]], folds: Folds, candidates: int = 100
) -> tuple[dict[str, float], float]:
    """Weights w_b ≥ 0, largest 1, and what they are worth on the validation users (``Folds.value``).

    Weights are searched on several resamples of the users where they are few, and averaged. The best single block
    starts at 1. Then, sweep by sweep, each block in turn takes the weight from ``STEPS`` that is
    best with the others held; a weight moves only for a strictly better score, so a block that adds nothing stays at 0.
    For the search every block has unit deviation among the listed items, where ranks are decided: over the catalogue
    all have it, but one that is zero for most items differs far more among the best. ``LEAST`` of the largest is none.

    At the end the weights above 0 become w^(1-t), t the largest of ``TOWARDS_EQUAL`` at which the loss is no more than
    ``TOLD`` of its standard error over users and ways of carving (``Folds.doubt``; the one-standard-error rule of
    Breiman et al., CART, 1984, has all of it). The best single block is taken where it is better by ``SURE`` standard
    errors: the best of several looks better on few users than it is, and an average is the safer guess.

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
    known: dict[tuple[float, ...], Floats] = {}

    def per_user(weights: tuple[float, ...]) -> Floats:
        if weights not in known:
            totals = [np.tensordot(np.array(weights, np.float32), scores, axes=1) for scores in parts]  # each (A, C)
            known[weights] = np.concatenate(
                [listed.per_user_ndcg(total) for listed, total in zip(lists, totals, strict=True)]
            )
        return known[weights]

    names = [b[0].name for b in blocks]
    places = [n for n, b in enumerate(blocks) if not b[0].empty] or list(range(len(blocks)))  # one left out has none
    alone = [tuple(float(a == b) for b in range(len(blocks))) for a in places]

    def found_on(of: list[Ints]) -> tuple[float, ...]:
        """The weights that are best on some users of each way."""

        def score(weights: tuple[float, ...]) -> float:
            return worth(per_user(weights), of)

        best = max(alone, key=score)
        for _ in range(SWEEPS if len(blocks) > 1 else 0):
            before = best
            for place in places:
                for step in STEPS:
                    candidate = (*best[:place], step, *best[place + 1 :])
                    if any(candidate) and score(candidate) > score(best):
                        best = candidate
            if best == before:
                break
        return tuple(w / sum(best) for w in best)

    rng = np.random.default_rng(0)
    bags = min(BAGS, DRAWN // max(folds.users, 1))
    samples = [[rng.choice(way, len(way)) for way in folds.members] for _ in range(bags)] if folds.users else []
    mean = np.mean([found_on(sample) for sample in samples if bags > 1] or [found_on(folds.members)], axis=0)
    best = tuple(float(w) if w > LEAST * mean.max() else 0.0 for w in mean)

    def score(weights: tuple[float, ...]) -> float:
        return worth(per_user(weights), folds.members)

    def lead(first: tuple[float, ...], second: tuple[float, ...]) -> float:
        """Of the first weights over the second, in standard errors."""
        gain = np.log(max(score(first), TINY) / max(score(second), TINY))
        return float(gain / max(folds.doubt(per_user(first), per_user(second)), TINY))

    for t in TOWARDS_EQUAL if folds.users else ():
        candidate = tuple(w ** (1 - t) if w else 0.0 for w in best)
        if lead(best, candidate) <= TOLD:
            best = candidate
            break
    single = max(alone, key=score)
    if lead(single, best) > SURE:
        best = single
    found = best / spreads
    return {name: float(w) for name, w in zip(names, found / found.max(), strict=True)}, score(best)


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
