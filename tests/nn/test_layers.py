"""Layers and losses against dense twins."""

from __future__ import annotations

import numpy as np
import torch
from torch.autograd import gradcheck

from graphrec.nn.light_gcn import _SymmetricProduct, bipartite_adjacency, light_gcn
from graphrec.nn.losses import sampled_softmax
from graphrec.nn.relation_attention import RelationAttention


def _edges() -> torch.Tensor:
    return torch.tensor([[0, 0, 1, 2], [0, 1, 1, 2]])


def test_adjacency_is_symmetric_and_normalised() -> None:
    dense = bipartite_adjacency(_edges(), 3, 4).to_dense().numpy()
    plain = np.zeros((7, 7))
    for user, item in _edges().T.tolist():
        plain[user, 3 + item] = plain[3 + item, user] = 1
    degree = np.maximum(plain.sum(1), 1)
    np.testing.assert_allclose(dense, plain / np.sqrt(np.outer(degree, degree)), atol=1e-6)


def test_light_gcn_is_the_mean_of_powers() -> None:
    adjacency = bipartite_adjacency(_edges(), 3, 4)
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    a = adjacency.to_dense()
    expected = (x + a @ x + a @ a @ x) / 3
    torch.testing.assert_close(light_gcn(adjacency, x, layers=2), expected)
    torch.testing.assert_close(light_gcn(adjacency, x, layers=0), x)


def test_gradient_of_the_symmetric_product() -> None:
    adjacency = bipartite_adjacency(_edges(), 3, 4).to(torch.float64)
    x = torch.randn(7, 2, dtype=torch.float64, requires_grad=True, generator=torch.Generator().manual_seed(0))
    assert gradcheck(lambda t: _SymmetricProduct.apply(adjacency, t), (x,))


def test_sampled_softmax_is_cross_entropy_with_the_positive_first() -> None:
    random = torch.Generator().manual_seed(0)
    users, positives, negatives = (torch.randn(n, 3, generator=random) for n in (4, 4, 6))
    logits = torch.cat([(users * positives).sum(1, keepdim=True), users @ negatives.T], 1) / 0.2
    expected = torch.nn.functional.cross_entropy(logits, torch.zeros(4, dtype=torch.int64))
    torch.testing.assert_close(sampled_softmax(users, positives, negatives, 0.2), expected)


def test_attention_distinguishes_relations_and_begins_with_the_mean_of_neighbours() -> None:
    torch.manual_seed(0)
    layer = RelationAttention(8, relations=2)
    x = torch.randn(3, 8)
    edges, attr = torch.tensor([[0, 1], [2, 2]]), torch.zeros(2, 2)
    alone = layer(x, edges[:, :1], torch.tensor([0]), attr[:1])
    torch.testing.assert_close(alone[2], x[2] + 0.5 * x[0])
    same = layer(x, edges, torch.tensor([0, 0]), attr)
    other = layer(x, edges, torch.tensor([0, 1]), attr)
    assert not torch.allclose(same[2], other[2])
    torch.testing.assert_close(same[:2], x[:2])  # nothing points at them
