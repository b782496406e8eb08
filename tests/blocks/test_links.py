"""The sparse blocks: dense twins, exact split into history and friends, and the planted tastes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.blocks.api import Block, FitInputs, Folds
from graphrec.blocks.chebyshev import Chebyshev
from graphrec.blocks.ease import Ease
from graphrec.blocks.links import LinkBlock
from graphrec.blocks.neighbours import Neighbours
from graphrec.blocks.slim import Slim
from graphrec.blocks.spectral import Spectral
from graphrec.evaluate.validation import Validation
from graphrec.linalg.item_item import slim
from graphrec.profile.api import FittedBlock
from graphrec.testing import BlockContract
from graphrec.types import Floats
from tests import worlds
from tests.reference import naive_chebyshev, naive_ease, naive_two_steps


class TestNeighbours(BlockContract):
    block = Neighbours
    further = {"friends": [[2.0, 1.0, 0.5, 0.3, 0.1, 0.0]]}  # noqa: RUF012 (read only)


class TestEase(BlockContract):
    block = Ease


class TestSlim(BlockContract):
    block = Slim
    settings = {"l1": [1e-4, 1e-3], "l2": [1e-2, 1e-1], "friends": [0.0, 1.0]}  # noqa: RUF012 (read only)


class TestChebyshev(BlockContract):
    block = Chebyshev


REST = {"n": 100, "knowledge": 0.0, "smoothing": 0.0, "friends": 0.0}
PARAMETERS: dict[type[LinkBlock[Any]], dict[str, Any]] = {
    Neighbours: {"alpha": 0.25, "beta": 0.4, **REST},
    Ease: {"regularisation": 20.0, **REST},
    Slim: {"l1": 0.001, "l2": 0.01, **REST},
    Chebyshev: {"alpha": 0.5, "flatness": 1.5, "order": 8, "beta": 0.4, **REST},
}
every_block = pytest.mark.parametrize("block", PARAMETERS, ids=lambda b: b.name)


def _fit(block: type[LinkBlock[Any]], friends: bool = False, **changes: Any) -> tuple[FittedBlock, Floats, Floats]:
    """The fitted block, scores of all users (U, I), and who took what (U, I)."""
    train = worlds.given(worlds.two_tastes(friends=friends)).train
    fitted = block().fit(worlds.inputs(train), {**PARAMETERS[block], **changes})
    return fitted, worlds.scores(fitted, train), train.matrix().toarray()


def _equal(found: Floats, expected: Any, atol: float = 1e-4) -> None:
    np.testing.assert_allclose(found, expected / expected.std(axis=1, keepdims=True), atol=atol)


def test_neighbours_equal_the_dense_twin() -> None:
    _, found, taste = _fit(Neighbours)
    _equal(found, naive_two_steps(taste, alpha=0.25, beta=0.4))


def test_ease_equals_column_regressions() -> None:
    _, found, taste = _fit(Ease)
    _equal(found, naive_ease(taste, 20.0), atol=1e-3)


def test_slim_scores_by_its_regressions() -> None:
    block, found, taste = _fit(Slim)
    _equal(found, taste @ slim(sp.csr_matrix(taste), 0.001, 0.01).toarray())
    assert block.items.data.min() > 0


def test_chebyshev_equals_the_dense_twin() -> None:
    _, found, taste = _fit(Chebyshev)
    power = np.maximum(taste.sum(axis=0), 1.0) ** 0.4
    _equal(found, taste / power @ naive_chebyshev(taste, 0.5, 1.5, 8) * power)


@every_block
def test_only_the_strongest_weights_of_an_item_are_kept(block: type[LinkBlock[Any]]) -> None:
    unread: dict[str, Any] = (
        {"beta": 0.0} if "beta" in PARAMETERS[block] else {}
    )  # the strongest are taken before β comes in
    whole, few = _fit(block, **unread)[0], _fit(block, n=3, **unread)[0]
    assert np.diff(few.items.indptr).max() <= 3
    for item in range(0, 40, 7):
        weights = np.abs(whole.items[item].toarray().ravel())
        assert set(few.items[item].indices) <= set(np.flatnonzero(weights >= np.sort(weights)[-3] - 1e-7))


@every_block
def test_friends_enter_as_the_mean_of_their_tastes(block: type[LinkBlock[Any]]) -> None:
    train = worlds.given(worlds.two_tastes(friends=True)).train
    fitted, _, taste = _fit(block, friends=True)
    heard = block().fit(worlds.inputs(train), {**PARAMETERS[block], "friends": 0.5})
    source, target = train.social_edge_index
    for user in (0, 7, 30):
        x = taste[user] + 0.5 * taste[target[source == user]].mean(axis=0)
        expected = x @ fitted.items.T.toarray()
        np.testing.assert_allclose(worlds.scores(heard, train)[user], expected / expected.std(), atol=1e-4)


@every_block
def test_links_are_learned_from_rows_smoothed_over_friends(block: type[LinkBlock[Any]]) -> None:
    """As from R where each row has the mean of its friends' rows beside it, at the weight."""
    train = worlds.given(worlds.two_tastes(friends=True)).train
    fitted = block().fit(worlds.inputs(train), {**PARAMETERS[block], "smoothing": 0.5})
    source, target = train.social_edge_index
    taste = train.matrix().toarray()
    smooth = taste.copy()
    for user in np.unique(source):
        smooth[user] += 0.5 * taste[target[source == user]].mean(axis=0)
    made = block()
    links = made.links(sp.csr_matrix(smooth.astype(np.float32)), PARAMETERS[block])
    expected = made.read(links, train.matrix(), PARAMETERS[block])
    assert sp.issparse(expected)
    np.testing.assert_allclose(fitted.items.toarray(), expected.toarray(), atol=1e-5)


@every_block
def test_tuning_finds_the_planted_tastes(block: type[LinkBlock[Any]]) -> None:
    parts = worlds.given(worlds.two_tastes())
    (fitted,), chosen = block().tune(Folds.of(worlds.inputs(parts.train), Validation(parts.train, parts.valid)))
    assert worlds.finds_the_tastes(worlds.scores(fitted, parts.train))
    assert set(chosen) == {*PARAMETERS[block], "reading", "fading"}


@pytest.mark.parametrize("block", [*PARAMETERS, Spectral], ids=lambda b: b.name)
def test_a_shared_entity_links_items_that_nobody_took_together(block: type[Block[Any]]) -> None:
    """Items 0 and 1 are of other tastes, so no history holds both; they share a brand."""
    chosen = {"alpha": 0.5, "beta": 0.5, "n": 100, "regularisation": 20.0, "rank": 40, "power": 0.4, "friends": 0.0}
    chosen |= {"l1": 0.001, "l2": 0.01, "flatness": 1.5, "order": 8}

    def fit(inputs: FitInputs, weight: float) -> FittedBlock:
        return block().fit(inputs, {**chosen, "knowledge": weight})

    assert worlds.brand_lift(fit, 5.0, brands=1) > 0.1
