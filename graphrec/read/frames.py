"""Tables in memory (pandas, polars, pyarrow) and streams of Arrow record batches as a source: they go through the same
door as files, with the same report.

Each table becomes a Parquet file of a temporary folder, so that there is one way in, whatever the data came as. In the
report and in errors the files bear the names of the tables.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
from narwhals.exceptions import NarwhalsError

from graphrec.door.report import Report
from graphrec.errors import DataError, FormatError, GraphrecError
from graphrec.read import detect
from graphrec.read.spec import SPEC_FILE, USES, to_toml

if TYPE_CHECKING:
    from graphrec.data.dataset import Dataset

_FILE_NAME = re.compile(r"[\w][\w -]{0,99}")


def load(events: Any, sides: Mapping[str, Any], name: str = "frames", said: Mapping[str, Any] | None = None) -> Dataset:
    """Read tables as ``Dataset.load`` reads a folder; see ``Dataset.from_frames``.

    Args:
        events: one table, or kind → table. sides: items, users, friends, triples → table, or None where there is none.
        said: what a ``data.toml`` would say; its files are the names of the tables.
    """
    kinds = dict(events) if isinstance(events, Mapping) else {"events": events}
    beside = {use: table for use, table in sides.items() if table is not None}
    for kind in kinds:
        if not isinstance(kind, str) or not _FILE_NAME.fullmatch(kind) or kind in sides:
            raise DataError(f"{name}: {kind!r} cannot name a kind of events; use a plain word that is no other table's")
    if not kinds:
        raise DataError(f"{name}: no table of events; give at least one")
    with tempfile.TemporaryDirectory(prefix="graphrec-") as made:
        folder = Path(made) / (name if _FILE_NAME.fullmatch(name) else "frames")
        folder.mkdir()
        for table, frame in {**kinds, **beside}.items():
            _write(frame, table, folder / f"{table}.parquet")
        spec = _spec(said or {}, kinds, beside, isinstance(events, Mapping))
        (folder / SPEC_FILE).write_text(to_toml(spec), "utf-8")

        def named(text: str) -> str:
            """Files under the names of their tables."""
            text = text.replace(f"{folder}{os.sep}", "").replace(str(folder), name)
            for table in (*kinds, *beside):
                text = text.replace(f"{table}.parquet", table)
            return text

        try:
            data = detect.load(folder)
        except GraphrecError as error:
            raise type(error)(named(str(error))) from None
    return replace(data, name=name, report=_renamed(data.report, named))


def _write(frame: Any, name: str, path: Path) -> None:
    """A table as Parquet; of a stream of Arrow record batches one batch is held at a time. Raises DataError."""
    stream = _batches(frame)
    if stream is None:
        pq.write_table(arrow(frame, name), path)
        return
    if len(set(stream.schema.names)) < len(stream.schema.names):
        raise DataError(f"{name}: two columns of the record batches have one name; give each a name of its own")
    try:
        with pq.ParquetWriter(path, stream.schema) as file:
            for batch in stream:
                file.write_batch(batch)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(
            f"{name}: the record batches cannot be read ({str(error).splitlines()[0]}); give batches of one schema"
        ) from None


def _batches(frame: Any) -> pa.RecordBatchReader | None:
    """A stream of record batches, or an iterable of them; None for a table that is in memory."""
    if isinstance(frame, pa.RecordBatchReader):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.RecordBatchReader.from_batches(frame.schema, [frame])
    if hasattr(frame, "to_reader") and not isinstance(frame, pa.Table):  # pyarrow.dataset.Scanner
        return cast("pa.RecordBatchReader", frame.to_reader())
    if hasattr(frame, "scanner") and not isinstance(frame, pa.Table):  # pyarrow.dataset.Dataset
        return cast("pa.RecordBatchReader", frame.scanner().to_reader())
    if not isinstance(frame, (list, tuple, Iterator)):
        return None
    rest = iter(frame)
    first = next(rest, None)
    if not isinstance(first, pa.RecordBatch):
        return None
    return pa.RecordBatchReader.from_batches(first.schema, chain([first], rest))


def arrow(frame: Any, name: str) -> pa.Table:
    """A table of any library as an Arrow table. Values of mixed types in one column become text.

    Raises DataError for what is no table, and for one whose columns do not have names of their own.
    """
    try:
        table = nw.from_native(frame, eager_only=True)
        return pa.table({str(values.name): _column(values, frame) for values in table.iter_columns()})
    except (TypeError, NarwhalsError) as error:
        what = f"{type(frame).__module__.partition('.')[0]}.{type(frame).__name__}"
        raise DataError(
            f"{name}: not a table that can be read, but {what} ({str(error).strip().splitlines()[0]}); "
            "give a pandas or polars DataFrame, a pyarrow Table or Arrow record batches, columns with distinct names"
        ) from None


def _column(values: Any, frame: Any) -> pa.Array | pa.ChunkedArray:
    try:
        return values.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if v is None or v != v else str(v) for v in values.to_list()], pa.string())


def _spec(
    said: Mapping[str, Any], kinds: Mapping[str, Any], beside: Mapping[str, Any], by_kind: bool
) -> dict[str, Any]:
    """What is said of the tables as a ``data.toml``; every table is there, as what it was given as."""
    tables: dict[str, list[dict[str, Any]]] = {"events": [], **{use: [] for use in beside}}
    for use in USES:
        for table in said.get(use, ()):
            file = table.get("file", use)
            if file not in (kinds if use == "events" else beside):
                known = ", ".join((*kinds, *beside))
                raise FormatError(f"said: {use} names the table {file!r}, which was not given; the tables are {known}")
            tables[use].append({**table, "file": f"{file}.parquet"})
    named: dict[str, Iterable[str]] = {"events": kinds, **{side: (side,) for side in beside}}
    for what, names in named.items():
        told = {table["file"] for table in tables[what]}
        tables[what] += [{"file": f"{n}.parquet"} for n in names if f"{n}.parquet" not in told]
    if by_kind:
        tables["events"] = [{"kind": t["file"].removesuffix(".parquet"), **t} for t in tables["events"]]
    if "columns" in said and len(kinds) == 1:
        (only,) = tables["events"]
        only["columns"] = {**said["columns"], **only.get("columns", {})}
    return {"format": "csv", **{k: v for k, v in said.items() if k not in ("columns", *USES)}, **tables}


def _renamed(report: Report, named: Any) -> Report:
    """The report with the names of the tables for those of the files."""
    q = report.quarantine
    q.rows = [replace(row, file=named(row.file)) for row in q.rows]
    q.first = {(named(f), why): replace(row, file=named(row.file)) for (f, why), row in q.first.items()}
    q.by_file = Counter({(named(f), why): n for (f, why), n in q.by_file.items()})
    q.warnings = [named(text) for text in q.warnings]
    return replace(
        report,
        why="tables in memory",
        files=[replace(f, path=named(f.path)) for f in report.files if not f.path.endswith(SPEC_FILE)],
        columns=[replace(c, file=named(c.file)) for c in report.columns],
        unmatched=[replace(u, file=named(u.file)) for u in report.unmatched],
        warnings=[named(text) for text in report.warnings],
        data_toml=named(report.data_toml),
        root="",
    )
