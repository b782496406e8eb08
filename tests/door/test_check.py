"""The door: what passes, what is set aside, and why."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.door.check import MAX_ID, MAX_TEXT, TimeForm, check_events, check_ids, translate
from graphrec.door.quarantine import Quarantine
from graphrec.errors import DataError, EmptyDataError


def raw(**columns: list[Any]) -> pd.DataFrame:
    frame = pd.DataFrame({n: pd.Series(values, dtype=object) for n, values in columns.items()})
    n = len(frame)
    for column in ("user_id", "item_id"):
        if column not in frame:
            frame[column] = [f"{column[0]}{k}" for k in range(n)]
    return frame.assign(file="f.csv", line=range(1, n + 1))


def reasons(frame: pd.DataFrame, **options: Any) -> dict[int, str]:
    """Line → reason, of a load that keeps at least one row."""
    quarantine = Quarantine()
    kept = check_events(frame, quarantine, "f.csv", allow_bad=1, **options)
    assert quarantine.rows_read == len(kept) + len(quarantine) == len(frame)
    assert [row.line for row in quarantine] == sorted(row.line for row in quarantine)
    return {row.line: row.reason for row in quarantine}


def test_ids() -> None:
    ids = [
        "ok",
        "",
        "  ",
        None,
        float("nan"),
        7,
        True,
        ["x"],
        "a\tb",
        "a\x00",
        "\ud800",
        "x" * MAX_ID,
        "x" * (MAX_ID + 1),
    ]
    missing, control = "user_id is missing", "user_id holds control characters"
    assert reasons(raw(user_id=ids)) == {
        **dict.fromkeys((2, 3, 4, 5, 7), missing),
        8: "user_id holds several values",
        **dict.fromkeys((9, 10, 11), control),
        13: f"user_id is longer than {MAX_ID} characters",
    }
    kept = check_events(raw(item_id=ids), Quarantine(allow_bad=1), "f.csv")
    assert kept["item_id"].tolist() == ["ok", "7", "x" * MAX_ID]


def test_ratings() -> None:
    ratings = [5, "1.5", "4", "NaN", math.nan, None, "", "five", math.inf, "-inf", 0, 6, True, [3], "9" * 400, {}]
    number, limits = "rating is not a number", "rating out of range (1 to 5)"
    assert reasons(raw(rating=ratings), rating_range=(1, 5)) == {
        **dict.fromkeys((4, 5, 6, 7), "rating is missing"),
        **dict.fromkeys((8, 13, 14, 16), number),
        **dict.fromkeys((9, 10, 11, 12, 15), limits),
    }
    assert reasons(raw(rating=[0, 1e9, -0.5, 1e39, 10**400])) == dict.fromkeys(
        (4, 5), "rating out of range (no finite number)"
    )


def test_no_ratings_at_all_are_no_values() -> None:
    for frame in (raw(user_id=["a", "b"]), raw(rating=[None, ""])):
        kept = check_events(frame, Quarantine(), "f.csv")
        assert kept["value"].isna().all()
        assert kept["value"].dtype == np.float32


def test_times() -> None:
    times = [0, "10.9", "1388534400000", "2014-01-01", "2014-01-01T01:00:00+01:00", 1e9]
    bad = ["", None, "yesterday", -1, 4_102_444_800, "2101-01-01", "1969-12-31", math.inf, "2014-02-31"]
    missing, unread, impossible = (
        "timestamp is missing",
        "timestamp cannot be read",
        "timestamp is before 1970 or after 2100",
    )
    frame = raw(timestamp=times + bad)
    found = reasons(frame)
    assert [found[n] for n in sorted(found)] == [
        *(missing, missing, unread, impossible, impossible, impossible, impossible, impossible, unread)
    ]
    kept = check_events(frame, Quarantine(allow_bad=1), "f.csv")
    assert kept["timestamp"].tolist() == [0, 10, 1388534400, 1388534400, 1388534400, 10**9]
    assert kept["timestamp"].dtype == np.int64


@pytest.mark.parametrize(
    ("n_with", "n_without", "has_times"), [(3, 0, True), (2, 1, True), (1, 2, False), (0, 3, False)]
)
def test_rows_without_a_time(n_with: int, n_without: int, has_times: bool) -> None:
    quarantine = Quarantine(allow_bad=1)
    kept = check_events(raw(timestamp=["5"] * n_with + [""] * n_without), quarantine, "f.csv")
    assert ("timestamp" in kept) == has_times
    assert len(quarantine) == (n_without if has_times else 0)


def test_texts() -> None:
    texts = ["as it is \n &amp;", None, "x" * MAX_TEXT, "x" * (MAX_TEXT + 1), 5, "\ud83d", "\U0001f600"]
    frame = raw(text=texts)
    assert reasons(frame) == {
        4: "text is longer than 100,000 characters",
        5: "text is not a string",
        6: "text is not valid Unicode",
    }
    kept = check_events(frame, Quarantine(allow_bad=1), "f.csv")
    assert kept["text"].tolist() == [texts[0], "", texts[2], texts[6]]


def test_nothing_left_is_explained_in_one_line() -> None:
    frame = raw(rating=["x\ny", "z", 3], user_id=["a", "b", ""])
    with pytest.raises(EmptyDataError) as caught:
        check_events(frame, Quarantine(), "in/f.csv")
    assert str(caught.value) == (
        "in/f.csv: none of 3 rows can be used; most often: rating is not a number (2 rows); "
        r"first: f.csv:1: rating is not a number (found 'x\ny'); name the right column in data.toml ([columns] rating "
        '= "…"), or its decimal sign (decimal = "," under [[events]])'
    )
    with pytest.raises(EmptyDataError, match="no rows"):
        check_events(raw(user_id=[]), Quarantine(), "f.csv")


BAD: dict[str, tuple[dict[str, list[Any]], str]] = {  # reason → a column with such a value, and what mends it
    "user_id is missing": ({"user_id": ["NULL"]}, r"\[columns\] user_id ="),
    "rating is not a number": ({"rating": ["five"]}, 'decimal = ","'),
    "rating is missing": ({"rating": [""]}, r"\[columns\] rating ="),
    "timestamp cannot be read": ({"timestamp": ["soon"]}, 'date_format = "%d.%m.%Y'),
    "timestamp is missing": ({"timestamp": [""]}, "unit ="),
    "text is not a string": ({"text": [5]}, "correct these rows"),
    "latitude is not between -90 and 90": ({"latitude": ["91"]}, r"\[columns\] latitude ="),
}
GOOD = {"user_id": "u", "rating": "4", "timestamp": "2019-11-02", "text": "fine", "latitude": "48.1"}


@pytest.mark.parametrize("reason", BAD)
@pytest.mark.parametrize(("n_bad", "n_good"), [(1, 19), (1, 18)])
def test_a_reason_may_set_aside_a_twentieth(reason: str, n_bad: int, n_good: int) -> None:
    column, remedy = BAD[reason]
    (name,) = column
    frame = raw(**{name: [GOOD[name]] * n_good + column[name] * n_bad})
    if n_bad <= 0.05 * len(frame):
        assert reasons(frame) == {len(frame): reason}
        return
    with pytest.raises(DataError, match=remedy) as caught:
        check_events(frame, Quarantine(), "f.csv")
    message = str(caught.value)
    assert message.startswith(f"f.csv: 1 of 19 rows (5%) are set aside: {reason}; first: f.csv:19: {reason}")
    assert message.endswith("or accept it with --allow-bad 0.06")
    assert "\n" not in message
    assert len(check_events(frame, Quarantine(), "f.csv", allow_bad=0.06)) == 18
    assert len(check_events(frame, Quarantine(allow_bad=0.06), "f.csv")) == 18


def test_rows_that_the_reader_set_aside_count_too() -> None:
    quarantine = Quarantine()
    for line in (10, 11):
        quarantine.add("f.csv", line, "too many fields", "7 fields for 3 columns")
        quarantine.add("other.csv", line, "too many fields")
    with pytest.raises(
        DataError, match=r"f\.csv: 2 of 11 rows \(18%\) are set aside: too many fields; first: f\.csv:10"
    ):
        check_events(raw(user_id=["u"] * 9), quarantine, "f.csv")
    quarantine = Quarantine()
    quarantine.add("f.csv", 10, "the compressed file breaks off")
    assert len(check_events(raw(user_id=["u"] * 9), quarantine, "f.csv")) == 9


def test_the_share_that_an_error_names_accepts_everything() -> None:
    frame = raw(item_id=["NULL"] * 2 + ["i"] * 18, user_id=["u"] * 10 + ["nan"] * 3 + ["v"] * 7)
    with pytest.raises(DataError, match=r"3 of 20 rows \(15%\) .* user_id is missing .* --allow-bad 0\.15$"):
        check_events(frame, Quarantine(), "f.csv")
    assert len(check_events(frame, Quarantine(allow_bad=0.15), "f.csv")) == 15


def test_side_files_follow_the_same_rule() -> None:
    frame = raw(user_id=["u", "", "v"])
    with pytest.raises(DataError, match="1 of 3 rows"):
        check_ids(frame, Quarantine(), "user_id")
    assert check_ids(frame, Quarantine(), "user_id", allow_bad=0.4)["user_id"].tolist() == ["u", "v"]


def test_kinds_of_which_most_have_no_rating_keep_their_events() -> None:
    frame = raw(rating=["5", "", "", "", "4", "3"] + ["2"] * 20, kind=[1, 1, 1, 0, 0, 0] + [0] * 20)
    quarantine = Quarantine()
    kept = check_events(frame, quarantine, "f.csv")
    assert [(b.line, b.reason) for b in quarantine] == [(4, "rating is missing")]
    assert kept["kind"].tolist()[:5] == [1, 1, 1, 0, 0]
    assert kept["kind"].dtype == np.uint8
    np.testing.assert_array_equal(kept["value"].iloc[:5], np.array([5, math.nan, math.nan, 4, 3], np.float32))
    assert quarantine.warnings == ["only 1 of 3 events have a rating; the others count as events without one"]


def test_places() -> None:
    kept = check_events(raw(latitude=["48,1", "", None], longitude=[11, None, -180]), Quarantine(), "f.csv")
    np.testing.assert_array_equal(kept["latitude"], [48.1, math.nan, math.nan])
    np.testing.assert_array_equal(kept["longitude"], [11, math.nan, -180])


def test_how_values_were_read_is_noted() -> None:
    quarantine = Quarantine()
    frame = raw(
        user_id=["1.0", "2.0", "3.0"],
        item_id=["1.2E+11", "b", "c"],
        rating=["4,5", "3", "1"],
        timestamp=["02.11.2019 09:05", "02.11.2019 11:05", "02.11.2019"],
    )
    kept = check_events(frame, quarantine, "f.csv", time_form=TimeForm(zone="Europe/Berlin"))
    assert kept["user_id"].tolist() == ["1", "2", "3"]
    assert quarantine.how == {
        "user_id": "whole numbers written with decimals: 12.0 is 12",
        "rating": "numbers with a decimal comma",
        "timestamp": "dates, day first, e.g. 02.11.2019 09:05, in Europe/Berlin",
    }
    shortened, day = quarantine.warnings
    assert "item_id: 1 ids such as '1.2E+11'" in shortened
    assert day.startswith("f.csv: all times lie within one day (2019-11-01)")


def test_times_that_most_rows_lack_are_left_out_with_a_warning() -> None:
    quarantine = Quarantine()
    kept = check_events(raw(timestamp=["5", "", ""]), quarantine, "f.csv")
    assert "timestamp" not in kept
    assert quarantine.warnings == ["f.csv: only 1 of 3 rows have a time; times are left out"]


def test_translate_sets_unknown_numbers_aside() -> None:
    quarantine = Quarantine()
    out = translate(raw(user_id=[1, 2, 3]), "user_id", {"1": "a", "3": "c"}, "map.txt", quarantine)
    assert out["user_id"].tolist() == ["a", "c"]
    assert [str(row) for row in quarantine] == ["f.csv:2: user_id has no entry in map.txt (found '2')"]


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=5), st.lists(st.integers())
)
ROWS = st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING, ANYTHING), max_size=8)


@given(ROWS)
def test_whatever_comes_either_passes_clean_or_is_set_aside(rows: list[tuple[Any, ...]]) -> None:
    users, ratings, times, texts = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [])
    frame = raw(user_id=users, rating=ratings, timestamp=times, text=texts)
    quarantine = Quarantine(allow_bad=1)
    try:
        kept = check_events(frame, quarantine, "f.csv")
    except EmptyDataError:
        assert len(quarantine) == len(frame)
        return
    assert quarantine.rows_read == len(kept) + len(quarantine) == len(frame)
    assert not np.isinf(kept["value"]).any()
    assert all(i.strip() and i.encode() for i in kept["user_id"])
    assert all(isinstance(t, str) and t.encode() is not None for t in kept["text"])


def test_what_lies_in_the_future_is_said() -> None:
    quarantine = Quarantine()
    table = pd.DataFrame(
        {"user_id": list("aab"), "item_id": list("xyx"), "timestamp": [1_600_000_000] * 2 + [4_000_000_000]}
    )
    kept = check_events(table.assign(file="log", line=range(3)), quarantine, "log")
    assert len(kept) == 3
    assert [w for w in quarantine.warnings if "1 events lie in the future (the latest on 2096-10-02)" in w]


def test_who_has_more_events_than_a_person_makes_is_named() -> None:
    n = 100_000
    quarantine = Quarantine()
    table = pd.DataFrame({"user_id": ["robot"] * n + ["a"], "item_id": [f"i{k % 50}" for k in range(n + 1)]})
    assert len(check_events(table.assign(file="log", line=range(n + 1)), quarantine, "log")) == n + 1
    assert [w for w in quarantine.warnings if "user 'robot' has 100,000 events" in w]
