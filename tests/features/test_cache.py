"""A cache on disk is never in the way, loses nothing that is there, and is held to its size."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import graphrec.features.cache as module
from graphrec.features.cache import ContentCache, content_key

KEY, OTHER = content_key("a"), content_key("b")
connect = sqlite3.connect


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a lock."""
    monkeypatch.setattr(sqlite3, "connect", lambda path, **given: connect(path, **{**given, "timeout": 0.05}))


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that SQLite is given."""
    said: list[str] = []

    def traced(path: Path, **given: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(path, **given)
        db.set_trace_callback(said.append)
        return db

    monkeypatch.setattr(sqlite3, "connect", traced)
    return said


@contextmanager
def locked(path: Path, how: str) -> Iterator[sqlite3.Connection]:
    """Another connection that holds the file, as another process would."""
    with closing(connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA locking_mode={how}")
        db.execute("BEGIN EXCLUSIVE")
        db.execute("CREATE TABLE being_written (x)")
        yield db


def old_file(path: Path, entries: dict[str, bytes]) -> None:
    """A file as the first version wrote it."""
    with closing(connect(path)) as db, db:
        db.execute("CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
        db.executemany("INSERT INTO entries VALUES (?, ?)", entries.items())


def filled(folder: Path, **given: Any) -> ContentCache:
    cache = ContentCache("e", folder, **given)
    cache.put_many({KEY: b"kept"})
    return cache


def names(folder: Path) -> set[str]:
    return {f.name for f in folder.iterdir() if f.suffix != ".lock"}


def test_keys_do_not_run_into_each_other() -> None:
    assert content_key("ab", "c") != content_key("a", "bc")


# --- in nobody's way --------------------------------------------------------------------------------------------------


def test_a_locked_file_is_left_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old_file(tmp_path / "e.sqlite", {KEY: b"kept"})
    with locked(tmp_path / "e.sqlite", "NORMAL"):
        cache = ContentCache("e", tmp_path)
        cache.put_many({OTHER: b"new"})
        cache.put_many({OTHER: b"new"})
        assert cache.get_many([OTHER]) == {}
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "locked" in caplog.text
    assert ContentCache("e", tmp_path).get_many([KEY, OTHER]) == {KEY: b"kept"}
    assert names(tmp_path) == {"e.sqlite"}


def test_what_is_there_is_read_while_another_process_writes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = filled(tmp_path)
    with locked(tmp_path / "e.sqlite", "NORMAL"):
        for _ in range(3):
            cache.put_many({OTHER: b"new"})
            assert cache.get_many([KEY, OTHER]) == {KEY: b"kept"}
    assert len(caplog.records) == 1
    assert filled(tmp_path).get_many([KEY]) == {KEY: b"kept"}


def test_a_lock_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = filled(tmp_path)
    with locked(tmp_path / "e.sqlite", "NORMAL"):
        cache.put_many({OTHER: b"new"})
        monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: pytest.fail("asked again"))
        cache.put_many({OTHER: b"new"})


def test_a_use_that_cannot_be_noted_takes_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = filled(tmp_path)
    monkeypatch.setattr(module, "NOTED", -1)
    with locked(tmp_path / "e.sqlite", "NORMAL"):
        assert cache.get_many([KEY]) == {KEY: b"kept"}


def test_a_full_disk_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = filled(tmp_path)

    def on_full_disk(path: Path, **given: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(path, **given)
        db.execute("PRAGMA max_page_count=1")  # no page more than there are
        return db

    with monkeypatch.context() as disk:
        disk.setattr(sqlite3, "connect", on_full_disk)
        for n in range(3):
            cache.put_many({content_key(str(n)): bytes(100_000)})
        assert cache.get_many([KEY]) == {KEY: b"kept"}
        fresh = ContentCache("fresh", tmp_path)
        fresh.put_many({KEY: bytes(100_000)})
        assert fresh.get_many([KEY]) == {}
    assert [r.levelno for r in caplog.records] == [logging.WARNING] * 2  # one a file
    assert "full" in caplog.text
    assert ContentCache("e", tmp_path).get_many([KEY]) == {KEY: b"kept"}
    assert not any("broken" in name for name in names(tmp_path))


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = ContentCache("e", tmp_path / "file")
    cache.put_many({KEY: b"v"})
    assert cache.get_many([KEY]) == {}
    assert len(caplog.records) == 1
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_database_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "e.sqlite")) as db, db:
        db.execute("CREATE TABLE entries (recipe)")
        db.execute("INSERT INTO entries VALUES ('cake')")
    assert filled(tmp_path).get_many([KEY]) == {}
    with closing(connect(tmp_path / "e.sqlite")) as db:
        assert db.execute("SELECT * FROM entries").fetchall() == [("cake",)]


def test_the_same_warning_is_given_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    for _ in range(3):
        filled(tmp_path / "file")
    assert len(caplog.records) == 1


# --- damage -----------------------------------------------------------------------------------------------------------


def test_a_broken_file_is_set_aside_and_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for n in (1, 2):
        (tmp_path / "e.sqlite").write_bytes(b"not a database, at all %d" % n * 100)
        cache = filled(tmp_path)
        assert cache.get_many([KEY, OTHER]) == {KEY: b"kept"}
        assert (tmp_path / f"e.broken-{n}").read_bytes() == b"not a database, at all %d" % n * 100
        assert f"e.broken-{n}" in caplog.text
    assert b"1" in (tmp_path / "e.broken-1").read_bytes()  # the second did not take its place


def test_a_file_that_breaks_while_in_use_is_set_aside(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.put_many({content_key(str(n)): bytes([n]) * 1000 for n in range(200)})
    content = (tmp_path / "e.sqlite").read_bytes()
    damaged = content[:4096] + b"\xff" * (len(content) - 4096)
    (tmp_path / "e.sqlite").write_bytes(damaged)
    assert cache.get_many([KEY]) == {}
    cache.put_many({KEY: b"again"})
    assert cache.get_many([KEY]) == {KEY: b"again"}
    assert (tmp_path / "e.broken-1").stat().st_size == len(content)


def test_the_log_of_a_broken_file_goes_with_it(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    with closing(connect(tmp_path / "e.sqlite")) as db:  # of another process, which keeps its log
        db.execute("SELECT count(*) FROM contents").fetchone()
        (tmp_path / "e.sqlite").write_bytes(b"broken" * 1000)
        assert cache.get_many([KEY]) == {}
        assert {"e.broken-1", "e.broken-1-wal"} <= names(tmp_path)


def test_a_file_that_another_process_began_anew_is_not_set_aside(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    (tmp_path / "e.sqlite").write_bytes(b"broken" * 1000)
    real = cache._set_aside

    def late(error: Exception) -> bool:
        ContentCache("e", tmp_path).put_many({OTHER: b"of the other process"})
        return real(error)

    cache._set_aside = late  # type: ignore[method-assign]
    assert cache.get_many([KEY, OTHER]) == {OTHER: b"of the other process"}
    assert not (tmp_path / "e.broken-2").exists()


# --- several at once --------------------------------------------------------------------------------------------------


def test_many_begin_one_file_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite3, "connect", connect)
    keys = [[content_key(f"{n} {m}") for m in range(20)] for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda own: ContentCache("e", tmp_path).put_many(dict.fromkeys([*own, KEY], b"v")), keys))
    assert len(ContentCache("e", tmp_path).get_many([KEY, *(k for own in keys for k in own)])) == 161
    assert not caplog.records


def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    entries = {content_key(str(n)): bytes([n]) * 1000 for n in range(200)}
    old_file(tmp_path / "e.sqlite", entries)
    before = (tmp_path / "e.sqlite").stat().st_size
    assert ContentCache("e", tmp_path).get_many(list(entries)) == entries
    assert (tmp_path / "e.sqlite").stat().st_size < 1.2 * before
    with closing(connect(tmp_path / "e.sqlite")) as db, db:  # a run of that version goes on beside
        db.execute("INSERT OR REPLACE INTO entries VALUES (?, ?)", (KEY, b"v"))


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [700, 2048, 5000])  # several of one page, one of a page, pages of one
def test_the_least_recently_used_go_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    monkeypatch.setattr(module, "NOTED", -1)
    limit = 100 * size + 50_000
    cache = ContentCache("e", tmp_path, limit)
    favourites, others = [content_key(f"favourite {n}") for n in range(5)], list[str]()
    cache.put_many(dict.fromkeys(favourites, bytes(size)))
    for n in range(60):
        batch = [content_key(f"{n} {m}") for m in range(10)]
        cache.put_many(dict.fromkeys(batch, bytes(size)))
        others += batch
        assert len(cache.get_many(favourites)) == 5
        assert (tmp_path / "e.sqlite").stat().st_size <= limit
    left = cache.get_many(others)
    assert list(left) != []
    assert set(left) == set(others[-len(left) :])
    assert len(left) > 20
    assert cache.evicted == len(others) - len(left)
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "GRAPHREC_CACHE_BYTES" in caplog.text


def test_scattered_favourites_do_not_hold_their_neighbours_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One entry of each page is used: what goes frees no whole page."""
    monkeypatch.setattr(module, "NOTED", -1)
    cache = ContentCache("e", tmp_path, 10**6)
    keys = [content_key(str(n)) for n in range(1000)]
    cache.put_many(dict.fromkeys(keys, bytes(700)))
    cache.get_many(keys[::5])
    small = ContentCache("e", tmp_path, 400_000)
    small.put_many({KEY: b"v"})
    assert (tmp_path / "e.sqlite").stat().st_size <= 400_000
    assert len(small.get_many(keys[::5])) == 200
    assert small.evicted < 700


def test_what_is_used_together_goes_without_writing_the_file_anew(tmp_path: Path, statements: list[str]) -> None:
    cache = ContentCache("e", tmp_path, 500_000)
    for n in range(100):
        cache.put_many({content_key(f"{n} {m}"): bytes(768) for m in range(20)})
    assert cache.evicted > 1000
    assert "VACUUM" not in statements


def test_a_limit_of_nothing_keeps_nothing(tmp_path: Path) -> None:
    cache = filled(tmp_path, limit=0)
    assert cache.get_many([KEY]) == {}
    assert names(tmp_path) == set()


def test_the_limit_is_that_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE_BYTES", "100000")
    cache = ContentCache("e", tmp_path)
    cache.put_many({content_key(str(n)): bytes(1000) for n in range(500)})
    assert cache.evicted > 400
    assert (tmp_path / "e.sqlite").stat().st_size <= 100_000
