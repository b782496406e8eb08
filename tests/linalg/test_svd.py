"""The sparse SVD against numpy's, on both of its paths."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.linalg import svd
from graphrec.types import Floats


def _matrix(rows: int, columns: int) -> sp.csr_matrix:
    """Sparse, with a clear low-rank part."""
    random = np.random.default_rng(0)
    low = random.random((rows, 5)) @ random.random((5, columns))
    return sp.csr_matrix((low * (random.random((rows, columns)) < 0.3)).astype(np.float32))


def _filter(vectors: Floats) -> Floats:
    return vectors @ vectors.T  # the projection, whatever the signs


@pytest.mark.parametrize("shape", [(60, 40), (40, 60)])
@pytest.mark.parametrize("dense", [0, 2000])
def test_values_and_subspace_are_those_of_numpy(
    shape: tuple[int, int], dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svd, "DENSE", dense)
    matrix = _matrix(*shape)
    values, vectors = svd.truncated_svd(matrix, 4, iterations=8)
    _, expected, right = np.linalg.svd(matrix.toarray())
    np.testing.assert_allclose(values, expected[:4], rtol=1e-3)
    np.testing.assert_allclose(_filter(vectors), _filter(right[:4].T), atol=2e-2)


@pytest.mark.parametrize("dense", [0, 2000])
def test_a_matrix_of_lower_rank_than_asked(dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svd, "DENSE", dense)
    matrix = sp.csr_matrix(np.outer(np.arange(1, 31), np.ones(20)).astype(np.float32))
    values, vectors = svd.truncated_svd(matrix, 3)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(values[1:] / values[0], 0, atol=1e-3)


def test_rank_is_cut_to_the_shorter_side() -> None:
    values, vectors = svd.truncated_svd(_matrix(30, 8), 100)
    assert values.shape == (8,)
    assert vectors.shape == (8, 8)
