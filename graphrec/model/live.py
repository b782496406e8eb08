"""A served model that hears one event at a time: profiles at once, everything else when it is asked to.

An event goes into what is known of whoever it is of, and so into the profile that they are answered from, as
``Model.updated`` would have it. What is learned of items (popularity, transitions, sides of new ones) waits for
``absorbed``, which takes all that was heard into the model together.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from graphrec.data.events import Events
from graphrec.data.order import history_order
from graphrec.model import answers
from graphrec.model.asked import Asked, as_id, checked
from graphrec.model.model import Model
from graphrec.model.told import single
from graphrec.query.query import NONE, STRANGER, Queries, Query, query_of
from graphrec.query.ties import row


@dataclass
class Live:
    """A model, and what was heard since it was made. Threads may share it.

    ``pending`` are the events that it has not learned from, in the order in which they came.
    """

    model: Model
    pending: list[dict[str, Any]] = field(default_factory=list)
    _logs: dict[str, Events] = field(default_factory=dict, repr=False)  # of each user of whom anything was heard
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def hear(self, user_id: str | int, item_id: str | int, **said: Any) -> None:
        """Take in one event; ``said``: its value, kind and timestamp, as for ``Model.updated``.

        An item that the model does not know waits for ``absorbed``. Raises DataError as ``Model.updated``.
        """
        event = {"user_id": as_id(user_id), "item_id": as_id(item_id), **said}
        event.setdefault("timestamp", time.time())
        with self._lock:
            new = single(self.model.data.events, event)
            item = int(self.model.data.items.numbers([event["item_id"]], missing="-1")[0])
            log = self._log(event["user_id"])
            one = replace(new, user_nums=log.user_nums[:1] if len(log) else new.user_nums, item_nums=np.array([item]))
            if log.order is not None:
                one = replace(one, order=np.array([int(log.order.max(initial=-1)) + 1]))
            if item >= 0 and not _holds(log, one):
                self._logs[event["user_id"]] = log.joined(one)[0]
            self.pending.append(event)

    def query(self, user_id: str | int) -> Query:
        """What is known of somebody by now, as the model would have it had it been told."""
        name, ties = as_id(user_id), self.model.ties
        number = int(self.model.data.users.numbers([name], missing="-1")[0])
        with self._lock:
            if name not in self._logs:
                return query_of(ties, number)
            log = self._logs[name]
        order = history_order(log.user_nums, log.timestamps, log.order)
        order = order[np.isin(log.item_nums, log.pairs.item_nums)[order]]
        return Query(
            number,
            log.item_nums[order],
            log.strengths[order],
            None if log.timestamps is None else log.timestamps[order],
            log.outright[order],
            friends=row(ties.friend_mean, number) if number != STRANGER else NONE,
        )

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
            self.pending, self._logs = [], {}
            return self.model

    def _log(self, name: str) -> Events:
        """The events of one user so far, measured against the norms of the model's log."""
        if name in self._logs:
            return self._logs[name]
        log = self.model.data.events
        number = int(self.model.data.users.numbers([name], missing="-1")[0])
        first, last = np.searchsorted(log.user_nums, [number, number + 1]) if number >= 0 else (0, 0)
        return replace(log.take(np.arange(first, last)), against=log.norms)


def _holds(log: Events, one: Events) -> bool:
    """Whether an event is in a log already; without times every event is another one."""
    if log.timestamps is None or one.timestamps is None:
        return False
    same = (log.item_nums == one.item_nums[0]) & (log.kinds == one.kinds[0]) & (log.timestamps == one.timestamps[0])
    values = (log.values == one.values[0]) | (np.isnan(log.values) & np.isnan(one.values[0]))
    return bool((same & values).any())
