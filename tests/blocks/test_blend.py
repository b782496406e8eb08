"""The blend keeps what helps, drops what does not, and counts each block in the same units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from graphrec.blocks.api import Folds
from graphrec.blocks.blend import blend
from graphrec.blocks.search import search
from graphrec.data.split import Split
from graphrec.evaluate.validation import Validation
from graphrec.profile.dense import ProfileBlock
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints
from tests import worlds


def _scaled(name: str, users: Any, items: Any) -> ProfileBlock:
    """A block with unit deviation over the catalogue, as all have."""
    return ProfileBlock(name, users / (users @ items.T).std(axis=1, keepdims=True), items)


def _blocks(n_users: int, n_items: int) -> dict[str, ProfileBlock]:
    random = np.random.default_rng(0)
    taste = np.eye(2, dtype=np.float32)[np.arange(n_users) % 2]  # (U, 2)
    kind = np.eye(2, dtype=np.float32)[np.arange(n_items) % 2]  # (I, 2)
    noise = [random.normal(size=(n, 8)).astype(np.float32) for n in (n_users, n_items)]
    return {"taste": _scaled("taste", taste, kind), "noise": _scaled("noise", *noise)}


def one(parts: Split) -> Folds:
    """A single fold."""
    return Folds.of(worlds.inputs(parts.train), Validation(parts.train, parts.valid))


def test_noise_gets_little_or_no_weight() -> None:
    parts = worlds.given(worlds.two_tastes())
    blocks = _blocks(60, 40)
    weights, ndcg = blend([[block] for block in blocks.values()], one(parts))
    assert weights["taste"] == 1.0
    assert weights["noise"] <= 0.35
    assert ndcg > 0.1


def test_one_block_needs_no_search() -> None:
    parts = worlds.given(worlds.two_tastes())
    weights, _ = blend([[_blocks(60, 40)["noise"]]], one(parts))
    assert weights == {"noise": 1.0}


@pytest.mark.parametrize("unit", [2.0**-6, 2.0**7])
def test_units_of_a_block_do_not_matter(unit: float) -> None:
    """A block that differs more among the listed items than another is not heard the more: its weight is less."""
    parts = worlds.given(worlds.two_tastes(240, 120))
    random = np.random.default_rng(0)
    taste = [np.eye(2)[np.arange(n) % 2] for n in (240, parts.train.n_items)]
    blurred = [[np.hstack([side, random.normal(size=(len(side), 3))]) for side in taste] for _ in range(2)]
    first, second = (_scaled(f"b{n}", *sides) for n, sides in enumerate(blurred))
    weights, ndcg = blend([[first], [second]], one(parts))
    loud = ProfileBlock("b1", second.users * unit, second.items)
    others, same = blend([[first], [loud]], one(parts))
    assert weights["b1"] / weights["b0"] == pytest.approx(unit * others["b1"] / others["b0"], rel=1e-4)
    assert ndcg == pytest.approx(same, rel=1e-6)


def test_short_lists_hold_what_matters() -> None:
    """The NDCG of the weights found over short lists is that of the same weights over the whole catalogue."""
    parts = worlds.given(worlds.two_tastes(240, 120))
    folds = one(parts)
    n_items, random = parts.train.n_items, np.random.default_rng(0)
    taste = [np.eye(2)[np.arange(n) % 2] for n in (240, n_items)]
    blurred = [[np.hstack([side, random.normal(size=(len(side), 3))]) for side in taste] for _ in range(2)]
    blocks = {f"b{n}": _scaled(f"b{n}", *sides) for n, sides in enumerate(blurred)}
    weights, ndcg = blend([[block] for block in blocks.values()], folds, candidates=60)
    assert sum(w > 0 for w in weights.values()) > 1
    found = folds[0].validation.per_user_ndcg_of(
        lambda q: np.sum([w * blocks[name].scores(q) for name, w in weights.items()], axis=0)
    )
    assert ndcg == pytest.approx(found.mean(), abs=1e-6)


def test_coordinate_search_finds_a_separable_optimum_and_asks_once_for_each_point() -> None:
    asked: list[tuple[int, int]] = []

    def score(point: dict[str, int]) -> float:
        asked.append((point["a"], point["b"]))
        return -abs(point["a"] - 3) - abs(point["b"] - 1)

    best = search({"a": range(5), "b": range(4)}, score, {"a": 0, "b": 0}, [("a",), ("b",), ("a",)])
    assert best == {"a": 3, "b": 1}
    assert len(asked) == len(set(asked))


class _Told(Validation):
    """A validation part of n users whose NDCG falls with the distance of the weights' ratio from ``best``."""

    def __init__(self, best: float, noise: float, n: int = 100) -> None:
        self.queries = Queries.stored(Ties(worlds.two_tastes(n, 4, 2)))
        self.ways = np.zeros(n, np.int64)
        self.peak, self.noise = best, noise * (-1.0) ** np.arange(n)  # of mean 0

    def best(self, scores: Callable[[Queries], Floats], n: int) -> Ints:
        return np.tile(np.arange(2), (len(self.queries), 1))

    def among(self, items: Ints) -> Any:
        return _Peak(np.arange(len(items)), items, self.peak, self.noise)


@dataclass
class _Peak:
    users: Ints
    items: Ints
    peak: float
    noise: Floats

    def per_user_ndcg(self, scores: Floats) -> Floats:
        a, b = scores[0, :2]  # the two weights
        ratio = np.log(max(b, 1e-3) / max(a, 1e-3)) - np.log(self.peak)
        return np.asarray(0.5 - 0.01 * abs(ratio) + self.noise * ratio, np.float32)


@pytest.mark.parametrize(("noise", "ratio"), [(0.0, 5.0), (0.5, 1.0)])
def test_weights_are_equal_where_the_users_cannot_tell(noise: float, ratio: float) -> None:
    eye = np.eye(2, dtype=np.float32)
    blocks = [ProfileBlock(name, np.tile(eye[n], (100, 1)), eye) for n, name in enumerate("ab")]
    weights, _ = blend(
        [[block] for block in blocks], Folds.of(worlds.inputs(worlds.two_tastes(100, 4, 2)), _Told(5.0, noise))
    )
    assert weights["b"] / weights["a"] == pytest.approx(ratio)


def test_a_reading_is_left_only_for_one_that_is_better_by_a_standard_error() -> None:
    grid = {"reading": ("liked", "alike", "graded")}
    score = {"liked": 0.2, "alike": 0.201, "graded": 0.203}
    for users, expected in ((100, "liked"), (300, "liked"), (1_000, "graded"), (1_000_000, "graded")):
        best = search(grid, lambda c: score[c["reading"]], {"reading": "liked"}, [("reading",)], users)
        assert best == {"reading": expected}
