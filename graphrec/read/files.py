"""Bytes → lines, JSON objects and tables of strings. What cannot be read goes to the quarantine, with its line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from graphrec.door.quarantine import Quarantine
from graphrec.errors import FormatError

HEAD = 1 << 16  # bytes read to find out a format
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error)
MAX_QUOTED_LINES = 1000  # a quoted field that runs over more lines is an unclosed quote
_BOM = b"\xef\xbb\xbf"


def _open(path: Path) -> io.BufferedIOBase:
    if path.name.lower().endswith(".gz"):
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        if packed:
            return gzip.open(path, "rb")
    return path.open("rb")


def head(path: Path) -> bytes:
    """The first bytes, unpacked; fewer where the stream breaks off."""
    out = b""
    try:
        with _open(path) as file:
            while len(out) < HEAD and (block := file.read1(HEAD)):
                out += block
    except BROKEN:
        pass  # the reader reports the break
    return out[:HEAD].removeprefix(_BOM)


def _broken(path: Path, line: int, error: BaseException, quarantine: Quarantine) -> None:
    quarantine.add(path, line, "the compressed file breaks off", error)


def lines(path: Path, quarantine: Quarantine) -> Iterator[tuple[int, bytes]]:
    """Numbered lines (from 1). Where a gzip stream breaks off, what came before is kept and the break set aside."""
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                yield number, line.removeprefix(_BOM) if number == 1 else line
    except BROKEN as error:
        _broken(path, number + 1, error, quarantine)


def slurp(path: Path, quarantine: Quarantine) -> bytes:
    """The whole file, unpacked; of a broken gzip stream the whole lines before the break."""
    blocks: list[bytes] = []
    try:
        with _open(path) as file:
            while block := file.read1(1 << 20):
                blocks.append(block)
    except BROKEN as error:
        data = b"".join(blocks)
        data = data[: data.rfind(b"\n") + 1]
        _broken(path, data.count(b"\n") + 1, error, quarantine)
        return data.removeprefix(_BOM)
    return b"".join(blocks).removeprefix(_BOM)


def json_lines(
    path: Path, quarantine: Quarantine, parse: Callable[[str], Any] = json.loads
) -> Iterator[tuple[int, dict[str, Any]]]:
    """One JSON object a line, numbered. Blank lines are no rows.

    A bad line is set aside without its content: it may hold a reviewer's name.
    """
    for number, raw in lines(path, quarantine):
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


def table(
    path: Path,
    quarantine: Quarantine,
    *,
    sep: str,
    names: Sequence[str] | None = None,
    quoted: bool = False,
    legacy: bool = False,
    needs: Sequence[str] = (),
) -> pd.DataFrame:
    """A delimited text file as strings, with its ``file`` and 1-based ``line``.

    Args:
        sep: the separator, one or more characters.
        names: the columns; None where the first line holds them.
        quoted: fields may be in double quotes, and then hold separators and line ends.
        legacy: a file that is not UTF-8 is Latin-1 (sets from before 2012). Otherwise such lines are set aside.
        needs: columns that the first line must name. Raises FormatError.

    Lines with more fields than columns are set aside; absent last fields are "".
    """
    data = slurp(path, quarantine)
    if legacy:
        data = _to_utf8(data)
    if len(sep) > 1:
        data, sep = data.replace(sep.encode(), b"\x1f"), "\x1f"
    skipped = 0
    if names is None:
        first, _, data = data.partition(b"\n")
        skipped, names = 1, header(first, sep, quoted)
        if missing := [n for n in needs if n not in names]:
            raise FormatError(
                f"{path}:1: no column {' and '.join(missing)}; found {', '.join(names) or 'no header'}; restore it"
            )
    frame = _fast(data, sep, names, quoted)
    if frame is None:
        frame = _careful(data, sep, names, quoted, skipped, path, quarantine)
    else:
        frame["line"] = np.arange(skipped + 1, skipped + 1 + len(frame))
    blank = (frame[list(dict.fromkeys(names))] == "").all(axis=1)
    frame = frame[~blank].reset_index(drop=True) if blank.any() else frame
    return frame.assign(file=str(path))


def header(line: bytes, sep: str, quoted: bool) -> list[str]:
    """The column names in a first line."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    try:
        names = next(csv.reader([text], delimiter=sep), []) if quoted else text.split(sep)
    except csv.Error:
        names = text.split(sep)
    return [n.strip() for n in names]


def _to_utf8(data: bytes) -> bytes:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1").encode("utf-8")
    return data


def _fast(data: bytes, sep: str, names: Sequence[str], quoted: bool) -> pd.DataFrame | None:
    """The table by pandas' C parser, or None where any line needs care."""
    columns = [*(f"{n}" for n in range(len(names))), "beyond"]
    if not data or b"\x00" in data:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(data),
                sep=sep,
                header=None,
                names=columns,
                index_col=False,
                dtype=str,
                na_filter=False,
                quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
                skip_blank_lines=False,
                encoding="utf-8",
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, UnicodeDecodeError):
        return None
    n_lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if len(frame) != n_lines or (frame["beyond"].fillna("") != "").any():
        return None
    frame = frame.drop(columns="beyond").fillna("")
    frame.columns = pd.Index(names)
    return frame.loc[:, ~frame.columns.duplicated()]


def _careful(
    data: bytes, sep: str, names: Sequence[str], quoted: bool, skipped: int, path: Path, quarantine: Quarantine
) -> pd.DataFrame:
    """The same line by line: a bad line costs that line only, also where its quote swallows good ones."""
    raw = data.splitlines(keepends=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    at = 0
    while at < len(raw):
        fields, taken, fault = _record(raw, at, sep, quoted)
        if len(fields) == len(names) + 1 and fields[-1] == "":  # a separator at the end of the line
            fields.pop()
        if not fault and len(fields) > len(names):
            fault = "too many fields"
        if fault:
            quarantine.add(path, at + skipped + 1, fault, f"{len(fields)} fields for {len(names)} columns")
            at += 1
            continue
        rows.append(fields + [""] * (len(names) - len(fields)))
        numbers.append(at + skipped + 1)
        at += taken
    frame = pd.DataFrame(rows, columns=pd.Index(names), dtype=object)
    frame = frame.loc[:, ~frame.columns.duplicated()].copy()
    frame["line"] = np.array(numbers, np.int64)
    return frame


def _record(raw: list[bytes], at: int, sep: str, quoted: bool) -> tuple[list[str], int, str]:
    """The fields of the record that begins at a line, the number of lines it takes, and what is wrong with it.

    A record over several lines must be flawless: else a quote left open would swallow good lines.
    """
    try:
        first = raw[at].decode("utf-8")
    except UnicodeDecodeError:
        return [], 1, "not UTF-8"
    if not quoted or '"' not in first:
        return first.rstrip("\r\n").split(sep), 1, ""
    try:
        for strict, end in ((False, at + 1), (True, min(at + MAX_QUOTED_LINES, len(raw)))):
            text = (line.decode("utf-8") for line in islice(raw, at, end))
            # "" stands behind the last line: only a record whose quote is still open reads it
            reader = csv.reader(chain(text, [""]), delimiter=sep, strict=strict)
            fields = next(reader)
            if reader.line_num <= end - at:
                return fields, reader.line_num, ""
    except csv.Error as error:
        return [], 1, "field too long" if "limit" in str(error) else "unclosed quote"
    except UnicodeDecodeError:
        pass
    return [], 1, "unclosed quote"
