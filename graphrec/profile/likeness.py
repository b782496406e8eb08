"""How alike items are: the blocks side by side once more, each counted by its weight and not by its length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from graphrec.profile.profiles import Profiles
from graphrec.types import Floats, Ints


@dataclass(frozen=True)
class Likeness:
    """What items are compared by: of every block that is heard the item's side, ``FittedBlock.compared``, at unit
    length, times √(weight_b / Σ weights).

    An inner product is the mean of the blocks' cosines by their weights, so it lies from -1 to 1. Shapes: dense float32
    (I, D), sparse CSR float32 (I, S); the sides of the dense and of the sparse blocks.
    """

    dense: Floats
    sparse: sp.csr_matrix

    @classmethod
    def of(cls, profiles: Profiles) -> Likeness:
        heard, n_items = [b for b in profiles.heard if b.items.shape[1] > b.prior], profiles.shape[1]
        total = sum(b.weight for b in heard)
        dense, sparse = [np.zeros((n_items, 0), np.float32)], [sp.csr_matrix(np.zeros((n_items, 0), np.float32))]
        for block in heard:
            side, part = block.compared(), (block.weight / total) ** 0.5
            if sp.issparse(side):
                squares = np.asarray(side.multiply(side).sum(axis=1), np.float64).ravel()
                sparse.append(sp.csr_matrix(sp.diags(part * _inverse(np.sqrt(squares))) @ side, dtype=np.float32))
            else:
                dense.append(side * (part * _inverse(np.linalg.norm(side, axis=1)))[:, None].astype(np.float32))
        return cls(np.hstack(dense), sp.csr_matrix(sp.hstack(sparse, format="csr"), dtype=np.float32))

    def to(self, item_num: int) -> Floats:
        """How like one item each of the catalogue is, float32 (I,)."""
        out: Floats = self.dense @ self.dense[item_num]
        return out + np.asarray((self.sparse @ self.sparse[item_num].T).toarray(), np.float32).ravel()

    def rows(self, item_nums: Ints) -> Floats:
        """What these items are compared by, float32 (n, d); d depends on which they are."""
        sparse = self.sparse[item_nums]
        used = np.unique(sparse.indices)
        return np.hstack([self.dense[item_nums], sparse[:, used].toarray()])


def _inverse(lengths: Floats) -> Floats:
    """1 / length, 0 for 0, float64 (I,)."""
    lengths = lengths.astype(np.float64)
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
