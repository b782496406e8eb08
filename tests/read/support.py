"""What the tests of the readers share: files to write, and a Dataset seen from outside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.data.dataset import Dataset


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder; text as UTF-8."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def jsonl(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def events(data: Dataset) -> list[tuple[Any, ...]]:
    """(user_id, item_id, value[, time][, part]) of every event by user, item and time; 1 where it has no value."""
    i = data.events
    columns: list[Iterable[Any]] = [
        (data.users.ids[n] for n in i.user_nums),
        (data.items.ids[n] for n in i.item_nums),
        np.where(np.isnan(i.values), 1, i.values).tolist(),
    ]
    columns += [] if i.timestamps is None else [i.timestamps.tolist()]
    columns += [] if data.parts is None else [data.parts.tolist()]
    return list(zip(*columns, strict=True))


def titles(data: Dataset) -> dict[str, str]:
    return dict(zip(data.items.ids, data.item_titles, strict=True))


def item_attributes(data: Dataset) -> set[tuple[str, str, str]]:
    return {(data.items.ids[n], key, value) for n, key, value in data.item_attributes.itertuples(index=False)}


def user_attributes(data: Dataset) -> set[tuple[str, str, str]]:
    return {(data.users.ids[n], key, value) for n, key, value in data.user_attributes.itertuples(index=False)}


def friends(data: Dataset) -> set[tuple[str, str]]:
    """Friendships, each once, in the order of the ids."""
    a, b = data.social_edge_index
    ids = data.users.ids
    assert {(x, y) for x, y in zip(a, b, strict=True)} == {(y, x) for x, y in zip(a, b, strict=True)}
    return {(ids[x], ids[y]) for x, y in zip(a, b, strict=True) if x < y}


def balanced(data: Dataset) -> bool:
    """Every row read was kept, merged or set aside."""
    q = data.quarantine
    return q.rows_read == len(data.events) + q.merged + len(q)


def everything(data: Dataset) -> str:
    """All that is stored in a Dataset, as one string."""
    parts: list[object] = [data.users.ids, data.items.ids, data.external, data.quarantine, data.name]
    parts += [data.item_titles.tolist(), data.item_text.tolist(), data.user_text.tolist()]
    parts += [f.to_dict("list") for f in (data.reviews, data.item_attributes, data.user_attributes)]
    return repr(parts)
