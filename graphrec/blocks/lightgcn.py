"""The `lightgcn` block: LightGCN with its paper's pairwise loss, inner products and L2 on the embeddings.

He et al., LightGCN, SIGIR 2020. A user of degree n who took the items N is, but for the factor √n / (K + 1),

    √n e_u + Σ_{i ∈ N} h_i / √n_i,   h = Σ_{k < K} Ã^k e       K layers over the embeddings e

a sum over their history and a part of their own.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from graphrec.blocks.api import Block, FitInputs, Space, held, reading_of
from graphrec.blocks.search import Chosen
from graphrec.profile.api import Words
from graphrec.profile.dense import ProfileBlock
from graphrec.settings import FloatList, IntList, PositiveList, Section


class LightGCNSettings(Section):
    """LightGCN. Several values: the best on validation data is taken."""

    layers: IntList = (1, 2, 3)
    learning_rate: PositiveList = (1e-3, 3e-3, 1e-2)
    regularisation: FloatList = (1e-5, 1e-4, 1e-3)
    epochs: IntList = (50, 100, 200)
    dim: int = Field(default=64, ge=1)
    batch_size: int = Field(default=2048, ge=1)


class LightGCN(Block[LightGCNSettings]):
    """The `lightgcn` block."""

    name = "lightgcn"
    words = Words("it is near to you in who took what", "how near you are in who took what")
    Settings = LightGCNSettings
    readings = ("alike", "liked")  # a pair is an edge or not

    def space(self, inputs: FitInputs) -> Space:
        values = {
            name: getattr(self.settings, name) for name in ("layers", "learning_rate", "regularisation", "epochs")
        }
        return {**values, "reading": held(inputs.train.events.readings, self.readings)}

    def learn(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        """Train as in the paper; what propagation adds is the history, the embeddings are the own part."""
        from graphrec.blocks._light_gcn import trained  # torch

        reading = reading_of(chosen)
        rows = inputs.train.learning(reading)  # (U, I)
        found = trained(rows, chosen, self.settings.dim, self.settings.batch_size, inputs.runtime)
        own = found.users - inputs.ties.taste(reading) @ found.history  # (U, d)
        own[np.diff(rows.indptr) == 0] = 0
        block = ProfileBlock(self.name, found.users[:0], found.items, history=found.history, own=own, reading=reading)
        return block.fitted(inputs.ties)
