"""Whether two Datasets hold the same data, whatever they are called and wherever they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from graphrec.data.dataset import Dataset

ATTRIBUTES = ("key", "value")


def same(a: Dataset, b: Dataset) -> bool:
    """Equal in users, items, events with their kinds and texts, friends, titles, attributes and triples.

    Name and report do not count, nor the order of events of one user, item and second.
    """
    if (a.users, a.items, a.directed) != (b.users, b.items, b.directed) or len(a.events) != len(b.events):
        return False
    arrays = ("social_edge_index", "item_titles", "item_text", "user_text")
    if not all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays):
        return False
    if (a.parts is None) != (b.parts is None) or a.external != b.external:
        return False
    columns = ("item_columns", "user_columns")
    if any(set(getattr(a, name)) != set(getattr(b, name)) for name in columns):
        return False
    tables = (("item_attributes", "item_num"), ("user_attributes", "user_num"))
    return log(a).equals(log(b)) and all(
        _rows(getattr(a, table), number) == _rows(getattr(b, table), number) for table, number in tables
    )


def log(data: Dataset) -> pd.DataFrame:
    """Everything about every event, one row each, in an order that depends on nothing else."""
    e = data.events
    said = pd.DataFrame("", index=pd.RangeIndex(len(e)), columns=pd.Index(["summary", "text"]), dtype=object)
    reviews = data.reviews[["summary", "text"]].astype(object)
    said.loc[data.reviews["event"].to_numpy(np.int64)] = reviews.to_numpy()
    columns = {
        "user": e.user_nums,
        "item": e.item_nums,
        "time": e.timestamps if e.timestamps is not None else np.full(len(e), -1, np.int64),
        "kind": np.array([str(kind) for kind in e.kind_table], dtype=object)[e.kinds],
        "value": e.values,
        "part": data.parts if data.parts is not None else np.zeros(len(e), np.uint8),
    }
    if e.places is not None:
        columns |= {"latitude": e.places[:, 0], "longitude": e.places[:, 1]}
    out = pd.DataFrame(columns).join(said)
    return out.sort_values(out.columns.tolist(), kind="stable", ignore_index=True)


def _rows(table: pd.DataFrame, number: str) -> list[tuple[object, ...]]:
    columns = [table[name].tolist() for name in (number, *ATTRIBUTES)]
    return sorted(zip(*columns, strict=True))
