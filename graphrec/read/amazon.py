"""Amazon reviews as JSON lines, in the field names of 2014, 2018 and 2023, with or without a file of metadata.

(He & McAuley 2016; Ni, Li & McAuley 2019; Hou et al. 2024.) Only the fields named in this file are looked at:
reviewers' profiles and pictures are personal data and enter nothing, not even the quarantine. A reviewer's name is
looked at only to mask it in that reviewer's texts.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from graphrec.data.dataset import Dataset, build
from graphrec.door import check as door
from graphrec.door.quarantine import Quarantine
from graphrec.read.amazon_meta import Metadata
from graphrec.read.files import head, json_lines
from graphrec.read.source import Source, ending
from graphrec.read.tables import read_friends

NAME = "amazon"
RATINGS = (1.0, 5.0)
_EVENT = ["user_id", "item_id", "rating", "timestamp", "text", "summary", "reviewer_name", "line"]
_USER, _ITEM = re.compile(rb'"(reviewerID|user_id)"'), re.compile(rb'"(asin|parent_asin)"')


def matches(source: Source) -> Path | None:
    """JSON lines that name a reviewer and a product. A file that was named itself needs only the ending."""
    return next(iter(_reviews(source)), None)


def _reviews(source: Source) -> list[Path]:
    found = [p for p in source.candidates if ending(p) in {".json", ".jsonl"} and not _is_meta(p)]
    if source.spec.file or not source.path.is_dir():
        return found
    return [p for p in found if _USER.search(first := head(p)) and _ITEM.search(first)]


def _is_meta(path: Path) -> bool:
    return path.name.lower().startswith("meta")


def read(source: Source) -> Dataset:
    """Reviews with rating, time and text; titles, attributes and also-bought triples from ``meta*``; friends."""
    quarantine = Quarantine()
    path = source.only(_reviews(source), NAME)
    rows = [(*_event(row), line) for line, row in json_lines(path, quarantine)]
    raw = pd.DataFrame(rows, columns=pd.Index(_EVENT), dtype=object).assign(file=str(path))
    del rows
    events = door.check_events(raw, quarantine, path, source.spec.rating_range or RATINGS)

    meta = Metadata(set(events["item_id"].cat.categories))
    for file in source.files if source.path.is_dir() else ():
        if _is_meta(file) and ending(file) in {".json", ".jsonl"}:
            for line, row in json_lines(file, quarantine, _loads):
                if not meta.add(row):
                    quarantine.add(file, line, "metadata without asin")
    return build(
        source.name,
        events,
        items=meta.items(),
        item_attributes=meta.attributes(),
        friends=read_friends(source, quarantine),
        external=meta.external(),
        quarantine=quarantine,
    )


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
