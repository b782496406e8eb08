"""Likeness of items: a naive twin, and what must not count."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.profile.dense import ProfileBlock
from graphrec.profile.likeness import Likeness
from graphrec.profile.profiles import Profiles
from graphrec.profile.sparse import NeighbourBlock
from graphrec.types import Floats

N = 7


def dense(weight: float, prior: int = 0, scale: float = 1.0, seed: int = 0) -> ProfileBlock:
    items = scale * np.random.default_rng(seed).normal(size=(N, 3)).astype(np.float32)
    return ProfileBlock(f"dense{seed}", np.zeros((2, 3), np.float32), items, weight, prior=prior)


def linked(weight: float) -> NeighbourBlock:
    links = sp.csr_matrix(np.random.default_rng(1).random((N, N)) * (1 - np.eye(N)), dtype=np.float32)
    return NeighbourBlock("linked", sp.csr_matrix(np.zeros((2, N), np.float32)), links, weight)


def cosines(side: Floats) -> Floats:
    lengths = np.linalg.norm(side, axis=1)
    every = range(len(side))
    return np.array([[side[a] @ side[b] / (lengths[a] * lengths[b]) for b in every] for a in every], np.float32)


def test_is_the_mean_cosine_of_the_blocks_by_weight() -> None:
    blocks = (dense(0.5, scale=100), dense(2.0, prior=1, seed=1), linked(1.5), dense(0.0, seed=2))
    links = np.asarray(blocks[2].items.toarray())
    links += np.diag(links.max(axis=1))  # an item is its own nearest neighbour
    expected = (0.5 * cosines(blocks[0].items) + 2 * cosines(blocks[1].items[:, :2]) + 1.5 * cosines(links)) / 4
    likeness = Likeness.of(Profiles(blocks))
    found = np.array([likeness.to(n) for n in range(N)])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    some = np.array([5, 1, 3])
    rows = likeness.rows(some)  # (3, d)
    np.testing.assert_allclose(rows @ rows.T, expected[np.ix_(some, some)], atol=1e-6)


def test_an_item_that_no_block_places_is_like_none() -> None:
    block = dense(1.0)
    without = ProfileBlock("gap", block.users, np.vstack([block.items[:-1], np.zeros((1, 3))]), 1.0)
    likeness = Likeness.of(Profiles((without, linked(0.0))))
    assert not likeness.to(N - 1).any()
    assert likeness.to(0)[0] == pytest.approx(1)


def test_what_says_the_same_of_everybody_makes_nothing_alike() -> None:
    likeness = Likeness.of(Profiles((dense(1.0, prior=3),)))
    assert not likeness.to(0).any()
    assert likeness.rows(np.arange(2)).shape == (2, 0)
