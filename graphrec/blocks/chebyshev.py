"""The `chebyshev` block: a graph filter over the whole spectrum."""

from __future__ import annotations

import scipy.sparse as sp
from pydantic import Field

from graphrec.blocks.api import FitInputs, Space
from graphrec.blocks.links import LinkBlock, LinkSettings
from graphrec.blocks.search import Chosen
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.item_item import chebyshev_filter, strongest
from graphrec.profile.api import Words
from graphrec.settings import FloatList, IntList, PositiveList


class ChebyshevSettings(LinkSettings):
    """Graph filter over the whole spectrum. Several values: the best on validation data is taken."""

    alpha: FloatList = (0.3, 0.5)  # exponent α of the users' degrees in the filter
    flatness: PositiveList = (1.0, 1.5, 2.0, 3.0)  # φ of the response; 1 is linear
    beta: FloatList = (0.0, 0.2, 0.3, 0.4, 0.5)  # exponent β of the items' degrees when it is read
    order: int = Field(default=8, ge=1)  # degree of the polynomial
    n: IntList = (500,)  # links kept per item
    max_items: int = Field(default=8000, ge=0)  # above, the block is left out: its matrices are dense


class Chebyshev(LinkBlock[ChebyshevSettings]):
    """The `chebyshev` block: a graph filter over the whole spectrum, of which the n strongest links are kept.

        score(u, i) = x_u D_i^-β N(h(R̃ᵀR̃)) D_i^β,   R̃ = D_u^-α R D_i^-½     h: see ``chebyshev_filter``

    `neighbours` is its plain case, φ = 1; a flat h hears the weak frequencies that a low rank cuts off.
    """

    name = "chebyshev"
    words = Words("it is linked with what you took, over other people and items", "what is linked with what you took")
    Settings = ChebyshevSettings

    def grid(self, inputs: FitInputs) -> Space:
        """Neighbours n, the order of the polynomial, the exponents α and β, and the flatness of the response."""
        s = self.settings
        return {"n": s.n, "order": (s.order,), "alpha": s.alpha, "flatness": s.flatness, "beta": s.beta}

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        """The n strongest weights of the filter on each item's row, CSR float32 (I, I)."""
        normalised = degree_normalised(stacked, rows=chosen["alpha"], columns=0.5)
        dense = chebyshev_filter(normalised, chosen["flatness"], chosen["order"])
        return strongest(sp.csr_matrix(dense), 0, chosen["n"])
