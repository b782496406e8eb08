"""How much each friend counts: by how far they agree with oneself, and with one's other friends."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from graphrec.types import Floats, Ints

EDGES = 100_000  # friendships compared at once


def attended(friends: sp.csr_matrix, own: sp.csr_matrix, taken: sp.csr_matrix, sharp: float) -> sp.csr_matrix:
    """Friends weighed by agreement, CSR float32 (B, U); rows sum to what they did.

        a_uf = r^sharp / (r^sharp + 1 / 2^sharp),   r = c_uf / max_f c_uf
        c_uf = Σ_v n_v k(x_f, x_v) / Σ_v n_v, at least 0
        k(x, y) = (⟨x, y⟩ - Σx Σy Σ_i q_i²) / (|x| |y|)

    where v are this person and their other friends, n_v how many items each took, and q_i an item's share of all that
    was taken, so that k is a cosine beyond what chance and popularity make. A friend who takes what neither this person
    nor the others take counts for nothing, and people of whom nothing is known but friends are heard through those who
    agree. Where nobody agrees with anybody all count as before.

    Args:
        friends: whom each of B hears, CSR (B, U), 0 or more. own: what they took, CSR (B, I). taken: what everybody
            took, CSR (U, I), which is 0 or more. sharp: 0 leaves friends as they are.
    """
    if not sharp or not friends.nnz:
        return friends
    mine, theirs = unit_rows(own), unit_rows(taken)
    counts = np.diff(friends.indptr)
    rows, others = np.repeat(np.arange(len(counts)), counts), friends.indices.astype(np.int64)
    many = np.diff(taken.indptr).astype(np.float64)  # (U,)
    pattern = sp.csr_matrix((many[others], others, friends.indptr), friends.shape)
    known = np.diff(own.indptr).astype(np.float64)  # (B,)
    voters = pattern @ theirs + sp.diags(known) @ mine  # (B, I)
    shares = np.asarray(taken.sum(axis=0), np.float64).ravel()
    chance = float(np.square(shares / max(float(shares.sum()), 1e-12)).sum())
    of_theirs, of_voters = (np.asarray(m.sum(axis=1), np.float64).ravel() for m in (theirs, voters))
    bound, weight = of_theirs[others], many[others]
    alone = np.asarray(theirs.multiply(theirs).sum(axis=1)).ravel()[others]  # a friend with themselves
    agreed = _dots(voters, rows, theirs, others) - weight * alone
    agreed = np.maximum(agreed - chance * bound * (of_voters[rows] - weight * bound), 0)
    agreed /= np.maximum(np.asarray(pattern.sum(axis=1)).ravel()[rows] - weight + known[rows], 1)
    agreed[agreed < 1e-6] = 0.0  # rounding
    most = np.zeros(len(counts))
    np.maximum.at(most, rows, agreed)
    ratio = (agreed / np.where(most > 0, most, 1)[rows]) ** sharp
    part = np.where(most[rows] > 0, ratio / (ratio + 0.5**sharp), 1.0)
    out = sp.csr_matrix((friends.data * part, others, friends.indptr), friends.shape)
    before, after = (np.asarray(m.sum(axis=1), np.float64).ravel() for m in (friends, out))
    return sp.csr_matrix(sp.diags(before / np.where(after > 0, after, 1)) @ out, dtype=np.float32)


def unit_rows(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Rows at length 1, CSR; empty ones stay empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1), np.float64).ravel())
    return sp.csr_matrix(sp.diags(1 / np.where(length > 0, length, 1)) @ matrix)


def _dots(one: sp.csr_matrix, rows: Ints, other: sp.csr_matrix, others: Ints) -> Floats:
    """Inner products of rows of one with rows of the other, (E,)."""
    parts = [
        np.asarray(one[rows[s : s + EDGES]].multiply(other[others[s : s + EDGES]]).sum(axis=1)).ravel()
        for s in range(0, len(rows), EDGES)
    ]
    return np.concatenate(parts)
