"""How often items were taken, with what is long past counting for less."""

from __future__ import annotations

import numpy as np

from graphrec.data.dataset import Dataset
from graphrec.types import Floats

DAY = 86_400.0


def decayed_counts(train: Dataset, half_life: float = 0.0, reading: str = "liked") -> Floats:
    """Σ w 2^(-age / half_life) over an item's interactions, float32 (I,) ≥ 0; age in days before the last of them.

    w is what the interaction weighs under a reading of the strengths; a half-life of 0 does not decay.
    """
    pairs, read = train.events.read(reading, learning=True)
    weights = read.astype(np.float64)
    if half_life > 0 and pairs.timestamps is not None and len(pairs):
        weights *= np.exp2(-(pairs.timestamps.max() - pairs.timestamps) / (DAY * half_life))
    counts = np.bincount(pairs.item_nums, weights=weights, minlength=train.n_items)
    return np.maximum(counts, 0).astype(np.float32)
