"""A content-addressed cache on disk: SHA-256 key → bytes, in one SQLite file per kind of content."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from graphrec.cache_dir import graphrec_cache

CHUNK = 500  # SQLite bounds the number of variables in a statement


def content_key(*parts: str) -> str:
    """SHA-256 over the parts, each ended by a zero byte."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\x00")
    return digest.hexdigest()


class ContentCache:
    """Keys are hashes of content, so an entry is never stale and several processes may write at once.

    A file that is not a usable database is set aside and begun anew: a cache may be lost, never in the way.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        folder = folder or graphrec_cache()
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.sqlite"
        try:
            self._prepare()
        except sqlite3.DatabaseError:
            self.path.replace(self.path.with_suffix(".broken"))
            self._prepare()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=60)

    def _prepare(self) -> None:
        with closing(self._connect()) as db, db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The entries that exist, by key."""
        out: dict[str, bytes] = {}
        with closing(self._connect()) as db:
            for at in range(0, len(keys), CHUNK):
                chunk = list(keys[at : at + CHUNK])
                marks = ",".join("?" * len(chunk))
                out.update(db.execute(f"SELECT key, value FROM entries WHERE key IN ({marks})", chunk))
        return out

    def put_many(self, values: Mapping[str, bytes]) -> None:
        """Store entries in one transaction."""
        with closing(self._connect()) as db, db:
            db.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", values.items())
