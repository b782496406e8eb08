"""Histories in order, and the moment of asking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphrec as gr
from graphrec.data.dataset import Dataset, build
from graphrec.data.split import split
from graphrec.evaluate.later import later
from graphrec.evaluate.validation import Validation
from graphrec.query.query import Queries, Query, query_of
from graphrec.query.ties import Ties
from graphrec.settings import SplitConfig
from tests.conftest import examples
from tests.query.test_query import USERS, logs

DAY = 86_400


def rows(*told: tuple[str, str, int]) -> Dataset:
    return build("rows", pd.DataFrame(told, columns=["user_id", "item_id", "timestamp"]))


def untimed(*told: tuple[str, str]) -> Dataset:
    return build("rows", pd.DataFrame(told, columns=["user_id", "item_id"]))


def ids(data: Dataset, items: np.ndarray) -> list[str]:
    return ["-" if n < 0 else data.items.ids[n] for n in items.tolist()]


def test_the_newest_is_last_and_shorter_histories_begin_later() -> None:
    data = rows(("a", "x", 3), ("a", "y", 1), ("a", "z", 2), ("b", "z", 9))
    found = Queries.stored(Ties(data)).ordered(2)
    assert [ids(data, items) for items in found.items] == [["z", "x"], ["-", "z"]]
    assert found.times is not None
    assert found.times.tolist() == [[2, 3], [0, 9]]
    assert found.strengths.tolist() == [[1.0, 1.0], [0.0, 1.0]]
    assert Queries.stored(Ties(data)).ordered().items.shape == (2, 3)
    wide = Queries.stored(Ties(data.subset(np.zeros(4, bool)))).ordered(5)
    assert wide.items.tolist() == [[-1] * 5] * 2


def test_rows_of_one_second_stay_as_they_came() -> None:
    data = rows(("a", "z", 1), ("a", "x", 1), ("a", "y", 1), ("b", "y", 1), ("b", "z", 1), ("b", "x", 0))
    found = Queries.stored(Ties(data)).ordered()
    assert [ids(data, items) for items in found.items] == [["z", "x", "y"], ["x", "y", "z"]]


SEQUENCES = ("zxyw", "ywzx", "wzyx", "xwyz")


def test_without_times_the_rows_are_the_order() -> None:
    data = untimed(*((f"u{n}", item) for n, items in enumerate(SEQUENCES) for item in items))
    found = Queries.stored(Ties(data)).ordered()
    assert found.times is None
    assert ["".join(ids(data, items)) for items in found.items] == list(SEQUENCES)
    part = data.subset(np.arange(len(data.events)) % 2 == 0)
    kept = {(int(u), int(i)) for u, i in zip(part.events.user_nums, part.events.item_nums, strict=True)}
    for user, items in enumerate(Queries.stored(Ties(part)).ordered().items):
        told = [n for n in data.items.numbers(list(SEQUENCES[user])).tolist() if (user, n) in kept]
        assert items[items >= 0].tolist() == told


@pytest.mark.parametrize(
    "table",
    [
        [("a", "1"), ("a", "2"), ("a", "10"), ("b", "2"), ("b", "3"), ("b", "10")],  # by number
        [("a", "x1"), ("a", "x10"), ("a", "x2"), ("b", "x10"), ("b", "x2"), ("b", "x3")],  # by text
        [("a", "z"), ("b", "z"), ("c", "z"), ("a", "m"), ("b", "m"), ("a", "k"), ("c", "k"), ("b", "p"), ("c", "p")],
    ],
)
def test_a_list_by_id_or_item_is_no_order(table: list[tuple[str, str]]) -> None:
    assert untimed(*table).events.order is None


def test_the_order_survives_folders_and_artifacts(tmp_path: Path) -> None:
    data = untimed(*((f"u{n:02d}", item) for n, items in enumerate(SEQUENCES * 3) for item in items))
    data.to_folder(tmp_path / "data")
    again = gr.Dataset.load(tmp_path / "data")
    expected = Queries.stored(Ties(data)).ordered().items
    np.testing.assert_array_equal(Queries.stored(Ties(again)).ordered().items, expected)
    config = gr.Config().with_(blocks="popularity", kg={"enabled": False}, features={"enabled": False})
    model = gr.Recommender(config).fit(data)
    model.save(tmp_path / "model")
    loaded = gr.load(tmp_path / "model")
    np.testing.assert_array_equal(Queries.stored(loaded.fitted.ties).ordered().items, expected)
    new = loaded.fitted.updated([{"user_id": "u00", "item_id": "x"}, {"user_id": "u00", "item_id": "a"}])
    ties = new.ties
    assert ids(ties.data, Queries.stored(ties, np.array([0])).ordered(3).items[0]) == ["w", "x", "a"]


def test_two_files_that_differ_in_order_alone_are_two_models() -> None:
    one, other = (
        untimed(*((f"u{n}", item) for n, items in enumerate(told) for item in items))
        for told in (SEQUENCES, SEQUENCES[::-1])
    )
    assert one.digest() != other.digest()


@examples(100)
@given(logs(), st.integers(1, 6), st.booleans())
def test_a_user_asked_and_a_user_stored_have_one_order(data: Dataset, length: int, liked: bool) -> None:
    order = np.random.default_rng(len(data.events)).permutation(len(data.events))
    order = order[np.lexsort((order, data.events.pair_of))]  # events of one pair lie in order
    for place in (None, order):
        data = replace(data, events=replace(data.events, order=place))
        ties = Ties(data)
        stored = Queries.stored(ties)
        asked = Queries.of(ties, [query_of(ties, u) for u in range(USERS)])
        for found, expected in zip(asked.ordered(length, liked), stored.ordered(length, liked), strict=True):
            np.testing.assert_array_equal(found, expected)
        some = np.array([3, 0, 3])
        np.testing.assert_array_equal(stored[some].ordered(length).items, stored.ordered(length).items[some])
        np.testing.assert_array_equal(asked[some].ordered(length).items, asked.ordered(length).items[some])
        longest = int(np.bincount(data.events.user_nums, minlength=1).max(initial=0))
        for user, items in enumerate(stored.ordered(longest, liked).items):
            known = ties.history(user) if liked else ties.seen(user)
            assert set(items[items >= 0].tolist()) == set(known.tolist())


def test_a_history_that_is_told_keeps_its_order_and_comes_last() -> None:
    ties = Ties(rows(("a", "x", 1), ("a", "y", 2), ("b", "z", 5), ("b", "w", 7)))
    number = ties.data.items.number
    told = np.array([number("z"), number("w"), number("z")])
    found = Queries.of(ties, [query_of(ties, 0, told), query_of(ties, -1, told[::-1][1:])]).ordered(4)
    assert ids(ties.data, found.items[0]) == ["x", "y", "z", "w"]
    assert ids(ties.data, found.items[1]) == ["-", "-", "w", "z"]
    assert found.times is not None
    assert found.times[0].tolist() == [1, 2, 7, 7]


def test_a_query_is_put_in_order_and_knows_nothing_of_what_comes_later() -> None:
    ties = Ties(rows(("a", "x", 1), ("a", "y", 2), ("b", "z", 5)))
    asked = Query(items=np.array([2, 0, 1]), strengths=np.ones(3, np.float32), times=np.array([5, 1, 2]))
    assert Queries.of(ties, [asked]).ordered().items.tolist() == [[0, 1, 2]]
    then = Query(items=np.array([2, 0, 1]), strengths=np.ones(3, np.float32), times=np.array([5, 1, 2]), now=2)
    assert Queries.of(ties, [then]).ordered().items.tolist() == [[0, 1]]
    assert Queries.of(ties, [then]).seen.indices.tolist() == [0, 1]


def test_now_is_what_was_asked_or_the_end_of_the_log() -> None:
    ties = Ties(rows(("a", "x", 1), ("a", "y", 2), ("b", "z", 5)))
    assert Queries.stored(ties).now.tolist() == [5, 5]
    assert Queries.stored(ties, moments=np.array([3, 4]))[np.array([1])].now.tolist() == [4]
    assert Queries.of(ties, [Query(now=3), Query()]).now.tolist() == [3, 5]
    assert Queries.stored(Ties(untimed(("a", "x"), ("b", "y")))).now.tolist() == [0, 0]


def history_of_days() -> Dataset:
    """Users who come one after another, so that the end of the log lies far behind most of them."""
    random = np.random.default_rng(0)
    told = [
        (f"u{u:02d}", f"i{i:02d}", (20 * u + n) * DAY) for u in range(60) for n, i in enumerate(random.permutation(9))
    ]
    return rows(*told)


@pytest.mark.parametrize("kind", ["leave-last", "temporal"])
def test_in_validation_people_ask_when_they_are_about_to_take_what_is_held_out(kind: str) -> None:
    parts = split(history_of_days(), SplitConfig(kind=kind))
    found = Validation(parts.train, parts.valid).queries
    first = pd.Series(parts.valid.events.timestamps).groupby(parts.valid.events.user_nums).min()
    assert found.now.tolist() == first[found.user_nums].tolist()
    known = pd.Series(parts.train.events.timestamps).groupby(parts.train.events.user_nums).max()
    assert (known.reindex(found.user_nums, fill_value=0) <= found.now).all()


def test_where_rows_are_held_out_at_random_nobody_asks_before_what_they_took() -> None:
    parts = split(history_of_days(), SplitConfig(kind="random"))
    queries = Queries.before(Ties(parts.train), parts.valid)
    times = queries.ordered().times
    assert times is not None
    assert (times.max(axis=1) <= queries.now).all()


def test_of_later_data_people_ask_at_their_first_new_event() -> None:
    known = rows(("a", "x", 1), ("b", "y", 2), ("c", "x", 5))
    found = later(known, rows(("a", "y", 9), ("a", "z", 8), ("b", "x", 7)))
    assert found.moments is not None
    assert found.moments.tolist() == [9, 7, 5]
