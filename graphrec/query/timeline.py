"""Histories in order: what came after what, and when."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from graphrec.data.events import Events
from graphrec.data.order import history_order
from graphrec.query.fading import DAY, ROUNDS, Fading
from graphrec.types import Floats, Ints

HELD = 2**16  # histories that are weighed at once


class Ordered(NamedTuple):
    """The last L events of B histories, the newest last.

    items int64 (B, L), -1 on the left where a history is shorter; times int64 (B, L) in seconds, 0 there, or None where
    they are not known; strengths float32 (B, L), signed, of each event, 0 there.
    """

    items: Ints
    times: Ints | None
    strengths: Floats


class Timeline:
    """Histories one after another, each in order.

    Shapes: counts int64 (n,) events of each; items int64 (E,), strengths float32 (E,), times int64 (E,) or None.
    positions: int64 (E,), where each event stands in the log, or None for histories that are in none.
    """

    def __init__(
        self, counts: Ints, items: Ints, strengths: Floats, times: Ints | None, positions: Ints | None = None
    ) -> None:
        self.counts, self.items, self.strengths, self.times = counts, items, strengths, times
        self.ends: Ints = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)  # (n + 1,)
        self.positions = positions

    def rows(self, number: int) -> Ints:
        """Where the events of one history stand in the log, in order, int64."""
        assert self.positions is not None
        return self.positions[slice(*self.ends[number : number + 2])]

    def last(self, numbers: Ints, length: int | None = None) -> Ordered:
        """The last ``length`` events of these histories (B,), all of the longest by default."""
        counts = self.counts[numbers]  # (B,)
        width = int(counts.max(initial=0)) if length is None else length
        sized = np.minimum(counts, width)
        return self.pieces(self.ends[numbers + 1] - sized, sized, width)

    def pieces(self, at: Ints, sized: Ints, width: int | None = None) -> Ordered:
        """So many events (B,) from the places ``at`` (B,) on, of one history each; as wide as the longest."""
        back = np.arange(int(sized.max(initial=0)) if width is None else width, 0, -1)  # events from the end
        known = back <= sized[:, None]  # (B, L)
        where = ((at + sized)[:, None] - back)[known]
        items, strengths = np.full(known.shape, -1, np.int64), np.zeros(known.shape, np.float32)
        items[known], strengths[known] = self.items[where], self.strengths[where]
        if self.times is None:
            return Ordered(items, None, strengths)
        times = np.zeros(known.shape, np.int64)
        times[known] = self.times[where]
        return Ordered(items, times, strengths)

    def faded(self, numbers: Ints, fading: Fading, now: Ints | None = None) -> tuple[Ints, Ints, Floats]:
        """What the items of these histories (B,) count for at ``now`` (B,), in seconds, by the event that counts most:
        rows, items and weights > 0, (P,). ``HELD`` histories at a time."""
        parts = []
        for first in range(0, max(len(numbers), 1), HELD):
            here = slice(first, first + HELD)
            rows, items, weights = self._faded(numbers[here], fading, None if now is None else now[here])
            parts.append((rows + first, items, weights))
        rows, items, weights = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
        return rows, items, weights

    def _faded(self, numbers: Ints, fading: Fading, now: Ints | None) -> tuple[Ints, Ints, Floats]:
        """``faded`` of histories that fit."""
        counts = self.counts[numbers]
        kept = np.minimum(counts, fading.last) if fading.last else counts
        rows = np.repeat(np.arange(len(numbers)), kept)
        back = (np.cumsum(kept) - 1)[rows] - np.arange(len(rows))  # events from the last one
        at = self.ends[numbers + 1][rows] - 1 - back
        weights = (1.0 + back) ** -fading.power
        if fading.half_life and self.times is not None:
            newest = self.times[np.maximum(self.ends[numbers + 1] - 1, 0)] if len(self.times) else self.times
            weights *= np.exp2(-(newest[rows] - self.times[at]) / (DAY * fading.half_life))
        if fading.rounds and self.times is not None and now is not None:
            ago = self.times[at] - now[rows]
            for name, kappa in fading.rounds.items():
                weights *= np.exp(kappa * (np.cos(2 * np.pi / ROUNDS[name] * ago) - 1))
        items = self.items[at]
        order = np.lexsort((back, -weights, items, rows))  # what counts most of each item first
        rows, items, weights = rows[order], items[order], weights[order]
        new = np.ones(len(rows), bool)
        new[1:] = (np.diff(rows) != 0) | (np.diff(items) != 0)
        return rows[new], items[new], weights[new].astype(np.float32)


def asked_at(known: Events, user_nums: Ints, times: Ints | None, n_users: int) -> Ints | None:
    """When users ask in evaluation, int64 (U,): at their first held-out event (of ``user_nums`` and ``times``), or,
    where something later of theirs is known, then; those without one at the end of the log. None without times.

    # No leakage. What is ranked with is what was known at that moment, not at the end of the log.
    """
    if known.timestamps is None or times is None:
        return None
    end = np.iinfo(np.int64).max
    out = np.full(n_users, end, np.int64)
    np.minimum.at(out, user_nums, times)
    np.maximum.at(out, known.user_nums, known.timestamps)
    out[out == end] = known.timestamps.max(initial=0)
    return out


def timeline_of(events: Events, n_users: int, liked: bool = False) -> Timeline:
    """The histories of all users, of pairs of which anything is said, or that are ``liked``."""
    pairs = events.liked if liked else events.pairs
    width = int(events.item_nums.max(initial=0)) + 1
    known, each = pairs.user_nums * width + pairs.item_nums, events.user_nums * width + events.item_nums
    place = np.minimum(np.searchsorted(known, each), max(len(known) - 1, 0))  # pairs are in order
    said = known[place] == each if len(known) else np.zeros(len(each), bool)
    order = history_order(events.user_nums, events.timestamps, events.order)
    order = order[said[order]]
    times = None if events.timestamps is None else events.timestamps[order]
    counts = np.bincount(events.user_nums[order], minlength=n_users)
    return Timeline(counts, events.item_nums[order], events.strengths[order], times, order)
