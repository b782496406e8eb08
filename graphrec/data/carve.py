"""Carves validation parts out of all that may be fitted: in several ways, and in several folds where users are few.

How the future differs from the past is not known, so the rows that a choice is made on are held out in the way that is
like what is to be predicted: the last ones where there are times, of each user or of all at one moment, as the test
part that a source brings; else, since nobody knows, rows at random of half users and whole groups of related items of
the others (``cuts.rows_or_groups``). A part with fewer than ``ENOUGH`` users is too small to choose on, and further
folds are carved: earlier windows of time (rolling origin: Tashman, Int. J. of Forecasting 2000), earlier rows of each
user, or other draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graphrec.data.cold import newcomers, unseen
from graphrec.data.cuts import (
    Rows,
    from_last,
    given,
    oldest_first,
    per_user,
    rows_or_groups,
    time_cuts,
    times_of,
    too_small,
)
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset
from graphrec.errors import EmptyDataError
from graphrec.settings import SplitConfig
from graphrec.types import Ints

ENOUGH = 300  # validation users to choose on
FOLDS = 5  # at most


@dataclass(frozen=True)
class Carve:
    """A training and a validation part over the same vocabularies; ``ways`` int64 (U,): how each user's rows of the
    latter were held out (``cuts.OWN``, ``ROWS``, ``GROUPS``)."""

    train: Dataset
    valid: Dataset
    ways: Ints

    @property
    def users(self) -> int:
        """How many users with validation rows have training rows too."""
        held, known = (np.bincount(part.events.user_nums, minlength=part.n_users) for part in (self.valid, self.train))
        return int(((held > 0) & (known > 0)).sum())

    @property
    def later(self) -> bool:
        """Whether all that is held out came after all that is not."""
        held, known = (part.events.timestamps for part in (self.valid, self.train))
        return held is not None and known is not None and bool(held.min() >= known.max())


def carves(data: Dataset, kind: str, config: SplitConfig, seed: int) -> tuple[Carve, ...]:
    """The folds of a production fit, where nothing is kept for a test; cut in the style of the split's kind.

    Rows that the source declares as its test part stay out of all: who brings a test part means to measure with it.
    Raises EmptyDataError where no row can be spared for validation.
    """
    if kind == "given":
        parts, _, ways = given(Rows(data, config), config, np.random.default_rng(seed))
        # No leakage. The source's test rows are in neither mask.
        first = Carve(data.subset(parts == TRAIN), data.subset(parts == VALID), ways)
        return (first, *further(lambda: data.subset(parts != TEST), first, kind, config, seed))
    first = _carve(data, "either" if kind == "random" else kind, config.valid, config, seed)
    return (first, *further(lambda: data, first, kind, config, seed))


def further(
    fitted: Callable[[], Dataset], first: Carve, kind: str, config: SplitConfig, seed: int
) -> tuple[Carve, ...]:
    """More folds of all that may be fitted, where the first has too few users to choose on."""
    if (users := first.users) >= ENOUGH:
        return ()
    data = fitted()
    if kind == "given" or (kind == "random" and first.ways.any()):
        kind = "either" if first.ways.any() or not data.has_times else "temporal" if first.later else "each"
    share = len(first.valid.events) / len(data.events)
    found = [first]
    for n in range(1, min(FOLDS, math.ceil(ENOUGH / max(users, 1)))):
        # No leakage. What is later than an earlier window is in no part of that fold.
        known = data if kind in ("random", "either", "cold-user", "cold-item") else found[-1].train
        try:
            found.append(_carve(known, kind, share, config, seed + n))
        except EmptyDataError:
            break
    return tuple(found[1:])


def _carve(data: Dataset, kind: str, share: float, config: SplitConfig, seed: int) -> Carve:
    """One fold of ``data``; ``each``: the last rows of each user, ``either``: rows or groups, else a kind of split.

    Raises EmptyDataError where nothing is left to hold out or to train on.
    """
    rows, rng = Rows(data, config), np.random.default_rng(seed)
    order, ways = np.arange(len(rows)), rows.alike
    if kind == "temporal" and (cuts := time_cuts(times_of(rows, kind), [share])):
        held = times_of(rows, kind) >= cuts[0]
    elif kind == "leave-last":
        place, degree = from_last(rows)
        held = (place == 0) & (degree >= 2)
    elif kind == "cold-user":
        held = newcomers(rows, config.valid, rng)
    elif kind == "cold-item":
        held = unseen(rows, config.valid, rng)
    else:
        if kind == "either":
            order, ways = rows_or_groups(rows, data, rng)
        else:
            order = rng.permutation(len(rows)) if kind == "random" else oldest_first(rows)
        held = per_user(rows, order, share, rng)
    if held.all() or not held.any():
        raise too_small(data)
    held = rows.spread(held)
    return Carve(data.subset(~held), data.subset(held), ways)
