"""The spectral block against a dense twin, and its promises: linear, friends, nothing for the unknown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graphrec.blocks.api import Folds
from graphrec.blocks.spectral import Factors, Spectral, feasible_ranks
from graphrec.data.dataset import build
from graphrec.evaluate.validation import Validation
from graphrec.testing import BlockContract
from tests import worlds
from tests.reference import spectral_scores

CHOSEN = {"alpha": 0.4, "rank": 10, "beta": 0.4, "power": 0.8, "friends": 0.0}


class TestSpectral(BlockContract):
    block = Spectral
    settings = {"rank": [4, 16]}  # noqa: RUF012 (read only)
    further = {"friends": [[2.0, 1.0, 0.5, 0.3, 0.1, 0.0]]}  # noqa: RUF012 (read only)


def test_equals_the_dense_twin() -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = Factors(worlds.inputs(train), 10, {"alpha": 0.4}, iterations=20).block(CHOSEN)
    expected = spectral_scores(train.matrix().toarray(), rank=10, alpha=0.4, beta=0.4, power=0.8)  # (U, I)
    found = block.users @ block.items.T
    scale = expected.std(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected / scale, atol=2e-3)


def test_users_are_exactly_the_scaled_sum_of_their_items_and_friends() -> None:
    train = worlds.given(worlds.two_tastes(friends=True)).train
    block = Factors(worlds.inputs(train), 6, {"alpha": 0.5}, iterations=4).block({**CHOSEN, "rank": 6, "friends": 0.5})
    assert block.history is not None
    taste = train.matrix().toarray()
    source, target = train.social_edge_index
    for user in range(train.n_users):
        friends = target[source == user]
        x = taste[user] + 0.5 * taste[friends].mean(axis=0)
        side = x @ block.history
        np.testing.assert_allclose(block.users[user], side / (block.items @ side).std(), rtol=1e-3, atol=1e-4)


def test_a_user_without_history_is_the_mean_of_their_friends() -> None:
    rows = [
        ("a", "x", 0),
        ("a", "y", 0),
        ("b", "x", 0),
        ("b", "y", 0),
        ("c", "z", 0),
        ("d", "z", 0),
        ("lonely", "z", 2),
    ]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "part"])
    friends = pd.DataFrame({"user_id": ["lonely"], "friend_id": ["a"]})
    data = build("cold", events, friends=friends)
    assert data.parts is not None
    train = data.subset(np.equal(data.parts, 0))
    block = Factors(worlds.inputs(train), 2, {"alpha": 0.5}, iterations=4).block({**CHOSEN, "rank": 2, "friends": 0.3})
    scores = block.users[data.users.number("lonely")] @ block.items.T
    assert scores[data.items.number("x")] > scores[data.items.number("z")]
    alone = Factors(worlds.inputs(train), 2, {"alpha": 0.5}, iterations=4).block({**CHOSEN, "rank": 2, "friends": 0.0})
    assert not alone.users[data.users.number("lonely")].any()


def test_scores_have_unit_deviation_so_that_one_weight_is_enough() -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = Factors(worlds.inputs(train), 5, {"alpha": 0.5}, iterations=4).block({**CHOSEN, "rank": 5})
    np.testing.assert_allclose((block.users @ block.items.T).std(axis=1), 1.0, atol=1e-3)


def test_at_full_rank_too_items_of_one_taste_are_alike() -> None:
    train = worlds.given(worlds.two_tastes()).train
    full = feasible_ranks(train, [10_000], 1.0)[0]
    block = Factors(worlds.inputs(train), full, {"alpha": 0.5}, iterations=8).block({**CHOSEN, "rank": full})
    units = block.items / np.linalg.norm(block.items, axis=1, keepdims=True)
    taste = np.array([int(i[1:]) % 2 for i in train.items.ids])
    likeness = units @ units.T  # (I, I)
    same = taste[:, None] == taste
    assert likeness[same & ~np.eye(len(same), dtype=bool)].mean() > likeness[~same].mean() + 0.05


def test_tuning_finds_the_planted_tastes() -> None:
    parts = worlds.given(worlds.two_tastes())
    validation = Validation(parts.train, parts.valid)
    (block,), chosen = Spectral().tune(Folds.of(worlds.inputs(parts.train), validation))
    assert chosen["rank"] <= 40
    assert worlds.finds_the_tastes(worlds.scores(block, parts.train))


@pytest.mark.parametrize(("memory_gb", "expected"), [(1.0, [8, 40]), (1e-9, [1])])
def test_rank_is_bounded_by_the_data_and_the_memory(memory_gb: float, expected: list[int]) -> None:
    train = worlds.given(worlds.two_tastes()).train
    assert feasible_ranks(train, [8, 64, 1000], memory_gb) == expected


def test_the_whole_spectrum_is_never_the_identity() -> None:
    """At full rank and without a response, what is said of untaken items would be noise of rounding."""
    train = worlds.given(worlds.two_tastes()).train
    chosen = {**CHOSEN, "rank": train.n_items, "power": 0.0}
    block = Spectral().fit(worlds.inputs(train), chosen)
    untaken = worlds.scores(block, train)[train.matrix().toarray() == 0]
    assert untaken.std() > 1e-3
    assert Spectral().learn(worlds.inputs(train), {**chosen, "power": 0.8}).width == train.n_items


@pytest.mark.parametrize("asked", [6, 7, 40])
def test_nor_is_the_whole_spectrum_of_a_matrix_of_low_rank(asked: int) -> None:
    """Six bundles that whole groups of people take: rank 6 of 40, whether more is asked for or just that."""
    random = np.random.default_rng(0)
    bundles = random.random((6, 40)) < 0.3
    rows = [(f"u{u:02d}", f"i{i:02d}") for u in range(60) for i in np.flatnonzero(bundles[u % 6])]
    train = build("bundles", pd.DataFrame(rows, columns=["user_id", "item_id"]))
    chosen = {**CHOSEN, "rank": asked, "power": 0.0}
    block = Spectral().fit(worlds.inputs(train), chosen)
    assert block.items.shape[1] == 5
    untaken = worlds.scores(block, train)[train.matrix().toarray() == 0]
    assert untaken.std() > 1e-2


def test_the_rank_that_was_measured_is_the_one_that_is_chosen() -> None:
    parts = worlds.given(worlds.two_tastes())
    few = parts.train.subset(parts.train.events.item_nums < 12)
    validation = Validation(few, parts.valid)
    settings = Spectral.Settings(rank=[16], power=[0.0])
    (block,), chosen = Spectral(settings).tune(Folds.of(worlds.inputs(few), validation))
    assert chosen["rank"] == block.items.shape[1] < 12


def test_items_nobody_took_have_no_place() -> None:
    parts = worlds.given(worlds.two_tastes())
    data = parts.train.subset(parts.train.interactions.item_nums != 3)
    block = Spectral().fit(worlds.inputs(data), CHOSEN)
    assert not block.items[3].any()
