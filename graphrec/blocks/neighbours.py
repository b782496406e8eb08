"""Sparse item-item blocks, for what no low rank can hold: `neighbours`, `ease`, `slim` and `chebyshev`.

All say how much each item of a history speaks for each other item, and keep the strongest of these per item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp

from graphrec.blocks.base import Chosen, FitInputs, Validation, choose, left_out, reading_of
from graphrec.data.events import READINGS, Reading
from graphrec.linalg.adjacency import (
    degree_normalised,
    degrees,
    divisors,
    entity_rows,
    friend_mean,
    with_entities,
    with_friends,
)
from graphrec.linalg.item_item import chebyshev_filter, ease, largest, nearest_neighbours, slim, strongest
from graphrec.profile.profiles import FLAT, AnyBlock, NeighbourBlock
from graphrec.types import Floats, Ints

BATCH = 1024  # users whose deviation is measured at once


class _Sparse:
    """What the sparse blocks share: tuning over item-item matrices and friends' weights."""

    name: str
    readings: tuple[Reading, ...] = READINGS  # of the strengths, that the method can use

    def grid(self, inputs: FitInputs) -> Mapping[str, Sequence[Any]]:
        """Values to try of each hyper-parameter but the weight of friends."""
        raise NotImplementedError

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        """Row i holds item i's neighbours and their strength, CSR float32 (I, I); ``stacked`` is R over entity rows."""
        raise NotImplementedError

    def read(self, links: sp.csr_matrix, matrix: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        """The links as the item side of the block, CSR float32 (I, I); ``matrix`` is R, CSR (U, I)."""
        return links

    def max_items(self, inputs: FitInputs) -> float:
        """The largest catalogue that the block learns from."""
        return np.inf

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[AnyBlock, Chosen]:
        if inputs.train.n_items > (limit := self.max_items(inputs)):
            return left_out(self.name, inputs.train, int(limit))
        grid = dict(self.grid(inputs))
        with_social = inputs.train.social_edge_index.shape[1] > 0
        rows = entity_rows(inputs.graph)
        grid["knowledge"] = inputs.config.spectral.knowledge if rows.shape[0] else (0.0,)
        grid["friends"] = inputs.config.spectral.friends if with_social else (0.0,)
        train, friends = inputs.train, friend_mean(inputs.train)
        grid["reading"] = [r for r in train.events.readings if r in self.readings]

        @lru_cache(maxsize=1)
        def links(key: tuple[tuple[str, Any], ...]) -> sp.csr_matrix:
            chosen = dict(key)
            return self.links(with_entities(train.learning(reading_of(chosen)), rows, chosen["knowledge"]), chosen)

        def score(candidate: Chosen) -> float:
            costly = tuple((k, v) for k, v in candidate.items() if k not in ("friends", "beta"))
            weights = sp.csr_matrix(self.read(links(costly), train.learning(candidate["reading"]), candidate).T)
            own = train.taste(candidate["reading"])

            def scores(user_nums: Ints) -> Floats:
                taste = with_friends(own, friends, candidate["friends"], user_nums)
                return np.asarray((taste @ weights).toarray(), dtype=np.float32)

            return validation.ndcg_of(scores)

        start = {name: values[len(values) // 2] for name, values in grid.items()}
        start |= {name: grid[name][0] for name in ("knowledge", "friends", "reading")}
        chosen = choose(grid, score, start, [(name,) for name in grid], len(validation.user_nums))
        return self.fit(inputs, chosen), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        reading = reading_of(chosen)
        learned = inputs.train.learning(reading)
        taste = with_friends(inputs.train.taste(reading), friend_mean(inputs.train), chosen["friends"])
        stacked = with_entities(learned, entity_rows(inputs.graph), chosen["knowledge"])
        items = self.read(self.links(stacked, chosen), learned, chosen)
        scale = unit_scale(taste, sp.csr_matrix(items.T))
        users = sp.csr_matrix(sp.diags(scale) @ taste, dtype=np.float32)
        return NeighbourBlock(self.name, users, items, scale, friend_weight=chosen["friends"], reading=reading)


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

    def grid(self, inputs: FitInputs) -> Mapping[str, Sequence[Any]]:
        settings = inputs.config.neighbours
        return {"n": settings.n, "alpha": settings.alpha, "beta": settings.beta}

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        return nearest_neighbours(degree_normalised(stacked, rows=chosen["alpha"], columns=0.5), chosen["n"])

    def read(self, links: sp.csr_matrix, matrix: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        power = divisors(degrees(matrix)) ** chosen["beta"]  # (I,)
        return sp.csr_matrix(sp.diags(power) @ links @ sp.diags(1.0 / power), dtype=np.float32)


class Ease(_Sparse):
    """The `ease` block: the item-item regression of Steck (WWW 2019), truncated to the n largest weights per item.

    Its matrices are dense while it is fitted, so it sits out above ``config.ease.max_items`` items.
    """

    name = "ease"

    def grid(self, inputs: FitInputs) -> Mapping[str, Sequence[Any]]:
        settings = inputs.config.ease
        return {"regularisation": settings.regularisation, "n": settings.n}

    def max_items(self, inputs: FitInputs) -> float:
        return inputs.config.ease.max_items

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        dense = ease(stacked, chosen["regularisation"])
        return largest(sp.csr_matrix(dense.T), chosen["n"])


class Slim(_Sparse):
    """The `slim` block: sparse item-item regression without negative weights (Ning and Karypis, ICDM 2011).

    A regression for each item takes far longer than the closed form of `ease`, so it is not among the default blocks.
    """

    name = "slim"
    readings = ("alike", "liked", "graded", "weighted")  # it has no negative weights, so dislikes would say nothing

    def grid(self, inputs: FitInputs) -> Mapping[str, Sequence[Any]]:
        settings = inputs.config.slim
        return {"l1": settings.l1, "l2": settings.l2, "n": settings.n}

    def max_items(self, inputs: FitInputs) -> float:
        return inputs.config.slim.max_items

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        return largest(sp.csr_matrix(slim(stacked, chosen["l1"], chosen["l2"]).T), chosen["n"])


class Chebyshev(Neighbours):
    """The `chebyshev` block: a graph filter over the whole spectrum, of which the n strongest links are kept.

        score(u, i) = x_u D_i^-β N(h(R̃ᵀR̃)) D_i^β,   R̃ = D_u^-α R D_i^-½     h: see ``chebyshev_filter``

    `neighbours` is its plain case, φ = 1; a flat h hears the weak frequencies that a low rank cuts off.
    """

    name = "chebyshev"

    def grid(self, inputs: FitInputs) -> Mapping[str, Sequence[Any]]:
        s = inputs.config.chebyshev
        return {"n": s.n, "order": (s.order,), "alpha": s.alpha, "flatness": s.flatness, "beta": s.beta}

    def max_items(self, inputs: FitInputs) -> float:
        return inputs.config.chebyshev.max_items

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        normalised = degree_normalised(stacked, rows=chosen["alpha"], columns=0.5)
        dense = chebyshev_filter(normalised, chosen["flatness"], chosen["order"])
        return strongest(sp.csr_matrix(dense), 0, chosen["n"])
