"""What noise costs, against the integral that it stands for and against published figures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from graphrec.errors import ConfigError
from graphrec.privacy.accountant import composed, delta_of, epsilon_of, mu_of


@pytest.mark.parametrize(("epsilon", "mu"), [(0.5, 0.3), (1.0, 1.0), (4.0, 1.5), (10.0, 3.0)])
def test_delta_is_by_how_much_one_answer_is_likelier_than_e_to_the_epsilon_times(epsilon: float, mu: float) -> None:
    """δ = ∫ max(0, p − e^ε q) of N(μ, 1) and N(0, 1)."""

    def over(x: float) -> float:
        return max(0.0, float(norm.pdf(x - mu) - np.exp(epsilon) * norm.pdf(x)))

    start = epsilon / mu + mu / 2
    assert delta_of(epsilon, mu) == pytest.approx(quad(over, start, start + 15)[0], rel=1e-6)


@pytest.mark.parametrize(
    ("epsilon", "delta", "sigma"),
    [  # analytic Gaussian mechanism, sensitivity 1: the figures of Balle and Wang's own implementation
        (1.0, 1e-5, 3.730631634816464),
        (0.5, 1e-5, 7.031826675587702),
    ],
)
def test_noise_is_that_of_the_analytic_gaussian_mechanism(epsilon: float, delta: float, sigma: float) -> None:
    assert 1 / mu_of(epsilon, delta) == pytest.approx(sigma, rel=2e-3)
    assert 1 / mu_of(epsilon, delta) < (2 * np.log(1.25 / delta)) ** 0.5 / epsilon  # less than the classical bound


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 8.0, 50.0])
def test_there_and_back(epsilon: float) -> None:
    assert epsilon_of(mu_of(epsilon, 1e-6), 1e-6) == pytest.approx(epsilon, rel=1e-6)


def test_answers_add_up_as_one_of_all_their_noise() -> None:
    mu = mu_of(2.0, 1e-6)
    assert composed([mu * 0.6, mu * 0.8]) == pytest.approx(mu)
    assert 2.0 < epsilon_of(composed([mu, mu]), 1e-6) < 4.0  # two fits cost more than one, and less than twice
    assert epsilon_of(composed([]), 1e-6) == 0.0


@pytest.mark.parametrize(("epsilon", "delta"), [(0.0, 1e-6), (1.0, 0.0), (1.0, 1.0)])
def test_what_is_no_budget_is_refused(epsilon: float, delta: float) -> None:
    with pytest.raises(ConfigError, match="ε is above 0"):
        mu_of(epsilon, delta)
