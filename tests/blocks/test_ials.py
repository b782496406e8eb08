"""Implicit alternating least squares: the equations that it solves, what it learns, what entities add."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graphrec.blocks.base import FitInputs
from graphrec.blocks.ials import IALS
from graphrec.config import Config
from graphrec.evaluate.validation import Validation
from graphrec.explain.shares import shares
from graphrec.profile.profiles import ProfileBlock, Profiles
from graphrec.types import Floats
from tests import worlds

CHOSEN = {"alpha": 5.0, "regularisation": 1.0, "knowledge": 0.0, "factors": 6}


def test_factors_solve_their_normal_equations() -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = IALS().fit(worlds.inputs(train), CHOSEN)
    items = block.items.astype(np.float64)
    taken = train.matrix().toarray()
    gram = items.T @ items + np.eye(6)
    for user in (0, 3, 11):
        own = items[taken[user] > 0]
        solution = np.linalg.solve(gram + 4.0 * own.T @ own, 5.0 * own.sum(axis=0))
        found = block.users[user] * np.linalg.norm(solution) / np.linalg.norm(block.users[user])  # scaled since
        np.testing.assert_allclose(found, solution, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(block.encode_user(np.flatnonzero(taken[user])), block.users[user], rtol=1e-4)


@pytest.mark.parametrize("factors", [3, 9])  # fewer and more than a history has items
@pytest.mark.parametrize("alpha", [0.5, 1.0, 20.0])
def test_a_score_is_the_sum_over_the_history(alpha: float, factors: int) -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = IALS().fit(worlds.inputs(train), {**CHOSEN, "alpha": alpha, "factors": factors})
    profiles = Profiles((replace(block, weight=0.7),))
    for user, item in ((0, 1), (0, 4), (7, 2)):
        parts = shares(profiles, train, user, item)
        assert not parts.rest  # all of it belongs to items
        assert sum(parts.history.values()) == pytest.approx(parts.score, rel=1e-4, abs=1e-6)
        assert set(parts.history) == set(train.matrix()[user].indices.tolist())


def test_it_finds_the_planted_tastes_and_folds_in() -> None:
    parts = worlds.given(worlds.two_tastes())
    block, chosen = IALS().tune(worlds.inputs(parts.train), Validation(parts.train, parts.valid))
    even = np.arange(parts.train.n_items) % 2 == 0
    scores = block.scores(np.array([0, 1]))
    assert scores[0][even].mean() > scores[0][~even].mean() + 1
    assert scores[1][~even].mean() > scores[1][even].mean() + 1
    assert set(chosen) == {*CHOSEN, "reading"}
    history = parts.train.matrix()[0].indices.astype(np.int64)
    folded: Floats = block.items @ block.encode_user(history)
    assert np.corrcoef(folded, scores[0])[0, 1] > 0.9


def test_a_shared_entity_links_items_that_nobody_took_together() -> None:
    def fit(inputs: FitInputs, weight: float) -> ProfileBlock:
        return IALS().fit(inputs, {**CHOSEN, "knowledge": weight})

    assert worlds.brand_lift(fit, Config(), 1.0) > 0.1


def test_same_seed_same_bytes_and_nothing_known_is_zero() -> None:
    first, again = worlds.fitted_twice(lambda inputs: IALS().fit(inputs, CHOSEN), Config())
    assert first.users.tobytes() == again.users.tobytes()
    assert first.items.tobytes() == again.items.tobytes()
    assert not first.users[0].any()
