"""The sparse blocks: dense twins, exact split into history and friends, and the planted tastes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.blocks.base import Block, FitInputs
from graphrec.blocks.neighbours import Chebyshev, Ease, Neighbours, Slim
from graphrec.blocks.spectral import Spectral
from graphrec.config import Config
from graphrec.evaluate.validation import Validation
from graphrec.linalg.item_item import slim
from graphrec.profile.profiles import NeighbourBlock
from tests import worlds
from tests.reference import naive_chebyshev, naive_ease, naive_two_steps

PARAMETERS = {
    "neighbours": {"alpha": 0.25, "beta": 0.4, "n": 100, "knowledge": 0.0, "friends": 0.0},
    "ease": {"regularisation": 20.0, "n": 100, "knowledge": 0.0, "friends": 0.0},
    "slim": {"l1": 0.001, "l2": 0.01, "n": 100, "knowledge": 0.0, "friends": 0.0},
    "chebyshev": {
        "alpha": 0.5,
        "flatness": 1.5,
        "order": 8,
        "beta": 0.4,
        "n": 100,
        "knowledge": 0.0,
        "friends": 0.0,
    },
}
BLOCKS = {"neighbours": Neighbours(), "ease": Ease(), "slim": Slim(), "chebyshev": Chebyshev()}


def _fit(name: str, friends: bool = False, **changes: float) -> tuple[NeighbourBlock, np.ndarray]:  # type: ignore[type-arg]
    train = worlds.given(worlds.two_tastes(friends=friends)).train
    return BLOCKS[name].fit(worlds.inputs(train), {**PARAMETERS[name], **changes}), train.matrix().toarray()


def test_neighbours_equal_the_dense_twin() -> None:
    block, taste = _fit("neighbours")
    expected = naive_two_steps(taste, alpha=0.25, beta=0.4)  # (U, I)
    found = block.scores(np.arange(len(taste)))
    np.testing.assert_allclose(found, expected / expected.std(axis=1, keepdims=True), atol=1e-4)


def test_ease_equals_column_regressions() -> None:
    block, taste = _fit("ease")
    expected = naive_ease(taste, 20.0)
    found = block.scores(np.arange(len(taste)))
    np.testing.assert_allclose(found, expected / expected.std(axis=1, keepdims=True), atol=1e-3)


def test_slim_scores_by_its_regressions() -> None:
    block, taste = _fit("slim")
    expected = taste @ slim(sp.csr_matrix(taste), 0.001, 0.01).toarray()
    found = block.scores(np.arange(len(taste)))
    np.testing.assert_allclose(found, expected / expected.std(axis=1, keepdims=True), atol=1e-4)
    assert block.items.data.min() > 0


def test_chebyshev_equals_the_dense_twin() -> None:
    block, taste = _fit("chebyshev")
    power = np.maximum(taste.sum(axis=0), 1.0) ** 0.4
    expected = taste / power @ naive_chebyshev(taste, 0.5, 1.5, 8) * power  # (U, I)
    found = block.scores(np.arange(len(taste)))
    np.testing.assert_allclose(found, expected / expected.std(axis=1, keepdims=True), atol=1e-4)


@pytest.mark.parametrize("name", BLOCKS)
def test_only_the_strongest_weights_of_an_item_are_kept(name: str) -> None:
    unread = {"beta": 0.0} if "beta" in PARAMETERS[name] else {}  # the strongest are taken before β comes in
    whole, _ = _fit(name, **unread)
    block, _ = _fit(name, n=3, **unread)
    assert np.diff(block.items.indptr).max() <= 3
    for item in range(0, 40, 7):
        weights = np.abs(whole.items[item].toarray().ravel())
        kept = block.items[item].indices
        assert set(kept) <= set(np.flatnonzero(weights >= np.sort(weights)[-3] - 1e-7))


@pytest.mark.parametrize("name", BLOCKS)
def test_a_score_splits_exactly_into_history_and_friends(name: str) -> None:
    train = worlds.given(worlds.two_tastes(friends=True)).train
    taste = train.matrix().toarray()
    block = BLOCKS[name].fit(worlds.inputs(train), {**PARAMETERS[name], "friends": 0.5})
    source, target = train.social_edge_index
    every = np.arange(train.n_items)
    for user in (0, 7, 30):
        x = taste[user] + 0.5 * taste[target[source == user]].mean(axis=0)
        for item in (1, 12):
            effects = block.effects(user, every, np.ones(len(every)), item)
            assert block.scale[user] * (x @ effects) == pytest.approx(block.score(user, item), abs=1e-5)


@pytest.mark.parametrize("name", BLOCKS)
def test_fold_in_of_a_users_own_history_is_their_row(name: str) -> None:
    block, taste = _fit(name)
    for user in (0, 9):
        np.testing.assert_allclose(
            block.fold_in(np.flatnonzero(taste[user])), block.scores(np.array([user]))[0], atol=1e-4
        )


@pytest.mark.parametrize("name", BLOCKS)
def test_tuning_finds_the_planted_tastes(name: str) -> None:
    parts = worlds.given(worlds.two_tastes())
    block, chosen = BLOCKS[name].tune(worlds.inputs(parts.train), Validation(parts.train, parts.valid))
    even = np.arange(parts.train.n_items) % 2 == 0
    scores = block.scores(np.array([0, 1]))
    assert scores[0][even].mean() > scores[0][~even].mean() + 1
    assert scores[1][~even].mean() > scores[1][even].mean() + 1
    assert set(chosen) == {*PARAMETERS[name], "reading"}


@pytest.mark.parametrize("name", ["ease", "slim", "chebyshev"])
def test_a_block_with_dense_matrices_sits_out_where_the_catalogue_is_large(name: str) -> None:
    parts = worlds.given(worlds.two_tastes())
    config = Config().with_(**{name: {"max_items": 10}})
    block, chosen = BLOCKS[name].tune(worlds.inputs(parts.train, config), Validation(parts.train, parts.valid))
    assert not block.scores(np.array([0])).any()
    assert "40 items" in chosen["left_out"]


@pytest.mark.parametrize("block", [*BLOCKS.values(), Spectral()], ids=lambda b: b.name)
def test_a_shared_entity_links_items_that_nobody_took_together(block: Block) -> None:
    """Items 0 and 1 are of other tastes, so no history holds both; they share a brand."""
    train = worlds.given(worlds.two_tastes()).train
    inputs = FitInputs(train, worlds.shared_brands(train, [[0, 1]]), Config())
    fans = np.flatnonzero(train.matrix()[:, 0].toarray().ravel())
    lift = []
    for weight in (0.0, 5.0):
        chosen = {"alpha": 0.5, "beta": 0.5, "n": 100, "regularisation": 20.0, "rank": 40, "power": 0.4}
        chosen |= {"l1": 0.001, "l2": 0.01, "flatness": 1.5, "order": 8}
        found = block.fit(inputs, {**chosen, "knowledge": weight, "friends": 0.0}).scores(fans)
        odd = np.arange(3, train.n_items, 2)
        lift.append(float((found[:, 1] - found[:, odd].mean(axis=1)).mean()))
    assert lift[1] > lift[0] + 0.1
