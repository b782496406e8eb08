"""Times in the forms in which people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.door import dates
from graphrec.door.times import times
from graphrec.errors import ConfigError

NOV_2 = datetime(2019, 11, 2, 9, 5, 58, tzinfo=UTC)
MIDNIGHT = datetime(2019, 11, 2, tzinfo=UTC)


def read(*values: Any, dtype: Any = None, **declared: Any) -> list[datetime | None]:
    column = pd.Series(list(values), dtype=dtype or ("str" if isinstance(values[0], str) else None))
    found = times(column, **declared).seconds
    return [None if np.isnan(s) else datetime.fromtimestamp(s, UTC) for s in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-11-02 09:05:58", NOV_2),
        ("2019-11-02T09:05:58Z", NOV_2),
        ("2019-11-02 09:05:58 UTC", NOV_2),
        ("2019-11-02T10:05:58+01:00", NOV_2),
        ("2019/11/02 09:05:58", NOV_2),
        ("2019-11-2 9:05:58", NOV_2),
        ("Sat Nov 02 09:05:58 +0000 2019", NOV_2),
        ("Sat Nov  2 09:05:58 2019", NOV_2),
        ("Sat, 02 Nov 2019 10:05:58 +0100", NOV_2),
        ("02/Nov/2019:09:05:58 +0000", NOV_2),
        ("11/02/2019 09:05:58 AM", NOV_2),
        ("02.11.2019 09:05:58", NOV_2),
        ("2. November 2019 09:05:58 Uhr", NOV_2),
        ("November 2nd, 2019", MIDNIGHT),
        ("2019年11月2日", MIDNIGHT),
        ("11 02, 2019", MIDNIGHT),
        ("2 nov. 2019", MIDNIGHT),
        ("20191102", MIDNIGHT),
        ("20191102090558", NOV_2),
        ("1572685558", NOV_2),
        ("1572685558000", NOV_2),
        ("1572685558000000", NOV_2),
        ("1572685558000000000", NOV_2),
        ("43771", MIDNIGHT),
        ("2019", datetime(2019, 1, 1, tzinfo=UTC)),
        ("201911", datetime(2019, 11, 1, tzinfo=UTC)),
        ("2019-11", datetime(2019, 11, 1, tzinfo=UTC)),
        ("11/2019", datetime(2019, 11, 1, tzinfo=UTC)),
    ],
)
def test_usual_forms(text: str, expected: datetime) -> None:
    assert read(text) == [expected]
    assert read(text, "", " NULL ") == [expected, None, None]
    assert read(text, dtype=object) == [expected]


def test_native_types() -> None:
    assert read(pd.Timestamp(NOV_2), None) == [NOV_2, None]
    assert read(pd.Timestamp("2019-11-02 10:05:58", tz="Europe/Berlin")) == [NOV_2]
    assert read(date(2019, 11, 2), dtype=object) == [MIDNIGHT]
    assert read(1572685558.0, float("nan")) == [NOV_2, None]
    assert read(20191102, dtype="int64") == [MIDNIGHT]


@pytest.mark.parametrize(
    ("texts", "days", "how", "sure"),
    [
        (["02/11/2019", "13/11/2019"], [2, 13], "day first", True),
        (["11/02/2019", "11/13/2019"], [2, 13], "month first", True),
        (["02.11.2019", "03.11.2019"], [2, 3], "day first", True),
        (["11/02/2019", "11/03/2019", "11/04/2019"], [2, 3, 4], "month first", False),
        (["02/11/2019", "03/11/2019", "04/11/2019"], [2, 3, 4], "day first", False),
        (["02-11-19", "30-11-19"], [2, 30], "day first", True),
    ],
)
def test_the_day_is_proven_over_the_column(texts: list[str], days: list[int], how: str, sure: bool) -> None:
    found = times(pd.Series(texts, dtype="str"))
    got = [datetime.fromtimestamp(s, UTC) for s in found.seconds]
    assert [(t.month, t.day) for t in got] == [(11, d) for d in days]
    assert how in found.how
    assert (not found.warnings) == sure
    if not sure:  # the setting that the warning names gives the other reading
        (warning,) = found.warnings
        other = warning.split('date_format = "')[1].split('"')[0]
        assert [(t.day, t.month) for t in read(*texts, date_format=other) if t] == [(11, d) for d in days]


def test_declared_forms() -> None:
    assert read("2019 2 Nov|09h05m58", date_format="%Y %d %b|%Hh%Mm%S") == [NOV_2]
    assert read("2019-11-02 10:05:58", zone="Europe/Berlin") == [NOV_2]
    assert read("2019-11-02T09:05:58Z", zone="Europe/Berlin") == [NOV_2]  # what names its zone keeps it
    assert read("02.11.2019 10:05:58", "", date_format="%d.%m.%Y %H:%M:%S", zone="Europe/Berlin") == [NOV_2, None]
    assert read(1572685, unit="s") == [datetime.fromtimestamp(1572685, UTC)]
    assert read("18202", unit="days") == [MIDNIGHT]
    assert read("20191102", unit="yyyymmdd") == [MIDNIGHT]
    assert read("1572685558000", unit="ms") == [NOV_2]
    with pytest.raises(ConfigError, match="is no time zone"):
        read("2019-11-02", zone="Europe/Atlantis")


def test_an_order_is_no_date_and_1970_is_never_silent() -> None:
    found = times(pd.Series(range(5)))
    assert found.order
    assert found.seconds.tolist() == [0, 1, 2, 3, 4]
    assert "no dates" in found.how
    assert "order of events" in found.warnings[0]
    assert times(pd.Series([0.25, 0.5, 0.25])).seconds.tolist() == [0, 1, 0]
    found = times(pd.Series([0, 1572685558, 1572685559]))
    assert found.warnings == ("timestamp: 1 times are 0 or lie before 1973; are they times?",)
    assert not found.order


def test_units_may_be_mixed() -> None:
    column = pd.Series(["1572685558", "1572685558000", "1572685558", "2019-11-02 09:05:58"], dtype="str")
    assert read(*column) == [NOV_2] * 4
    assert "1 times are in another unit" in times(column).warnings[0]


def test_what_cannot_be_read_is_no_time() -> None:
    found = times(pd.Series(["2019-11-02", "yesterday", "2019-02-31", ""], dtype="str"))
    assert np.isnan(found.seconds).tolist() == [False, True, True, True]
    assert found.blank.tolist() == [False, False, False, True]
    assert np.isnan(times(pd.Series(["soon", "later"])).seconds).all()


FORMATS = [
    "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d %b %Y %H:%M:%S",
    "%a %b %d %H:%M:%S +0000 %Y", "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%SZ", "%d/%b/%Y:%H:%M:%S +0000",
]  # fmt: skip
SECONDS = st.lists(st.integers(10**8 + 1, 4 * 10**9), min_size=1, max_size=20)


@given(SECONDS, st.sampled_from(FORMATS), st.booleans())
def test_what_strftime_writes_is_read_back(seconds: list[int], form: str, many: bool) -> None:
    """Also where there are many distinct ones, of which days and times are read apart."""
    seconds = [*seconds, 1577779199]  # the 31st proves the day
    texts = [datetime.fromtimestamp(s, UTC).strftime(form) for s in seconds]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dates, "MANY", 0 if many else 10**9)
        assert times(pd.Series(texts * 5, dtype="str")).seconds.tolist() == seconds * 5


ANY = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.dates().map(str))


@given(st.lists(ANY, max_size=8))
def test_whatever_comes_is_a_time_or_none(values: list[Any]) -> None:
    found = times(pd.Series(values, dtype=object))
    assert len(found.seconds) == len(found.blank) == len(values)
