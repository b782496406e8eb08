"""The central types: numbering, interactions, and profiles whose parts sum to their scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.errors import DataError, UnknownIdError
from graphrec.types import Evidence, Explanation, Interactions, Source, Step, Vocabulary, frozen

small = st.floats(-3, 3, width=32)


# --- vocabulary -------------------------------------------------------------------------------------------------------


@given(st.lists(st.text()))
def test_numbers_are_the_sorted_order_and_nothing_else(ids: list[str]) -> None:
    vocabulary = Vocabulary(ids, "user")
    assert list(vocabulary.ids) == sorted(set(ids))
    assert len(vocabulary) == len(set(ids))
    numbers = vocabulary.numbers(ids)
    assert numbers.dtype == np.int64
    assert [vocabulary.ids[n] for n in numbers] == ids
    assert all(i in vocabulary for i in ids)
    assert vocabulary.numbers(vocabulary.ids).tolist() == list(range(len(vocabulary)))
    again = Vocabulary([*reversed(ids), *ids[:3]])
    assert again == vocabulary
    assert hash(again) == hash(vocabulary)
    assert again.fingerprint == vocabulary.fingerprint


@given(st.sets(st.text("ab\x00", max_size=4)), st.sets(st.text("ab\x00", max_size=4)))
def test_the_fingerprint_tells_vocabularies_apart(one: set[str], other: set[str]) -> None:
    assert (Vocabulary(one).fingerprint == Vocabulary(other).fingerprint) == (one == other)


def test_unknown_ids() -> None:
    vocabulary = Vocabulary(["b", "a"], "item")
    with pytest.raises(UnknownIdError, match="unknown item id 'c'; the data holds 2 item ids, for example 'a'"):
        vocabulary.numbers(["a", "c", "d"])
    with pytest.raises(KeyError):
        vocabulary.number("c")
    assert vocabulary.numbers(["c", "b", ""], missing="-1").tolist() == [-1, 1, -1]
    assert vocabulary.number("b") == 1
    with pytest.raises(UnknownIdError, match=r"unknown user id 'c'; the data holds 2 user ids$"):
        Vocabulary(["b", "a"], "user").number("c")  # whoever asks is told of nobody else
    with pytest.raises(UnknownIdError, match=r"holds 0 id ids$"):
        Vocabulary([]).number("a")
    assert Vocabulary([]).numbers([]).shape == (0,)


# --- interactions -----------------------------------------------------------------------------------------------------


def test_interactions_are_checked_and_read_only() -> None:
    three = Interactions(np.array([0, 1, 1]), np.array([2, 0, 2]), np.array([5, 1, 2]), np.array([30.0, 10, 20]))
    assert [a.dtype for a in (three.user_nums, three.item_nums, three.weights)] == [np.int64, np.int64, np.float32]
    assert three.timestamps is not None
    assert three.timestamps.dtype == np.int64
    for array in (three.user_nums, three.item_nums, three.weights, three.timestamps):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(DataError, match=r"differ in length: \[2, 3\]"):
        Interactions(three.user_nums, three.item_nums, np.ones(2, np.float32))
    with pytest.raises(DataError, match="differ in length"):
        Interactions(three.user_nums, three.item_nums, three.weights, np.ones(2, np.int64))
    for bad in (np.nan, np.inf):
        with pytest.raises(DataError, match="finite"):
            Interactions(three.user_nums, three.item_nums, np.array([1, bad, 1], np.float32))


def test_taking_some_interactions() -> None:
    all_ = Interactions(np.array([0, 1, 1]), np.array([2, 0, 2]), np.array([5, 1, 2]), np.array([30, 10, 20]))
    for index in (np.array([False, True, True]), np.array([1, 2])):
        some = all_.take(index)
        assert len(some) == 2
        assert some.item_nums.tolist() == [0, 2]
        assert some.weights.tolist() == [1, 2]
        assert some.timestamps is not None
        assert some.timestamps.tolist() == [10, 20]
    assert Interactions(all_.user_nums, all_.item_nums, all_.weights).take(np.array([2])).timestamps is None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6))))
def test_the_matrix_is_binary_whatever_the_weights(pairs: list[tuple[int, int]]) -> None:
    users, items = np.array(pairs, np.int64).reshape(-1, 2).T
    weights = np.linspace(-2, 5, len(pairs), dtype=np.float32)
    matrix = Interactions(users, items, weights).matrix(5, 7)
    expected = np.zeros((5, 7), np.float32)
    for user, item in pairs:
        expected[user, item] = 1
    assert matrix.shape == (5, 7)
    assert matrix.dtype == np.float32
    assert matrix.has_sorted_indices
    np.testing.assert_array_equal(matrix.toarray(), expected)


def test_frozen_copies_only_where_it_must() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.shares_memory(frozen(array, np.float32), array)
    assert array.flags.writeable, "the caller's own array stays writeable"
    assert not np.shares_memory(frozen(array.T, np.float32), array)
    assert frozen([1, 2], np.int64).tolist() == [1, 2]


def test_the_explain_document() -> None:
    step = Step("user:u", "interacts", "item:j", "u", "Strings")
    evidence = (Evidence(0.7, "mention", (step,), Source("r1", "bright tone")), Evidence(0.3, "history", ()))
    document = Explanation(
        "u", "i", 1.5, {"spectral": 1.0, "graph": 0.5}, evidence, "Because …", title="Guitar"
    ).to_json()
    assert {k: document[k] for k in ("user_id", "item_id", "score", "blocks", "text")} == {
        "user_id": "u",
        "item_id": "i",
        "score": 1.5,
        "blocks": {"spectral": 1.0, "graph": 0.5},
        "text": "Because …",
    }
    first, second = document["evidence"]
    assert (first["share"], first["kind"]) == (0.7, "mention")
    assert first["path"][0].items() >= {"head": "user:u", "relation": "interacts", "tail": "item:j"}.items()
    assert first["source"] == {"review_id": "r1", "quote": "bright tone"}
    assert second["source"] is None
