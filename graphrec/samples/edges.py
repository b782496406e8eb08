"""Interactions by the million, for scale tests: arrays only, in pieces that fit the cache of a small machine."""

from __future__ import annotations

import numpy as np
import pandas as pd

from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.errors import ConfigError
from graphrec.samples.shop import END, START
from graphrec.types import Ints, Vocabulary

TASTES = 64  # groups of users who share most of their items
SHARED = 0.7  # share of a user's items that come from the group
SKEWED_TRIES = 4  # draws before the rest of a user's items are drawn uniformly
PIECE = 2_000_000  # edges drawn at a time


def generate_edges(n_users: int, n_items: int, n_edges: int, seed: int = 7) -> Dataset:
    """Exactly ``n_edges`` distinct interactions with times, popularity skew and taste groups; no texts, no friends.

    Memory: 28 bytes an edge for the result, and a few hundred MB besides. Raises ConfigError where users and items
    are too few for so many edges (a quarter of all pairs) or for one edge a user.
    """
    if n_items < TASTES or not 0 < n_users <= n_edges <= n_users * n_items // 4:
        raise ConfigError(
            f"{n_edges} edges between {n_users} users and {n_items} items are not possible; take {TASTES} items or"
            " more, and between one and a quarter of the items a user"
        )
    rng = np.random.default_rng(seed)
    activity = rng.lognormal(0, 0.8, n_users)
    degree = 1 + rng.multinomial(n_edges - n_users, activity / activity.sum())  # (U,)
    while (excess := np.maximum(degree - n_items // 2, 0)).any():
        degree -= excess
        degree += rng.multinomial(excess.sum(), np.full(n_users, 1 / n_users))
    shelf = rng.permutation(n_items)  # so that the item number tells nothing
    user_nums, item_nums = np.empty(n_edges, np.int64), np.empty(n_edges, np.int64)
    ends = np.cumsum(degree)
    first, done = 0, 0
    while first < n_users:
        last = max(first + 1, int(np.searchsorted(ends, done + PIECE, side="right")))
        pairs = _distinct_pairs(degree[first:last], n_items, shelf, rng)
        piece = slice(done, done + len(pairs))
        np.divmod(pairs, n_items, out=(user_nums[piece], item_nums[piece]))
        user_nums[piece] += first
        first, done = last, piece.stop
    times = rng.integers(START, END, n_edges)
    users = Vocabulary((f"u{n:09d}" for n in range(n_users)), "user")
    items = Vocabulary((f"i{n:09d}" for n in range(n_items)), "item")
    nothing = np.array([], np.int64)
    return Dataset(
        name="synthetic-edges",
        users=users,
        items=items,
        events=Events.of(user_nums, item_nums, times),
        social_edge_index=np.zeros((2, 0), np.int64),
        reviews=pd.DataFrame(
            {"review_id": [], "event": nothing, "user_num": nothing, "item_num": nothing, "summary": [], "text": []}
        ),
        item_titles=np.full(n_items, "", dtype=object),
        item_text=np.full(n_items, "", dtype=object),
        user_text=np.full(n_users, "", dtype=object),
        item_attributes=pd.DataFrame({"item_num": nothing, "key": [], "value": []}),
        user_attributes=pd.DataFrame({"user_num": nothing, "key": [], "value": []}),
    )


def _distinct_pairs(degree: Ints, n_items: int, shelf: Ints, rng: np.random.Generator) -> Ints:
    """``degree[u]`` distinct items of each user, as sorted keys u · n_items + item. Repeats are drawn again."""
    taste = rng.integers(0, TASTES, len(degree))
    keys = np.array([], np.int64)
    lacking, tries = degree, 0
    while lacking.any():
        users = np.repeat(np.arange(len(degree)), lacking)
        if tries < SKEWED_TRIES:  # density of rank x in [0, 1) falls as x^-½
            rank = rng.random(len(users)) ** 2
            group = taste[users]
            size = (n_items - group + TASTES - 1) // TASTES  # items of the group: group, group + 64, …
            own = group + TASTES * (rank * size).astype(np.int64)
            shared = rng.random(len(users)) < SHARED
            items = shelf[np.where(shared, own, (rank * n_items).astype(np.int64))]
        else:  # the very active have what everybody has
            items = rng.integers(0, n_items, len(users))
        keys = np.concatenate([keys, users * n_items + items])
        keys.sort(kind="stable")  # merges the sorted with the new
        keys = keys[np.append(True, keys[1:] != keys[:-1])]
        lacking = degree - np.bincount(keys // n_items, minlength=len(degree))
        tries += 1
    return keys
