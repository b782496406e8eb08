"""A store ⇄ files: its own tables as JSON lines or Parquet, and what Gorse exports.

Its own: one record of ``records`` a row, of ``events``, ``impressions`` or ``item_changes``; which is told by its
columns. Gorse's: ``users.jsonl`` (nothing is taken), ``items.jsonl`` (ItemId, IsHidden, Categories, Timestamp, Labels,
Comment) and ``feedback.jsonl`` (FeedbackType, UserId, ItemId, Value, Timestamp, Comment), as its dashboard writes them.
What cannot be taken in is counted by reason, with the first line of each.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import sqlalchemy as sa

from graphrec.data.sink import check, writing
from graphrec.errors import DataError
from graphrec.store import schema
from graphrec.store.opening import transaction
from graphrec.store.records import ItemChange, StoredEvent
from graphrec.store.store import Store

AT_ONCE = 5000  # rows of one transaction
TABLES = {"events": schema.events, "impressions": schema.impressions, "item_changes": schema.item_changes}
GORSE = "gorse"
_EVENT = tuple(name for name in StoredEvent.model_fields if name not in ("sequence", "received"))


@dataclass
class Imported:
    """What became of the rows of files.

    Args:
        read, accepted, duplicates, forgotten: rows read; events taken in, known already, and of people erased.
        items, items_known: changes of items taken in, and known already.
        refused: why → rows. first: why → where the first one is. unused: what is no event and no item, by what it is.
    """

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    forgotten: int = 0
    items: int = 0
    items_known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    unused: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return {**vars(self), "refused": dict(self.refused), "unused": dict(self.unused)}


def read_into(store: Store, path: Path, source: str | None = None) -> Imported:
    """Take in a file, or the ``.jsonl`` and ``.parquet`` files of a folder; as often as one likes, all of it once.

    ``source`` names where events are from that do not say so themselves ("import"). Raises DataError where there is no
    such file, or one cannot be read at all.
    """
    files = sorted(f for f in path.iterdir() if f.suffix in (".jsonl", ".parquet")) if path.is_dir() else [path]
    if not files or not path.exists():
        raise DataError(f"{path}: no .jsonl or .parquet file; give one, or a folder of them")
    out = Imported()
    for file in files:
        events: list[StoredEvent] = []
        changes: list[ItemChange] = []
        for number, row in _rows(file):
            out.read += 1
            try:
                found = _record(row, source or "import", file.name, number)
            except DataError as error:
                why = str(error)
                out.refused[why] += 1
                out.first.setdefault(why, f"{file}:{number}")
                continue
            if isinstance(found, str):
                out.unused[found] += 1
            elif isinstance(found, StoredEvent):
                events.append(found)
            else:
                changes.append(found)
            if len(events) + len(changes) >= AT_ONCE:
                _take(store, events, changes, out)
        _take(store, events, changes, out)
    return out


def write_out(store: Store, path: Path, table: str = "events") -> int:
    """Write one of the tables to a new file, ``.jsonl`` or ``.parquet``, whole or not at all; the number of rows."""
    if table not in TABLES:
        raise DataError(f"no table {table!r} can be exported; there are {', '.join(TABLES)}")
    if path.suffix.lower() == ".csv":
        raise DataError(f"{path}: CSV does not tell a text from a number; name it .jsonl or .parquet")
    of = TABLES[table]
    query = of.select().order_by(*of.primary_key)
    with transaction(store._engine) as connection:
        found = connection.execution_options(yield_per=AT_ONCE).execute(query).partitions()
        if path.suffix.lower() == ".jsonl":
            return _write_lines(path, found)
        with writing(path) as sink:
            sink.write(_table([], of))
            for rows in found:
                sink.write(_table([dict(row._mapping) for row in rows], of))
            return sink.rows


def _write_lines(path: Path, found: Iterable[Iterable[Any]]) -> int:
    """JSON lines with every digit of a number, which pandas would round."""
    check(path)
    part, n = path.with_name(f".{path.name}.part"), 0
    try:
        with part.open("w", encoding="utf-8") as file:
            for row in (row for rows in found for row in rows):
                file.write(json.dumps(dict(row._mapping), ensure_ascii=False) + "\n")
                n += 1
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        part.unlink(missing_ok=True)
    return n


def _table(rows: list[dict[str, Any]], of: sa.Table) -> pd.DataFrame:
    types = {c.name: _dtype(c.type, c.nullable) for c in of.columns}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def _dtype(kind: Any, nullable: bool | None) -> str:
    """One type for a column whatever its rows, so that all pieces of a file agree."""
    if isinstance(kind, sa.Double):
        return "float64"
    if isinstance(kind, sa.Integer):
        return "float64" if nullable else "int64"
    return "object"


def _take(store: Store, events: list[StoredEvent], changes: list[ItemChange], out: Imported) -> None:
    found = store.append(events)
    out.accepted += found.accepted
    out.duplicates += found.duplicates
    out.forgotten += found.forgotten
    if changes:
        new = store.take_changes(changes)
        out.items += new
        out.items_known += len(changes) - new
    events.clear()
    changes.clear()


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows with their numbers from 1; a line that is no JSON is a row of its own, which nothing takes."""
    try:
        if file.suffix == ".parquet":
            number = 0
            with pq.ParquetFile(file) as table:
                for batch in table.iter_batches(AT_ONCE):
                    for row in batch.to_pylist():
                        number += 1
                        yield number, row
            return
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    try:
                        row = json.loads(line)
                    except ValueError:
                        row = None
                    yield number, row if isinstance(row, dict) else {"": "no JSON object"}
    except (OSError, ValueError) as error:  # pyarrow's errors are among these
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise DataError(f"{file}: cannot be read ({why}); give JSON lines in UTF-8 or Parquet") from None


