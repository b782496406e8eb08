"""What a network grows with, the precision of its loss, and its training going on after a kill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphrec.blocks import kept
from graphrec.blocks._growth import LOGITS, MEMORY, NARROWEST, sizes
from graphrec.blocks._network_run import Run, half
from graphrec.blocks.api import Block, Folds
from graphrec.blocks.ease import Ease
from graphrec.blocks.graph import Graph, GraphSettings
from graphrec.blocks.popularity import Popularity
from graphrec.blocks.spectral import Spectral
from graphrec.evaluate.validation import Validation
from graphrec.profile.dense import ProfileBlock
from tests import worlds

SMALL = GraphSettings(dim=8, layers=1, max_epochs=6, batch_size=128, evaluations=3, temperature=(0.1, 0.2))


def test_the_size_of_known_data_sets() -> None:
    """Users, items, interactions of musical_instruments, lastfm_social, ml1m_kg, gowalla, and of a large shop."""
    found = {
        n: sizes(*n, GraphSettings())
        for n in (
            (1_429, 900, 8_000),
            (1_859, 2_813, 57_786),
            (6_040, 2_983, 556_989),
            (29_858, 40_981, 810_128),
            (2_000_000, 500_000, 60_000_000),
        )
    }
    assert [s.dim for s in found.values()] == [64, 64, 256, 256, 64]
    assert [s.negatives for s in found.values()] == [0, 0, 0, 0, 8_192]
    assert [s.epochs for s in found.values()][:2] == [100, 100]
    assert list(found.values())[3].epochs < 20


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.integers(1, 10**9), st.floats(0, 1000))
def test_sizes_are_within_their_bounds(n_users: int, n_items: int, n_edges: int, minutes: float) -> None:
    n_edges = max(n_edges, n_users)
    found = sizes(n_users, n_items, n_edges, GraphSettings(minutes=minutes))
    assert 1 <= found.users <= n_users
    assert 1 <= found.epochs <= 100
    assert found.dim == NARROWEST or 4 * found.dim * (n_users + n_items) <= MEMORY
    assert found.users == 1 or found.users * (found.negatives or n_items) <= LOGITS
    assert found.minutes >= 0
    more = sizes(n_users, n_items, n_edges, GraphSettings(minutes=2 * minutes))
    assert minutes == 0 or more.dim > found.dim or more.epochs >= found.epochs
    assert minutes == 0 or more.dim >= found.dim


def test_a_step_of_pairs_has_no_more_logits_than_one_of_people() -> None:
    n_users, n_edges = 500_000, 10_000_000
    found = sizes(n_users, 100_000, n_edges, GraphSettings(batches="pairs"))
    assert np.ceil(found.users / n_users * n_edges) * found.negatives <= LOGITS
    assert (
        sizes(1000, 500, 20_000, GraphSettings(batches="pairs")).users
        == sizes(1000, 500, 20_000, GraphSettings()).users
    )


def test_what_is_set_is_kept() -> None:
    found = sizes(1000, 500, 20_000, GraphSettings(dim=12, negatives=7, minutes=0, max_epochs=33))
    assert (found.dim, found.negatives, found.epochs) == (12, 7, 33)
    assert sizes(1000, 500, 20_000, GraphSettings(max_steps=10)).epochs == 2  # of five steps each


def test_half_precision_is_as_set() -> None:
    cpu = torch.device("cpu")
    assert half("half", cpu)
    assert not half("single", cpu)
    assert half("auto", cpu) == bool(torch.cpu.get_capabilities().get("amx_bf16"))


class _Killed(Exception):
    pass


@pytest.mark.parametrize("at", [1, 3, 5, 14])
def test_a_block_that_was_killed_chooses_and_learns_to_the_same_bits(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = worlds.given(worlds.two_tastes())
    plain = worlds.inputs(parts.train)
    ready = replace(plain, runtime=replace(plain.runtime, work=tmp_path))
    validation = Validation(parts.train, parts.valid)
    whole, chosen = Graph(SMALL).tune(Folds.of(plain, validation))
    monkeypatch.setattr("graphrec.train.checkpoint.SECONDS", 0.0)
    monkeypatch.setattr("graphrec.train.checkpoint.Checkpoint.due", lambda _: True)
    epoch, seen = Run.epoch, 0

    def dying(self: Run, number: int, rate: float) -> float:
        nonlocal seen
        seen += 1
        if seen == at:
            raise _Killed
        return epoch(self, number, rate)

    monkeypatch.setattr(Run, "epoch", dying)
    if at <= 12:
        with pytest.raises(_Killed):
            Graph(SMALL).tune(Folds.of(ready, validation))
    resumed, again = Graph(SMALL).tune(Folds.of(ready, validation))
    assert seen <= 13  # no epoch was run twice but the one that died
    assert again == chosen
    for one, other in zip(whole, resumed, strict=True):
        assert isinstance(one, ProfileBlock)
        assert isinstance(other, ProfileBlock)
        assert one.items.tobytes() == other.items.tobytes()
        assert one.users.tobytes() == other.users.tobytes()


def test_the_learning_curve_is_kept_with_what_was_chosen() -> None:
    parts = worlds.given(worlds.two_tastes())
    _, chosen = Graph(SMALL).tune(Folds.of(worlds.inputs(parts.train), Validation(parts.train, parts.valid)))
    assert [epoch for epoch, _ in chosen["curve"]] == [0, 2, 4, 6]
    assert [epoch for epoch, _ in chosen["losses"]] == [1, 2, 3, 4, 5, 6]
    assert max(score for _, score in chosen["curve"]) <= chosen["validation_ndcg"] + 1e-6
    assert chosen["losses"][-1][1] < chosen["losses"][0][1]


@pytest.mark.parametrize("block", [Popularity(), Spectral(), Ease(), Graph(SMALL)])
def test_what_a_block_chose_is_not_chosen_again(
    block: Block[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = worlds.given(worlds.two_tastes())
    plain = worlds.inputs(parts.train)
    ready = replace(plain, runtime=replace(plain.runtime, work=tmp_path))
    folds = Folds.of(ready, Validation(parts.train, parts.valid))
    first, chosen = kept.tuned(block, folds)
    with monkeypatch.context() as patch:
        patch.setattr(type(block), "tune", lambda *_: pytest.fail("it chose again"))
        again, same = kept.tuned(block, folds)
    assert same == chosen
    np.testing.assert_array_equal(worlds.scores(again[0], parts.train), worlds.scores(first[0], parts.train))
    assert again[0].words == first[0].words
    assert block.name in kept.Work(tmp_path, tmp_path).begun
    with monkeypatch.context() as patch:  # of other data nothing is kept
        patch.setattr(type(block), "tune", lambda *_: (first, {"anew": True}))
        other = parts.train.subset(parts.train.interactions.user_nums != 5)
        fewer = replace(ready, ties=worlds.inputs(other).ties)
        assert kept.tuned(block, Folds.of(fewer, Validation(other, parts.valid)))[1] == {"anew": True}
