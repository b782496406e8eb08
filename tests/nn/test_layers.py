"""Layers and losses against dense twins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from graphrec.nn import losses
from graphrec.nn.hetero_gnn import GraphTensors, HeteroGNN
from graphrec.nn.light_gcn import Bipartite, bipartite, light_gcn
from graphrec.nn.light_gcn_pp import light_gcn_pp
from graphrec.nn.losses import LOSSES, agreement
from graphrec.nn.relation_attention import GATE, RelationAttention
from tests.reference_nn import paired


def _edges() -> torch.Tensor:
    return torch.tensor([[0, 0, 1, 2], [0, 1, 1, 2]])


def test_adjacency_is_symmetric_and_normalised() -> None:
    graph = bipartite(_edges(), 3, 4)
    plain = np.zeros((3, 4))
    for user, item in _edges().T.tolist():
        plain[user, item] = 1
    users, items = np.maximum(plain.sum(1), 1), np.maximum(plain.sum(0), 1)
    np.testing.assert_allclose(graph.users.to_dense().numpy(), plain / np.sqrt(np.outer(users, items)), atol=1e-6)
    np.testing.assert_array_equal(graph.items.to_dense().numpy(), graph.users.to_dense().numpy().T)


def _square() -> torch.Tensor:
    half = bipartite(_edges(), 3, 4).users.to_dense()
    return torch.cat([torch.cat([torch.zeros(3, 3), half], 1), torch.cat([half.T, torch.zeros(4, 4)], 1)])


def test_light_gcn_is_the_mean_of_powers() -> None:
    adjacency, a = bipartite(_edges(), 3, 4), _square()
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    expected = (x + a @ x + a @ a @ x) / 3
    torch.testing.assert_close(light_gcn(adjacency, x, layers=2), expected)
    torch.testing.assert_close(light_gcn(adjacency, x, layers=0), x)


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
def test_messages_are_the_last_convolution_item_by_item(layers: int) -> None:
    """Taking one entry out of Ã in the last product, by hand, takes exactly that item's message out of the user."""
    torch.manual_seed(0)
    none = torch.zeros((2, 0), dtype=torch.int64)
    parts = {"text": torch.zeros(7, 0), "edge_index": none, "edge_type": none[0], "edge_attr": torch.zeros(0, 2)}
    edges = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 2]])  # user 2 took nothing
    graph = GraphTensors(3, 4, 0, 0, bipartite(edges, 3, 4), **parts)
    model = HeteroGNN(graph, 8, lambda a, x, _: light_gcn(a, x, layers), 2).eval()
    users = torch.nn.functional.normalize(model(graph)[0], dim=1)
    messages, factor = model.messages(graph, layers)
    half = graph.adjacency.users.to_dense()
    a = torch.cat([torch.cat([torch.zeros(3, 3), half], 1), torch.cat([half.T, torch.zeros(4, 4)], 1)])
    x = model.before_convolution(graph)
    sums = [x]
    for _ in range(layers):
        sums.append(x + a @ sums[-1])
    for user, item in edges.T.tolist():
        missing = a.clone()
        missing[user, 3 + item] = 0
        less = (x + missing @ sums[-2] if layers else x)[user] / sums[-1][user].norm()
        torch.testing.assert_close(users[user] - factor[user] * messages[item], less)
    assert factor[2] == 0


def test_noise_perturbs_each_step_by_its_length_and_keeps_signs() -> None:
    adjacency = bipartite(_edges(), 3, 4)
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    plain, noisy = (2 * light_gcn(adjacency, x, 1, noise) - x for noise in (0.0, 0.1))  # the one step alone
    touched = plain.abs().sum(1) > 0
    torch.testing.assert_close((noisy - plain).norm(dim=1)[touched], torch.full((int(touched.sum()),), 0.1))
    assert ((noisy - plain) * plain.sign() >= 0).all()


def test_gradient_of_the_convolution() -> None:
    adjacency = bipartite(_edges(), 3, 4)
    graph = Bipartite(*(part.to(torch.float64) for part in adjacency))
    x = torch.randn(7, 2, dtype=torch.float64, requires_grad=True, generator=torch.Generator().manual_seed(0))
    assert gradcheck(lambda t: light_gcn(graph, t, 2), (x,))


def test_sampled_softmax_is_cross_entropy_with_the_positive_first() -> None:
    random = torch.Generator().manual_seed(0)
    users, positives, negatives = (torch.randn(n, 3, generator=random) for n in (4, 4, 6))
    logits = torch.cat([(users * positives).sum(1, keepdim=True), users @ negatives.T], 1) / 0.2
    expected = torch.nn.functional.cross_entropy(logits, torch.zeros(4, dtype=torch.int64))
    torch.testing.assert_close(paired("softmax")(users, positives, negatives, 0.2), expected)


