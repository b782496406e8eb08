"""Profiles: blocks side by side, their fold-in, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graphrec.data.dataset import build
from graphrec.errors import DataError
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries, Query
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints
from tests.conftest import examples

small = st.floats(-4, 4, width=32)


def world(n_users: int, n_items: int) -> Ties:
    """A catalogue of which nothing is known but its size."""
    items = pd.DataFrame({"item_id": [f"i{n:02d}" for n in range(n_items)]})
    users = pd.DataFrame({"user_id": [f"u{n:02d}" for n in range(n_users)]})
    events = pd.DataFrame({"user_id": ["u00"], "item_id": ["i00"]})
    return Ties(build("world", events, items=items, users=users))


def strangers(ties: Ties, *histories: Ints) -> Queries:
    return Queries.of(ties, [Query(-1, h, np.ones(len(h), np.float32)) for h in histories])


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


@examples(40)
@given(profiles())
def test_contributions_sum_to_the_one_inner_product(profiles: Profiles) -> None:
    users, items = profiles.user_matrix(), profiles.item_matrix()
    assert users.dtype == items.dtype == np.float32
    scores, ties = users @ items.T, world(*profiles.shape)  # (U, I)
    for user in range(len(users)):
        query = Queries.stored(ties, np.array([user]))
        for item in range(len(items)):
            parts = profiles.contributions(query, item)
            assert list(parts) == [block.name for block in profiles.blocks]
            assert sum(parts.values()) == pytest.approx(scores[user, item], abs=1e-3)
            for block in profiles.blocks:
                expected = block.weight * (block.users[user] @ block.items[item])
                assert parts[block.name] == pytest.approx(expected, abs=1e-3)


@examples(40)
@given(profiles())
def test_rows_and_weights(profiles: Profiles) -> None:
    ties = world(*profiles.shape)
    encoded, sparse, _ = profiles.encode(Queries.stored(ties))
    np.testing.assert_array_equal(encoded, profiles.user_matrix())
    assert sparse is None
    some = profiles.people(3)
    assert {row.tobytes() for row in some} <= {row.tobytes() for row in encoded[encoded.any(axis=1)]}
    assert len(some) <= 3
    assert len(some) > 0 or not encoded.any()
    double = profiles.reweighted({name: 2 * weight for name, weight in profiles.weights.items()})
    query = Queries.stored(ties, np.array([0]))
    expected = {k: 2 * v for k, v in profiles.contributions(query, 0).items()}
    assert double.contributions(query, 0) == pytest.approx(expected)
    assert profiles[profiles.blocks[0].name] is profiles.blocks[0]
    with pytest.raises(KeyError):
        profiles["absent"]
    widths = [block.items.shape[1] for block in profiles.blocks if block.weight > 0] or [1]
    assert profiles.item_matrix().shape[1] == sum(widths), "a block without weight takes no room in the index"


@examples(40)
@given(profiles(), st.data())
def test_fold_in(profiles: Profiles, data: st.DataObject) -> None:
    block, ties = profiles.blocks[0], world(*profiles.shape)
    assert isinstance(block, ProfileBlock)
    history = np.array(data.draw(st.lists(st.integers(0, len(block.items) - 1), unique=True)), np.int64)
    folded = block.encode(strangers(ties, history))[0]
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
            assert np.std(block.items.astype(np.float64) @ folded) == pytest.approx(1, rel=1e-2)
        other = block.encode(strangers(ties, history[::-1]))[0]
        np.testing.assert_allclose(other, folded, rtol=1e-4, atol=1e-5)


def test_an_item_from_its_text() -> None:
    ones = np.ones((1, 2), np.float32)
    text_map = np.array([[1, 0], [0, 2], [0.5, 0.25]], np.float32)  # two text dimensions, then the offset
    text = np.array([3, 4], np.float32)
    block = ProfileBlock("semantic", ones, ones, text_map=text_map)
    assert block.places_text
    assert block.encode_text(text).tolist() == [3.5, 8.25]
    assert not ProfileBlock("spectral", ones, ones).places_text


def test_blocks_are_checked_and_read_only() -> None:
    two, three = np.ones((4, 2)), np.ones((5, 3))
    with pytest.raises(DataError, match="block b: user width 2 ≠ item width 3"):
        ProfileBlock("b", two, three)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="block b: weight -1 is negative"):
        ProfileBlock("b", two, two, weight=-1)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="needs its history table"):
        ProfileBlock("b", two, two, linear=True)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="has no part for friends"):
        ProfileBlock("b", two, two, history=two, friend_weight=1.0, damping=0.5)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"disagree.*\[\(4, 4\), \(5, 5\)\]"):
        Profiles((ProfileBlock("a", two, two), ProfileBlock("b", three, three)))  # type: ignore[arg-type]
    block = ProfileBlock("b", two, two, history=two, own=two, text_map=two)  # type: ignore[arg-type]
    for array in (block.users, block.items, block.history, block.own, block.text_map):
        assert array is not None
        assert array.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_history_table_that_is_the_item_side_is_held_once() -> None:
    items = np.eye(3, dtype=np.float32)
    block = ProfileBlock("b", items[:2].copy(), items, history=items, linear=True)
    assert block.history is block.items
    assert "history" not in block.arrays()[0]
