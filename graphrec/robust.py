"""What is learned from people who are trusted: fake profiles that push an item are set aside, counted and named."""

from __future__ import annotations

import numpy as np

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.linalg.suspects import MAX_ITEMS, suspects
from graphrec.types import Ints, Vocabulary

NAMED = 10  # people and items that a warning names at most


def trusted(data: Dataset, config: Config) -> Dataset:
    """The data without the events and reviews of people who look made up, where ``robust.set_aside`` asks for it; a
    warning counts them and names some, and the items that they push.

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
    if not len(found.users):
        return data
    people, items = _named(data.users, found.users), _named(data.items, found.items)
    data.report.warn(
        f"robust.set_aside: {len(found.users):,} of {data.n_users:,} people look made up, and nothing is learned from"
        f" them ({people}); they push {items}"
    )
    return data.subset(~np.isin(data.events.user_nums, found.users))


def _named(of: Vocabulary, numbers: Ints) -> str:
    told = [of.ids[n] for n in numbers[:NAMED].tolist()]
    return ", ".join([*told, *([f"{len(numbers) - NAMED:,} more"] if len(numbers) > NAMED else [])])
