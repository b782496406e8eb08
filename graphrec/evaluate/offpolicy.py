"""What would another policy have got? Estimates from answers that were given with known propensities.

A row is one place of one answer: which item stood there, what came of it (the reward r), and two probabilities: π with
which the logged policy puts that item at that place, and τ with which the policy in question does. The reward at a
place may depend on who asks, the item and the place, and on nothing else of the list (the item-position model, Li et
al., KDD 2018). With w = τ / π, n answers and the value V = Σ_p V_p of a list:

| | V_p | |
| --- | --- | --- |
| IPS | Σ w r / n | Horvitz & Thompson, JASA 47 (1952); for lists Li et al., KDD 2018 |
| SNIPS | (n_p / n) Σ w r / Σ w, over the n_p answers that have the place | Swaminathan & Joachims, NIPS 2015 |
| DR | Σ (Σ_a τ(a) q̂(a) + w (r − q̂)) / n | Dudík, Langford & Li, ICML 2011 |

IPS and DR are unbiased where π > 0 whenever τ > 0; else what cannot be seen counts as nothing (IPS) or as the model q̂
says (DR). ``clip`` bounds w, which trades variance for a bias towards nothing (Ionides, JCGS 17, 2008).

Intervals hold for people, not answers: what one person does hangs together. The asymptotic one is ± t · s with
s² = U / (U − 1) (Σ_u (Σ of u's influences)² + g) / n² over U users (Liang & Zeger, Biometrika 73, 1986). A log that
happens to show none of the rare, heavy places would look surer than it is, so g counts one more of them, W² mean(e²),
with W the largest weight that the log could have had and e what of the rewards is unexplained; as n grows it vanishes.
The bootstrap draws users (Field & Welsh, JRSS B 69, 2007), takes percentiles, and knows nothing of what it has not
seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.stats

from graphrec.errors import DataError
from graphrec.types import Ints

How: TypeAlias = Literal["ips", "snips", "dr"]
Doubles: TypeAlias = npt.NDArray[np.float64]
FEW = 100  # places, of the effective sample, below which an interval is not to be trusted
HEAVY = 0.1  # of all weight on one place, above which it is not either
DRAWN = 64  # resamples at a time


@dataclass(frozen=True)
class Logged:
    """R places of answers.

    Args:
        answers: int64 (R,), which answer. users: int64 (R,), whose; of one answer all the same.
        places: int64 (R,), from 1. rewards: float64 (R,).
        propensities: float64 (R,) in (0, 1], π of the item that stood there.
        targets: float64 (R,) in [0, 1], τ of the same item at the same place.
        predicted, expected: float64 (R,), for DR: q̂ of the item that stood there, and Σ_a τ(a) q̂(a) at that place.

    Raises DataError for arrays of other lengths, propensities outside of (0, 1], or no rows at all.
    """

    answers: Ints
    users: Ints
    places: Ints
    rewards: Doubles
    propensities: Doubles
    targets: Doubles
    predicted: Doubles | None = None
    expected: Doubles | None = None

    def __post_init__(self) -> None:
        sizes = {name: len(value) for name, value in vars(self).items() if value is not None}
        if len(set(sizes.values())) > 1:
            raise DataError(f"a log needs one value a row in every array, found {sizes}")
        if not len(self.answers):
            raise DataError("nothing was logged, so nothing can be estimated")
        if not ((self.propensities > 0) & (self.propensities <= 1)).all():
            raise DataError("propensities are above 0 and at most 1; leave out rows whose propensity is not known")

    def weights(self, clip: float | None = None) -> Doubles:
        """w = τ / π, at most ``clip``, float64 (R,)."""
        weights = self.targets / self.propensities
        return weights if clip is None else np.minimum(weights, clip)


@dataclass(frozen=True)
class Overlap:
    """How far the log can tell of the policy in question.

    ``matched``: places where the log shows what it would. ``effective``: (Σ w)² / Σ w², so many places of weight 1
    would say as much (Kish, Survey Sampling, 1965). ``mean``: of w, 1 where all that it would show could be logged.
    ``short``: whether it is below 1 by more than chance (one-sided, .1 %). ``clipped``: weights that were cut.
    """

    answers: int
    users: int
    places: int
    matched: int
    effective: float
    largest: float
    mean: float
    short: bool
    clipped: int

    def warnings(self) -> list[str]:
        """Why not to trust the estimates, a line each; none where nothing speaks against it."""
        out = []
        if self.effective < FEW:
            out.append(
                f"what it rests on is worth {self.effective:,.0f} places; below {FEW} an interval says too little:"
                " log more explored answers"
            )
        if self.matched and self.largest > HEAVY * self.mean * self.places:
            out.append(f"one place has {self.largest / (self.mean * self.places):.0%} of all weight: log more, or clip")
        if self.short:
            out.append(
                f"the mean weight is {self.mean:.2f} and should be 1: some of what it would show was never to be seen,"
                " and counts as nothing in IPS; SNIPS and DR guess it"
            )
        if self.clipped:
            out.append(f"{self.clipped:,} weights were cut, which draws IPS towards nothing")
        return out


@dataclass(frozen=True)
class Estimate:
    """The value of one list, with its interval; ``by_place`` float64 (P,) sums to it."""

    how: How
    value: float
    low: float
    high: float
    by_place: Doubles


def overlap(log: Logged, clip: float | None = None) -> Overlap:
    """How far a log can tell of a policy."""
    weights, whole = log.weights(clip), log.weights()
    n, n_users = len(np.unique(log.answers)), len(np.unique(log.users))
    squares, mean = float((weights**2).sum()), float(weights.mean())
    error = _error(weights - mean, log.users, len(weights)) if n_users > 1 else np.inf
    return Overlap(
        n,
        n_users,
        len(weights),
        int((whole > 0).sum()),
        float(weights.sum() ** 2 / squares) if squares else 0.0,
        float(weights.max()),
        mean,
        bool(mean < 1 - scipy.stats.norm.ppf(0.999) * error),
        int((weights < whole).sum()),
    )


def estimate(
    log: Logged,
    how: How = "snips",
    clip: float | None = None,
    level: float = 0.95,
    resamples: int = 0,
    seed: int = 42,
    cautious: bool = True,
) -> Estimate:
    """The value of the policy in question: the reward of one list.

    Args:
        clip: weights above are cut to it; None leaves all.
        resamples: of the bootstrap; 0 takes the asymptotic interval.
        cautious: whether that counts one more of the heaviest places, g.

    Raises DataError for DR without ``predicted`` and ``expected``, and for fewer than two users, who have no interval.
    """
    users, user = np.unique(log.users, return_inverse=True)
    if len(users) < 2:
        raise DataError("an interval needs answers of two users or more; one was found")
    n_places = int(log.places.max())
    _, first, answer = np.unique(log.answers, return_index=True, return_inverse=True)
    n, weights = len(first), log.weights(clip)
    if how == "dr":
        if log.predicted is None or log.expected is None:
            raise DataError("DR needs what a model of rewards predicts; give predicted and expected")
        gains = log.expected + weights * (log.rewards - log.predicted)
    else:
        gains = weights * log.rewards

    def by_user(values: Doubles) -> Doubles:
        """Sums by user and place, float64 (U, P)."""
        out = np.zeros((len(users), n_places))
        np.add.at(out, (user, log.places - 1), values)
        return out

    sums, weight, has = by_user(gains), by_user(weights), by_user(np.ones(len(user)))
    given = np.bincount(user[first], minlength=len(users)).astype(np.float64)  # (U,) answers

    def values(times: Doubles) -> Doubles:
        """The value by place where users count so many times, float64 (B, U) → (B, P)."""
        total, answers = times @ sums, (times @ given)[:, None]
        if how != "snips":
            return np.asarray(total / answers)
        under = times @ weight
        return np.divide(total * (times @ has), under * answers, out=np.zeros_like(total), where=under > 0)

    by_place = values(np.ones((1, len(users))))[0]
    value = float(by_place.sum())
    if resamples:
        random, drawn = np.random.default_rng(seed), []
        for start in range(0, resamples, DRAWN):
            size = min(DRAWN, resamples - start)
            times = random.multinomial(len(users), np.full(len(users), 1 / len(users)), size).astype(np.float64)
            drawn.append(values(times).sum(axis=1))
        low, high = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2])
        return Estimate(how, value, float(low), float(high), by_place)
    left = log.rewards - (log.predicted if how == "dr" and log.predicted is not None else 0)
    if how == "snips":
        total, count = weight.sum(axis=0), has.sum(axis=0)
        within = np.divide(
            sums.sum(axis=0), total, out=np.zeros(n_places), where=total > 0
        )  # (P,) mean of what matches
        scale = np.divide(count, total, out=np.zeros(n_places), where=total > 0)
        influence = weights * (log.rewards - within[log.places - 1]) * scale[log.places - 1]
        left = log.rewards - (np.bincount(log.places - 1, log.rewards) / np.maximum(count, 1))[log.places - 1]
    else:
        influence = gains - value * (np.arange(len(user)) == first[answer])
    heavy = min((log.targets.max() or 1.0) / log.propensities.min(), np.inf if clip is None else clip)
    error = _error(influence, user, n, heavy**2 * float((left**2).mean()) if cautious else 0.0)
    wide = float(scipy.stats.t.ppf((1 + level) / 2, len(users) - 1)) * error
    return Estimate(how, value, value - wide, value + wide, by_place)


def _error(influence: Doubles, users: Ints, n: int, more: float = 0.0) -> float:
    """The standard error of a mean over n from influences (R,) that sum to 0, in clusters of users, and ``more``."""
    found = np.unique(users, return_inverse=True)[1]
    sums = np.bincount(found, influence)
    return float(np.sqrt(len(sums) / (len(sums) - 1) * ((sums**2).sum() + more)) / n)


def rewards_of(
    items: Ints,
    places: Ints,
    rewards: Doubles,
    users: Ints,
    wanted: Sequence[Ints],
    folds: int = 5,
    seed: int = 42,
) -> list[Doubles]:
    """A simple model of rewards, q̂(item, place) = θ_place f_item, learned of other people than it predicts.

    θ is the mean reward of a place, and f how much more an item gets than its places do, (Σ r + 1) / (Σ θ + 1): as if
    each had been expected to get one, and had.

    Args:
        items, places, rewards, users: (R,) of the log.
        wanted: arrays int64 (R,) of items to predict at the places of the log; -1, for no item, gives 0.

    Returns float64 (R,) for each of ``wanted``.
    """
    people, person = np.unique(users, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(people))[person] % folds  # (R,)
    n_items, n_places = 1 + max(int(items.max()), *(int(some.max()) for some in wanted)), int(places.max())
    out = [np.zeros(len(items)) for _ in wanted]
    for n in range(folds):
        learn = fold != n  # No leakage. What is predicted of people is learned of others.
        at, what = places[learn] - 1, rewards[learn]
        count = np.bincount(at, minlength=n_places)
        theta = np.bincount(at, what, n_places) / np.maximum(count, 1)
        got = np.bincount(items[learn], what, n_items)
        due = np.bincount(items[learn], theta[at], n_items)
        factor = (got + 1) / (due + 1)
        for some, values in zip(wanted, out, strict=True):
            rows = np.flatnonzero(~learn & (some >= 0))
            values[rows] = theta[places[rows] - 1] * factor[some[rows]]
    return out
