"""A Dataset as a folder of Parquet files and a ``data.toml``, which ``Dataset.load`` reads as the same Dataset."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from graphrec.data.attributes import Column
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset
from graphrec.data.order import history_order
from graphrec.errors import DataError
from graphrec.read.spec import SPEC_FILE, to_toml
from graphrec.types import Vocabulary

PARTS = {TRAIN: "train", VALID: "valid", TEST: "test"}


def write(data: Dataset, path: Path) -> None:
    """Write a Dataset as a new folder: one file of events for each kind and part, items, users, friends, triples.

    Raises DataError where the folder is not new or cannot be written.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise DataError(f"{path}: already there and not empty; name a new folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as made:
            folder = Path(made) / "data"
            folder.mkdir()
            said = {"format": "csv", **_settings(data), **_write_tables(data, folder)}
            (folder / SPEC_FILE).write_text(to_toml(said), "utf-8")
            folder.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None


def _write_tables(data: Dataset, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Write every table that is not empty; use → what ``data.toml`` says about its tables."""
    said: dict[str, list[dict[str, Any]]] = {"events": list(_write_events(data, folder))}

    def add(use: str, columns: Mapping[str, Any], roles: Mapping[str, str], **more: Any) -> None:
        said[use] = [{"file": f"{use}.parquet", "columns": dict(roles), **more}]
        pq.write_table(pa.table(dict(columns)), folder / f"{use}.parquet")

    for use, ids, number, table, typed, texts in (
        ("items", data.items, "item_num", data.item_attributes, data.item_columns,
         {"title": data.item_titles, "text": data.item_text}),
        ("users", data.users, "user_num", data.user_attributes, data.user_columns, {"text": data.user_text}),
    ):  # fmt: skip
        attributes = _wide(table, number, len(ids))
        columns: dict[str, Any] = {f"{use[:-1]}_id": _strings(ids.ids)}
        columns |= {name: _strings(values) for name, values in texts.items() if any(values)}
        roles = {role: _free(role, attributes) for role in columns}
        types = {c.name: c.type for c in typed if c.name in attributes}
        add(use, {roles[k]: v for k, v in columns.items()} | attributes, roles, **({"types": types} if types else {}))
    edges = data.social_edge_index
    edges = edges if data.directed else edges[:, edges[0] < edges[1]]  # (2, S)
    if edges.shape[1]:
        one, other = (_strings(data.users.ids[n] for n in side) for side in edges)
        add("friends", {"user_id": one, "friend_id": other}, _same("user_id", "friend_id"), directed=data.directed)
    external = data.external
    if external.triples:
        names = ("head", "relation", "tail")
        add("triples", dict(zip(names, map(_strings, zip(*external.triples, strict=True)), strict=True)), _same(*names))
    if external.item_entities:
        entities = external.item_entities
        links = {"item_id": _strings(entities), "entity": _strings(entities.values())}
        labels = [external.labels.get(entity, "") for entity in entities.values()]
        links |= {"entity_label": _strings(labels)} if any(labels) else {}
        add("links", links, _same(*links))
    return said


def _write_events(data: Dataset, folder: Path) -> Iterable[dict[str, Any]]:
    """Write one file for each kind and part of the events, and say what is in it."""
    e = data.events
    parts = np.zeros(len(e), np.uint8) if data.parts is None else data.parts
    text, summary = (np.full(len(e), "", dtype=object) for _ in range(2))
    at = data.reviews["event"].to_numpy(np.int64)
    text[at], summary[at] = data.reviews["text"].to_numpy(object), data.reviews["summary"].to_numpy(object)
    groups = sorted(set(zip(e.kinds.tolist(), parts.tolist(), strict=True)))
    for number, part in groups:
        kind = e.kind_table[number]
        rows = history_order(e.user_nums, e.timestamps, e.order)  # rows in order tell what times leave open
        rows = rows[(e.kinds[rows] == number) & (parts[rows] == part)]
        value = "count" if kind.values == "none" else kind.values
        columns: dict[str, Any] = {
            "user_id": _ids(data.users, e.user_nums[rows]),
            "item_id": _ids(data.items, e.item_nums[rows]),
            value: pa.array(e.values[rows], from_pandas=True),
        }
        if e.timestamps is not None:
            columns["timestamp"] = e.timestamps[rows]
        if e.places is not None:
            columns |= {name: e.places[rows, n] for n, name in enumerate(("latitude", "longitude"))}
        columns |= {name: _strings(t[rows]) for name, t in (("text", text), ("summary", summary)) if any(t[rows])}
        if columns[value].null_count == len(rows):
            del columns[value]
        file = "events.parquet" if len(groups) == 1 else f"events-{_plain(kind.name)}-{number + 1}.parquet"
        if data.parts is not None and len(groups) > 1:
            file = file.replace(".parquet", f"-{PARTS[part]}.parquet")
        pq.write_table(pa.table(columns), folder / file)
        kept = value in columns and kind.values == "none"  # all alike: read as counts, which then say nothing
        said = {"file": file, "kind": kind.name, "weight": kind.weight, "values": "count" if kept else kind.values}
        said |= {"scale": list(kind.scale)} if kind.scale else {}
        said |= {} if kind.disliked_to is None else {"disliked_to": kind.disliked_to}
        said |= {} if data.parts is None else {"part": PARTS[part]}
        said |= {} if e.timestamps is None else {"unit": "s"}
        yield said | {"columns": _same(*columns)}


def _settings(data: Dataset) -> dict[str, Any]:
    """What is said of the whole source: every id is in the catalogue; which attributes are sensitive."""
    kept = {*data.item_attributes["key"], *data.user_attributes["key"]}
    columns: list[Column] = [c for c in (*data.item_columns, *data.user_columns) if c.name in kept]
    said: dict[str, Any] = {"allow_bad": 1.0}
    sensitive, others = ([c.name for c in columns if c.sensitive is wanted] for wanted in (True, False))
    return said | ({"sensitive": sensitive} if sensitive else {}) | ({"allow_sensitive": others} if others else {})


def _wide(table: pd.DataFrame, number: str, n: int) -> dict[str, Any]:
    """One column for each key: strings, or lists of strings where an id has several values."""
    out: dict[str, Any] = {}
    for key, rows in table.groupby("key", sort=True):
        lists: list[list[str]] = [[] for _ in range(n)]
        for place, value in zip(rows[number].tolist(), rows["value"].tolist(), strict=True):
            lists[place].append(value)
        several = any(len(values) > 1 for values in lists)
        plain = [values[0] if values else None for values in lists]
        out[str(key)] = pa.array(lists, pa.list_(pa.string())) if several else pa.array(plain, pa.string())
    return out


def _ids(vocabulary: Vocabulary, numbers: Any) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32()), pa.array(vocabulary.ids, pa.string()))


def _strings(values: Iterable[str]) -> pa.Array:
    return pa.array(list(values), pa.string())


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _free(name: str, taken: Iterable[str]) -> str:
    return _free(f"{name}_", taken) if name in taken else name


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name) or "event"
