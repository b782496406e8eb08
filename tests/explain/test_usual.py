"""Usual places: planted ones are found with their hours, and nothing is told of what is not known."""

from __future__ import annotations

import numpy as np

from graphrec.explain.usual import usual_places

HOUR, DAY = 3_600, 86_400


def test_home_by_night_and_work_by_day() -> None:
    rng = np.random.default_rng(0)
    home, work = np.array([48.1, 11.5]), np.array([48.2, 11.7])
    turns = np.arange(30)
    at_work = turns % 3 == 0
    points = np.where(at_work[:, None], work, home) + rng.normal(0, 0.001, (30, 2))
    times = turns * DAY + np.where(at_work, 10, 21) * HOUR
    points[29] = np.nan
    first, second = usual_places(points, times)
    np.testing.assert_allclose(first["at"], home, atol=0.002)
    np.testing.assert_allclose(second["at"], work, atol=0.002)
    assert (first["events"], second["events"]) == (19, 10)
    assert first["share"] + second["share"] == 1
    assert first["hours"][21] == 19
    assert second["hours"][10] == 10


def test_what_is_not_known_is_not_told() -> None:
    nowhere = np.full((3, 2), np.nan)
    assert usual_places(nowhere, np.arange(3)) == []
    assert usual_places(np.zeros((0, 2))) == []
    (place,) = usual_places(np.zeros((2, 2)), np.array([0, DAY]))
    assert "hours" not in place
    assert place["share"] == 1


def test_the_line_of_dates_and_many_points() -> None:
    (place,) = usual_places(np.array([[10.0, 179.999], [10.0, -179.999]]))
    assert place["events"] == 2
    far = np.column_stack([np.linspace(-60, 60, 3000), np.zeros(3000)])
    assert [p["events"] for p in usual_places(far)] == [1] * 5
