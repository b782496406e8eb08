"""Who hears their friends: a signal that helps some people is used for these alone.

Validation users are told apart by how much is known of themselves (``query.hearing``). A weight of friends is used in a
band where it ranks better than none, and better than the friends of somebody else would at the same weight: what
anybody's friends tell, such as what is popular, is not told by friends. Both have to be sure, by ``SURE`` standard
errors. Rows that are smoothed over friends have to help all users together in the same two ways.

Bands lend each other strength as far as they agree. The gain g_b of a band, with error s_b, is taken for

    (τ² g_b + s_b² μ) / (τ² + s_b²)

where μ is the gain over all bands and τ² its variance among them beyond what chance makes (empirical Bayes with the
moments of DerSimonian and Laird, Controlled Clinical Trials 1986). Bands that agree have one weight, bands that differ
their own; one with too few validation users has that of the next, of people of whom more is known where there is one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from graphrec.blocks.folds import FitInputs, Fold, Folds
from graphrec.blocks.search import Chosen
from graphrec.profile.api import Doubles, FittedBlock
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.hearing import N_BANDS, Hearing, as_hearing, band_of
from graphrec.query.query import Queries
from graphrec.settings import Section
from graphrec.types import Floats, Ints

SURE = 1.64  # standard errors: one time in twenty by chance
FEW = 8  # users with friends in a band, below which it says nothing for itself
BORROWED = 10  # users' worth of the variance of all, with which that of a band is mixed: a few may have none at all
FRIENDS, SMOOTHING = "friends", "smoothing"
Found: TypeAlias = tuple[tuple[FittedBlock, ...], Chosen]  # a block as it was fitted on every fold, and with what


def by_band(
    none: Floats, heard: Mapping[float, Floats], control: Mapping[float, Floats], bands: Ints, points: int = 1
) -> Hearing:
    """The weight of friends for each band, 0 where they do not help.

    Args:
        none: NDCG of each validation user who has friends, without them, float32 (N,). heard: the same with friends at
            each weight. control: at each weight with the friends of somebody else. bands: of each user, int64 (N,).
        points: how many settings were tried on these users: the best of many looks sure by chance (Bonferroni).
    """
    sure = float(norm.isf(norm.sf(SURE) / points))
    worth = {w: _least(heard[w] - none, heard[w] - control[w], bands, sure) for w in heard if w}
    if not worth:
        return 0.0
    weights = np.zeros(N_BANDS)
    for band in range(N_BANDS):
        helping = {w: gain[band] for w, (gain, least) in worth.items() if least[band] > 0}
        weights[band] = max(helping, key=helping.__getitem__, default=0.0)
    known = np.flatnonzero(np.bincount(bands, minlength=N_BANDS) >= FEW)
    for band in np.setdiff1d(np.arange(N_BANDS), known) if len(known) else ():
        above = known[known > band]
        weights[band] = weights[above[0] if len(above) else known[-1]]
    return as_hearing(weights.tolist())


def helps(first: Floats, *others: Floats) -> bool:
    """Whether NDCG (N,) of the same users is surely better than each of the others."""
    differences = [(first - other).astype(np.float64) for other in others]
    return all(len(d) and d.mean() > SURE * d.std() / len(d) ** 0.5 for d in differences)


def _least(gain: Floats, beyond: Floats, bands: Ints, sure: float) -> tuple[Doubles, Doubles]:
    """The gain of every band, and what it and what is beyond the control surely are at least: each (``N_BANDS``,)."""
    (found, error), (further, doubt) = (_shared(d.astype(np.float64), bands) for d in (gain, beyond))
    return found, np.minimum(found - sure * error, further - SURE * doubt)


def _shared(difference: Doubles, bands: Ints) -> tuple[Doubles, Doubles]:
    """Mean of a difference (N,) in each band and its error, as far as bands agree those of all: each (``N_BANDS``,)."""
    counts = np.bincount(bands, minlength=N_BANDS)
    told = counts >= FEW
    if not told.any():
        return np.zeros(N_BANDS), np.full(N_BANDS, np.inf)
    counts = np.maximum(counts, 1)
    means = np.bincount(bands, difference, N_BANDS) / counts
    spread = np.bincount(bands, np.square(difference - means[bands]), N_BANDS)
    error = (spread + BORROWED * difference.var()) / (counts + BORROWED) / counts  # s_b²
    error = np.maximum(error, 1e-18)
    v = told / error
    fixed = (v @ means) / v.sum()
    excess = v @ np.square(means - fixed) - (told.sum() - 1)
    among = max(0.0, excess / max(v.sum() - np.square(v).sum() / v.sum(), 1e-18)) if told.sum() > 1 else 0.0  # τ²
    v = told / (error + among)
    mean, part = (v @ means) / v.sum(), error / (error + among)
    return (1 - part) * means + part * mean, np.sqrt(part * among + np.square(part) / v.sum())


# --- blocks that smooth a taste by that of friends ------------------------------------------------------------------


def judged(
    fit: Callable[[FitInputs, Chosen], FittedBlock],
    folds: Folds,
    blocks: Sequence[FittedBlock],
    chosen: Chosen,
    settings: Section,
    unsmoothed: Callable[[], Found],
) -> Found:
    """Blocks, one for each fold, and what was chosen for them, with friends where they help alone.

    Args:
        fit: of the block that these are of. settings: of that block; what is set to one value there stays.
        unsmoothed: what the block chooses where no row is smoothed; a rank that suits smoothed rows suits no others.
    """
    if chosen.get(SMOOTHING) and 0.0 in getattr(settings, SMOOTHING):
        plain, without = unsmoothed()
        others = [fit(replace(fold.inputs, ties=fold.inputs.ties.dealt()), chosen) for fold in folds]
        if not helps(*(_ndcg(folds, some) for some in (blocks, plain, others))):
            blocks, chosen = plain, without
    tried = sorted({float(w) for w in getattr(settings, FRIENDS, ()) if w})
    hearing = hearing_users(folds)
    optional = bool(tried) and 0.0 in getattr(settings, FRIENDS)
    if FRIENDS not in chosen or not optional or not hearing.any() or not all(map(_hears, blocks)):
        return tuple(blocks), chosen
    strange = [dealt(fold) for fold in folds]
    queries = [fold.validation.queries for fold in folds]
    bands = band_of(np.concatenate([np.zeros(0, np.int64), *(q.activity for q in queries)]))[hearing]
    none, *heard = (_ndcg(folds, [_with(b, w) for b in blocks])[hearing] for w in (0.0, *tried))
    control = [_ndcg(strange, [_with(b, w) for b in blocks])[hearing] for w in tried]
    weight = by_band(none, dict(zip(tried, heard, strict=True)), dict(zip(tried, control, strict=True)), bands)
    made = (_with(b, weight).fitted(f.inputs.ties) for b, f in zip(blocks, folds, strict=True))
    return tuple(made), {**chosen, FRIENDS: list(weight) if isinstance(weight, tuple) else weight}


def _hears(block: FittedBlock) -> bool:
    return isinstance(block, ProfileBlock | NeighbourBlock) and not block.empty


def _with(block: FittedBlock, weight: Hearing) -> Any:
    """The block with another weight of friends, and no rows that are stored."""
    assert isinstance(block, ProfileBlock | NeighbourBlock)
    return replace(block, friend_weight=weight)


def _ndcg(folds: Sequence[Fold], blocks: Sequence[Any]) -> Floats:
    """NDCG of the validation users of all folds, encoded anew, float32 (N,)."""

    def of(fold: Fold, block: Any) -> Floats:
        def scores(queries: Queries) -> Floats:
            sides = block.computed(queries)
            found = sides @ (block.weights if block.sparse else block.items.T)
            return np.asarray(found if isinstance(found, np.ndarray) else found.toarray(), np.float32)

        return fold.validation.per_user_ndcg_of(scores)

    pairs = zip(folds, blocks, strict=True)
    return np.concatenate([np.zeros(0, np.float32), *(of(fold, block) for fold, block in pairs)])


def hearing_users(folds: Folds) -> npt.NDArray[np.bool_]:
    """Which validation users of all folds have friends, bool (N,)."""
    found = (np.diff(fold.validation.queries.friends.indptr) > 0 for fold in folds)
    return np.concatenate([np.zeros(0, bool), *found])


def dealt(fold: Fold) -> Fold:
    """The same validation users with each other's friends."""
    validation: Any = copy.copy(fold.validation)
    validation.queries = Queries(fold.inputs.ties.dealt(), fold.validation.queries.user_nums)
    return replace(fold, validation=validation)
