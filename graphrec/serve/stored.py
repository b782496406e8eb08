"""The store as a service's journal."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphrec.serve.journal import Gone, Heard, Told

if TYPE_CHECKING:
    from graphrec.store import Store

CHECKED = 5.0  # seconds for which a key is taken for what it was
KEYS = 1000  # of which that is remembered


class Stored:
    """A ``Journal`` over a store; see there."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._checked: dict[str, tuple[float, tuple[str, frozenset[str]] | None]] = {}

    def append(self, events: Sequence[Mapping[str, Any]]) -> Sequence[bool]:
        """See ``Journal``. Events of somebody who was forgotten since are not taken in, and count as known."""
        from graphrec.store import StoredEvent

        rows = [StoredEvent.of(_row(event)) for event in events]
        new = {id(event) for event in self.store.take(rows)[0]}
        return [id(row) in new for row in rows]

    def since(self, sequence: int, limit: int) -> Sequence[Heard]:
        """See ``Journal``."""
        return [
            Heard(int(e.sequence or 0), e.user_id, e.item_id, _said(e), e.recommendation_id)
            for e in self.store.since(sequence, limit)
        ]

    def head(self) -> int:
        """See ``Journal``."""
        return self.store.head()

    def wait(self, after: int, timeout: float) -> None:
        """See ``Journal``."""
        self.store.wait(after, timeout)

    def record(self, answers: Sequence[Mapping[str, Any]]) -> None:
        """See ``Journal``."""
        from graphrec.store import StoredAnswer

        kept = []
        for answer in answers:
            own = {name: answer[name] for name in ("recommendation_id", "user_id", "model_version", "scenario", "time")}
            said = {name: value for name, value in answer.items() if name not in ("request", "time", "kind")}
            of = {
                "kind": answer["kind"],
                "request": answer["request"],
                "answer": said,
                "named": answer.get("named", ()),
            }
            kept.append(StoredAnswer.model_construct(**own, **of))
        self.store.record(kept, listed=True)

    def answer(self, recommendation_id: str) -> Mapping[str, Any] | None:
        """See ``Journal``."""
        found = self.store.answer(recommendation_id)
        return None if found is None else {**found.answer, "request": found.request, "kind": found.kind}

    def tell(self, item_id: str, fields: Mapping[str, Any] | None = None, hidden: bool | None = None) -> None:
        """See ``Journal``."""
        from graphrec.store import ItemChange

        action = "hide" if hidden else "change" if hidden is None else "add"
        self.store.change_items([ItemChange.of({"item_id": item_id, "action": action, "attributes": fields or {}})])

    def told(self, after: int) -> Sequence[Told]:
        """See ``Journal``."""
        shown = {"hide": True, "add": False}
        return [
            Told(
                int(c.sequence or 0),
                c.item_id,
                c.attributes if c.attributes or c.action == "add" else None,
                shown.get(c.action),
                c.action == "add",
            )
            for c in self.store.items_changed(after)
        ]

    def forget(self, user_id: str) -> Mapping[str, Any]:
        """See ``Journal``."""
        found = self.store.forget(user_id)
        return {**found.rows, "receipt": found.receipt, "scrubbed": found.scrubbed, "how": found.how}

    def gone(self, after: int) -> Sequence[Gone]:
        """See ``Journal``."""
        return [Gone(int(e.sequence), e.user_hash) for e in self.store.erased_since(after)]

    def digest(self, user_id: str) -> str:
        """See ``Journal``."""
        return self.store.hash_of(user_id)

    def learned(self, model_version: str) -> int:
        """See ``Journal``."""
        return self.store.learned(model_version)

    def known(self, user_id: str) -> Mapping[str, Any]:
        """See ``Journal``."""
        given, named = self.store.answers_of(user_id)
        events = [event.model_dump(exclude={"user_id"}, exclude_none=True) for event in self.store.of_user(user_id)]
        answers = [answer.model_dump(exclude={"named"}) for answer in given]
        return {"events": events, "answers": answers, "named_in": named}

    def tend(self, before: float | None) -> Mapping[str, int]:
        """See ``Journal``."""
        if self.store.erased_since(0, unscrubbed=True):
            self.store.scrub()
        return {} if before is None else self.store.prune(before)

    def check(self, key: str) -> tuple[str, frozenset[str]] | None:
        """See ``Journal``; an answer holds for some seconds."""
        now, (until, found) = time.monotonic(), self._checked.get(key, (0.0, None))
        if now >= until:
            known = self.store.check_key(key)
            found = None if known is None else (known.key_id, frozenset(known.scopes))
            if len(self._checked) >= KEYS:
                self._checked.clear()
            if found is not None:  # of what is wrong nothing is remembered
                self._checked[key] = now + CHECKED, found
            else:
                self._checked.pop(key, None)
        return found

    def keyed(self) -> bool:
        """See ``Journal``."""
        return any(key.revoked is None for key in self.store.keys())  # noqa: SIM118 (no mapping)

    def close(self) -> None:
        """See ``Journal``."""
        self.store.close()


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of POST /events as the store has it; one without an id gets one of its own."""
    out = {name: value for name, value in event.items() if value is not None and name != "place"}
    out.setdefault("event_id", secrets.token_hex(12))
    if (place := event.get("place")) is not None:
        out["latitude"], out["longitude"] = place
    return out


def _said(event: Any) -> dict[str, Any]:
    said = {"kind": event.type, "value": event.value, "timestamp": event.time}
    return {name: value for name, value in said.items() if value is not None}
