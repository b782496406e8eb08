"""What Gaussian noise costs in privacy, exactly, and how costs add up.

A sum that one person moves by Δ at most, with noise of deviation σ, is μ-GDP with μ = Δ/σ: telling whether somebody
took part is as hard as telling N(0, 1) from N(μ, 1). Several such answers, each asked in the light of those before, are
together √Σμ²-GDP (Dong, Roth and Su, Gaussian Differential Privacy, JRSS B 2022, corollary 2); so is one answer more in
a refit. In ε and δ that is (Balle and Wang, ICML 2018, theorem 8)

    δ(ε) = Φ(μ/2 − ε/μ) − e^ε Φ(−μ/2 − ε/μ)

Steps on people who are drawn by chance (``steps``) are no Gaussian alone. They and it are put together by numbers: the
distribution of what all of it may tell (PRV accountant: Gopi, Lee and Wutschitz, NeurIPS 2021), as Opacus has it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from graphrec.errors import ConfigError

LEAST, MOST = 1e-6, 1e4  # μ between which it is looked for
QUIETEST, LOUDEST = 0.3, 100.0  # noise of steps between which it is looked for
ERROR = 0.05  # of an ε by numbers, which is the upper bound
COUNTED = 100.0  # ε up to which it is by numbers; beyond, which promises nothing, their memory and their errors grow
REMEDY = "private steps need the package opacus; pip install 'graphrec[privacy]', or leave the block out"


class Sampled(NamedTuple):
    """Steps: of everybody with chance ``rate`` in each, with noise of ``noise`` times what one person can add."""

    noise: float
    rate: float
    steps: int


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


def epsilon_of_sampled(mus: Sequence[float], sampled: Sequence[Sampled], delta: float) -> float:
    """The ε that Gaussian answers and steps cost together at this δ, an upper bound: by numbers, and beyond ``COUNTED``
    the sum of both at half of δ, of steps by Rényi's (Mironov, Talwar and Zhang, 2019). Raises ConfigError where Opacus
    is not installed."""
    if not sampled:
        return epsilon_of(composed(mus), delta)
    try:
        from opacus.accountants import PRVAccountant, RDPAccountant
    except ImportError:
        raise ConfigError(REMEDY) from None
    exact, wide = PRVAccountant(), RDPAccountant()
    wide.history = [tuple(each) for each in sampled]
    with warnings.catch_warnings(), np.errstate(all="ignore"):  # it takes logarithms of 0, and says how it guesses
        warnings.filterwarnings("ignore", "Optimal order is the")
        both = epsilon_of(composed(mus), delta / 2) + float(wide.get_epsilon(delta / 2))
        if both > 2 * COUNTED:
            return both
        exact.history = [(1 / mu, 1.0, 1) for mu in mus if mu > 0] + wide.history
        return float(exact.get_epsilon(delta, eps_error=ERROR))


def noise_of(epsilon: float, delta: float, mu: float, rate: float, steps: int) -> float:
    """The least noise, up to 3 %, of so many steps that with a Gaussian answer of ``mu`` cost no more than (ε, δ).
    Raises ConfigError where the answer leaves nothing for steps, and for an ε that is not counted."""
    if epsilon > COUNTED:
        raise ConfigError(
            f"privacy: ε = {epsilon:g}; private steps are counted up to {COUNTED:g}, beyond which ε promises nothing; "
            "lower privacy.epsilon, or leave it out"
        )
    low, high = math.log(QUIETEST), math.log(LOUDEST)
    if epsilon_of_sampled([mu], [Sampled(LOUDEST, rate, steps)], delta) > epsilon:
        raise ConfigError(f"privacy: ε = {epsilon:g} leaves nothing for {steps} private steps; raise privacy.epsilon")
    while high - low > 0.03:
        middle = (low + high) / 2
        told = epsilon_of_sampled([mu], [Sampled(math.exp(middle), rate, steps)], delta)
        low, high = (middle, high) if told > epsilon else (low, middle)
    return math.exp(high)
