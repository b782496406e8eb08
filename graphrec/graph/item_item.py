"""Item-item matrices: co-occurrence, its nearest neighbours, and the closed-form regression of EASE."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from graphrec.errors import ConfigError
from graphrec.types import Floats

CHUNK = 1024  # rows of an item-item matrix made at a time
DOUBLE = 10_000  # items up to which the inverse is taken in float64


def cooccurrence(history: sp.csr_matrix) -> Iterator[tuple[int, sp.csr_matrix]]:
    """XᵀX, a chunk of rows at a time: (first row, CSR (C, I)), from X CSR (U, I)."""
    items = sp.csr_matrix(history.T)  # (I, U)
    for start in range(0, items.shape[0], CHUNK):
        product = sp.csr_matrix(items[start : start + CHUNK] @ history)
        product.sort_indices()
        yield start, product


def largest(matrix: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """The n entries of each row with the largest absolute value, ties by column number; CSR of the same shape."""
    matrix.sort_indices()
    kept = np.ones(matrix.nnz, dtype=bool)
    for row in np.flatnonzero(np.diff(matrix.indptr) > n):
        place = slice(matrix.indptr[row], matrix.indptr[row + 1])
        size = np.abs(matrix.data[place])
        least = np.partition(size, len(size) - n)[len(size) - n]  # the n-th largest
        above = size > least
        above[np.flatnonzero(size == least)[: n - int(above.sum())]] = True
        kept[place] = above
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[kept]
    return sp.csr_matrix((matrix.data[kept], (rows, matrix.indices[kept])), shape=matrix.shape)


def strongest(rows: sp.csr_matrix, start: int, n: int) -> sp.csr_matrix:
    """``largest`` of the rows from ``start`` on of an item-item matrix, CSR (C, I), without the diagonal."""
    number = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    rows.data[rows.indices == number] = 0
    rows.eliminate_zeros()
    return largest(rows, n)


def nearest_neighbours(normalised: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """The n largest entries of each row of ÃᵀÃ without its diagonal, CSR float32 (I, I), from Ã CSR (U, I)."""
    parts = [strongest(product, start, n) for start, product in cooccurrence(normalised)]
    return sp.csr_matrix(sp.vstack(parts), dtype=np.float32)


def ease(history: sp.csr_matrix, regularisation: float) -> Floats:
    """B = I - P · diag(P)^-1 with P = (XᵀX + λI)^-1 and diag(B) = 0, float32 (I, I): scores are X @ B.

    Steck, Embarrassingly shallow autoencoders for sparse data, WWW 2019, eq. 8. Raises ConfigError where λ is too
    small for the matrix to be inverted.
    """
    size = history.shape[1]
    gram: npt.NDArray[np.floating] = np.empty((size, size), np.float64 if size <= DOUBLE else np.float32)
    for start, product in cooccurrence(history):
        gram[start : start + CHUNK] = product.toarray()  # exact for counts: they are below 2²⁴
    gram[np.diag_indices(size)] += regularisation
    factor, fault = torch.linalg.cholesky_ex(torch.from_numpy(gram))
    if int(fault):
        raise ConfigError(f"ease: regularisation {regularisation:g} is too small to invert; use a larger one")
    del gram
    weights = torch.cholesky_inverse(factor)
    weights /= -weights.diagonal().clone()  # column j by -P_jj
    weights.fill_diagonal_(0)
    out: Floats = weights.float().numpy()
    return out
