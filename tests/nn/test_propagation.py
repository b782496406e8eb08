"""Propagation against dense twins: weighted adjacency, both convolutions, attention over relations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from graphrec.nn.light_gcn import LEAST_DEGREE, Bipartite, bipartite, history_mean, light_gcn, light_gcn_layers, step
from graphrec.nn.light_gcn_pp import light_gcn_pp
from graphrec.nn.relation_attention import RelationAttention
from tests.reference_nn import naive_adjacency, naive_attention, naive_light_gcn, naive_light_gcn_pp

USERS, ITEMS = 5, 6
EDGES = torch.tensor([[0, 0, 0, 1, 1, 2, 3], [0, 1, 4, 1, 2, 2, 0]])  # user 4 and items 3 and 5 stand alone
WEIGHTS = torch.tensor([1.0, 0.5, 2.0, 0.25, 1.5, 1.0, 1e-5])  # of user 3 there is nothing else


def _rows(n: int = USERS + ITEMS, dim: int = 4) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(0))


def _taken(weighted: bool) -> npt.NDArray[np.float64]:
    out = np.zeros((USERS, ITEMS))
    out[EDGES[0].numpy(), EDGES[1].numpy()] = WEIGHTS.numpy() if weighted else 1.0
    return out


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("power", [0.5, 0.25, 0.0])
def test_the_adjacency_is_divided_by_degrees_to_a_power(power: float, weighted: bool) -> None:
    graph = bipartite(EDGES, USERS, ITEMS, power, WEIGHTS if weighted else None)
    expected = naive_adjacency(_taken(weighted), power, power, LEAST_DEGREE)
    np.testing.assert_allclose(graph.users.to_dense().numpy(), expected[:USERS, USERS:], rtol=1e-5)
    np.testing.assert_allclose(graph.items.to_dense().numpy(), expected[USERS:, :USERS], rtol=1e-5)
    assert (graph.degrees > 0).all()


def test_edges_in_any_order_are_one_graph_whose_places_take_32_bits() -> None:
    shuffled = torch.tensor([3, 0, 6, 2, 5, 1, 4])
    one, other = (
        bipartite(EDGES, USERS, ITEMS, weights=WEIGHTS),
        bipartite(EDGES[:, shuffled], USERS, ITEMS, weights=WEIGHTS[shuffled]),
    )
    for name in ("users", "items"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert ours.col_indices().dtype == ours.crow_indices().dtype == torch.int32
        for part in ("crow_indices", "col_indices", "values"):
            torch.testing.assert_close(getattr(ours, part)(), getattr(theirs, part)())


def test_an_edge_named_twice_counts_twice() -> None:
    double = bipartite(torch.cat([EDGES, EDGES[:, :1]], dim=1), USERS, ITEMS, 0.0)
    assert double.users.to_dense()[0, 0] == 2


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("layers", [0, 1, 3])
def test_light_gcn_equals_its_loops(layers: int, weighted: bool) -> None:
    graph = bipartite(EDGES, USERS, ITEMS, weights=WEIGHTS if weighted else None)
    adjacency = naive_adjacency(_taken(weighted), 0.5, 0.5, LEAST_DEGREE)
    expected = naive_light_gcn(adjacency, _rows().numpy(), layers)
    np.testing.assert_allclose(light_gcn(graph, _rows(), layers).numpy(), expected, atol=1e-5)


def test_noise_of_no_length_is_no_noise_and_a_step_is_one_product() -> None:
    graph, x = bipartite(EDGES, USERS, ITEMS), _rows()
    torch.testing.assert_close(light_gcn(graph, x, 3, noise=1e-12), light_gcn(graph, x, 3))
    expected = naive_adjacency(_taken(False), 0.5, 0.5, LEAST_DEGREE) @ x.numpy()
    np.testing.assert_allclose(step(graph, x).numpy(), expected, atol=1e-5)


def test_whoever_stands_alone_keeps_a_share_of_themselves() -> None:
    x = _rows()
    alone = [4, USERS + 3, USERS + 5]
    torch.testing.assert_close(light_gcn(bipartite(EDGES, USERS, ITEMS), x, 3)[alone], x[alone] / 4)
    apart = light_gcn_pp(bipartite(EDGES, USERS, ITEMS, 0.25), x, 3, 0.35, 0.2)
    torch.testing.assert_close(apart[alone], 0.2 * x[alone])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("alpha", "beta"), [(0.6, -0.1), (0.5, 0.5), (1.0, 0.0)])
@pytest.mark.parametrize(("layers", "gamma"), [(1, 0.0), (2, 0.2), (3, 1.0)])
def test_light_gcn_pp_equals_its_loops(layers: int, gamma: float, alpha: float, beta: float, weighted: bool) -> None:
    graph = bipartite(EDGES, USERS, ITEMS, (alpha + beta) / 2, WEIGHTS if weighted else None)
    found = light_gcn_pp(graph, _rows(), layers, (alpha - beta) / 2, gamma)
    adjacency = naive_adjacency(_taken(weighted), alpha, beta, LEAST_DEGREE)
    np.testing.assert_allclose(found.numpy(), naive_light_gcn_pp(adjacency, _rows().numpy(), layers, gamma), atol=1e-4)


def test_light_gcn_pp_sends_messages_of_one_length() -> None:
    graph, x = bipartite(EDGES, USERS, ITEMS, 0.25), _rows()
    longer = x.clone()
    longer[USERS:] *= 7  # only the items' lengths: users hear the same in the first step
    first, other = (light_gcn_pp(graph, y, 1, 0.35, 0.0)[:USERS] for y in (x, longer))
    torch.testing.assert_close(first, other)


def _attention(relations: int, heads: int) -> tuple[RelationAttention, tuple[Tensor, ...]]:
    torch.manual_seed(0)
    layer = RelationAttention(8, relations, heads)
    with torch.no_grad():
        layer.attention.lin_l.weight += 0.3 * torch.randn(8, 8)  # away from the identity it starts at
    edges = torch.tensor([[0, 1, 2, 3, 0, 4, 2], [2, 2, 2, 1, 1, 5, 5]])
    kinds = torch.tensor([0, 1, 0, 2, 1, 2, 2]) % relations
    return layer, (_rows(6, 8), edges, kinds, torch.randn(7, 2))


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("relations", [1, 3])
def test_attention_equals_its_loops(relations: int, heads: int) -> None:
    layer, (x, edges, kinds, numbers) = _attention(relations, heads)
    features = np.hstack([layer.relation.weight.detach().numpy()[kinds.numpy()], numbers.numpy()])  # (E, F)
    a = layer.attention
    weights = {name: getattr(a, name).weight.detach().numpy() for name in ("lin_l", "lin_r", "lin_edge")}
    heard = naive_attention(x.numpy(), edges.T.tolist(), features, a.att.detach().numpy()[0], **weights)
    expected = x.numpy() + float(layer.gate.detach()) * heard
    np.testing.assert_allclose(layer(x, edges, kinds, numbers).detach().numpy(), expected, atol=1e-5)


def test_attention_does_not_depend_on_the_order_of_edges() -> None:
    layer, (x, edges, kinds, numbers) = _attention(3, 2)
    order = torch.tensor([6, 2, 0, 5, 1, 4, 3])
    torch.testing.assert_close(layer(x, edges[:, order], kinds[order], numbers[order]), layer(x, edges, kinds, numbers))


def test_the_evidence_of_an_edge_is_heard() -> None:
    layer, (x, edges, kinds, numbers) = _attention(3, 2)
    other = numbers.clone()
    other[0] += 5
    changed = (layer(x, edges, kinds, other) - layer(x, edges, kinds, numbers)).abs().sum(dim=1) > 1e-6
    assert changed.nonzero().ravel().tolist() == [2]  # where that edge ends, and nowhere else


def test_gradients_reach_every_part_of_the_attention() -> None:
    layer, (x, edges, kinds, numbers) = _attention(3, 2)
    layer(x, edges, kinds, numbers).pow(2).sum().backward()
    for name, part in layer.named_parameters():
        assert part.grad is not None, name
        assert part.grad.isfinite().all(), name
        assert part.grad.abs().sum() > 0, name
    double = layer.double()
    start = x.double().requires_grad_()
    assert gradcheck(lambda t: double(t, edges, kinds, numbers.double()), (start,))


def test_gradients_of_the_weighted_convolutions() -> None:
    graph = bipartite(EDGES, USERS, ITEMS, 0.25, WEIGHTS)
    double = Bipartite(*(part.to(torch.float64) for part in graph))
    start = _rows(dim=2).double().requires_grad_()
    assert gradcheck(lambda t: light_gcn(double, t, 3), (start,))
    assert gradcheck(lambda t: light_gcn_pp(double, t, 2, 0.35, 0.2), (start,))


def test_the_mean_of_a_history_reaches_users_alone() -> None:
    x, taken = _rows(), _taken(False)
    found = history_mean(bipartite(EDGES, USERS, ITEMS), x, 0.3).numpy()
    np.testing.assert_array_equal(found[USERS:], x[USERS:].numpy())
    for user in range(USERS):
        history = x[USERS:].numpy()[taken[user] > 0]
        mean = history.mean(axis=0) if len(history) else np.zeros(4)
        np.testing.assert_allclose(found[user], 0.3 * x[user].numpy() + 0.7 * mean, rtol=1e-5, atol=1e-6)


def test_the_first_layer_is_what_neighbours_send() -> None:
    graph, x = bipartite(EDGES, USERS, ITEMS), _rows()
    mean, first = light_gcn_layers(graph, x, 3, 0.0)
    torch.testing.assert_close(first, step(graph, x))
    torch.testing.assert_close(mean, light_gcn(graph, x, 3))
