"""`graphrec plan`: what it prints and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.csv
import pytest

from graphrec import planning
from graphrec.samples.many import generated
from tests.cli.support import QUICK, document, printed, run


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting processes takes seconds, and memory is not looked at here."""

    def here(work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    monkeypatch.setattr(planning, "_alone", here)


def test_a_source_is_foretold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "shop.csv"
    pyarrow.csv.write_csv(generated(1_500, 80, 40), source)
    found = document(capsys, "plan", source, *QUICK)
    assert {"users", "items", "events", "preset", "core_seconds", "peak_mb", "disk_mb", "index_mb"} < set(found)
    assert {"memory_mb", "cores", "advice", "left_out", "core_seconds_range", "peak_mb_range"} < set(found)
    assert (found["users"], found["items"]) == (80, 40)
    names = [row["stage"] for row in found["stages"]]
    assert {"door", "popularity", "spectral", "index", "save"} < set(names)
    assert found["core_seconds"] == pytest.approx(sum(row["core_seconds"] for row in found["stages"]), abs=0.2)
    assert found["peak_mb"] == max(row["peak_mb"] for row in found["stages"])
    assert {path.name for path in tmp_path.iterdir()} == {"shop.csv"}


def test_a_shape_is_foretold_within_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "plan", "--users", 200_000_000, "--items", 60, "--events", 2_000_000_000, *QUICK)
    assert "in all" in text
    assert "Not foretold" in text


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ([], "--users, --items, --events are missing; or name a SOURCE"),
        (["--users", 5, "--items", 5], "--events is missing"),
        (["absent.csv", "--users", 5], "leave --users out, or SOURCE"),
        (["absent.csv"], "absent.csv"),
        (["--users", 0, "--items", 5, "--events", 5], "--users 0"),
        (["--users", 5, "--items", 5, "--events", 26], "--events 26: 5 users and 5 items have 25 pairs"),
        (["absent.csv", "--set", "blocks=magic"], "'magic' does not exist"),
    ],
)
def test_what_cannot_be_foretold_is_refused(
    call: list[object], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("plan", *call, expect=2)
    assert said in capsys.readouterr().err


def test_a_source_that_is_not_there_begins_no_process(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "_alone", lambda *_: pytest.fail("begun"))
    run("plan", tmp_path / "nothing.csv", expect=2)
    assert "nothing.csv: no such file or folder" in capsys.readouterr().err
