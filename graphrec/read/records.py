"""JSON → objects and tables. Values stay as they are: numbers, strings, lists, objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from graphrec.door.quarantine import Quarantine
from graphrec.errors import DataError
from graphrec.read.delimited import column_names
from graphrec.read.streams import lines, slurp

Rows = Iterable[tuple[int, dict[str, Any]]]
_DECODER = json.JSONDecoder()


def json_lines(
    path: Path, quarantine: Quarantine, parse: Callable[[str], Any] = json.loads, encoding: str = "utf-8"
) -> Iterator[tuple[int, dict[str, Any]]]:
    """One JSON object a line, numbered. Blank lines are no rows.

    A bad line is set aside without its content: it may hold a reviewer's name.
    """
    for number, raw in lines(path, quarantine, encoding):
        if not raw.strip():
            continue
        try:
            row = parse(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            quarantine.add(path, number, "not UTF-8", f"byte {raw[error.start]:#04x} at column {error.start + 1}")
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            quarantine.add(path, number, "not valid JSON", getattr(error, "msg", type(error).__name__))
        else:
            if isinstance(row, dict):
                yield number, row
            else:
                quarantine.add(path, number, "not a JSON object", type(row).__name__)


def json_document(path: Path, quarantine: Quarantine, encoding: str = "utf-8") -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of one JSON document, numbered from 1: a list of objects, an object that holds one such list, objects
    one after the other, or an object of objects, whose keys become the column ``key``. Raises DataError."""
    try:
        text = slurp(path, quarantine, encoding).decode("utf-8")
        values = list(_values(text))
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 (at byte {error.start:,}); save it as UTF-8 or name its encoding") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error}); repair it, or bring one object a line") from None
    if len(values) == 1:
        values = _list_in(values[0])
    for number, value in enumerate(values, 1):
        if isinstance(value, dict):
            yield number, value
        else:
            quarantine.add(path, number, "not a JSON object", type(value).__name__)


def _values(text: str) -> Iterator[Any]:
    at, end = 0, len(text)
    while True:
        while at < end and text[at] in " \t\r\n,":
            at += 1
        if at >= end:
            return
        value, at = _DECODER.raw_decode(text, at)
        yield value


def _list_in(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and all(isinstance(x, dict) for x in v)]
        if len(lists) == 1:
            return list(lists[0])
        if len(value) > 1 and all(isinstance(v, dict) for v in value.values()):
            return [{"key": key, **v} for key, v in value.items()]
    return [value]


def frame_of(rows: Rows, path: Path, columns: Sequence[str] | None = None, limit: int | None = None) -> pd.DataFrame:
    """Numbered objects as a table: object columns in the order in which the keys come, None where a key is absent,
    with ``line`` (int64) and ``file``. Keys ``file`` and ``line`` get ``_`` behind them."""
    table: dict[str, list[Any]] = {}
    numbers: list[int] = []
    for number, row in rows:
        n = len(numbers)
        for key, value in row.items():
            values = table.get(key)
            if values is None:
                values = table[key] = []
            values.extend([None] * (n - len(values)))
            values.append(value)
        numbers.append(number)
        if limit is not None and len(numbers) >= limit:
            break
    names = column_names(table)
    data = {
        name: pd.Series([*values, *([None] * (len(numbers) - len(values)))], dtype=object)
        for name, values in zip(names, table.values(), strict=True)
        if columns is None or name in columns
    }
    for name in columns or ():
        data.setdefault(name, pd.Series([None] * len(numbers), dtype=object))
    frame = pd.DataFrame(data, index=range(len(numbers)))
    frame["line"] = np.array(numbers, np.int64)
    frame["file"] = pd.Categorical.from_codes(np.zeros(len(numbers), np.int8), categories=pd.Index([str(path)]))
    return frame
