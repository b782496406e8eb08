"""The `itemknn` block: items are alike whose takers are the same."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from graphrec.blocks.api import FitInputs, Space
from graphrec.blocks.links import LinkBlock, LinkSettings
from graphrec.blocks.search import Chosen
from graphrec.linalg.item_item import cooccurrence, strongest, strongest_of
from graphrec.linalg.sums import ItemSums
from graphrec.profile.api import Words
from graphrec.settings import FloatList, IntList

TINY = 1e-12  # where lengths are divided by: an item that nobody took is like none


class ItemKNNSettings(LinkSettings):
    """Cosine of items. Several values: the best on validation data is taken."""

    n: IntList = (10, 20, 50, 100, 200, 400, 800)  # neighbours kept per item
    shrink: FloatList = (0.0, 1.0, 10.0, 100.0, 1000.0)  # few takers in common are no reason


class ItemKNN(LinkBlock[ItemKNNSettings]):
    """The `itemknn` block: cosine with shrinkage, the nearest neighbours of each item (Sarwar et al., WWW 2001).

    s_ij = ⟨r_i, r_j⟩ / (‖r_i‖ ‖r_j‖ + shrink),   score(u, i) = Σ_{j ∈ N(i)} x_uj s_ij     r_i: column i of R
    """

    name = "itemknn"
    words = Words("those who took what you took took it too", "what those took who took what you took")
    Settings = ItemKNNSettings
    summed = True

    def grid(self, inputs: FitInputs) -> Space:
        """Neighbours n and the shrinkage."""
        return {"n": self.settings.n, "shrink": self.settings.shrink}

    def space_of_sums(self, sums: ItemSums) -> Space:
        """Neighbours n and the shrinkage."""
        return {"n": self.settings.n, "shrink": self.settings.shrink}

    def links_of_sums(self, sums: ItemSums, chosen: Chosen) -> sp.csr_matrix:
        """G_α with the least exponent that there is, over lengths √G_ii, which it holds."""
        gram = sums.gram(min(sums.grams))
        lengths = np.sqrt(np.maximum(np.diag(gram), 0.0))
        return strongest_of(gram / np.maximum(np.outer(lengths, lengths) + chosen["shrink"], TINY), chosen["n"])

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        """Shrunk cosine of columns, the n highest of each item, CSR float32 (I, I)."""
        lengths = np.sqrt(np.asarray(stacked.multiply(stacked).sum(axis=0), np.float32)).ravel()  # (I,)
        near = []
        for start, shared in cooccurrence(stacked):
            own = np.repeat(lengths[start : start + shared.shape[0]], np.diff(shared.indptr))
            values = shared.data / (own * lengths[shared.indices] + np.float32(chosen["shrink"]))
            likeness = sp.csr_matrix((values, shared.indices, shared.indptr), shared.shape)
            near.append(strongest(likeness, start, chosen["n"]))
        return sp.csr_matrix(sp.vstack(near), dtype=np.float32)
