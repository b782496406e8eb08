"""Two models on trial: what each was answered with, whether the difference is one, and when not to trust it.

Everything is counted over people: of one person the answers hang together. A rate Σ x / Σ y over people has the
variance of their x − rate · y (Deng, Knoblich & Lu, KDD 2018); a person who saw both counts in both, in one difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.stats

from graphrec.errors import EmptyDataError

DISTRUST = 0.001  # p below which the shares of people are not what they should be (Fabijan et al., KDD 2019)


@dataclass(frozen=True)
class Side:
    """What one side was answered with, and what came of it; times in seconds since 1970."""

    name: str
    users: int
    answers: int
    impressions: int
    events: int
    first: float
    latest: float


@dataclass(frozen=True)
class Rate:
    """One rate on both sides with intervals, their difference b − a, its p value (two-sided), and how many people each
    side needs to find a change by the stated share with 80 % power."""

    name: str
    a: tuple[float, float, float]
    b: tuple[float, float, float]
    difference: tuple[float, float, float]
    p_value: float
    users_needed: int | None


@dataclass(frozen=True)
class Trial:
    """Both sides, the rates, p of the ratio of people (None: no share was stated), and why not to trust it."""

    a: Side
    b: Side
    rates: tuple[Rate, ...]
    ratio_p: float | None
    warnings: tuple[str, ...]


def trial(shown: pd.DataFrame, a: str, b: str, share: float | None = None, effect: float = 0.05) -> Trial:
    """Compare two sides.

    Args:
        shown: one row an item that was shown: side, user_id, answer, time, event (1 where something came of it).
        share: of people whom b was to answer; None leaves the ratio unchecked.
        effect: relative change that ``users_needed`` is for.

    Raises EmptyDataError for a side that answered nobody.
    """
    for side in (a, b):
        if not (shown["side"] == side).any():
            known = ", ".join(sorted(map(str, shown["side"].dropna().unique()))) or "none"
            raise EmptyDataError(f"{side!r} answered nobody who is known; there are {known}")
    shown = shown[shown["side"].isin([a, b])]
    user = pd.factorize(shown["user_id"])[0]
    n = int(user.max()) + 1
    on_b = (shown["side"] == b).to_numpy()
    event = shown["event"].to_numpy(np.float64)

    def per_user(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.stack([np.bincount(user, values * (on_b == side), n) for side in (False, True)])  # (2, n)

    impressions, events = per_user(np.ones(len(user))), per_user(event)
    seen = (impressions > 0).astype(np.float64)
    sides = [_side(shown[on_b == which], name) for which, name in ((False, a), (True, b))]
    rates = (
        _rate("events per impression", events, impressions, effect),
        _rate("people with an event", (events > 0).astype(np.float64), seen, effect),
    )
    counts = seen.sum(axis=1)
    ratio_p = (
        None if share is None else float(scipy.stats.chisquare(counts, counts.sum() * np.array([1 - share, share]))[1])
    )
    told = []
    if ratio_p is not None and ratio_p < DISTRUST:
        found = counts[1] / counts.sum()
        told.append(
            f"do not trust this: {found:.1%} of the people are on the side of {b}, {share:.1%} were to be"
            f" (p = {ratio_p:.1g}); find out who is missing"
        )
    if both := int(seen.all(axis=0).sum()):
        told.append(f"{both:,} people saw both sides, so people were not assigned to one")
    if sides[0].latest < sides[1].first or sides[1].latest < sides[0].first:
        told.append("one side ended before the other began: what differs may be the time")
    if counts.min() < 100:
        told.append(f"only {int(counts.min()):,} people are on one side; intervals are rough below 100")
    return Trial(sides[0], sides[1], rates, ratio_p, tuple(told))


def users_needed(mean: float, variance: float, effect: float, level: float = 0.05, power: float = 0.8) -> int | None:
    """People on each side, so that a relative change of ``effect`` is found: 2 (z₁ + z₂)² σ² / (effect · mean)²; None
    where nothing is known of the mean."""
    if not mean or not variance:
        return None
    z = scipy.stats.norm.ppf(1 - level / 2) + scipy.stats.norm.ppf(power)
    return int(np.ceil(2 * z**2 * variance / (effect * mean) ** 2))


def _side(shown: pd.DataFrame, name: str) -> Side:
    times = shown["time"]
    users, answers = shown["user_id"].nunique(), shown["answer"].nunique()
    return Side(name, users, answers, len(shown), int(shown["event"].sum()), float(times.min()), float(times.max()))


def _rate(name: str, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], effect: float) -> Rate:
    """x, y float64 (2, n) of each person on both sides."""
    rates = x.sum(axis=1) / y.sum(axis=1)
    influence = (x - rates[:, None] * y) / y.sum(axis=1, keepdims=True)  # (2, n)
    on = (y > 0).sum(axis=1)
    small = on / np.maximum(on - 1, 1)
    errors = np.sqrt(small * (influence**2).sum(axis=1))
    error = float(np.sqrt((small[:, None] * influence**2).sum() - 2 * (influence[0] * influence[1]).sum()))
    z, gain = float(scipy.stats.norm.ppf(0.975)), float(rates[1] - rates[0])
    p = 2 * float(scipy.stats.norm.sf(abs(gain) / error)) if error > 0 else float(gain == 0)
    sides = [_wilson(float(r), float(e), int(n), z) for r, e, n in zip(rates, errors, on, strict=True)]
    needed = users_needed(float(rates[0]), float(errors[0] ** 2 * on[0]), effect)
    return Rate(name, sides[0], sides[1], (gain, max(-1.0, gain - z * error), min(1.0, gain + z * error)), p, needed)


def _wilson(rate: float, error: float, people: int, z: float) -> tuple[float, float, float]:
    """A rate and its interval, which stays between 0 and 1: Wilson's, with as many draws as have the standard error
    (Franco et al., JSSAM 2019); of a rate of 0 or 1, which has none, as many as there are people."""
    n = rate * (1 - rate) / error**2 if error > 0 and 0 < rate < 1 else float(people)
    middle, wide = (rate + z**2 / (2 * n)) / (1 + z**2 / n), z / (1 + z**2 / n)
    wide *= float(np.sqrt(max(0.0, rate * (1 - rate)) / n + z**2 / (4 * n**2)))
    return rate, max(0.0, middle - wide), min(1.0, middle + wide)


def team_draft(a: Sequence[str], b: Sequence[str], k: int, seed: int) -> tuple[list[str], list[str]]:
    """One list of two, and of each item the team, "a" or "b", that it counts for (Radlinski et al., CIKM 2008).

    The team with fewer items adds its best item that is not there yet; where they have as many, a coin decides.
    """
    random, merged, teams, lists = np.random.default_rng(seed), list[str](), list[str](), {"a": list(a), "b": list(b)}
    while len(merged) < k:
        ahead = teams.count("a") - teams.count("b")
        first = "a" if ahead < 0 or (ahead == 0 and random.random() < 0.5) else "b"
        for team in (first, "b" if first == "a" else "a"):
            if (best := next((item for item in lists[team] if item not in merged), None)) is not None:
                merged.append(best)
                teams.append(team)
                break
        else:
            break
    return merged, teams


@dataclass(frozen=True)
class Preference:
    """Whom people prefer in interleaved answers: the share of people for b less that for a, from -1 to 1, with its
    interval, p of a sign test over people, and how many people are for a, for b, and for neither."""

    value: float
    low: float
    high: float
    p_value: float
    for_a: int
    for_b: int
    for_neither: int


def preference(users: Sequence[str], wins: Sequence[int]) -> Preference:
    """By how much b is preferred to a in interleaved answers.

    Args:
        wins: of each answer, what b's items got more than a's. Of one person the signs of the answers are summed.

    The interval is that of a difference of matched proportions with half a person added to each of the four cells
    (Agresti & Min, Statistics in Medicine 24, 2005).
    """
    of = pd.Series(np.sign(wins), dtype=np.float64).groupby(np.asarray(users, object)).sum()
    up, down, n = int((of > 0).sum()), int((of < 0).sum()), len(of)
    p = float(scipy.stats.binomtest(up, up + down).pvalue) if up + down else 1.0
    value, middle = (up - down) / n if n else 0.0, (up - down) / (n + 2)
    error = np.sqrt(max(0.0, up + down + 1 - (up - down) ** 2 / (n + 2))) / (n + 2)
    wide = float(scipy.stats.norm.ppf(0.975) * error)
    return Preference(value, max(-1.0, middle - wide), min(1.0, middle + wide), p, down, up, n - up - down)
