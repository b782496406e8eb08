"""Hearing of what other connections and other processes wrote: LISTEN in PostgreSQL, PRAGMA data_version in SQLite."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from graphrec.errors import StoreError
from graphrec.store.opening import shown, why

CHANNEL = "graphrec_head"
FIRST, LONGEST, SLOWER = 0.002, 0.02, 1.5  # seconds between two looks at SQLite's number, and how they grow


class Waiters:
    """Connections that only wait, one for each thread that does so at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._idle: deque[Any] = deque()

    def wait(self, after: int, timeout: float) -> int:
        """The head once it is beyond ``after``, or what it is after ``timeout`` seconds. Raises StoreError."""
        of_sqlite = self._engine.dialect.name == "sqlite"
        connection = None
        try:
            connection = self._idle.pop() if self._idle else self._connected(of_sqlite)
            deadline = time.monotonic() + timeout
            found = (_sqlite if of_sqlite else _postgresql)(connection.dbapi_connection, after, deadline)
        except Exception as error:
            if connection is not None:
                with suppress(Exception):
                    connection.close()
            if not isinstance(error, (SQLAlchemyError, self._engine.dialect.dbapi.Error)):  # type: ignore[union-attr]
                raise
            raise StoreError(f"{shown(self._engine)}: {why(error)}; ask again, or see whether it runs") from None
        self._idle.append(connection)
        return found

    def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop().close()

    def _connected(self, of_sqlite: bool) -> Any:
        proxy = self._engine.raw_connection()
        proxy.detach()  # its own from now on: the pool makes another
        if not of_sqlite:
            connection: Any = proxy.dbapi_connection
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
        return proxy


def _head(connection: Any) -> int:
    return int(connection.execute("SELECT last FROM graphrec_head").fetchone()[0])


def _sqlite(connection: Any, after: int, deadline: float) -> int:
    pause, before = FIRST, None
    while True:
        now = connection.execute("PRAGMA data_version").fetchone()[0]  # read first: what is written later is seen next
        if now != before:
            before, pause = now, FIRST
            if (head := _head(connection)) > after:
                return head
        left = deadline - time.monotonic()
        if left <= 0:
            return _head(connection)
        time.sleep(min(pause, left))
        pause = min(pause * SLOWER, LONGEST)


def _postgresql(connection: Any, after: int, deadline: float) -> int:
    while (head := _head(connection)) <= after and (left := deadline - time.monotonic()) > 0:
        for _ in connection.notifies(timeout=left, stop_after=1):
            pass
    return head


def notify(connection: sa.Connection) -> None:
    """Tell those who wait, when this transaction is committed. SQLite needs no telling."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
