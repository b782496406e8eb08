"""A URL → an engine whose tables are those of this version: connections as durable as the store promises, and migrated.

An acknowledged write survives kill -9 and a power cut: SQLite writes ahead (WAL) and syncs at every commit
(synchronous=FULL), PostgreSQL is asked for synchronous_commit in every session.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from graphrec.errors import StoreError
from graphrec.store.schema import VERSION_TABLE
from graphrec.store.turns import Turns

HERE = Path(__file__).parent
BUSY = 30  # seconds that a writer waits for another
MIGRATING = 0x67726170  # PostgreSQL's advisory lock of those who migrate
FORMS = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"


def engine_of(url: str, create: bool = True) -> sa.Engine:
    """An engine for the store at ``url``, migrated to the tables of this version.

    Raises StoreError for a URL of another form, a file or database that cannot be used, or tables of a later version.
    """
    parsed = _parsed(url)
    engine = _sqlite(parsed, create) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    try:
        _migrate(engine, shown(engine))
    except SQLAlchemyError as error:
        engine.dispose()
        raise StoreError(f"{shown(engine)}: cannot be opened ({why(error)}); {_remedy(engine)}") from None
    except BaseException:
        engine.dispose()
        raise
    return engine


def shown(engine: sa.Engine) -> str:
    """The URL of a store without its password."""
    return engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=True)


def why(error: BaseException) -> str:
    """The first line of what the database said, without the statement and its values."""
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _failed(engine: sa.Engine, error: BaseException) -> StoreError:
    out = StoreError(f"{shown(engine)}: {why(error)}; {_remedy(engine)}")
    from_it: Any = getattr(error, "orig", None) or error
    out.code = str(getattr(from_it, "sqlite_errorname", None) or getattr(from_it, "sqlstate", None) or "")
    return out


@contextmanager
def transaction(engine: sa.Engine, writes: bool = False) -> Iterator[sa.Connection]:
    """A transaction, committed when the block ends well. In SQLite one that writes is alone from its beginning.

    Raises StoreError for whatever the database says, without the statement and its values.
    """
    try:
        with (
            _turn(engine) if writes else nullcontext(),
            engine.execution_options(graphrec_writes=writes).begin() as connection,
        ):
            yield connection
    except SQLAlchemyError as error:
        raise _failed(engine, error) from None


@contextmanager
def outside(engine: sa.Engine) -> Iterator[Any]:
    """A bare connection outside of any transaction, as VACUUM wants it. Raises StoreError."""
    with _turn(engine), _bare(engine) as connection:
        yield connection


def _turn(engine: sa.Engine) -> AbstractContextManager[None]:
    """The right to write: in SQLite one of this process's threads after another, in PostgreSQL everybody's."""
    turns: AbstractContextManager[None] = engine.get_execution_options().get("graphrec_turns", nullcontext())
    return turns


@contextmanager
def _bare(engine: sa.Engine) -> Iterator[Any]:
    proxy = engine.raw_connection()
    connection: Any = proxy.dbapi_connection
    of_postgresql = engine.dialect.name == "postgresql"
    try:
        if of_postgresql:
            connection.autocommit = True
        yield connection
    except engine.dialect.dbapi.Error as error:  # type: ignore[union-attr]
        raise _failed(engine, error) from None
    finally:
        if of_postgresql and not connection.closed:
            connection.autocommit = False
        proxy.close()


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(f"the store's URL cannot be read; give {FORMS}") from None
    name = parsed.drivername
    if name in ("postgresql", "postgres", "postgresql+psycopg"):
        if find_spec("psycopg") is None:
            raise StoreError("PostgreSQL needs the package psycopg; pip install 'graphrec[postgres]'")
        return parsed.set(drivername="postgresql+psycopg")
    if name not in ("sqlite", "sqlite+pysqlite"):
        raise StoreError(f"the store's URL begins with {name}://, which is not supported; give {FORMS}")
    if not parsed.database or ":memory:" in parsed.database:
        raise StoreError(f"a store in memory is lost with its process; give {FORMS}")
    return parsed.set(drivername="sqlite+pysqlite")


def _sqlite(url: sa.URL, create: bool) -> sa.Engine:
    path = Path(str(url.database))
    try:
        file = _file(path, create)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be opened ({error.strerror}); name a file in a folder that can be written"
        ) from None
    engine = sa.create_engine(url, connect_args={"timeout": BUSY}, pool_size=8, max_overflow=24)

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin as ``begun`` says
        _write_ahead(connection)
        for pragma in ("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        if not _is(path, file):
            raise StoreError(
                f"{path}: is gone, or another file, and what is written now would be lost; put it back, or start anew"
            )
        writes = connection.get_execution_options().get("graphrec_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine.execution_options(graphrec_turns=Turns())


def _file(path: Path, create: bool) -> os.stat_result:
    """The file of a store, made where there is none. Raises StoreError, and OSError for a folder that is not ours."""
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise StoreError(f"{path}: is a folder; name a file in it")
    if not path.exists():
        if not create:
            raise StoreError(f"{path}: there is no store; `graphrec store import` or `graphrec serve --store` make one")
        path.touch(mode=0o600)  # who may read it is for its owner to widen
    return path.stat()


def _is(path: Path, file: os.stat_result) -> bool:
    """Whether a path still leads to the file: what is written to one that was removed ends with its last process."""
    try:
        return os.path.samestat(path.stat(), file)
    except OSError:
        return False


def _write_ahead(connection: Any) -> None:
    """Write ahead (WAL). While another process turns a new file to it SQLite says at once that it is locked, and does
    not wait as it does for everything else."""
    until = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.02)


def _postgresql(url: sa.URL) -> sa.Engine:
    own = {"client_encoding": "UTF8", "connect_timeout": 10}
    engine = sa.create_engine(url, connect_args=own, pool_pre_ping=True, pool_size=8, max_overflow=24)

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.execute("SET synchronous_commit = on")
        connection.commit()  # or a transaction that is rolled back takes it along

    return engine


def _remedy(engine: sa.Engine) -> str:
    if engine.dialect.name == "sqlite":
        return "give a file that is a store or does not exist yet, on a disk that can be written"
    return "start PostgreSQL there, make the database, or mend the URL"


def _migrate(engine: sa.Engine, name: str) -> None:
    """Bring the tables to this version, in one transaction that only one process has at a time."""
    _check_encoding(engine, name)
    if _version(engine) == NEWEST:
        return
    with transaction(engine, writes=True) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATING})
        from alembic import command  # slow
        from alembic.config import Config
        from alembic.script import ScriptDirectory
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(HERE / "migrations").replace("%", "%%"))
        config.attributes["connection"] = connection
        found = _found(connection)
        try:
            if found is not None:
                ScriptDirectory.from_config(config).get_revision(found)
        except CommandError:
            raise StoreError(
                f"{name}: its tables have version {found}, and this graphrec knows up to {NEWEST}; use the graphrec"
                " that wrote it or a later one"
            ) from None
        command.upgrade(config, "head")


NEWEST = "1"  # the last of migrations/versions


def _version(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        return _found(connection)


def _found(connection: sa.Connection) -> str | None:
    """The version of the tables that are there, None where there are none."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def _check_encoding(engine: sa.Engine, name: str) -> None:
    """Raises StoreError where a database of PostgreSQL cannot hold every text."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            encoding = connection.execute(sa.text("SHOW server_encoding")).scalar()
        if encoding != "UTF8":
            raise StoreError(
                f"{name}: its encoding is {encoding}; make a database WITH ENCODING 'UTF8' TEMPLATE template0"
            )
