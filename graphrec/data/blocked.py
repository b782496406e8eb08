"""Groups of items that are taken together, so that whole groups can be held out.

A random row is easily guessed from its neighbours: the other places of the same trip, the other songs of an album. What
people do next is less so. Holding out whole groups measures the harder task, as block cross-validation does for data
with structure (Roberts et al., Cross-validation strategies for data with temporal, spatial, hierarchical, or
phylogenetic structure, Ecography 2017).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.cluster import MiniBatchKMeans
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

from graphrec.types import Ints

DIM = 64  # of the factors; an eighth of the catalogue where that is less


def item_groups(matrix: sp.csr_matrix, seed: int) -> Ints:
    """√I groups of items by k-means on the directions of their factors, int64 (I,), from interactions CSR (U, I)."""
    n_items = matrix.shape[1]
    if min(matrix.shape) < 4:
        return np.zeros(n_items, np.int64)
    degrees = np.diff(matrix.indptr), np.bincount(matrix.indices, minlength=n_items)
    left, right = (sp.diags(np.maximum(d, 1).astype(np.float64) ** -0.5) for d in degrees)
    dim = max(1, min(DIM, min(matrix.shape) // 8))
    _, _, vectors = randomized_svd(left @ matrix @ right, dim, n_iter=3, random_state=seed)
    groups = MiniBatchKMeans(round(n_items**0.5), batch_size=4096, n_init=1, random_state=seed)
    labels: Ints = groups.fit_predict(normalize(vectors.T)).astype(np.int64)
    return labels


def grouped_order(user_nums: Ints, groups: Ints, rng: np.random.Generator) -> Ints:
    """Row positions (E,) in which each user's rows of one group stand together, the groups in random order.

    Args:
        user_nums: int64 (E,). groups: int64 (E,), the group of each row's item; a negative one is in random order.
    """
    groups = np.where(groups < 0, -1 - np.arange(len(groups)), groups)  # a group of its own
    pairs, inverse = np.unique(np.stack([user_nums, groups]), axis=1, return_inverse=True)
    priority = rng.permutation(pairs.shape[1])[inverse.ravel()]
    return np.lexsort((rng.random(len(user_nums)), priority, user_nums))
