"""Implicit alternating least squares: the equations that it solves, what it learns, what entities add."""

from __future__ import annotations

import numpy as np
import pytest

from graphrec.blocks.api import FitInputs
from graphrec.blocks.ials import IALS
from graphrec.profile.api import FittedBlock
from graphrec.query.query import Queries, Query
from graphrec.testing import BlockContract
from tests import worlds

CHOSEN = {"alpha": 5.0, "regularisation": 1.0, "knowledge": 0.0, "factors": 6}


class TestIALS(BlockContract):
    block = IALS
    settings = {"factors": [4, 16], "alpha": [1.0, 10.0], "knowledge": [0.0, 2.0]}  # noqa: RUF012 (read only)
    telling = {"regularisation": [1.0, 1e4]}  # noqa: RUF012 (read only)


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


@pytest.mark.parametrize("factors", [3, 9])  # fewer and more than a history has items
@pytest.mark.parametrize("alpha", [0.5, 1.0, 20.0])
def test_a_score_is_the_sum_over_the_history(alpha: float, factors: int) -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = IALS().fit(worlds.inputs(train), {**CHOSEN, "alpha": alpha, "factors": factors})
    for user, item in ((0, 1), (0, 4), (7, 2)):
        query = worlds.stored(train, user)
        effects = block.effects(query, item)
        assert effects is not None
        assert effects.shares.sum() == pytest.approx(block.score(query, item)[0], rel=1e-4, abs=1e-6)
        assert effects.items.tolist() == train.matrix()[user].indices.tolist()


def test_a_further_item_counts_for_less_the_more_it_was_expected() -> None:
    """The share of an item falls with ⟨u, v_j⟩, so one more of a taste adds less than the first."""
    train = worlds.given(worlds.two_tastes()).train
    inputs = worlds.inputs(train)
    block = IALS().fit(inputs, CHOSEN)
    histories = [np.arange(0, 2 * n, 2) for n in (1, 8)]
    asked = [Query(items=h, strengths=np.ones(len(h), np.float32)) for h in histories]
    shares = [block.effects(Queries.of(inputs.ties, [query]), 30) for query in asked]
    assert all(s is not None for s in shares)
    assert shares[0].shares[0] > shares[1].shares.max()  # type: ignore[union-attr]


def test_a_shared_entity_links_items_that_nobody_took_together() -> None:
    def fit(inputs: FitInputs, weight: float) -> FittedBlock:
        return IALS().fit(inputs, {**CHOSEN, "knowledge": weight})

    assert worlds.brand_lift(fit, 1.0) > 0.1
