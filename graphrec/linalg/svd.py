"""Leading right singular vectors of a sparse matrix, which is never made dense, on all cores where it is large.

Where one side is short, they are exact: the eigenvectors of the sparse Gram matrix of that side, in float64. Else
randomised subspace iteration (Halko, Martinsson, Tropp, SIAM Review 2011, algorithms 4.4 and 5.1) on AᵀA, with
orthonormalisation by Cholesky QR: a step multiplies the condition number by at most (σ₁/σ_k)², so the Gram matrix is
safe where a step starts from orthonormal columns. ``randomized_svd`` of scikit-learn multiplies sparse matrices on one
core, and ``torch.svd_lowrank`` spends most of its time in Householder QR: both were slower at equal accuracy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import eigh

from graphrec.types import Floats

if TYPE_CHECKING:
    from torch import Tensor

_Doubles = npt.NDArray[np.float64]

OVERSAMPLES = 40
SHORT = 2_000  # shorter side up to which the exact decomposition is quicker


def truncated_svd(
    matrix: sp.csr_matrix, rank: int, iterations: int = 5, seed: int = 0, start: Floats | None = None
) -> tuple[Floats, Floats]:
    """Singular values float32 (r,), largest first, and right vectors float32 (columns, r) of a CSR matrix.

    r ≤ ``rank`` leaves out what is beyond the shorter side or numerically zero, of which the vectors would be noise:
    σ ≤ σ₁ √max(shape) ε, which bounds what rounding of the entries to float32 (ε = 2⁻²³) makes of a zero. A matrix of
    zeros has one value, 0, with a vector of zeros. Of each vector the largest entry is positive. The same seed gives
    the same bytes on the same machine. Iterations begin at ``start``, float32 (columns, s), where vectors of a matrix
    that hardly differs are known.

    Memory beside the result: where a side is short (``SHORT``) its Gram matrix, float64, at most 32 MB; else arrays of
    both sides by ``rank`` + ``OVERSAMPLES``, float32.
    """
    rank = min(rank, *matrix.shape)
    exact = min(matrix.shape) <= SHORT and start is None
    values, vectors = _exact(matrix, rank) if exact else _randomised(matrix, rank, iterations, seed, start)
    return _told(values, vectors, max(matrix.shape))


def work(rows: int, columns: int, entries: int, rank: int, iterations: int) -> float:
    """What ``truncated_svd`` takes of a matrix with so many entries, in products of an entry (about a nanosecond of a
    core): s³ / 4 where the shorter side s is short, else for each step and each of its k columns one of each entry and
    k / 20 for each row of both sides."""
    shorter = min(rows, columns)
    if shorter <= SHORT:
        return shorter**3 / 4
    width = min(rank + OVERSAMPLES, shorter)
    return float(iterations + 1) * width * (entries + width * (rows + columns) / 20)


def svd_of_gram(gram: npt.NDArray[np.float64], rank: int, rows: int) -> tuple[Floats, Floats]:
    """``truncated_svd`` of a matrix of so many rows of which nothing but AᵀA is known, float64 (columns, columns).

    Eigenvalues below 0, which noise makes, count as 0. Memory: the eigenvectors asked for, float64, and one copy.
    """
    size = len(gram)
    rank = min(rank, size, max(rows, 1))
    if not rank:
        return np.zeros(0, np.float32), np.zeros((size, 0), np.float32)
    squares, vectors = eigh(gram, subset_by_index=(size - rank, size - 1), check_finite=False)
    return _told(np.sqrt(np.maximum(squares[::-1], 0.0)), vectors[:, ::-1], max(rows, size))


def _told(values: _Doubles, vectors: npt.NDArray[np.floating], longer: int) -> tuple[Floats, Floats]:
    """What is no noise of rounding, for a matrix whose longer side this is; with signs that both ways share."""
    if not len(values) or not values[0] > 0:
        none = min(len(values), 1)
        return np.zeros(none, np.float32), np.zeros((len(vectors), none), np.float32)
    kept = int((values > values[0] * np.sqrt(longer) * np.finfo(np.float32).eps).sum())
    vectors = vectors[:, :kept]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(kept)])
    return values[:kept].astype(np.float32), np.ascontiguousarray(vectors * signs, np.float32)


def _exact(matrix: sp.csr_matrix, rank: int) -> tuple[_Doubles, npt.NDArray[np.floating]]:
    a = matrix.astype(np.float64)
    tall = a.shape[0] >= a.shape[1]
    squares, sides = np.linalg.eigh((a.T @ a if tall else a @ a.T).toarray())
    values = np.sqrt(np.maximum(squares[::-1][:rank], 0.0))
    sides = sides[:, ::-1][:, :rank]  # (shorter side, rank)
    return values, sides if tall else (a.T @ sides) / np.maximum(values, np.finfo(np.float64).tiny)


def _randomised(
    matrix: sp.csr_matrix, rank: int, iterations: int, seed: int, start: Floats | None
) -> tuple[_Doubles, npt.NDArray[np.floating]]:
    import torch  # seconds to import, and not needed to ask a model

    a, a_t = _torch_csr(matrix), _torch_csr(matrix.T.tocsr())
    width = min(rank + OVERSAMPLES, *matrix.shape)
    basis = torch.randn(matrix.shape[1], width, generator=torch.Generator().manual_seed(seed))  # (columns, width)
    if start is not None:
        known = min(start.shape[1], width)
        lengths = np.maximum(np.linalg.norm(start[:, :known], axis=0), np.finfo(np.float32).tiny)
        basis /= float(matrix.shape[1]) ** 0.5  # at the length of the others
        basis[:, :known] = torch.from_numpy(start[:, :known] / lengths)
    for _ in range(iterations):
        basis = _orthonormal(a_t @ (a @ basis))
    image = a @ basis  # (rows, width)
    squares, rotation = torch.linalg.eigh((image.T @ image).to(torch.float64))
    values = squares.flip(0).clamp(min=0).sqrt()[:rank]
    vectors = basis @ rotation.flip(1)[:, :rank].to(torch.float32)  # (columns, rank)
    return values.numpy(), vectors.numpy()


def _orthonormal(y: Tensor) -> Tensor:
    """An orthonormal basis of the columns: Cholesky QR, or Householder QR where the Gram matrix is not definite."""
    import torch

    factor, failed = torch.linalg.cholesky_ex((y.T @ y).to(torch.float64))
    if failed:
        basis: Tensor = torch.linalg.qr(y).Q
        return basis
    solved: Tensor = torch.linalg.solve_triangular(factor.to(torch.float32), y.T, upper=False)
    return solved.T.contiguous()


def _torch_csr(matrix: sp.csr_matrix) -> Tensor:
    import torch

    places = (torch.from_numpy(matrix.indptr), torch.from_numpy(matrix.indices))  # no copies
    values = torch.from_numpy(matrix.data.astype(np.float32, copy=False))
    return torch.sparse_csr_tensor(*places, values, matrix.shape, check_invariants=False)
