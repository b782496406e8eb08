"""What the parts of the store share: the engine, the salt, and how a number is taken."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from graphrec.errors import DataError
from graphrec.store import schema
from graphrec.store.opening import shown, transaction
from graphrec.store.waiting import Waiters, notify

AT_ONCE = 500  # ids in one question


class Base:
    """An engine with the tables of this version, and the salt of its erasures."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._waiters = Waiters(engine)
        with transaction(engine) as connection:
            table = schema.settings
            self._salt = str(connection.execute(sa.select(table.c.value).where(table.c.name == "salt")).scalar_one())

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return shown(self._engine)

    def head(self) -> int:
        """The number of the latest event, change of an item or erasure; it never falls."""
        with transaction(self._engine) as connection:
            return int(connection.execute(sa.select(schema.head.c.last)).scalar_one())


def locked(connection: sa.Connection) -> int:
    """The head, held until the transaction ends: by the row in PostgreSQL, by the whole transaction in SQLite."""
    return int(connection.execute(sa.select(schema.head.c.last).with_for_update()).scalar_one())


def moved(connection: sa.Connection, last: int) -> None:
    """The head from this commit on, of which those who wait are told."""
    connection.execute(schema.head.update().values(last=last))
    notify(connection)


def as_json(value: Any) -> str:
    """JSON in UTF-8; escaped where it holds half a surrogate pair. Raises DataError for what is no JSON."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode("utf-8")
        return text
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"a record holds what JSON cannot say ({error}); give texts, numbers, lists and mappings"
        ) from None
