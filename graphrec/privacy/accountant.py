"""What Gaussian noise costs in privacy, exactly, and how costs add up.

A sum that one person moves by Δ at most, with noise of deviation σ, is μ-GDP with μ = Δ/σ: telling whether somebody
took part is as hard as telling N(0, 1) from N(μ, 1). Several such answers, each asked in the light of those before, are
together √Σμ²-GDP (Dong, Roth and Su, Gaussian Differential Privacy, JRSS B 2022, corollary 2); so is one answer more in
a refit. In ε and δ that is (Balle and Wang, ICML 2018, theorem 8)

    δ(ε) = Φ(μ/2 − ε/μ) − e^ε Φ(−μ/2 − ε/μ)
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from graphrec.errors import ConfigError

LEAST, MOST = 1e-6, 1e4  # μ between which it is looked for


def delta_of(epsilon: float, mu: float) -> float:
    """The δ at which μ-GDP is (ε, δ)-DP."""
    return float(ndtr(mu / 2 - epsilon / mu) - np.exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu)))


def mu_of(epsilon: float, delta: float) -> float:
    """The largest μ that (ε, δ)-DP admits. Raises ConfigError for what is no budget."""
    if not (epsilon > 0 and 0 < delta < 1):
        raise ConfigError(f"privacy: ε = {epsilon:g} and δ = {delta:g}; ε is above 0, and δ between 0 and 1")
    return float(brentq(lambda mu: delta_of(epsilon, mu) - delta, LEAST, MOST, xtol=1e-12))


def epsilon_of(mu: float, delta: float) -> float:
    """The ε that μ-GDP costs at this δ; 0 for μ = 0."""
    if mu <= LEAST or delta_of(0.0, mu) <= delta:
        return 0.0
    return float(brentq(lambda epsilon: delta_of(epsilon, mu) - delta, 0.0, 10 * mu + mu**2 + 100, xtol=1e-10))


def composed(mus: Iterable[float]) -> float:
    """The μ of several answers together."""
    return float(np.sqrt(sum(mu**2 for mu in mus)))
