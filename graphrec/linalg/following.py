"""Item-item matrices of what follows what, counted by how many events lie between."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from graphrec.types import Ints

DAY = 86_400.0


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
