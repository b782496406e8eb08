"""The door: every row is checked here, once. What passes is trusted from then on; what does not is set aside.

Personal data in texts is masked here too, by ``door/privacy.py``, before anything else sees them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.door.privacy import mask_all
from graphrec.door.quarantine import Quarantine
from graphrec.errors import EmptyDataError

COUNTS = (0.0, float(np.finfo(np.float32).max))  # any finite number from 0, for counts and unknown scales
MAX_ID, MAX_TEXT = 512, 100_000  # characters
LATEST = 4_102_444_800  # 2100-01-01 in seconds since 1970
MILLISECONDS_FROM = 1e11  # numbers from here on are milliseconds: as seconds they lie after the year 5000

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BLANKS = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "nat"})
_log = logging.getLogger("graphrec")

Mask = npt.NDArray[np.bool_]


def check_events(
    raw: pd.DataFrame, quarantine: Quarantine, source: str | Path, rating_range: tuple[float, float] | None = None
) -> pd.DataFrame:
    """Raw interactions → clean ones; the rest is set aside with file, line and reason.

    Args:
        raw: user_id, item_id, file, line; optional rating, timestamp (seconds, milliseconds, ISO 8601 or datetimes),
            text, summary, part, reviewer_name (masked in the texts, and kept nowhere). Values as they came from the
            file: strings, or any object.
        source: what is being loaded, for messages.
        rating_range: ends included; None for any finite number from 0.

    Returns user_id and item_id (categories of strings, sorted), weight float32 (the rating, or 1 where the source has
    none), and, where present, timestamp int64 (s), text, summary (masked), part. A source of which fewer than half of
    the rows have a time counts as one without times; otherwise rows without a time are set aside.

    Raises EmptyDataError where no row is left.
    """
    raw = raw.reset_index(drop=True)
    faults = _Faults(len(raw))
    out = pd.DataFrame(index=raw.index)
    for column in ("user_id", "item_id"):
        out[column] = _check_ids(raw[column], column, faults)
    out["weight"] = _check_ratings(raw, rating_range or COUNTS, faults)
    if (times := _check_times(raw, faults, source)) is not None:
        out["timestamp"] = times
    for column in ("text", "summary"):
        if column in raw:
            out[column] = _check_texts(raw[column], column, faults)
    if "part" in raw:
        out["part"] = raw["part"].astype(np.uint8)

    good = faults.settle(raw, quarantine)
    quarantine.rows_read += int(good.sum())
    if not good.any():
        raise EmptyDataError(_nothing_left(quarantine, source))
    out = out[good].reset_index(drop=True)
    names = None
    if "reviewer_name" in raw:
        names = [name if isinstance(name, str) else "" for name in raw["reviewer_name"][good]]
    for column in ("text", "summary"):
        if column in out:
            out[column] = pd.Series(mask_all(out[column], quarantine.masked, names), dtype=object)
    for column in ("user_id", "item_id"):
        out[column] = out[column].cat.remove_unused_categories()
    if "timestamp" in out:
        out["timestamp"] = np.floor(out["timestamp"]).astype(np.int64)
    return out


def check_ids(raw: pd.DataFrame, quarantine: Quarantine, *columns: str) -> pd.DataFrame:
    """Rows of a side file (items, friends, triples, …) in which all these columns hold an id; the rest is set aside."""
    raw = raw.reset_index(drop=True)
    faults = _Faults(len(raw))
    ids = {column: pd.Series(_check_ids(raw[column], column, faults)).astype(object) for column in columns}
    return raw.assign(**ids)[faults.settle(raw, quarantine)].reset_index(drop=True)


def translate(
    raw: pd.DataFrame, column: str, mapping: Mapping[str, str], where: str, quarantine: Quarantine
) -> pd.DataFrame:
    """Replace the numbers of a column by external ids. A number without one is set aside; ``where`` names the map."""
    faults = _Faults(len(raw))
    ids = raw[column].astype(str).map(mapping)
    faults.mark(ids.isna().to_numpy(), f"{column} has no entry in {where}", raw[column])
    return raw.assign(**{column: ids})[faults.settle(raw, quarantine)].reset_index(drop=True)


class _Faults:
    """The first fault of each of n rows."""

    def __init__(self, n: int) -> None:
        self._code = np.zeros(n, np.uint8)  # 0: none; else 1 + place in _reasons
        self._reasons: list[tuple[str, pd.Series | None]] = []

    def mark(self, mask: Mask, reason: str, found: pd.Series | None = None) -> None:
        """Rows under the mask that had no fault so far get this one."""
        if mask.any():
            self._reasons.append((reason, found))
            self._code[mask & (self._code == 0)] = len(self._reasons)

    def settle(self, raw: pd.DataFrame, quarantine: Quarantine) -> Mask:
        """Set the faulty rows aside, in file order; the mask of the good ones."""
        bad = np.flatnonzero(self._code)
        if len(bad):
            files, at = raw["file"].iloc[bad].tolist(), raw["line"].iloc[bad].tolist()
            for row, file, line in zip(bad.tolist(), files, at, strict=True):
                reason, found = self._reasons[self._code[row] - 1]
                quarantine.add(file, line, reason, "" if found is None else found.iat[row])
        good: Mask = self._code == 0
        return good


def _nothing_left(quarantine: Quarantine, source: str | Path) -> str:
    if not quarantine:
        return f"{source}: no rows; a source needs at least one interaction of a user with an item"
    reason, count = quarantine.counts.most_common(1)[0]
    example = next((row for row in quarantine if row.reason == reason), quarantine.rows[0])
    return (
        f"{source}: none of {quarantine.rows_read:,} rows can be used; most often: {reason} ({count:,} rows); "
        f"first: {example}; correct the file, or describe it in a data.toml"
    )


def _check_ids(column: pd.Series, name: str, faults: _Faults) -> pd.Categorical[str]:
    """Ids as a categorical of sorted strings. Whole numbers are ids too; each distinct id is looked at once."""
    if pd.api.types.is_float_dtype(column):  # whole numbers beside blanks
        whole = column.notna() & (column == np.floor(column)) & (column.abs() < 2**53)
        column = column.where(whole).astype("Int64")
    if pd.api.types.is_object_dtype(column):
        plain = [v if isinstance(v, str) else str(v) if type(v) is int else None for v in column]
        codes, uniques = pd.factorize(pd.Series(plain, dtype=object))
    else:
        codes, uniques = pd.factorize(column)
    ids = [str(u) for u in uniques.tolist()]
    blank = np.array([not i.strip() for i in ids] + [True])  # the last is code -1, no id at all
    long = np.array([len(i) > MAX_ID for i in ids] + [False])
    control = np.array([_CONTROL.search(i) is not None for i in ids] + [False])
    faults.mark(blank[codes], f"{name} is missing")
    faults.mark(long[codes], f"{name} is longer than {MAX_ID} characters", column)
    faults.mark(control[codes], f"{name} holds control characters", column)

    usable = ~(blank | long | control)[:-1]
    order = sorted(np.flatnonzero(usable).tolist(), key=ids.__getitem__)
    place = np.full(len(ids) + 1, -1)
    place[order] = np.arange(len(order))
    return pd.Categorical.from_codes(place[codes], pd.Index([ids[i] for i in order], dtype=str))


def _numbers(column: pd.Series) -> tuple[npt.NDArray[np.float64], Mask]:
    """Values as float64, NaN where they are no numbers, and which of these are simply blank."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        return values, np.isnan(values)
    if pd.api.types.is_object_dtype(column):
        plain = (None if isinstance(v, (bool, list, dict, bytes)) or v is None else str(v) for v in column)
        text = pd.Series(list(plain), dtype=object)
    else:
        text = column
    codes, distinct = pd.factorize(text)
    numbers = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce").to_numpy(np.float64)
    values = np.append(numbers, np.nan)[codes]  # the code of an absent value is -1
    missing = np.flatnonzero(np.isnan(values))
    blank = np.zeros(len(values), np.bool_)
    blank[missing] = [v is None or str(v).strip().lower() in _BLANKS for v in column.iloc[missing]]
    return values, blank


