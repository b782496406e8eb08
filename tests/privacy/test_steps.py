"""Private steps: a person moves what is learned by no more than is claimed; without noise it is training."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from graphrec.errors import ConfigError
from graphrec.linalg.sums import ItemSums
from graphrec.privacy.accountant import Sampled, epsilon_of, epsilon_of_sampled, mu_of, noise_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("opacus", reason="private steps need the extra privacy")

from graphrec.blocks import _denoising_private as denoising
from graphrec.privacy.steps import Training

DELTA = 1e-5
PEOPLE = 60
X = torch.randn(PEOPLE, 3, generator=torch.Generator().manual_seed(1))
Y = X @ torch.tensor([[1.0], [-2.0], [0.5]])


def squares(model: Any, batch: Tensor) -> Tensor:
    out: Tensor = (model(X[batch]) - Y[batch]).square().sum(dim=1)
    return out


def training(noise: float, clip: float, rate: float = 1.0, steps: int = 1, seed: int = 0) -> tuple[Training, nn.Linear]:
    model = nn.Linear(3, 1, bias=False)
    nn.init.zeros_(model.weight)
    draw = torch.Generator().manual_seed(seed)
    return Training(model, Sampled(noise, rate, steps), PEOPLE, clip=clip, rate=0.1, draw=draw), model


def test_without_noise_it_is_ordinary_training() -> None:
    private, model = training(noise=0.0, clip=1e6, steps=20)
    private.run(PEOPLE, squares)
    plain = nn.Linear(3, 1, bias=False)
    nn.init.zeros_(plain.weight)
    adam = torch.optim.Adam(plain.parameters(), lr=0.1)
    for _ in range(20):
        adam.zero_grad()
        squares(plain, torch.arange(PEOPLE)).mean().backward()  # type: ignore[no-untyped-call]
        adam.step()
    torch.testing.assert_close(model.weight, plain.weight, atol=1e-5, rtol=1e-4)
    assert float(squares(model, torch.arange(PEOPLE)).mean().detach()) < 0.5 * float(Y.square().mean())


def test_one_person_moves_a_step_by_the_clip_at_most() -> None:
    """The sum of gradients with somebody who is far off, and without them."""
    found = []
    for people in (PEOPLE, PEOPLE - 1):
        private, _ = training(noise=0.0, clip=0.5)
        private.step(torch.arange(people), lambda model, batch: 1e6 ** (batch == PEOPLE - 1) * squares(model, batch))
        found.append(next(private.model.parameters()).grad * PEOPLE)
    assert float((found[0] - found[1]).norm()) == pytest.approx(0.5, abs=1e-4)


def test_noise_is_added_where_nobody_was_drawn() -> None:
    steps = [training(noise=2.0, clip=0.5, seed=seed)[0] for seed in range(300)]
    for private in steps:
        private.step(torch.zeros(0, dtype=torch.int64), squares)
    noise = torch.cat([next(p.model.parameters()).grad.ravel() * PEOPLE for p in steps])
    assert float(noise.std()) == pytest.approx(1.0, rel=0.1)


def test_a_canary_is_told_no_better_than_is_claimed() -> None:
    """Whoever guesses by the step whether somebody was in it, at the threshold that is best for them, shows an ε below
    the claimed; without noise they would know."""
    steps, draw = Sampled(1.0, 0.5, 1), torch.Generator().manual_seed(0)
    told: tuple[list[float], list[float]] = ([], [])
    model = nn.Linear(1, 1, bias=False)
    private = Training(model, steps, 2, clip=1.0, rate=0.1, draw=draw)
    for _ in range(400):
        for there in (0, 1):
            drawn = torch.nonzero(torch.rand(there, generator=draw) < steps.rate).ravel()
            private.step(drawn, lambda model, batch: -100 * model(torch.ones(len(batch), 1)).sum(dim=1))
            told[there].append(float(next(private.model.parameters()).grad))
    out, within = (np.array(t) for t in told)
    cuts = np.quantile(out, np.linspace(0.05, 0.5, 10))
    rates = [((within <= cut).mean(), (out <= cut).mean()) for cut in cuts]
    shown = max(np.log(max(hit - DELTA, 1e-9) / max(false, 1e-9)) for hit, false in rates)
    assert 0.2 < shown < epsilon_of_sampled([], [steps], DELTA)


def test_what_is_spent_is_what_was_allowed() -> None:
    """Gaussian answers by numbers as in closed form; steps beside them, that together are no more than the ε."""
    assert epsilon_of_sampled([0.7], [], DELTA) == epsilon_of(0.7, DELTA)
    both = epsilon_of_sampled([0.3, 0.4], [Sampled(1e4, 0.1, 1)], DELTA)
    assert epsilon_of(0.5, DELTA) <= both < epsilon_of(0.5, DELTA) + 0.06
    mu = 0.8 * mu_of(2.0, DELTA)
    noise = noise_of(2.0, DELTA, mu, 0.1, 50)
    spent = epsilon_of_sampled([mu], [Sampled(noise, 0.1, 50)], DELTA)
    assert 1.9 < spent <= 2.0
    with pytest.raises(ConfigError, match="leaves nothing for 50 private steps"):
        noise_of(2.0, DELTA, mu_of(2.2, DELTA), 0.1, 50)


def test_what_promises_nothing_is_bounded_without_being_counted() -> None:
    """By numbers it would take gigabytes, or come out below what the Gaussian answers cost alone."""
    mu, steps = mu_of(1e4, DELTA), Sampled(5.0, 0.18, 100)
    assert epsilon_of_sampled([mu], [steps], DELTA) > epsilon_of(mu, DELTA)
    assert np.isfinite(epsilon_of_sampled([], [Sampled(0.3, 0.5, 1000)], DELTA))
    with pytest.raises(ConfigError, match="up to 100, beyond which ε promises nothing"):
        noise_of(1e4, DELTA, mu, 0.18, 100)


def test_layers_that_mix_people_are_refused() -> None:
    with pytest.raises(ConfigError, match="BatchNorm"):
        Training(nn.BatchNorm1d(3), Sampled(1.0, 0.1, 1), 10, clip=1.0, rate=0.1)


def test_the_map_learns_what_goes_together() -> None:
    """Without noise the loss falls, and sides are of nothing but sums."""
    random = np.random.default_rng(0)
    rows = np.zeros((400, 20), np.float32)
    for user in range(400):
        rows[user, random.choice(np.arange(user % 2, 20, 2), 5, replace=False)] = 1
    taken = sp.csr_matrix(rows)
    sums = ItemSums.of(taken, [f"i{n:02d}" for n in range(20)], exponents=(0.5,))
    steps, none = (Sampled(0.0, 0.2, n) for n in (60, 0))
    found: list[Any] = [denoising.learn(sums, taken, s, 400.0, torch.Generator().manual_seed(0)) for s in (steps, none)]
    losses = []
    for block in found:
        users = (rows @ block.history)[:, :-1] / rows.sum(axis=1, keepdims=True)
        scores = users @ block.items[:, :-1].T + block.items[:, -1]
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        losses.append(float((-scores * rows).sum() / rows.sum()))
    assert losses[0] < losses[1] - 0.02
    np.testing.assert_array_equal(found[0].items, found[1].items)
    assert np.abs(found[0].history - found[1].history).max() > 0.1
