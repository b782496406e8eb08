"""Losses: by hand, against loops, their gradients, and what the temperature does."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from graphrec.nn import losses
from graphrec.nn.losses import LOSSES, Negatives, agreement, away, products
from tests.reference_nn import naive_agreement, naive_away, naive_loss, paired

E1, E2 = torch.eye(2)


def _rows(n: int, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return torch.nn.functional.normalize(x, dim=1)


def _slopes(loss: Callable[..., Tensor], temperature: float, *cosines: float) -> Tensor:
    """−∂loss/∂cosine of one user with one positive (first) and negatives of these cosines."""
    x = torch.tensor(cosines, requires_grad=True)
    users, height = torch.ones(1, 1), x[:, None]  # the products of one user with vectors of one entry
    loss(users, height[:1], height[1:], temperature).backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    return -x.grad


@pytest.mark.parametrize(
    ("name", "temperature", "expected"),
    [
        ("softmax", 0.5, math.log(1 + 2 * math.exp(-2))),  # cosines 1 and 0, 0
        ("softmax", 1.0, math.log(1 + 2 / math.e)),
        ("bsl", 0.5, math.log(2) - 2),  # one positive: −s⁺/τ + log Σ exp(s/τ)
        ("bsl", 1.0, math.log(2) - 1),
        ("ccl", 0.5, 0.0),  # nothing above the margin
    ],
)
def test_a_positive_beside_two_strangers_by_hand(name: str, temperature: float, expected: float) -> None:
    found = paired(name)(E1[None], E1[None], torch.stack([E2, -E2]), temperature)
    assert float(found) == pytest.approx(expected, abs=1e-6)


def test_cosine_contrastive_by_hand_where_negatives_are_near() -> None:
    near = torch.tensor([[0.8, 0.6], [0.0, 1.0]])  # .4 above the margin, and not
    assert float(paired("ccl")(E1[None], E2[None], near, 0.1)) == pytest.approx(1 + 150 * 0.4 / 2, rel=1e-5)


def test_agreement_and_keeping_apart_by_hand() -> None:
    x = torch.eye(2)
    assert float(agreement(x, x, 0.5)) == pytest.approx(math.log(1 + math.exp(-2)), abs=1e-6)
    assert float(agreement(x, x.flip(0), 0.5)) == pytest.approx(math.log(1 + math.exp(2)), abs=1e-6)
    assert float(away(x, x.flip(0), 0.5)) == pytest.approx(math.log(2), abs=1e-6)
    assert float(away(x, x, 0.5)) == pytest.approx(math.log(1 + math.exp(2)), abs=1e-6)


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_equal_their_loops(name: str, temperature: float) -> None:
    users, positives, negatives = (_rows(n, seed, torch.float64) for seed, n in enumerate((5, 5, 7)))
    found = paired(name)(users, positives, negatives, temperature)
    expected = naive_loss(name, users.tolist(), positives.tolist(), negatives.tolist(), temperature)
    assert float(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_agreement_and_keeping_apart_equal_their_loops(temperature: float) -> None:
    first, second = (_rows(6, seed, torch.float64) for seed in (0, 1))
    one, other = first.tolist(), second.tolist()
    assert float(agreement(first, second, temperature)) == pytest.approx(naive_agreement(one, other, temperature))
    assert float(away(first, second, temperature)) == pytest.approx(naive_away(one, other, temperature))


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_small_steps(name: str) -> None:
    inputs = [_rows(n, seed, torch.float64).requires_grad_() for seed, n in enumerate((4, 4, 6))]
    assert gradcheck(lambda u, p, n: paired(name)(u, p, n, 0.3), inputs)


@pytest.mark.parametrize("temperature", [1e-3, 1e-2, 100.0])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_at_any_temperature_and_where_all_is_alike(name: str, temperature: float) -> None:
    for users, positives, negatives in (
        (_rows(4, 0), _rows(4, 1), _rows(6, 2)),
        (_rows(4, 0), _rows(4, 0), -_rows(4, 0)),  # as good as can be
        (_rows(4, 0), -_rows(4, 0), _rows(4, 0)),  # as bad as can be
        (E1.repeat(4, 1), E1.repeat(4, 1), E1.repeat(6, 1)),
    ):
        inputs = [x.clone().requires_grad_() for x in (users, positives, negatives)]
        value = paired(name)(inputs[0], inputs[1], inputs[2], temperature)
        value.backward()  # type: ignore[no-untyped-call]
        assert value.isfinite()
        assert all(x.grad is not None and x.grad.isfinite().all() for x in inputs)


@pytest.mark.parametrize("name", ["softmax", "bsl"])
def test_a_low_temperature_pushes_the_nearest_negative_alone(name: str) -> None:
    shares = []
    for temperature in (1.0, 0.1, 0.01):
        slopes = _slopes(paired(name), temperature, 0.2, 0.5, 0.3, -0.4)[1:]  # of the negatives
        assert (slopes < 0).all() or temperature < 0.1
        assert (slopes.diff() >= 0).all()  # the nearer, the harder
        shares.append(float(slopes[0] / slopes.sum()))
    assert shares == sorted(shares)
    assert shares[0] < 0.5 < 0.85 < shares[1] < 0.999 < shares[2]


def test_a_high_temperature_pushes_all_negatives_alike() -> None:
    slopes = _slopes(paired("softmax"), 1000.0, 0.9, 0.5, 0.3, -0.4)
    torch.testing.assert_close(slopes[1:], slopes[1].repeat(3), rtol=1e-2, atol=0)
    torch.testing.assert_close(slopes.sum(), torch.tensor(0.0), atol=1e-7, rtol=0)


def test_the_bilateral_loss_is_the_softmax_without_the_positive_below() -> None:
    rows = torch.tensor([0.9, 0.5, -0.4])[:, None]
    found = LOSSES["bsl"](torch.ones(1, 1), rows, torch.tensor([[0], [0]]), Negatives(rows[1:]), 0.2)
    torch.testing.assert_close(found, torch.logsumexp(rows[1:, 0] / 0.2, dim=0) - 0.9 / 0.2)


def test_the_cosine_contrastive_loss_has_no_temperature_and_leaves_far_negatives_alone() -> None:
    users, positives, negatives = _rows(4, 0), _rows(4, 1), _rows(6, 2)
    cold, warm = (paired("ccl")(users, positives, negatives, t) for t in (0.01, 10.0))
    assert torch.equal(cold, warm)
    assert _slopes(paired("ccl"), 0.1, 0.2, 0.5, 0.3, -0.4).tolist() == pytest.approx([1, -50, 0, 0])


def _catalogue() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Users (3, d), items (6, d), what each took, and weights (6,) of the items."""
    taken = torch.tensor([[0, 0, 1, 2, 2, 2], [1, 4, 4, 0, 5, 2]])
    return _rows(3, 0, torch.float64), _rows(6, 1, torch.float64), taken, torch.tensor([1.0, 2, 3, 1, 4, 1]).double()


