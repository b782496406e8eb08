"""LightGCN: its own propagation as a twin, exact accounts, the same seed the same bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from graphrec.blocks import _light_gcn
from graphrec.blocks.lightgcn import LightGCN, LightGCNSettings
from graphrec.nn.light_gcn import light_gcn
from graphrec.profile.dense import ProfileBlock
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from tests import worlds
from tests.blocks.alone import at_unit_deviation, check_accounts, check_round_trip, inputs_of

CHOSEN = {"layers": 2, "learning_rate": 0.01, "regularisation": 1e-4, "epochs": 3}
SMALL = LightGCNSettings(dim=8, batch_size=64)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_user_is_the_mean_over_layers(layers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dense formula of the paper on the embeddings that training ended with gives the block's scores."""
    ended: list[torch.Tensor] = []

    def watched(graph: Any, x: torch.Tensor, k: int) -> torch.Tensor:
        ended.append(x.detach())
        return light_gcn(graph, x, k)

    monkeypatch.setattr(_light_gcn, "light_gcn", watched)
    ties = Ties(worlds.given(worlds.two_tastes()).train)
    block = LightGCN(SMALL).fit(inputs_of(ties.data), {**CHOSEN, "layers": layers})
    taste, n_users = ties.matrix.toarray(), ties.data.n_users
    square = np.zeros((sum(taste.shape),) * 2)
    square[:n_users, n_users:], square[n_users:, :n_users] = taste, taste.T
    root = np.sqrt(np.maximum(square.sum(axis=1), 1))
    steps = [np.linalg.matrix_power(square / np.outer(root, root), k) @ ended[-1].numpy() for k in range(layers + 1)]
    final = np.mean(steps, axis=0)
    expected = at_unit_deviation(final[:n_users] @ final[n_users:].T)
    np.testing.assert_allclose(block.scores(Queries.stored(ties)), expected, atol=1e-3)
    own = root[:n_users, None] * ended[-1].numpy()[:n_users]
    assert isinstance(block, ProfileBlock)
    assert block.own is not None
    np.testing.assert_allclose(block.own, own, atol=1e-4)  # all else is the history


def test_accounts_and_round_trip() -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = LightGCN(SMALL).fit(inputs_of(train), CHOSEN)
    check_accounts(block, train, whole=False)
    check_round_trip(block, train)


def test_same_seed_same_bytes_and_nothing_known_is_zero() -> None:
    train = worlds.given(worlds.two_tastes()).train
    bare = train.subset(train.interactions.user_nums != 0)
    first, again = (LightGCN(SMALL).fit(inputs_of(bare), CHOSEN) for _ in range(2))
    assert first.users.tobytes() == again.users.tobytes()
    assert first.items.tobytes() == again.items.tobytes()
    assert not first.users[0].any()
