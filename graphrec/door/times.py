"""Times out of whatever form they came in: decided over the whole column by proof, or as declared."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.door.dates import Dates, from_parts, parse_dates, seconds_since_1970
from graphrec.door.values import Floats, Mask, Numbers, blanks, distinct, numbers
from graphrec.errors import ConfigError

Unit: TypeAlias = Literal["s", "ms", "us", "ns", "days", "excel", "year", "yyyymmdd", "order"]

LATEST = 4_102_444_800  # 2100-01-01 in seconds since 1970
SAMPLE = 2000  # values looked at to see whether there are numbers
EPOCH_FROM = 1e8  # seconds since 1970 (1973): no log is older, and numbers below are something else
EXCEL_DAY_0 = 25_569  # 1970-01-01 as a spreadsheet counts days
_UNITS: dict[str, tuple[float, str]] = {
    "s": (1.0, "seconds"),
    "ms": (1e3, "milliseconds"),
    "us": (1e6, "microseconds"),
    "ns": (1e9, "nanoseconds"),
}
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
UNITS: tuple[Unit, ...] = ("s", "ms", "us", "ns")
ACCEPTED = (
    "seconds, milliseconds, microseconds or nanoseconds since 1970, 2019-11-02 09:05:58 (also with UTC or a zone), "
    "02.11.2019 09:05, 11/02/2019 09:05 AM, Sat Nov 02 09:05:58 +0000 2019, 2 Nov 2019, 20191102, a year, or days as a "
    "spreadsheet counts them"
)


@dataclass(frozen=True)
class Times:
    """Seconds since 1970 (UTC), NaN where there are none; ``blank`` where nothing stands.

    ``how``: how they were read, for the report. ``order``: no dates but the order of events, as it came.
    """

    seconds: Floats
    blank: Mask
    how: str
    order: bool = False
    warnings: tuple[str, ...] = ()


def times(
    column: pd.Series,
    *,
    date_format: str | None = None,
    zone: str | None = None,
    unit: Unit | None = None,
    name: str = "timestamp",
) -> Times:
    """Times of a column of strings, numbers or datetimes.

    Args:
        date_format: as in ``strptime``; None finds the form out from all values.
        zone: the IANA zone of times that name none; None is UTC.
        unit: what numbers are; None finds it out.
        name: the column, for warnings.

    Raises ConfigError for a zone that does not exist.
    """
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(f"zone = {zone!r} is no time zone; name one as in 'Europe/Berlin' or 'UTC'") from None
    if pd.api.types.is_datetime64_any_dtype(column):
        aware = getattr(column.dt, "tz", None) is not None
        seconds = seconds_since_1970(column)
        return _settled(Dates(seconds, np.full(len(column), aware), "dates"), column.isna().to_numpy(), zone)
    if date_format is not None:
        return _declared(column, date_format, zone)
    if unit is None and (fast := _iso_by_arrow(column)) is not None:
        return _settled(fast, np.isnan(fast.seconds), zone)
    found = Numbers(np.full(len(column), np.nan), blanks(column)) if _is_text(column) else numbers(column, name=name)
    something = ~found.blank
    n_numbers = int(np.isfinite(found.values).sum())
    if unit is not None or not something.any():
        return _of_numbers(found.values, found.blank, unit, zone, name)
    if 2 * n_numbers > int(something.sum()):
        best = _of_numbers(found.values, found.blank, None, zone, name)
        other = None if best.order else _of_text(column, np.isnan(found.values) & something, zone, name)
    else:
        best = _of_text(column, something, zone, name)
        other = _of_numbers(found.values, found.blank, None, zone, name) if n_numbers else None
    if other is None or other.order:
        return best
    return replace(best, seconds=np.where(np.isnan(best.seconds), other.seconds, best.seconds))


def _iso_by_arrow(column: pd.Series) -> Dates | None:
    """YYYY-MM-DD[ hh:mm[:ss[.f]]], all with Z or UTC behind it or none; NaN for ""; None where one is anything else."""
    if not isinstance(column.dtype, pd.StringDtype) or column.dtype.storage != "pyarrow" or not len(column):
        return None
    arrow = pa.array(column)
    arrow = pc.if_else(pc.equal(pc.binary_length(arrow), 0), pa.scalar(None, arrow.type), arrow)
    first = pc.first(arrow).as_py() or ""
    if not _ISO.match(first):
        return None
    of_utc = next((mark for mark in ("Z", " UTC", " GMT", "+00:00", "+0000") if first.endswith(mark)), "")
    try:
        if of_utc:
            if not pc.all(pc.ends_with(arrow, of_utc)).as_py():
                return None
            arrow = pc.utf8_slice_codeunits(arrow, 0, -len(of_utc))
        found = pc.cast(pc.cast(arrow, pa.timestamp("us")), pa.int64())
    except pa.ArrowInvalid:
        return None
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    if found.null_count == len(found):
        return None
    seconds = np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.float64) / 1e6
    return Dates(seconds, np.full(len(seconds), bool(of_utc)), f"dates, year first, e.g. {first}")


def _is_text(column: pd.Series) -> bool:
    """Whether a sample of a column of strings holds no number at all."""
    if not isinstance(column.dtype, pd.StringDtype):
        return False
    some = column.iloc[:: max(1, len(column) // SAMPLE)]
    found = numbers(some)
    return bool((~found.blank).any() and np.isnan(found.values).all())


def _of_text(column: pd.Series, rows: Mask, zone: str | None, name: str) -> Times:
    """The times of some rows, as written dates; NaN for the others."""
    out = Times(np.full(len(column), np.nan), ~rows, "dates")
    if not rows.any():
        return out
    codes, text = distinct(column[rows])
    none = blanks(text)
    if none.all():
        return out
    dates = parse_dates(text[~none].str.strip(), name)
    seconds, aware = np.full(len(text) + 1, np.nan), np.zeros(len(text) + 1, np.bool_)
    at = np.flatnonzero(~none)
    seconds[at], aware[at] = dates.seconds, dates.aware
    found = _settled(replace(dates, seconds=seconds[codes], aware=aware[codes]), ~rows[rows], zone)
    out.seconds[rows] = found.seconds
    return replace(found, seconds=out.seconds, blank=~rows)


def _declared(column: pd.Series, date_format: str, zone: str | None) -> Times:
    codes, text = distinct(column)
    none = blanks(text)
    aware = "%z" in date_format or "%Z" in date_format
    try:
        found = pd.to_datetime(text.astype(object).str.strip(), format=date_format, utc=aware, errors="coerce")
    except ValueError as error:
        raise ConfigError(f"date_format = {date_format!r} is no format of strptime ({error})") from None
    seconds = np.append(seconds_since_1970(found), np.nan)[codes]
    blank = np.append(none, True)[codes]
    return _settled(Dates(seconds, np.full(len(codes), aware), f"dates by the format {date_format}"), blank, zone)


def _settled(dates: Dates, blank: Mask, zone: str | None) -> Times:
    """Local times turned into UTC."""
    local = ~dates.aware & np.isfinite(dates.seconds)
    seconds, how = dates.seconds, dates.how
    if zone is not None and local.any():
        seconds = seconds.copy()
        seconds[local] = _in_zone(seconds[local], zone)
        how += f", in {zone}"
    elif local.any():
        how += ", taken as UTC"
    return Times(seconds, blank, how, warnings=dates.warnings)


def _in_zone(seconds: Floats, zone: str) -> Floats:
    codes, found = pd.factorize(seconds)
    local = pd.Series(pd.to_datetime(found, unit="s", errors="coerce"))
    there = local.dt.tz_localize(zone, ambiguous=np.ones(len(local), np.bool_), nonexistent="shift_forward")
    return seconds_since_1970(there)[codes]


def _of_numbers(values: Floats, blank: Mask, unit: Unit | None, zone: str | None, name: str) -> Times:
    present = values[np.isfinite(values)]
    if not len(present):
        return Times(np.full(len(values), np.nan), blank, "no times")
    declared = unit is not None
    unit, digits = (unit, 8) if unit is not None else _unit_of(present)
    if unit in _UNITS:
        scale, word = _UNITS[unit]
        alone = (present < EPOCH_FROM * 1e3 * scale).all() if scale < 1e9 else True
        alone = alone and (scale == 1 or (present >= EPOCH_FROM * scale).all())  # all are of this size
        seconds = values / (scale if declared or alone else _scale(values))
        early = int(((seconds >= 0) & (seconds < EPOCH_FROM)).sum())
        warnings = [f"{name}: {early:,} times are 0 or lie before 1973; are they times?"] if early else []
        if declared or alone:
            return Times(seconds, blank, f"{word} since 1970", warnings=tuple(warnings))
        others = np.isfinite(values) & (_scale(values) != scale) & (seconds >= EPOCH_FROM)
        if others.any():
            warnings.append(f"{name}: {others.sum():,} times are in another unit than {word}, as their size shows")
        return Times(seconds, blank, f"{word} since 1970", warnings=tuple(warnings))
    if unit == "yyyymmdd":
        seconds, how = calendar(values, digits), f"dates as {'YYYYMMDDhhmmss'[:digits]}, e.g. {present[0]:.0f}"
    elif unit == "excel":
        seconds, how = (
            np.round((values - EXCEL_DAY_0) * 86_400),
            f"days as a spreadsheet counts them, e.g. {present[0]:g}",
        )
    elif unit == "days":
        seconds, how = values * 86_400, "days since 1970"
    elif unit == "year":
        seconds, how = calendar(values * 10_000 + 101, 8), f"years, e.g. {present[0]:.0f}"
    else:
        order = values
        if len(present) and (present != np.floor(present)).any():
            order = np.where(np.isfinite(values), pd.Series(values).rank(method="dense").to_numpy() - 1, np.nan)
        warning = (
            f"{name}: numbers from {present.min():g} to {present.max():g} are no dates; they are used as the order of "
            "events, and no age is taken into account. If they are dates, say unit or date_format in data.toml"
        )
        return Times(order, blank, "the order of events, no dates", order=True, warnings=(warning,))
    notes = (f"{name}: only years are known, so that within a year events have no order",) if unit == "year" else ()
    return _settled(Dates(seconds, np.zeros(len(values), np.bool_), how, notes), blank, zone)


def _unit_of(present: Floats) -> tuple[Unit, int]:
    """What numbers are, by the years that they would lie in; for calendar numbers also how many digits count."""
    for digits, least in ((8, 0.95), (14, 0.95), (12, 0.99)):
        low, high = 1900 * 10 ** (digits - 4), 2101 * 10 ** (digits - 4)
        if ((present > low) & (present < high)).mean() < least:
            continue
        if np.isfinite(calendar(present, digits)).mean() >= least:
            return "yyyymmdd", digits
    positive = int((present > 0).sum())  # zeros and -1 stand for none
    if positive:
        sizes = [_UNITS[u][0] for u in UNITS]
        counts = [int(((present >= EPOCH_FROM * s) & (present < LATEST * s)).sum()) for s in sizes]
        if 2 * sum(counts) >= positive:
            return UNITS[int(np.argmax(counts))], 0
    whole = bool((present == np.floor(present)).all())
    if np.isfinite(calendar(present, 6)).all():
        return "yyyymmdd", 6
    if whole and present.min() >= 1900 and present.max() <= 2100:
        return "year", 0
    if present.min() >= EXCEL_DAY_0 and present.max() < EXCEL_DAY_0 + LATEST / 86_400:
        return "excel", 0
    return "order", 0


def _scale(values: Floats) -> Floats:
    """By their size: how many units of each number make a second."""
    with np.errstate(invalid="ignore"):
        return np.select([values >= EPOCH_FROM * s for s in (1e9, 1e6, 1e3)], [1e9, 1e6, 1e3], 1.0)


def calendar(values: Floats, digits: int) -> Floats:
    """Whole numbers written as YYYYMM[DD[hhmm[ss]]] → seconds since 1970, NaN where they are no date."""
    low, high = (19_000_101_000_000, 21_010_101_000_000) if digits > 6 else (19_000_100_000_000, 21_010_100_000_000)
    with np.errstate(invalid="ignore"):
        fits = (
            (values == np.floor(values))
            & (values >= low // 10 ** (14 - digits))
            & (values < high // 10 ** (14 - digits))
        )
    number = np.where(fits, values, low // 10 ** (14 - digits)).astype(np.int64)
    padded = number * 10 ** (14 - digits) + (1_000_000 if digits == 6 else 0)
    date, clock = padded // 1_000_000, padded % 1_000_000
    year, month, day = date // 10_000, date // 100 % 100, date % 100
    seconds = from_parts(year, month, day)
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    good = fits & (hour < 24) & (minute < 60) & (second < 61)
    return np.where(good, seconds + hour * 3600 + minute * 60 + second, np.nan)
