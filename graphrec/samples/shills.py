"""Fake profiles that push an item: shilling (Lam and Riedl, WWW 2004; Mobasher et al., ACM TOIT 2007), in events.

==========  ==============================================================================
random      filled with any items
average     filled with items as often as people take them
bandwagon   half of it the most popular items, one in a hundred of all; the rest any items
segment     filled with items as often as one group takes them: who took one thing (``group``)
==========  ==============================================================================

A segment is the hardest of them to tell from people. As its authors have it, a few items of the group stand beside any
others; here nothing else does. Each profile is as long as the history of somebody who is drawn, and holds the item that
is pushed. Its events are copies of real ones: with the values, kinds, times and places that somebody's event of the
same item has, so that none of these tells.
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

Attack: TypeAlias = Literal["random", "average", "bandwagon", "segment"]
ATTACKS: tuple[Attack, ...] = get_args(Attack)
POPULAR = 0.01  # of the items, that a bandwagon fills with
LEAST = 10  # people of a group, where that many took anything


def shilled(data: Dataset, attack: Attack, target: int, n: int, seed: int = 0) -> Dataset:
    """The data with ``n`` fake people, the last ones, ``shill-0`` and so on, who push the item number ``target``.

    Raises ConfigError for an attack that there is not.
    """
    if attack not in ATTACKS:
        raise ConfigError(f"there is no attack {attack!r}; there are {', '.join(ATTACKS)}")
    random, log = np.random.default_rng(seed), data.events
    taken = data.seen()
    lengths, counts = np.diff(taken.indptr), np.asarray(taken.sum(axis=0)).ravel()
    if attack == "segment":
        counts = np.asarray(taken[group(data, target, seed)].sum(axis=0)).ravel()
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


def praised(data: Dataset, target: int, n: int, seed: int = 0) -> Dataset:
    """The same for fake people who also write, each one review of what is pushed: those of the last ``n`` people.

    Each is somebody's real praise of one of the most popular items, so that the item reads like these, and what their
    praise speaks of is said of it. Raises ConfigError where nobody praises these.
    """
    random, reviews = np.random.default_rng([seed, 2]), data.reviews
    counts = np.asarray(data.seen().sum(axis=0)).ravel()
    popular = np.argsort(-counts, kind="stable")[: max(1, int(data.n_items * POPULAR))]
    liked = data.events.strengths[reviews["event"].to_numpy(np.int64)] > 0
    praise = reviews[liked & reviews["item_num"].isin(popular) & (reviews["item_num"] != target)]
    if not len(praise):
        raise ConfigError("no review praises any of the most popular items; take data with reviews")
    log = data.events
    theirs = np.flatnonzero((log.item_nums == target) & (log.user_nums >= data.n_users - n))
    ids = [f"shill-{number}" for number in range(len(theirs))]
    drawn = praise.iloc[random.integers(0, len(praise), len(theirs))]
    made_up = drawn.assign(review_id=ids, event=theirs, user_num=log.user_nums[theirs], item_num=target)
    joined = pd.concat([reviews, made_up]).sort_values("event", kind="stable", ignore_index=True)
    return replace(data, reviews=joined)


def group(data: Dataset, target: int, seed: int = 0) -> Ints:
    """The people whose like a segment attack is made up of, int64, ascending: who took one thing, which is drawn by how
    many did, and not the one that is pushed."""
    taken = data.seen()
    counts = np.asarray(taken.sum(axis=0), np.float64).ravel()
    counts[target] = 0
    counts[counts < min(LEAST, counts.max())] = 0
    by = np.random.default_rng([seed, 1]).choice(len(counts), p=counts / counts.sum())
    return np.flatnonzero(np.asarray(taken[:, by].todense()).ravel()).astype(np.int64)


def _fillers(attack: str, counts: np.ndarray, length: int, random: np.random.Generator) -> Ints:
    """The items, int64 (length,), that a profile is filled with; ``counts``: how many take each."""
    n = len(counts)
    if attack in ("average", "segment"):
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
