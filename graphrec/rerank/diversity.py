"""Diversity: items that are like those above them move down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphrec.rerank.api import Candidates, number
from graphrec.types import Floats

FEWEST, TIMES = 50, 4  # candidates beyond k: so many, or so many times k


@dataclass(frozen=True)
class Diversity:
    """Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998), greedily, one place after the other:

        argmax over i not chosen of  (1 - strength) · score(i) - strength · max over j chosen of cos(i, j)

    with the scores of the candidates brought to 0 … 1, and the cosine of item profiles, 0 for one without a profile.
    States ``price``, the share of the summed score that is given up against the plain top k (of their sum of absolute
    scores; None where that is 0), and ``likeness``, the mean cosine of two of the list, before and after.

    Args: strength: 0 (the plain order) to 1 (likeness alone counts after the first item).
    """

    strength: float

    def __post_init__(self) -> None:
        number(str(self.strength), "diversity", 0, 1)

    def __str__(self) -> str:
        return f"diversity={self.strength!r}"

    @classmethod
    def read(cls, argument: str) -> Diversity:
        """From a strength between 0 and 1. Raises ConfigError."""
        return cls(number(argument, "diversity", 0, 1))

    def beyond(self, k: int) -> int:
        return max(FEWEST, TIMES * k) if self.strength else 0

    def rerank(self, candidates: Candidates, k: int) -> Candidates:
        """Greedily by (1 - strength) · relevance - strength · likeness to the nearest chosen item."""
        scores, k = candidates.scores.astype(np.float64), min(k, len(candidates))
        units = _units(candidates.profiles(candidates.item_nums))  # (n, d)
        spread = float(np.ptp(scores)) if len(scores) else 0.0
        relevance = (1 - self.strength) * ((scores - scores.min(initial=np.inf)) / spread if spread > 0 else 0 * scores)
        likeness = np.full(len(scores), -np.inf)  # (n,), to the nearest chosen one
        chosen = np.zeros(k, np.int64)
        left = np.ones(len(scores), np.bool_)
        for place in range(k):
            value = relevance - self.strength * (likeness if place else 0)
            chosen[place] = best = int(np.argmax(np.where(left, value, -np.inf)))
            left[best] = False
            likeness = np.maximum(likeness, units @ units[best])
        plain = scores[:k]
        total = float(np.abs(plain).sum())
        price = float(plain.sum() - scores[chosen].sum()) / total if total else None
        alike = [_likeness(units[:k]), _likeness(units[chosen])]
        return candidates.take(chosen, self, k, price=price, likeness=alike)


def _units(profiles: Floats) -> Floats:
    """Profiles at length 1, float32 (n, d); zero ones stay."""
    lengths = np.linalg.norm(profiles, axis=1, keepdims=True)
    return np.asarray(profiles / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _likeness(units: Floats) -> float | None:
    """Mean cosine of two different ones; None of fewer than two."""
    n = len(units)
    if n < 2:
        return None
    products = units @ units.T  # (n, n)
    return float((products.sum() - np.trace(products)) / (n * (n - 1)))