def _check_ratings(raw: pd.DataFrame, limits: tuple[float, float], faults: _Faults) -> npt.NDArray[np.float32]:
    ones = np.ones(len(raw), np.float32)
    if "rating" not in raw:
        return ones
    values, blank = _numbers(raw["rating"])
    if blank.all():
        return ones
    low, high = limits
    faults.mark(np.isnan(values), "rating is not a number", raw["rating"])
    scale = "from 0" if limits == COUNTS else f"{low:g} to {high:g}"
    with np.errstate(invalid="ignore"):
        faults.mark((values < low) | (values > high), f"rating out of range ({scale})", raw["rating"])
        return np.where(np.isfinite(values) & (np.abs(values) <= COUNTS[1]), values, 1).astype(np.float32)


def _check_times(raw: pd.DataFrame, faults: _Faults, source: str | Path) -> npt.NDArray[np.float64] | None:
    """Seconds since 1970, or None where the source has no times."""
    if "timestamp" not in raw:
        return None
    column = raw["timestamp"]
    if pd.api.types.is_datetime64_any_dtype(column):
        utc = pd.to_datetime(column, utc=True)
        values, blank = _seconds(utc), column.isna().to_numpy()
    else:
        values, blank = _numbers(column)
        with np.errstate(invalid="ignore"):
            values = np.where(values >= MILLISECONDS_FROM, values / 1000, values)
        dates = np.flatnonzero(np.isnan(values) & ~blank)
        if len(dates):
            text = pd.Series([str(v) for v in column.iloc[dates]], dtype=object)
            values[dates] = _seconds(pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601"))
    if 2 * blank.sum() > len(raw):
        if not blank.all():
            _log.warning("%s: only %d of %d rows have a time; times are left out", source, (~blank).sum(), len(raw))
        return None
    faults.mark(blank, "timestamp is missing")
    faults.mark(np.isnan(values), "timestamp cannot be read", column)
    with np.errstate(invalid="ignore"):
        faults.mark((values < 0) | (values >= LATEST), "timestamp is before 1970 or after 2100", column)
    return values


def _seconds(times: pd.Series) -> npt.NDArray[np.float64]:
    since = times - pd.Timestamp(0, tz="UTC")
    return np.asarray(since.dt.total_seconds(), dtype=np.float64)


def _check_texts(column: pd.Series, name: str, faults: _Faults) -> pd.Series:
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
