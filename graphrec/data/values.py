"""Numbers and dates in the strings of a side table."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

MISSING = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "nat"})  # in lower case
_SYMBOLS = r"^(?:[€$£¥₹]|EUR|USD|GBP|CHF|RMB)\s*|\s*(?:[€$£¥₹元%]|EUR|USD|GBP|CHF|RMB)$"
_PLAIN = re.compile(r"[+-]?\d[\d.,'’\s\xa0]*")
_DATE_NAME = re.compile(
    r"date|year|time|(?:^|[\W_])(?:day|month|since|created|updated|released?|published|joined|registered)(?:[\W_]|$)"
    r"|datum|jahr|année|annee|fecha|año|日期|时间|年份|_at$|At$",
    re.IGNORECASE,
)
_DATE_FORMATS = (
    "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M",
    "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%d-%m-%Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y",
    "%Y年%m月%d日", "%m %d, %Y", "%Y.%m.%d",
)  # fmt: skip
_EPOCHS = ((10**6, 1e8, 4.2e9), (10**3, 1e11, 4.2e12))  # seconds and milliseconds: microseconds, from, to


def numbers(texts: pd.Series[Any]) -> pd.Series[float]:
    """Values as float64, NaN where they are none: 1,234.5 and 1.234,5, with the sign of a currency or without."""
    texts = texts.astype(object)
    out: pd.Series[float] = pd.to_numeric(texts, errors="coerce").astype(np.float64)
    if (rest := out.isna() & (texts != "")).any():
        bare = texts[rest].astype(str).str.replace(_SYMBOLS, "", regex=True).str.strip()
        bare = bare[bare.map(_PLAIN.fullmatch).notna()].str.replace(r"['’\s\xa0]", "", regex=True)
        if len(bare):
            comma = _decimal_comma(bare)
            if comma:  # then a dot between the digits of the others parts thousands
                dotted = texts.astype(str).str.fullmatch(r"[+-]?\d{1,3}(?:\.\d{3})+")
                out[dotted] = pd.to_numeric(texts[dotted].astype(str).str.replace(".", "", regex=False))
            out[bare.index] = bare.map(lambda text: _number(text, "," if comma else "."))
    return out.where(np.isfinite(out))


def _decimal_comma(bare: pd.Series[str]) -> bool:
    """Whether the comma is the decimal sign: the last of all separators somewhere, and not before three digits."""
    return bool(bare.str.contains(r"^[^,]*,(?:\d{1,2}|\d{4,})$|\.\d{3},\d+$", regex=True).any())


def _number(text: str, decimal: str) -> float:
    thousands = "." if decimal == "," else ","
    whole, _, fraction = text.partition(decimal)
    grouped = re.fullmatch(rf"[+-]?\d{{1,3}}(?:\{thousands}\d{{3}})+|[+-]?\d+", whole)
    if grouped is None or (fraction and not fraction.isdecimal()):
        return np.nan
    return float(f"{whole.replace(thousands, '')}.{fraction or 0}")


def is_date_name(name: str) -> bool:
    """Whether a column's name says that whole numbers in it are dates."""
    return _DATE_NAME.search(name) is not None


def dates(texts: pd.Series[Any], name: str = "") -> pd.Series[pd.Timestamp]:
    """Values as times in UTC, NaT where they are none, in whichever of the usual forms most values have.

    Whole numbers are years, yyyymmdd or seconds since 1970 where the ``name`` says that they are dates, else none.
    """
    texts = texts.astype(object).astype(str)
    digits = texts.str.fullmatch(r"\d+(?:\.0+)?")
    best: pd.Series[Any] = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]")
    words = texts.where(~digits, "")
    for form in ("ISO8601", *_DATE_FORMATS):
        found = pd.to_datetime(words, format=form, errors="coerce", utc=True).astype(best.dtype)
        if found.notna().sum() > best.notna().sum():
            best = found
        if best.notna().sum() == (words != "").sum():
            break
    if is_date_name(name) and digits.any():
        best = best.fillna(_numbered(texts.where(digits, "")).astype(best.dtype))
    return best


def _numbered(texts: pd.Series[str]) -> pd.Series[Any]:
    """Years, yyyymmdd, seconds and milliseconds."""
    whole = texts.str.replace(r"\.0+$", "", regex=True)
    out = pd.to_datetime(whole.where(whole.str.fullmatch(r"(?:1[5-9]|20)\d\d"), ""), format="%Y", errors="coerce")
    days = pd.to_datetime(whole.where(whole.str.fullmatch(r"(?:1[5-9]|20)\d{6}"), ""), format="%Y%m%d", errors="coerce")
    out = out.astype("datetime64[us]").fillna(days.astype("datetime64[us]"))
    counts = pd.to_numeric(whole, errors="coerce")
    for microseconds, low, high in _EPOCHS:
        since = counts.where((counts >= low) & (counts < high)) * microseconds
        out = out.fillna(since.astype("Int64").astype("datetime64[us]"))
    return out.dt.tz_localize("UTC")
