"""What a service needs of a store, and one that holds all in memory: for tests, and for a look at a model."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

HELD = 10_000  # answers that are held in memory


@dataclass(frozen=True)
class Heard:
    """An event as the store has it. ``said``: its kind, value and timestamp as ``Live.hear`` takes them."""

    sequence: int
    user_id: str
    item_id: str
    said: Mapping[str, Any]
    recommendation_id: str | None = None


class Told(NamedTuple):
    """What was said of an item: fields of it, or whether it is hidden; each None where nothing is. ``anew``: attributes
    that are told take the place of all that were known."""

    number: int
    item_id: str
    fields: Mapping[str, Any] | None
    hidden: bool | None
    anew: bool = False


class Gone(NamedTuple):
    """Somebody who is forgotten: a digest of who, which says so to nobody who has not the store."""

    number: int
    digest: str


class Journal(Protocol):
    """Where events are, unique by source and event id; and items and people as they change. One count numbers all.

    Whatever has been given back by ``append``, ``tell`` or ``forget`` outlives a kill.
    """

    def append(self, events: Sequence[Mapping[str, Any]]) -> Sequence[bool]:
        """Keep events, as POST /events has them: of each whether it was new, or known already."""
        ...

    def since(self, sequence: int, limit: int) -> Sequence[Heard]:
        """Events after a number, in order, at most ``limit``."""
        ...

    def head(self) -> int:
        """The number of the last event."""
        ...

    def wait(self, after: int, timeout: float) -> None:
        """Until there is an event after a number, or something is told, or it has taken ``timeout`` seconds."""
        ...

    def record(self, answers: Sequence[Mapping[str, Any]]) -> None:
        """Keep answers, each with its ``recommendation_id`` and ``items`` in order."""
        ...

    def answer(self, recommendation_id: str) -> Mapping[str, Any] | None:
        """An answer that was kept."""
        ...

    def tell(self, item_id: str, fields: Mapping[str, Any] | None = None, hidden: bool | None = None) -> None:
        """Keep what is said of an item."""
        ...

    def told(self, after: int) -> Sequence[Told]:
        """What was said of items after a number, in order."""
        ...

    def forget(self, user_id: str) -> Mapping[str, Any]:
        """Remove all of somebody, and keep that they are gone: what was removed, for a receipt."""
        ...

    def gone(self, after: int) -> Sequence[Gone]:
        """Who was forgotten after a number, in order."""
        ...

    def digest(self, user_id: str) -> str:
        """What stands for somebody who is forgotten."""
        ...

    def learned(self, model_version: str) -> int:
        """The number up to which a model has learned from the store, 0 where it has not."""
        ...

    def known(self, user_id: str) -> Mapping[str, Any]:
        """All that is kept of somebody, for them: ``events`` and ``answers`` as they were, and ``named_in``, the ids of
        answers to others that name them."""
        ...

    def tend(self, before: float | None) -> Mapping[str, int]:
        """Drop answers, with what they showed, from before a time, seconds since 1970 (None: none), and see that the
        bytes of who was erased are gone: what was dropped and how many. Events stay."""
        ...

    def check(self, key: str) -> tuple[str, frozenset[str]] | None:
        """A name for a key, and its scopes; None for one that there is not."""
        ...

    def keyed(self) -> bool:
        """Whether there is a key that works."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


