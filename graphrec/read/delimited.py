"""Delimited text → a table of strings. pyarrow reads it, in blocks; lines that it cannot read go the careful way.

The time is linear in the size of the file, and beyond the table itself only blocks are held in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from graphrec.door.quarantine import Quarantine
from graphrec.read.form import Form
from graphrec.read.lines import Lines, Looks, Mask, Places, is_utf8
from graphrec.read.quotes import MAX_QUOTED_LINES, Record, checked, record
from graphrec.read.streams import BLOCK, LOST, blocks

LOOK, FEW = 1 << 17, 10  # bytes of a block for a look at a file, and rows for which an eighth of that is enough
UNIFIED = 8  # blocks whose ids are put under one dictionary at once
UNIT = "\x1f"  # stands for a separator of more than one character
_STRING = pa.large_string()
_BLANKS, _MARGIN = re.compile(rb"[ \t]+"), re.compile(rb"^[ \t]+|[ \t]+(?=\r?$)", re.MULTILINE)


def read_delimited(
    path: Path,
    form: Form,
    quarantine: Quarantine,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    ids: Sequence[str] = (),
) -> pd.DataFrame:
    """Rows as str columns, with ``line`` (int64, from 1) and ``file``.

    Args:
        form: how it is written down; without ``names`` the first line after ``skip`` names the columns.
        columns: the ones wanted, None for all.
        limit: stop after so many rows, for a look at a file.
        ids: columns that come as categories of str, each distinct value held once.

    Lines with more fields than columns, or with bytes that are no text, are set aside; absent last fields are "";
    lines without anything are no rows.
    """
    parts: list[pa.Table] = []
    parser: _Parser | None = None
    rest, rest_number, n_rows = b"", 0, 0
    size = BLOCK if limit is None else LOOK if limit > FEW else LOOK // 8
    stream = blocks(path, quarantine, form.encoding, size)
    for number, data, last in _with_last(stream):
        if rest:
            number, data, rest = rest_number, rest + data, b""
        data = _plain_separators(data, form)
        if parser is None:
            names, used, n_lines = _names(data, form, number)
            if names is None:
                if not last:
                    rest, rest_number = data, number
                continue
            parser = _Parser(path, form, names, columns, quarantine)
            number, data = number + n_lines, data[used:]
        table, rest, rest_number = parser.parse(data, number, last)
        parts.append(_encoded(table, ids))
        if ids and len(parts) == UNIFIED:
            parts = [pa.concat_tables(parts).unify_dictionaries()]
        n_rows += table.num_rows
        if limit is not None and n_rows >= limit:
            break
    if parser is None:
        parser = _Parser(path, form, list(form.names), columns, quarantine)
    table = pa.concat_tables(parts or [_encoded(parser.empty(), ids)])
    parts.clear()
    return _frame(table.unify_dictionaries() if limit is None else table.slice(0, limit), path)


def _encoded(table: pa.Table, ids: Sequence[str]) -> pa.Table:
    """The same with these columns as places in their distinct values."""
    for n, name in enumerate(table.column_names):
        if name in ids:
            table = table.set_column(n, name, table.column(n).dictionary_encode())
    return table


def column_names(names: Iterable[str]) -> list[str]:
    """Names by which the columns of a file go: a blank one is its place (from 1), a repeated one gets ``(2)``.

    ``file`` and ``line`` get ``_`` behind them, since these say where a row comes from.
    """
    out: list[str] = []
    for place, name in enumerate(names, 1):
        name = name.strip() or str(place)
        name = f"{name}_" if name in {"file", "line"} else name
        n, free = 1, name
        while free in out:
            n += 1
            free = f"{name} ({n})"
        out.append(free)
    return out


def _with_last(stream: Iterable[tuple[int, bytes]]) -> Iterable[tuple[int, bytes, bool]]:
    held: tuple[int, bytes] | None = None
    for item in stream:
        if held is not None:
            yield *held, False
        held = item
    if held is not None:
        yield *held, True


def _plain_separators(data: bytes, form: Form) -> bytes:
    """Separators of one byte, whatever they were."""
    if form.sep == "":
        return _BLANKS.sub(UNIT.encode(), _MARGIN.sub(b"", data))
    return data.replace(form.sep.encode(), UNIT.encode()) if len(form.sep.encode()) > 1 else data


def _delimiter(form: Form) -> str:
    return form.sep if len(form.sep.encode()) == 1 else UNIT


def _names(data: bytes, form: Form, number: int) -> tuple[list[str] | None, int, int]:
    """The columns, and the bytes and lines before the first row; None where the header is not whole yet."""
    lines, at = data.split(b"\n", form.skip + MAX_QUOTED_LINES), 0
    n_skip = max(0, form.skip - number + 1)
    if len(lines) <= n_skip:
        return None, 0, 0
    at = n_skip
    if form.names:
        return list(form.names), sum(map(len, lines[:at])) + at, at
    while at < len(lines) - 1 and not lines[at].strip():
        at += 1
    if form.quoted:
        found = record(lines.__getitem__, at, len(lines), _delimiter(form), 0)
    else:
        found = Record(lines[at].decode("utf-8", "replace").rstrip("\r").split(_delimiter(form)))
    end = at + found.taken
    fields = found.fields or lines[at].decode("utf-8", "replace").split(_delimiter(form))
    return column_names(fields), min(sum(map(len, lines[:end])) + end, len(data)), end


class _Parser:
    """Reads the blocks of one file."""

    def __init__(
        self, path: Path, form: Form, names: list[str], columns: Sequence[str] | None, quarantine: Quarantine
    ) -> None:
        self.path, self.form, self.names, self.quarantine = path, form, names, quarantine
        self.places = [n for n, name in enumerate(names) if columns is None or name in columns]
        self.sep = _delimiter(form)

    def empty(self) -> pa.Table:
        kept = {self.names[n]: pa.array([], _STRING) for n in self.places}
        return pa.table({**kept, "line": pa.array([], pa.int64())})

    def parse(self, data: bytes, number: int, last: bool) -> tuple[pa.Table, bytes, int]:
        """The rows of a block; and the lines at its end whose record the next block goes on with, with their number."""
        if not data:
            return self.empty(), b"", 0
        if not data.endswith(b"\n"):
            data += b"\n"
        lines = Lines(data)
        careful, bad = self._lines_in_need(lines)
        table, kept, invalid = self._fast(lines, careful | bad)
        if table is None:  # a quote swallowed lines: all quotes are looked at
            careful |= lines.with_byte(34)
            table, kept, invalid = self._fast(lines, careful | bad)
            assert table is not None
        careful[invalid] = True
        rows, numbers, consumed, stop = self._careful(lines, careful, bad, number, last, Looks(table, len(self.names)))
        gone = consumed | bad
        gone[stop:] = True
        if gone[kept].any():
            table, kept = table.filter(pa.array(~gone[kept])), kept[~gone[kept]]
        out = pa.table([*table.columns, pa.array(kept + number)], names=[*self.names, "line"])
        if rows:
            own = [pa.array(list(values), _STRING) for values in zip(*rows, strict=True)]
            more = pa.table([*own, pa.array(np.array(numbers, np.int64) + number)], schema=out.schema)
            out = pa.concat_tables([out, more])
            out = out.take(pc.sort_indices(out["line"]))
        out = _without_blank_rows(out).select([*(self.names[n] for n in self.places), "line"])
        return out, data[lines.starts[stop] :] if stop < len(lines) else b"", number + stop

    def _lines_in_need(self, lines: Lines) -> tuple[Mask, Mask]:
        """Lines with an odd number of quotes or a lone carriage return; and lines that are no text."""
        careful, bad = np.zeros(len(lines), np.bool_), np.zeros(len(lines), np.bool_)
        if self.form.quoted and b'"' in lines.data:
            careful = lines.counts(34) % 2 == 1
        if b"\r" in lines.data:
            at = np.flatnonzero(lines.bytes == 13)
            careful[lines.of(at[lines.bytes[at + 1] != 10])] = True
        if not lines.data.isascii():
            if LOST in lines.data and self.form.encoding != "utf-8":
                bad = np.array([LOST in lines[n] for n in range(len(lines))])
            try:
                lines.data.decode("utf-8")
            except UnicodeDecodeError:
                high = np.unique(lines.of(np.flatnonzero(lines.bytes >= 0x80)))
                bad[[n for n in high.tolist() if not is_utf8(lines[n])]] = True
        return careful, bad

    def _fast(self, lines: Lines, without: Mask) -> tuple[pa.Table | None, Places, list[int]]:
        """pyarrow's table of the other lines, their places, and the places it calls invalid; None where it took
        several lines for one."""
        kept = np.flatnonzero(~without)
        data = lines.data if len(kept) == len(lines) else lines.join(without)
        names = [str(n) for n in range(len(self.names))]
        invalid: list[int] = []

        def handler(row: Any) -> str:
            invalid.append(row.number - 1)
            return "skip"

        if not data:
            return pa.table({n: pa.array([], _STRING) for n in names}), kept, []
        wanted = dict.fromkeys(names, _STRING)
        table = pcsv.read_csv(
            pa.py_buffer(data),
            read_options=pcsv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
            parse_options=pcsv.ParseOptions(
                delimiter=self.sep,
                quote_char='"' if self.form.quoted else False,
                ignore_empty_lines=False,
                invalid_row_handler=handler,
            ),
            convert_options=pcsv.ConvertOptions(column_types=wanted, strings_can_be_null=False, null_values=[]),
        )
        if table.num_rows + len(invalid) != len(kept):
            return None, kept, []
        good = np.ones(len(kept), np.bool_)
        good[invalid] = False
        return table, kept[good], kept[invalid].tolist()

    def _careful(
        self,
        lines: Lines,
        careful: Mask,
        bad: Mask,
        number: int,
        last: bool,
        looks: Callable[[Sequence[str]], bool],
    ) -> tuple[list[list[str]], list[int], Mask, int]:
        """Rows of the lines in need and their places, the lines that a record before them took, and where the block
        ends: before a record that goes on in the next one."""
        rows: list[list[str]] = []
        places: list[int] = []
        consumed, width, done = np.zeros(len(lines), np.bool_), len(self.names), 0
        for at in np.flatnonzero(careful | bad).tolist():
            if at < done or not lines[at].strip():
                continue
            if bad[at]:
                known = "UTF-8" if self.form.encoding == "utf-8" else self.form.encoding
                self.quarantine.add(self.path, number + at, f"not {known}", f"0 fields for {width} columns")
                continue
            if self.form.quoted:
                found = record(lines.__getitem__, at, len(lines), self.sep, width, looks)
            else:
                found = checked(lines[at].decode("utf-8").rstrip("\r\n").split(self.sep), width)
            if found.open and not last:
                return rows, places, consumed, at
            if found.fault:
                what = f"{len(found.fields)} fields for {width} columns"
                self.quarantine.add(self.path, number + at, found.fault, what)
                continue
            consumed[at + 1 : at + found.taken] = True
            done = at + found.taken
            rows.append(found.fields)
            places.append(at)
        return rows, places, consumed, len(lines)


def _without_blank_rows(table: pa.Table) -> pa.Table:
    blank: Mask | None = None
    for column in table.columns[:-1]:
        empty: Mask = pc.equal(pc.binary_length(column), 0).to_numpy()
        blank = empty if blank is None else blank & empty
        if not blank.any():
            return table
    return table if blank is None else table.filter(pa.array(~blank))


def _frame(table: pa.Table, path: Path) -> pd.DataFrame:
    dtype = pd.StringDtype("pyarrow", na_value=np.nan)
    frame: pd.DataFrame = table.to_pandas(types_mapper={_STRING: dtype}.get)
    frame["file"] = pd.Categorical.from_codes(np.zeros(len(frame), np.int8), categories=pd.Index([str(path)]))
    return frame
