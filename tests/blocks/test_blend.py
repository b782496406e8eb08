"""The blend keeps what helps, drops what does not, and counts each block in the same units."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.blocks.api import Folds
from graphrec.blocks.blend import ALIKE, _softmax_weights, blend
from graphrec.blocks.search import search
from graphrec.data.split import Split
from graphrec.evaluate.validation import Validation
from graphrec.profile.dense import ProfileBlock
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints
from tests import reference, worlds


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


class _Drawn(Validation):
    """n users with one held-out item each, drawn as the softmax of both blocks' scores under planted weights."""

    def __init__(self, blocks: list[ProfileBlock], planted: tuple[float, float]) -> None:
        scores = np.sum([w * b.users @ b.items.T for w, b in zip(planted, blocks, strict=True)], axis=0)  # (n, I)
        gumbel = np.random.default_rng(1).gumbel(size=scores.shape)
        n, n_items = scores.shape
        self.truth = sp.csr_matrix((np.ones(n), (np.arange(n), (scores + gumbel).argmax(axis=1))), (n, n_items))
        self.queries = Queries.stored(Ties(worlds.two_tastes(n, n_items, 2)))
        self.ways, self.k = np.zeros(n, np.int64), 20

    def best(self, scores: Callable[[Queries], Floats], n: int) -> Ints:
        return np.tile(np.arange(self.truth.shape[1]), (len(self.queries), 1))


def _planted(n_users: int, planted: tuple[float, float]) -> tuple[list[ProfileBlock], Folds]:
    random = np.random.default_rng(0)
    blocks = [_scaled(name, random.normal(size=(n_users, 6)), random.normal(size=(30, 6))) for name in "ab"]
    return blocks, Folds.of(worlds.inputs(worlds.two_tastes(n_users, 30, 2)), _Drawn(blocks, planted))


@pytest.mark.parametrize(("n_users", "ratio", "off"), [(3000, 0.4, 0.06), (3000, 1.0, 0.1), (3, 1.0, 0.3)])
def test_planted_weights_are_found_and_a_few_users_leave_them_alike(n_users: int, ratio: float, off: float) -> None:
    blocks, folds = _planted(n_users, (1.0, ratio if n_users > 3 else 0.2))
    weights, _ = blend([[block] for block in blocks], folds)
    assert weights["b"] / weights["a"] == pytest.approx(ratio, abs=off)


def test_no_other_weights_have_less_loss() -> None:
    blocks, folds = _planted(12, (1.0, 0.5))
    listed = folds[0].validation.among(folds[0].validation.best(blocks[0].scores, 30))
    scores = np.stack([block.users @ block.items.T for block in blocks])  # (2, n, I)
    found = _softmax_weights([listed], [scores.astype(np.float32)], np.ones(2, bool))
    grid = [np.array(point) for point in product(np.linspace(0, 2, 21), repeat=2)]
    best = min(grid, key=lambda w: reference.naive_softmax_loss(w, scores, listed.relevant, ALIKE))
    assert found == pytest.approx(best / best.max(), abs=0.1)  # a step of the grid


def test_a_reading_is_left_only_for_one_that_is_better_by_a_standard_error() -> None:
    grid = {"reading": ("liked", "alike", "graded")}
    score = {"liked": 0.2, "alike": 0.201, "graded": 0.203}
    for users, expected in ((100, "liked"), (300, "liked"), (1_000, "graded"), (1_000_000, "graded")):
        best = search(grid, lambda c: score[c["reading"]], {"reading": "liked"}, [("reading",)], users)
        assert best == {"reading": expected}
