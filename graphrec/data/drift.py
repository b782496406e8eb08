"""How a log of events changes with time: how much there is of it, what is new in it, and how far taste moves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.data.dataset import Dataset

PIECES = 12
SHUFFLES = 5
DAY = 86_400
Doubles = npt.NDArray[np.float64]


def drift(data: Dataset, pieces: int = PIECES, seed: int = 42) -> list[dict[str, Any]]:
    """The log in pieces of equal length of time, oldest first; [] where its times span no day.

    Of each ``{"from", "to", "events", "users", "items", "new_users", "new_items", "moved"}``: days; how many; the share
    of its events that are by people, of items, of which nothing was known before; and how far the shares of the items
    lie from those of the piece before, total variation from 0 (alike) to 1, less what events that only chance tells
    apart would show. The first piece has None for what needs a piece before it, and so has one beside an empty piece.
    """
    log = data.events
    if log.timestamps is None or not len(log) or np.ptp(log.timestamps) < DAY:
        return []
    ends = np.linspace(log.timestamps.min(), log.timestamps.max() + 1, pieces + 1)
    place = np.searchsorted(ends, log.timestamps, side="right") - 1  # (E,)
    first = {"users": _first(log.user_nums, place), "items": _first(log.item_nums, place)}
    random, rows = np.random.default_rng(seed), []
    for n in range(pieces):
        of = place == n
        row: dict[str, Any] = {"from": _day(ends[n]), "to": _day(ends[n + 1] - 1), "events": int(of.sum())}
        row |= {"users": len(np.unique(log.user_nums[of])), "items": len(np.unique(log.item_nums[of]))}
        for what, nums in (("users", log.user_nums), ("items", log.item_nums)):
            row[f"new_{what}"] = float((first[what][nums[of]] == n).mean()) if n and of.any() else None
        before = log.item_nums[place == n - 1]
        row["moved"] = _moved(before, log.item_nums[of], random) if n and of.any() and len(before) else None
        rows.append(row)
    return rows


def _first(nums: npt.NDArray[np.int64], place: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The first piece in which each number comes up, int64."""
    out = np.full(int(nums.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(out, nums, place)
    return out


def _moved(before: npt.NDArray[np.int64], now: npt.NDArray[np.int64], random: np.random.Generator) -> float:
    """Total variation between two pieces' items, less its mean over both pieces' events dealt out anew."""
    both = np.concatenate([before, now])
    dealt = [random.permutation(both) for _ in range(SHUFFLES)]
    by_chance = np.mean([_apart(some[: len(before)], some[len(before) :]) for some in dealt])
    return max(0.0, float(_apart(before, now) - by_chance))


def _apart(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    size = int(max(one.max(), other.max())) + 1
    shares = [np.bincount(side, minlength=size) / len(side) for side in (one, other)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _day(second: float) -> str:
    return datetime.fromtimestamp(float(second), UTC).date().isoformat()
