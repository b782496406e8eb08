"""Dates in the forms that exports have; numbers that are dates; and nothing in 1970 in silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from graphrec.data.dataset import Dataset
from tests.cases.support import FIRST, LAST, PAIRS, QUICK, Cli, delimited, role, span, when
from tests.read.support import write


def source(tmp_path: Path, form: Callable[[datetime], object], name: str = "timestamp", sep: str = ",") -> Path:
    rows = [(user, item, form(when(user, item))) for user, item in PAIRS]
    return write(tmp_path, {"events.csv": delimited(("user_id", "item_id", name), rows, sep)}) / "events.csv"


def seconds(of: datetime) -> int:
    return int(of.timestamp())


FORMS: dict[str, Callable[[datetime], object]] = {
    "amazon 2018": lambda t: t.strftime("%m %d, %Y"),
    "iso with utc": lambda t: t.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "twitter": lambda t: t.strftime("%a %b %d %H:%M:%S +0000 %Y"),
    "seconds": seconds,
    "milliseconds": lambda t: seconds(t) * 1_000,
    "microseconds": lambda t: seconds(t) * 1_000_000,
    "nanoseconds": lambda t: seconds(t) * 1_000_000_000,
    "yyyymmdd": lambda t: t.strftime("%Y%m%d"),
    "a day": lambda t: t.strftime("%Y-%m-%d"),
    "excel": lambda t: 43_770.5 + (t.date() - datetime(2019, 11, 1).date()).days,
}


@pytest.mark.parametrize("form", FORMS)
def test_usual_forms_are_read(form: str, tmp_path: Path, cli: Cli) -> None:
    path = source(tmp_path, FORMS[form], "date" if form in {"yyyymmdd", "excel", "a day"} else "timestamp")
    found = cli.inspect(path)
    assert found["rows"]["used"] == len(PAIRS)
    assert span(found) == (FIRST, LAST)


def test_a_german_export(tmp_path: Path, cli: Cli) -> None:
    path = source(tmp_path, lambda t: t.strftime("%d.%m.%Y %H:%M"), sep=";")
    assert span(cli.inspect(path)) == (FIRST, LAST)


def test_an_american_export_is_read_or_both_readings_are_said(tmp_path: Path, cli: Cli) -> None:
    """No day above 12 tells days from months: the clock's AM does, or a person has to say so."""
    path = source(tmp_path, lambda t: t.strftime("%m/%d/%Y %I:%M:%S %p"))
    try:
        assert span(cli.inspect(path)) == (FIRST, LAST)
    except AssertionError:
        cli("fit", path, "--out", tmp_path / "m", *QUICK, expect=2)
        assert "data.toml" in cli.err
        assert "%d/%m" in cli.err
        assert "%m/%d" in cli.err


@pytest.mark.parametrize(("day", "expected"), [("%d/%m/%Y", "2019-11-14"), ("%m/%d/%Y", "2019-11-14")])
def test_a_day_above_12_settles_which_is_which(day: str, expected: str, tmp_path: Path, cli: Cli) -> None:
    rows = [(user, item, when(user, item + 2).strftime(day)) for user, item in PAIRS]
    path = write(tmp_path, {"events.csv": delimited(("user_id", "item_id", "date"), rows)})
    assert span(cli.inspect(path))[1] == expected


def test_numbers_that_are_dates_are_not_seconds(tmp_path: Path, cli: Cli) -> None:
    path = source(tmp_path, FORMS["yyyymmdd"], "date")
    cut = cli.json("evaluate", path, "--split", "temporal", *QUICK)["cut"]
    assert datetime.fromtimestamp(cut["test_from"], UTC).year == 2019
    times = Dataset.load(path).interactions.timestamps
    assert times is not None
    assert datetime.fromtimestamp(int(times.min()), UTC).year == 2019


def test_years_are_years_or_no_dates_at_all(tmp_path: Path, cli: Cli) -> None:
    rows = [(user, item, 2000 + user) for user, item in PAIRS]
    path = write(tmp_path, {"year.csv": delimited(("user_id", "item_id", "date"), rows)}) / "year.csv"
    found = cli.inspect(path)
    if role(found, "date") == "timestamp":
        assert (span(found)[0][:4], span(found)[1][:4]) == ("2000", "2007")
    else:
        (why,) = (c["why_not"] for c in found["columns"] if c["column"] == "date")
        assert why


def test_dates_that_cannot_be_read_are_said_with_the_setting_for_their_form(tmp_path: Path, cli: Cli) -> None:
    path = source(tmp_path, lambda t: t.strftime("week %W of %Y, day %w"))
    found = cli.inspect(path)
    assert role(found, "timestamp") == ""
    assert found["rows"]["used"] == len(PAIRS)
    cli.fit(path)
    assert "cannot be read" in cli.err
    assert "date_format" in cli.err
    assert "data.toml" in cli.err


def test_dates_within_one_day_are_a_warning(tmp_path: Path, cli: Cli) -> None:
    path = source(tmp_path, lambda t: 1_572_600_000 + t.day)
    assert any("day" in warning for warning in cli.inspect(path)["warnings"])
