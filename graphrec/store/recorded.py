"""Answers as they were given, what they showed, and what is told of items."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from graphrec.store import erasing, schema
from graphrec.store.base import AT_ONCE, Base, as_json, locked, moved
from graphrec.store.opening import transaction
from graphrec.store.records import Impression, ItemChange, StoredAnswer

PRUNED = 2000  # rows that one transaction finds to drop


class Recorded(Base):
    """The part of the store that answers and items are in."""

    def record(
        self, answers: Iterable[StoredAnswer], impressions: Iterable[Impression] = (), *, listed: bool = False
    ) -> None:
        """Keep answers and what they showed, in one transaction. What is there already stays as it is, and what is of
        or names somebody who was erased since it was given is left out. ``listed``: what stands in the ``items`` of
        these answers was shown too."""
        given, shown_ = list(answers), list(impressions)
        users = {user for a in given for user in (a.user_id, *a.named)} | {i.user_id for i in shown_}
        with transaction(self._engine, writes=True) as connection:
            erasing.share(connection)
            gone = erasing.gone(connection, self._salt, users)

            def stays(users: Collection[str | None], when: float) -> bool:
                return not any(user in gone and when <= gone[user] for user in users if user is not None)

            rows = [_answer_row(a) for a in given if stays((a.user_id, *a.named), a.time)]
            seen = [i.model_dump() for i in shown_ if stays((i.user_id,), i.time)]
            if listed:
                seen += [row for a in given if stays((a.user_id,), a.time) for row in _listed(a)]
            _insert_new(connection, schema.answers, rows)
            _insert_new(connection, schema.impressions, seen)

    def answer(self, recommendation_id: str) -> StoredAnswer | None:
        """The answer with this id, None where there is none (any more)."""
        with transaction(self._engine) as connection:
            wanted = schema.answers.select().where(schema.answers.c.recommendation_id == recommendation_id)
            row = connection.execute(wanted).one_or_none()
        return None if row is None else _answer(row)

    def answers_of(self, user_id: str) -> tuple[list[StoredAnswer], list[str]]:
        """Answers that were given to one user, in their order, and the ids of those to others that name them."""
        table = schema.answers
        order = table.c.time, table.c.recommendation_id
        with transaction(self._engine) as connection:
            given = connection.execute(table.select().where(table.c.user_id == user_id).order_by(*order)).all()
            names = erasing.naming(connection, user_id), table.c.user_id.is_distinct_from(user_id)
            named = connection.execute(sa.select(table.c.recommendation_id).where(*names).order_by(*order)).scalars()
            return [_answer(row) for row in given], list(named)

    def prune(self, before: float) -> dict[str, int]:
        """Drop answers and impressions from before a time, seconds since 1970, a part at a time so that others can
        write meanwhile; table → rows dropped. Events stay, those too that name such an answer."""
        out = {}
        for table in (schema.impressions, schema.answers):
            some = sa.select(table.c.recommendation_id).where(table.c.time < before).limit(PRUNED)
            name, n = table.name.removeprefix("graphrec_"), 1
            out[name] = 0
            while n:
                with transaction(self._engine, writes=True) as connection:
                    n = connection.execute(table.delete().where(table.c.recommendation_id.in_(some))).rowcount
                out[name] += n
        return out

    def impressions(self, recommendation_id: str) -> list[Impression]:
        """What one answer showed, in the order of its ranks."""
        table = schema.impressions
        wanted = table.select().where(table.c.recommendation_id == recommendation_id).order_by(table.c.position)
        with transaction(self._engine) as connection:
            return [Impression.model_construct(**row._asdict()) for row in connection.execute(wanted)]

    def change_items(self, changes: Iterable[ItemChange]) -> int:
        """Tell of items, all or none, in this order. The number of the last change."""
        with transaction(self._engine, writes=True) as connection:
            return _tell(connection, locked(connection), list(changes))

    def take_changes(self, changes: Iterable[ItemChange]) -> int:
        """``change_items`` without what is known already; how many changes were new. Known is what was told of the same
        time before, or, where a change has none, what the latest one of the item says."""
        new: list[ItemChange] = []
        found = list(changes)
        with transaction(self._engine, writes=True) as connection:
            last, known = locked(connection), dict[str, list[ItemChange]]()
            for change in _of_items(connection, {change.item_id for change in found}):
                known.setdefault(change.item_id, []).append(change)
            for change in found:
                told = known.setdefault(change.item_id, [])
                same = [n for n, c in enumerate(told) if (c.action, c.attributes) == (change.action, change.attributes)]
                latest = len(told) - 1
                if not any(n == latest if change.time is None else told[n].time == change.time for n in same):
                    new.append(change)
                    told.append(change)
            _tell(connection, last, new)
        return len(new)

    def items_changed(self, since: int = 0) -> list[ItemChange]:
        """Changes of items with numbers above ``since``, in their order: of one item the latest holds."""
        with transaction(self._engine) as connection:
            return _changes(connection, schema.item_changes.c.sequence > since)


def _changes(connection: sa.Connection, *where: Any) -> list[ItemChange]:
    """Changes of items, in their order."""
    table = schema.item_changes
    found = connection.execute(table.select().where(*where).order_by(table.c.sequence))
    return [ItemChange.model_construct(**row._asdict() | {"attributes": json.loads(row.attributes)}) for row in found]


def _of_items(connection: sa.Connection, item_ids: Collection[str]) -> Iterator[ItemChange]:
    """The changes of these items, of each in their order."""
    ids = sorted(item_ids)
    for start in range(0, len(ids), AT_ONCE):
        yield from _changes(connection, schema.item_changes.c.item_id.in_(ids[start : start + AT_ONCE]))


def _tell(connection: sa.Connection, last: int, changes: Sequence[ItemChange]) -> int:
    """Write changes of items after the number ``last``, the head that is held; the number of the last one."""
    now = time.time()
    rows = [
        {
            **change.model_dump(),
            "sequence": last + n,
            "attributes": as_json(change.attributes),
            "time": now if change.time is None else change.time,
        }
        for n, change in enumerate(changes, 1)
    ]
    if rows:
        connection.execute(schema.item_changes.insert(), rows)
        moved(connection, last + len(rows))
    return last + len(rows)


def _answer(row: Any) -> StoredAnswer:
    said = {name: json.loads(getattr(row, name) or "[]") for name in ("request", "answer", "named")}
    return StoredAnswer.model_construct(**row._asdict() | said | {"named": tuple(said["named"])})


def _insert_new(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows but those whose key is there. They go to the driver as they are: nothing in them is to be turned into
    anything, and it is done behind every answer."""
    if rows:
        statement, order = _inserting(table, connection.dialect)
        connection.exec_driver_sql(statement, [tuple(map(row.__getitem__, order)) for row in rows] if order else rows)


@cache
def _inserting(table: sa.Table, dialect: sa.Dialect) -> tuple[str, Sequence[str]]:
    """A statement as the driver takes it, and the columns that it takes in their order; none where by name."""
    if dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    found: Any = insert(table).on_conflict_do_nothing().compile(dialect=dialect)
    return str(found), found.positiontup or ()


def _listed(answer: StoredAnswer) -> Iterator[dict[str, Any]]:
    """What a list showed, as rows."""
    own = {name: getattr(answer, name) for name in ("recommendation_id", "user_id", "scenario", "time")}
    for item in answer.answer.get("items", ()):
        yield {
            **own,
            "position": item["rank"],
            "item_id": item["item_id"],
            "propensity": item.get("propensity"),
            "model_version": item.get("model_version", answer.model_version),
        }


def _answer_row(answer: StoredAnswer) -> dict[str, Any]:
    named = as_json(list(answer.named)) if answer.named else None
    said = {"request": as_json(answer.request), "answer": as_json(answer.answer), "named": named}
    return answer.model_dump(exclude=set(said)) | said
