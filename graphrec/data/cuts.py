"""How each kind of split says which part an event belongs to; ``split`` makes Datasets of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from graphrec.data.blocked import grouped_order, item_groups
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset
from graphrec.data.order import ranks, sorted_by
from graphrec.errors import DataError, EmptyDataError
from graphrec.settings import SplitConfig
from graphrec.types import Ints

Mask: TypeAlias = npt.NDArray[np.bool_]
OWN, ROWS, GROUPS = 0, 1, 2  # ways to hold out: as the test part is or as the source says, rows at random, whole groups
GROUPED = 1 / 2  # of the users, where it is not known how the test part was cut
LATER = 0.9  # of the users, whose test rows are all later than their others: then it is known …
AT_ONCE = 0.9  # … and of all training rows, before 99 % of the test rows: then there is one moment for everybody


class Parts(NamedTuple):
    """The part of each event, uint8 (E,), what to record, and in which way validation rows of each user were held out,
    int64 (U,)."""

    parts: npt.NDArray[np.uint8]
    told: dict[str, Any]
    ways: Ints


class Rows:
    """What is held out as one: pairs with all their events, or, where re-orders count, single events.

    ``latest`` int64 (R,) is the event that stands for each row, ``of`` int64 (E,) the row of each event.
    """

    def __init__(self, data: Dataset, config: SplitConfig) -> None:
        self.data, events = data, data.events
        alone = config.repeats
        self.latest: Ints = np.arange(len(events)) if alone else events.last_of_pair
        self.of: Ints = np.arange(len(events)) if alone else events.pair_of
        rows = events if len(self.latest) == len(events) else events.take(self.latest)
        self.user_nums, self.item_nums, self.timestamps = rows.user_nums, rows.item_nums, rows.timestamps
        self.degrees = np.bincount(self.user_nums, minlength=data.n_users)  # (U,)
        self.alike: Ints = np.full(data.n_users, OWN)  # the way of users whose validation rows are like the test rows

    def __len__(self) -> int:
        return len(self.latest)

    def hidden(self, parts: npt.NDArray[Any]) -> dict[str, int]:
        """How many test rows are pairs that were taken before too, so that earlier events of theirs are held out."""
        several = np.bincount(self.of, minlength=len(self)) > 1
        count = int((several & (parts == TEST)).sum())
        return {"test_pairs_taken_before": count} if count else {}

    def spread(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Something of each row (R,) for each event (E,)."""
        return rows[self.of]


def given(rows: Rows, config: SplitConfig, rng: np.random.Generator) -> Parts:
    """The parts that the source names; validation is carved out of train where it names none. Raises DataError."""
    data = rows.data
    if data.parts is None:
        raise DataError(f"{data.name}: the source brings no split of its own; use --split temporal or random")
    if (data.parts == VALID).any():
        return Parts(data.parts, {"valid": "given"}, rows.alike)
    parts = data.parts[rows.latest].copy()
    training = parts == TRAIN
    share = min(max(config.valid, float((parts == TEST).mean())), 0.5)
    if rows.timestamps is not None and _later(rows, parts == TEST):
        # A part that is cut at one moment is of those who come back after it, and asks for other choices.
        times = rows.timestamps
        if _at_once(rows, parts == TEST) and (cuts := time_cuts(times[training], [share])) is not None:
            parts[training & (times >= cuts[0])] = VALID
            return Parts(_kept(rows, parts), {"valid": "last in time", "valid_from": cuts[0]}, rows.alike)
        order, ways = oldest_first(rows), rows.alike
    else:
        # No leakage. The groups are made from training rows alone.
        order, ways = rows_or_groups(rows, data.subset(data.parts == TRAIN), rng)
    parts[per_user(rows, order[training[order]], share, rng)] = VALID
    told = "groups or rows of each user" if ways.any() else "last of each user"
    return Parts(_kept(rows, parts), {"valid": told, "valid_share": share}, ways)


