"""Erasure, keys, and what models have learned."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from graphrec.store import erasing, schema
from graphrec.store import keys as _keys
from graphrec.store.base import Base, locked, moved
from graphrec.store.opening import transaction
from graphrec.store.records import Erased, Key, Scope


class Kept(Base):
    """The part of the store that is about people's rights, programs' keys and models."""

    # --- erasure ------------------------------------------------------------------------------------------------------

    def forget(self, user_id: str, *, scrub: bool = True) -> Erased:
        """Erase one user: their rows, answers that name them, and the bytes in the files; a receipt.

        ``scrub=False`` leaves the bytes for a later ``scrub``, which writes the files anew once for many.
        """
        with transaction(self._engine, writes=True) as connection:
            last = locked(connection)
            erasing.alone(connection)
            out = erasing.forget(connection, self._salt, user_id, last + 1)
            moved(connection, last + 1)
        if scrub and self.scrub():
            (out,) = self.erased_since(out.sequence - 1)[:1]
        return out

    def scrub(self) -> bool:
        """Write the files anew, without the bytes of what was deleted; whether it could (readers may hold it)."""
        until = self.head()
        how = erasing.scrub(self._engine)
        if how is not None:
            with transaction(self._engine, writes=True) as connection:
                erasing.scrubbed(connection, until, how)
        return how is not None

    def erased_since(self, since: int = 0, *, unscrubbed: bool = False) -> list[Erased]:
        """Receipts with numbers above ``since``; with ``unscrubbed`` only those whose bytes are still in a file."""
        table = schema.forgotten
        where = [table.c.sequence > since, *([table.c.scrubbed.is_(None)] if unscrubbed else [])]
        with transaction(self._engine) as connection:
            return erasing.receipts(connection, *where)

    def erased(self, user_ids: Iterable[str], since: int = 0) -> dict[str, float]:
        """Those of these users who were erased, under a number above ``since``, and when, the latest time."""
        with transaction(self._engine) as connection:
            return erasing.gone(connection, self._salt, set(user_ids), since)

    def hash_of(self, user_id: str) -> str:
        """What the receipts of this store call a user."""
        return erasing.hashed(self._salt, user_id)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def create_key(self, name: str, scopes: Sequence[Scope]) -> tuple[Key, str]:
        """A new key, and its secret, which is not to be had again."""
        with transaction(self._engine, writes=True) as connection:
            return _keys.create(connection, name, scopes)

    def check_key(self, secret: str) -> Key | None:
        """The key of this secret, None where there is none or it is revoked; in constant time."""
        with transaction(self._engine) as connection:
            return _keys.check(connection, secret)

    def revoke_key(self, key_id: str) -> bool:
        """From now on the key opens nothing. Whether there was one that did."""
        with transaction(self._engine, writes=True) as connection:
            return _keys.revoke(connection, key_id)

    def keys(self) -> list[Key]:
        """All keys without their secrets, revoked ones too."""
        with transaction(self._engine) as connection:
            return _keys.listed(connection)

    # --- what models have learned -------------------------------------------------------------------------------------

    def learned(self, model_version: str) -> int:
        """The number up to which a model was told of this store, 0 where it never was."""
        table = schema.learned
        with transaction(self._engine) as connection:
            found = connection.execute(sa.select(table.c.sequence).where(table.c.model_version == model_version))
            return int(found.scalar() or 0)

    def set_learned(self, model_version: str, sequence: int) -> None:
        """Note up to which number a model was told of this store."""
        table = schema.learned
        row = {"model_version": model_version, "sequence": sequence, "time": time.time()}
        with transaction(self._engine, writes=True) as connection:
            connection.execute(table.delete().where(table.c.model_version == model_version))
            connection.execute(table.insert(), row)

    def unseen(self, sequence: int) -> int:
        """How many events have numbers above ``sequence``."""
        table = schema.events
        with transaction(self._engine) as connection:
            wanted = sa.select(sa.func.count()).select_from(table).where(table.c.sequence > sequence)
            return int(connection.execute(wanted).scalar_one())
