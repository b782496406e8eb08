"""A file in any form → a table: find out how it is written down, look at a sample, read it.

::

    form = find_form(path)                    # or find_form(path, {"sep": ";", "encoding": "cp1252"})
    frame = read_table(path, form, quarantine)
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from graphrec.door.quarantine import Quarantine
from graphrec.errors import DataError
from graphrec.read import partitions
from graphrec.read.delimited import column_names, read_delimited
from graphrec.read.form import Container, Form
from graphrec.read.records import frame_of, json_document, json_lines
from graphrec.read.sniff import find_form
from graphrec.read.streams import PACKED, slurp

__all__ = ["Container", "Form", "find_form", "read_table", "sample", "whole_table"]


def read_table(
    path: Path,
    form: Form,
    quarantine: Quarantine,
    columns: Sequence[str] | None = None,
    *,
    limit: int | None = None,
    ids: Sequence[str] = (),
) -> pd.DataFrame:
    """The rows of a file, with ``line`` (int64, from 1; of Parquet and JSON documents the row) and ``file``.

    Args:
        form: how it is written down. columns: the ones wanted, None for all. limit: no more rows than these.
        ids: columns of strings that come as categories, each distinct value held once (delimited text, Parquet).

    Columns are str for delimited text, objects as they came for JSON, native for Parquet; a blank name is its place,
    a repeated one gets ``(2)`` behind it, ``file`` and ``line`` get ``_``. Bad lines go to the quarantine. What the
    folders of a part tell (``partitions``) are columns of strings.

    Raises DataError where a file of Parquet or one JSON document cannot be read.
    """
    if form.container == "delimited":
        frame = read_delimited(path, form, quarantine, columns, limit, ids)
    elif form.container == "parquet":
        told = partitions.columns_of(path)
        frame = _parquet(path, columns, limit, [name for name in ids if name not in told])
    elif form.container == "json":
        frame = frame_of(json_document(path, quarantine, form.encoding), path, columns, limit)
    else:
        frame = frame_of(json_lines(path, quarantine, encoding=form.encoding), path, columns, limit)
    return partitions.added(frame, path, quarantine, columns, ids)


def whole_table(path: Path, what: str) -> pd.DataFrame:
    """The table of a CSV (in any usual form), Parquet or JSON lines file, every line of it; ``what`` asks for it.

    Raises DataError where it cannot be read, or a line of it cannot.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; {what} takes a CSV, Parquet or JSON lines file")
    bad = Quarantine()
    table = read_table(path, find_form(path), bad)
    if len(bad):
        raise DataError(f"{path}: {len(bad):,} lines cannot be read, the first: {bad.rows[0]}")
    return table.drop(columns=["file", "line"])


def sample(path: Path, form: Form, n: int = 1000) -> pd.DataFrame:
    """The first n rows as str columns, "" where there is nothing; lists and objects as JSON. Raises DataError."""
    frame = read_table(path, form, Quarantine(), limit=n).drop(columns=["file", "line"])
    if form.container == "delimited":
        return frame
    return pd.DataFrame({name: frame[name].astype(object).map(_text).astype("str") for name in frame})


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None or value is pd.NaT or value is pd.NA or value != value else str(value)


def _parquet(path: Path, columns: Sequence[str] | None, limit: int | None, ids: Sequence[str]) -> pd.DataFrame:
    """The columns that are wanted, and no others are read."""
    try:
        packed = path.name.lower().endswith(PACKED)
        file = pq.ParquetFile(io.BytesIO(slurp(path, Quarantine())) if packed else path, read_dictionary=list(ids))
        own = file.schema_arrow.names
        names = column_names(own)
        wanted = [name for name in names if columns is None or name in columns]
        if limit is None and names == own and wanted:
            table, names = file.read(wanted), wanted
        elif limit is None:
            table = file.read()
        else:
            batch = next(file.iter_batches(batch_size=limit), None)
            table = file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})") from None
    n_rows = table.num_rows
    parts = {name: table.column(n) for n, name in enumerate(names) if name in wanted}
    del table
    data = {name: _native(parts.pop(name), name in ids) for name in list(parts)}
    frame = pd.DataFrame(data, index=range(n_rows))
    frame["line"] = np.arange(1, len(frame) + 1, dtype=np.int64)
    frame["file"] = pd.Categorical.from_codes(np.zeros(len(frame), np.int8), categories=pd.Index([str(path)]))
    return frame


def _native(column: pa.ChunkedArray, of_ids: bool) -> pd.Series:
    """A column as pandas holds it, strings ``of_ids`` as categories; whole numbers stay whole beside blanks, and
    decimals become float64."""
    if pa.types.is_dictionary(column.type):
        if of_ids and pa.types.is_string(column.type.value_type):
            codes: pd.Series = column.unify_dictionaries().to_pandas()
            return codes
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_integer(column.type) and column.null_count:
        return pd.Series(pd.array(column.to_pylist(), dtype="Int64"))
    series: pd.Series = column.to_pandas()
    return series
