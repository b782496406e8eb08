"""The central types: numbering, interactions, and profiles whose parts sum to their scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graphrec.errors import DataError, UnknownIdError
from graphrec.profile.profiles import ProfileBlock, Profiles, weighted
from graphrec.types import Evidence, Explanation, Floats, Interactions, Source, Step, Vocabulary, frozen

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


# --- profiles ---------------------------------------------------------------------------------------------------------


@st.composite
def profiles(draw: st.DrawFn) -> Profiles:
    n_users, n_items = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    blocks = []
    for number in range(draw(st.integers(1, 3))):
        width = draw(st.integers(1, 4))

        def matrix(n: int, width: int = width) -> Floats:
            return draw(hnp.arrays(np.float32, (n, width), elements=small))

        weight = draw(st.sampled_from([0.0, 0.25, 1.0, 3.7]))
        history = draw(st.sampled_from([None, matrix(n_items)]))
        blocks.append(ProfileBlock(f"block{number}", matrix(n_users), matrix(n_items), weight, history))
    return Profiles(tuple(blocks))


@settings(max_examples=40)
@given(profiles())
def test_contributions_sum_to_the_one_inner_product(profiles: Profiles) -> None:
    users, items = profiles.user_matrix(), profiles.item_matrix()
    assert users.dtype == items.dtype == np.float32
    scores = users @ items.T  # (U, I)
    for user in range(len(users)):
        for item in range(len(items)):
            parts = profiles.contributions(user, item)
            assert list(parts) == [block.name for block in profiles.blocks]
            assert sum(parts.values()) == pytest.approx(scores[user, item], abs=1e-3)
            for block in profiles.blocks:
                assert parts[block.name] == pytest.approx(
                    block.weight * (block.users[user] @ block.items[item]), abs=1e-3
                )


@settings(max_examples=40)
@given(profiles(), st.data())
def test_rows_and_weights(profiles: Profiles, data: st.DataObject) -> None:
    rows = np.array(data.draw(st.lists(st.integers(0, len(profiles.blocks[0].users) - 1))), np.int64)
    np.testing.assert_array_equal(profiles.user_matrix(rows), profiles.user_matrix()[rows])
    double = profiles.reweighted({name: 2 * weight for name, weight in profiles.weights.items()})
    assert double.contributions(0, 0) == pytest.approx({k: 2 * v for k, v in profiles.contributions(0, 0).items()})
    assert profiles[profiles.blocks[0].name] is profiles.blocks[0]
    with pytest.raises(KeyError):
        profiles["absent"]
    widths = [block.width for block in profiles.blocks if block.weight > 0] or [1]
    assert profiles.item_matrix().shape[1] == sum(widths), "a block without weight takes no room in the index"


@settings(max_examples=40)
@given(profiles(), st.data())
def test_fold_in(profiles: Profiles, data: st.DataObject) -> None:
    block = profiles.blocks[0]
    history = np.array(data.draw(st.lists(st.integers(0, len(block.items) - 1), unique=True)), np.int64)
    folded = block.encode_user(history)
    assert folded.dtype == np.float32
    assert folded.shape == (block.width,)
    if block.history is None:
        np.testing.assert_allclose(folded, block.users.mean(axis=0), atol=1e-6)
    elif not len(history):
        assert not folded.any()
    else:
        raw = block.history[history].sum(axis=0, dtype=np.float64)
        np.testing.assert_allclose(folded * np.linalg.norm(raw), raw * np.linalg.norm(folded), rtol=1e-3, atol=1e-4)
        spread = float(np.std(block.items.astype(np.float64) @ raw))
        if spread > 1e-3:
            assert np.std(block.items.astype(np.float64) @ folded) == pytest.approx(1, rel=1e-3)
        np.testing.assert_allclose(block.encode_user(history[::-1]), folded, rtol=1e-4, atol=1e-5)
    together = weighted(profiles.dense, [b.encode_user(history) for b in profiles.dense])
    assert together.shape == (profiles.item_matrix().shape[1],)
    by_hand = sum(b.weight * (b.items[0] @ b.encode_user(history)) for b in profiles.dense)
    assert profiles.item_matrix()[0] @ together == pytest.approx(by_hand, rel=1e-3, abs=1e-2)


def test_a_linear_block_folds_its_own_users_back_in() -> None:
    """A fitted user and the fold-in of the same history order the items alike."""
    rng = np.random.default_rng(0)
    items, table = rng.standard_normal((2, 30, 5)).astype(np.float32)
    histories = [rng.choice(30, 6, replace=False) for _ in range(8)]
    scale = rng.uniform(0.5, 2, 8).astype(np.float32)
    users = np.stack([s * table[h].sum(axis=0) for s, h in zip(scale, histories, strict=True)])
    block = ProfileBlock("spectral", users, items, history=table, linear=True, scale=scale)
    for user, history in zip(users, histories, strict=True):
        np.testing.assert_array_equal(np.argsort(items @ user), np.argsort(items @ block.encode_user(history)))


def test_an_item_from_its_text() -> None:
    ones = np.ones((1, 2), np.float32)
    text_map = np.array([[1, 0], [0, 2], [0.5, 0.25]], np.float32)  # two text dimensions, then the offset
    text = np.array([3, 4], np.float32)
    assert ProfileBlock("semantic", ones, ones, text_map=text_map).encode_item(text).tolist() == [3.5, 8.25]
    assert ProfileBlock("spectral", ones, ones).encode_item(text).tolist() == [0, 0]


def test_blocks_are_checked_and_read_only() -> None:
    two, three = np.ones((4, 2)), np.ones((5, 3))
    with pytest.raises(DataError, match="block b: user width 2 ≠ item width 3"):
        ProfileBlock("b", two, three)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="block b: weight -1 is negative"):
        ProfileBlock("b", two, two, weight=-1)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="needs its history table"):
        ProfileBlock("b", two, two, linear=True)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"disagree.*\[\(4, 4\), \(5, 5\)\]"):
        Profiles((ProfileBlock("a", two, two), ProfileBlock("b", three, three)))  # type: ignore[arg-type]
    block = ProfileBlock("b", two, two, history=two, scale=np.ones(4), text_map=two)  # type: ignore[arg-type]
    for array in (block.users, block.items, block.history, block.scale, block.text_map):
        assert array is not None
        assert array.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


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
