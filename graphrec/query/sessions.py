"""Histories cut into sessions: what was done in one go, between two pauses."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from graphrec.query.timeline import Timeline
from graphrec.types import Ints

LEAST = 200  # gaps, below which they tell nothing
SAMPLE = 3_000  # of them that are looked at, at equal steps in order of length
VALLEY = 0.5  # how dense, of the lower of the two peaks, what lies between them may be
POINTS = 1000  # at which a valley is looked for
BLUR = 0.05  # variance at least, of log₂ seconds
STEPS = 100  # of expectation and maximisation
Doubles: TypeAlias = npt.NDArray[np.float64]


def pause_of(line: Timeline) -> float:
    """The seconds between two events from which another session begins; 0.0 where the gaps tell none.

    Of the logarithms of the gaps within histories a mixture of two normal distributions is made, of those inside a
    session and of those between two; the pause is where both are as likely (Halfaker et al., WWW 2015). Where no valley
    lies between the two there are no sessions. Times that are places in a sequence have gaps of one, and tell none.
    """
    if line.times is None or len(line.times) < 2:
        return 0.0
    inside = np.ones(len(line.times) - 1, bool)
    inside[line.ends[1:-1][(line.ends[1:-1] > 0) & (line.ends[1:-1] < len(line.times))] - 1] = False
    gaps = np.sort(np.log2(1.0 + np.maximum(np.diff(line.times)[inside], 0)))
    if len(gaps) < LEAST or gaps[0] == gaps[-1]:
        return 0.0
    some = gaps[np.linspace(0, len(gaps) - 1, min(len(gaps), SAMPLE)).astype(np.int64)]
    means, variances, shares = _two(some)
    between = np.linspace(means[0], means[1], POINTS)
    parts = _densities(between, means, variances, shares)  # (2, POINTS)
    density = parts.sum(axis=0)
    if not density.min() < VALLEY * min(density[0], density[-1]):
        return 0.0
    return float(np.exp2(between[int(np.argmax(parts[1] >= parts[0]))]) - 1)


def _two(values: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Means, the lower first, variances and shares of two normal distributions that values (n,), ascending, are of."""
    means = np.quantile(values, [0.1, 0.9])
    means = means if means[0] < means[1] else values[[0, -1]]
    variances, shares = np.full(2, max(float(values.var()) / 4, BLUR)), np.full(2, 0.5)
    for _ in range(STEPS):
        parts = _densities(values, means, variances, shares)
        parts /= np.maximum(parts.sum(axis=0), 1e-300)
        counts = np.maximum(parts.sum(axis=1), 1e-9)
        means, shares = (parts @ values) / counts, counts / len(values)
        variances = np.maximum((parts * np.square(values - means[:, None])).sum(axis=1) / counts, BLUR)
    order = np.argsort(means)
    return means[order], variances[order], shares[order]


def _densities(values: Doubles, means: Doubles, variances: Doubles, shares: Doubles) -> Doubles:
    """Of each distribution at values (n,), float64 (2, n)."""
    distance = np.square(values - means[:, None]) / variances[:, None]
    out: Doubles = (shares / np.sqrt(variances))[:, None] * np.exp(-distance / 2)
    return out


def sessions_of(line: Timeline, pause: float) -> Ints:
    """The session of each event of these histories, int64 (E,), from 0 on: one a history, and another after each gap of
    more than ``pause`` seconds; 0 makes no cut."""
    new = np.zeros(len(line.items), bool)
    new[line.ends[:-1][line.counts > 0]] = True
    if pause and line.times is not None:
        new[1:] |= np.diff(line.times) > pause
    return np.cumsum(new).astype(np.int64) - 1
