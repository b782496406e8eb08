"""What a new event says: its time, kind and value, and what it cannot say; and what is told of items, put together."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.data.kinds import WEIGHTS, Kind, plain
from graphrec.door.values import is_blank
from graphrec.errors import DataError
from graphrec.rerank.attributes import AttributeTable
from graphrec.types import Floats, Ints

AHEAD = 86_400  # seconds that clocks may differ
ALIASES = {"rating": "value", "count": "value", "dwell": "value", "type": "kind", "time": "timestamp"}
PLACE = ("latitude", "longitude")
EVENT = ("user_id", "item_id", "value", "kind", "timestamp", *PLACE)
TEXTS = frozenset(["title", "text"])  # of an item; all else that is told of one are attributes


class Described(dict[str, dict[str, Any]]):
    """What was told of items, item id → title, text and attributes, the latest of each. ``anew``: those whose
    attributes were told as a whole, in place of all that were known."""

    def __init__(self) -> None:
        super().__init__()
        self.anew: set[str] = set()

    def add(self, item_id: str, told: Mapping[str, Any], anew: bool) -> Described:
        """Put what is told of an item to what was told before; ``anew``: its attributes, if any are, as a whole. None,
        as an empty list, takes an attribute away."""
        before = self.get(item_id, {})
        told = {
            name: [] if said is None else said for name, said in told.items() if said is not None or name not in TEXTS
        }
        if anew and told.keys() - TEXTS:
            self.anew.add(item_id)
            before = {name: said for name, said in before.items() if name in TEXTS}
        self[item_id] = {**before, **told}
        return self

    def rows(self, data: Dataset) -> list[dict[str, Any]]:
        """As ``updated`` takes items: an empty list for each attribute that the data knows and they have no more."""
        known, out = data.item_attributes, list[dict[str, Any]]()
        for item_id, said in self.items():
            gone: dict[str, Any] = {}
            if item_id in self.anew and item_id in data.items:
                of_it = (known["item_num"] == data.items.number(item_id)).to_numpy()
                gone = {str(key): [] for key in known["key"][of_it]}
            out.append({**gone, **said, "item_id": item_id})
        return out


def sensible(table: AttributeTable, told: Mapping[str, Any]) -> None:
    """Raises DataError for an empty title, a value that says nothing, or one that its attribute cannot have, a word for
    a number, as filters and blocks would pass over it. ``told``: title, text and attributes of one item."""
    if "title" in told and not str(told["title"]).strip():
        raise DataError(f"title: found {told['title']!r}, which is empty; leave it out to keep the one that is known")
    for name, said in told.items():
        for value in map(str, said if isinstance(said, list | tuple) else [said]):
            if name not in TEXTS and is_blank(value):
                raise DataError(f"attributes.{name}: found {value!r}, which is no value; [] says that there is none")
            if name not in TEXTS and not table.reads(name, value):
                kind = table.types[name]
                raise DataError(
                    f"attributes.{name}: {value!r} is no {kind}, which {name} is of all that is known; give a {kind},"
                    " or tell it as an attribute of another name"
                )


def seconds(column: pd.Series, log: Events) -> pd.Series:
    """Times in seconds since 1970, float64 (n,), NaN where there is none; those that name no zone are in UTC.

    Raises DataError for what cannot be read, for times that are infinite, before 1970, or later than now and than
    whatever the log knows by more than a day: clocks err, and milliseconds are mistaken for seconds.
    """
    numbers = pd.Series(np.nan, column.index)
    if not pd.api.types.is_datetime64_any_dtype(column):
        numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
        if (numbers.notna() == column.notna()).all():
            return checked(numbers, log)
        found = pd.to_datetime(column.where(numbers.isna()), utc=True, format="ISO8601", errors="coerce")
        if (wrong := found.isna() & column.notna() & numbers.isna()).any():
            raise DataError(
                f"updated: the timestamp {column[wrong].iloc[0]!r} is no time; give seconds since 1970, datetimes or "
                "texts such as 2026-01-31 12:00, or leave it out where it was now"
            )
        column = found
    told = (pd.to_datetime(column, utc=True) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    return checked(told.fillna(numbers), log)


def checked(times: pd.Series, log: Events) -> pd.Series:
    """The times, where they can be times of events. Raises DataError."""
    if np.isinf(times).any():
        raise DataError("updated: a timestamp is infinite; leave it out where it is not known")
    if (times < 0).any():
        raise DataError(
            f"updated: a timestamp of {times[times < 0].iloc[0]:.0f} seconds lies before 1970; leave it out where it is"
            " not known"
        )
    latest = time.time() if log.timestamps is None else max(time.time(), int(log.timestamps.max(initial=0)))
    late = times[times > latest + AHEAD]
    if not len(late):
        return times
    first = float(late.to_numpy(np.float64)[0])
    for unit, name in ((1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds")):
        if AHEAD * 365 < first / unit <= latest + AHEAD:
            day = f"{datetime.fromtimestamp(first / unit, UTC):%Y-%m-%d}"
            raise DataError(
                f"updated: a timestamp of {first:.0f} is {day} in {name}; give seconds, divided by {unit:.0f}"
            )
    raise DataError(
        f"updated: a timestamp of {first:.0f} seconds lies in the future; {len(late):,} do. Correct the clock, or leave"
        " the time out where it is not known"
    )


def places_of(table: pd.DataFrame, log: Events) -> Floats | None:
    """Where events were, float32 (n, 2) in degrees, NaN where it is not told; None where no event of the log and none
    of these tells it. Raises DataError for what is no place, ValueError for what is no number."""
    if log.places is None and not set(PLACE) & set(table):
        return None
    columns = [pd.to_numeric(table[name]) if name in table else np.full(len(table), np.nan) for name in PLACE]
    at = np.column_stack(columns).astype(np.float64)
    wrong = (np.isnan(at).sum(axis=1) == 1) | (np.abs(at) > (90, 180)).any(axis=1)
    if wrong.any():
        latitude, longitude = at[wrong][0].tolist()
        raise DataError(
            f"updated: latitude {latitude:g} and longitude {longitude:g} are no place; give both in degrees, such as"
            " 48.1 and 11.6, or neither"
        )
    return at.astype(np.float32)


def knowing(log: Events, names: Collection[str]) -> Events:
    """The log with further kinds of these names, as far as a name says how much an event counts for (like, dislike)."""
    known = {kind.name for kind in log.kind_table}
    usual = dict.fromkeys(plain(name) for name in names if name not in known)
    further = [Kind(name, WEIGHTS[name]) for name in usual if name in WEIGHTS and name not in known]
    against = log.against
    if against is not None:
        against = replace(against, ratings=(*against.ratings, *[np.nan] * len(further)))
    return replace(log, kind_table=(*log.kind_table, *further), against=against) if further else log


def kind_of(name: Any, log: Events) -> int:
    """The number of a kind of event, in any spelling. Raises DataError for one that the model does not know."""
    names = [kind.name for kind in log.kind_table]
    if name not in names and (usual := plain(str(name))) in names:
        name = usual
    if name not in names:
        raise DataError(f"updated: {name!r} is no kind of event of this model; there are {', '.join(names)}")
    return names.index(name)


def on_scale(values: Floats, kinds: Ints, log: Events) -> None:
    """Raises DataError where a value, float32 (n,) with NaN for none, is none that its kind, int64 (n,), can have."""
    for number in np.unique(kinds).tolist():
        kind = log.kind_table[number]
        told = values[(kinds == number) & ~np.isnan(values)]
        if kind.scale is None or kind.values != "rating" or not len(told):
            continue
        low, high = kind.scale
        if len(off := told[(told < low) | (told > high)]):
            raise DataError(
                f"updated: a value of {off[0]:g} is not on the scale of {kind.name!r}, {low:g} to {high:g}; give it on"
                " that scale, or leave it out where it is not known"
            )


def single(log: Events, event: Mapping[str, Any]) -> Events:
    """One event in the form of a log, of user and item 0. Raises DataError as for many."""
    said = {ALIASES.get(name, name): value for name, value in event.items()}
    if other := [name for name in said if name not in EVENT]:
        raise DataError(f"updated: events have no column {other[0]!r}; there are {', '.join(EVENT)}")
    kind = 0 if said.get("kind") is None else kind_of(str(said["kind"]), log)
    try:
        value = np.nan if said.get("value") is None else float(said["value"])
        when = time.time() if said.get("timestamp") is None else said["timestamp"]
        quick = isinstance(when, int | float) and 0 <= when <= time.time()
        at = float(when) if quick else float(seconds(pd.Series([when]), log).to_numpy(np.float64)[0])
        told = {name: [said[name]] for name in PLACE if said.get(name) is not None}
        places = None if log.places is None else np.full((1, 2), np.nan, np.float32)
        places = places_of(pd.DataFrame(told), log) if told else places
    except (ValueError, TypeError) as error:
        raise DataError(unreadable(error)) from None
    none = np.zeros(1, np.int64)
    on_scale(np.array([value], np.float32), none + kind, log)
    return replace(
        log,
        user_nums=none,
        item_nums=none,
        values=np.array([value], np.float32),
        kinds=np.array([kind], np.uint8),
        timestamps=None if log.timestamps is None else np.array([int(at)]),
        places=places,
        order=None if log.order is None else none,
    )


def unreadable(error: Exception) -> str:
    """The line for a value or a time that cannot be read."""
    return (
        f"updated: a value is no number, or a timestamp no time ({error}); times are seconds, datetimes or texts"
        " such as 2026-01-31 12:00"
    )
