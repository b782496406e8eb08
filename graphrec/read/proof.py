"""What the values of a column prove: numbers, times, ids, stars? Looked at in a sample, as strings."""

from __future__ import annotations

import re

import pandas as pd

from graphrec.data.attributes import truth, untruth
from graphrec.door import values as door
from graphrec.read import kind_words

_DATE = re.compile(
    r"\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2})?.*|\d{1,2}[-/. ]\d{1,2}[-/., ]+\d{2,4}.*|\d{8}"
    r"|.*\b(jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-zä]*\b.*\d.*",
    re.IGNORECASE,
)
_TIME_OF_DAY = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[aApP]\.?[mM]\.?)?"
_WHOLE = re.compile(r"[+-]?\d+\.0+")


def present(values: pd.Series) -> pd.Series:
    """The values that are there, as strings without blanks around them."""
    text = values[values.notna()].astype(str).str.strip()
    return text[~text.str.lower().isin(door.BLANKS)]


def numbers(values: pd.Series) -> pd.Series:
    """The present values as float64, NaN where they are no numbers; read as the door reads them."""
    text = present(values)
    return pd.Series(door.numbers(text.astype(object)).values, index=text.index)


def are_numbers(values: pd.Series) -> bool:
    """Nearly all present values are numbers."""
    found = numbers(values)
    return len(found) > 0 and float(found.notna().mean()) >= 0.9


def are_times(values: pd.Series) -> bool:
    """Most present values can be times: dates, or numbers from 0."""
    text = present(values)
    if text.empty:
        return False
    fits = (numbers(values) >= 0) | text.map(lambda v: _DATE.fullmatch(v) is not None)
    return float(fits.mean()) >= 0.8


def are_dates(values: pd.Series) -> bool:
    """Nearly all present values are dates by the way they are written, not numbers that may be anything."""
    text = present(values)
    written = text.map(lambda v: _DATE.fullmatch(v) is not None and not v.isdigit() and v.count(".") != 1)
    return len(text) > 0 and float(written.mean()) >= 0.95


def are_days(values: pd.Series) -> bool:
    """Dates without a time of day."""
    return are_dates(values) and not bool(present(values).str.contains(":", regex=False).any())


def are_times_of_day(values: pd.Series) -> bool:
    """Times of day without a date: 13:45, 1:45:00 pm."""
    text = present(values)
    return len(text) > 0 and float(text.str.fullmatch(_TIME_OF_DAY).mean()) >= 0.95


def are_names_of(values: pd.Series, key: pd.Series) -> bool:
    """Short words with blanks between them, nearly one for each key and the same in all its rows."""
    text = present(values)
    spaced = text.str.contains(r"\s", regex=True) & ~text.str.contains(r"\d{4}-\d|://", regex=True)
    if text.empty or float(spaced.mean()) < 0.3 or float(text.str.len().mean()) > 80 or are_dates(values):
        return False
    keys = present(key).nunique()
    return text.nunique() >= 0.9 * keys and keys >= 3 and depends_on(values, key) is True


def are_epochs(values: pd.Series) -> bool:
    """Numbers that only times are: seconds (from 1980), milliseconds, micro- or nanoseconds since 1970."""
    found = numbers(values)
    return bool(len(found) and found.notna().all() and ((found >= 3e8) & (found < 4.2e18)).all())


def are_ratings(values: pd.Series) -> bool:
    """Numbers on a scale, among which may be a few words: few of them, within ±10 or 0 to 100."""
    found = numbers(values).dropna()
    if found.empty or len(found) < 0.5 * len(present(values)):
        return False
    distinct = found.nunique()
    return bool(found.min() >= -10 and (found.max() <= 10 or (found.max() <= 100 and distinct <= 101)))


def are_flags(values: pd.Series) -> bool:
    """0 and 1, yes and no."""
    text = present(values)
    return len(text) > 0 and bool((truth(text) | untruth(text)).all())


def are_kinds(values: pd.Series) -> bool:
    """A few words, of which at least one is a known kind of event."""
    found = present(values).unique()
    return 0 < len(found) <= 40 and any(kind_words.weight(w) is not None for w in found)


def are_texts(values: pd.Series) -> bool:
    """Words with blanks between them, or without any in Chinese."""
    text = present(values)
    long = text.str.contains(r"\s", regex=True) | (text.str.len() > 12) | text.str.contains(r"[\u3040-\u9fff]")
    return len(text) > 0 and not are_numbers(values) and float(long.mean()) >= 0.3


def ids(values: pd.Series) -> pd.Index:
    """Distinct ids in the form in which they are compared: 12.0 is 12."""
    text = present(values)
    if len(text) and text.map(lambda v: _WHOLE.fullmatch(v) is not None).all():
        text = text.str.replace(r"\.0+$", "", regex=True)
    found: pd.Index = pd.Index(text.unique().tolist(), dtype=object)
    return found


def overlap(one: pd.Index, other: pd.Index) -> float:
    """The share of the smaller set of ids that the other holds too."""
    smaller = min(len(one), len(other))
    return len(one.intersection(other)) / smaller if smaller else 0.0


def is_key(values: pd.Series) -> bool:
    """Nearly every row has a value of its own."""
    text = present(values)
    return len(text) >= 0.9 * len(values) > 0 and text.nunique() >= 0.9 * len(text)


def depends_on(values: pd.Series, key: pd.Series) -> bool | None:
    """Whether a column says the same in all rows of one key in which it says anything; None where too few keys are
    repeated to tell."""
    said = present(values)
    frame = pd.DataFrame({"key": key[said.index].astype(str), "value": said})
    sizes = frame.groupby("key").size()
    repeated = frame[frame["key"].isin(sizes.index[sizes > 1])]
    if len(repeated) < max(4, 0.1 * len(frame)):
        return None
    return bool((repeated.groupby("key")["value"].nunique() == 1).mean() >= 0.95)
