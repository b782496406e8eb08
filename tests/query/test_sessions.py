"""Sessions: a pause that gaps tell is found, none is where they tell none, and histories are cut at it."""

from __future__ import annotations

import numpy as np
import pytest

from graphrec.explain.habits import sessions
from graphrec.query.sessions import pause_of, sessions_of
from graphrec.query.timeline import Timeline

DAY = 86_400


def line(gaps: np.ndarray, n: int = 20) -> Timeline:
    """n histories with these gaps, and one without events."""
    times = np.cumsum(gaps.reshape(n, -1), axis=1).astype(np.int64).ravel()
    counts = np.append(np.full(n, len(times) // n), 0)
    return Timeline(counts, np.zeros(len(times), np.int64), np.ones(len(times), np.float32), times)


@pytest.mark.parametrize("seed", range(3))
def test_a_pause_between_two_kinds_of_gaps_is_found_and_none_between_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    inside, between = random.lognormal(5, 1, 2000), random.lognormal(12, 1, 2000)  # minutes, days
    assert 0.5 < pause_of(line(np.where(random.random(2000) < 0.7, inside, between))) / 3600 < 4
    days = np.where(random.random(2000) < 0.5, 0, DAY * random.integers(1, 200, 2000))
    assert 0 < pause_of(line(days)) < DAY, "dates without an hour: a session is a day"
    for gaps in (random.exponential(DAY, 2000), random.lognormal(10, 2, 2000), np.ones(2000), inside[:100]):
        assert pause_of(line(gaps)) == 0.0


def test_what_lies_between_histories_is_no_gap() -> None:
    times = np.concatenate([np.arange(200), 10**9 + np.arange(200)])
    some = Timeline(np.array([200, 200]), np.zeros(400, np.int64), np.ones(400, np.float32), times)
    assert pause_of(some) == 0.0


def test_histories_are_cut_after_a_longer_gap() -> None:
    times = np.array([0, 10, 100, 105, 3, 4])
    some = Timeline(np.array([4, 0, 2]), np.zeros(6, np.int64), np.ones(6, np.float32), times)
    assert sessions_of(some, 50.0).tolist() == [0, 0, 1, 1, 2, 2]
    assert sessions_of(some, 90.0).tolist() == [0, 0, 0, 0, 1, 1], "more than that, not as much"
    assert sessions_of(some, 0.0).tolist() == [0, 0, 0, 0, 1, 1]


def test_the_sessions_of_a_profile() -> None:
    at = 1_600_473_600
    found = sessions(at + np.array([0, 60, 3 * DAY, 3 * DAY + 30, 3 * DAY + 90]), 3600.0)
    assert (found["count"], found["pause_hours"], found["usual_events"]) == (2, 1.0, 2.5)
    assert found["last"] == {"from": "2020-09-22T00:00:00Z", "to": "2020-09-22T00:01:30Z", "events": 3}
    assert sessions(None, 3600.0) == sessions(np.zeros(0, np.int64), 3600.0) == sessions(np.array([at]), 0.0) == {}
