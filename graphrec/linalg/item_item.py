"""Item-item matrices: co-occurrence, its nearest neighbours, the regressions of EASE and SLIM, a Chebyshev filter."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from numpy.polynomial import Chebyshev

from graphrec.errors import ConfigError
from graphrec.linalg.svd import truncated_svd
from graphrec.types import Floats, Ints

CHUNK = 1024  # rows of an item-item matrix made at a time
DOUBLE = 10_000  # items up to which the inverse is taken in float64
ROUNDING = 1e-8  # a weight of an item in another, up to which it is none


def cooccurrence(history: sp.csr_matrix) -> Iterator[tuple[int, sp.csr_matrix]]:
    """XᵀX, a chunk of rows at a time: (first row, CSR (C, I) in no order of columns), from X CSR (U, I)."""
    items = sp.csr_matrix(history.T)  # (I, U)
    for start in range(0, items.shape[0], CHUNK):
        yield start, sp.csr_matrix(items[start : start + CHUNK] @ history)


def largest(matrix: sp.csr_matrix | Floats, n: int) -> sp.csr_matrix:
    """The n entries of each row with the largest absolute value, ties by column number; CSR of the same shape."""
    if not isinstance(matrix, sp.csr_matrix):
        size = np.abs(matrix)
        at = max(matrix.shape[1] - n, 0)
        kept = size >= np.partition(size, at, axis=1)[:, at : at + 1] if size.size else size > 0
        kept &= size > 0  # of those that are as large as the last, all
        ends = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
        matrix = sp.csr_matrix((matrix[kept], np.nonzero(kept)[1], ends), shape=matrix.shape)
    kept = np.ones(matrix.nnz, dtype=bool)
    for row in np.flatnonzero(np.diff(matrix.indptr) > n):
        place = slice(matrix.indptr[row], matrix.indptr[row + 1])
        size = np.abs(matrix.data[place])
        least = np.partition(size, len(size) - n)[len(size) - n]  # the n-th largest
        enough = size >= least
        if (spare := int(np.count_nonzero(enough)) - n) > 0:  # those of the same size that stand last go
            alike = np.flatnonzero(size == least)
            enough[alike[np.argsort(matrix.indices[place][alike])][len(alike) - spare :]] = False
        kept[place] = enough
    places = np.flatnonzero(kept)
    ends = np.searchsorted(places, matrix.indptr)
    out = sp.csr_matrix((matrix.data[places], matrix.indices[places], ends), shape=matrix.shape)
    out.sort_indices()
    return out


def strongest(rows: sp.csr_matrix, start: int, n: int) -> sp.csr_matrix:
    """``largest`` of the rows from ``start`` on of an item-item matrix, CSR (C, I), without the diagonal."""
    number = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    rows.data[rows.indices == number] = 0
    rows.eliminate_zeros()
    return largest(rows, n)


def strongest_of(likeness: npt.NDArray[np.floating], n: int) -> sp.csr_matrix:
    """``largest`` of a dense item-item matrix (I, I), without its diagonal, CSR float32 (I, I)."""
    found = likeness.astype(np.float32)
    np.fill_diagonal(found, 0)
    return largest(found, n)


def nearest_neighbours(normalised: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """The n largest entries of each row of ÃᵀÃ without its diagonal, CSR float32 (I, I), from Ã CSR (U, I)."""
    parts = [strongest(product, start, n) for start, product in cooccurrence(normalised)]
    return sp.csr_matrix(sp.vstack(parts), dtype=np.float32)


def ease(history: sp.csr_matrix, regularisation: float) -> Floats:
    """B = I - P · diag(P)^-1 with P = (XᵀX + λI)^-1 and diag(B) = 0, float32 (I, I): scores are X @ B.

    Steck, Embarrassingly shallow autoencoders for sparse data, WWW 2019, eq. 8. Raises ConfigError where λ is too
    small for the matrix to be inverted.

    An inverse is dense, whatever X is. Memory: two matrices (I, I) at a time, float64 up to ``DOUBLE`` items (1.6 GB),
    float32 above: 8 I² bytes, 7.2 GB at 30,000 items.
    """
    return ease_weights(ease_inverse(history, regularisation))


def ease_inverse(history: sp.csr_matrix, regularisation: float) -> npt.NDArray[np.floating]:
    """P of ``ease``, (I, I), float64 up to ``DOUBLE`` items."""
    size = history.shape[1]
    gram: npt.NDArray[np.floating] = np.empty((size, size), np.float64 if size <= DOUBLE else np.float32)
    for start, product in cooccurrence(history):
        gram[start : start + CHUNK] = product.toarray()  # exact for counts: they are below 2²⁴
    return inverse_of_gram(gram, regularisation)


def inverse_of_gram(gram: npt.NDArray[np.floating], regularisation: float) -> npt.NDArray[np.floating]:
    """(G + λI)^-1 of a Gram matrix (I, I), which is overwritten. Raises ConfigError as ``ease``."""
    import torch  # seconds to import, and not needed to ask a model

    gram[np.diag_indices(len(gram))] += regularisation
    factor, fault = torch.linalg.cholesky_ex(torch.from_numpy(gram))
    if int(fault):
        raise ConfigError(f"ease: regularisation {regularisation:g} is too small to invert; use a larger one")
    del gram
    out: npt.NDArray[np.floating] = torch.cholesky_inverse(factor).numpy()
    return out


def ease_weights(inverse: npt.NDArray[np.floating]) -> Floats:
    """B of ``ease`` from P, float32 (I, I). What is less than ``ROUNDING`` is what P is short of exact zeros, and would
    be all that the scores of somebody are made of whose items nobody took with others."""
    out = np.empty(inverse.shape, np.float32)
    np.divide(inverse, -np.diag(inverse), out=out, casting="same_kind")  # column j by -P_jj
    for row in out:
        row[np.abs(row) < ROUNDING] = 0.0
    np.fill_diagonal(out, 0)
    return out


def moved_inverse(
    inverse: npt.NDArray[np.floating], gone: sp.csr_matrix, new: sp.csr_matrix
) -> npt.NDArray[np.floating]:
    """(A − GᵀG + NᵀN)^-1 from A^-1 (I, I), by the identity of Woodbury; G CSR (g, I), N CSR (n, I).

    A^-1 − Q (S + W Q)^-1 Qᵀ,   W = [G; N], Q = A^-1 Wᵀ, S = diag(−1 for each row of G, 1 for each of N)
    """
    rows = sp.csr_matrix(sp.vstack([gone, new]), dtype=inverse.dtype)  # (k, I)
    signs = np.repeat([-1.0, 1.0], [gone.shape[0], new.shape[0]]).astype(inverse.dtype)
    q = np.asarray(rows @ inverse).T  # (I, k)
    out: npt.NDArray[np.floating] = inverse - q @ np.linalg.solve(np.diag(signs) + np.asarray(rows @ q), q.T)
    return out


def slim(history: sp.csr_matrix, l1: float, l2: float) -> sp.csr_matrix:
    """W ≥ 0 with diag(W) = 0, CSR float32 (I, I): scores are X @ W, from X CSR float32 (U, I).

    Column j minimises ½‖x_j − X w‖² / U + l1 ‖w‖₁ + ½ l2 ‖w‖² (Ning and Karypis, ICDM 2011, eq. 4).

    Memory: XᵀX and W sparse, and for one column at a time the dense Gram matrix, float32 (n, n), of the n items that
    may have a weight in it: where X ≥ 0, those with xᵢᵀx_j > l1 U, as no other item's weight ever leaves 0.
    """
    n_users, size = history.shape
    gram = sp.csr_matrix(history.T @ history)  # (I, I)
    gram.sort_indices()
    least = l1 * n_users if history.nnz and history.data.min() >= 0 else 0.0
    columns, rows = [np.zeros(0, np.float32)], [np.zeros(0, gram.indices.dtype)]
    ends = np.zeros(size + 1, np.int64)
    for item, own in enumerate(gram.diagonal()):
        place = slice(gram.indptr[item], gram.indptr[item + 1])
        shared, near = gram.data[place], gram.indices[place]
        kept = (near != item) & (np.abs(shared) > least)
        found = _regression(gram, near[kept], shared[kept], float(own), l1 * n_users, l2 * n_users)
        columns.append(found[found > 0])
        rows.append(near[kept][found > 0])
        ends[item + 1] = ends[item] + len(rows[-1])
    return sp.csr_matrix(sp.csc_matrix((np.concatenate(columns), np.concatenate(rows), ends), shape=gram.shape))


def _regression(gram: sp.csr_matrix, near: Ints, shared: Floats, own: float, l1: float, l2: float) -> Floats:
    """w ≥ 0 of the items ``near``, float32 (n,), that minimises ½‖x − X w‖² + l1 ‖w‖₁ + ½ l2 ‖w‖², from Gram alone.

    shared: Xᵀx, float32 (n,). own: ‖x‖². The library's descent reads no more than these: what stands for X and x has
    one row, and the length of x.
    """
    if not len(near):
        return np.zeros(0, np.float32)
    from sklearn.linear_model import enet_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a regression that needs more steps is good enough
        path = enet_path(
            np.zeros((1, len(near)), np.float32, order="F"),
            np.array([own**0.5], np.float32),
            l1_ratio=l1 / (l1 + l2),
            alphas=[l1 + l2],
            precompute=gram[near][:, near].toarray(),
            Xy=shared,
            positive=True,
            max_iter=30,
            tol=1e-3,
            check_input=False,
            random_state=0,
        )
    out: Floats = path[1][:, 0]
    return out


def chebyshev_filter(normalised: sp.csr_matrix, flatness: float, order: int) -> Floats:
    """h(P) for P = ÃᵀÃ / σ₁², float32 (I, I), from Ã CSR (U, I): every frequency is heard, and no vector is computed.

        h(x) = ½ − ½ sign(x) |x|^φ     on the scaled Laplacian x = I − 2P, whose spectrum is [−1, 1]

    ``flatness`` φ: 1 is P itself, above it the middle of the spectrum weighs nearly the same (ChebyCF: Kim et al.,
    SIGIR 2025). h is interpolated at the Chebyshev nodes by a polynomial of degree ``order``, which is summed by
    T_k = 2x T_{k-1} − T_{k-2}, a chunk of columns at a time.

    h of a sparse matrix is dense. Memory: x and the result, 8 I² bytes (0.5 GB at 8,000 items), and chunks of columns.
    """
    largest_value = float(truncated_svd(normalised, 1, 30, 0)[0][0])
    scale = -2 / max(largest_value**2, 1e-12)
    size = normalised.shape[1]
    laplacian = np.empty((size, size), np.float32)
    for start, product in cooccurrence(normalised):
        laplacian[start : start + CHUNK] = (scale * product).toarray()
    laplacian[np.diag_indices(size)] += 1
    weights = Chebyshev.interpolate(lambda x: 0.5 - 0.5 * np.sign(x) * np.abs(x) ** flatness, order).coef
    out: Floats = np.empty_like(laplacian)
    for start in range(0, size, CHUNK):
        now = laplacian[:, start : start + CHUNK]  # T_1, (I, C)
        before = np.zeros_like(now)  # T_0
        before[start + np.arange(now.shape[1]), np.arange(now.shape[1])] = 1
        found = np.float32(weights[0]) * before + np.float32(weights[1]) * now
        for weight in weights[2:].astype(np.float32):
            before, now = now, 2 * (laplacian @ now) - before
            found += weight * now
        out[:, start : start + CHUNK] = found
    return out
