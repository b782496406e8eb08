"""A served model that hears one event at a time: profiles at once, everything else when it is asked to.

An event goes into what is known of whoever it is of, and so into the profile that they are answered from, as
``Model.updated`` would have it. What is learned of items (popularity, transitions, sides of new ones) waits for
``absorbed``, which takes all that was heard into the model together.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from graphrec.data.events import Events
from graphrec.data.kinds import WEIGHTS
from graphrec.data.order import history_order
from graphrec.model import answers
from graphrec.model.asked import Asked, as_id, checked
from graphrec.model.model import Model
from graphrec.model.told import knowing, single
from graphrec.query.query import NONE, STRANGER, Queries, Query, query_of
from graphrec.query.ties import row
from graphrec.types import Ints

HELD = 4096  # queries of users that are kept ready
STRIDE = 4  # numbers that an event is held as: item, kind, value, timestamp


@dataclass
class Live:
    """A model, and what was heard since it was made. Threads may share it.

    ``pending`` are the events that it has not learned from, in the order in which they came; with ``keeps`` false they
    are not held, for a service that has them in a store. ``told`` is how many were heard.
    """

    model: Model
    pending: list[dict[str, Any]] = field(default_factory=list)
    keeps: bool = True
    told: int = 0
    upto: int = 0  # the last event of a store that was heard, for who feeds it
    _heard: dict[str, array[float]] = field(default_factory=dict, repr=False)  # of each user of whom anything was heard
    _waiting: list[dict[str, Any]] = field(default_factory=list, repr=False)  # events of items that are not known yet
    _ready: OrderedDict[str, Query] = field(default_factory=OrderedDict, repr=False)
    _read_by: Events | None = field(default=None, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def hear(self, user_id: str | int, item_id: str | int, **said: Any) -> None:
        """Take in one event; ``said``: its value, kind and timestamp, as for ``Model.updated``.

        A kind that the model does not know is taken by what its name usually says, such as ``dislike``. An item that it
        does not know waits until it does. Raises DataError as ``Model.updated``.
        """
        event = {"user_id": as_id(user_id), "item_id": as_id(item_id), **said}
        event.setdefault("timestamp", time.time())
        with self._lock:
            new = single(self._log, event)
            self._take(event, new)
            self.told += 1
            if self.keeps:
                self.pending.append(event)

    def checked(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Raises DataError where ``hear`` would for one of these events."""
        for event in events:
            as_id(event["user_id"]), as_id(event["item_id"])
            single(self._log, event)

    def count(self, user_id: str | int) -> int:
        """How many events were heard of somebody."""
        return len(self._heard.get(as_id(user_id), ())) // STRIDE

    def forget(self, who: Callable[[str], bool]) -> None:
        """Nothing was ever heard of these people."""
        with self._lock:
            names = [name for name in self._heard if who(name)]
            self.told -= sum(len(self._heard.pop(name)) // STRIDE for name in names)
            self.told -= sum(who(event["user_id"]) for event in self._waiting)
            for name in names:
                self._ready.pop(name, None)
            for events in (self.pending, self._waiting):
                events[:] = [event for event in events if not who(event["user_id"])]

    def query(
        self,
        user_id: str | int,
        suppose: Sequence[Mapping[str, Any]] = (),
        upto: int | None = None,
        strange: bool = False,
    ) -> Query:
        """What is known of somebody by now, as the model would have it had it been told.

        Args:
            suppose: events of theirs (item_id, value, kind, timestamp) as if they had been heard. Raises DataError, and
                UnknownIdError for an item that the model does not know.
            upto: how many of those that were heard count, the first ones; all of them by default.
            strange: what the model learned of them does not count.
        """
        name = as_id(user_id)
        with self._lock:
            heard = self._heard.get(name)
            n = len(heard or ()) if upto is None else min(upto * STRIDE, len(heard or ()))
            whole = heard is not None and n == len(heard) and not strange
            if whole and not suppose and name in self._ready:
                self._ready.move_to_end(name)
                return self._ready[name]
            told = np.array((heard or [])[:n], np.float64).reshape(-1, STRIDE)
        number = STRANGER if strange else int(self.model.data.users.numbers([name], missing="-1")[0])
        if not len(told) and not suppose:
            return query_of(self.model.ties, number)
        found = self._query(number, np.concatenate([told, *(self._supposed(event) for event in suppose)]))
        if whole and not suppose:
            with self._lock:
                if len(self._heard.get(name, ())) == n:
                    self._ready[name] = found
                    while len(self._ready) > HELD:
                        self._ready.popitem(last=False)
        return found

    def recommend(self, user_id: str | int, k: int = 10) -> pd.DataFrame:
        """The k best items for one person, as ``Model.recommend``, with all that was heard of them."""
        query = self.query(user_id)
        queries = Queries.of(self.model.ties, [query])
        asked = Asked([as_id(user_id)], queries, checked(k), self.model.config.seen, NONE)
        return answers.joined(self.model, list(answers.batches(self.model, asked)), reranked=False)

    def absorbed(self) -> Model:
        """The model with all that was heard, which answers from now on; see ``Model.updated``."""
        with self._lock:
            self.model = self.model.updated(self.pending)
            self.pending, self._heard, self._waiting = [], {}, []
            self._ready.clear()
            self._read_by = None
            return self.model

    def grown(self, model: Model) -> Live:
        """The same of a model that ``updated`` made of this one without events: all that was heard is heard of it."""
        with self._lock:
            out = Live(model, list(self.pending), self.keeps, self.told)
            out._heard = {name: array("d", held) for name, held in self._heard.items()}
            for event in self._waiting:
                out._take(event, single(out._log, event))
            return out

    @property
    def _log(self) -> Events:
        """The model's log without events, with every kind whose name says something: what new ones are read by."""
        if self._read_by is None:
            log = self.model.data.events
            none = replace(log.take(np.zeros(0, np.int64)), against=log.norms)
            self._read_by = knowing(none, WEIGHTS)
        return self._read_by

    def _take(self, event: dict[str, Any], new: Events) -> None:
        item = int(self.model.data.items.numbers([event["item_id"]], missing="-1")[0])
        if item < 0:
            self._waiting.append(event)
            return
        held = self._heard.setdefault(event["user_id"], array("d"))
        held.extend(_numbers(new, item))
        self._ready.pop(event["user_id"], None)

    def _supposed(self, event: Mapping[str, Any]) -> Any:
        item = self.model.data.items.number(as_id(event["item_id"]))
        said = {name: value for name, value in event.items() if value is not None and name != "item_id"}
        said.setdefault("timestamp", time.time())
        return np.array([_numbers(single(self._log, {"user_id": "", "item_id": "", **said}), item)])

    def _query(self, number: int, told: Any) -> Query:
        """What is known of a user with events float64 (n, STRIDE) beside those of the model's log."""
        ties, log = self.model.ties, self.model.data.events
        first, last = np.searchsorted(log.user_nums, [number, number + 1]) if number >= 0 else (0, 0)
        own = replace(log.take(np.arange(first, last)), kind_table=self._log.kind_table, against=self._log.against)
        items, kinds, values = told[:, 0].astype(np.int64), told[:, 1].astype(np.uint8), told[:, 2].astype(np.float32)
        times = None if log.timestamps is None else told[:, 3].astype(np.int64)
        start = 0 if log.order is None or not len(own) else int(own.order.max()) + 1  # type: ignore[union-attr]
        order = np.lexsort((items,) if times is None else (times, items))
        kept = order[_fresh(own, items, values, kinds, times)[order]]
        new = replace(
            log.take(np.zeros(0, np.int64)),
            user_nums=np.full(len(kept), max(number, 0)),
            item_nums=items[kept],
            values=values[kept],
            kinds=kinds[kept],
            timestamps=None if times is None else times[kept],
            places=None if log.places is None else np.full((len(kept), 2), np.nan, np.float32),
            order=None if log.order is None else start + kept,
            kind_table=self._log.kind_table,
            against=self._log.against,
        )
        whole = own.joined(new)[0]
        line = history_order(whole.user_nums, whole.timestamps, whole.order)
        line = line[np.isin(whole.item_nums, whole.pairs.item_nums)[line]]
        return Query(
            number,
            whole.item_nums[line],
            whole.strengths[line],
            None if whole.timestamps is None else whole.timestamps[line],
            whole.outright[line],
            friends=row(ties.friend_mean, number) if number != STRANGER else NONE,
        )


def _numbers(new: Events, item: int) -> tuple[float, float, float, float]:
    at = 0 if new.timestamps is None else int(new.timestamps[0])
    return float(item), float(new.kinds[0]), float(new.values[0]), float(at)


def _fresh(own: Events, items: Ints, values: Any, kinds: Any, times: Ints | None) -> Any:
    """Which of the events are in neither the log nor before themselves, bool (n,); without times all are."""
    out = np.ones(len(items), bool)
    if times is None or own.timestamps is None:
        return out
    columns = zip(own.item_nums, own.kinds, own.timestamps, np.nan_to_num(own.values, nan=-1e30), strict=True)
    known = {tuple(event) for event in columns}
    for n, event in enumerate(zip(items, kinds, times, np.nan_to_num(values, nan=-1e30), strict=True)):
        out[n] = tuple(event) not in known
        known.add(tuple(event))
    return out
