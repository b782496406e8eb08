"""MIND, news as Microsoft published it (Wu et al. 2020): ``behaviors.tsv`` and ``news.tsv``, both without a header.

A line of ``behaviors.tsv``: impression, user, time, the user's earlier clicks, and what was shown: ``N123-1`` was
clicked, ``N123-0`` was not. Earlier clicks have no times of their own: they take that of the first impression.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from graphrec.data.kinds import Kind
from graphrec.door import check as door
from graphrec.door.report import Report
from graphrec.read.assemble import Tables, checked, columns_of
from graphrec.read.files import head, table
from graphrec.read.longform import long_form
from graphrec.read.source import Source

NAME = "mind"
_LOG = ("impression_id", "user_id", "time", "history", "impressions")
_NEWS = ("news_id", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities")
_TIME = "%m/%d/%Y %I:%M:%S %p"


def matches(source: Source) -> Path | None:
    """``behaviors.tsv`` with five fields, the last of ``id-0`` and ``id-1``."""
    found = source.find("behaviors.tsv")
    if found is None or found not in source.candidates:
        return None
    first = head(found).partition(b"\n")[0].split(b"\t")
    return found if len(first) == 5 and first[4].strip()[-2:] in (b"-0", b"-1") else None


def read(source: Source, report: Report) -> Tables:
    """Clicks as events, what was shown and not clicked as events that say nothing; titles, abstracts, categories."""
    quarantine = report.quarantine
    path = source.need("behaviors.tsv", NAME)
    log = table(path, quarantine, sep="\t", names=_LOG)
    log["timestamp"] = pd.to_datetime(log["time"], format=_TIME, errors="coerce", utc=True)
    log["timestamp"] = log["timestamp"].astype(object).where(log["timestamp"].notna(), log["time"])
    keep = ["user_id", "timestamp", "file", "line"]
    shown = log[[*keep, "impressions"]].assign(item=log["impressions"].str.split()).explode("item")
    shown = shown[shown["item"].notna()]
    parts = shown["item"].str.rpartition("-")
    shown = shown.assign(item_id=parts[0], kind=(parts[2] != "1").astype("int64"))
    first = log.drop_duplicates("user_id")
    clicked = first[keep].assign(item_id=first["history"].str.split()).explode("item_id")
    clicked = clicked[clicked["item_id"].notna()].assign(kind=0)
    raw = pd.concat([clicked, shown[[*keep, "item_id", "kind"]]], ignore_index=True)
    events = checked(raw, quarantine, path)
    report.use_file(path, "events", kind="click")
    roles = {"user_id": "user_id", "time": "timestamp", "history": "item_id", "impressions": "item_id"}
    report.use_columns(path, _LOG, roles, {"impression_id": "identifies rows"})

    out = Tables(events, kinds=[Kind("click", 1.0), Kind("shown", 0.0)], catalogue=source.spec.catalogue or "all")
    if (news := source.find("news.tsv")) is not None:
        frame = door.check_ids(table(news, quarantine, sep="\t", names=_NEWS), quarantine, "news_id")
        frame = frame.rename(columns={"news_id": "item_id", "abstract": "text"}).drop_duplicates("item_id")
        frame = frame.reset_index(drop=True)
        out.items = frame[["item_id", "title", "text"]]
        kinds = ["category", "subcategory"]
        out.item_attributes, _ = long_form(frame, "item_id", kinds, dict.fromkeys(kinds, "category"), source.spec)
        out.item_columns = columns_of(dict.fromkeys(kinds, "category"))
        report.use_file(news, "items")
        named = {"news_id": "item_id", "title": "title", "abstract": "text", **dict.fromkeys(kinds, "attribute")}
        why = {"url": "links or images", **dict.fromkeys(_NEWS[-2:], "entities of the text, not read")}
        report.use_columns(news, _NEWS, named, why, dict.fromkeys(kinds, "category"))
    return out
