"""People who look made up, all for one item: fake profiles that push it (shilling; Lam and Riedl, WWW 2004).

Whoever makes up profiles fills them with what anybody may take (Mobasher et al., ACM TOIT 2007: at random, by
popularity, the most popular things), and adds what they push. So what is in them goes together by chance. How far it
does is told for each person u: of each of their items i

    s_i = Σ_{j ∈ h_u \\ i} (c_ij − 1) / √c_j          c_ij: people who took both, without u; c_j: who took j

against the same of items that as many others took, and that u did not: the share that s_i beats, ½ by chance. One
person's share says little, as tastes differ: some are as low as fake ones. But these do not all take one thing. An item
is ``pushed`` where surely more of its takers are low than people are (``SURE`` deviations of a binomial draw), and so
many more that it is an attack (``LEAST`` of all people, ``FEWEST``). Low is who is nearer to chance than ``LOW`` of the
way to what is usual. Set aside are those of its takers who are; where these are most of them, those up to ``LOWISH``.

What fills its profiles with what a group likes who take things together (segment attack) is not found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.types import Ints

Doubles = npt.NDArray[np.float64]
MAX_ITEMS = 10_000  # beyond which counts of pairs are too many to hold, 0.4 GB
DRAWS = 8  # items that each is measured against
ALIKE = 0.1  # by how much these may be taken more or less often
JUDGED = 100  # items of one person that are measured at most
LOW, LOWISH, SURE = 0.25, 0.5, 3.4
LEAST, FEWEST = 0.0045, 4.5
BLOCK = 256  # people at a time
SAME = 1e-5  # sums that differ by less are the same


@dataclass(frozen=True)
class Suspects:
    """Numbers of people who are to be set aside and of the items that they push, int64 each, ascending; and how far
    what each took goes together, float64 (U,), ½ by chance and where it cannot be told."""

    users: Ints
    items: Ints
    share: Doubles


def suspects(taken: sp.csr_matrix, seed: int = 0) -> Suspects:
    """Who looks made up among people who took things, binary CSR (U, I); nobody where there are more than ``MAX_ITEMS``
    items."""
    none, chance = np.zeros(0, np.int64), np.full(taken.shape[0], 0.5)
    if not 0 < taken.shape[1] <= MAX_ITEMS or not taken.nnz:
        return Suspects(none, none, chance)
    share, n = together(taken, seed)
    told = n > 0
    share = np.where(told, share, chance)
    mean = float(share[told].mean()) if told.any() else 0.5
    if mean <= 0.5:  # nothing goes together here
        return Suspects(none, none, share)
    low, lowish = (told & (share - 0.5 <= part * (mean - 0.5)) for part in (LOW, LOWISH))
    by_item = sp.csr_matrix(taken.T, dtype=np.float64)
    takers, found = by_item @ told.astype(np.float64), by_item @ low.astype(np.float64)
    usual = float(low.sum() / told.sum())
    more = found - usual * takers
    sure = more >= SURE * np.sqrt(takers * usual * (1 - usual))
    pushed = np.flatnonzero(sure & (more >= max(FEWEST, LEAST * taken.shape[0]))).astype(np.int64)
    mostly = pushed[2 * found[pushed] > takers[pushed]]
    takes, takes_mostly = (by_item[items].sum(axis=0).A1 > 0 for items in (pushed, mostly))
    return Suspects(np.flatnonzero((takes & low) | (takes_mostly & lowish)).astype(np.int64), pushed, share)


def together(taken: sp.csr_matrix, seed: int = 0) -> tuple[Doubles, Ints]:
    """How far what each person took goes together: the share of comparisons that their items win, float64 (U,), ½ by
    chance, and of how many items it is told, int64 (U,)."""
    random = np.random.default_rng(seed)
    rows = sp.csr_matrix(taken, dtype=np.float32)
    counts = np.asarray(rows.sum(axis=0), np.float64).ravel()
    both: npt.NDArray[np.float32] = (rows.T @ rows).toarray()
    np.fill_diagonal(both, 0)
    weight = 1 / np.sqrt(np.maximum(counts, 1)).astype(np.float32)
    order = np.argsort(counts, kind="stable")
    ranked = counts[order]
    won, n = np.zeros(rows.shape[0]), np.zeros(rows.shape[0], np.int64)
    for start in range(0, rows.shape[0], BLOCK):
        some = rows[start : start + BLOCK]
        there = some.toarray() > 0
        sums = np.asarray(sp.csr_matrix(some @ sp.diags(weight)) @ both)
        person, item = np.repeat(np.arange(some.shape[0]), np.diff(some.indptr)), some.indices
        all_ = np.bincount(person, weight[item], some.shape[0])
        kept = _judged(person, np.diff(some.indptr), random) & (counts[item] > 1)
        person, item = person[kept], item[kept]
        own = sums[person, item] - (all_[person] - weight[item])  # without u
        others = counts[item] - 1
        first = np.searchsorted(ranked, others * (1 - ALIKE) - SAME)
        last = np.maximum(np.searchsorted(ranked, others * (1 + ALIKE) + SAME), first + 1)
        place = first[:, None] + random.random((len(item), DRAWS)) * (last - first)[:, None]
        drawn = order[np.minimum(place.astype(np.int64), len(order) - 1)]
        strange = ~there[person[:, None], drawn]
        theirs = sums[person[:, None], drawn] * (others[:, None] / np.maximum(counts[drawn], 1))
        apart = own[:, None] - theirs
        wins = np.where(np.abs(apart) < SAME, 0.5, apart > 0) * strange
        asked = strange.sum(axis=1)
        told = asked > 0
        mine = slice(start, start + some.shape[0])
        won[mine] = np.bincount(person[told], wins.sum(axis=1)[told] / asked[told], some.shape[0])
        n[mine] = np.bincount(person[told], minlength=some.shape[0])
    return won / np.maximum(n, 1), n


def _judged(person: Ints, length: Ints, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which entries are measured, bool (n,): all of those who took two things or more, of long histories some."""
    chance = random.random(len(person)) * length[person]
    out: npt.NDArray[np.bool_] = (length[person] > 1) & (chance < JUDGED)
    return out
