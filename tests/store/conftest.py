"""A store in SQLite and one in PostgreSQL, new for every test."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphrec.store import Store

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "postgres"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL: that of GRAPHREC_TEST_POSTGRES, else one made for these tests by ``scripts/postgres``.

    Where none can be had the tests are skipped, and say so; with GRAPHREC_TEST_POSTGRES=required they fail.
    """
    given = os.environ.get("GRAPHREC_TEST_POSTGRES", "")
    if given not in ("", "required"):
        yield given
        return
    folder = f"/tmp/graphrec-pg-{os.getpid()}"  # short: it holds a socket
    made = subprocess.run([SCRIPT, "start", folder], capture_output=True, text=True)
    if made.returncode:
        why = f"no PostgreSQL to test with: {made.stderr.strip().splitlines()[-1:]}"
        pytest.fail(why) if given else pytest.skip(why)
    yield made.stdout.strip()
    subprocess.run([SCRIPT, "stop", folder], check=True, capture_output=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    import psycopg

    server, schema = request.getfixturevalue("postgres"), f"t{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    with Store.open(url) as found:
        yield found
