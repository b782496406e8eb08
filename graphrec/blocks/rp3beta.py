"""The `rp3beta` block: where a walk from what somebody took, to people who took it, to what they took, ends."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from graphrec.blocks.api import FitInputs, Space
from graphrec.blocks.links import LinkBlock, LinkSettings
from graphrec.blocks.search import Chosen
from graphrec.linalg.adjacency import degree_normalised, degrees, divisors
from graphrec.linalg.item_item import CHUNK, strongest
from graphrec.profile.api import Side, Words
from graphrec.settings import FloatList, IntList, PositiveList


class RP3BetaSettings(LinkSettings):
    """Random walks. Several values: the best on validation data is taken."""

    alpha: PositiveList = (0.4, 0.7, 1.0, 1.3)  # power of a step's probability
    discount: FloatList = (0.0, 0.2, 0.4, 0.6, 0.8)  # exponent β of the degree of the item that a walk ends at
    n: IntList = (50, 100, 200, 500)  # ends kept for each item that a walk starts from


class RP3Beta(LinkBlock[RP3BetaSettings]):
    """The `rp3beta` block: random walks of three steps, popular ends discounted (Paudel et al., ACM TiiS 2017).

    w_ij = Σ_v (p_iv p_vj)^α / n_j^β,   score(u, j) = Σ_i x_ui w_ij     p: probabilities of a step, n: degrees
    """

    name = "rp3beta"
    words = Words("people who took what you took went on to it", "what people took who took what you took")
    Settings = RP3BetaSettings
    readings = ("alike", "liked", "graded", "weighted")  # a probability is not below 0

    def grid(self, inputs: FitInputs) -> Space:
        """The exponent α, the discount of popular items β, and neighbours n."""
        settings = self.settings
        return {"alpha": settings.alpha, "discount": settings.discount, "n": settings.n}

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> Side:
        """The n highest values of three steps of the walk for each item, CSR float32 (I, I)."""
        on = degree_normalised(stacked, rows=1.0, columns=0.0)  # v → j
        back = degree_normalised(sp.csr_matrix(stacked.T), rows=1.0, columns=0.0)  # i → v
        on.data, back.data = on.data ** chosen["alpha"], back.data ** chosen["alpha"]
        discounted = sp.csr_matrix(on @ sp.diags(divisors(degrees(stacked)) ** -chosen["discount"]))
        parts = [
            strongest(sp.csr_matrix(back[start : start + CHUNK] @ discounted), start, chosen["n"])
            for start in range(0, back.shape[0], CHUNK)
        ]
        return sp.csr_matrix(sp.vstack(parts).T, dtype=np.float32)