@dataclass(eq=False)
class Memory:
    """A ``Journal`` that ends with the process."""

    _events: list[Heard] = field(default_factory=list)
    _known: set[tuple[str, str]] = field(default_factory=set)
    _answers: OrderedDict[str, Mapping[str, Any]] = field(default_factory=OrderedDict)
    _told: list[Told] = field(default_factory=list)
    _gone: list[Gone] = field(default_factory=list)
    _last: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    keys: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)

    def append(self, events: Sequence[Mapping[str, Any]]) -> Sequence[bool]:
        """See ``Journal``."""
        new = []
        with self._changed:
            for event in events:
                name = (event["source"], event["event_id"]) if event.get("event_id") else None
                new.append(name not in self._known)
                if not new[-1]:
                    continue
                if name is not None:
                    self._known.add(name)
                self._last += 1
                of = event.get("recommendation_id")
                self._events.append(Heard(self._last, event["user_id"], event["item_id"], said_of(event), of))
            self._changed.notify_all()
        return new

    def since(self, sequence: int, limit: int) -> Sequence[Heard]:
        """See ``Journal``."""
        start = next((n for n, event in enumerate(self._events) if event.sequence > sequence), len(self._events))
        return self._events[start : start + limit]

    def head(self) -> int:
        """See ``Journal``."""
        return self._last

    def wait(self, after: int, timeout: float) -> None:
        """See ``Journal``."""
        with self._changed:
            if self._last <= after:
                self._changed.wait(timeout)

    def record(self, answers: Sequence[Mapping[str, Any]]) -> None:
        """See ``Journal``."""
        for answer in answers:
            self._answers[answer["recommendation_id"]] = answer
            while len(self._answers) > HELD:
                self._answers.popitem(last=False)

    def answer(self, recommendation_id: str) -> Mapping[str, Any] | None:
        """See ``Journal``."""
        return self._answers.get(recommendation_id)

    def tell(self, item_id: str, fields: Mapping[str, Any] | None = None, hidden: bool | None = None) -> None:
        """See ``Journal``."""
        with self._changed:
            self._last += 1
            self._told.append(Told(self._last, item_id, fields, hidden, hidden is False))
            self._changed.notify_all()

    def told(self, after: int) -> Sequence[Told]:
        """See ``Journal``."""
        return [told for told in self._told if told.number > after]

    def forget(self, user_id: str) -> Mapping[str, Any]:
        """See ``Journal``."""
        with self._changed:
            kept = [event for event in self._events if event.user_id != user_id]
            removed = len(self._events) - len(kept)
            names = {name: {a.get("user_id"), *a.get("named", ())} for name, a in self._answers.items()}
            answers = [name for name, of in names.items() if user_id in of]
            for name in answers:
                del self._answers[name]
            self._events = kept
            self._last += 1
            self._gone.append(Gone(self._last, self.digest(user_id)))
            self._changed.notify_all()
        return {"events": removed, "answers": len(answers)}

    def gone(self, after: int) -> Sequence[Gone]:
        """See ``Journal``."""
        return [gone for gone in self._gone if gone.number > after]

    def digest(self, user_id: str) -> str:
        """See ``Journal``."""
        return hashlib.sha256(user_id.encode("utf-8", "surrogatepass")).hexdigest()

    def learned(self, model_version: str) -> int:
        """See ``Journal``."""
        return 0

    def known(self, user_id: str) -> Mapping[str, Any]:
        """See ``Journal``."""
        events = [
            {"sequence": e.sequence, "item_id": e.item_id, **e.said, "recommendation_id": e.recommendation_id}
            for e in self._events
            if e.user_id == user_id
        ]
        answers = list(self._answers.values())
        named = [a["recommendation_id"] for a in answers if user_id in a.get("named", ())]
        return {"events": events, "answers": [a for a in answers if a.get("user_id") == user_id], "named_in": named}

    def tend(self, before: float | None) -> Mapping[str, int]:
        """See ``Journal``."""
        old = [name for name, a in list(self._answers.items()) if before is not None and a.get("time", 0) < before]
        for name in old:
            self._answers.pop(name, None)
        return {"answers": len(old)}

    def check(self, key: str) -> tuple[str, frozenset[str]] | None:
        """See ``Journal``."""
        return self.keys.get(key)

    def keyed(self) -> bool:
        """See ``Journal``."""
        return bool(self.keys)

    def close(self) -> None:
        """See ``Journal``."""


def said_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Kind, value and timestamp of an event of POST /events, as ``Live.hear`` takes them; now where no time is told."""
    when = event.get("time")
    said = {"kind": event.get("type"), "value": event.get("value"), "timestamp": time.time() if when is None else when}
    return {name: value for name, value in said.items() if value is not None}
