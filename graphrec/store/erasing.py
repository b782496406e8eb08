"""Erasure: rows deleted, bytes gone from the files, and a hash kept so that a late import brings nobody back.

The hash is an HMAC under the store's salt. Who has the whole store can try ids against it, as with any hash of what can
be guessed; the ids themselves are in it no more.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
import time
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from graphrec.store import schema
from graphrec.store.opening import outside
from graphrec.store.records import Erased
from graphrec.store.waiting import notify

ERASING = 0x67726165  # PostgreSQL's advisory lock: whoever records answers shares it, whoever erases has it alone
PERSONAL = (schema.events, schema.impressions, schema.answers)
PATIENCE = 30  # seconds that an erasure in PostgreSQL waits for transactions that began before it
_IN_SQLITE = (
    "freed pages overwritten (secure_delete), file written anew (VACUUM), log truncated; copies of it are yours"
)
_IN_POSTGRESQL = (
    "tables written anew (VACUUM FULL); the server's write-ahead log keeps the rows until its segments are recycled,"
    " and so do archives and backups: let those expire"
)


def hashed(salt: str, user_id: str) -> str:
    """What is kept of an erased user, hexadecimal."""
    return hmac.new(bytes.fromhex(salt), user_id.encode("utf-8"), hashlib.sha256).hexdigest()


def gone(connection: sa.Connection, salt: str, users: Collection[str | None], since: int = 0) -> dict[str, float]:
    """Of these users those who were erased, under a number above ``since``, and when, the latest time."""
    names = {hashed(salt, user): user for user in users if user is not None}
    table, out = schema.forgotten, dict[str, float]()
    if not names or connection.execute(sa.select(table.c.sequence).limit(1)).first() is None:
        return out
    hashes = list(names)
    for start in range(0, len(hashes), 500):
        some = table.c.user_hash.in_(hashes[start : start + 500])
        for name, when in connection.execute(
            sa.select(table.c.user_hash, table.c.time).where(some, table.c.sequence > since)
        ):
            out[names[name]] = max(when, out.get(names[name], when))
    return out


def forget(connection: sa.Connection, salt: str, user_id: str, sequence: int) -> Erased:
    """Delete all rows of one user, and answers that name them, and keep the hash. In the caller's transaction."""
    rows = {}
    for table in PERSONAL:
        mine = table.c.user_id == user_id
        if table is schema.answers:
            mine |= naming(connection, user_id)
        rows[table.name.removeprefix("graphrec_")] = connection.execute(table.delete().where(mine)).rowcount
    out = Erased(
        receipt=secrets.token_hex(16), user_hash=hashed(salt, user_id), time=time.time(), rows=rows, sequence=sequence
    )
    connection.execute(schema.forgotten.insert(), out.model_dump() | {"rows": json.dumps(rows)})
    return out


def naming(connection: sa.Connection, user_id: str) -> Any:
    """The condition that an answer names a user beside the one who asked."""
    inside = sa.func.instr if connection.dialect.name == "sqlite" else sa.func.strpos
    return inside(schema.answers.c.named, json.dumps(user_id, ensure_ascii=False)) > 0


def share(connection: sa.Connection) -> None:
    """Nobody is erased until this transaction ends, so that what it has looked up holds."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(ERASING)))


def alone(connection: sa.Connection) -> None:
    """Nobody records anything until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ERASING)))


def scrub(engine: sa.Engine) -> str | None:
    """Write the files anew without what was deleted. How it was done, None where a reader was in the way."""
    with outside(engine) as connection:
        return _scrub_postgresql(connection) if engine.dialect.name == "postgresql" else _scrub_sqlite(connection)


def _scrub_sqlite(connection: Any) -> str | None:
    try:
        connection.execute("VACUUM")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return None
        raise
    return None if busy else _IN_SQLITE


def _scrub_postgresql(connection: Any) -> str | None:
    """Rows that an older transaction may still see survive VACUUM FULL: wait for those, and read what it says."""
    (now,) = connection.execute("SELECT pg_current_xact_id()::xid").fetchone()
    older = "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND age(backend_xmin) >= age(%s::xid)"
    deadline = time.monotonic() + PATIENCE
    while connection.execute(older, (str(now),)).fetchone() != (0,) and time.monotonic() < deadline:
        time.sleep(0.01)
    details: list[str] = []

    def told(said: Any) -> None:
        details.append(said.message_detail or "")

    connection.add_notice_handler(told)
    try:
        for table in PERSONAL:
            connection.execute(f"VACUUM (FULL, VERBOSE) {table.name}")
    finally:
        connection.remove_notice_handler(told)
    left = [int(number[0]) for detail in details if (number := re.findall(r"\d+", detail))]
    return _IN_POSTGRESQL if len(left) == len(PERSONAL) and not any(left) else None


def receipts(connection: sa.Connection, *where: Any) -> list[Erased]:
    """Receipts in the order of their numbers."""
    found = connection.execute(schema.forgotten.select().where(*where).order_by(schema.forgotten.c.sequence))
    return [Erased(**row._asdict() | {"rows": json.loads(row.rows)}) for row in found]


def scrubbed(connection: sa.Connection, until: int, how: str) -> None:
    """Note on the receipts up to a number that the bytes are gone."""
    table = schema.forgotten
    waiting = table.update().where(table.c.scrubbed.is_(None), table.c.sequence <= until)
    connection.execute(waiting.values(scrubbed=time.time(), how=how))
    notify(connection)
