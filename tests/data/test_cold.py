"""Cuts that hold out whole users or items: nothing of them is left where anything is learned."""

from __future__ import annotations

import numpy as np
import pytest

from graphrec.data.carve import carves
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.errors import EmptyDataError
from graphrec.settings import SplitConfig
from graphrec.types import Ints
from tests.data.test_split import shop


def log(n_users: int = 40, n_items: int = 30, timed: bool = True) -> Dataset:
    rng = np.random.default_rng(0)
    rows = []
    for user in range(n_users):
        items = rng.permutation(n_items)[: 2 + user % 12]
        rows += [(user, int(item), 1000 * user + 10 * turn) for turn, item in enumerate(items)]
    return shop(rows, timed)


def times(data: Dataset) -> Ints:
    assert data.events.timestamps is not None
    return data.events.timestamps


def cut(data: Dataset, kind: str, **changes: float) -> Split:
    return split(data, SplitConfig.model_validate({"kind": kind, "valid": 0.2, "test": 0.2, **changes}))


def test_a_cold_user_is_in_no_other_part() -> None:
    parts = cut(log(), "cold-user")
    tested = set(parts.test.events.user_nums.tolist())
    assert len(tested) == 8 == parts.cut["test_users"]
    for other in (parts.train, parts.valid, *(p for fold in parts.folds for p in (fold.train, fold.valid))):
        assert not tested & set(other.events.user_nums.tolist())
        assert not tested & {int(text.split("-")[1]) for text in other.reviews["text"]}
    assert parts.train.social_edge_index.size, "friends are known without an event"


def test_of_a_validation_user_the_first_events_are_known() -> None:
    data = log()
    parts = cut(data, "cold-user")
    for fold in parts.folds:
        assert len(fold.valid.events)
        for user in np.unique(fold.valid.events.user_nums):
            before, after = (times(p)[p.events.user_nums == user] for p in (fold.train, fold.valid))
            known = len(before)
            assert known in (1, 3, 5) or (known < 5 and len(after) == 1), (known, len(after))
            assert before.max() < after.min()


def test_a_cold_item_keeps_what_is_told_of_it_and_nothing_else() -> None:
    parts = cut(log(), "cold-item")
    tested, tried = ({*p.events.item_nums.tolist()} for p in (parts.test, parts.valid))
    assert len(tested) == 6 == parts.cut["test_items"]
    assert len(tried) == 6
    assert not tested & tried
    for fold in parts.folds:
        held = set(fold.valid.events.item_nums.tolist())
        assert not held & set(fold.train.events.item_nums.tolist())
        assert not held & {int(text.split("-")[2].split()[0]) for text in fold.train.reviews["text"]}
        assert not tested & (held | set(fold.train.events.item_nums.tolist()))
    assert not tested & set(parts.fit_data.events.item_nums.tolist())
    told = parts.train.item_attributes
    assert tested <= set(told["item_num"].tolist())
    assert all(parts.train.item_titles[n] for n in tested)


@pytest.mark.parametrize("kind", ["cold-user", "cold-item"])
def test_without_times_and_in_a_fit_that_keeps_no_test_part(kind: str) -> None:
    data = log(timed=False)
    parts = cut(data, kind)
    assert len(parts.train.events) + len(parts.valid.events) + len(parts.test.events) == len(data.events)
    folds = carves(data, kind, SplitConfig.model_validate({"kind": kind}), 0)
    assert len(folds) > 1
    assert len({fold.valid.events.user_nums.tobytes() + fold.valid.events.item_nums.tobytes() for fold in folds}) > 1


def test_users_of_one_event_alone_have_nothing_to_choose_on() -> None:
    with pytest.raises(EmptyDataError):
        cut(shop([(n, n % 3, n) for n in range(9)]), "cold-user")
