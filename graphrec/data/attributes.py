"""Typed attributes of items and users: what a column of a side table is, and what of it may be learned from.

Missing values ("", nan, NULL, None) give no node in the graph, and the median of their column as a feature.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from graphrec.data.sensitive import is_sensitive
from graphrec.data.values import dates, is_date_name, numbers
from graphrec.door.hidden import as_seen
from graphrec.door.values import BLANKS

AttributeType: TypeAlias = Literal["category", "list", "number", "date", "boolean", "text", "point", "image"]
Owner: TypeAlias = Literal["items", "users"]

SENSITIVE = "sensitive: read for measuring only"
MOST = 0.95  # what part of the values must fit a type; the rest count as missing
LOOKED_AT = 20_000  # distinct values by which a type is found out
JUDGED_FROM = 10  # values from which on "each occurs once" says something
NEARLY = 0.95, 50  # of this many values that part is distinct: as good as each once
WORDY = 5, 10  # words on average of values that are mostly distinct, or of any, that make a text
UNSPACED = 30  # characters of a text whose language puts no spaces

TRUE = frozenset(
    ("true", "yes", "y", "t", "ja", "wahr", "oui", "vrai", "sí", "si", "sì", "vero", "on", "是", "真", "有")
)
FALSE = frozenset(("false", "no", "n", "f", "nein", "falsch", "non", "faux", "falso", "off", "否", "假", "无", "無"))
_LATITUDE = frozenset(("lat", "latitude", "breitengrad", "latitud", "纬度", "緯度"))
_LONGITUDE = frozenset(("lon", "lng", "long", "longitude", "längengrad", "laengengrad", "longitud", "经度", "經度"))
_PAIR = re.compile(r"[(\[]?\s*([+-]?\d{1,2}(?:\.\d+))\s*[,; ]\s*([+-]?\d{1,3}(?:\.\d+))\s*[)\]]?")
_IMAGE = re.compile(r"\S(?:.*)\.(?:jpe?g|png|gif|webp|bmp|tiff?|svg|avif|heic)(?:[?#].*)?", re.IGNORECASE)
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+", re.IGNORECASE)
_CODE_NAME = re.compile(r"(?:^|[\W_])(?:id|ids|code|sku|isbn|ean|gtin|upc|asin|nr|no|number|uuid|guid|key)$|Id$|ID$")


@dataclass(frozen=True)
class Column:
    """One attribute.

    Args:
        name: as in the source. type: what its values are.
        sensitive: read for measuring only.
        why_not: why nothing is learned from it ("identifies: each value occurs once"); "" where it is used.
    """

    name: str
    type: AttributeType
    sensitive: bool = False
    why_not: str = ""


def infer(
    name: str,
    values: pd.Series[Any],
    declared: AttributeType | None = None,
    *,
    of: Owner = "users",
    allow: Collection[str] = (),
) -> Column:
    """What a column holds, found out from its values.

    Args:
        values: one value for each row of the table, of strings or of the types they came in; missing ones included.
        declared: the type that a person says; it is not questioned.
        of: whose attribute it is. Only what is known of people is sensitive: a coffee has an origin too.
        allow: names of sensitive columns that may be learned from.
    """
    texts = as_texts(values)
    known = texts[texts != ""]
    several = values.map(_is_list).any() if values.dtype == object else False
    kind = declared or ("list" if several else _type(name, known, values.dtype))
    each = known.map(parts).explode().dropna() if kind == "list" else known
    known = known if len(each) else each
    sensitive = of == "users" and is_sensitive(name, each)
    why_not = _why_not(name, kind, known, len(texts), declared, of)
    if sensitive and name not in allow:
        why_not = SENSITIVE
    return Column(name, kind, sensitive, why_not)


def columns_of(
    table: pd.DataFrame,
    size: int,
    declared: Sequence[Column] = (),
    *,
    of: Owner,
    allow: Collection[str] = (),
) -> tuple[Column, ...]:
    """The columns of a long table, by name: as declared where they are, else found out.

    Args:
        table: DataFrame of number (of the item or user), key, value, the values strings.
        size: how many items or users there are; those without a row miss the value.
    """
    known = {column.name: column for column in declared}
    owner = table.columns[0]
    out = []
    for key in sorted(table["key"].unique()):
        if key in known:
            out.append(known[key])
            continue
        rows = table[table["key"] == key]
        again = rows.duplicated(owner)
        several = again.sum() > (1 - MOST) * (~again).sum()
        values = rows.groupby(owner)["value"].agg(list) if several else rows[~again].set_index(owner)["value"]
        values = values.reindex(range(size), fill_value="")
        out.append(infer(key, values, "list" if several else None, of=of, allow=allow))
    return tuple(out)


def as_texts(values: pd.Series[Any]) -> pd.Series[str]:
    """Values as stripped strings, as people see them, "" where missing; whole numbers without ".0", lists joined by
    "|"."""
    if pd.api.types.is_float_dtype(values):
        whole = values.dropna().mod(1).eq(0).all()
        texts = values.astype("Int64" if whole and values.abs().max() < 2**53 else "Float64").astype("string")
    else:
        texts = values.map(_text, na_action="ignore").map(as_seen, na_action="ignore").astype("string")
    texts = texts.fillna("").str.strip()
    return texts.where(~texts.str.casefold().isin(BLANKS), "").astype(object)


def long_table(ids: Iterable[Any], values: pd.Series[Any], column: Column, id_name: str = "item_id") -> pd.DataFrame:
    """A column → id, "key", "value", one row for each value of a list, and none for a missing one; all strings."""
    texts = as_texts(values)
    out = pd.DataFrame({id_name: list(ids), "key": column.name, "value": texts.to_numpy(object)})
    if column.type == "list":
        out["value"] = out["value"].map(parts)
        out = out.explode("value")
        out["value"] = out["value"].fillna("")
    return out[out["value"] != ""].reset_index(drop=True)


def parts(text: str) -> list[str]:
    """The values of a list in one string: ``a|b``, ``a; b``, ``["a", "b"]``."""
    bare = text.strip()
    if bare[:1] == "[" and bare[-1:] == "]":
        found = re.findall(r"\"([^\"]*)\"|'([^']*)'|([^,\[\]\"']+)", bare)
        pieces = ["".join(groups) for groups in found]
    else:
        pieces = re.split(r"\|" if "|" in bare else ";", html.unescape(bare))
    pieces = [p.strip() for p in pieces]
    return [p for p in dict.fromkeys(pieces) if p.casefold() not in BLANKS]


def truth(texts: pd.Series[str]) -> pd.Series[bool]:
    """Whether each value of a boolean column says yes."""
    folded = texts.str.casefold()
    return folded.isin(TRUE) | folded.isin(("1", "1.0"))


def untruth(texts: pd.Series[str]) -> pd.Series[bool]:
    """Whether each value of a boolean column says no."""
    folded = texts.str.casefold()
    return folded.isin(FALSE) | folded.isin(("0", "0.0"))


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, np.ndarray))


def _text(value: Any) -> str:
    if _is_list(value):
        return "|".join(str(v) for v in value if v is not None)
    return "" if value is None else str(value)


def _type(name: str, known: pd.Series[str], dtype: Any) -> AttributeType:
    """The type by the values that are known, of a column of this dtype."""
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "date"
    distinct = pd.Series(known.unique()[:LOOKED_AT], dtype=object)
    if not len(distinct):
        return "category"
    folded = set(distinct.str.casefold())
    if folded <= TRUE | FALSE or (folded <= {"0", "1", "0.0", "1.0"} and len(folded) > 1):
        return "boolean"
    if _fits(distinct.map(_is_pair)) or _is_half_a_point(name, distinct):
        return "point"
    if _fits(distinct.str.fullmatch(_IMAGE.pattern, flags=re.IGNORECASE)):
        return "image"
    as_numbers = numbers(distinct)
    plain = as_numbers.notna()
    if _fits(plain) or (plain.mean() >= 0.5 and _fits(known.isin(distinct[plain]) | ~known.isin(distinct))):
        if is_date_name(name) and _fits(dates(distinct, name).notna()):
            return "date"
        return "category" if _is_code(name, as_numbers) else "number"
    if _fits(dates(distinct, name).notna()):
        return "date"
    if _are_lists(distinct):
        return "list"
    return "text" if _is_wordy(distinct, len(distinct) > len(known) / 2) else "category"


def _fits(mask: pd.Series[bool]) -> bool:
    return bool(mask.mean() >= MOST)


def _is_pair(text: str) -> bool:
    found = _PAIR.fullmatch(text)
    return found is not None and abs(float(found[1])) <= 90 and abs(float(found[2])) <= 180


def _is_half_a_point(name: str, distinct: pd.Series[str]) -> bool:
    """A column of latitudes or longitudes, by its name and range."""
    words = set(re.split(r"[\W_]+", name.casefold()))
    limit = 90 if words & _LATITUDE else 180 if words & _LONGITUDE else 0
    return limit > 0 and _fits(numbers(distinct).abs() <= limit)


def _is_code(name: str, found: pd.Series[float]) -> bool:
    """Whole numbers that name something: ``category_id``, ``sku``."""
    return _CODE_NAME.search(name) is not None and bool(found.dropna().mod(1).eq(0).all())


def _are_lists(distinct: pd.Series[str]) -> bool:
    """Short values with | or ; between them, which come again in other lists."""
    marked = distinct[distinct.str.contains(r"\||;|^\[.*\]$", regex=True)]
    if len(marked) < max(1, 0.05 * len(distinct)):
        return False
    pieces = [piece for text in distinct for piece in parts(text)]
    words = np.mean([len(piece.split()) for piece in pieces]) if pieces else np.inf
    return bool(words <= 4 and (len(set(pieces)) < len(pieces) or len(marked) > len(distinct) / 2))


def _is_wordy(distinct: pd.Series[str], mostly_distinct: bool) -> bool:
    words = (distinct.str.count(r"\s+") + 1).mean()
    run = distinct.str.len().mean() / max(words, 1)
    return bool(words >= WORDY[not mostly_distinct] or (run >= UNSPACED and not distinct.str.isascii().all()))


def _why_not(
    name: str, kind: AttributeType, known: pd.Series[str], size: int, declared: AttributeType | None, of: Owner
) -> str:
    if not len(known):
        return "empty: no value is known"
    distinct = known.nunique()
    if kind == "image":
        return "a picture: none are read"
    if kind == "point":
        whole = len(known) > 0 and _fits(known.map(_is_pair))
        return "" if whole and of == "items" else "a place: of items alone, and with both numbers, is one used"
    if distinct == 1 and size > 1 and (kind != "boolean" or len(known) == size):
        return f"constant: every value is {str(known.iloc[0])[:40]!r}"
    if kind == "category":
        if _fits(known.str.fullmatch(_LINK.pattern, flags=re.IGNORECASE)):
            return "identifies: links"
        if distinct == len(known) >= JUDGED_FROM:
            return "identifies: each value occurs once"
        if len(known) >= NEARLY[1] and distinct >= NEARLY[0] * len(known):
            return "identifies: nearly every value occurs once"
    if kind == "number" and declared is None and distinct == len(known) >= JUDGED_FROM and _counts_up(known):
        return "identifies: each value occurs once"
    return ""


def _counts_up(known: pd.Series[str]) -> bool:
    """Long whole numbers, or the numbers of the rows."""
    found = numbers(known).dropna()
    if not len(found) or not found.mod(1).eq(0).all():
        return False
    return bool((found >= 1e7).all() or found.max() - found.min() == len(found) - 1)
