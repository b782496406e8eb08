"""Cuts that hold out whole users or whole items: people and things that training never saw.

``cold-user`` keeps all events of ``test`` of the users out of training; they are asked with their first few
(``evaluate.questions``). Of ``valid`` of the users all but the first one, three or five are held out, so that what is
chosen suits people of whom little is known. ``cold-item`` holds out ``test`` of the items, and ``valid`` of them, with
all their events and reviews; they stay in the catalogue with text, attributes and triples, and compete with all others.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphrec.data.cuts import Mask, Parts, Rows, too_small
from graphrec.data.dataset import TEST, TRAIN, VALID
from graphrec.data.order import history_order, ranks
from graphrec.settings import SplitConfig
from graphrec.types import Ints

KNOWN = (0, 1, 3, 5)  # events that are known of a user when they are asked


def cold_user(rows: Rows, config: SplitConfig, rng: np.random.Generator) -> Parts:
    """Users drawn for the test part, whole, and others for validation. Raises EmptyDataError where there are none."""
    test = _drawn(rows.user_nums, rows.data.n_users, config.test, rng)  # (U,)
    parts = np.full(len(rows), TRAIN, dtype=np.uint8)
    # No leakage. Nothing that a test user did is in another part, their reviews included.
    parts[test[rows.user_nums]] = TEST
    parts[newcomers(rows, config.valid / (1 - config.test), rng, ~test)] = VALID
    return Parts(rows.spread(parts), {"test_users": int(test.sum())}, rows.alike)


def cold_item(rows: Rows, config: SplitConfig, rng: np.random.Generator) -> Parts:
    """Items drawn for the test part, with all their events, and others for validation."""
    test = _drawn(rows.item_nums, rows.data.n_items, config.test, rng)  # (I,)
    parts = np.full(len(rows), TRAIN, dtype=np.uint8)
    # No leakage. Whoever took a test item, and whatever was written of it, is in no other part.
    parts[test[rows.item_nums]] = TEST
    left = parts == TRAIN
    parts[left & unseen(rows, config.valid / (1 - config.test), rng, left)] = VALID
    return Parts(rows.spread(parts), {"test_items": int(test.sum())}, rows.alike)


def newcomers(rows: Rows, share: float, rng: np.random.Generator, among: Mask | None = None) -> Mask:
    """The rows (R,) of this share of the users ``among`` (U,), those with two at least, but for their first few."""
    users, place = rows.user_nums, places(rows, rng)
    able = rows.degrees >= 2 if among is None else among & (rows.degrees >= 2)  # (U,)
    if not able.any():
        raise too_small(rows.data)
    drawn = _drawn(np.flatnonzero(able), len(able), share, rng)
    first = rng.choice(KNOWN[1:], len(able))  # (U,) known of each
    first = np.minimum(first, rows.degrees - 1)
    out: Mask = drawn[users] & (place >= first[users])
    return out


def unseen(rows: Rows, share: float, rng: np.random.Generator, among: Mask | None = None) -> Mask:
    """All rows (R,) of this share of the items that have rows, of those ``among`` (R,)."""
    items = rows.item_nums if among is None else rows.item_nums[among]
    out: Mask = _drawn(items, rows.data.n_items, share, rng)[rows.item_nums]
    return out


def places(rows: Rows, rng: np.random.Generator) -> Ints:
    """The place of each row in its user's history (R,); at random where nothing tells an order."""
    log = rows.data.events.take(rows.latest)
    order = history_order(log.user_nums, log.timestamps, log.order if log.ordered else rng.permutation(len(log)))
    return ranks(log.user_nums, order)


def _drawn(numbers: Ints, n: int, share: float, rng: np.random.Generator) -> Mask:
    """This share, one at least, of the distinct numbers below n, bool (n,)."""
    there = np.unique(numbers)
    out = np.zeros(n, bool)
    out[rng.choice(there, max(1, round(share * len(there))), replace=False) if len(there) else there] = True
    return out


COLD: dict[str, Callable[[Rows, SplitConfig, np.random.Generator], Parts]] = {
    "cold-user": cold_user,
    "cold-item": cold_item,
}
