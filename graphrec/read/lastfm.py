"""HetRec 2011 Last.fm (Cantador, Brusilovsky & Kuflik 2011): play counts, friends, tags, artists.

A folder ``split/`` beside them is the published split of CoLaKG (Cui et al. 2025): ``train.txt`` and ``test.txt`` over
numbers, ``user_map.txt`` and ``item_map.txt`` (HetRec id, number), and texts that a language model wrote.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from graphrec.data.dataset import TEST, TRAIN
from graphrec.data.kinds import Kind
from graphrec.door import check as door
from graphrec.door.quarantine import Quarantine
from graphrec.door.report import Report
from graphrec.errors import DataError
from graphrec.read.assemble import Tables, checked, columns_of, published
from graphrec.read.files import head, slurp, table
from graphrec.read.lightgcn import adjacency
from graphrec.read.source import Source

NAME = "lastfm"
MIN_TAGGERS = 2  # users who gave an artist the same tag


def matches(source: Source) -> Path | None:
    """``user_artists.dat``."""
    found = source.find("user_artists.dat")
    return found if found in source.candidates and found is not None and head(found).startswith(b"userID\t") else None


def read(source: Source, report: Report) -> Tables:
    """With ``split/`` its parts over HetRec ids, weighted by play counts (1 where unknown); else the play counts."""
    quarantine = report.quarantine
    path = source.need("user_artists.dat", NAME)
    plays = table(path, quarantine, sep="\t", needs=["userID", "artistID", "weight"])
    plays = plays.rename(columns={"userID": "user_id", "artistID": "item_id", "weight": "rating"})
    items = users = None
    split = source.path / "split"
    is_published = (split / "train.txt").is_file()
    report.use_file(path, "events", kind="play")
    report.use_columns(
        path, ["userID", "artistID", "weight"], {"userID": "user_id", "artistID": "item_id", "weight": "count"}
    )
    if is_published:
        raw, items, users = _published(split, report)
        counts = plays.drop_duplicates(["user_id", "item_id"])[["user_id", "item_id", "rating"]]
        raw = raw.merge(counts, on=["user_id", "item_id"], how="left")
        raw["rating"] = raw["rating"].fillna("1")  # a pair of the split without a count
    else:
        raw = plays
    events = checked(raw, quarantine, source.path)

    if (artists := source.find("artists.dat")) is not None:
        titles = table(artists, quarantine, sep="\t", legacy=True, needs=["id", "name"])
        titles = door.check_ids(titles, quarantine, "id").rename(columns={"id": "item_id", "name": "title"})
        titles = titles[["item_id", "title"]]
        items = titles if items is None else titles.merge(items, on="item_id", how="outer")
        report.use_file(artists, "items")
        why = dict.fromkeys(("url", "pictureURL"), "links or images")
        report.use_columns(artists, ["id", "name", "url", "pictureURL"], {"id": "item_id", "name": "title"}, why)
    friends = None
    if (path_of_friends := source.find("user_friends.dat")) is not None:
        friends = table(path_of_friends, quarantine, sep="\t", needs=["userID", "friendID"])
        friends = door.check_ids(friends, quarantine, "userID", "friendID")
        friends = friends.rename(columns={"userID": "user_id", "friendID": "friend_id"})
        report.use_file(path_of_friends, "friends", kind="mutual")
        report.use_columns(path_of_friends, ["userID", "friendID"], {"userID": "user_id", "friendID": "friend_id"})
    return Tables(
        published(events, quarantine),
        kinds=[Kind("play", values="count")],
        items=items,
        users=users,
        friends=friends,
        item_attributes=_tags(source, report),
        item_columns=columns_of({"tag": "list"}),
        catalogue="events" if is_published else source.spec.catalogue or "all",
    )


def _published(split: Path, report: Report) -> tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame | None]:
    """Raw events with parts, item texts and user texts of ``split/``, all over HetRec ids."""
    quarantine = report.quarantine
    parts = [
        adjacency(path, quarantine).assign(part=part)
        for path, part in ((split / "train.txt", TRAIN), (split / "test.txt", TEST))
        if path.is_file()
    ]
    for name in ("train.txt", "test.txt"):
        if (split / name).is_file():
            report.use_file(split / name, "events", kind="play")
    raw = pd.concat(parts, ignore_index=True)
    texts: list[pd.DataFrame | None] = []
    for column, map_name, text_name in (
        ("user_id", "user_map.txt", "llm_response_user.json"),
        ("item_id", "item_map.txt", "llm_response_item.json"),
    ):
        if not (split / map_name).is_file():
            raise DataError(f"{split / map_name} is missing: the numbers of split/ mean nothing without it")
        numbers = table(split / map_name, quarantine, sep=" ", names=["id", "number"])
        mapping = dict(zip(numbers["number"], numbers["id"], strict=True))
        raw = door.translate(raw, column, mapping, map_name, quarantine)
        written = _texts(split / text_name, quarantine)
        what = "users" if column == "user_id" else "items"
        report.use_file(split / map_name, "links", kind=f"numbers of {what}")
        if written:
            report.use_file(split / text_name, what, kind="texts by a language model")
        ids = {mapping[n]: text for n, text in written.items() if n in mapping}
        texts.append(pd.DataFrame({column: list(ids), "text": list(ids.values())}) if ids else None)
    return raw, texts[1], texts[0]


def _texts(path: Path, quarantine: Quarantine) -> dict[str, str]:
    """A JSON object of number → text; nothing where there is no such file. Raises DataError."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(slurp(path, quarantine))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error}); repair or remove it") from None
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected a JSON object of number and text, found {type(found).__name__}")
    return {n: text for n, text in found.items() if isinstance(text, str)}


def _tags(source: Source, report: Report) -> pd.DataFrame | None:
    """Tags given to an artist by at least two users: item_id, key "tag", value.

    Possible test leakage, of the source's own making: who tags an artist has heard it, and the published split does not
    say which tags belong to held-out pairs. So tags enter as counts over all users only, and are never tied to a user.
    """
    quarantine = report.quarantine
    given, names = source.find("user_taggedartists.dat"), source.find("tags.dat")
    if given is None or names is None:
        return None
    tags = table(names, quarantine, sep="\t", legacy=True, needs=["tagID", "tagValue"])
    report.use_file(names, "items", kind="names of tags")
    report.use_columns(
        names, ["tagID", "tagValue"], {"tagID": "key", "tagValue": "attribute"}, types={"tagValue": "list"}
    )
    report.use_file(given, "items", kind="tags of artists")
    taggers_roles = {"artistID": "item_id", "tagID": "attribute", "userID": "counted only"}
    days = dict.fromkeys(("day", "month", "year"), "tags enter as counts over all users and times")
    report.use_columns(given, ["userID", "artistID", "tagID", *days], taggers_roles, days, {"tagID": "list"})
    name = dict(zip(tags["tagID"], tags["tagValue"], strict=True))
    rows = table(given, quarantine, sep="\t", needs=["userID", "artistID", "tagID"])
    taggers = rows.drop_duplicates(["userID", "artistID", "tagID"]).groupby(["artistID", "tagID"]).size()
    pairs = taggers[taggers >= MIN_TAGGERS].index.to_frame(index=False)
    out = pd.DataFrame({"item_id": pairs["artistID"], "key": "tag", "value": pairs["tagID"].map(name)})
    return out.dropna()
