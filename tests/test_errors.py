"""All errors of both packages have one base, and the command line tells each of them in one line."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import graphrec
import kg
from graphrec.cli import app
from graphrec.errors import DataError, GraphrecError, UnknownIdError
from kg.errors import KGError

INSIDE = {  # caught in the room that raises it
    "graphrec.read.streams.Break",
    "graphrec.serve.guard.Refused",
    "graphrec.serve.pool.Busy",
    "graphrec.serve.service.Slow",
}


def errors() -> Iterator[tuple[str, type]]:
    """(dotted name, class) of every exception that a module of graphrec or kg defines."""
    for package in (graphrec, kg):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("__main__") or ".migrations." in found.name:  # that alembic runs
                continue
            for name, value in vars(importlib.import_module(found.name)).items():
                if isinstance(value, type) and issubclass(value, BaseException) and value.__module__ == found.name:
                    yield f"{found.name}.{name}", value


def test_every_error_has_the_one_base() -> None:
    found = dict(errors())
    assert {"kg.errors.KGError", "kg.errors.GraphrecError", "graphrec.errors.DataError"} <= set(found)
    assert {name for name, error in found.items() if not issubclass(error, GraphrecError)} == INSIDE
    assert graphrec.GraphrecError is GraphrecError


@pytest.mark.parametrize("error", [KGError, DataError, UnknownIdError])
def test_the_command_line_exits_with_2_and_one_line(
    error: type[GraphrecError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(**_: object) -> None:
        raise error("kg.nq:3: found\nthis; do that")

    monkeypatch.setattr(app, "_command", lambda: fails)
    with pytest.raises(SystemExit) as caught:
        app.main()
    assert caught.value.code == 2
    assert capsys.readouterr() == ("", "graphrec: kg.nq:3: found this; do that\n")
