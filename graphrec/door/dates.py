"""Written dates → seconds since 1970. The form is decided over all distinct values of a column."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.door.values import Floats, Mask

_MONTHS = (
    ("jan", "january", "januar", "jän", "jänner", "janvier", "enero", "ene", "gennaio", "gen"),
    ("feb", "february", "februar", "février", "fév", "févr", "febrero", "febbraio"),
    ("mar", "march", "märz", "mär", "mrz", "mars", "marzo"),
    ("apr", "april", "avril", "avr", "abril", "abr", "aprile"),
    ("may", "mai", "mayo", "maggio", "mag"),
    ("jun", "june", "juni", "juin", "junio", "giugno", "giu"),
    ("jul", "july", "juli", "juillet", "juil", "julio", "luglio", "lug"),
    ("aug", "august", "août", "aout", "agosto", "ago"),
    ("sep", "sept", "september", "septembre", "septiembre", "settembre", "set"),
    ("oct", "october", "oktober", "okt", "octobre", "octubre", "ottobre", "ott"),
    ("nov", "november", "novembre", "noviembre"),
    ("dec", "december", "dezember", "dez", "décembre", "déc", "diciembre", "dic", "dicembre"),
)
_NUMBER_OF = {name: f"m{n:02d}" for n, names in enumerate(_MONTHS, 1) for name in names}
_MONTH = r"(?<![^\W\d_])(" + "|".join(sorted(_NUMBER_OF, key=len, reverse=True)) + r")\.?(?![^\W\d_])"
_DAY_NAME = (
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[,.]?\s+"
    r"|^(?:mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)[,.]+\s*"
)
_CLOCK = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2}(?:[.,]\d+)?))?\s*(?P<p>[ap]\.?m\.?)?(?:\s*uhr)?"
_ZONE = r"(?P<z>z|(?:utc|gmt)?[+-]\d{2}:?\d{2}|utc|gmt)"
_REST = rf"(?:[\s,t:]+{_CLOCK})?(?:\s*\(?{_ZONE}\)?)?$"
_YEAR = r"(?P<Y>\d{4}|\d{2})(?!\d)"
_APART = (  # what comes before the time of the day, the time with its zone, and what comes behind (a year)
    r"(?i)^(?P<before>.*?)(?P<clock>(?:[\sT,:]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[ap]\.?m\.?)?(?:\s*uhr)?"
    r"(?:\s*(?:z|utc|gmt|(?:utc|gmt)?[+-]\d{2}:?\d{2}))?)?)(?P<after>(?:\s+\d{4})?)$"
)
_THE_2ND = 946_771_200.0  # 2000-01-02
MANY = 5000  # distinct dates
_FORMS = (  # "a" and "b": which is the day is to be proven
    rf"^(?P<Y>\d{{4}})\s*[./\-\s]\s*(?P<m>\d{{1,2}})[./\-\s]\s*(?P<d>\d{{1,2}}){_REST}",
    rf"^(?P<a>\d{{1,2}})\s*(?P<s>[./\-\s])\s*(?P<b>\d{{1,2}})[./\-\s,]+{_YEAR}{_REST}",
    rf"^(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s./\-]*m(?P<m>\d{{2}})[\s./\-,]*{_YEAR}{_REST}",
    rf"^m(?P<m>\d{{2}})[\s.\-]*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[,\s]+(?P<Y>\d{{4}})(?!\d){_REST}",
    rf"^m(?P<m>\d{{2}})\s+(?P<d>\d{{1,2}})\s+{_CLOCK}(?:\s+{_ZONE})?\s+(?P<Y>\d{{4}})$",
    r"^m(?P<m>\d{2})[\s,/\-]+(?P<Y>\d{4})$",
    r"^(?P<m>\d{1,2})/(?P<Y>\d{4})$",
)


@dataclass(frozen=True)
class Dates:
    """Seconds since 1970, NaN where nothing could be read. ``aware`` ones name their zone; the others are local."""

    seconds: Floats
    aware: Mask
    how: str
    warnings: tuple[str, ...] = ()


def parse_dates(text: pd.Series, name: str) -> Dates:
    """Distinct written dates, all read by the one form that reads most of them. ``name`` is for warnings."""
    if len(text) > MANY and (found := _in_two(text, name)) is not None:
        return found
    return _parse(text, name)


def _in_two(text: pd.Series, name: str) -> Dates | None:
    """Many dates with a time of the day: days and times apart, since there are few of each. None where that fails."""
    try:
        found = pc.extract_regex(pa.array(text.astype(object), pa.string()), _APART)
    except (pa.ArrowException, UnicodeEncodeError):
        return None
    before, clock, after = (pc.struct_field(found, [n]) for n in range(3))
    if found.null_count:
        return None
    days, of_day = pd.factorize(pd.Series(pc.binary_join_element_wise(before, after, "")))
    clocks, of_clock = pd.factorize(pd.Series(clock))
    if len(of_day) + len(of_clock) > len(text) / 2:
        return None
    times = pd.Series(of_clock, dtype="str")
    half_day = bool(times.str.contains(r"(?i)\d\s*[ap]\.?m", regex=True).any())
    day = _parse(pd.Series(of_day, dtype="str"), name, half_day)
    time = _parse("2000-01-02" + times, name)
    seconds = day.seconds[days] + time.seconds[clocks] - _THE_2ND
    if not np.isfinite(seconds).all():
        return None
    warnings = _parse(text.iloc[:MANY], name).warnings if day.warnings else ()
    example = f", e.g. {text.iloc[0]}"
    return Dates(seconds, time.aware[clocks], day.how.partition(", e.g.")[0] + example, warnings or day.warnings)


def _parse(text: pd.Series, name: str, half_day: bool = False) -> Dates:
    best = _iso(text)
    if np.isfinite(best.seconds).all():
        return best
    lower = text.str.lower().str.replace(r"[\s\u00a0\u202f]+", " ", regex=True)
    lower = lower.str.replace(r"[年月]", "-", regex=True).str.replace("日", " ", regex=False).str.strip()
    if lower.str.contains(r"[^\W\d_]{2}", regex=True).any():
        lower = lower.str.replace(_DAY_NAME, "", regex=True)
        lower = lower.astype(object).str.replace(_MONTH, lambda m: _NUMBER_OF[m[1]], regex=True)
    for form in _FORMS:
        found = _by_form(lower.astype(object), text, form, name, half_day)
        if np.isfinite(found.seconds).sum() > np.isfinite(best.seconds).sum():
            best = found
        if np.isfinite(best.seconds).all():
            break
    return best


def from_parts(year: npt.NDArray[np.int64], month: npt.NDArray[np.int64], day: npt.NDArray[np.int64]) -> Floats:
    """Midnight of a day in seconds since 1970, NaN where the calendar has no such day."""
    good = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1) & (year <= 9999)
    months = (np.where(good, year, 1970) - 1970) * 12 + np.where(good, month, 1) - 1
    first = months.astype("datetime64[M]")
    date = first.astype("datetime64[D]") + (np.where(good, day, 1) - 1)
    good &= date.astype("datetime64[M]") == first
    return np.where(good, date.astype(np.int64) * 86_400.0, np.nan)


def seconds_since_1970(times: pd.Series) -> Floats:
    """Datetimes as float64 seconds, NaN for NaT; those without a zone as if in UTC."""
    values = pd.to_datetime(times, utc=True).dt.tz_convert(None).to_numpy()
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[np.datetime_data(values.dtype)[0]]
    return np.where(np.isnat(values), np.nan, values.astype(np.int64) / per_second)


def _iso(text: pd.Series) -> Dates:
    plain = text.astype(object)
    if text.str.contains(r"(?i)(?:utc|gmt)$|^\d{4}[./]", regex=True).any():
        plain = plain.str.replace(r"(?i)\s*(?:utc|gmt)$", "Z", regex=True)
        plain = plain.str.replace(r"^(\d{4})[./](\d{2})[./]", r"\1-\2-", regex=True)
    found = pd.to_datetime(plain, utc=True, format="ISO8601", errors="coerce")
    seconds = seconds_since_1970(found)
    aware = text.str.contains(
        r"(?i):\d{2}(?:[.,]\d+)?\s*(?:z|utc|gmt|[+-]\d{2}(?::?\d{2})?)$|\d\s*(?:utc|gmt)$", regex=True
    )
    how = f"dates, year first, e.g. {text.iloc[0]}" if len(text) else "dates"
    return Dates(seconds, aware.to_numpy(np.bool_), how)


def _by_form(lower: pd.Series, text: pd.Series, form: str, name: str, half_day: bool) -> Dates:
    parts = lower.str.extract(form)
    whole = {
        str(c): pd.to_numeric(parts[c], errors="coerce").fillna(0).to_numpy(np.int64)
        for c in parts
        if str(c) in "YmdabHM"
    }
    matched = parts["Y"].notna().to_numpy(np.bool_, copy=True)
    warnings: tuple[str, ...] = ()
    year = whole["Y"]
    short = parts["Y"].str.len().to_numpy(np.float64, na_value=4) == 2
    year = np.where(short, np.where(year < 70, 2000, 1900) + year, year)
    month, day = whole.get("m"), whole.get("d", np.ones(len(parts), np.int64))
    how = "dates"
    if month is None:
        a, b = whole["a"], whole["b"]
        day_first, sure = _day_first(a[matched], b[matched], parts[matched], half_day)
        month, day = (b, a) if day_first else (a, b)
        how = "dates, day first" if day_first else "dates, month first"
        if not sure and matched.any():
            example, other = str(text[matched].iloc[0]), _format(parts[matched].iloc[0], not day_first)
            warnings = (
                f"{name}: dates such as {example!r} are read {'day' if day_first else 'month'} first, which nothing in "
                f'the column proves; if that is wrong, say date_format = "{other}" in data.toml',
            )
    seconds = from_parts(year, month, day)
    aware = np.zeros(len(parts), np.bool_)
    if "H" in parts:
        hour, minute = whole["H"], whole["M"]
        second = pd.to_numeric(parts["S"].str.replace(",", "."), errors="coerce").fillna(0).to_numpy(np.float64)
        half = parts["p"].str[0]
        hour = np.where(half.notna(), hour % 12 + 12 * (half == "p").to_numpy(), hour)
        matched &= (hour < 24) & (minute < 60) & (second < 61)
        seconds = seconds + hour * 3600 + minute * 60 + second
        aware = parts["z"].notna().to_numpy()
        seconds -= np.array([_offset(z) for z in parts["z"].fillna("")], np.float64)
    seconds = np.where(matched, seconds, np.nan)
    return Dates(seconds, aware, f"{how}, e.g. {text[matched].iloc[0]}" if matched.any() else how, warnings)


def _format(parts: pd.Series, day_first: bool) -> str:
    """The other reading of a date as a format of strptime."""
    sep, year = str(parts["s"]), "%y" if len(parts["Y"]) == 2 else "%Y"
    date = sep.join(("%d", "%m", year) if day_first else ("%m", "%d", year))
    if not isinstance(parts["H"], str):
        return date
    seconds = ":%S" if isinstance(parts["S"], str) else ""
    return f"{date} %I:%M{seconds} %p" if isinstance(parts["p"], str) else f"{date} %H:%M{seconds}"


def _day_first(
    a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], parts: pd.DataFrame, half_day: bool
) -> tuple[bool, bool]:
    """Whether the first of two numbers is the day, and whether that is sure.

    A number above 12 proves it. Else: points stand between day and month (German), a comma or AM and PM are American;
    else the number that takes more values is the day.
    """
    first, second = int((a > 12).sum()), int((b > 12).sum())
    if first or second:
        return first >= second, True
    if len(a) and (parts["s"] == ".").all():
        return True, True
    if len(a) and (parts["s"] == " ").all():
        return False, True  # "11 02, 2019"
    if half_day or ("p" in parts and parts["p"].notna().any()):
        return False, False
    return len(np.unique(a)) > len(np.unique(b)), False


def _offset(zone: str) -> float:
    """Seconds east of Greenwich: 3600 for "+01:00"."""
    found = re.search(r"([+-])(\d{2}):?(\d{2})$", zone)
    if found is None:
        return 0.0
    return (1 if found[1] == "+" else -1) * (int(found[2]) * 3600.0 + int(found[3]) * 60.0)
