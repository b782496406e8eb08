"""Sparse item-item blocks, for what no low rank can hold: `neighbours` and `ease`.

Both say how much each item of a history speaks for each other item, and keep the strongest of these per item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp

from graphrec.blocks.base import Chosen, FitInputs, Validation, choose
from graphrec.data.dataset import Dataset
from graphrec.graph.adjacency import degree_normalised, friend_mean, with_friends
from graphrec.graph.item_item import ease, largest, nearest_neighbours
from graphrec.profiles import FLAT, AnyBlock, NeighbourBlock, empty_block
from graphrec.types import Floats, Ints

BATCH = 1024  # users whose deviation is measured at once


class _Sparse:
    """What the sparse blocks share: tuning over item-item matrices and friends' weights."""

    name: str

    def grid(self, inputs: FitInputs) -> Mapping[str, Sequence[Any]]:
        """Values to try of each hyper-parameter but the weight of friends."""
        raise NotImplementedError

    def weights(self, train: Dataset, chosen: Chosen) -> sp.csr_matrix:
        """The item side CSR float32 (I, I): row i holds the weights of item i's neighbours."""
        raise NotImplementedError

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[AnyBlock, Chosen]:
        grid = dict(self.grid(inputs))
        with_social = inputs.train.social_edge_index.shape[1] > 0
        grid["friends"] = inputs.config.spectral.friends if with_social else (0.0,)
        matrix, friends = inputs.train.matrix(), friend_mean(inputs.train)

        @lru_cache(maxsize=1)
        def made(key: tuple[tuple[str, Any], ...]) -> sp.csr_matrix:
            return sp.csr_matrix(self.weights(inputs.train, dict(key)).T)

        def score(candidate: Chosen) -> float:
            weights = made(tuple((k, v) for k, v in candidate.items() if k != "friends"))

            def scores(user_nums: Ints) -> Floats:
                taste = with_friends(matrix, friends, candidate["friends"], user_nums)
                return np.asarray((taste @ weights).toarray(), dtype=np.float32)

            return validation.ndcg_of(scores)

        start = {name: values[len(values) // 2] for name, values in grid.items()} | {"friends": grid["friends"][0]}
        chosen = choose(grid, score, start, [(name,) for name in grid])
        return self.fit(inputs, chosen), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        train = inputs.train
        taste = with_friends(train.matrix(), friend_mean(train), chosen["friends"])
        items = self.weights(train, chosen)
        scale = unit_scale(taste, sp.csr_matrix(items.T))
        users = sp.csr_matrix(sp.diags(scale) @ taste, dtype=np.float32)
        return NeighbourBlock(self.name, users, items, scale, friend_weight=chosen["friends"])


def unit_scale(users: sp.csr_matrix, weights: sp.csr_matrix) -> Floats:
    """1 / deviation over the catalogue of each user's scores users @ weights, float32 (U,); 0 for a constant user."""
    n_items = weights.shape[1]
    out = np.zeros(users.shape[0], np.float64)
    for start in range(0, len(out), BATCH):
        scores = (users[start : start + BATCH] @ weights).astype(np.float64)
        mean = np.asarray(scores.sum(axis=1)).ravel() / n_items
        square = np.asarray(scores.multiply(scores).sum(axis=1)).ravel() / n_items
        out[start : start + BATCH] = np.sqrt(np.maximum(square - mean**2, 0.0))
    return np.divide(1.0, out, out=np.zeros_like(out), where=out > FLAT).astype(np.float32)


class Neighbours(_Sparse):
    """The `neighbours` block: the strongest links of the graph filter of two steps, at full rank.

        R̃ = D_u^-α R D_i^-½,   score(u, i) = x_u D_i^-β N(R̃ᵀR̃) D_i^β     N: the n largest of each row, no diagonal

    The family of item nearest neighbours: α = β = 0 is cosine similarity (Sarwar et al., WWW 2001), α = ½ and β near ½
    a random walk of two steps with popularity discounted (RP3β, Paudel et al., ACM TiiS 2017). Beside the `spectral`
    block it adds the tail of the spectrum that a low rank cuts off.
    """

    name = "neighbours"

    def __init__(self) -> None:
        self._near: tuple[Dataset | None, float, int, sp.csr_matrix] = (None, 0.0, 0, sp.csr_matrix((0, 0)))

    def grid(self, inputs: FitInputs) -> Mapping[str, Sequence[Any]]:
        settings = inputs.config.neighbours
        return {"n": settings.n, "alpha": settings.alpha, "beta": settings.beta}

    def weights(self, train: Dataset, chosen: Chosen) -> sp.csr_matrix:
        matrix = train.matrix()
        known, alpha, n, near = self._near
        if known is not train or (alpha, n) != (chosen["alpha"], chosen["n"]):  # β costs nothing: it comes afterwards
            alpha, n = chosen["alpha"], chosen["n"]
            near = nearest_neighbours(degree_normalised(matrix, rows=alpha, columns=0.5), n)
            self._near = train, alpha, n, near
        power = np.maximum(np.asarray(matrix.sum(axis=0)).ravel(), 1.0) ** chosen["beta"]  # (I,)
        return sp.csr_matrix(sp.diags(power) @ near @ sp.diags(1.0 / power), dtype=np.float32)


class Ease(_Sparse):
    """The `ease` block: the item-item regression of Steck (WWW 2019), truncated to the n largest weights per item.

    Its matrices are dense while it is fitted, so it sits out above ``config.ease.max_items`` items.
    """

    name = "ease"

    def grid(self, inputs: FitInputs) -> Mapping[str, Sequence[Any]]:
        settings = inputs.config.ease
        return {"regularisation": settings.regularisation, "n": settings.n}

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[AnyBlock, Chosen]:
        limit, found = inputs.config.ease.max_items, inputs.train.n_items
        if found <= limit:
            return super().tune(inputs, validation)
        return empty_block(self.name, inputs.train.n_users, found), {"left_out": f"{found} items, the limit is {limit}"}

    def weights(self, train: Dataset, chosen: Chosen) -> sp.csr_matrix:
        dense = ease(train.matrix(), chosen["regularisation"])
        return largest(sp.csr_matrix(dense.T), chosen["n"])
