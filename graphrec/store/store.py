"""The store: what came in, in one order for everybody, kept for good.

Numbers come from the one row of ``graphrec_head``, which a writer holds until it commits. So they have no gaps, rise
in the order of commits, and ``since`` misses nothing, although transactions begin in any order. An acknowledged write
is on the disk.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from graphrec.store import erasing, schema
from graphrec.store.base import AT_ONCE, locked, moved
from graphrec.store.kept import Kept
from graphrec.store.opening import engine_of, transaction
from graphrec.store.recorded import Recorded
from graphrec.store.records import StoredEvent


class Appended(NamedTuple):
    """What became of events: taken in, there already (by source and event id), of somebody erased (and not taken)."""

    accepted: int
    duplicates: int
    forgotten: int = 0


class Store(Recorded, Kept):
    """Threads may share one; a process that forks opens its own afterwards. ``with Store.open(url) as store`` closes.

    Every method raises StoreError where the database fails, and DataError for what is no record.
    """

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Store:
        """The store at ``sqlite:///PATH`` or ``postgresql://…``, its tables made or brought to this version.

        ``create=False`` refuses a file that does not exist. An erasure that was broken off is ended here. Raises
        StoreError with a remedy; of a later version too.
        """
        store = cls(engine_of(url, create))
        if store.erased_since(0, unscrubbed=True):
            store.scrub()
        return store

    def close(self) -> None:
        """Close all connections; using it again opens new ones."""
        self._waiters.close()
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- events -------------------------------------------------------------------------------------------------------

    def append(self, events: Iterable[StoredEvent]) -> Appended:
        """Take in events, all or none, in one transaction; they are on the disk when it returns.

        An event whose source and id are known, from before or from this very call, changes nothing, whatever else it
        says. Events of somebody erased are refused where they happened before the erasure or have no time.
        """
        return self.take(events)[1]

    def take(self, events: Iterable[StoredEvent]) -> tuple[list[StoredEvent], Appended]:
        """``append``, with the events that were taken in, themselves, in their order."""
        found = list(events)
        if not found:
            return [], Appended(0, 0)
        first: dict[tuple[str, str], StoredEvent] = {}
        for event in found:
            first.setdefault((event.source, event.event_id), event)
        with transaction(self._engine, writes=True) as connection:
            last, received = locked(connection), time.time()
            known = _known(connection, first)
            gone = erasing.gone(connection, self._salt, {event.user_id for event in first.values()})
            new: list[dict[str, Any]] = []
            taken: list[StoredEvent] = []
            refused = 0
            for key, event in first.items():
                if key in known:
                    continue
                if event.user_id in gone and (event.time is None or event.time <= gone[event.user_id]):
                    refused += 1
                    continue
                row = event.model_dump()
                when = received if event.time is None else event.time
                new.append(row | {"sequence": last + len(new) + 1, "received": received, "time": when})
                taken.append(event)
            if new:
                connection.execute(schema.events.insert(), new)
                moved(connection, last + len(new))
        return taken, Appended(len(new), len(found) - len(new) - refused, refused)

    def since(self, sequence: int = 0, limit: int = 1000) -> list[StoredEvent]:
        """Events with numbers above ``sequence``, in their order, at most ``limit``."""
        table = schema.events
        wanted = table.select().where(table.c.sequence > sequence).order_by(table.c.sequence).limit(limit)
        with transaction(self._engine) as connection:
            return [StoredEvent.model_construct(**row._asdict()) for row in connection.execute(wanted)]

    def kinds(self, since: int = 0) -> set[str]:
        """Types of the events with numbers above ``since``, where they have one."""
        table = schema.events
        wanted = sa.select(table.c.type).where(table.c.sequence > since, table.c.type.is_not(None)).distinct()
        with transaction(self._engine) as connection:
            return set(connection.execute(wanted).scalars())

    def of_user(self, user_id: str) -> list[StoredEvent]:
        """All events of one user, in their order."""
        table = schema.events
        wanted = table.select().where(table.c.user_id == user_id).order_by(table.c.sequence)
        with transaction(self._engine) as connection:
            return [StoredEvent.model_construct(**row._asdict()) for row in connection.execute(wanted)]

    def wait(self, after: int, timeout: float) -> int:
        """The head once it is beyond ``after``, whichever process wrote, or what it is after ``timeout`` seconds."""
        return self._waiters.wait(after, timeout)

    def status(self) -> dict[str, Any]:
        """Where it is and what it holds, for people and metrics: rows of each table, the head, and the times."""
        tables = {
            t.name.removeprefix("graphrec_"): t for t in (*erasing.PERSONAL, schema.item_changes, schema.forgotten)
        }
        with transaction(self._engine) as connection:
            counts = {
                name: int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
                for name, table in tables.items()
            }
            span = connection.execute(sa.select(sa.func.min(schema.events.c.time), sa.func.max(schema.events.c.time)))
            first, latest = span.one()
        return {"url": self.url, "head": self.head(), **counts, "first": first, "latest": latest}


def _known(connection: sa.Connection, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these sources and event ids that are there."""
    table, by_source, out = schema.events, dict[str, list[str]](), set[tuple[str, str]]()
    for source, event_id in keys:
        by_source.setdefault(source, []).append(event_id)
    for source, ids in by_source.items():
        for start in range(0, len(ids), AT_ONCE):
            some = table.c.event_id.in_(ids[start : start + AT_ONCE])
            found = connection.execute(sa.select(table.c.event_id).where(table.c.source == source, some))
            out |= {(source, event_id) for event_id in found.scalars()}
    return out
