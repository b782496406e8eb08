"""What one query holds, as plain arrays: a basket is answered before the matrices that many are read by would be made.

All is what the matrices of ``Queries`` hold, in the same order and to the same bits.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from graphrec.data.readings import holds_dislikes
from graphrec.query.fading import STEADY, Fading
from graphrec.query.hearing import Hearing, weights_of
from graphrec.query.query import Queries
from graphrec.types import Floats, Ints

FEW = 8  # queries up to which each is read by itself, without the matrices that many are read by
MANY = 30_000  # entries from which on a product of matrices costs less than what it takes to make them


def taste_of(one: Queries, reading: str, fading: Fading = STEADY) -> tuple[Ints, Floats]:
    """``taste`` of one query (B = 1) without friends: items int64 (n,) ascending, and what they weigh float32 (n,)."""
    key = "taste", reading, fading
    if key not in one.memo:
        one.memo[key] = _taste_of(one, reading, fading)
    return one.memo[key]  # type: ignore[no-any-return]


def heard_of(one: Queries, hearing: Hearing) -> tuple[Ints, Floats]:
    """Whom one query (B = 1) hears, user numbers int64 (F,), and how much each counts, float32 (F,); none where friends
    count for nothing."""
    weight = weights_of(hearing, one.activity)[0] if hearing else 0.0
    friends = one.friends if weight else None
    if friends is None or not friends.nnz:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    return friends.indices.astype(np.int64), np.asarray(weight * friends.data, np.float32)


def tastes_of(one: Queries, reading: str, hearing: Hearing, fading: Fading = STEADY) -> tuple[Ints, Floats]:
    """``taste`` of one query (B = 1) with friends: items int64 (n,), each once, and what they weigh float32 (n,)."""
    items, values = taste_of(one, reading, fading)
    friends, parts = heard_of(one, hearing)
    if not len(friends):
        return items, values
    theirs, weights = gathered(one.ties.taste(reading), friends, parts)
    both, place = np.unique(np.concatenate([items, theirs]), return_inverse=True)
    told, own = np.zeros((2, len(both)), np.float32)
    np.add.at(told, place[len(items) :], weights)
    own[place[: len(items)]] = values
    return both, own + told


def entries(matrix: sp.csr_matrix, rows: Ints) -> tuple[Ints, Ints]:
    """Where the entries of some rows (r,) of a CSR matrix lie, one row after another, int64 (e,); and how many each row
    has, int64 (r,)."""
    first, sizes = matrix.indptr[rows], matrix.indptr[rows + 1] - matrix.indptr[rows]
    ends = np.cumsum(sizes, dtype=np.int64)
    at = np.repeat(first - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)
    return at.astype(np.int64), sizes.astype(np.int64)


def gathered(matrix: sp.csr_matrix, rows: Ints, weights: Floats) -> tuple[Ints, Floats]:
    """Some rows of a CSR matrix (n, m), each times its weight float32 (r,), one after another: columns int64 (e,) and
    values float32 (e,)."""
    at, sizes = entries(matrix, rows)
    return matrix.indices[at].astype(np.int64), matrix.data[at] * np.repeat(weights, sizes)


def summed(matrix: sp.csr_matrix, rows: Ints, weights: Floats) -> Floats:
    """The sum of some rows of a CSR matrix float32 (n, m), each times its weight float32 (r,): float32 (m,)."""
    if int((matrix.indptr[rows + 1] - matrix.indptr[rows]).sum()) > MANY:
        side = sp.csr_matrix((weights, rows, np.array([0, len(rows)])), shape=(1, matrix.shape[0]))
        return np.asarray((side @ matrix).toarray()[0], np.float32)
    columns, values = gathered(matrix, rows, weights)
    out = np.zeros(matrix.shape[1], np.float32)
    np.add.at(out, columns, values)
    return out


def _taste_of(one: Queries, reading: str, fading: Fading) -> tuple[Ints, Floats]:
    if one.asked is None:
        number, matrix = one.user_nums, one.ties.taste(reading)
        own = slice(*matrix.indptr[int(number[0]) :][:2])
        items, values = matrix.indices[own].astype(np.int64), matrix.data[own]
    else:
        number, (_, items, values) = np.zeros(1, np.int64), one.read(reading)
        items, values = items[values != 0], values[values != 0]
    if not fading:
        return items, values
    liked = not holds_dislikes(reading, learning=False, exposure=one.ties.data.events.exposure)
    if ("line", liked) not in one.memo:
        one.memo["line", liked] = one.timeline(liked)
    _, known, counts = one.memo["line", liked].faded(number, fading, one.now)
    place = np.minimum(np.searchsorted(known, items), max(len(known) - 1, 0))
    there = known[place] == items if len(known) else np.zeros(len(items), bool)
    items, values = items[there], values[there] * counts[place[there]]
    return items[values != 0], values[values != 0]
