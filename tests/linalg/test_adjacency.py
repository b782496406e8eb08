"""Rows smoothed over friends: the sum itself, and its cut."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.linalg import adjacency
from graphrec.linalg.adjacency import degree_normalised, smoothed


def _parts(seed: int = 0) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    random = np.random.default_rng(seed)
    taken = (random.random((9, 7)) < 0.4).astype(np.float32)
    heard = (random.random((9, 9)) < 0.3).astype(np.float32)
    return sp.csr_matrix(taken), sp.csr_matrix(heard / np.maximum(heard.sum(axis=1), 1)[:, None])


@pytest.mark.parametrize("chunk", [2, 4096])
def test_friends_are_added_at_the_weight(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adjacency, "CHUNK", chunk)
    taken, heard = _parts()
    expected = taken.toarray() + 0.3 * heard.toarray() @ taken.toarray()
    np.testing.assert_allclose(smoothed(taken, heard, 0.3).toarray(), expected, rtol=1e-5)
    assert smoothed(taken, heard, 0.0) is taken
    assert smoothed(taken, 0 * heard[:, :0] @ heard[:0], 0.3) is taken


@pytest.mark.parametrize("chunk", [1, 4096])
def test_normalising_is_two_products_with_diagonals(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adjacency, "CHUNK", chunk)
    random = np.random.default_rng(0)
    dense = np.where(random.random((7, 5)) < 0.6, random.normal(size=(7, 5)), 0).astype(np.float32)
    dense[2], dense[:, 3] = 0, 0
    told = sp.csr_matrix(dense)
    told.data[:2] = 0.0  # that is stored
    before = told.copy()
    left, right = (np.abs(told.toarray()).sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = left[:, None] ** -0.4 * told.toarray() * right**-0.5
    found = degree_normalised(told, 0.4, 0.5)
    np.testing.assert_allclose(found.toarray(), np.nan_to_num(expected, nan=0.0, posinf=0.0), rtol=1e-6)
    assert found.nnz == np.count_nonzero(told.toarray())
    assert (abs(told - before)).nnz == 0
    assert told.nnz == before.nnz


def test_the_largest_are_kept_and_of_equal_ones_the_popular(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adjacency, "MOST_HEARD", 1)
    taken = sp.csr_matrix(np.array([[0, 0, 0], [1, 0, 1], [0, 0, 1]], np.float32))
    heard = sp.csr_matrix(np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]], np.float32))
    np.testing.assert_allclose(smoothed(taken, heard, 0.5).toarray()[0], [0, 0, 0.5])
