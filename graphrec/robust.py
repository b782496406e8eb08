"""What is learned from people who are trusted: fake profiles that push an item are set aside, counted and named."""

from __future__ import annotations

import numpy as np

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.linalg.suspects import MAX_ITEMS, Doubles, Suspects, suspects
from graphrec.linalg.unlike import unlike
from graphrec.types import Ints, Vocabulary

NAMED = 10  # people and items that a warning names at most


def trusted(data: Dataset, config: Config) -> Dataset:
    """The data without the events and reviews of people who look made up, where ``robust.set_aside`` asks for it, and
    without those of items whose takers have nothing else in common, but for a few; warnings count them and name some.

    # No leakage. Pass the training part: who looks made up is told from it alone.
    """
    if not config.robust.set_aside:
        return data
    if data.n_items > MAX_ITEMS:
        data.report.warn(
            f"robust.set_aside: fake profiles were not looked for among {data.n_items:,} items; the limit is"
            f" {MAX_ITEMS:,}"
        )
        return data
    found = suspects(data.seen(), config.seed)
    return _counted(_without(data, found), found.share)


def _without(data: Dataset, found: Suspects) -> Dataset:
    """The data without people who look made up."""
    if not len(found.users):
        return data
    people, items = _named(data.users, found.users), _named(data.items, found.items)
    data.report.warn(
        f"robust.set_aside: {len(found.users):,} of {data.n_users:,} people look made up, and nothing is learned from"
        f" them ({people}); they push {items}"
    )
    return data.subset(~np.isin(data.events.user_nums, found.users))


def _counted(data: Dataset, share: Doubles) -> Dataset:
    """The data without what does not count of items whose takers are unlike."""
    taken = data.seen()
    found = unlike(taken, share)
    if not len(found.items):
        return data
    data.report.warn(
        f"robust.set_aside: the people who took {_named(data.items, found.pushed)} have little else in common;"
        f" {len(found.items):,} of {int(taken[:, found.pushed].sum()):,} times that anybody took these do not count"
    )
    log = data.events
    out = np.isin(log.user_nums * data.n_items + log.item_nums, found.users * data.n_items + found.items)
    return data.subset(~out)


def _named(of: Vocabulary, numbers: Ints) -> str:
    told = [of.ids[n] for n in numbers[:NAMED].tolist()]
    return ", ".join([*told, *([f"{len(numbers) - NAMED:,} more"] if len(numbers) > NAMED else [])])
