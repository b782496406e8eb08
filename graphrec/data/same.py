"""Whether two things that a Dataset holds say the same, whatever order their rows are in."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.data.events import Events


def same(a: Any, b: Any) -> bool:
    """Equal values; arrays and tables element by element, where NaN equals NaN."""
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, pd.DataFrame):
        columns = a.columns.tolist()
        return columns == b.columns.tolist() and all(_list(a[name]) == _list(b[name]) for name in columns)
    return bool(a == b)


def log(events: Events, reviews: pd.DataFrame, parts: npt.NDArray[np.uint8] | None) -> pd.DataFrame:
    """Everything about every event, one row each: E rows in an order that depends on nothing but these."""
    said = pd.DataFrame("", index=pd.RangeIndex(len(events)), columns=pd.Index(["summary", "text"]), dtype=object)
    said.loc[reviews["event"].to_numpy(np.int64)] = reviews[["summary", "text"]].to_numpy(object)
    columns: dict[str, Any] = {"user": events.user_nums, "item": events.item_nums, "value": events.values}
    columns["kind"] = np.array([str(kind) for kind in events.kind_table], dtype=object)[events.kinds]
    columns |= {} if events.timestamps is None else {"time": events.timestamps}
    columns |= {} if parts is None else {"part": parts}
    if events.places is not None:
        columns |= {"latitude": events.places[:, 0], "longitude": events.places[:, 1]}
    return ordered(pd.DataFrame(columns).join(said))


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table in the order of their values."""
    return table.sort_values(table.columns.tolist(), kind="stable", ignore_index=True)


def digest(parts: Any) -> str:
    """SHA-256 over everything in nested tuples of arrays, tables, mappings and plain values."""
    out = hashlib.sha256()
    stack = [parts]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple | list):
            stack += [f"{len(part)}", *part]
        elif isinstance(part, np.ndarray) and part.dtype != object:
            out.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        elif isinstance(part, pd.DataFrame):
            for name in part.columns:
                stack += [str(name), part[name].to_numpy()]
        elif isinstance(part, np.ndarray):
            out.update(pd.util.hash_array(part.astype(str).astype(object)).tobytes())
        else:
            out.update(repr(part).encode("utf-8", "surrogatepass"))
    return out.hexdigest()


def _list(column: pd.Series) -> list[Any]:
    return column.astype(object).where(column.notna(), None).tolist()
