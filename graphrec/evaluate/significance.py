"""Is one model better than another on these users, and how sure is a mean?

The test is the paired two-sided t-test over users: with thousands of pairs its statistic is close to normal whatever
the metric's own distribution, and it is the most reliable of the usual tests on retrieval metrics (Urbano, Lima &
Hanjalic, SIGIR 2019). Several comparisons at once are corrected by Holm's method.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.stats

from graphrec.errors import DataError
from graphrec.evaluate.ranking import Report
from graphrec.types import Ints

Values: TypeAlias = npt.NDArray[np.floating[Any]]


def paired_p_value(a: Values, b: Values) -> float:
    """p value of the paired two-sided t-test between metrics (n,) of the same users.

    1.0 where it cannot be told: fewer than two users, or no difference at all. Raises DataError for unequal lengths.
    """
    if len(a) != len(b):
        raise DataError(f"a paired test needs the same users on both sides, found {len(a)} and {len(b)}")
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    if len(a) < 2 or not difference.any():
        return 1.0
    if np.ptp(difference) == 0:
        return 0.0  # the same gain for every user: no variance
    return float(scipy.stats.ttest_1samp(difference, 0.0).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted for their number, in the given order (Holm, Scand. J. Statist. 6, 1979): reject where ≤ α."""
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty_like(p)
    out[order] = np.minimum(stepped, 1.0)
    return [float(x) for x in out]


def bootstrap_interval(
    values: Values, level: float = 0.95, resamples: int = 2000, seed: int = 42
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over users (n,), n ≥ 1 (Efron, Ann. Statist. 7, 1979)."""
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    found = scipy.stats.bootstrap(
        (np.asarray(values, np.float64),),
        np.mean,
        confidence_level=level,
        n_resamples=resamples,
        batch=16,  # bounds the memory at 16 resamples
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def of_people(values: Values, people: Ints) -> Values:
    """Sums float64 of the values (n,) of each person, by number; who each value is of, ``people`` int64 (n,), may be
    told several times."""
    place = np.unique(people, return_inverse=True)[1]
    return np.bincount(place, np.asarray(values, np.float64)).astype(np.float64)


def standard_error(values: Values, people: Ints) -> float | None:
    """Of the mean of values (n,), where those of one person (``people``, int64 (n,)) are no news of anybody else
    (clusters: Liang and Zeger, Biometrika 73, 1986); of single values that of the mean. None for one person."""
    apart = of_people(values - values.mean(dtype=np.float64), people)
    n = len(apart)
    return float((n / (n - 1) * np.square(apart).sum()) ** 0.5 / len(values)) if n > 1 else None


def intervals(report: Report, people: Ints | None = None) -> dict[str, list[float] | None]:
    """Of each metric that people have one by one, the ends of the 95 % interval of its mean by Student's t; None for
    one person, of whom nothing tells how others differ. ``people``: whose each row is, int64 (n,), by default one's
    each."""
    people = report.user_nums if people is None else people
    n = len(np.unique(people))
    out: dict[str, list[float] | None] = {}
    for name, values in report.per_user.items():
        error = standard_error(values, people)
        half = None if error is None else float(scipy.stats.t.ppf(0.975, n - 1)) * error
        mean = float(values.mean(dtype=np.float64))
        out[name] = None if half is None else [max(0.0, mean - half), min(1.0, mean + half)]
    return out
