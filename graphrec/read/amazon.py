"""Amazon reviews as JSON lines, in the field names of 2014, 2018 and 2023, with or without a file of metadata.

(He & McAuley 2016; Ni, Li & McAuley 2019; Hou et al. 2024.) Only the fields named in this file are looked at:
reviewers' profiles and pictures are personal data and enter nothing, not even the quarantine. A reviewer's name is
looked at only to mask it in that reviewer's texts.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from graphrec.data.kinds import Kind
from graphrec.door.report import Report
from graphrec.read import tables
from graphrec.read.amazon_meta import PRODUCT_FIELDS, PRODUCT_TYPES, Metadata
from graphrec.read.assemble import Tables, checked
from graphrec.read.files import head, json_lines
from graphrec.read.source import Source, ending

NAME = "amazon"
RATINGS = (1.0, 5.0)
_EVENT = ["user_id", "item_id", "rating", "timestamp", "text", "summary", "reviewer_name", "line"]
_ROLES = {
    "reviewerID": "user_id",
    "asin": "item_id",
    "overall": "rating",
    "unixReviewTime": "timestamp",
    "reviewText": "text",
    "summary": "summary",
    "reviewerName": "reviewer_name",
}
_ROLES_2023 = {
    "user_id": "user_id",
    "parent_asin": "item_id",
    "asin": "item_id",
    "rating": "rating",
    "timestamp": "timestamp",
    "text": "text",
    "title": "summary",
}
_WHY_NOT = {
    "reviewTime": "another time; 'unixReviewTime' is the time of the event",
    "image": "links or images",
    "images": "links or images",
    "imageURL": "links or images",
    "imageURLHighRes": "links or images",
    "imUrl": "links or images",
    "videos": "links or images",
    "asin": "another id; 'parent_asin' is the item_id",
    "salesRank": "sales counts may hold held-out events",
    "rank": "sales counts may hold held-out events",
    "average_rating": "may hold held-out ratings",
    "rating_number": "may hold held-out ratings",
}
_NO_USE = "no use is known for it"
_USER, _ITEM = re.compile(rb'"(reviewerID|user_id)"'), re.compile(rb'"(asin|parent_asin)"')


def matches(source: Source) -> Path | None:
    """JSON lines that name a reviewer and a product; of a file by itself the ending, if it is no other table."""
    found = next(iter(_reviews(source)), None)
    if found is None or source.path.is_dir() or source.spec.file or _names_both(found):
        return found
    return None if tables.matches(source) is not None else found


def _reviews(source: Source) -> list[Path]:
    found = [p for p in source.candidates if ending(p) in {".json", ".jsonl"} and not _is_meta(p)]
    if source.spec.file or not source.path.is_dir():
        return found
    return [p for p in found if _names_both(p)]


def _names_both(path: Path) -> bool:
    first = head(path)
    return _USER.search(first) is not None and _ITEM.search(first) is not None


def _is_meta(path: Path) -> bool:
    return path.name.lower().startswith("meta")


def read(source: Source, report: Report) -> Tables:
    """Reviews with rating, time and text; titles, attributes and also-bought triples from ``meta*``; friends."""
    quarantine = report.quarantine
    path = source.only(_reviews(source), NAME)
    fields: dict[str, None] = {}
    rows = [(*_event(row), line) for line, row in _seen(json_lines(path, quarantine), fields)]
    raw = pd.DataFrame(rows, columns=pd.Index(_EVENT), dtype=object).assign(file=str(path))
    del rows
    events = checked(raw, quarantine, path, source.spec.rating_range or RATINGS)
    new = "reviewerID" not in fields
    roles = _ROLES_2023 if new else _ROLES
    if {"asin", "parent_asin"} <= fields.keys() and new:
        roles = {k: v for k, v in roles.items() if k != "asin"}
    report.use_file(path, "events", kind="review")
    report.use_columns(path, fields, roles, {f: _WHY_NOT.get(f, _NO_USE) for f in fields if f not in roles})

    meta = Metadata(None if source.spec.catalogue == "all" else set(events["item_id"].cat.categories))
    for file in source.files if source.path.is_dir() else ():
        if _is_meta(file) and ending(file) in {".json", ".jsonl"}:
            keys: dict[str, None] = {}
            for line, row in _seen(json_lines(file, quarantine, _loads), keys):
                if not meta.add(row):
                    quarantine.add(file, line, "metadata without asin")
            report.use_file(file, "items")
            known = {f: r for f, r in PRODUCT_FIELDS.items() if f in keys}
            report.use_columns(
                file, keys, known, {f: _WHY_NOT.get(f, _NO_USE) for f in keys if f not in known}, PRODUCT_TYPES
            )
    if meta.passed_over:
        report.warn(
            f"{meta.passed_over:,} products of the metadata have no review and are left out; "
            'catalogue = "all" in a data.toml keeps them'
        )
    out = Tables(
        events,
        kinds=[Kind("review", values="rating", scale=source.spec.rating_range or RATINGS)],
        items=meta.items(),
        item_attributes=meta.attributes(),
        external=meta.external(report),
        catalogue=source.spec.catalogue or "events",  # metadata are of all products, reviews of a core
    )
    tables.attach(source, [p for p in source.files if not _is_meta(p) and p != path], out, report)
    return out


def _seen(rows: Iterable[tuple[int, dict[str, Any]]], fields: dict[str, None]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows, and in ``fields`` every key that occurs in one."""
    for line, row in rows:
        if not row.keys() <= fields.keys():
            fields.update(dict.fromkeys(map(str, row)))
        yield line, row


def _event(row: dict[str, Any]) -> tuple[Any, ...]:
    """The fields of ``_EVENT`` but for the line: 2014 and 2018 by ``reviewerID``, else 2023, which has no names."""
    if "reviewerID" in row:
        fields = ("reviewerID", "asin", "overall", "unixReviewTime", "reviewText", "summary", "reviewerName")
        return tuple(map(row.get, fields))
    time = row.get("timestamp")
    if type(time) in (int, float):
        time = _milliseconds(time)
    item = row.get("parent_asin") or row.get("asin")
    return row.get("user_id"), item, row.get("rating"), time, row.get("text"), row.get("title"), None


def _milliseconds(time: Any) -> Any:
    try:
        return time / 1000
    except OverflowError:  # a whole number beyond every float
        return -1


def _loads(text: str) -> Any:
    """JSON, or the Python literals that the metadata of 2014 was published as."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return ast.literal_eval(text.strip())
