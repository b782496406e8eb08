"""The face that readers of fixed formats use: heads, lines, JSON lines and tables whose form is known beforehand."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from graphrec.door.quarantine import Quarantine
from graphrec.errors import FormatError
from graphrec.read.delimited import column_names, read_delimited
from graphrec.read.encodings import find_encoding, is_utf8
from graphrec.read.form import Form
from graphrec.read.records import json_lines
from graphrec.read.streams import HEAD, head, lines, slurp

__all__ = ["HEAD", "head", "header", "json_lines", "lines", "slurp", "table"]


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
        legacy: a file that is not UTF-8 is Latin-1 (sets from before 2012). Otherwise its encoding is found out.
        needs: columns that the first line must name. Raises FormatError.

    Lines with more fields than columns are set aside; absent last fields are "".
    """
    encoding, _ = find_encoding(path)
    if legacy and not encoding.startswith("utf-16") and not is_utf8(path):
        encoding = "latin-1"
    form = Form(encoding=encoding, sep=sep, names=tuple(names or ()), quoted=quoted)
    frame = read_delimited(path, form, quarantine)
    found = [str(c) for c in frame.columns.drop(["file", "line"])]
    if missing := [n for n in needs if n not in found]:
        raise FormatError(
            f"{path}:1: no column {' and '.join(missing)}; found {', '.join(found) or 'no header'}; restore it"
        )
    return frame


def header(line: bytes, sep: str, quoted: bool) -> list[str]:
    """The column names in a first line."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    try:
        names = next(csv.reader([text], delimiter=sep), []) if quoted else text.split(sep)
    except csv.Error:
        names = text.split(sep)
    return column_names(names) if names else []