def _record(row: Mapping[str, Any], source: str, file: str, number: int) -> StoredEvent | ItemChange | str:
    """An event or a change; what it is where nothing is taken of it. Raises DataError."""
    if "" in row:
        raise DataError("a line is no JSON object")
    if "FeedbackType" in row:
        return _feedback(row)
    if "ItemId" in row:
        return _gorse_item(row)
    if "UserId" in row:
        return "users of Gorse"
    said = {name: _plain(value) for name, value in row.items()}
    if "action" in said and "item_id" in said:
        attributes = said.get("attributes") or {}
        said["attributes"] = json.loads(attributes) if isinstance(attributes, str) else attributes
        change: ItemChange = ItemChange.of({n: v for n, v in said.items() if n != "sequence" and v is not None})
        return change
    if "model_version" in said and "position" in said:
        return "impressions"
    said = {name: value for name, value in said.items() if value is not None and name not in ("sequence", "received")}
    said.setdefault("source", source)
    said.setdefault("event_id", f"{file}:{number}")
    if "position" in said:
        said["position"] = int(said["position"])
    event: StoredEvent = StoredEvent.of(said)
    return event


def _plain(value: Any) -> Any:
    """A value of a table: what is missing is None."""
    return None if isinstance(value, float) and value != value else value


def _feedback(row: Mapping[str, Any]) -> StoredEvent:
    """Gorse has one feedback of a kind for a user and an item: they are its id."""
    key = [str(row.get(name, "")) for name in ("FeedbackType", "UserId", "ItemId")]
    said = {"source": GORSE, "event_id": json.dumps(key, ensure_ascii=False), "type": key[0], "user_id": key[1]}
    value = row.get("Value")
    event: StoredEvent = StoredEvent.of(
        {
            **said,
            "item_id": key[2],
            "time": _seconds(row.get("Timestamp")),
            "value": value or None,  # 0 is what Gorse writes where none was given
        }
    )
    return event


def _gorse_item(row: Mapping[str, Any]) -> ItemChange:
    """Labels that are a mapping are attributes by their names, others are tags."""
    labels = row.get("Labels")
    attributes = dict(labels) if isinstance(labels, Mapping) else {"tags": labels} if labels else {}
    if row.get("Categories"):
        attributes["categories"] = row["Categories"]
    if row.get("Comment"):
        attributes["title"] = row["Comment"]
    action = "hide" if row.get("IsHidden") else "add"
    change: ItemChange = ItemChange.of({"item_id": str(row["ItemId"]), "action": action, "attributes": attributes})
    return change


def _seconds(text: Any) -> float | None:
    """Seconds of a time as Go writes it; its year 1 is none. Raises DataError."""
    if not text or str(text).startswith("0001-01-01"):
        return None
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        raise DataError("Timestamp: no time as Gorse writes it (2024-05-01T12:00:00Z)") from None
