"""Keys of programs: made and shown once, kept as a hash, compared in constant time, revoked.

A secret has 256 random bits, so that its SHA-256 cannot be searched; a slow hash is for what people think up.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from graphrec.errors import DataError
from graphrec.store import schema
from graphrec.store.records import Key, Scope

PREFIX = "gr"
_NOBODY = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


def create(connection: sa.Connection, name: str, scopes: Sequence[Scope]) -> tuple[Key, str]:
    """A new key, and its secret, which is not to be had again. Raises DataError for a scope that there is not."""
    key = Key.of({"key_id": secrets.token_hex(8), "name": name, "scopes": tuple(scopes), "created": time.time()})
    if not key.scopes:
        raise DataError("a key needs a scope; give read, events or admin")
    secret = f"{PREFIX}_{key.key_id}_{secrets.token_urlsafe(32)}"
    row = {"key_id": key.key_id, "name": key.name, "created": key.created, "hash": _hash(secret)}
    connection.execute(schema.keys.insert(), row | {"scopes": json.dumps(key.scopes), "revoked": None})
    return key, secret


def check(connection: sa.Connection, secret: str) -> Key | None:
    """The key of this secret, None where there is none or it is revoked. The comparison takes the same time always."""
    parts = secret.split("_", 2)
    named = parts[1] if len(parts) == 3 and parts[1].isalnum() and parts[1].isascii() else ""
    row = connection.execute(schema.keys.select().where(schema.keys.c.key_id == named)).one_or_none()
    right = hmac.compare_digest(_hash(secret), _NOBODY if row is None else row.hash)
    return _key(row) if right and row is not None and row.revoked is None else None


def revoke(connection: sa.Connection, key_id: str) -> bool:
    """From now on the key opens nothing. Whether there was one that did."""
    table = schema.keys
    found = connection.execute(
        table.update().where(table.c.key_id == key_id, table.c.revoked.is_(None)).values(revoked=time.time())
    )
    return found.rowcount > 0


def listed(connection: sa.Connection) -> list[Key]:
    """All keys, revoked ones too, in the order in which they were made."""
    return [_key(row) for row in connection.execute(schema.keys.select().order_by(schema.keys.c.created))]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: Any) -> Key:
    return Key(
        key_id=row.key_id, name=row.name, scopes=json.loads(row.scopes), created=row.created, revoked=row.revoked
    )
