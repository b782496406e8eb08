"""What a training step draws: positives all once, negatives as often as items are taken or all alike, edges alike.

The network is replaced by one that gives every user and item its own axis, so that a loss sees who they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from graphrec.blocks.graph import Graph, GraphSettings
from graphrec.data.dataset import Dataset, build
from graphrec.nn.hetero_gnn import GraphTensors, HeteroGNN
from graphrec.nn.light_gcn import bipartite, light_gcn
from graphrec.nn.losses import LOSSES, Negatives
from tests import worlds

USERS, ITEMS, EPOCHS = 40, 12, 3
Drawn = dict[str, list[Tensor]]


def _shop() -> Dataset:
    """Item 0 is taken by everybody, item 11 by three."""
    rows = [(f"u{u:02}", f"i{i:02}") for i in range(ITEMS) for u in range(USERS) if u < USERS - 3.4 * i]
    return build("shop", pd.DataFrame(rows, columns=["user_id", "item_id"]))


@contextmanager
def _watched() -> Iterator[Drawn]:
    """Numbers of users, positives and negatives that reach the loss, one tensor for each step."""
    seen: Drawn = {"users": [], "positives": [], "negatives": []}
    width = max(USERS, ITEMS)

    def forward(self: HeteroGNN, graph: GraphTensors, noise: float = 0.0) -> tuple[Tensor, Tensor]:
        nothing = 0 * self.embedding.weight.sum()
        return torch.eye(graph.n_users, width) + nothing, torch.eye(graph.n_items, width) + nothing

    def loss(users: Tensor, items: Tensor, taken: Tensor, negatives: Negatives, temperature: float) -> Tensor:
        for name, rows in (("users", users[taken[0]]), ("positives", items[taken[1]]), ("negatives", negatives.rows)):
            seen[name].append(rows.detach().argmax(dim=1))
        return users.sum()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HeteroGNN, "forward", forward)
        patch.setitem(LOSSES, "softmax", loss)
        yield seen


def _drawn(data: Dataset, seed: int = 42, **settings: object) -> Drawn:
    given = {"propagation": "lightgcn++", "dim": 8, "batch_size": 64, "negatives": 500, **settings}
    with _watched() as seen:
        Graph(GraphSettings.model_validate(given)).fit(worlds.inputs(data, seed=seed), {"epochs": EPOCHS})
    return seen


def _counts(numbers: list[Tensor]) -> npt.NDArray[np.int64]:
    return np.bincount(torch.cat(numbers).numpy(), minlength=ITEMS)


@pytest.mark.parametrize("drawn", ["popularity", "uniform"])
def test_negatives_are_drawn_as_often_as_is_set(drawn: str) -> None:
    data = _shop()
    counts = _counts(_drawn(data, drawn=drawn)["negatives"])  # (I,)
    taken = np.asarray(data.matrix().sum(axis=0), np.float64).ravel()
    shares = {"popularity": taken / taken.sum(), "uniform": np.full(ITEMS, 1 / ITEMS)}
    agreed = {name: chisquare(counts, counts.sum() * share).pvalue for name, share in shares.items()}
    assert agreed.pop(drawn) > 0.01
    assert max(agreed.values()) < 1e-9


def test_every_interaction_is_a_positive_once_an_epoch_and_batches_share_their_negatives() -> None:
    data = _shop()
    seen = _drawn(data)
    pairs = torch.stack([torch.cat(seen["users"]), torch.cat(seen["positives"])])  # (2, EPOCHS · E)
    found, times = torch.unique(pairs, dim=1, return_counts=True)
    i = data.interactions
    assert set(map(tuple, found.T.tolist())) == set(zip(i.user_nums.tolist(), i.item_nums.tolist(), strict=True))
    assert (times == EPOCHS).all()
    assert {len(numbers) for numbers in seen["negatives"]} == {500}  # whatever the batch
    steps = len(seen["users"]) // EPOCHS
    assert not torch.equal(torch.cat(seen["users"][:steps]), torch.cat(seen["users"][steps : 2 * steps]))


def test_the_seed_settles_what_is_drawn() -> None:
    data = _shop()
    first, again = (_drawn(data) for _ in range(2))
    for name in first:
        assert torch.equal(torch.cat(first[name]), torch.cat(again[name]))
    other = _drawn(data, seed=1)
    assert not torch.equal(other["negatives"][0], first["negatives"][0])


def test_a_training_step_attends_over_edges_drawn_alike_and_an_answer_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    edges = torch.stack([torch.arange(20) % 3, 3 + torch.arange(20) % 4])
    liked = bipartite(torch.tensor([[0, 1, 2], [0, 1, 2]]), 3, 4)
    graph = GraphTensors(
        3, 4, 0, 1, liked, torch.zeros(7, 0), edges, torch.zeros(20, dtype=torch.int64), torch.zeros(20, 2)
    )
    graph.edge_attr[:, 0] = torch.arange(20)  # tells the edges apart
    model = HeteroGNN(graph, 8, lambda a, x, _: light_gcn(a, x, 1), 2, sampled_edges=15)
    seen: list[Tensor] = []
    assert model.attention is not None
    model.attention.register_forward_hook(lambda _, given, __: seen.append(given[3][:, 0].long()))
    for _ in range(100):
        model(graph)
    assert {len(numbers) for numbers in seen} == {15}
    assert chisquare(np.bincount(torch.cat(seen).numpy(), minlength=20)).pvalue > 0.01
    model.eval()(graph)
    assert seen[-1].tolist() == list(range(20))
