"""Popularity, decayed over time: one dimension, the same for every user, and the last resort of serving."""

from __future__ import annotations

import numpy as np

from graphrec.blocks.base import Chosen, FitInputs, Validation, choose, reading_of
from graphrec.data.dataset import Dataset
from graphrec.profile.profiles import ProfileBlock
from graphrec.types import Floats

DAY = 86_400.0


def decayed_counts(train: Dataset, half_life: float, reading: str = "liked") -> Floats:
    """Σ w 2^(-age / half_life) over an item's interactions, float32 (I,) ≥ 0; age in days before the last of them.

    w is what the interaction weighs under a reading of the strengths.
    """
    pairs, read = train.events.read(reading, learning=True)
    weights = read.astype(np.float64)
    if half_life > 0 and pairs.timestamps is not None and len(pairs):
        weights *= np.exp2(-(pairs.timestamps.max() - pairs.timestamps) / (DAY * half_life))
    counts = np.bincount(pairs.item_nums, weights=weights, minlength=train.n_items)
    return np.maximum(counts, 0).astype(np.float32)


class Popularity:
    """The `popularity` block: log(1 + count) on the item's side, standardised; 1 on the user's."""

    name = "popularity"

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[ProfileBlock, Chosen]:
        grid = {
            "half_life": inputs.config.popularity.half_life if inputs.train.has_times else (0.0,),
            "reading": inputs.train.events.readings,
        }
        ones = np.ones((len(validation.user_nums), 1), np.float32)

        def score(candidate: Chosen) -> float:
            return validation.ndcg(ones, decayed_counts(inputs.train, **candidate)[:, None])

        start = {name: values[0] for name, values in grid.items()}
        chosen = choose(grid, score, start, [("half_life",), ("reading",)], len(validation.user_nums))
        return self.fit(inputs, chosen), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        counts = decayed_counts(inputs.train, chosen["half_life"], reading_of(chosen))
        logs = np.log1p(counts.astype(np.float64))
        deviation = logs.std() or 1.0
        items = ((logs - logs.mean()) / deviation).astype(np.float32)[:, None]  # (I, 1)
        return ProfileBlock(self.name, users=np.ones((inputs.train.n_users, 1), np.float32), items=items, prior=1)
