"""What a service answers from: models, of which another may take over at any moment, and what the store tells."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from graphrec.errors import DataError, UnknownIdError
from graphrec.serve.journal import Heard, Journal, Told, said_of
from graphrec.serve.settings import Serving
from graphrec.serve.version import Shown, Version

log = logging.getLogger("graphrec.serve")
KEPT = 3  # models that pages and receipts may still ask for
WAIT = 0.3  # seconds that the store is waited for at a time
READ = 1000  # events that are read from it at once


class State:
    """Args: version, the model to begin with; journal, where events are.

    A question takes ``version_for`` and ``shown`` once, so that its answer is of one version, whatever takes over
    meanwhile. ``faults``: what does not work now, a code and words.
    """

    def __init__(self, version: Version, journal: Journal, settings: Serving | None = None) -> None:
        self.settings, self.journal = settings or Serving(), journal
        version.live.keeps, version.is_gone = False, self.is_gone
        self.current = version
        self.previous: Version | None = None
        self.trial: tuple[Version, float] | None = None
        self.shown = Shown()
        self.faults: dict[str, str] = {}
        self.refused = ""  # why the last model that was to take over did not
        self.head = 0  # the last event that was heard
        self.hears: Callable[[Heard], None] = lambda event: None  # told of every event
        self.described: dict[str, dict[str, Any]] = {}  # what was said of items since the models were learned
        self._told, self._gone = 0, 0  # the last of what was said of items, and of people
        self._hides: list[tuple[int, str, bool]] = []  # number, item, whether it is hidden from then on
        self._kept: OrderedDict[str, Version] = OrderedDict({version.name: version})
        self._hearing = threading.RLock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    # --- who answers --------------------------------------------------------------------------------------------------

    def version_for(self, user_id: str | None) -> Version:
        """The model that answers somebody: of a share of people, always the same ones, the one on trial."""
        trial = self.trial
        if trial is None or user_id is None:
            return self.current
        return trial[0] if share_of(user_id, self.settings.salt) < trial[1] else self.current

    def version(self, name: str) -> Version | None:
        """A model by its version, where it is kept still."""
        return self._kept.get(name)

    @property
    def versions(self) -> list[Version]:
        """All that hear what is told."""
        return list({id(v): v for v in (*list(self._kept.values()), self.current)}.values())

    def is_gone(self, user_id: str | None) -> bool:
        """Whether somebody is forgotten."""
        return bool(self.shown.gone) and user_id is not None and self.journal.digest(user_id) in self.shown.gone

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
        self.current.live.checked([{"user_id": e["user_id"], "item_id": e["item_id"], **said_of(e)} for e in events])
        accepted, duplicates = self.journal.append(events)
        self.catch_up()
        return accepted, duplicates

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

    def fault(self, what: str, error: BaseException | None) -> None:
        """Something does not work, or does again: answers say so, and the log what kind of fault it is, and nothing of
        anybody."""
        if error is None:
            self.faults.pop(what, None)
            return
        if what not in self.faults:
            log.error("fault", extra={"told": {"what": what, "kind": type(error).__name__}})
        self.faults[what] = f"{what}: {FAULTS.get(what, 'a part of the service does not work')}"

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
        digests, digest = {gone.digest: gone.number for gone in new}, self.journal.digest
        epoch = max(self.shown.epoch, new[-1].number)
        self.shown = Shown(self.shown.hidden, self.shown.gone | digests.keys(), epoch)
        for version in self.versions:
            version.lists.clear()
            version.live.forget(lambda name: digest(name) in digests)
        for event in self._between(new[0].number):
            if event.sequence > digests.get(digest(event.user_id), event.sequence):
                hear(self.versions, event)
        self._gone = new[-1].number

    def _items(self, told: Sequence[Told]) -> None:
        """Take in what is said of items: hidden ones at once, others when a model that knows them is ready."""
        self._told = told[-1].number
        hidden, fields = set(self.shown.hidden), dict[str, dict[str, Any]]()
        for each in told:
            if each.hidden is not None:
                (hidden.add if each.hidden else hidden.discard)(each.item_id)
                self._hides.append((each.number, each.item_id, each.hidden))
            if each.fields is not None:
                fields[each.item_id] = {**fields.get(each.item_id, {}), **each.fields}
        if hidden != self.shown.hidden:
            self.shown = Shown(frozenset(hidden), self.shown.gone, max(self.shown.epoch, told[-1].number))
        for item_id, said in fields.items():
            self.described[item_id] = {**self.described.get(item_id, {}), **said}
        if fields:
            try:
                self._describe([{"item_id": item_id, **said} for item_id, said in fields.items()])
            except Exception as error:
                self.fault("items", error)
            else:
                self.fault("items", None)

    def _describe(self, rows: list[dict[str, Any]]) -> None:
        current = self.current.grown(rows)
        trial = None if self.trial is None else (self.trial[0].grown(rows), self.trial[1])
        self.current, self.trial = current, trial
        for version in (current, *([trial[0]] if trial else [])):
            self.keep(version)

    # --- another model ------------------------------------------------------------------------------------------------

    def ready(self, version: Version) -> Version:
        """A new model with all that was heard, and all that was said of items; it answers nobody yet."""
        version.live.keeps, version.is_gone = False, self.is_gone
        with self._hearing:
            described = [{"item_id": item_id, **said} for item_id, said in self.described.items()]
            head = self.head
        for event in self._between(version.learned, head):
            hear([version], event)
        if described:
            version = version.grown(described)
        else:
            version.warm()
        version.live.upto = head
        version.fill(self.settings.limits.ready)
        return version

    def take_over(self, version: Version, share: float = 0.0) -> None:
        """Let a model answer: all, or a share of people. What came in since it was made ready is heard first."""
        with self._hearing:
            for event in self._between(version.live.upto):
                hear([version], event)
            if share:
                self.trial = version, share
            else:
                self.previous, self.current, self.trial = self.current, version, None
            self.keep(version)

    def back(self) -> Version:
        """End the trial, or let the model before answer again. Raises DataError where there is none."""
        with self._hearing:
            if self.trial is not None:
                self.trial = None
            elif self.previous is not None:
                self.current, self.previous = self.previous, None
            else:
                raise DataError("there is no model to go back to: none is on trial, and none was replaced")
            return self.current

    def promote(self) -> Version:
        """Let the model on trial answer all. Raises DataError where there is none."""
        with self._hearing:
            if self.trial is None:
                raise DataError("no model is on trial; POST /admin/reload with a canary begins one")
            self.previous, self.current, self.trial = self.current, self.trial[0], None
            return self.current

    def keep(self, version: Version) -> None:
        """Keep a model for pages and receipts; the oldest goes."""
        self._kept[version.name] = version
        self._kept.move_to_end(version.name)
        used = {id(v) for v in (self.current, self.previous, self.trial and self.trial[0])}
        for name in list(self._kept):
            if len(self._kept) > KEPT and id(self._kept[name]) not in used:
                del self._kept[name]

    def _between(self, after: int, head: int | None = None) -> Iterator[Heard]:
        head = self.head if head is None else head
        while after < head and (events := self.journal.since(after, READ)):
            yield from (event for event in events if event.sequence <= head)
            after = events[-1].sequence

    def visible(self, item_id: str) -> str:
        """The item. Raises UnknownIdError for one that is hidden."""
        if item_id in self.shown.hidden:
            raise UnknownIdError(f"item {item_id!r} is hidden; PUT /items shows it again")
        return item_id


FAULTS = {
    "store": "the store does not answer; what came in since may be missing",
    "record": "answers are not recorded",
    "items": "what was said of an item could not be taken in",
}


def hear(versions: Sequence[Version], event: Heard) -> None:
    """Tell models of an event, those that have not learned from it."""
    for version in versions:
        if event.sequence > version.learned:
            with suppress(DataError):  # what this model cannot read; the store has it
                version.live.hear(event.user_id, event.item_id, **event.said)


def share_of(user_id: str, salt: str) -> float:
    """A number in [0, 1) that is always the same for somebody, spread evenly over people."""
    found = hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), key=salt.encode()[:64], digest_size=8).digest()
    return int.from_bytes(found, "big") / 2**64