def test_the_softmax_over_the_whole_catalogue_is_a_weighted_cross_entropy() -> None:
    users, items, taken, weights = _catalogue()
    logits = users @ items.T / 0.2 + weights.log()
    expected = torch.nn.functional.cross_entropy(logits[taken[0]], taken[1]) + weights.log()[taken[1]].mean()
    found = LOSSES["softmax"](users, items, taken, Negatives(items, weights.log()), 0.2)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", LOSSES)
def test_the_whole_catalogue_is_what_many_drawn_negatives_come_to(name: str) -> None:
    users, items, taken, weights = _catalogue()
    drawn = items[torch.multinomial(weights, 60_000, replacement=True, generator=torch.Generator().manual_seed(0))]
    shares = (weights / weights.sum()).log()
    grads = []
    for negatives in (Negatives(items, shares), Negatives(drawn)):
        asked = users.clone().requires_grad_()
        LOSSES[name](asked, items, taken, negatives, 0.2).backward()  # type: ignore[no-untyped-call]
        assert asked.grad is not None
        grads.append(asked.grad)
    torch.testing.assert_close(grads[0], grads[1], rtol=0.03, atol=0.01)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_over_the_whole_catalogue_are_those_of_small_steps(name: str) -> None:
    users, items, taken, weights = _catalogue()
    given = (users.requires_grad_(), items.requires_grad_())
    assert gradcheck(lambda u, i: LOSSES[name](u, i, taken, Negatives(i, weights.log()), 0.3), given)


def test_half_precision_is_near_and_its_gradients_too() -> None:
    users, items, taken, weights = (x.float() if x.is_floating_point() else x for x in _catalogue())
    found = []
    for half in (False, True):
        asked = [users.clone().requires_grad_(), items.clone().requires_grad_()]
        loss = LOSSES["softmax"](asked[0], asked[1], taken, Negatives(asked[1], weights.log(), half), 0.1)
        loss.backward()  # type: ignore[no-untyped-call]
        found.append([loss.detach(), *(x.grad for x in asked if x.grad is not None)])
    for whole, rough in zip(*found, strict=True):
        torch.testing.assert_close(rough, whole, rtol=0.02, atol=0.02)
    assert float(found[0][0]) != float(found[1][0])


def test_products_of_pairs_and_their_gradients_over_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "ROWS", 2)
    users, items, taken, _ = _catalogue()
    torch.testing.assert_close(products(users, items, taken), (users[taken[0]] * items[taken[1]]).sum(1))
    assert gradcheck(lambda u, i: products(u, i, taken), (users.requires_grad_(), items.requires_grad_()))
