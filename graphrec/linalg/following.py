"""Item-item matrices of what follows what, counted by how many events lie between."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.types import Ints

Doubles = npt.NDArray[np.float64]
DAY = 86_400.0
HELD = 20_000_000  # pairs that wait to be summed, 320 MB


def following(
    histories: Ints,
    item_nums: Ints,
    times: Ints | None,
    n_items: int,
    window: int,
    pause: float = 0.0,
    open_ties: bool = False,
) -> list[sp.csr_matrix]:
    """How often an item comes after another, CSR float32 (I, I) [before, after] for each doubling of the gap.

    The k-th counts pairs of events of one history with a gap of 2^k to 2^(k+1) - 1 events, up to ``window``. An item
    does not follow itself.

    Args:
        histories, item_nums, times: int64 (E,), events by history (a user's, or a session's), each in order; times in
            seconds, or None.
        pause: half-life in days of the time between two events; 0 does not decay.
        open_ties: of events of one second nobody knows the order: they count half in either direction.
    """
    shape = (n_items, n_items)
    out: list[sp.csr_matrix] = []
    for gap in range(1, min(window, max(len(item_nums) - 1, 1)) + 1):
        same = (histories[gap:] == histories[:-gap]) & (item_nums[gap:] != item_nums[:-gap])
        before, after = item_nums[:-gap][same], item_nums[gap:][same]
        counts = np.ones(len(before), np.float32)
        if times is not None:
            seconds = (times[gap:] - times[:-gap])[same]
            if pause:
                counts = np.exp2(-seconds / (DAY * pause)).astype(np.float32)
            if open_ties and (tied := seconds == 0).any():
                counts[tied] /= 2
                ends = np.concatenate([before, after[tied]]), np.concatenate([after, before[tied]])
                (before, after), counts = ends, np.concatenate([counts, counts[tied]])
        found = sp.csr_matrix((counts, (before, after)), shape=shape, dtype=np.float32)
        if gap.bit_length() > len(out):
            out.append(found)
        else:
            out[-1] = out[-1] + found
    return out


def regressions(histories: Ints, item_nums: Ints, n_items: int, decay: float, window: int) -> tuple[Doubles, Doubles]:
    """The sums of a regression of each event on what came before it, float64 (I, I) both: XᵀX, and XᵀY [before, after].

        x_t = Σ_d d^-decay e(i_{t-d}), d = 1 … window within the history,   y_t = e(i_t),   t: events but the first

    No row of X is made: what a pair of events with a gap of k adds to XᵀX is Σ_d d^-decay (d + k)^-decay over the rows
    that come after both. Args as ``following``.
    """
    weights = np.arange(1, window + 1, dtype=np.float64) ** -decay  # (W,)
    size = np.bincount(histories)
    left = np.cumsum(size)[histories] - 1 - np.arange(len(histories))  # events after each in its history
    inner, cross = _Pairs(n_items), _Pairs(n_items)
    for gap in range(min(window + 1, int(size.max(initial=0)))):
        same = histories[gap:] == histories[: len(histories) - gap]
        before, after = item_nums[: len(item_nums) - gap][same], item_nums[gap:][same]
        rows = np.minimum(left[gap:][same], window - gap)
        summed = np.concatenate([[0.0], np.cumsum(weights[: window - gap] * weights[gap:])])[rows]
        inner.add(before, after, summed if gap else summed / 2)  # both ways below
        if gap:
            cross.add(before, after, np.full(len(before), weights[gap - 1]))
    half = inner.total()
    return half + half.T, cross.total()


class _Pairs:
    """Sums over pairs of items, float64 (I, I), some ``HELD`` pairs at a time."""

    def __init__(self, n_items: int) -> None:
        self.n_items, self.sums = n_items, np.zeros(n_items * n_items)
        self.waiting: list[tuple[Ints, Doubles]] = []

    def add(self, before: Ints, after: Ints, values: Doubles) -> None:
        self.waiting.append((before * self.n_items + after, values))
        if sum(len(values) for _, values in self.waiting) > HELD:
            self._summed()

    def _summed(self) -> None:
        if self.waiting:
            places, values = (np.concatenate(parts) for parts in zip(*self.waiting, strict=True))
            self.sums += np.bincount(places, values, minlength=len(self.sums))
            self.waiting.clear()

    def total(self) -> Doubles:
        self._summed()
        return self.sums.reshape(self.n_items, self.n_items)
