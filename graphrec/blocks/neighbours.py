"""The `neighbours` block: item nearest neighbours, as a graph filter of two steps."""

from __future__ import annotations

import scipy.sparse as sp

from graphrec.blocks.api import FitInputs, Size, Space
from graphrec.blocks.links import LinkBlock, LinkSettings
from graphrec.blocks.search import Chosen
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.item_item import nearest_neighbours, strongest_of
from graphrec.linalg.sums import ItemSums, filtered
from graphrec.profile.api import Words
from graphrec.settings import FloatList, IntList

PICKING, ROW = 5, 30  # additions that take as long as to pick one of them, and as reading a pair or a row


class NeighboursSettings(LinkSettings):
    """Sparse graph filter of two steps. Several values: the best on validation data is taken."""

    alpha: FloatList = (0.0, 0.25, 0.5)  # exponent α of the users' degrees in the filter
    beta: FloatList = (0.0, 0.2, 0.4, 0.45, 0.5)  # exponent β of the items' degrees when it is read
    n: IntList = (200,)  # neighbours kept per item


class Neighbours(LinkBlock[NeighboursSettings]):
    """The `neighbours` block: the strongest links of the graph filter of two steps, at full rank.

        R̃ = D_u^-α R D_i^-½,   score(u, i) = x_u D_i^-β N(R̃ᵀR̃) D_i^β     N: the n largest of each row, no diagonal

    The family of item nearest neighbours: α = β = 0 is cosine similarity (Sarwar et al., WWW 2001), α = ½ and β near ½
    a random walk of two steps with popularity discounted (RP3β, Paudel et al., ACM TiiS 2017). Beside the `spectral`
    block it adds the tail of the spectrum that a low rank cuts off.
    """

    name = "neighbours"
    words = Words("it is often taken together with what you took", "what is often taken together with what you took")
    Settings = NeighboursSettings
    follows = 2e8
    summed = True

    def grid(self, inputs: FitInputs) -> Space:
        """Neighbours n, and the exponents α and β."""
        settings = self.settings
        return {"n": settings.n, "alpha": settings.alpha, "beta": settings.beta}

    def grows(self, size: Size) -> float:
        """Pairs of items that somebody took both, E² / U, ``PICKING`` times as much for each that links are picked
        from, of which there are I² at most, and ``ROW`` times for each pair and row: most, where few took several."""
        users, items, pairs, _ = size
        both = pairs**2 / users
        return both + PICKING * min(both, float(items) ** 2) + ROW * (pairs + users + items)

    def space_of_sums(self, sums: ItemSums) -> Space:
        """Neighbours n, and the exponents: α is one of those that the sums were made with."""
        return {"n": self.settings.n, "alpha": tuple(sums.grams), "beta": self.settings.beta}

    def links_of_sums(self, sums: ItemSums, chosen: Chosen) -> sp.csr_matrix:
        """The n highest of R̃ᵀR̃ = D_i^-½ G_α D_i^-½ for each item."""
        return strongest_of(filtered(sums, chosen["alpha"]), chosen["n"])

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        """The n highest of R̃ᵀR̃ for each item, R̃ normalised by degrees, CSR float32 (I, I)."""
        return nearest_neighbours(degree_normalised(stacked, rows=chosen["alpha"], columns=0.5), chosen["n"])
