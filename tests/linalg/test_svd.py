"""The sparse SVD against numpy's, on both of its paths."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.linalg import svd
from graphrec.types import Floats

SHAPES = pytest.mark.parametrize("shape", [(60, 40), (40, 60)])
PATHS = pytest.mark.parametrize("short", [0, 2000])  # randomised, exact


def _matrix(rows: int, columns: int) -> sp.csr_matrix:
    """Sparse, with a clear low-rank part."""
    random = np.random.default_rng(0)
    low = random.random((rows, 5)) @ random.random((5, columns))
    return sp.csr_matrix((low * (random.random((rows, columns)) < 0.3)).astype(np.float32))


def _of_rank(rank: int, rows: int, columns: int) -> sp.csr_matrix:
    """Exactly of this rank but for the rounding of its entries."""
    random = np.random.default_rng(1)
    low = random.normal(size=(rows, rank)) @ random.normal(size=(rank, columns))
    return sp.csr_matrix(low.astype(np.float32))


def _filter(vectors: Floats) -> Floats:
    return vectors @ vectors.T  # the projection, whatever the signs


@SHAPES
@PATHS
def test_values_and_subspace_are_those_of_numpy(
    shape: tuple[int, int], short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svd, "SHORT", short)
    matrix = _matrix(*shape)
    values, vectors = svd.truncated_svd(matrix, 4, iterations=8)
    _, expected, right = np.linalg.svd(matrix.toarray().astype(np.float64))
    np.testing.assert_allclose(values, expected[:4], rtol=1e-6 if short else 1e-3)
    np.testing.assert_allclose(_filter(vectors), _filter(right[:4].T), atol=1e-6 if short else 2e-2)
    assert values.dtype == vectors.dtype == np.float32
    assert vectors.flags.c_contiguous


@SHAPES
@PATHS
def test_the_largest_entry_of_a_vector_is_positive(
    shape: tuple[int, int], short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svd, "SHORT", short)
    _, vectors = svd.truncated_svd(_matrix(*shape), 20)
    assert (vectors.max(axis=0) == np.abs(vectors).max(axis=0)).all()


@pytest.mark.parametrize("shape", [(100_000, 300), (300, 100_000)])
def test_a_short_side_never_makes_the_long_one_dense(shape: tuple[int, int]) -> None:
    """As float64 the whole matrix would take 240 MB; the factors that are asked for take 2."""
    random = np.random.default_rng(0)
    rows, columns = (random.integers(0, n, 200_000) for n in shape)
    matrix = sp.csr_matrix((np.ones(200_000, np.float32), (rows, columns)), shape=shape)
    tracemalloc.start()
    try:
        values, vectors = svd.truncated_svd(matrix, 5)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30e6
    images = matrix @ vectors  # (rows, 5)
    np.testing.assert_allclose(np.linalg.norm(images, axis=0), values, rtol=1e-4)


@SHAPES
@PATHS
@pytest.mark.parametrize("rank", [1, 7])
def test_beyond_the_rank_of_a_matrix_there_is_no_vector(
    rank: int, shape: tuple[int, int], short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svd, "SHORT", short)
    matrix = _of_rank(rank, *shape)
    values, vectors = svd.truncated_svd(matrix, 30)
    assert (len(values), vectors.shape) == (rank, (shape[1], rank))
    np.testing.assert_allclose(_filter(vectors), np.linalg.pinv(matrix.toarray(), 1e-4) @ matrix.toarray(), atol=1e-4)


def test_beyond_the_rank_of_a_large_matrix_there_is_no_vector() -> None:
    values, vectors = svd.truncated_svd(_of_rank(12, 2600, 2300), 40, iterations=2)
    assert len(values) == 12
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(12), atol=1e-5)


@PATHS
def test_a_weak_value_of_a_long_matrix_is_no_zero(short: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svd, "SHORT", short)
    matrix = sp.csr_matrix(np.repeat(np.diag([1.0, 1e-3]).astype(np.float32), 50_000, axis=0))
    values, vectors = svd.truncated_svd(matrix, 2)
    np.testing.assert_allclose(values[1] / values[0], 1e-3, rtol=1e-3)
    np.testing.assert_allclose(vectors, np.eye(2), atol=1e-4)


@SHAPES
@PATHS
def test_a_matrix_of_zeros_has_one_value(shape: tuple[int, int], short: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svd, "SHORT", short)
    values, vectors = svd.truncated_svd(sp.csr_matrix(np.zeros(shape, np.float32)), 3)
    np.testing.assert_array_equal(values, [0])
    np.testing.assert_array_equal(vectors, np.zeros((shape[1], 1)))


def test_rank_is_cut_to_the_shorter_side() -> None:
    values, vectors = svd.truncated_svd(_matrix(30, 8), 100)
    assert values.shape == (8,)
    assert vectors.shape == (8, 8)
