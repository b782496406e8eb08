"""SLIM: what it minimises, in the block's own units, and that nothing is cut where it is asked for whole."""

from __future__ import annotations

import numpy as np

from graphrec.blocks.slim import Slim
from tests import worlds
from tests.blocks.alone import check_accounts, inputs_of, random_data

CHOSEN = {"l1": 0.002, "l2": 0.01, "n": 0}


def test_it_minimises_the_elastic_net() -> None:
    """No small change of a weight, up or down to zero, lowers the objective of its column."""
    data = random_data(1)
    taste = data.matrix().toarray().astype(np.float64)
    weights = Slim().fit(inputs_of(data), CHOSEN).items.T.toarray().astype(np.float64)
    assert weights.min() >= 0
    assert not np.diag(weights).any()
    assert weights.any()

    def cost(column: np.ndarray, item: int) -> float:
        missed = taste[:, item] - taste @ column
        return float(missed @ missed / 2 / len(taste) + 0.002 * column.sum() + 0.005 * column @ column)

    for item in range(data.n_items):
        best = cost(weights[:, item], item)
        for other in np.setdiff1d(np.arange(data.n_items), [item]):
            for change in (0.02, -0.02):
                moved = weights[:, item].copy()
                moved[other] = max(0.0, moved[other] + change)
                assert cost(moved, item) >= best - 1e-4


def test_all_weights_are_kept_where_n_is_0() -> None:
    inputs = inputs_of(worlds.given(worlds.two_tastes()).train)
    whole, all_, two = (Slim().fit(inputs, {"l1": 1e-4, "l2": 0.01, "n": n}).items for n in (0, 100, 2))
    assert abs(whole - all_).max() == 0
    assert np.diff(two.indptr).max() == 2 < np.diff(whole.indptr).max()


def test_accounts() -> None:
    train = worlds.given(worlds.two_tastes()).train
    check_accounts(Slim().fit(inputs_of(train), CHOSEN), train)
