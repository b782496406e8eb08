"""With which probability an item stands at a place of a list that is explored."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

MOST = 100  # places of an explored list: the table is the work of their cube


@lru_cache(maxsize=64)
def standing(n: int, k: int, share: float) -> npt.NDArray[np.float64]:
    """The probability that the item of a rank comes to a place, float64 (min(n, k) + 1, min(n, k)), read-only.

    Places are filled in order: with the best of n that is left, or with ``share`` with one drawn evenly from all that
    are left. Row ρ - 1 is rank ρ; the last row is any rank behind k, of which all are alike, since the best that is
    left is never behind k. A place is filled in a state: how many of better rank are out while the item is not.
    """
    k = min(n, k)
    better = np.append(np.arange(k), k)[:, None]  # (k + 1, 1) how many have a better rank
    out = np.arange(k + 1)[None, :]  # (1, k + 1) how many of these are out
    left = better - out
    at = np.zeros((k + 1, k + 1))
    at[:, 0] = 1.0
    found = np.zeros((k + 1, k))
    for place in range(k):
        size = n - place  # how many are left
        taken = np.where(left == 0, 1 - share + share / size, share / size)
        found[:, place] = (at * np.where(left >= 0, taken, 0)).sum(axis=1)
        up = at * np.where(left > 0, 1 - share + share * left / size, 0)
        stays = at * np.where(left >= 0, share * (size - 1 - left) / size, 0)
        at = stays
        at[:, 1:] += up[:, :-1]
    found.setflags(write=False)
    return found
