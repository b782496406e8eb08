"""Numbers and dates in the strings of a side table, read as the door reads those of events."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from graphrec.door import values as door
from graphrec.door.dates import parse_dates

_SYMBOLS = r"^(?:[€$£¥₹]|EUR|USD|GBP|CHF|RMB)\s*|\s*(?:[€$£¥₹元%]|EUR|USD|GBP|CHF|RMB)$"
_DATE_NAME = re.compile(
    r"date|year|time|(?:^|[\W_])(?:day|month|since|created|updated|released?|published|joined|registered)(?:[\W_]|$)"
    r"|datum|jahr|année|annee|fecha|año|日期|时间|年份|_at$|At$",
    re.IGNORECASE,
)
_WITH_YEAR = r"(?=.*(?<!\d)\d{4}(?!\d)).{6,40}|\d{4}[-/.].*"  # a date may be one of these; 1.2.19 is a version, too
_EPOCHS = ((10**6, 1e8, 4.2e9), (10**3, 1e11, 4.2e12))  # seconds and milliseconds: microseconds, from, to


def numbers(texts: pd.Series[Any]) -> pd.Series[float]:
    """Values as float64, NaN where they are none: 1,234.5 and 1.234,5, with the sign of a currency or without."""
    texts = texts.astype(object)
    bare = texts.astype(str).str.replace(_SYMBOLS, "", regex=True)
    found = pd.Series(door.numbers(bare.astype(object)).values, index=texts.index)
    return found.where(np.isfinite(found))


def is_date_name(name: str) -> bool:
    """Whether a column's name says that whole numbers in it are dates."""
    return _DATE_NAME.search(name) is not None


def dates(texts: pd.Series[Any], name: str = "") -> pd.Series[pd.Timestamp]:
    """Values as times in UTC, NaT where they are none, in whichever of the usual forms most values have.

    Whole numbers are years, yyyymmdd or seconds since 1970 where the ``name`` says that they are dates, else none.
    """
    texts = texts.astype(object).astype(str)
    digits = texts.str.fullmatch(r"\d+(?:\.0+)?")
    out: pd.Series[Any] = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]")
    written = texts[~digits & texts.str.fullmatch(_WITH_YEAR)]
    if len(written):
        codes, distinct = pd.factorize(written)
        seconds = parse_dates(pd.Series(distinct, dtype="str").str.strip(), name).seconds[codes]
        out[written.index] = _at(pd.Series(seconds * 1e6, index=written.index)).dt.tz_localize("UTC")
    if is_date_name(name) and digits.any():
        out = out.fillna(_numbered(texts.where(digits, "")).astype(out.dtype))
    return out


def _at(microseconds: pd.Series[float]) -> pd.Series[Any]:
    return microseconds.round().astype("Int64").astype("datetime64[us]")


def _numbered(texts: pd.Series[str]) -> pd.Series[Any]:
    """Years, yyyymmdd, seconds and milliseconds."""
    whole = texts.str.replace(r"\.0+$", "", regex=True)
    out = pd.to_datetime(whole.where(whole.str.fullmatch(r"(?:1[5-9]|20)\d\d"), ""), format="%Y", errors="coerce")
    days = pd.to_datetime(whole.where(whole.str.fullmatch(r"(?:1[5-9]|20)\d{6}"), ""), format="%Y%m%d", errors="coerce")
    out = out.astype("datetime64[us]").fillna(days.astype("datetime64[us]"))
    counts = pd.to_numeric(whole, errors="coerce")
    for microseconds, low, high in _EPOCHS:
        out = out.fillna(_at(counts.where((counts >= low) & (counts < high)) * microseconds))
    return out.dt.tz_localize("UTC")
