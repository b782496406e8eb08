"""Shares are an exact account: they sum to the score, and each is what a naive sum says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset
from graphrec.explain.shares import Shares, shares
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.profiles import Profiles
from graphrec.query.ties import Ties
from tests.explain.world import counted, linear_block, random_world, scales, stored, sums, world


def random_profiles(seed: int, data: Dataset) -> Profiles:
    """Two linear blocks, with and without friends, and one that does not split."""
    rng = np.random.default_rng(seed)

    def block(width: int, friend_weight: float, weight: float) -> ProfileBlock:
        history, items = rng.normal(size=(2, data.n_items, width))
        return linear_block(data, history, items, friend_weight, weight)

    users, items = (rng.normal(size=(n, 3)).astype(np.float32) for n in (data.n_users, data.n_items))
    dense = ProfileBlock("dense", users, items, 0.7)
    return Profiles((block(4, 0.6, 1.5), dense, block(2, 0.0, 0.5)))


def split(profiles: Profiles, data: Dataset, user: str | int, item: str | int) -> Shares:
    """The parts of the score of one pair, by ids or numbers."""
    number = data.items.number(item) if isinstance(item, str) else item
    return shares(profiles, stored(Ties(data), user), number)


@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(0, 8))
def test_parts_sum_to_the_score(seed: int, user: int, item: int) -> None:
    data = random_world(seed)
    profiles = random_profiles(seed, data)
    parts = split(profiles, data, user, item)
    terms = sum(parts.history.values()) + sum(parts.pairs.values())
    size = sum(map(abs, [*parts.history.values(), *parts.pairs.values()]))
    assert set(parts.rest) == {"dense"}
    assert terms == pytest.approx(parts.score - parts.blocks["dense"], rel=1e-4, abs=1e-6 * size)
    served = profiles.user_matrix()[user] @ profiles.item_matrix()[item]
    assert parts.score == pytest.approx(served, rel=1e-4, abs=1e-5)


@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(0, 8))
def test_each_part_is_its_term_of_the_sum(seed: int, user: int, item: int) -> None:
    data = random_world(seed)
    profiles = random_profiles(seed, data)
    parts = split(profiles, data, user, item)
    took = [set(data.interactions.item_nums[data.interactions.user_nums == u].tolist()) for u in range(data.n_users)]
    friends = set(data.social_edge_index[1][data.social_edge_index[0] == user].tolist())

    blocks = [b for b in profiles.blocks if isinstance(b, ProfileBlock) and b.history is not None]
    history = {b.name: b.history for b in blocks if b.history is not None}
    heard = {b.name: b.friend_weight for b in blocks if isinstance(b.friend_weight, float)}  # one for everybody
    scale = {b.name: scales(sums(data, history[b.name], heard[b.name]), b.items)[user] for b in blocks}

    def term(item_of_history: int, factor: dict[str, float]) -> float:
        return sum(
            b.weight * float(scale[b.name]) * factor[b.name] * float(history[b.name][item_of_history] @ b.items[item])
            for b in blocks
        )

    ones = {b.name: 1.0 for b in blocks}
    means = {b.name: heard[b.name] / max(len(friends), 1) for b in blocks}
    assert dict(parts.history) == pytest.approx({j: term(j, ones) for j in took[user]}, abs=1e-5)
    assert dict(parts.pairs) == pytest.approx({(f, j): term(j, means) for f in friends for j in took[f]}, abs=1e-5)
    assert dict(parts.friends) == pytest.approx({f: sum(term(j, means) for j in took[f]) for f in friends}, abs=1e-5)


def test_planted_shares() -> None:
    data = world()
    parts = split(counted(data, {"strings": 3.0, "cable": -1.0, "pick": 2.0}, 0.5), data, "ann", "capo")
    named = {data.items.ids[j]: share for j, share in parts.history.items()}
    assert named == pytest.approx({"strings": 3.0, "tuner": 0.0, "cable": -1.0})
    assert parts.friends == pytest.approx({data.users.number("dee"): 1.0})  # half of dee's pick
    assert parts.score == pytest.approx(3.0)


def test_nobody_and_nothing() -> None:
    """No history and no friends: nothing to account for."""
    data = replace(world(), social_edge_index=np.zeros((2, 0), np.int64))
    parts = split(counted(data, {"strings": 1.0}), data, "eve", "capo")
    assert (parts.score, dict(parts.history), dict(parts.friends), dict(parts.rest)) == (0.0, {}, {}, {})


def test_what_a_history_does_not_account_for_is_the_blocks_rest() -> None:
    """The stored profile holds the tuner, the history does not: its 2 of 5 belong to no item."""
    data = world()
    profiles = counted(data, {"strings": 3.0, "tuner": 2.0})
    less = data.subset(data.interactions.item_nums != data.items.number("tuner"))
    parts = split(profiles, less, "ann", "capo")
    assert parts.rest == {profiles.blocks[0].name: pytest.approx(2.0)}
    assert parts.score == pytest.approx(5.0)
    assert {less.items.ids[j]: share for j, share in parts.history.items()} == {"strings": 3.0, "cable": 0.0}
