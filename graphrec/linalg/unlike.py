"""Items whose takers have little else in common: how many of these count, so that a few fake profiles push nothing.

Where a few people make an item much more popular, as where most things are taken once, profiles that are made up are
too few to be told from people one by one (``suspects``). All takers of one item together tell more: real ones share
more than the item. Of item i with takers T_i it is

    q_i = mean over u ≠ v of T_i of Σ_{j ≠ i} z_uj z_vj      z_u = x_u √w / ‖x_u √w‖, w_j = 1 / (c_j − 1); c_j took j

against the median of the items that about as many took (``ALIKE``): their ratio is near 0 where takers were drawn by
chance, whatever by. Where it is below ``UNLIKE``, and among the lowest ``LOWEST`` of all, as many takers count as the
ratio says, one at least: those whose own things go together most (``Suspects.share``). Only items that so few took are
looked at that takers who are made up could be most of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.types import Ints

Doubles = npt.NDArray[np.float64]
MAX_ITEMS = 10_000  # beyond which counts of pairs are too many to hold, 0.4 GB
UNLIKE, LOWEST = 0.25, 0.02
ALIKE = 1.5  # times as many, or as few, who took an item as popular
FEWEST, MOST, LEAST = 5, 0.04, 10  # takers: at least; of all people at most, or so many
ENOUGH = 50  # items that are looked at, below which what is usual cannot be told
BLOCK = 256  # items at a time


@dataclass(frozen=True)
class Unlike:
    """Pairs of people and items that do not count, int64 (n,) each, by item; and the ``pushed`` items, ascending."""

    users: Ints
    items: Ints
    pushed: Ints


def unlike(taken: sp.csr_matrix, share: Doubles) -> Unlike:
    """What does not count of what people took, binary CSR (U, I); nothing where there are more than ``MAX_ITEMS``.

    ``share``: how far what each took goes together, float64 (U,).
    """
    none = np.zeros(0, np.int64)
    if not 0 < taken.shape[1] <= MAX_ITEMS:
        return Unlike(none, none, none)
    counts = np.asarray(taken.sum(axis=0), np.float64).ravel()
    able = np.flatnonzero((counts >= FEWEST) & (counts <= max(MOST * taken.shape[0], LEAST)))
    if len(able) < ENOUGH:
        return Unlike(none, none, none)
    found = likeness(taken, able)
    ratio = np.array([found[n] / max(_usual(found, counts[able], counts[i]), 1e-12) for n, i in enumerate(able)])
    low = np.flatnonzero(ratio < min(UNLIKE, float(np.quantile(ratio, LOWEST))))
    by_item = sp.csr_matrix(taken.T)
    users, items = [none], [none]
    for n in low.tolist():
        mine = by_item.indices[by_item.indptr[able[n]] : by_item.indptr[able[n] + 1]].astype(np.int64)
        kept = max(1, int(len(mine) * ratio[n]))
        users.append(np.sort(mine[np.argsort(-share[mine], kind="stable")[kept:]]))
        items.append(np.full(len(mine) - kept, able[n], np.int64))
    return Unlike(np.concatenate(users), np.concatenate(items), able[low].astype(np.int64))


def likeness(taken: sp.csr_matrix, items: Ints) -> Doubles:
    """How much else takers of each of these items share, float64 (n,)."""
    rows = sp.csr_matrix(taken, dtype=np.float64)
    weight = 1 / np.maximum(np.asarray(rows.sum(axis=0)).ravel() - 1, 1)
    length = np.maximum(np.sqrt(rows @ weight), 1e-12)
    side = sp.csr_matrix(sp.diags(1 / length) @ rows @ sp.diags(np.sqrt(weight)))
    by_item, out = sp.csr_matrix(rows.T), np.zeros(len(items))
    for start in range(0, len(items), BLOCK):
        some = items[start : start + BLOCK]
        member = by_item[some]  # (B, U)
        n = np.diff(member.indptr)
        sums = sp.csr_matrix(member @ side)  # (B, I) of all takers
        own = weight[some] * np.square(member @ (1 / length))  # what lies in the item itself, of all pairs
        apart = n - weight[some] * (member @ np.square(1 / length))  # of each with themselves, but for the item
        pairs = np.asarray(sums.multiply(sums).sum(axis=1)).ravel() - own - apart
        out[start : start + BLOCK] = pairs / np.maximum(n * (n - 1), 1)
    return np.maximum(out, 0.0)


def _usual(found: Doubles, counts: Doubles, count: float) -> float:
    """The median of the items that about as many people took."""
    return float(np.median(found[(counts >= count / ALIKE) & (counts <= count * ALIKE)]))
