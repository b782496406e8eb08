"""Fake profiles that push an item: shilling (Lam and Riedl, WWW 2004; Mobasher et al., ACM TOIT 2007), in events.

==========  ==============================================================================
random      filled with any items
average     filled with items as often as people take them
bandwagon   half of it the most popular items, one in a hundred of all; the rest any items
==========  ==============================================================================

Each is as long as the history of somebody who is drawn, and holds the item that is pushed. Its events are copies of
real ones: with the values, kinds, times and places that somebody's event of the same item has, so that none of these
tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from graphrec.data.dataset import TRAIN, Dataset
from graphrec.data.events import Events
from graphrec.errors import ConfigError
from graphrec.types import Ints, frozen

Attack: TypeAlias = Literal["random", "average", "bandwagon"]
ATTACKS: tuple[Attack, ...] = get_args(Attack)
POPULAR = 0.01  # of the items, that a bandwagon fills with


def shilled(data: Dataset, attack: Attack, target: int, n: int, seed: int = 0) -> Dataset:
    """The data with ``n`` fake people, the last ones, ``shill-0`` and so on, who push the item number ``target``.

    Raises ConfigError for an attack that there is not.
    """
    if attack not in ATTACKS:
        raise ConfigError(f"there is no attack {attack!r}; there are {', '.join(ATTACKS)}")
    random, log = np.random.default_rng(seed), data.events
    taken = data.seen()
    counts, lengths = np.asarray(taken.sum(axis=0)).ravel(), np.diff(taken.indptr)
    users, items = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, length in enumerate(random.choice(lengths[lengths > 1], n).tolist()):
        mine = np.union1d(_fillers(attack, counts, min(length, data.n_items // 2), random), [target])
        users.append(np.full(len(mine), data.n_users + number))
        items.append(mine)
    who, what = np.concatenate(users), np.concatenate(items).astype(np.int64)
    columns: dict[str, Any] = {name: getattr(log, name) for name in ("values", "kinds", "timestamps", "places")}
    like = _events_of(log, what, random)
    copied: dict[str, Any] = {name: None if c is None else c[like] for name, c in columns.items()}
    order = None if log.order is None else _within(who, random)
    joined, rows = log.joined(replace(log, user_nums=who, item_nums=what, order=order, **copied))
    back = np.empty(len(rows), np.int64)
    back[rows] = np.arange(len(rows))
    return replace(
        data,
        users=data.users.extended([f"shill-{number}" for number in range(n)]),
        events=joined,
        reviews=data.reviews.assign(event=back[data.reviews["event"].to_numpy(np.int64)]),
        user_text=np.concatenate([data.user_text, np.full(n, "", object)]),
        parts=None if data.parts is None else np.concatenate([data.parts, np.full(len(who), TRAIN, np.uint8)])[rows],
    )


def _fillers(attack: str, counts: np.ndarray, length: int, random: np.random.Generator) -> Ints:
    """The items, int64 (length,), that a profile is filled with."""
    n = len(counts)
    if attack == "average":
        length = min(length, int(np.count_nonzero(counts)))
        return random.choice(n, length, replace=False, p=counts.astype(np.float64) / counts.sum(dtype=np.float64))
    if attack == "random":
        return random.choice(n, length, replace=False)
    popular = np.argsort(-counts, kind="stable")[: max(1, int(n * POPULAR))]
    some = random.choice(popular, min(len(popular), max(1, length // 2)), replace=False)
    return np.union1d(some, random.choice(n, length - len(some), replace=False)).astype(np.int64)


def _events_of(log: Events, items: Ints, random: np.random.Generator) -> Ints:
    """Of each item the place of a liked event of it as drawn, int64 (n,); of any where nobody likes it."""
    liked = np.flatnonzero(log.strengths > 0)
    table = pd.DataFrame({"item": log.item_nums[liked], "row": liked}).sample(frac=1, random_state=random)
    table = table.sort_values("item", kind="stable")
    of, rows = table["item"].to_numpy(), table["row"].to_numpy()
    first, last = np.searchsorted(of, items), np.searchsorted(of, items, "right")
    drawn = first + (random.random(len(items)) * np.maximum(last - first, 1)).astype(np.int64)
    known = last > first
    return np.where(known, rows[np.minimum(drawn, len(rows) - 1)], random.choice(liked, len(items))).astype(np.int64)


def _within(users: Ints, random: np.random.Generator) -> Ints:
    """A place in each one's history, as drawn, for events in order of users, int64 (n,)."""
    order = np.lexsort((random.random(len(users)), users))
    out = np.empty(len(users), np.int64)
    out[order] = np.arange(len(users)) - np.searchsorted(users, users)
    return frozen(out, np.int64)
