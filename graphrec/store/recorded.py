"""Answers as they were given, what they showed, and what is told of items."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from graphrec.store import erasing, schema
from graphrec.store.base import Base, as_json, locked, moved
from graphrec.store.opening import transaction
from graphrec.store.records import Impression, ItemChange, StoredAnswer


class Recorded(Base):
    """The part of the store that answers and items are in."""

    def record(self, answers: Iterable[StoredAnswer], impressions: Iterable[Impression] = ()) -> None:
        """Keep answers and what they showed, in one transaction. What is there already stays as it is, and what is of
        or names somebody who was erased since it was given is left out."""
        given, shown_ = list(answers), list(impressions)
        users = {user for a in given for user in (a.user_id, *a.named)} | {i.user_id for i in shown_}
        with transaction(self._engine, writes=True) as connection:
            erasing.share(connection)
            gone = erasing.gone(connection, self._salt, users)

            def stays(users: Collection[str | None], when: float) -> bool:
                return not any(user in gone and when <= gone[user] for user in users if user is not None)

            rows = [_answer_row(a) for a in given if stays((a.user_id, *a.named), a.time)]
            seen = [i.model_dump() for i in shown_ if stays((i.user_id,), i.time)]
            _insert_new(connection, schema.answers, rows)
            _insert_new(connection, schema.impressions, seen)

    def answer(self, recommendation_id: str) -> StoredAnswer | None:
        """The answer with this id, None where there is none (any more)."""
        with transaction(self._engine) as connection:
            wanted = schema.answers.select().where(schema.answers.c.recommendation_id == recommendation_id)
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        said = {name: json.loads(getattr(row, name) or "[]") for name in ("request", "answer", "named")}
        return StoredAnswer.model_construct(**row._asdict() | said | {"named": tuple(said["named"])})

    def impressions(self, recommendation_id: str) -> list[Impression]:
        """What one answer showed, in the order of its ranks."""
        table = schema.impressions
        wanted = table.select().where(table.c.recommendation_id == recommendation_id).order_by(table.c.position)
        with transaction(self._engine) as connection:
            return [Impression.model_construct(**row._asdict()) for row in connection.execute(wanted)]

    def change_items(self, changes: Iterable[ItemChange]) -> int:
        """Tell of items, all or none, in this order. The number of the last change."""
        found = list(changes)
        with transaction(self._engine, writes=True) as connection:
            last, now = locked(connection), time.time()
            rows = [
                {
                    **change.model_dump(),
                    "sequence": last + n,
                    "attributes": as_json(change.attributes),
                    "time": now if change.time is None else change.time,
                }
                for n, change in enumerate(found, 1)
            ]
            if rows:
                connection.execute(schema.item_changes.insert(), rows)
                moved(connection, last + len(rows))
        return last + len(rows)

    def items_changed(self, since: int = 0) -> list[ItemChange]:
        """Changes of items with numbers above ``since``, in their order: of one item the latest holds."""
        table = schema.item_changes
        wanted = table.select().where(table.c.sequence > since).order_by(table.c.sequence)
        with transaction(self._engine) as connection:
            found = connection.execute(wanted)
            return [
                ItemChange.model_construct(**row._asdict() | {"attributes": json.loads(row.attributes)})
                for row in found
            ]


def _insert_new(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows but those whose key is there."""
    if rows:
        if connection.dialect.name == "sqlite":
            from sqlalchemy.dialects.sqlite import insert
        else:
            from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def _answer_row(answer: StoredAnswer) -> dict[str, Any]:
    named = as_json(list(answer.named)) if answer.named else None
    said = {"request": as_json(answer.request), "answer": as_json(answer.answer), "named": named}
    return answer.model_dump(exclude=set(said)) | said
