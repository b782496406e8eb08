"""What a service answers from: models, of which another may take over at any moment, and what the store tells."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphrec.errors import DataError, GraphrecError, UnknownIdError
from graphrec.model.told import Described, sensible
from graphrec.serve.erased import READ, Erasures, hear
from graphrec.serve.journal import Heard, Journal, Told, said_of
from graphrec.serve.settings import Serving
from graphrec.serve.trial import Trial
from graphrec.serve.version import Shown, Version

log = logging.getLogger("graphrec.serve")
WAIT = 0.3  # seconds that the store is waited for at a time


class State(Erasures):
    """Args: version, the model to begin with; journal, where events are.

    A question takes ``version_for`` and ``shown`` once, so that its answer is of one version, whatever takes over
    meanwhile.
    """

    def __init__(self, version: Version, journal: Journal, settings: Serving | None = None) -> None:
        super().__init__(version, settings or Serving())
        self.journal = journal
        version.live.keeps, version.is_gone = False, self.is_gone
        self.shown = Shown()
        self.refused = ""  # why the last model that was to take over did not
        self.head = 0  # the last event that was heard
        self.hears: Callable[[Heard], None] = lambda event: None  # told of every event
        self.accepts: Callable[[Mapping[str, Any]], None] = lambda event: None  # of every one that was kept here
        self.described = Described()  # what was said of items
        self._told, self._gone = 0, 0  # the last of what was said of items, and of people
        self._hides: list[tuple[int, str, bool]] = []  # number, item, whether it is hidden from then on
        self._tried: tuple[Mapping[str, Any], Version, Version] | None = None  # what was said, of which, made of it
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def shown_at(self, epoch: int) -> Shown:
        """What was out of answers at an earlier moment; who is forgotten is so at every moment."""
        if epoch >= self.shown.epoch:
            return self.shown
        hidden: set[str] = set()
        for at, item_id, out in list(self._hides):
            if at <= epoch:
                (hidden.add if out else hidden.discard)(item_id)
        return Shown(frozenset(hidden), self.shown.gone, epoch)

    # --- hearing ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Hear all that the store holds, and from then on whatever comes, from other workers too."""
        self.catch_up()
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(WAIT + 5)

    def accept(self, events: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
        """Keep events, then hear them: how many were new, and how many were known. Raises DataError for one that the
        model cannot read, and what the store raises."""
        for n, event in enumerate(events):
            try:
                said = {"user_id": event["user_id"], "item_id": event["item_id"], **said_of(event)}
                self.current.live.checked([said])
            except DataError as error:
                raise DataError(f"events.{n}: {str(error).removeprefix('updated: ')}") from None
        new = self.journal.append(events)
        for event, taken in zip(events, new, strict=True):
            if taken:
                self.accepts(event)
        self.catch_up()
        return sum(new), len(events) - sum(new)

    def tell(self, item_id: str, fields: Mapping[str, Any] | None = None, hidden: bool | None = None) -> None:
        """Keep what is said of an item, and take it in. Raises DataError for what the model cannot take in, of which
        nothing is kept, and what the store raises."""
        with self._hearing:
            self.catch_up()
            if fields is not None:
                sensible(self.current.model.attributes, fields)
                (row,) = Described().add(item_id, fields, hidden is False).rows(self.current.model.data)
                try:
                    self._tried = row, self.current, self.current.grown([row])
                except Exception as error:
                    log.error("fault", extra={"told": {"what": "items", "kind": type(error).__name__}})
                    why = str(error) if isinstance(error, GraphrecError) else f"a part fails: {type(error).__name__}"
                    raise DataError(
                        f"item {item_id!r} cannot be taken in ({why}), and nothing of it is kept; say less of it, or"
                        " learn a model with it (graphrec refit) and reload"
                    ) from None
            self.journal.tell(item_id, fields, hidden)
            self.catch_up()
            self._tried = None

    def catch_up(self) -> None:
        """Hear what is new in the store, in its order."""
        with self._hearing:
            try:
                self._people()
                told = self.journal.told(self._told)
                if told:
                    self._items(told)
                while events := self.journal.since(self.head, READ):
                    for event in events:
                        hear(self.versions, event)
                        self.hears(event)
                    self.head = events[-1].sequence
            except Exception as error:
                self.fault("store", error)
            else:
                self.fault("store", None)

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                self.journal.wait(max(self.head, self._told, self._gone), WAIT)
            except Exception as error:
                self.fault("store", error)
                self._stopped.wait(WAIT)
            self.catch_up()

    def _people(self) -> None:
        """Forget whom the store says is gone; what they did since counts."""
        new = self.journal.gone(self._gone)
        if not new:
            return
        digests = {gone.digest: gone.number for gone in new}
        epoch = max(self.shown.epoch, new[-1].number)
        self.shown = Shown(self.shown.hidden, {**self.shown.gone, **digests}, epoch)
        self._forget(self.versions, digests)
        self._gone = new[-1].number
        self._tried = None  # it was made while they were known

    def _items(self, told: Sequence[Told]) -> None:
        """Take in what is said of items."""
        self._told = told[-1].number
        hidden, described = set(self.shown.hidden), Described()
        for each in told:
            if each.hidden is not None:
                (hidden.add if each.hidden else hidden.discard)(each.item_id)
                self._hides.append((each.number, each.item_id, each.hidden))
            if each.fields is not None:
                for into in (described, self.described):
                    into.add(each.item_id, each.fields, each.anew)
        if hidden != self.shown.hidden:
            self.shown = Shown(frozenset(hidden), self.shown.gone, max(self.shown.epoch, told[-1].number))
        if described:
            self._describe(described)

    def _describe(self, described: Described) -> None:
        tried, rows = self._tried, described.rows(self.current.model.data)
        if tried is not None and tried[1] is self.current and rows == [tried[0]]:
            current = tried[2]
            current.refused = self.current.refused - {rows[0]["item_id"]}
        else:
            current = self.current.told(rows)
        trial = self.trial
        if trial is not None:
            trial = trial._replace(version=trial.version.told(described.rows(trial.version.model.data)))
        self.current, self.trial = current, trial
        for version in (current, *([trial.version] if trial else [])):
            self.keep(version)
        self._answering()

    # --- another model ------------------------------------------------------------------------------------------------

    def ready(self, version: Version) -> Version:
        """A new model with all that was heard, and all that was said of items; it answers nobody yet."""
        version.live.keeps, version.is_gone = False, self.is_gone
        with self._hearing:
            gone = self.shown.gone
            described = self.described.rows(version.model.data)
            head, version.upto = self.head, (self._told, self._gone)
        for event in self._between(version.learned, head):
            hear([version], event)
        version.hold({who for who, number in gone.items() if number > version.learned}, self.journal.digest)
        version.warm()
        if described:
            version = version.told(described)
        version.listen()
        version.live.upto = head
        version.fill(self.settings.limits.ready)
        return version

    def take_over(self, version: Version, share: float = 0.0, interleaved: bool = False) -> None:
        """Let a model answer: all, or a share of people, alone or ``interleaved``. What was told since it was made
        ready it is told first."""
        with self._hearing:
            for event in self._between(version.live.upto):
                hear([version], event)
            told, gone = version.upto
            if people := {who: number for who, number in self.shown.gone.items() if number > gone}:
                self._forget([version], people)
            items = {each.item_id for each in self.journal.told(told) if each.fields is not None}
            if rows := [row for row in self.described.rows(version.model.data) if row["item_id"] in items]:
                version = version.told(rows)
            if share:
                self.trial = Trial(version, share, interleaved)
            else:
                self.previous, self.current, self.trial = self.current, version, None
                self._drop(version)
            self.keep(version)
            self._answering()

    def back(self) -> Version:
        """See ``Versions``. A model that answers again is told of the items that were told of meanwhile."""
        with self._hearing:
            before, version = self.current, super().back()
            if version is not before and self.described:
                self._describe(self.described)
            return self.current

    def visible(self, item_id: str) -> str:
        """The item. Raises UnknownIdError for one that is hidden."""
        if item_id in self.shown.hidden:
            raise UnknownIdError(f"item {item_id!r} is hidden; PUT /items shows it again")
        return item_id
