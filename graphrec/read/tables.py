"""CSV, TSV and Parquet with ``user_id,item_id[,rating,timestamp,review]``, under these or common other names.

Beside it in a folder: ``items.csv`` (item_id, title, text; other columns become attributes, ``|`` separates values)
and ``friends.csv`` (user_id, friend_id), also as TSV or Parquet.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from graphrec.data.dataset import Dataset, build
from graphrec.door import check as door
from graphrec.door.quarantine import Quarantine
from graphrec.errors import DataError, FormatError
from graphrec.read import columns
from graphrec.read.files import head, header, table
from graphrec.read.source import SPEC_FILE, Source, ending, stem

NAME = "csv"
_TEXT = (".csv", ".tsv")
_ENDINGS = (*_TEXT, ".parquet")


def matches(source: Source) -> Path | None:
    """A table with a column of users and a column of items."""
    return next((p for p in source.candidates if _is_events(p, source)), None)


def read(source: Source) -> Dataset:
    """The table of interactions, with titles, attributes and friends where a folder brings them."""
    quarantine = Quarantine()
    if source.spec.file or not source.path.is_dir():
        path = source.candidates[0]
    else:
        path = source.only((p for p in source.candidates if _is_events(p, source)), NAME)
    names = _header(path)
    found = columns.roles(names, source.spec.columns)
    if missing := {"user_id", "item_id"} - found.keys() | source.spec.columns.keys() - found.keys():
        raise FormatError(
            f"{path}:1: no column for {' and '.join(sorted(missing))}; found {', '.join(names) or 'no header'}; "
            f'say which is which in a {SPEC_FILE} ([columns] user_id = "…")'
        )
    raw = load_table(path, quarantine, list(found.values())).rename(columns={c: role for role, c in found.items()})
    events = door.check_events(raw, quarantine, path, source.spec.rating_range)

    items = item_attributes = None
    beside = [p for p in source.files if p != path and ending(p) in _ENDINGS]
    if (of_items := next((p for p in beside if stem(p).lower() in {"items", "item"}), None)) is not None:
        frame = load_table(of_items, quarantine)
        if (id_column := columns.roles(frame.columns.tolist()).get("item_id")) is None:
            raise FormatError(
                f"{of_items}:1: no column item_id; found {', '.join(_header(of_items))}; rename the column"
            )
        items, item_attributes = columns.describe_items(door.check_ids(frame, quarantine, id_column), id_column)
    return build(
        source.name,
        events,
        items=items,
        item_attributes=item_attributes,
        friends=read_friends(source, quarantine),
        quarantine=quarantine,
    )


def read_friends(source: Source, quarantine: Quarantine) -> pd.DataFrame | None:
    """``friends.csv`` or another ``*friends*`` table of a folder: user_id, friend_id; None where there is none."""
    endings = (*_ENDINGS, ".dat")
    path = next((p for p in source.files if "friends" in stem(p).lower() and ending(p) in endings), None)
    if path is None or not source.path.is_dir():
        return None
    frame = load_table(path, quarantine)
    names = [c for c in frame.columns if c not in {"file", "line"}]
    by_normal = {columns.normal(c): c for c in names}
    user = next((by_normal[n] for n in columns.SYNONYMS["user_id"] if n in by_normal), None)
    friend = next((by_normal[n] for n in ("friendid", "friend", "friendsid") if n in by_normal), None)
    if user is None or friend is None:
        raise FormatError(f"{path}:1: needs the columns user_id and friend_id; found {', '.join(names)}; rename them")
    return door.check_ids(frame, quarantine, user, friend).rename(columns={user: "user_id", friend: "friend_id"})


def load_table(path: Path, quarantine: Quarantine, names: list[str] | None = None) -> pd.DataFrame:
    """A table with ``file`` and ``line`` (of a Parquet file: the row, from 1). Raises DataError."""
    frame: pd.DataFrame
    if ending(path) != ".parquet":
        frame = table(path, quarantine, sep=_separator(path), quoted=True)
        return frame if names is None else frame[[*names, "file", "line"]]
    try:
        frame = pq.read_table(path, columns=names).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})") from None
    frame = frame.loc[:, ~frame.columns.duplicated()]
    return frame.assign(file=str(path), line=range(1, len(frame) + 1))


def _is_events(path: Path, source: Source) -> bool:
    return (
        ending(path) in _ENDINGS and {"user_id", "item_id"} <= columns.roles(_header(path), source.spec.columns).keys()
    )


def _separator(path: Path) -> str:
    """Tab for .tsv, else the separator that occurs most in the first line."""
    first = head(path).partition(b"\n")[0].decode("utf-8", "replace")
    return "\t" if ending(path) == ".tsv" else max(",\t;|", key=first.count)


def _header(path: Path) -> list[str]:
    if ending(path) == ".parquet":
        try:
            return list(pq.read_schema(path).names)
        except (pa.ArrowException, OSError):
            return []
    return header(head(path).partition(b"\n")[0], _separator(path), quoted=True)
