"""Friends are heard by those whom they help, and by nobody where they are somebody else's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphrec.blocks.api import Block
from graphrec.blocks.folds import Folds
from graphrec.blocks.gate import FEW, by_band, helps, judged
from graphrec.blocks.neighbours import Neighbours
from graphrec.blocks.spectral import Spectral
from graphrec.evaluate.validation import Validation
from graphrec.query.hearing import N_BANDS, band_of
from graphrec.query.query import Queries
from tests import worlds

SMALL: dict[type[Block[Any]], dict[str, Any]] = {
    Spectral: {"rank": [16], "alpha": [0.5], "beta": [0.4], "power": [0.4]},
    Neighbours: {"alpha": [0.25], "beta": [0.4]},
}
both = pytest.mark.parametrize("block", SMALL, ids=lambda b: b.name)
TWO = 2  # the band of those with two events


def _folds(shuffled: bool, seed: int = 0) -> Folds:
    parts = worlds.given(worlds.heard_by_some(shuffled, seed=seed))
    inputs = worlds.inputs(parts.train)
    return Folds.of(inputs, Validation(inputs.ties, parts.valid))


@both
def test_a_signal_of_users_with_two_events_is_used_for_them_alone(block: type[Block[Any]]) -> None:
    folds = _folds(shuffled=False)
    made = block(block.Settings(**SMALL[block]))
    (fitted,), chosen = made.tune(folds)
    weights = chosen["friends"]
    assert weights[TWO] > 0
    assert not any(weight for band, weight in enumerate(weights) if band != TWO)
    assert not chosen["smoothing"]
    without = made.fit(folds.inputs, {**chosen, "friends": 0.0})
    everybody = Queries.stored(folds.inputs.ties)
    moved = np.abs(fitted.scores(everybody) - without.scores(everybody)).max(axis=1) > 1e-4
    np.testing.assert_array_equal(moved, everybody.activity == 2)
    validation = folds[0].validation
    two = validation.queries.activity == 2
    heard, alone = (validation.per_user_ndcg_of(b.scores)[two].mean() for b in (fitted, without))
    assert heard > 1.5 * alone


@both
@pytest.mark.parametrize("seed", [0, 1])
def test_friends_of_nobody_are_not_heard(block: type[Block[Any]], seed: int) -> None:
    _, chosen = block(block.Settings(**SMALL[block])).tune(_folds(shuffled=True, seed=seed))
    assert chosen["friends"] == chosen["smoothing"] == 0


def test_rows_that_are_not_smoothed_have_a_choice_of_their_own() -> None:
    """Where smoothing does not help, what stays is what is chosen without it, at the rank that suits that."""
    folds = _folds(shuffled=True)
    settings: dict[str, Any] = {"rank": [4, 16], "alpha": [0.5, 0.3], "power": [0.0, 0.8]}
    made = Spectral(Spectral.Settings(**settings, friends=[0.0]))
    seen: list[Any] = []
    fold, found = folds[0], made.choose(folds)
    plain = Spectral(Spectral.Settings(**settings, friends=[0.0], smoothing=[0.0])).choose(folds)[1]
    smooth = {**plain, "smoothing": 0.3, "rank": 1, "power": 0.8}

    def unsmoothed() -> Any:
        seen.append(plain)
        return (found[0],), plain

    _, chosen = judged(made.fit, folds, (made.fit(fold.inputs, smooth),), smooth, made.settings, unsmoothed)
    assert seen
    assert chosen == plain
    assert not made.tune(folds)[1]["smoothing"]


@both
def test_a_weight_that_is_set_stays(block: type[Block[Any]]) -> None:
    settled: dict[str, Any] = {**SMALL[block], "friends": [0.3], "smoothing": [0.1]}
    made = block(block.Settings(**settled))
    _, chosen = made.tune(_folds(shuffled=True))
    assert (chosen["friends"], chosen["smoothing"]) == (0.3, 0.1)


def _gains(gains: dict[int, float], each: int, seed: int) -> tuple[Any, Any, Any]:
    """NDCG without friends, with them, and the band of each user; ``gains`` of each band."""
    random = np.random.default_rng(seed)
    bands = np.repeat(list(gains), each)
    none = random.uniform(0, 0.4, len(bands)).astype(np.float32)
    noise = random.normal(0, 0.1, len(bands))
    return none, (none + noise + np.array([gains[b] for b in bands])).astype(np.float32), bands


def test_bands_that_agree_have_one_weight() -> None:
    """A gain that no band alone is sure of is one of all together."""
    none, heard, bands = _gains(dict.fromkeys(range(N_BANDS), 0.012), 80, seed=4)
    alone = [
        by_band(none[bands == b], {1.0: heard[bands == b]}, {1.0: none[bands == b]}, bands[bands == b]) for b in (1, 3)
    ]
    assert 0.0 in alone
    assert by_band(none, {1.0: heard}, {1.0: none}, bands) == 1.0


def test_bands_that_differ_have_their_own_and_small_ones_that_of_the_next() -> None:
    none, heard, bands = _gains({1: 0.1, 3: -0.1, 5: 0.0}, 200, seed=0)
    found = by_band(none, {1.0: heard}, {1.0: none}, bands)
    assert found == (1.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    none, heard, bands = _gains({4: 0.1}, FEW - 1, seed=0)
    assert by_band(none, {1.0: heard}, {1.0: none}, bands) == 0.0


def test_what_anybodys_friends_tell_is_no_gain() -> None:
    none, heard, bands = _gains({2: 0.1, 4: 0.1}, 100, seed=0)
    assert by_band(none, {1.0: heard}, {1.0: none}, bands) == 1.0
    assert by_band(none, {1.0: heard}, {1.0: heard}, bands) == 0.0
    assert by_band(none, {}, {}, bands) == 0.0
    assert helps(heard, none)
    assert not helps(heard, none, heard)
    assert not helps(none[:0], none[:0])


def test_bands_of_activity() -> None:
    assert band_of(np.array([0, 1, 2, 3, 5, 6, 20, 21, 900])).tolist() == [0, 1, 2, 3, 3, 4, 4, 5, 5]
