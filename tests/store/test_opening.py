"""Opening: tables made once by whoever comes first, later versions refused, and a remedy for every URL that is none."""

from __future__ import annotations

import errno
import importlib.util
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from graphrec.errors import StoreError
from graphrec.store import Store, StoredEvent, opening, schema


def test_the_migrations_make_the_tables_of_the_schema(store: Store) -> None:
    found = sa.inspect(store._engine)
    for table in schema.metadata.tables.values():
        columns = {c["name"]: c for c in found.get_columns(table.name)}
        assert {c.name: c.nullable for c in table.columns} == {n: c["nullable"] for n, c in columns.items()}, table.name
        assert [c.name for c in table.primary_key] == found.get_pk_constraint(table.name)["constrained_columns"]
        assert {i.name for i in table.indexes} == {
            i["name"] for i in found.get_indexes(table.name) if not i.get("duplicates_constraint")
        }
    assert [u["column_names"] for u in found.get_unique_constraints("graphrec_events")] == [["source", "event_id"]]


def test_many_may_open_a_new_store_at_once(url: str) -> None:
    found: list[Store | BaseException] = []

    def open_() -> None:
        try:
            found.append(Store.open(url))
        except BaseException as error:
            found.append(error)

    threads = [threading.Thread(target=open_) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stores = [each for each in found if isinstance(each, Store)]
    assert len(stores) == 4, found
    assert len({each.hash_of("u") for each in stores}) == 1
    stores[0].append([StoredEvent(event_id="e", user_id="u", item_id="i")])
    assert stores[1].head() == 1
    for each in stores:
        each.close()


def test_a_file_that_others_turn_to_writing_ahead_is_waited_for() -> None:
    said = iter([sqlite3.OperationalError("database is locked")] * 2)

    class Locked:
        def execute(self, _: str) -> Locked:
            if error := next(said, None):
                raise error
            return self

        def close(self) -> None:
            """Nothing to close."""

    opening._write_ahead(Locked())
    said = iter([sqlite3.OperationalError("disk I/O error")])
    with pytest.raises(sqlite3.OperationalError, match="disk"):
        opening._write_ahead(Locked())


def test_a_later_version_is_refused_and_left_as_it_is(url: str) -> None:
    with Store.open(url) as store, store._engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '99'"))
    with pytest.raises(StoreError, match="version 99, and this graphrec knows up to 1; use the graphrec that wrote it"):
        Store.open(url)


def test_a_store_is_migrated_where_it_is_older(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database in which there are other tables, and none of the store's yet."""
    with Store.open(url) as store, store._engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE theirs (a INTEGER)"))
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        for table in [*schema.metadata.tables, schema.VERSION_TABLE]:
            connection.execute(sa.text(f"DROP TABLE {table}"))
    with Store.open(url) as store:
        assert store.head() == 0
        assert sa.inspect(store._engine).has_table("theirs")


def test_a_migration_that_is_broken_off_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    def broken(*_: object, **__: object) -> None:
        raise OSError("broken off")

    with monkeypatch.context() as patch:
        patch.setattr(op, "bulk_insert", broken)
        with pytest.raises(OSError, match="broken off"):
            Store.open(url)
    with Store.open(url) as store:
        assert store.head() == 0


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("store.db", "cannot be read; give sqlite:///PATH or postgresql"),
        ("mysql://root:secret@h/d", "begins with mysql://, which is not supported"),
        ("sqlite://", "is lost with its process"),
        ("sqlite:///:memory:", "is lost with its process"),
        ("sqlite:////no/such/folder/s.db", "there is no folder"),
        ("sqlite:////tmp", "is a folder"),
        ("postgresql://u:secret@127.0.0.1:1/d", "cannot be opened"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_a_remedy(url: str, why: str) -> None:
    with pytest.raises(StoreError, match=why) as told:
        Store.open(url)
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_folder_that_cannot_be_written_is_refused_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuses)
    with pytest.raises(StoreError, match=r"cannot be opened \(Read-only .*name a file in a folder that can"):
        Store.open(f"sqlite:///{tmp_path}/s.db")


def test_what_the_database_calls_a_fault_is_told_beside_the_line(store: Store) -> None:
    with pytest.raises(StoreError) as told, opening.transaction(store._engine, writes=True) as connection:
        connection.execute(sa.text("SELECT * FROM nothing"))
    assert told.value.code in ("SQLITE_ERROR", "42P01")


def test_nothing_is_accepted_into_a_file_that_was_removed(tmp_path: Path) -> None:
    file = tmp_path / "s.db"
    event = StoredEvent(event_id="e", user_id="u", item_id="i")
    with Store.open(f"sqlite:///{file}") as store:
        file.rename(tmp_path / "away.db")
        with pytest.raises(StoreError, match="is gone, or another file, and what is written"):
            store.append([event])
        file.touch()
        with pytest.raises(StoreError, match="is gone, or another file"):
            store.head()
        (tmp_path / "away.db").replace(file)
        store.append([event])
        assert store.head() == 1


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "text.db"
    file.write_text("this is no database" * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        Store.open(f"sqlite:///{file}")
    assert file.read_text() == "this is no database" * 100
    with pytest.raises(StoreError, match="there is no store"):
        Store.open(f"sqlite:///{tmp_path / 'typo.db'}", create=False)
    assert not (tmp_path / "typo.db").exists()


def test_a_new_file_is_its_owners(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.append([StoredEvent(event_id="e", user_id="u", item_id="i")])
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_sqlite_syncs_at_every_commit(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store, store._engine.connect() as connection:
        pragmas = {
            n: connection.exec_driver_sql(f"PRAGMA {n}").scalar()
            for n in ("journal_mode", "synchronous", "secure_delete")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}


def test_postgresql_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def none(name: str, *rest: Any) -> Any:
        return None if name == "psycopg" else real(name, *rest)

    monkeypatch.setattr(opening, "find_spec", none)
    with pytest.raises(StoreError, match=r"pip install 'graphrec\[postgres\]'"):
        Store.open("postgresql://h/d")


def test_postgresql_must_hold_every_text(postgres: str) -> None:
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS latin")
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    with pytest.raises(StoreError, match="its encoding is LATIN1; make a database WITH ENCODING 'UTF8'"):
        Store.open(postgres.replace("/postgres?", "/latin?"))