def _kept(rows: Rows, parts: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The part of each event (E,), of those of rows (R,): what the source does not train on stays where it is."""
    assert rows.data.parts is not None
    kept: npt.NDArray[np.uint8] = np.where(rows.data.parts == TRAIN, rows.spread(parts), rows.data.parts)
    return kept.astype(np.uint8)


def rows_or_groups(rows: Rows, known: Dataset, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Row positions (R,) of which each user's last are held out, whole groups of the items of ``GROUPED`` of the users,
    rows at random of the others; and the way of each user, int64 (U,). Groups are those of the ``known`` part."""
    groups = item_groups(known.seen(), int(rng.integers(2**31)))
    ways = np.where(rng.permutation(rows.data.n_users) < GROUPED * rows.data.n_users, GROUPS, ROWS)  # (U,)
    by_group = (ways == GROUPS)[rows.user_nums]
    return grouped_order(rows.user_nums, np.where(by_group, groups[rows.item_nums], -1), rng), ways


def _later(rows: Rows, test: Mask) -> bool:
    """Whether the source's test rows (R,) are the last of nearly every user: of them nothing is read but the times."""
    times, users, n_users = times_of(rows, "given"), rows.user_nums, rows.data.n_users
    last, first = np.full(n_users, np.iinfo(np.int64).min), np.full(n_users, np.iinfo(np.int64).max)
    np.maximum.at(last, users[~test], times[~test])
    np.minimum.at(first, users[test], times[test])
    tested = np.unique(users[test])
    return bool((first[tested] >= last[tested]).mean() >= LATER)


def _at_once(rows: Rows, test: Mask) -> bool:
    """Whether the source's test rows (R,) are what came after one moment, whoever took it."""
    times = times_of(rows, "given")
    return bool((times[~test] <= np.quantile(times[test], 0.01)).mean() >= AT_ONCE)


def _temporal(rows: Rows, config: SplitConfig, rng: np.random.Generator) -> Parts:
    times = times_of(rows, "temporal")
    parts = np.full(len(times), TRAIN, dtype=np.uint8)
    cuts = time_cuts(times, [config.test + config.valid, config.test])
    if cuts is not None:
        parts[times >= cuts[0]] = VALID
        parts[times >= cuts[1]] = TEST
        told: dict[str, Any] = {"valid_from": cuts[0], "test_from": cuts[1], **rows.hidden(parts)}
        return Parts(rows.spread(parts), told, rows.alike)
    cuts = time_cuts(times, [config.test])
    if cuts is None:
        raise DataError(f"{rows.data.name}: all events have one timestamp, which no cut divides; use --split random")
    parts[times >= cuts[0]] = TEST
    order = oldest_first(rows)
    parts[per_user(rows, order[parts[order] == TRAIN], config.valid, rng)] = VALID
    told = {"valid": "last of each user", "test_from": cuts[0], **rows.hidden(parts)}
    return Parts(rows.spread(parts), told, rows.alike)


def _leave_last(rows: Rows, config: SplitConfig, rng: np.random.Generator) -> Parts:
    place, degree = from_last(rows)
    parts = np.full(len(place), TRAIN, dtype=np.uint8)
    parts[(place == 1) & (degree >= 3)] = VALID
    parts[(place == 0) & (degree >= 3)] = TEST
    return Parts(rows.spread(parts), {}, rows.alike)


def _random(rows: Rows, config: SplitConfig, rng: np.random.Generator) -> Parts:
    order = rng.permutation(len(rows))
    parts = np.full(len(order), TRAIN, dtype=np.uint8)
    parts[per_user(rows, order, config.test, rng)] = TEST
    order = order[parts[order] == TRAIN]
    parts[per_user(rows, order, config.valid / (1 - config.test), rng)] = VALID
    return Parts(rows.spread(parts), {}, rows.alike)


CUTS: dict[str, Callable[[Rows, SplitConfig, np.random.Generator], Parts]] = {
    "given": given,
    "temporal": _temporal,
    "leave-last": _leave_last,
    "random": _random,
}


def times_of(rows: Rows, kind: str) -> Ints:
    """Seconds of each row (R,). Raises DataError for a source without times."""
    if rows.timestamps is None:
        raise DataError(
            f"{rows.data.name}: a {kind} split needs timestamps and the source has none; use --split random"
        )
    return rows.timestamps


def oldest_first(rows: Rows) -> Ints:
    """Rows by time, ties by item number (R,)."""
    return sorted_by(rows.item_nums, times_of(rows, "timed"))


def from_last(rows: Rows) -> tuple[Ints, Ints]:
    """Per row (R,): its place from the user's last row (0) backwards, and the user's number of rows."""
    times, users = times_of(rows, "leave-last"), rows.user_nums
    place = rows.degrees[users] - 1 - ranks(users, sorted_by(rows.item_nums, times, users))
    return place, rows.degrees[users]


def time_cuts(times: Ints, shares: list[float]) -> list[int] | None:
    """Distinct timestamps t₁ < t₂ < … at which the latest ``shares`` of all rows begin, as nearly as ties allow.

    ``shares`` descend. None where there are too few distinct timestamps for every part to have one.
    """
    distinct, counts = np.unique(times, return_counts=True)  # (m,)
    if len(distinct) <= len(shares):
        return None
    later = counts[::-1].cumsum()[::-1]  # (m,) rows at or after each timestamp
    cuts: list[int] = []
    first = 1  # the oldest timestamp stays in training
    for n, share in enumerate(shares):
        end = len(distinct) - (len(shares) - 1 - n)  # leaves a timestamp to each later part
        nearest = first + int(np.argmin(np.abs(later[first:end] - share * len(times))))
        cuts.append(int(distinct[nearest]))
        first = nearest + 1
    return cuts


def per_user(rows: Rows, order: Ints, share: float, rng: np.random.Generator) -> Mask:
    """The last ``share`` of each user's rows in ``order`` (row positions), as a mask over all rows (R,)."""
    users, n_users = rows.user_nums, rows.data.n_users
    order = order[sorted_by(users[order])]
    degree = np.bincount(users[order], minlength=n_users)  # (U,)
    taken = np.minimum(np.floor(degree * share + rng.random(n_users)), degree - 1)
    if taken.max(initial=0) < 1:
        if degree.max(initial=0) < 2:
            raise too_small(rows.data)
        taken[np.argmax(degree)] = 1
    place = np.cumsum(degree)[users[order]] - 1 - np.arange(len(order))  # 0 is the user's last row
    mask = np.zeros(len(users), dtype=bool)
    mask[order] = place < taken[users[order]]
    return mask


def too_small(data: Dataset) -> EmptyDataError:
    """The error for data of which nothing can be held out."""
    return EmptyDataError(
        f"{data.name}: no user has an event to spare for a held-out part among {len(data.events)};"
        " bring users with at least two events"
    )
