"""Sparse matrices over users and items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from graphrec.data.dataset import Dataset
from graphrec.graph.names import ENTITY, ITEM
from graphrec.linalg.item_item import largest
from graphrec.types import Floats

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

CHUNK = 4096  # rows that are smoothed at a time
MOST_HEARD = 100  # items that friends add to one row
A_LITTLE = 1e-3  # by which a popular item goes before others there
LEAST_DEGREE = 1e-3  # where degrees are divided by: a weak event is no reason for a large weight


def degree_normalised(matrix: sp.csr_matrix, rows: float = 0.5, columns: float = 0.5) -> sp.csr_matrix:
    """D_r^-rows A D_c^-columns, CSR float32, with the row and column sums of |A| as degrees.

    Empty rows and columns stay zero. The defaults are the symmetric normalisation of a graph convolution.
    """
    sums = (degrees(matrix, axis=a).astype(np.float64) for a in (1, 0))
    left, right = (np.where(d > 0, np.maximum(d, 1e-12) ** -e, 0.0) for d, e in zip(sums, (rows, columns), strict=True))
    values = np.empty(matrix.nnz, np.float32)
    for start in range(0, matrix.shape[0], CHUNK):  # products in float64, of which all would be twice the memory
        ends = matrix.indptr[start : start + CHUNK + 1]
        here = slice(ends[0], ends[-1])
        each = np.repeat(left[start : start + CHUNK], np.diff(ends))
        values[here] = each * matrix.data[here] * right[matrix.indices[here]]
    out = sp.csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
    if not values.all():
        out = out.copy()
        out.eliminate_zeros()
    return out


def degrees(matrix: sp.csr_matrix, axis: int = 0) -> Floats:
    """Sums of the absolute values of the columns (``axis`` 0) or rows (1), float32."""
    return np.asarray(abs(matrix).sum(axis=axis), dtype=np.float32).ravel()


def divisors(found: Floats) -> Floats:
    """Degrees (n,) as they are divided by: 1 where there is none."""
    return np.where(found > 0, np.maximum(found, LEAST_DEGREE), 1.0).astype(np.float32)


def friend_mean(data: Dataset, against: bool = False, along: bool = True) -> sp.csr_matrix:
    """Row-normalised friendships, CSR float32 (U, U): a row times X is the mean of the friends' rows of X.

    Edges are heard ``along`` their direction, ``against`` it, or both ways; an edge that is there both ways is one.
    """
    ways = [data.social_edge_index] * along + [data.social_edge_index[::-1]] * against
    source, target = np.unique(np.hstack(ways), axis=1) if len(ways) > 1 else ways[0]
    ones = np.ones(len(source), np.float32)
    out = sp.csr_matrix((ones, (source, target)), shape=(data.n_users, data.n_users))
    degree = np.asarray(out.sum(axis=1)).ravel()
    return sp.csr_matrix(sp.diags(1.0 / np.maximum(degree, 1.0)) @ out, dtype=np.float32)


def smoothed(matrix: sp.csr_matrix, friends: sp.csr_matrix, weight: float) -> sp.csr_matrix:
    """R + weight · ``friends`` @ R, CSR float32 (U, I): who learns from somebody learns from their friends as well.

    What friends add to a row is cut to its ``MOST_HEARD`` largest entries, of those that are alike the items that more
    people took. R itself without friends.
    """
    if not weight or not friends.nnz:
        return matrix
    taken = degrees(matrix)
    told = 1 + A_LITTLE * taken / max(float(taken.max()), LEAST_DEGREE)  # (I,)
    added = []
    for start in range(0, matrix.shape[0], CHUNK):
        part = sp.csr_matrix(friends[start : start + CHUNK] @ matrix @ sp.diags(told), dtype=np.float32)
        added.append(largest(part, MOST_HEARD) @ sp.diags(1 / told))
    return sp.csr_matrix(matrix + weight * sp.vstack(added), dtype=np.float32)


def entity_rows(graph: HeteroData | None) -> sp.csr_matrix:
    """Which items each entity of the knowledge graph stands beside, CSR float32 (N, I), ones; N is 0 without any."""
    if graph is None:
        return sp.csr_matrix(np.zeros((0, 0), np.float32))
    n_entities, n_items = int(graph[ENTITY].num_nodes or 0), int(graph[ITEM].num_nodes or 0)
    edges = [graph[t].edge_index.numpy() for t in graph.edge_types if (t[0], t[2]) == (ITEM, ENTITY)]
    if not edges:
        return sp.csr_matrix(np.zeros((0, n_items), np.float32))
    items, entities = np.concatenate(edges, axis=1)
    out = sp.csr_matrix((np.ones(len(items), np.float32), (entities, items)), shape=(n_entities, n_items))
    out.sum_duplicates()
    out.data[:] = 1.0
    return out


def with_entities(matrix: sp.csr_matrix, entities: sp.csr_matrix, weight: float) -> sp.csr_matrix:
    """R with weight · ``entity_rows`` below it, CSR (U + N, I): an entity acts as one more user."""
    if not weight or not entities.shape[0]:
        return matrix
    return sp.csr_matrix(sp.vstack([matrix, weight * entities]), dtype=np.float32)
