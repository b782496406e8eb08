"""A content-addressed cache on disk: SHA-256 key → bytes, in one SQLite file per kind of content.

A cache saves time and is never in the way: where its file is locked, full, damaged or not to be written, the run goes
on without it, says so once, and leaves what is there.
"""

from __future__ import annotations

import hashlib
import logging
import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from filelock import FileLock

from graphrec.cache_dir import cache_limit, graphrec_cache

CHUNK = 500  # SQLite bounds the number of variables in a statement
BUSY = 10.0  # seconds to wait for another process
NOTED = 60 * 10**9  # nanoseconds: a use is noted to the minute, so that most looks write nothing
KEEP = 0.9  # of the limit, once it is exceeded: room for a while
DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
VERSION = 2
# What was used when is in a table of its own, so that values are not rewritten for it.
TABLES = """
CREATE TABLE contents (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL);
CREATE TABLE uses (id INTEGER PRIMARY KEY, used INTEGER NOT NULL);
"""
LOOK = "SELECT key, value, id, used FROM contents JOIN uses USING (id) WHERE key IN ({})"
_log = logging.getLogger(__name__)


def content_key(*parts: str) -> str:
    """SHA-256 over the parts, each ended by a zero byte."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\x00")
    return digest.hexdigest()


class ContentCache:
    """Keys are hashes of content, so an entry is never stale and several processes may write at once.

    The file is held to ``limit`` bytes: the entries that were not used for the longest time go, counted in ``evicted``.
    Nothing here raises for the state of the file: what cannot be read is not known, what cannot be written is not kept,
    and one warning says why. A damaged file is set aside as ``<name>.broken-<n>`` and begun anew.

    Args:
        name: of the file, ``<name>.sqlite``.
        folder: that of ``graphrec_cache()`` by default.
        limit: bytes, those of ``cache_limit()`` by default; 0 keeps nothing.
    """

    def __init__(self, name: str, folder: Path | None = None, limit: int | None = None) -> None:
        self.path = (folder or graphrec_cache()) / f"{name}.sqlite"
        self.limit = cache_limit() if limit is None else limit
        self.evicted = 0
        self._reads = self._writes = self.limit > 0
        self._ready = False
        self._file: int | None = None  # inode of what was last opened

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The entries that exist, by key (hexadecimal); they count as used now."""
        out: dict[str, bytes] = {}
        stale: list[int] = []
        wanted = [bytes.fromhex(key) for key in keys]
        now = time.time_ns()

        def look(db: sqlite3.Connection) -> None:
            for at in range(0, len(wanted), CHUNK):
                chunk = wanted[at : at + CHUNK]
                for key, value, id_, used in db.execute(LOOK.format(",".join("?" * len(chunk))), chunk):
                    out[key.hex()] = value
                    if abs(now - used) > NOTED:
                        stale.append(id_)

        def note(db: sqlite3.Connection) -> None:
            with _transaction(db):
                db.executemany("UPDATE uses SET used = ? WHERE id = ?", ((now, id_) for id_ in sorted(stale)))

        if wanted and self._reads:
            self._do("read", look)
        if stale and self._writes:
            self._do("write", note)
        return out

    def lacks(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys (hexadecimal) without an entry; looking counts as no use."""
        found: set[str] = set()

        def look(db: sqlite3.Connection) -> None:
            for at in range(0, len(keys), CHUNK):
                chunk = [bytes.fromhex(key) for key in keys[at : at + CHUNK]]
                rows = db.execute(f"SELECT key FROM contents WHERE key IN ({','.join('?' * len(chunk))})", chunk)
                found.update(key.hex() for (key,) in rows)

        if self._reads:
            self._do("read", look)
        return set(keys) - found

    def put_many(self, values: Mapping[str, bytes]) -> None:
        """Store entries in one transaction, then hold the file to its limit."""
        now = time.time_ns()

        def put(db: sqlite3.Connection) -> None:
            with _transaction(db):
                for key, value in values.items():
                    new = db.execute("INSERT OR IGNORE INTO contents VALUES (NULL, ?, ?)", (bytes.fromhex(key), value))
                    if new.rowcount:
                        db.execute("INSERT INTO uses VALUES (?, ?)", (new.lastrowid, now))
            self._hold(db)

        if values and self._writes:
            self._do("write", put)

    def remove_many(self, keys: Sequence[str]) -> int:
        """Remove entries, and their bytes from the file; how many there were. What another process reads meanwhile may
        stay in the log beside the file until that is done."""
        wanted, removed = [(bytes.fromhex(key),) for key in dict.fromkeys(keys)], 0

        def remove(db: sqlite3.Connection) -> None:
            nonlocal removed
            db.execute("PRAGMA secure_delete=ON")
            with _transaction(db):
                db.executemany("DELETE FROM uses WHERE id IN (SELECT id FROM contents WHERE key = ?)", wanted)
                removed = db.executemany("DELETE FROM contents WHERE key = ?", wanted).rowcount
            if removed:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        if wanted and self._writes and self.path.exists():
            self._do("write", remove)
        return removed

    def _do(self, doing: str, work: Callable[[sqlite3.Connection], None]) -> None:
        """Whatever is wrong with the file ends here: in a warning, and in no more reading or writing of it."""
        for again in (True, False):  # where a damaged file was set aside
            try:
                with self._connected() as db:
                    work(db)
                return
            except (sqlite3.Error, OSError) as error:
                reason: Exception = error
                damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED
                if not (again and damaged and self._set_aside(error)):
                    break
        self._writes = False
        self._reads = self._reads and doing == "write" and self._ready
        _warn(f"{self.path}: cannot {doing} this cache ({reason}), so nothing new is kept; what is there stays")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _inode(self.path)
        db = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous=NORMAL")  # outlives a killed process; whole after a power cut
            if not self._ready:
                self._prepare(db)
            yield db
        finally:
            db.close()

    def _prepare(self, db: sqlite3.Connection) -> None:
        """The tables of this version; entries of the first one are taken over, as the least recently used."""
        if _number(db, "PRAGMA user_version") != VERSION:
            with FileLock(f"{self.path}.lock", timeout=BUSY):  # SQLite does not wait where the journal's mode changes
                if _number(db, "PRAGMA user_version") != VERSION:
                    _lay_out(db)
        self._ready = True

    def _set_aside(self, error: Exception) -> bool:
        """Rename a damaged file and its log, unless another process has just done so. False where that fails."""
        self._ready = False
        try:
            with FileLock(f"{self.path}.lock", timeout=BUSY):
                if _inode(self.path) != self._file:
                    return True
                n = 1
                while (aside := self.path.with_suffix(f".broken-{n}")).exists():
                    n += 1
                self.path.rename(aside)
                for ending in ("-wal", "-shm"):  # a log left there would be read into the new file
                    if (log := Path(f"{self.path}{ending}")).exists():
                        log.rename(f"{aside}{ending}")
        except OSError:  # a Timeout too
            return False
        _warn(f"{self.path}: damaged ({error}); set aside as {aside.name}, and begun anew")
        return True

    def _hold(self, db: sqlite3.Connection) -> None:
        """Remove what was not used for the longest time while the file is larger than ``limit``."""
        while (size := _size(db)) > self.limit and (rows := _number(db, "SELECT count(*) FROM uses")):
            surplus = math.ceil(rows * (1 - KEEP * self.limit / size))
            with _transaction(db):
                oldest = "SELECT id FROM uses ORDER BY used, id LIMIT ?"
                db.execute(f"DELETE FROM contents WHERE id IN ({oldest})", (surplus,))
                db.execute(f"DELETE FROM uses WHERE id IN ({oldest})", (surplus,))
            self.evicted += surplus
            db.executescript("PRAGMA incremental_vacuum")  # execute would give back a single page
            if _size(db) > self.limit:  # pages that are full in part
                db.execute("VACUUM")
            _log.info("%s: %d entries removed, %d in all", self.path, surplus, self.evicted)
            _warn(
                f"{self.path} has reached its limit of {self.limit:,} bytes, so what was not used for the longest time "
                "is removed; GRAPHREC_CACHE_BYTES raises the limit"
            )


def _lay_out(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a file that is still empty, or at the next VACUUM
    db.execute("PRAGMA journal_mode=WAL")
    db.create_function("unhexed", 1, bytes.fromhex, deterministic=True)
    old = _number(db, "SELECT count(*) FROM sqlite_master WHERE name = 'entries'")
    with _transaction(db):
        for statement in TABLES.strip().splitlines():
            db.execute(statement)
        if old:
            db.execute("INSERT OR IGNORE INTO contents (key, value) SELECT unhexed(key), value FROM entries")
            db.execute("INSERT INTO uses SELECT id, 0 FROM contents")
            db.execute("DELETE FROM entries")  # the table stays for a run of that version that goes on beside
        db.execute(f"PRAGMA user_version={VERSION}")
    if old:
        db.execute("VACUUM")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """The right to write is asked for at the start, where waiting for it is possible."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _number(db: sqlite3.Connection, statement: str) -> int:
    return int(db.execute(statement).fetchone()[0])


def _size(db: sqlite3.Connection) -> int:
    """Bytes of the file."""
    return _number(db, "PRAGMA page_count") * _number(db, "PRAGMA page_size")


def _inode(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


@cache
def _warn(message: str) -> None:
    """Once per process, however many objects share a file."""
    _log.warning(message)
