"""A block of somebody else: what is taken together."""

from __future__ import annotations

import numpy as np

from graphrec.blocks.api import Block, FitInputs, Space
from graphrec.blocks.search import Chosen
from graphrec.profile.api import Words
from graphrec.profile.dense import ProfileBlock
from graphrec.settings import FloatList, Section


class TogetherSettings(Section):
    """Counts of pairs. Several values: the best on validation data is taken."""

    damping: FloatList = (0.0, 0.5, 1.0)  # exponent of how often an item is taken at all


class Together(Block[TogetherSettings]):
    """Items count as often as they were taken together with those of a history."""

    name = "together"
    words = Words("people carried it home together with what you took", "what people carry home together")
    Settings = TogetherSettings

    def space(self, inputs: FitInputs) -> Space:
        return {"damping": self.settings.damping}

    def learn(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        taken = inputs.ties.matrix.T.toarray()  # (I, U)
        items = taken / np.maximum(taken.sum(axis=1, keepdims=True), 1) ** chosen["damping"]
        return ProfileBlock(self.name, items[:0], items, history=items, split=False).fitted(inputs.ties)
