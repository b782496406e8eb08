"""Folds to choose on: of what may be fitted alone, earlier windows for later ones, and ways that are told."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from graphrec.data.carve import ENOUGH, FOLDS, carves
from graphrec.data.cuts import GROUPS, OWN, ROWS
from graphrec.data.dataset import TEST, TRAIN, Dataset
from graphrec.data.split import split
from graphrec.settings import SplitConfig
from tests import worlds
from tests.data.test_split import shop


def pairs(data: Dataset) -> set[tuple[int, int]]:
    return set(zip(data.events.user_nums.tolist(), data.events.item_nums.tolist(), strict=True))


@pytest.mark.parametrize("kind", ["temporal", "leave-last", "random", "given"])
def test_folds_hold_nothing_of_the_test_part(kind: str) -> None:
    drawn = [(u, i, 100 * i + u) for u in range(12) for i in range(14)]
    parts = [TEST if i >= 11 else TRAIN for _, i, _ in drawn] if kind == "given" else None
    cut = split(shop(drawn, parts=parts), SplitConfig.model_validate({"kind": kind}))
    assert len(cut.folds) == FOLDS
    held = pairs(cut.test)
    for fold in cut.folds:
        assert not (pairs(fold.train) | pairs(fold.valid)) & held
        assert not pairs(fold.train) & pairs(fold.valid)
        assert len(fold.valid.events)


def test_an_earlier_window_knows_nothing_of_what_is_later() -> None:
    data = shop([(u, i, 100 * i + u) for u in range(12) for i in range(14)])
    seen = []
    for fold in carves(data, "temporal", SplitConfig(), 42):
        train, valid = fold.train.events.timestamps, fold.valid.events.timestamps
        assert train is not None
        assert valid is not None
        assert train.max() < valid.min()
        seen.append((valid.min(), valid.max()))
    assert all(later[0] > earlier[1] for later, earlier in itertools.pairwise(seen))


def test_where_nobody_knows_what_comes_rows_and_groups_are_held_out() -> None:
    data = replace(worlds.two_tastes(2 * ENOUGH), parts=None)
    (fold,) = carves(data, "random", SplitConfig(), 42)
    assert set(fold.ways.tolist()) == {ROWS, GROUPS}
    measured = split(data, SplitConfig(kind="random"))
    assert set(measured.ways.tolist()) == {OWN}, "a test part drawn at random is chosen for by rows drawn at random"
    assert not measured.further


@pytest.mark.parametrize(("later", "ways"), [(True, {OWN}), (False, {ROWS, GROUPS})])
def test_the_sources_test_rows_say_whether_they_are_the_last(later: bool, ways: set[int]) -> None:
    drawn = [(u, i, 100 * i + u) for u in range(20) for i in range(10)]
    parts = [TEST if (i >= 8 if later else i in (0, 5)) else TRAIN for _, i, _ in drawn]
    cut = split(shop(drawn, parts=parts), SplitConfig())
    assert set(cut.ways.tolist()) == ways


@pytest.mark.parametrize(("apart", "told"), [(0, "last in time"), (10_000, "last of each user")])
def test_a_test_part_that_was_cut_at_one_moment_is_chosen_for_by_what_was_last_then(apart: int, told: str) -> None:
    """People whose events lie apart have no moment after which is the test part of all."""
    data = shop([(u, i, 100 * i + u + apart * u) for u in range(20) for i in range(10)])
    cut = split(replace(data, parts=np.where(data.events.item_nums >= 8, TEST, TRAIN).astype(np.uint8)), SplitConfig())
    assert cut.cut["valid"] == told
    for fold in cut.folds:
        assert fold.later == (not apart)
    valid = cut.valid.events.timestamps
    assert valid is not None
    assert cut.cut.get("valid_from", valid.min()) == valid.min()


def refused(*parts: Dataset) -> Dataset:
    raise AssertionError


def test_enough_users_need_one_fold_and_three_users_get_several(monkeypatch: pytest.MonkeyPatch) -> None:
    many = shop([(u, i, 100 * i + u) for u in range(ENOUGH) for i in range(12)])
    assert len(carves(many, "leave-last", SplitConfig(), 1)) == 1
    with monkeypatch.context() as patch:
        patch.setattr(
            "graphrec.data.split.merge", refused
        )  # what may be fitted is put together for further folds alone
        assert len(split(many, SplitConfig(kind="leave-last")).folds) == 1
    few = shop([(u, i, 100 * i + u) for u in range(3) for i in range(12)])
    for kind in ("temporal", "leave-last", "random"):
        folds = carves(few, kind, SplitConfig(), 1)
        assert len(folds) > 1
        assert all(np.unique(fold.valid.events.user_nums).size for fold in folds)
