"""Exposure: over many answers, what is shown often costs a price, so that more of the catalogue is shown.

    value(u, i) = exp((s_ui − s_u1) / (2 σ_u)) · r_ui^(−1/4) − strength · price_i

r is the place of an item among the candidates by its score s, σ the deviation of these: an estimate of how likely it is
taken, against that of the first, which falls faster than the score, so that what is surely wanted keeps its place. The
k items of the highest value are shown, in the order of their scores.

Prices come of a controller that is run over the lists of many people until it settles: each round raises the price of
what is shown more often than the others and lowers that of what is shown less, in the log, price ← mean over rounds of
log(1 + shown) / log(1 + mean shown). It is a controller as FairCo (Morik et al., SIGIR 2020), with every item a group
of its own; once it has settled its correction is a number for each item, so an answer needs no state, and in the mean
over many answers exposure is what the controller brought it to.

Groups of items (a brand, a band of popularity, a provider) are held to shares of exposure in the same way: the price of
a group is the mean over rounds of log(its share / the share it should have), and an item costs the mean of its groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.errors import ConfigError
from graphrec.rerank.api import Candidates, number
from graphrec.types import Floats, Ints

SPARE = 190  # candidates beyond k
HALVED, FALL = 2.0, 0.25  # deviations in the exponent; of the place
ROUNDS = 20
LEAST = 1e-4  # of a share, whose logarithm would be infinite


@dataclass(frozen=True)
class Exposure:
    """Prices for what is shown often. States ``price``, the share of the summed worth that is given up against the
    plain top k, and ``raised``, how many items are shown that would not have been.

    Args: strength: of the prices, 0 (the plain order) or more. Needs ``Candidates.prices``, which a model has that was
        fitted with ``fair.target``.
    """

    strength: float

    def __post_init__(self) -> None:
        number(str(self.strength), "exposure", 0)

    def __str__(self) -> str:
        return f"exposure={self.strength!r}"

    @classmethod
    def read(cls, argument: str) -> Exposure:
        """From a strength of at least 0. Raises ConfigError."""
        return cls(number(argument, "exposure", 0))

    def beyond(self, k: int) -> int:
        return SPARE if self.strength else 0

    def rerank(self, candidates: Candidates, k: int) -> Candidates:
        """The k items of the highest value, by score. Raises ConfigError where the model has no prices."""
        if candidates.prices is None:
            raise ConfigError("exposure: this model holds no prices; fit it with fair.target, such as gini:-20%")
        if not len(candidates):
            return candidates.take(np.zeros(0, np.int64), self, k, price=0.0, raised=0)
        worth = worths(candidates.scores[None])  # (1, n)
        bonus = -self.strength * priced(candidates.prices, candidates.item_nums)[None]
        shown = chosen(worth, bonus, k)[0]
        total, kept = float(worth[0, :k].sum()), float(worth[0, shown].sum())
        raised = int((shown >= k).sum())
        return candidates.take(shown, self, k, price=(total - kept) / total if total else 0.0, raised=raised)


def worths(scores: Floats) -> Floats:
    """What each candidate is worth, float32 (B, n), 1 for the first, from scores (B, n) that descend; 0 for -inf."""
    there = np.isfinite(scores)
    deviation = np.std(scores, axis=1, keepdims=True, where=there)
    deviation = np.where(deviation > 0, deviation, 1.0)
    with np.errstate(invalid="ignore"):
        fall = np.where(there, scores - scores[:, :1], -np.inf)
        fall = np.exp(fall / (HALVED * deviation))
    return np.asarray(fall * (1.0 + np.arange(scores.shape[1])) ** -FALL, np.float32)


def chosen(worth: Floats, bonus: Floats, k: int) -> Ints:
    """The places int64 (B, min(k, n)) of the k candidates of the highest worth + bonus (B, n), ascending; of equal ones
    the first."""
    k = min(k, worth.shape[1])
    order = np.argsort(-(worth + bonus), axis=1, kind="stable")[:, :k]
    return np.sort(order, axis=1).astype(np.int64)


def priced(prices: Floats, item_nums: Ints) -> Floats:
    """The prices of items; of what came since they were learned, none."""
    out = np.zeros(item_nums.shape, np.float32)
    known = (item_nums >= 0) & (item_nums < len(prices))
    out[known] = prices[item_nums[known]]
    return out


def prices_of(items: Ints, scores: Floats, n_items: int, strength: float, k: int, rounds: int = ROUNDS) -> Floats:
    """Prices float32 (I,) at which the controller settles on the lists of many people.

    Args:
        items, scores: candidates of each (U, n), best first; -1 and -inf where there are none left.
    """
    worth, price = worths(scores), np.zeros(n_items, np.float64)
    worth = np.where(items >= 0, worth, -np.inf).astype(np.float32)
    for turn in range(rounds):
        bonus = -strength * priced(price.astype(np.float32), items)
        shown = np.take_along_axis(items, chosen(worth, bonus, k), axis=1)
        counts = np.bincount(shown[shown >= 0], minlength=n_items).astype(np.float64)
        now = np.log1p(counts) / max(np.log1p(counts.mean()), 1e-9)
        price += (now - price) * (2 / (turn + 2))
    return price.astype(np.float32)


@dataclass(frozen=True)
class Shares:
    """Groups of items, and the share of exposure that each should have.

    Shapes: member: CSR (I, G). wanted: float64 (G,), of sum 1.
    """

    member: sp.csr_matrix
    wanted: npt.NDArray[np.float64]

    @classmethod
    def taken(cls, member: sp.csr_matrix, counts: npt.NDArray[np.float64]) -> Shares:
        """Shares as people took the groups, from how often each item was taken, (I,)."""
        sums = np.asarray(member.T @ counts, np.float64).ravel()
        return cls(member, sums / max(sums.sum(), 1e-9))

    def of(self, shown: Ints) -> npt.NDArray[np.float64]:
        """The share of exposure that each group has in lists int64 (U, k), float64 (G,); rank r counts 1 / log2(r + 1)
        (Singh & Joachims, KDD 2018)."""
        rows, ranks = np.nonzero(shown >= 0)
        weights = 1 / np.log2(ranks + 2.0)
        exposed = np.bincount(shown[rows, ranks], weights, self.member.shape[0])
        sums = np.asarray(self.member.T @ exposed, np.float64).ravel()
        return np.asarray(sums / max(sums.sum(), 1e-9), np.float64)

    def apart(self, shown: Ints) -> float:
        """How far exposure is from what is wanted: half the sum of what shares differ, 0 to 1."""
        return float(np.abs(self.of(shown) - self.wanted).sum() / 2)


def prices_of_groups(
    items: Ints, scores: Floats, shares: Shares, strength: float, k: int, rounds: int = ROUNDS
) -> Floats:
    """Prices float32 (I,) at which exposure of groups settles on the lists of many people; as ``prices_of``."""
    worth = np.where(items >= 0, worths(scores), -np.inf).astype(np.float32)
    of = np.asarray(shares.member.sum(axis=1)).ravel()  # (I,), how many groups each is in
    price = np.zeros(len(shares.wanted))
    own = np.zeros(len(of), np.float32)
    for turn in range(rounds):
        shown = np.take_along_axis(items, chosen(worth, -strength * priced(own, items), k), axis=1)
        now = np.log((shares.of(shown) + LEAST) / (shares.wanted + LEAST))
        price += (now - price) * (2 / (turn + 2))
        own = np.asarray((shares.member @ price) / np.maximum(of, 1), np.float32)
    return own
