"""Significance: against exact tests by enumeration, golden corrections, and coverage of the interval."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from graphrec.errors import DataError
from graphrec.evaluate.ranking import Report
from graphrec.evaluate.significance import bootstrap_interval, holm, intervals, paired_p_value, standard_error
from tests.reference import naive_sign_flip_p_value


def test_golden_t_test() -> None:
    """Differences 1, 2, 3: mean 2, standard error 1/√3, t = 2√3 on 2 degrees of freedom."""
    expected = 2 * scipy.stats.t.sf(2 * np.sqrt(3), 2)
    assert paired_p_value(np.array([2.0, 4, 6]), np.array([1.0, 2, 3])) == pytest.approx(expected)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5])
def test_close_to_exact_permutation_test(shift: float) -> None:
    random = np.random.default_rng(2)
    a, b = random.random(14) + shift, random.random(14)
    assert paired_p_value(a, b) == pytest.approx(naive_sign_flip_p_value(a, b), abs=0.03)


def test_pairing_matters() -> None:
    """A small gain for every user is certain, although users differ far more among themselves."""
    users = np.linspace(0, 1, 200)
    gain = 0.01 + 0.002 * np.sin(np.arange(200))
    assert paired_p_value(users + gain, users) < 1e-6
    assert scipy.stats.ttest_ind(users + gain, users).pvalue > 0.5


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [([], [], 1.0), ([1.0], [0.0], 1.0), ([0.5, 0.25], [0.5, 0.25], 1.0), ([1.0, 1, 1], [0.5, 0.5, 0.5], 0.0)],
)
def test_degenerate_pairs(a: list[float], b: list[float], expected: float) -> None:
    assert paired_p_value(np.array(a), np.array(b)) == expected


def test_different_users_are_refused() -> None:
    with pytest.raises(DataError, match="3 and 2"):
        paired_p_value(np.zeros(3), np.zeros(2))


def test_holm_golden() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(4)
    covered = 0
    for seed in range(100):
        low, high = bootstrap_interval(random.exponential(1.0, 80), resamples=300, seed=seed)
        covered += low <= 1.0 <= high
    assert 85 <= covered <= 99


def test_interval_is_seeded_and_shrinks_with_users() -> None:
    values = np.random.default_rng(0).random(4000)
    low, high = bootstrap_interval(values)
    assert (low, high) == bootstrap_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(4000), rel=0.1)


def test_interval_of_equal_values_is_a_point() -> None:
    assert bootstrap_interval(np.array([0.25, 0.25])) == (0.25, 0.25)
    assert bootstrap_interval(np.array([0.25])) == (0.25, 0.25)


def test_whoever_is_asked_several_times_is_one_person() -> None:
    values = np.random.default_rng(5).random(40).astype(np.float32)
    once = Report({}, {"ndcg@5": values}, np.arange(40))
    often = Report({}, {"ndcg@5": np.tile(values, 4)}, np.arange(160))
    ends = intervals(once)["ndcg@5"]
    assert ends is not None
    t = scipy.stats.t.interval(0.95, 39, values.mean(), scipy.stats.sem(values.astype(float)))
    assert ends == pytest.approx(t, abs=1e-6)
    assert intervals(often, np.tile(np.arange(40), 4))["ndcg@5"] == pytest.approx(ends)
    assert standard_error(values[:4], np.zeros(4, np.int64)) is None
