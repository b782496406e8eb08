"""The door: every row is checked here, once. What passes is trusted from then on; what does not is set aside.

Personal data in texts is masked here too, by ``door/privacy.py``, before anything else sees them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.door.faults import Faults, nothing_left
from graphrec.door.odd import warn_of_one_day, warn_of_the_future, warn_of_the_tireless
from graphrec.door.privacy import mask_all
from graphrec.door.quarantine import Quarantine
from graphrec.door.times import LATEST, Unit, times
from graphrec.door.values import ids, numbers
from graphrec.errors import EmptyDataError

NUMBERS = (-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max))  # any finite number
MAX_ID, MAX_TEXT = 512, 100_000  # characters
LOOKED_AT = 1000  # ids

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")  # of a person's mail
_SURROGATE = re.compile(r"[\ud800-\udfff]")
Decimal: TypeAlias = Literal[".", ","] | None


@dataclass(frozen=True)
class TimeForm:
    """How times are written, None for what is to be found out; see ``times.times``."""

    date_format: str | None = None
    zone: str | None = None
    unit: Unit | None = None


FOUND_OUT = TimeForm()


def check_events(
    raw: pd.DataFrame,
    quarantine: Quarantine,
    source: str | Path,
    rating_range: tuple[float, float] | None = None,
    *,
    allow_bad: float | None = None,
    decimal: Decimal = None,
    time_form: TimeForm = FOUND_OUT,
    value_is: str = "rating",
    alone: bool = True,
) -> pd.DataFrame:
    """Raw interactions → clean ones; the rest is set aside with file, line and reason.

    Args:
        raw: user_id, item_id, file, line; optional rating, timestamp, text, summary, part, kind (an integer),
            latitude, longitude (degrees), reviewer_name (masked in the texts, and kept nowhere). Values as they came
            from the file: strings, or any object.
        source: what is being loaded, for messages.
        rating_range: ends included; None for any finite number.
        allow_bad: the share of a file's rows that one reason may set aside; None takes that of the quarantine.
        decimal: the decimal sign of ratings and places; None finds it out.
        time_form: how times are written, as far as it is known.
        value_is: what the column "rating" holds: "rating", "count" or "dwell", which need not be known of every event.
        alone: these are all events of the source, which lie on more than one day.

    Returns user_id and item_id (categories of strings, sorted), value float32 (the rating or count, NaN where there is
    none), and, where present, timestamp int64 (s), text, summary (masked), part and kind uint8, latitude and longitude
    float64. A source of which fewer than half of the rows have a time counts as one without times; otherwise rows
    without a time are set aside. Warnings, and how values were read, are noted in the quarantine.

    Raises EmptyDataError where no row is left, DataError where one reason sets too many aside.
    """
    raw = raw.reset_index(drop=True)
    faults = Faults(len(raw))
    out = pd.DataFrame(index=raw.index)
    for column in ("user_id", "item_id"):
        out[column] = _check_ids(raw[column], column, faults, quarantine)
    out["value"] = _check_ratings(raw, rating_range, decimal, faults, quarantine, value_is)
    if (seconds := _check_times(raw, time_form, faults, source, quarantine)) is not None:
        out["timestamp"] = seconds
    for column in ("text", "summary"):
        if column in raw:
            out[column] = _check_texts(raw[column], column, faults)
    for column, limit in (("latitude", 90.0), ("longitude", 180.0)):
        if column in raw:
            out[column] = _check_place(raw[column], limit, decimal, faults)
    for column in ("part", "kind"):
        if column in raw:
            out[column] = raw[column].astype(np.uint8)

    good = faults.settle(raw, quarantine)
    quarantine.rows_read += int(good.sum())
    if not good.any():
        raise EmptyDataError(nothing_left(quarantine, source))
    faults.refuse_many(quarantine, allow_bad)
    if not good.all():
        out = out[good].reset_index(drop=True)
        for column in ("user_id", "item_id"):
            out[column] = out[column].cat.remove_unused_categories()
    names = None
    if "reviewer_name" in raw:
        names = [name if isinstance(name, str) else "" for name in raw["reviewer_name"][good]]
    for column in ("text", "summary"):
        if column in out:
            out[column] = pd.Series(
                mask_all(out[column], quarantine.masked, names, reviews=column == "text"), dtype=object
            )
    if "timestamp" in out:
        out["timestamp"] = np.floor(out["timestamp"]).astype(np.int64)
        if alone:
            warn_of_one_day(out["timestamp"].to_numpy(), quarantine, source)
        warn_of_the_future(out["timestamp"].to_numpy(), quarantine, source)
    warn_of_the_tireless(out["user_id"], quarantine, source)
    return out


def check_ids(raw: pd.DataFrame, quarantine: Quarantine, *columns: str, allow_bad: float | None = None) -> pd.DataFrame:
    """Rows of a side file (items, friends, triples, …) in which all these columns hold an id; the rest is set aside.

    Raises DataError where one reason sets aside more than the share ``allow_bad`` of a file's rows.
    """
    raw = raw.reset_index(drop=True)
    faults = Faults(len(raw))
    found = {
        column: pd.Series(_check_ids(raw[column], column, faults, quarantine)).astype(object) for column in columns
    }
    good = faults.settle(raw, quarantine)
    faults.refuse_many(quarantine, allow_bad)
    return raw.assign(**found)[good].reset_index(drop=True)


def translate(
    raw: pd.DataFrame, column: str, mapping: Mapping[str, str], where: str, quarantine: Quarantine
) -> pd.DataFrame:
    """Replace the numbers of a column by external ids. A number without one is set aside; ``where`` names the map."""
    faults = Faults(len(raw))
    ids = raw[column].astype(str).map(mapping)
    faults.mark(ids.isna().to_numpy(), f"{column} has no entry in {where}", raw[column])
    return raw.assign(**{column: ids})[faults.settle(raw, quarantine)].reset_index(drop=True)


def _check_ids(column: pd.Series, name: str, faults: Faults, quarantine: Quarantine) -> pd.Categorical[str]:
    """Ids as a categorical of sorted strings; see ``values.ids``."""
    found = ids(column, name)
    quarantine.warn(*found.warnings)
    if found.whole:
        quarantine.how[name] = "whole numbers written with decimals: 12.0 is 12"
    names = found.names
    if name == "user_id" and _are_addresses(names):
        quarantine.warn(
            "the ids of users are e-mail addresses, which are personal data: they are stored in the model and shown "
            "in answers; write a code or a hash of them instead"
        )
    long, control = np.zeros((2, len(names) + 1), np.bool_)
    if max(map(len, names), default=0) > MAX_ID:
        long[:-1] = [len(i) > MAX_ID for i in names]
    if _CONTROL.search("".join(names)):
        control[:-1] = [_CONTROL.search(i) is not None for i in names]
    if pd.api.types.is_object_dtype(column) and (found.codes < 0).any():
        several = np.array([isinstance(v, (list, tuple, dict, np.ndarray)) for v in column], np.bool_)
        faults.mark(several, f"{name} holds several values", column)
    faults.mark(found.codes < 0, f"{name} is missing", column)
    faults.mark(long[found.codes], f"{name} is longer than {MAX_ID} characters", column)
    faults.mark(control[found.codes], f"{name} holds control characters", column)

    usable = ~(long | control)[:-1]
    order = sorted(np.flatnonzero(usable).tolist(), key=names.__getitem__)
    place = np.full(len(names) + 1, -1, np.int32)
    place[order] = np.arange(len(order))
    return pd.Categorical.from_codes(place[found.codes], pd.Index([names[i] for i in order], dtype=str))


def _are_addresses(names: list[str]) -> bool:
    """Whether most of the ids that are looked at are e-mail addresses."""
    some = names[:: max(1, len(names) // LOOKED_AT)]
    return 2 * sum(_ADDRESS.fullmatch(i) is not None for i in some) > len(some)


def _check_ratings(
    raw: pd.DataFrame,
    limits: tuple[float, float] | None,
    decimal: Decimal,
    faults: Faults,
    quarantine: Quarantine,
    what: str,
) -> npt.NDArray[np.float32]:
    """Ratings or counts, NaN where there are none.

    Of a kind of events of which more than half have no rating, events without one are kept.
    """
    if "rating" not in raw:
        return np.full(len(raw), np.nan, np.float32)
    found = numbers(raw["rating"], decimal, what)
    values, blank = found.values, found.blank
    if blank.all():
        return np.full(len(raw), np.nan, np.float32)
    quarantine.warn(*found.warnings)
    quarantine.how[what] = found.how
    faults.mark(np.isnan(values) & ~blank, f"{what} is not a number", raw["rating"])
    kinds = raw["kind"].to_numpy() if "kind" in raw else np.zeros(len(raw), np.int8)
    for kind in np.unique(kinds).tolist():
        of_kind = kinds == kind
        n_blank, n = int((blank & of_kind).sum()), int(of_kind.sum())
        if 2 * n_blank <= n and what != "dwell":
            faults.mark(blank & of_kind, f"{what} is missing", raw["rating"])
        elif 0 < n_blank < n:
            quarantine.warn(
                f"only {n - n_blank:,} of {n:,} events have a {what}; the others count as events without one"
            )
    low, high = limits or NUMBERS
    scale = "no finite number" if limits is None else f"{low:g} to {high:g}"
    with np.errstate(invalid="ignore"):
        faults.mark((values < low) | (values > high), f"{what} out of range ({scale})", raw["rating"])
        return np.where(np.abs(values) <= NUMBERS[1], values, np.nan).astype(np.float32)


def _check_times(
    raw: pd.DataFrame, form: TimeForm, faults: Faults, source: str | Path, quarantine: Quarantine
) -> npt.NDArray[np.float64] | None:
    """Seconds since 1970, or None where the source has no times."""
    if "timestamp" not in raw:
        return None
    column = raw["timestamp"]
    found = times(column, date_format=form.date_format, zone=form.zone, unit=form.unit)
    n_blank = int(found.blank.sum())
    if 2 * n_blank > len(raw):
        if n_blank < len(raw):
            quarantine.warn(
                f"{source}: only {len(raw) - n_blank:,} of {len(raw):,} rows have a time; times are left out"
            )
        return None
    quarantine.warn(*found.warnings)
    quarantine.how["timestamp"] = found.how
    quarantine.order = found.order
    faults.mark(found.blank, "timestamp is missing", column)
    faults.mark(np.isnan(found.seconds), "timestamp cannot be read", column)
    with np.errstate(invalid="ignore"):
        latest = 2.0**53 if found.order else LATEST
        faults.mark((found.seconds < 0) | (found.seconds >= latest), "timestamp is before 1970 or after 2100", column)
    return found.seconds


def _check_place(column: pd.Series, limit: float, decimal: Decimal, faults: Faults) -> npt.NDArray[np.float64]:
    """Degrees, NaN where there are none."""
    name = str(column.name)
    found = numbers(column, decimal, name)
    with np.errstate(invalid="ignore"):
        wrong = ~found.blank & ~(np.abs(found.values) <= limit)
    faults.mark(wrong, f"{name} is not between -{limit:g} and {limit:g}", column)
    return found.values


def _check_texts(column: pd.Series, name: str, faults: Faults) -> pd.Series:
    """Texts as they are, "" where there is none."""
    values = column.astype(object).where(column.notna(), "")
    texts = [v if isinstance(v, str) else None for v in values]
    wrong = np.array([v is None for v in texts], np.bool_)
    lengths = np.array([len(v) if v else 0 for v in texts], np.int64)
    faults.mark(wrong, f"{name} is not a string")
    sizes = pd.Series([f"{n:,} characters" for n in lengths]) if (lengths > MAX_TEXT).any() else None
    faults.mark(lengths > MAX_TEXT, f"{name} is longer than {MAX_TEXT:,} characters", sizes)
    faults.mark(np.array([bool(v and _SURROGATE.search(v)) for v in texts], np.bool_), f"{name} is not valid Unicode")
    return pd.Series(texts, index=column.index, dtype=object)
