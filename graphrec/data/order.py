"""What follows what in a history: by time, and where that does not tell by the order of the source's rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.types import Ints

BITS = 63  # of a number that sorts as it should
LISTED = 0.95  # of the steps that times leave open ascend by id: then rows are a list by id, and not in order


def placed(
    events: pd.DataFrame, user_nums: Ints, item_nums: Ints, ids: Sequence[str]
) -> tuple[pd.DataFrame, Ints, Ints]:
    """Events, and their users and items (E,), by user, item and time; from rows in the order of the source.

    ``order`` is a new column with the ``places`` where the source tells them.
    """
    times = events["timestamp"].to_numpy(np.int64) if "timestamp" in events else None
    place = places(user_nums, item_nums, times, ids)
    events = events if place is None else events.assign(order=place)
    rows = sorted_by(*(() if times is None else (times,)), item_nums, user_nums)
    return events.iloc[rows], user_nums[rows], item_nums[rows]


def sorted_by(*keys: npt.NDArray[np.integer]) -> Ints:
    """Positions int64 (E,) in the order of whole numbers (E,), the last key first, and as they come: ``np.lexsort``.

    A key and the place before it in one number of 64 bits sort faster than places by a key do, and in less memory.
    Where rows come in order of the last key, as events do by user, their places within it are enough: of small numbers
    more fit into one, and nothing is picked from far away.
    """
    n = len(keys[0])
    if len(keys) > 1 and n and (keys[-1][1:] >= keys[-1][:-1]).all():
        found = _sorted_within(keys)
        if found is not None:
            return found
    of_place = max(n - 1, 0).bit_length()
    out: Ints | None = None
    at = 0
    while n and at < len(keys):
        packed, bits = np.zeros(n, np.int64), 0
        while at < len(keys):  # as many keys as fit beside the place
            low, wide = _range(keys[at])
            if bits + wide + of_place > BITS:
                break
            own = keys[at].astype(np.int64)
            own -= low
            own <<= bits
            packed |= own if out is None else own[out]
            bits, at = bits + wide, at + 1
        if not bits and at < len(keys):  # a key of nearly 64 bits
            return np.lexsort(keys).astype(np.int64)
        packed <<= of_place
        packed |= np.arange(n)
        packed.sort()
        packed &= (1 << of_place) - 1
        out = packed if out is None else out[packed]
    return np.zeros(0, np.int64) if out is None else out


def _sorted_within(keys: Sequence[npt.NDArray[np.integer]]) -> Ints | None:
    """``sorted_by`` of rows in order of the last key, by one sort of all keys; None where they do not fit into 64 bits.

    A first key in whose order the rows of each group are already tells nothing beyond their places.
    """
    *within, last = keys
    new = np.ones(len(last), np.bool_)  # (E,) where a group begins
    np.not_equal(last[1:], last[:-1], out=new[1:])
    if within and (new[1:] | (within[0][1:] >= within[0][:-1])).all():
        within = within[1:]
    starts = np.flatnonzero(new)
    sizes = np.diff(starts, append=len(last))
    of_place = int(sizes.max() - 1).bit_length()
    ranges = [_range(key) for key in within]
    if sum(wide for _, wide in ranges) + of_place + (len(starts) - 1).bit_length() > BITS:
        return None
    first = np.repeat(starts, sizes)  # (E,) of each row's group
    out = np.arange(len(last))
    if not within:
        return out
    packed, bits = out - first, of_place
    for key, (low, wide) in zip(within, ranges, strict=True):
        own = key.astype(np.int64)
        own -= low
        own <<= bits
        packed |= own
        bits += wide
    own = np.repeat(np.arange(len(starts)), sizes)
    own <<= bits
    packed |= own
    packed.sort()
    packed &= (1 << of_place) - 1
    packed += first
    return packed


def _range(key: npt.NDArray[np.integer]) -> tuple[int, int]:
    """The least of whole numbers, and how many bits they take from there."""
    low, high = int(key.min()), int(key.max())
    return low, (high - low).bit_length()


def places(user_nums: Ints, item_nums: Ints, times: Ints | None, ids: Sequence[str]) -> Ints | None:
    """The place of each row in its user's history, int64 (E,): by time, then as the rows come.

    None where rows tell nothing beyond times: where there is nothing to tell, or where items of one user and second
    come by their id, as text or as a number, or as items first appear in the source (a file that is sorted by item).

    Args:
        user_nums, item_nums: int64 (E,), in the order of the source. times: int64 (E,) seconds, or None.
        ids: the id of each item number, in order of the text.
    """
    order = history_order(user_nums, times, None)
    users, items = user_nums[order], item_nums[order]
    open_ = (np.diff(users) == 0) & (np.diff(items) != 0)
    if times is not None:
        open_ &= np.diff(times[order]) == 0
    if not open_.any():
        return None
    before, after = items[:-1][open_], items[1:][open_]
    first = np.full(len(ids), len(items), np.int64)
    np.minimum.at(first, item_nums, np.arange(len(item_nums)))
    known = first[after] < order[1:][open_]  # whatever comes for the first time comes after all before it
    keys: list[tuple[npt.NDArray[np.number], npt.NDArray[np.bool_]]] = [(np.arange(len(ids)), np.ones_like(known))]
    keys.append((first, known))
    if all(id_.isdecimal() for id_ in ids):
        keys.append((np.array([float(id_) for id_ in ids]), np.ones_like(known)))
    for key, told in keys:
        if not told.any() or (key[after] > key[before])[told].mean() >= LISTED:
            return None
    return ranks(user_nums, order)


def history_order(user_nums: Ints, times: Ints | None, place: Ints | None) -> Ints:
    """Positions by user, time and place in the history, and as they come, int64 (E,)."""
    keys = [key for key in (place, times) if key is not None]
    return sorted_by(*keys, user_nums)


def ranks(user_nums: Ints, order: Ints) -> Ints:
    """The place of each row within its user's in an order by user, int64 (E,)."""
    counts = np.bincount(user_nums)
    starts = np.cumsum(counts) - counts
    out = np.empty(len(order), np.int64)
    out[order] = np.arange(len(order)) - starts[user_nums[order]]
    return out
