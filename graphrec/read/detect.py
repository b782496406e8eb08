"""Finds out the format of a source, and reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from graphrec.data.dataset import Dataset
from graphrec.errors import DataError, EmptyDataError, FormatError
from graphrec.read import amazon, dumps, lastfm, lightgcn, ml1m_kg, movielens, recbole, tables
from graphrec.read.files import head
from graphrec.read.source import SPEC_FILE, Source, listing


class Reader(NamedTuple):
    """How one format is recognised and read.

    ``matches`` answers with the file that shows the format, found by names and first bytes, or None. ``read`` raises
    FormatError (files or columns are missing) and EmptyDataError (no usable row).
    """

    matches: Callable[[Source], Path | None]
    read: Callable[[Source], Dataset]


READERS = {m.NAME: Reader(m.matches, m.read) for m in (amazon, recbole, lightgcn, movielens, lastfm, ml1m_kg, tables)}


def load(path: Path) -> Dataset:
    """Read a source of any known format.

    Raises FormatError (unknown or ambiguous), EmptyDataError (no usable row), DataError (cannot be read).
    """
    try:
        source = Source.at(path)
        return dumps.attach(source, find(source).read(source))
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read ({error.strerror or error})") from None


def find(source: Source) -> Reader:
    """The reader for a source: the one ``data.toml`` names, or the only one that matches. Raises FormatError."""
    if source.spec.format:
        return READERS[source.spec.format]
    if source.candidates and not any(map(head, source.candidates)):
        raise EmptyDataError(f"{source.candidates[0]}: nothing in the file; a source needs at least one interaction")
    found = [(name, file) for name, r in READERS.items() if (file := r.matches(source)) is not None]
    if not found:
        known = ", ".join(READERS)
        raise FormatError(
            f"{source.path}: no known format; found {listing(source.path)}; known are {known} "
            f'(name one in a {SPEC_FILE} in the folder, for example format = "csv")'
        )
    if len(found) > 1:
        both = " and ".join(f"{name} ({file.name})" for name, file in found)
        raise FormatError(
            f"{source.path}: two formats match, {both}; point at the one file, "
            f'or name the format in a {SPEC_FILE} in the folder (format = "{found[0][0]}")'
        )
    return READERS[found[0][0]]
