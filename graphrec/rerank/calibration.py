"""Calibration: a list holds the values of an attribute in the shares in which somebody took them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphrec.errors import ConfigError
from graphrec.rerank.api import Candidates, number
from graphrec.rerank.attributes import Attribute
from graphrec.types import Ints

FEWEST, TIMES = 50, 4  # candidates beyond k: so many, or so many times k
SMOOTH = 0.01  # of what was taken that is mixed into a list, so that what it lacks is not infinitely far
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Calibrated recommendations (Steck, RecSys 2018), greedily, one place after the other:

        argmax over i not chosen of  (1 − strength) · Σ_{j chosen or i} score(j) − strength · KL(p ‖ 0.99 q + 0.01 p)

    p are the shares of the attribute's values among what somebody took and likes, q those of the list with i; an item
    of several values counts for each a part, one without any for none. Scores are brought to 0 … 1 and summed. States
    ``off``, the divergence in nats before and after, and ``price``, the share of the summed scores (brought to 0 … 1)
    that is given up against the plain top k. Of somebody of whom nothing with a value is known the order stays, and
    ``off`` is None.

    Args: attribute: of items. strength: 0 (the plain order) to 1.
    """

    attribute: str
    strength: float

    def __post_init__(self) -> None:
        number(str(self.strength), "calibration", 0, 1)

    def __str__(self) -> str:
        return f"calibration={self.attribute}:{self.strength!r}"

    @classmethod
    def read(cls, argument: str) -> Calibration:
        """From ``ATTRIBUTE:STRENGTH``. Raises ConfigError."""
        name, _, strength = argument.rpartition(":")
        if not name.strip():
            raise ConfigError(
                f"calibration: found {argument!r}; an attribute and a strength are wanted: calibration=genre:0.5"
            )
        return cls(name.strip(), number(strength, "calibration", 0, 1))

    def beyond(self, k: int) -> int:
        return max(FEWEST, TIMES * k) if self.strength else 0

    def rerank(self, candidates: Candidates, k: int) -> Candidates:
        """Greedily by relevance less divergence. Raises ConfigError for an attribute that there is not."""
        attribute, k = candidates.attributes[self.attribute], min(k, len(candidates))
        wanted = _parts(attribute, candidates.liked).sum(axis=0)  # (G,)
        if not wanted.any() or not k:
            return candidates.take(np.arange(k), self, k, off=None, price=0.0)
        wanted /= wanted.sum()
        parts, scores = _parts(attribute, candidates.item_nums), candidates.scores.astype(np.float64)  # (n, G), (n,)
        spread = float(np.ptp(scores))
        worth = (scores - scores.min()) / spread if spread > 0 else 0 * scores
        chosen, left, held = np.zeros(k, np.int64), np.ones(len(scores), np.bool_), np.zeros(len(wanted))
        for place in range(k):
            value = (1 - self.strength) * worth - self.strength * divergence(wanted, held + parts)
            chosen[place] = best = int(np.argmax(np.where(left, value, -np.inf)))
            left[best] = False
            held += parts[best]
        off = [float(divergence(wanted, parts[rows].sum(axis=0)[None])[0]) for rows in (np.arange(k), chosen)]
        total = float(worth[:k].sum())
        price = (total - float(worth[chosen].sum())) / total if total else 0.0
        return candidates.take(chosen, self, k, off=off, price=price)


def divergence(wanted: Doubles, held: Doubles) -> Doubles:
    """KL(p ‖ 0.99 q + 0.01 p) in nats of each row of counts (n, G) from shares (G,), float64 (n,); a row of nothing is
    as far as can be."""
    sums = held.sum(axis=1, keepdims=True)
    shares = np.divide(held, sums, out=np.zeros_like(held), where=sums > 0)
    mixed = (1 - SMOOTH) * shares + SMOOTH * wanted
    there = wanted > 0
    return np.asarray((wanted[there] * np.log(wanted[there] / mixed[:, there])).sum(axis=1), np.float64)


def _parts(attribute: Attribute, item_nums: Ints) -> Doubles:
    """What part of each item is of each value, float64 (n, G)."""
    out = np.zeros((len(item_nums), len(attribute.names)))
    for row, item_num in enumerate(item_nums.tolist()):
        codes = np.unique(attribute.codes_of(item_num))
        out[row, codes] = 1 / max(len(codes), 1)
    return out
