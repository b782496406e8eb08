"""Which column is which, and which columns are nobody's business."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import pandas as pd

Role: TypeAlias = Literal["user_id", "item_id", "rating", "timestamp", "text", "summary", "reviewer_name"]

# names in lower case without separators, the likeliest first
SYNONYMS: Mapping[Role, tuple[str, ...]] = {
    "user_id": ("userid", "user", "uid", "customerid", "reviewerid"),
    "item_id": ("itemid", "item", "iid", "productid", "asin"),
    "rating": ("rating", "overall", "score", "stars", "weight", "count", "playcount"),
    "timestamp": ("timestamp", "time", "unixtime", "unixreviewtime", "datetime", "date"),
    "text": ("review", "text", "reviewtext", "reviewbody", "comment"),
    "summary": ("summary", "reviewsummary", "reviewtitle"),
    "reviewer_name": ("reviewername", "username", "customername", "profilename"),  # read only to mask it in the texts
}
TITLES = ("title", "name", "itemtitle", "itemname", "movietitle", "productname", "producttitle", "artistname")
DESCRIPTIONS = ("text", "description", "plot", "overview", "synopsis")
_PERSONAL = re.compile(r"name|mail|phone|address|zip|postal|birth|profile|url|link|image|photo|picture|avatar")
_NOT_OF_ITEMS = re.compile(r"user|reviewer|url|link|image|photo|picture|poster|thumbnail")


def normal(name: str) -> str:
    """A column's name without case and separators: ``userId``, ``user_id`` and ``User ID`` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def roles(header: Sequence[str], renames: Mapping[Role, str] | None = None) -> dict[Role, str]:
    """Our name → the column of that role, as far as there is one. ``renames`` (from ``data.toml``) come first."""
    by_normal: dict[str, str] = {}
    for column in header:
        by_normal.setdefault(normal(column), column)
    out: dict[Role, str] = {}
    for role, names in SYNONYMS.items():
        if renames and role in renames:
            if renames[role] in header:
                out[role] = renames[role]
        elif found := [by_normal[n] for n in names if n in by_normal]:
            out[role] = found[0]
    return out


def is_personal(column: str) -> bool:
    """Whether a column of a table of users could name or find a person. Such columns are never read."""
    return _PERSONAL.search(normal(column)) is not None


def attributes(frame: pd.DataFrame, id_column: str, key: str, columns: Iterable[str], separators: str) -> pd.DataFrame:
    """Columns → long form ``key``, "key", "value" (key is item_id or user_id), one row for each value of a list.

    A list is an array (Parquet), or a string with one of the separators between its values.
    """
    parts = []
    pattern = f"[{re.escape(separators)}]" if separators else None
    for column in columns:
        values = frame[column].astype(object)
        lists = [
            list(v)
            if not isinstance(v, str) and hasattr(v, "__iter__")
            else re.split(pattern, v)
            if isinstance(v, str) and pattern
            else [v]
            for v in values
        ]
        long = pd.DataFrame({key: frame[id_column].to_numpy(), "key": column, "value": lists}).explode("value")
        long = long[long["value"].notna()]
        parts.append(long.assign(value=long["value"].astype(str).str.strip()))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({key: [], "key": [], "value": []})


def describe_items(
    frame: pd.DataFrame, id_column: str, list_columns: Iterable[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of items → (item_id, title, text) and (item_id, key, value).

    The title and the description are found by name; ``list_columns`` hold values separated by spaces, in the others
    ``|`` separates; columns of links and images, and columns about users, are left out.
    """
    by_normal = {normal(c): c for c in reversed(frame.columns.tolist()) if c not in {id_column, "file", "line"}}
    title = next((by_normal[n] for n in TITLES if n in by_normal), None)
    text = next((by_normal[n] for n in DESCRIPTIONS if n in by_normal), None)
    items = pd.DataFrame({"item_id": frame[id_column].astype(str)})
    for name, column in (("title", title), ("text", text)):
        if column is not None:
            items[name] = frame[column].astype(object).where(frame[column].notna() & (frame[column] != ""), None)
    spaced = set(list_columns)
    rest = [c for n, c in by_normal.items() if c not in {title, text} and not _NOT_OF_ITEMS.search(n)]
    rows = [
        attributes(frame, id_column, "item_id", [c for c in rest if (c in spaced) == is_list], separators)
        for is_list, separators in ((True, " "), (False, "|"))
    ]
    return items, pd.concat(rows, ignore_index=True)