def test_light_gcn_pp_by_loops_and_its_gradient() -> None:
    alpha, beta, gamma, layers = 0.6, -0.1, 0.2, 2
    graph = bipartite(_edges(), 3, 4, power=(alpha + beta) / 2)
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    linked = (_square() > 0).float()
    degree = linked.sum(1).clamp(min=1)
    now, total = x, torch.zeros_like(x)
    for _ in range(layers):
        sent = torch.nn.functional.normalize(now, dim=1)
        rows = [sum((sent[j] / degree[j] ** beta for j in range(7) if linked[i, j]), torch.zeros(5)) for i in range(7)]
        now = torch.stack([row / degree[i] ** alpha for i, row in enumerate(rows)])
        total = total + now
    found = light_gcn_pp(graph, x, layers, (alpha - beta) / 2, gamma)
    torch.testing.assert_close(found, gamma * x + (1 - gamma) / layers * total)
    double = Bipartite(*(part.to(torch.float64) for part in graph))
    start = x[:, :2].double().requires_grad_()
    assert gradcheck(lambda t: light_gcn_pp(double, t, layers, (alpha - beta) / 2, gamma), (start,))


@pytest.mark.parametrize("among", [False, True])
def test_cross_entropy_and_its_gradient_over_several_blocks(among: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs in no order, a row with several and one with none."""
    monkeypatch.setattr(losses, "ROWS", 2)
    monkeypatch.setattr(losses, "HELD", 16)  # of seven rows four are held at once
    random, whose = torch.Generator().manual_seed(0), torch.tensor([4, 0, 6, 4, 1, 2, 0, 3])
    users, negatives = (torch.randn(n, 2, dtype=torch.float64, generator=random, requires_grad=True) for n in (7, 4))
    positive, offset = (torch.randn(n, dtype=torch.float64, generator=random) for n in (8, 4))
    positive.requires_grad_()

    def expected(u: torch.Tensor) -> torch.Tensor:
        total = torch.logsumexp(u @ negatives.T + offset, 1)[whose]
        return ((torch.logaddexp(total, positive) if among else total) - positive).mean()

    def found(u: torch.Tensor, s: torch.Tensor, n: torch.Tensor) -> torch.Tensor:
        return losses.cross_entropy(u, s, whose, n, offset, among)

    torch.testing.assert_close(found(users, positive, negatives), expected(users))
    assert gradcheck(found, (users, positive, negatives))
    torch.testing.assert_close(found(1000 * users, positive, negatives), expected(1000 * users))  # no overflow


def test_attention_distinguishes_relations_and_begins_with_the_mean_of_neighbours() -> None:
    torch.manual_seed(0)
    layer = RelationAttention(8, relations=2)
    x = torch.randn(3, 8)
    edges, attr = torch.tensor([[0, 1], [2, 2]]), torch.zeros(2, 2)
    alone = layer(x, edges[:, :1], torch.tensor([0]), attr[:1])
    torch.testing.assert_close(alone[2], x[2] + GATE * x[0])
    same = layer(x, edges, torch.tensor([0, 0]), attr)
    other = layer(x, edges, torch.tensor([0, 1]), attr)
    assert not torch.allclose(same[2], other[2])
    torch.testing.assert_close(same[:2], x[:2])  # nothing points at them


def _unit(n: int, seed: int) -> torch.Tensor:
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(x, dim=1)


def test_cosine_contrastive_by_loops() -> None:
    users, positives, negatives = _unit(4, 0), _unit(4, 1), _unit(6, 2)
    expected = torch.tensor(0.0)
    for user, positive in zip(users, positives, strict=True):
        pushed = sum(max(0.0, float(user @ n) - 0.4) for n in negatives) / 6
        expected += (1 - user @ positive + 150 * pushed) / 4
    torch.testing.assert_close(paired("ccl")(users, positives, negatives, 0.2), expected)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_rewards_a_better_positive(name: str) -> None:
    users, negatives = _unit(4, 0), _unit(6, 2)
    assert paired(name)(users, users, negatives, 0.2) < paired(name)(users, -users, negatives, 0.2)


def test_agreement_is_least_for_equal_views() -> None:
    x = torch.eye(5)
    assert agreement(x, x, 0.1) < agreement(x, x.roll(1, 0), 0.1)
