"""Rows smoothed over friends: the sum itself, and its cut."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.linalg import adjacency
from graphrec.linalg.adjacency import smoothed


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


def test_the_largest_are_kept_and_of_equal_ones_the_popular(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adjacency, "MOST_HEARD", 1)
    taken = sp.csr_matrix(np.array([[0, 0, 0], [1, 0, 1], [0, 0, 1]], np.float32))
    heard = sp.csr_matrix(np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]], np.float32))
    np.testing.assert_allclose(smoothed(taken, heard, 0.5).toarray()[0], [0, 0, 0.5])
