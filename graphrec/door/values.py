"""Ids and numbers out of whatever type they came in. Each distinct value is looked at once; times are in ``times``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Mask: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]

BLANKS = frozenset({"", "nan", "none", "null", "na", "n/a", "#n/a", "<na>", "nat", "\\n"})  # in lower case
EXACT_TO = 2.0**53  # whole numbers beyond are not exact as floating-point numbers
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_SHORTENED = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")
_GAPS = r"[\s'’]"
_POINT = r"[+-]?(?:\d{1,3}(?:[,\s'’]\d{3})+(?:\.\d+)?|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)"  # 1,234.5
_COMMA = r"[+-]?(?:\d{1,3}(?:[.\s'’]\d{3})+(?:,\d+)?|\d+,?\d*(?:[eE][+-]?\d+)?|,\d+)"  # 1.234,5


@dataclass(frozen=True)
class Ids:
    """``names[codes]`` is each row's id as text, without blanks around it; code -1 where it is missing.

    ``whole``: the decimals of whole numbers were cut (12.0 is 12).
    """

    codes: npt.NDArray[np.integer]
    names: list[str]
    whole: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Numbers:
    """Each row's number, NaN where there is none; ``blank`` where nothing stands. ``how`` is for the report."""

    values: Floats
    blank: Mask
    how: str = "numbers"
    warnings: tuple[str, ...] = ()


def is_blank(value: object) -> bool:
    """Whether a value says that there is none: "", NaN, NULL, None, NA, …"""
    return value is None or str(value).strip().lower() in BLANKS


def blanks(column: pd.Series) -> Mask:
    """Where nothing stands in a column."""
    if isinstance(column.dtype, pd.StringDtype) and column.dtype.storage == "pyarrow":
        lower = pc.utf8_lower(pc.utf8_trim_whitespace(pa.array(column)))
        found = pc.or_kleene(pc.is_null(lower), pc.is_in(lower, value_set=pa.array(sorted(BLANKS), lower.type)))
        return np.asarray(found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy())
    return np.array([_is_nothing(v) or (isinstance(v, str) and is_blank(v)) for v in column], np.bool_)


def distinct(column: pd.Series) -> tuple[npt.NDArray[np.integer], pd.Series]:
    """Codes of the rows (-1: no value, or one that is no text or number) and the distinct values as text."""
    if pd.api.types.is_object_dtype(column):
        column = pd.Series([_plain(v) for v in column], dtype=object)
    codes: npt.NDArray[np.integer]
    found: pd.Index
    if isinstance(column.dtype, pd.CategoricalDtype) and _all_used(column):
        codes, found = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, found = pd.factorize(column)
    if pd.api.types.is_integer_dtype(found):
        found = pd.Index(list(map(str, found.tolist())), dtype=object)
    elif not isinstance(found.dtype, pd.StringDtype):
        found = pd.Index([_plain(v) for v in found.tolist()], dtype=object)
    try:
        text = pd.Series(found, dtype="str")
    except UnicodeEncodeError:  # half of a character, which Arrow cannot hold
        text = pd.Series(found, dtype=pd.StringDtype("python", na_value=np.nan))
    return codes, text


def _all_used(column: pd.Series) -> bool:
    """Whether every category has a row."""
    rows = np.bincount(column.cat.codes.to_numpy(np.int64) + 1, minlength=len(column.cat.categories) + 1)
    return bool(rows[1:].all())


def _plain(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or isinstance(value, (bool, np.bool_, list, dict, bytes, set))
    ):
        return None
    if isinstance(value, np.ndarray) or value != value:
        return None
    return str(value)


