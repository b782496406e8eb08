"""What the cases share: made-up inputs as people keep them, and the command line seen from outside."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graphrec.cli.app import main
from tests.cli.support import SPECTRAL

PLAIN = ("--set", "kg.enabled=false", "--set", "features.enabled=false")
EASE = ("regularisation=30", "friends=0", "smoothing=0", "knowledge=0", "fading=0")
QUICK = (*PLAIN, "--set", "blocks=popularity,spectral,ease", *SPECTRAL)  # one value of what is searched elsewhere
QUICK += tuple(part for value in EASE for part in ("--set", f"ease.{value}"))
CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"

# 8 users, 6 items, 4 items each; user and item add up to the day of an event
PAIRS = [(user, item) for user in range(8) for item in range(6) if (user + item) % 3]
DAY_ONE = datetime(2019, 11, 1, 9, 5, 58, tzinfo=UTC)
FIRST, LAST = "2019-11-02", "2019-11-12"  # of PAIRS


def shared_case(name: str) -> Path:
    """A case that is too large to be made up again; the test is skipped, and says so, where it is absent."""
    path = CASES / name
    if not path.exists():
        pytest.skip(f"the case {name} is not at {CASES}")
    return path


def when(user: int, item: int) -> datetime:
    return DAY_ONE + timedelta(days=user + item)


def delimited(header: Sequence[object], rows: Iterable[Sequence[object]], sep: str = ",") -> str:
    """A table as csv.writer writes it; no header where that is empty."""
    out = io.StringIO()
    csv.writer(out, delimiter=sep, lineterminator="\n").writerows(
        itertools.chain([header] if header else [], ([str(v) for v in row] for row in rows))
    )
    return out.getvalue()


def two_tastes(users: int, each: int, items: int, seed: int, flip: bool = False) -> list[tuple[str, str, int, int]]:
    """(user, item, stars, time): even users give 5 stars to A items and 1 star to B items, odd users the other way.

    Everybody took ``each`` items of both groups of ``items``, in any order; ``flip`` swaps the stars.
    """
    draw = random.Random(seed)
    rows = []
    for user in range(users):
        taken = [f"{group}{n:02d}" for group in "AB" for n in draw.sample(range(items), each)]
        draw.shuffle(taken)
        for turn, item in enumerate(taken):
            likes = ((item[0] == "A") == (user % 2 == 0)) != flip
            rows.append((f"u{user:02d}", item, 5 if likes else 1, 1_600_000_000 + 3_600 * user + 86_400 * turn))
    return rows


class Cli:
    """The command line, called in this process."""

    def __init__(self) -> None:
        self.out = self.err = ""

    def __call__(self, *arguments: object, expect: int = 0) -> Cli:
        """Run one command; what it printed is in ``out`` and ``err`` (blanks and line breaks as one blank)."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.setattr("sys.argv", ["graphrec", *map(str, arguments)])
            with pytest.raises(SystemExit) as ended:
                main()
        self.out, self.err = out.getvalue(), " ".join(err.getvalue().split())
        assert (ended.value.code or 0) == expect, self.err
        return self

    def json(self, *arguments: object) -> Any:
        """The one document that a command prints with --json."""
        return json.loads(self(*arguments, "--json").out)

    def fit(self, source: Path, *settings: str) -> Path:
        """A model of a source, beside it."""
        out = source.with_name(f"{source.name}-model")
        self("fit", source, "--out", out, *(settings or QUICK))
        return out

    def inspect(self, source: Path, *more: str) -> dict[str, Any]:
        """The report of a source; what is true of every report is checked on the way."""
        found: dict[str, Any] = self.json("inspect", source, *more)
        rows = found["rows"]
        assert rows["read"] == rows["used"] + set_aside(found) + rows["merged"]
        for file in found["files"]:
            assert bool(file["used_as"]) != bool(file["why_not"]), file
        for column in found["columns"]:
            assert bool(column["role"]) or bool(column["why_not"]), column
        return found

    def tops(self, model: Path, k: int) -> dict[str, list[str]]:
        """User → the best items of everybody, from one call."""
        out = model.with_name(f"{model.name}.csv")
        self("recommend", model, "--all", "--out", out, "-k", k)
        found: dict[str, list[str]] = {}
        with out.open(encoding="utf-8", newline="") as rows:
            for row in sorted(csv.DictReader(rows), key=lambda row: int(row["rank"])):
                found.setdefault(row["user_id"], []).append(row["item_id"])
        return found

    def top(self, model: Path, user: str, k: int, *more: str) -> list[str]:
        return [row["item_id"] for row in self.json("recommend", model, "--user", user, "-k", k, *more)["items"]]


def set_aside(report: dict[str, Any]) -> int:
    """Rows set aside, whether told as a number or by reason."""
    found = report["rows"]["set_aside"]
    return sum(found.values()) if isinstance(found, dict) else int(found)


def role(report: dict[str, Any], column: str, file: str = "") -> str:
    """The role of a column, "" where it is not used; a column that the report leaves out is an error."""
    (found,) = (c["role"] for c in report["columns"] if c["column"] == column and c["file"].endswith(file))
    return str(found)


def used_as(report: dict[str, Any], file: str) -> str:
    (found,) = (f["used_as"] for f in report["files"] if f["path"].endswith(file))
    return str(found)


def span(report: dict[str, Any]) -> tuple[str, str]:
    """The first and the last day, as YYYY-MM-DD."""
    return str(report["dates"]["from"])[:10], str(report["dates"]["to"])[:10]


def own_reasons(explanation: dict[str, Any]) -> set[str]:
    """The items of the user's own history that an explanation names."""
    user = f"user:{explanation['user_id']}"
    steps = (step for evidence in explanation["evidence"] for step in evidence["path"] if step["head"] == user)
    return {step["tail"].removeprefix("item:") for step in steps if step["tail"].startswith("item:")}
