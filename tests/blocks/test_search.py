"""The search of hyper-parameters: what it finds, what it asks for, and how many points it may ask for."""

from __future__ import annotations

from itertools import product

import pytest

from graphrec.blocks.search import Chosen, search, spread

SPACE = {"a": range(5), "b": range(4)}


class Asked:
    """A score of points, and those that were asked for."""

    def __init__(self, best: tuple[int, int]) -> None:
        self.points: list[tuple[int, int]] = []
        self.peak = best

    def __call__(self, point: Chosen) -> float:
        self.points.append((point["a"], point["b"]))
        return 10.0 - abs(int(point["a"]) - self.peak[0]) - abs(int(point["b"]) - self.peak[1])


@pytest.mark.parametrize("trials", [1, 2, 7, 19])
def test_no_more_points_than_allowed(trials: int) -> None:
    asked = Asked((4, 3))
    found = search(SPACE, asked, trials=trials)
    assert len(asked.points) == len(set(asked.points)) <= trials
    assert (found["a"], found["b"]) == max(asked.points, key=lambda p: p[0] + p[1])


def test_a_small_space_is_searched_whole() -> None:
    """One name after another would stop at (0, 0): its two neighbours are worse, and the best point is neither."""
    scores = {(0, 0): 2.0, (1, 1): 3.0}

    def score(point: Chosen) -> float:
        return scores.get((point["a"], point["b"]), 1.0)

    space, start = {"a": (0, 1), "b": (0, 1)}, {"a": 0, "b": 0}
    assert search(space, score, start) == {"a": 0, "b": 0}
    assert search(space, score, start, trials=3) == {"a": 0, "b": 0}
    assert search(space, score, start, trials=4) == {"a": 1, "b": 1}
    assert search(space, score, start, [("a",), ("b",)], trials=4) == {"a": 1, "b": 1}
    asked = Asked((2, 2))
    search(SPACE, asked, trials=20)
    assert sorted(asked.points) == sorted(product(range(5), range(4)))


def test_of_equals_the_first_is_kept_and_trials_do_not_change_that() -> None:
    for trials in (None, 3, 100):
        assert search({"x": (1, 2, 3)}, lambda _: 0.5, {"x": 1}, trials=trials) == {"x": 1}


def test_another_reading_must_be_better_by_a_standard_error_in_a_whole_search_too() -> None:
    score = {("liked", 0): 0.2, ("liked", 1): 0.19, ("alike", 0): 0.1, ("alike", 1): 0.2015}

    def scored(point: Chosen) -> float:
        return score[point["reading"], point["x"]]

    space = {"x": (0, 1), "reading": ("liked", "alike")}
    start = {"x": 0, "reading": "liked"}
    assert search(space, scored, start, users=300, trials=10) == {"x": 0, "reading": "liked"}
    assert search(space, scored, start, users=10_000, trials=10) == {"x": 1, "reading": "alike"}


def test_where_trials_allow_it_starts_from_the_best_of_points_spread_over_the_space() -> None:
    """From the middle, (2, 2), no step along one axis gets better; the peak is elsewhere."""
    heights = {(2, 2): 2.0, **{(3, b): 2.5 + b / 100 for b in (0, 1)}}

    def score(point: Chosen) -> float:
        return heights.get((point["a"], point["b"]), 1.0)

    space = {"a": range(5), "b": range(5), "c": (0, 1)}
    assert search(space, score) == {"a": 2, "b": 2, "c": 1}
    assert search(space, score, trials=24) == {"a": 3, "b": 1, "c": 1}
    asked: list[Chosen] = []

    def watched(point: Chosen) -> float:
        asked.append(point)
        return score(point)

    fixed = search(space, watched, {"a": 2, "c": 0}, trials=24)
    assert fixed == {"a": 2, "b": 2, "c": 0}
    assert all(p["a"] == 2 and p["c"] == 0 for p in asked[:3])


def test_spread_points_are_apart() -> None:
    for n, grid in ((5, {"a": tuple(range(5))}), (8, {"a": tuple(range(8)), "b": tuple(range(8))})):
        points = list(spread(grid, n))
        assert points[0] == {name: values[len(values) // 2] for name, values in grid.items()}
        assert all(len({p[name] for p in points}) >= n / 2 for name in grid)
    assert list(spread({}, 2)) == [{}, {}]
    assert not list(spread({"a": (1,)}, 0))
