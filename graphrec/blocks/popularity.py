"""Popularity, decayed over time: one dimension, the same for every user, and the last resort of serving."""

from __future__ import annotations

import numpy as np

from graphrec.blocks.base import Chosen, FitInputs, Validation, choose
from graphrec.data.dataset import Dataset
from graphrec.profiles import ProfileBlock
from graphrec.types import Floats

DAY = 86_400.0


def decayed_counts(train: Dataset, half_life: float) -> Floats:
    """Σ 2^(-age / half_life) over an item's interactions, float32 (I,); age in days before the last training time."""
    times = train.interactions.timestamps
    weights = None
    if half_life > 0 and times is not None and len(times):
        weights = np.exp2(-(times.max() - times) / (DAY * half_life))
    return np.bincount(train.interactions.item_nums, weights=weights, minlength=train.n_items).astype(np.float32)


class Popularity:
    """The `popularity` block: log(1 + count) on the item's side, standardised; 1 on the user's."""

    name = "popularity"

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[ProfileBlock, Chosen]:
        lives = inputs.config.popularity.half_life if inputs.train.has_times else (0.0,)
        ones = np.ones((len(validation.user_nums), 1), np.float32)

        def score(candidate: Chosen) -> float:
            return validation.ndcg(ones, decayed_counts(inputs.train, candidate["half_life"])[:, None])

        chosen = choose({"half_life": lives}, score, {"half_life": lives[0]}, [("half_life",)])
        return self.fit(inputs, chosen), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        logs = np.log1p(decayed_counts(inputs.train, chosen["half_life"]).astype(np.float64))
        deviation = logs.std() or 1.0
        items = ((logs - logs.mean()) / deviation).astype(np.float32)[:, None]  # (I, 1)
        return ProfileBlock(self.name, users=np.ones((inputs.train.n_users, 1), np.float32), items=items, prior=1)