def ids(column: pd.Series, name: str = "ids") -> Ids:
    """Ids as text, whatever type they came in.

    Where every id of the column is a whole number, 12.0 is 12. ``name`` is for the warnings.
    """
    warnings: list[str] = []
    if pd.api.types.is_float_dtype(column):
        beyond = int((column.abs() >= EXACT_TO).sum())
        if beyond:
            warnings.append(
                f"{name}: {beyond:,} ids are numbers beyond 2^53 in floating point, and may have lost their last "
                "digits; bring them as text or whole numbers"
            )
        if bool((column.isna() | ((column == np.floor(column)) & (column.abs() < 1e300))).all()):
            codes, found = pd.factorize(column)
            return Ids(codes.astype(np.int64), [str(int(v)) for v in found.tolist()], bool(len(found)), tuple(warnings))
    codes_of, values = distinct(column)
    names: list[str] = values.tolist() if not values.isna().any() else [v if isinstance(v, str) else "" for v in values]
    letters = "".join(names)  # what none of them holds need not be looked for in each
    if len(letters.split()) > 1 or letters != letters.strip():
        names = [n.strip() for n in names]
    none = BLANKS.intersection(map(str.lower, names))
    blank = {n for n in names if n.lower() in none} if none else set()
    present = [n for n in names if n not in blank] if blank else names
    whole = "." in letters and any("." in n for n in present) and all(_WHOLE.fullmatch(n) for n in present)
    if whole:
        names = [n.partition(".")[0] for n in names]
    marked = present if "e" in letters or "E" in letters else []
    if shortened := [n for n in marked if ("e" in n or "E" in n) and _SHORTENED.fullmatch(n)]:
        warnings.append(
            f"{name}: {len(shortened):,} ids such as {shortened[0]!r} look shortened by a spreadsheet, so that "
            "different ids may have become one; export the column as text"
        )
    if not blank and len(set(names)) == len(names):
        return Ids(codes_of, names, whole, tuple(warnings))
    final, unique = pd.factorize(pd.Series(names, dtype=object))
    place = np.append(np.asarray(final, np.int64), -1)
    lost = np.array([str(n).lower() in BLANKS for n in unique.tolist()], np.bool_)
    number = np.append(np.where(lost, -1, np.cumsum(~lost) - 1), -1).astype(np.int32)
    kept = [str(n) for n, gone in zip(unique.tolist(), lost.tolist(), strict=True) if not gone]
    return Ids(number[place][codes_of], kept, whole, tuple(warnings))


def numbers(column: pd.Series, decimal: Literal[".", ","] | None = None, name: str = "numbers") -> Numbers:
    """Numbers as float64, whatever type they came in.

    ``decimal`` is the decimal sign; None finds it out from all values: 4,5 or 1.234,56 prove a comma. Blanks and
    apostrophes between thousands go. ``name`` is for the warnings.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        return Numbers(values, np.isnan(values))
    if decimal != "," and isinstance(column.dtype, pd.StringDtype) and (fast := _cast(column)) is not None:
        return Numbers(fast, np.isnan(fast))
    codes, text = distinct(column)
    text = text.str.strip()
    none = text.isna().to_numpy() | text.str.lower().isin(BLANKS).to_numpy()
    values, how, warnings = _parse(text[~none], decimal, name)
    out = np.full(len(text) + 1, np.nan)
    out[np.flatnonzero(~none)] = values
    gone = codes < 0
    if pd.api.types.is_object_dtype(column) and gone.any():  # lists and booleans are no numbers, but something
        at = np.flatnonzero(gone)
        gone[at] = [_is_nothing(v) for v in column.iloc[at]]
    blank = np.where(codes < 0, gone, np.append(none, False)[codes])
    return Numbers(out[codes], blank, how, warnings)


def _is_nothing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _cast(column: pd.Series) -> Floats | None:
    """Strings as float64 by Arrow, "" as NaN; None where one is no plain number."""
    arrow = pa.array(column)
    values: Floats = np.empty(len(column), np.float64)
    at = 0
    for part in arrow.chunks if isinstance(arrow, pa.ChunkedArray) else [arrow]:
        try:
            filled = pc.if_else(pc.equal(pc.binary_length(part), 0), pa.scalar(None, part.type), part)
            found = pc.cast(filled, pa.float64())
        except pa.ArrowInvalid:
            return None
        values[at : at + len(part)] = found.to_numpy(zero_copy_only=False)
        at += len(part)
    return values


def _parse(text: pd.Series, decimal: str | None, name: str) -> tuple[Floats, str, tuple[str, ...]]:
    plain = _to_float(text)
    if decimal != "," and not np.isnan(plain).any():
        return plain, "numbers", ()
    of_point, of_comma = text.str.fullmatch(_POINT).to_numpy(np.bool_), text.str.fullmatch(_COMMA).to_numpy(np.bool_)
    sign = decimal or ("," if of_comma.sum() > of_point.sum() else ".")
    fits, other = (of_comma, ".") if sign == "," else (of_point, ",")
    bare = text[fits].str.replace(_GAPS, "", regex=True).str.replace(other, "", regex=False)
    values = np.full(len(text), np.nan) if sign == "," else plain
    values = values.copy()
    values[fits] = _to_float(bare.str.replace(sign, ".", regex=False))
    warnings: tuple[str, ...] = ()
    both = text[of_point & of_comma & text.str.contains(",", regex=False).to_numpy(np.bool_)]
    if decimal is None and len(both) and of_comma.sum() == of_point.sum():
        example = str(both.iloc[0])
        warnings = (
            f"{name}: {example!r} is read as {example.replace(',', '')}; if the comma is the decimal sign, say "
            'decimal = "," in data.toml',
        )
    return values, "numbers with a decimal comma" if sign == "," else "numbers", warnings


def _to_float(text: pd.Series) -> Floats:
    found = pd.to_numeric(text.astype(object), errors="coerce")
    return np.asarray(found, dtype=np.float64)
