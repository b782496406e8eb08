"""What happens in the synthetic shop: who prefers what, who knows whom, who takes what when. Numbers only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from graphrec.errors import ConfigError
from graphrec.samples.themes import THEMES
from graphrec.types import Ints

SIGNALS = ("behaviour", "text", "kg", "social")
STRENGTH = {"behaviour": 0.8, "text": 0.7, "kg": 0.5, "social": 0.7}  # share of a follower's choices; the rest is noise
ITEMS_PER_TASTE, ITEMS_PER_MANUFACTURER = 40, 16
PICKS, WEAK_TIES = 3, 0.1  # friends that each user picks, and the share of picks that may be anybody
START, END = 1_546_300_800, 1_704_067_200  # 2019-01-01 to 2024-01-01, UTC seconds
COPY_DELAY = 2 * 86_400  # seconds before friends notice
SKEW = 0.8  # popularity of the n-th item is proportional to n^-SKEW

# each concern has its own random stream, so that shuffling one signal leaves all others as they were
GROUP, ITEM, FRIEND, EVENT, RATING, SHUFFLE, WORDS, META = range(8)


def stream(seed: int, concern: int, *more: int) -> np.random.Generator:
    """The random numbers of one concern."""
    return np.random.default_rng([seed, concern, *more])


@dataclass(frozen=True)
class Shop:
    """Latent structure and events.

    Shapes: group int64 (U,) place in ``signals``, -1 where none; preference int64 (U,) the user's taste, theme or
    manufacturer; taste, theme, manufacturer int64 (I,); friends int64 (2, S) both directions; user_nums, item_nums,
    times, ratings int64 (E,), in order of time; followed bool (E,) chosen by the user's signal, not at random.
    """

    signals: tuple[str, ...]
    group: Ints
    preference: Ints
    taste: Ints
    theme: Ints
    manufacturer: Ints
    friends: Ints
    user_nums: Ints
    item_nums: Ints
    times: Ints
    ratings: Ints
    followed: np.ndarray[tuple[int], np.dtype[np.bool_]]


def open_shop(
    n_users: int, n_items: int, n_reviews: int, seed: int, signals: Collection[str], shuffle: Collection[str]
) -> Shop:
    """Simulate the shop. Raises ConfigError where names are unknown or the counts do not fit together."""
    unknown = sorted({*signals, *shuffle} - set(SIGNALS))
    if unknown:
        raise ConfigError(f"unknown signal {unknown[0]!r}; the sample has {', '.join(SIGNALS)}")
    if n_items < 2 * len(THEMES) or n_users < 12 or not 3 * n_users <= n_reviews <= n_users * n_items // 4:
        raise ConfigError(
            f"a sample of {n_users} users, {n_items} items and {n_reviews} reviews is not possible; take at least"
            f" 12 users, {2 * len(THEMES)} items, and 3 to {n_items // 4} reviews a user"
        )
    chosen = tuple(s for s in SIGNALS if s in signals)
    rng = stream(seed, ITEM)
    taste = rng.permutation(n_items) % max(2, n_items // ITEMS_PER_TASTE)
    theme = rng.permutation(n_items) % len(THEMES)
    manufacturer = rng.permutation(n_items) % max(2, n_items // ITEMS_PER_MANUFACTURER)
    popularity = (1.0 + rng.permutation(n_items)) ** -SKEW  # (I,)

    rng = stream(seed, GROUP)
    group = rng.permutation(n_users) % len(chosen) if chosen else np.full(n_users, -1)
    of_signal = {"behaviour": taste, "text": theme, "kg": manufacturer}
    preference = np.full(n_users, -1)
    for n, signal in enumerate(chosen):
        members = np.flatnonzero(group == n)
        if signal in of_signal:  # as many followers of each taste, theme or manufacturer
            preference[members] = rng.permutation(len(members)) % (of_signal[signal].max() + 1)
    taste_of_user = np.full(n_users, -1)
    if "behaviour" in chosen:
        taste_of_user = np.where(group == chosen.index("behaviour"), preference, -1)
    friends = _friendships(group, taste_of_user, stream(seed, FRIEND))

    rng = stream(seed, EVENT)
    user_nums, times = _visits(n_users, n_items, n_reviews, rng)
    pools = [of_signal.get(s) for s in chosen]
    strength = np.array([STRENGTH[s] for s in chosen] or [0.0])[group] * (group >= 0)  # (U,)
    weights = [popularity if s == "behaviour" else np.ones(n_items) for s in chosen]
    item_nums = np.empty(n_reviews, np.int64)
    followed = np.zeros(n_reviews, bool)
    taken: list[list[tuple[int, int]]] = [[] for _ in range(n_users)]  # (item, time) of each user
    circle = [friends[1, friends[0] == u].tolist() for u in range(n_users)]
    for n, (user, time) in enumerate(zip(user_nums.tolist(), times.tolist(), strict=True)):
        odds = np.ones(n_items) if group[user] >= 0 and pools[group[user]] is None else popularity.copy()
        if rng.random() < strength[user]:
            pool = pools[group[user]]
            if pool is None:  # what friends took before, once for each friend who did
                copied = [item for f in circle[user] for item, then in taken[f] if then + COPY_DELAY <= time]
                liked = np.bincount(copied, minlength=n_items).astype(float)
            else:
                liked = weights[group[user]] * (pool == preference[user])
            liked[[item for item, _ in taken[user]]] = 0
            if liked.any():
                odds, followed[n] = liked, True
        odds[[item for item, _ in taken[user]]] = 0
        item_nums[n] = np.searchsorted(np.cumsum(odds), rng.random() * odds.sum(), side="right")
        taken[user].append((int(item_nums[n]), time))

    if "behaviour" in shuffle and "behaviour" in chosen:
        rows = np.flatnonzero(group[user_nums] == chosen.index("behaviour"))
        item_nums[rows] = _exchanged(user_nums[rows], item_nums[rows], stream(seed, SHUFFLE, 0))
    if "social" in shuffle:
        friends = stream(seed, SHUFFLE, 3).permutation(n_users)[friends]
    ratings = _ratings(user_nums, item_nums, followed, n_users, n_items, stream(seed, RATING))
    return Shop(
        chosen, group, preference, taste, theme, manufacturer, friends, user_nums, item_nums, times, ratings, followed
    )


def _friendships(group: Ints, taste: Ints, rng: np.random.Generator) -> Ints:
    """Friendships int64 (2, S): everybody picks friends of their own kind, and now and then anybody."""
    kind = (group + 1) * (taste.max() + 2) + taste + 1  # (U,) the signal, and the taste where it is the signal
    order = np.argsort(kind, kind="stable")
    size = np.bincount(kind)
    first = (np.cumsum(size) - size)[kind]  # where one's kind begins in ``order``
    heads = np.repeat(np.arange(len(group)), PICKS)
    tails = order[(first + rng.random((PICKS, len(group))) * size[kind]).astype(np.int64)].T.ravel()
    anybody = rng.random(len(tails)) < WEAK_TIES  # shortcuts through the network: Granovetter, AJS 78 (1973)
    tails[anybody] = rng.integers(0, len(group), anybody.sum())
    a, b = heads[heads != tails], tails[heads != tails]
    return np.unique(np.vstack([np.r_[a, b], np.r_[b, a]]), axis=1)


def _visits(n_users: int, n_items: int, n_reviews: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Who comes when: user_nums and times (E,), in order of time. Activity is log-normal, with at least 3 visits."""
    activity = rng.lognormal(0, 0.5, n_users)
    least = min(5, n_reviews // n_users)
    visits = least + rng.multinomial(n_reviews - least * n_users, activity / activity.sum())
    while (excess := np.maximum(visits - n_items // 2, 0)).any():  # nobody buys the whole shop
        visits -= excess
        visits += rng.multinomial(excess.sum(), np.full(n_users, 1 / n_users))
    user_nums = np.repeat(np.arange(n_users), visits)
    joined = START + (END - START) * rng.beta(1, 2, n_users)[user_nums]
    times = (joined + (END - joined) * rng.random(n_reviews)).astype(np.int64)
    order = np.lexsort((user_nums, times))
    return user_nums[order], times[order]


def _exchanged(user_nums: Ints, item_nums: Ints, rng: np.random.Generator) -> Ints:
    """Items exchanged between the rows at random; nobody gets an item twice, and all counts stay."""
    items = rng.permutation(item_nums)
    while True:
        _, first = np.unique(np.vstack([user_nums, items]), axis=1, return_index=True)
        repeated = np.setdiff1d(np.arange(len(items)), first)
        if not len(repeated):
            return items
        for row in repeated:
            other = rng.integers(len(items))
            items[row], items[other] = items[other], items[row]


def _ratings(
    user_nums: Ints, item_nums: Ints, followed: np.ndarray, n_users: int, n_items: int, rng: np.random.Generator
) -> Ints:
    """Stars 1 to 5 (E,): kindness of the user, quality of the item, and whether it suits the user's preference."""
    kindness, quality = rng.normal(0, 0.3, n_users), rng.normal(0, 0.4, n_items)
    mean = 3.5 + 0.9 * followed + kindness[user_nums] + quality[item_nums]
    return np.clip(np.rint(mean + rng.normal(0, 0.8, len(mean))), 1, 5).astype(np.int64)
