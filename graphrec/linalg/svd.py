"""Leading right singular vectors of a large sparse matrix, on all cores.

Randomised subspace iteration (Halko, Martinsson, Tropp, SIAM Review 2011, algorithms 4.4 and 5.1) on AᵀA, with
orthonormalisation by Cholesky QR: a step multiplies the condition number by at most (σ₁/σ_k)², so the Gram matrix is
safe where a step starts from orthonormal columns. ``randomized_svd`` of scikit-learn multiplies sparse matrices on one
core, and ``torch.svd_lowrank`` spends most of its time in Householder QR: both were slower at equal accuracy.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graphrec.types import Floats

OVERSAMPLES = 40
DENSE = 2_000  # shorter side up to which the exact decomposition is quicker


def truncated_svd(matrix: sp.csr_matrix, rank: int, iterations: int = 5, seed: int = 0) -> tuple[Floats, Floats]:
    """Singular values float32 (rank,), largest first, and right vectors float32 (columns, rank) of a CSR matrix.

    ``rank`` is cut to the shorter side. The same seed gives the same bytes on the same machine.
    """
    rank = min(rank, *matrix.shape)
    if min(matrix.shape) <= DENSE:
        return _dense(matrix, rank)
    a, a_t = _torch_csr(matrix), _torch_csr(matrix.T.tocsr())
    width = min(rank + OVERSAMPLES, *matrix.shape)
    basis = torch.randn(matrix.shape[1], width, generator=torch.Generator().manual_seed(seed))  # (columns, width)
    for _ in range(iterations):
        basis = _orthonormal(a_t @ (a @ basis))
    image = a @ basis  # (rows, width)
    squares, rotation = torch.linalg.eigh((image.T @ image).to(torch.float64))
    values = squares.flip(0).clamp(min=0).sqrt()[:rank]
    vectors = basis @ rotation.flip(1)[:, :rank].to(torch.float32)  # (columns, rank)
    return values.to(torch.float32).numpy(), vectors.contiguous().numpy()


def _dense(matrix: sp.csr_matrix, rank: int) -> tuple[Floats, Floats]:
    """Exact, from the Gram matrix of the shorter side in float64."""
    a = matrix.toarray().astype(np.float64)
    tall = a.shape[0] >= a.shape[1]
    squares, vectors = np.linalg.eigh(a.T @ a if tall else a @ a.T)
    values = np.sqrt(np.maximum(squares[::-1][:rank], 0.0))
    kept = vectors[:, ::-1][:, :rank]
    if not tall:
        safe = np.where(values > 1e-9, values, 1.0)
        kept = (a.T @ kept) / safe * (values > 1e-9)
    return values.astype(np.float32), np.ascontiguousarray(kept, np.float32)


def _orthonormal(y: Tensor) -> Tensor:
    """An orthonormal basis of the columns: Cholesky QR, or Householder QR where the Gram matrix is not definite."""
    factor, failed = torch.linalg.cholesky_ex((y.T @ y).to(torch.float64))
    if failed:
        basis: Tensor = torch.linalg.qr(y).Q
        return basis
    solved: Tensor = torch.linalg.solve_triangular(factor.to(torch.float32), y.T, upper=False)
    return solved.T.contiguous()


def _torch_csr(matrix: sp.csr_matrix) -> Tensor:
    parts = (torch.from_numpy(matrix.indptr.astype(np.int64)), torch.from_numpy(matrix.indices.astype(np.int64)))
    values = torch.from_numpy(matrix.data.astype(np.float32))
    return torch.sparse_csr_tensor(*parts, values, matrix.shape, check_invariants=False)
