"""Whom somebody hears, and how much, by how much is known of themselves.

Of directed ties (trust, follows) those may be heard whom one trusts, those who trust one, or both; friendships have one
direction. Which it is, is chosen on validation users (``blocks.trust``).

Whoever took two things is told more by their friends than by these; of whoever took two hundred friends tell nothing
new. So a weight of friends is one number for everybody, or one for each band of activity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from graphrec.types import Floats, Ints

BANDS = (1, 2, 3, 6, 21)  # items that somebody likes, with which the next band begins: 0, 1, 2, 3–5, 6–20, more
N_BANDS = len(BANDS) + 1
TRUSTED, TRUSTING, BOTH = "trusted", "trusting", "both"  # whom one trusts, who trusts one
HEARD = "heard"  # what that is called among the choices of a model
DIRECTIONS = (TRUSTED, TRUSTING, BOTH)
Hearing: TypeAlias = float | tuple[float, ...]


def band_of(activity: Ints) -> Ints:
    """The band of everybody who likes so many items, int64 (B,)."""
    return np.searchsorted(BANDS, activity, side="right").astype(np.int64)


def weights_of(hearing: Hearing, activity: Ints) -> Floats:
    """The weight of friends for everybody who likes so many items, float32 (B,)."""
    if isinstance(hearing, tuple):
        return np.asarray(hearing, np.float32)[band_of(activity)]
    return np.full(len(activity), hearing, np.float32)


def as_hearing(value: float | Sequence[float]) -> Hearing:
    """A weight as JSON holds it. One number where all bands have the same.

    Raises ValueError where there are other bands than ``BANDS``.
    """
    if isinstance(value, int | float):
        return float(value)
    if len(value) != N_BANDS:
        raise ValueError(f"{len(value)} weights of friends for {N_BANDS} bands of activity")
    weights = tuple(map(float, value))
    return weights[0] if len(set(weights)) == 1 else weights
