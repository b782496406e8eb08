"""Finds out the format of a source, reads it, and reports what became of all of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from graphrec.data.dataset import Dataset
from graphrec.door.report import Report
from graphrec.errors import DataError, EmptyDataError, FormatError, GraphrecError
from graphrec.read import (
    amazon,
    archives,
    assemble,
    dumps,
    lastfm,
    lightgcn,
    mind,
    ml1m_kg,
    movielens,
    partitions,
    recbole,
    tables,
)
from graphrec.read.assemble import Tables
from graphrec.read.files import head
from graphrec.read.source import ONE_FOLDER, Source, listing
from graphrec.read.spec import SPEC_FILE, Spec, nearest, to_toml


class Reader(NamedTuple):
    """How one format is recognised and read.

    ``matches`` answers with the file that shows the format, found by names and first bytes, or None. ``read`` names
    every file and column it uses in the report, and raises FormatError (files or columns are missing) and
    EmptyDataError (no usable row).
    """

    matches: Callable[[Source], Path | None]
    read: Callable[[Source, Report], Tables]


_MODULES = (amazon, recbole, lightgcn, movielens, lastfm, ml1m_kg, mind, tables)
READERS = {m.NAME: Reader(m.matches, m.read) for m in _MODULES}


def load(path: Path, allow_bad: float | None = None) -> Dataset:
    """Read a source of any known format; what became of its files, columns and rows is in the Dataset's ``report``.

    Args:
        path: a folder, a file, or a zip file, which is a folder of its members. Zip files in a folder are unpacked too,
            and folders whose names are columns (``day=2026-01-01``) are read as one table.
        allow_bad: the share of the rows that one reason may set aside; None takes that of ``data.toml`` (.05).

    Raises FormatError (unknown or ambiguous), EmptyDataError (no usable row), DataError (cannot be read, or too many
    rows are set aside).
    """
    try:
        if not archives.packed(path):
            return _parted(path, allow_bad)
        with tempfile.TemporaryDirectory(prefix="graphrec-") as folder:
            opened = archives.opened(path, Path(folder))
            try:
                data = _parted(opened, allow_bad)
            except GraphrecError as error:
                raise type(error)(str(error).replace(str(opened), str(path))) from None
            data.report.moved(str(opened), str(path))
            return replace(data, name=Source(path).name)
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read ({error.strerror or error})") from None


def _parted(path: Path, allow_bad: float | None) -> Dataset:
    """A source whose tables may lie in folders whose names are columns."""
    if not partitions.parted(path):
        return _load(path, allow_bad)
    with tempfile.TemporaryDirectory(prefix="graphrec-") as folder:
        opened = partitions.Opened(path, Path(folder))
        try:
            data = _load(opened.folder, allow_bad)
        except GraphrecError as error:
            raise type(error)(opened.said(str(error))) from None
    opened.told(data.report)
    return data


def _load(path: Path, allow_bad: float | None) -> Dataset:
    source = Source.at(path)
    name, why = find(source)
    report = Report(format=name, why=why, root=str(source.folder))
    report.quarantine.allow_bad = _share(source.spec, allow_bad, report)
    found = dumps.paths_of(source)
    for file in found:
        report.use_file(file, "triples", form="RDF")
    made = READERS[name].read(source, report)
    data = dumps.attach(source, assemble.dataset(_name(source, name), made, report), found)
    _name_the_rest(source, name, report)
    _unheard(source, data, report)
    if not report.data_toml:
        said = source.spec.model_dump(mode="json", exclude_defaults=True)
        report.data_toml = to_toml({"format": name, **{k: v for k, v in said.items() if k != "format"}})
    return data


def _name(source: Source, format_: str) -> str:
    return recbole.name_of(source) if format_ == recbole.NAME else source.name


def _name_the_rest(source: Source, name: str, report: Report) -> None:
    """Every file that no reader has spoken of, with the reason."""
    for file in source.files:
        told = source.spec.ignore.get(file.name)
        report.use_file(file, "", told or f"no part of the {name} format")
    if source.path.is_dir():
        read = {f.path.partition("/")[0] for f in report.files}
        for folder in sorted(p for p in source.path.iterdir() if p.is_dir() and not p.name.startswith(".")):
            if folder.name not in read:
                report.use_file(folder, "", "a folder: folders in folders are not read")
    report.files.sort(key=lambda f: (not f.used_as, f.used_as != "events"))


def _unheard(source: Source, data: Dataset, report: Report) -> None:
    """Warn of files and attributes that ``data.toml`` names and the source does not have."""
    spec = source.spec
    files = sorted(p.name for p in source.folder.iterdir() if p.name != SPEC_FILE) if spec.ignore else []
    attributes = {c.name for c in (*data.item_columns, *data.user_columns)} | {c.column for c in report.columns}
    for what, names, known in (
        ("[ignore]", spec.ignore, files),
        ("sensitive", spec.sensitive, sorted(attributes)),
        ("allow_sensitive", spec.allow_sensitive, sorted(attributes)),
    ):
        for name in names:
            if name not in known:
                says = nearest(name, known) if known else "there is none"
                report.warn(f"{SPEC_FILE}: {what} names {name!r}, which is not there; {says}")


def _share(spec: Spec, allow_bad: float | None, report: Report) -> float:
    """The share of a file's rows that one reason may set aside: of the call, of ``data.toml``, else as usual."""
    if allow_bad is not None:
        return allow_bad
    return report.quarantine.allow_bad if spec.allow_bad is None else spec.allow_bad


def find(source: Source) -> tuple[str, str]:
    """The format of a source, and why: that of ``data.toml``, or the only one that matches. Raises FormatError."""
    spec = source.spec
    if spec.format:
        return spec.format, f"{SPEC_FILE} says so"
    if any(True for _ in spec.tables()):
        return tables.NAME, f"{SPEC_FILE} names its tables"
    inside = source.path.is_dir() and any(p.is_dir() for p in source.path.iterdir())
    if source.candidates and not inside and not any(map(head, source.candidates)):
        raise EmptyDataError(f"{source.candidates[0]}: nothing in the file; a source needs at least one interaction")
    found = [(name, file) for name, r in READERS.items() if (file := r.matches(source)) is not None]
    special = [(name, file) for name, file in found if name != tables.NAME]
    if len(special) == 1 and len(found) == 2 and (special[0][1] == found[-1][1] or special[0][0] in _WHOLE_FOLDERS):
        found = special  # the reader that knows the file's own format, rather than any table
    if not found:
        known = ", ".join(READERS)
        if inside and not any(map(head, source.candidates)):
            raise FormatError(f"{source.path}: no file in it; found {listing(source.path)}; {ONE_FOLDER}")
        raise FormatError(
            f"{source.path}: no known format; found {listing(source.path)}; known are {known}; {tables.remedy(source)}"
        )
    if len(found) > 1:
        both = " and ".join(f"{name} ({file.name})" for name, file in found)
        raise FormatError(
            f"{source.path}: two formats match, {both}; point at the one file, "
            f'or name the format in a {SPEC_FILE} in the folder (format = "{found[0][0]}")'
        )
    name, file = found[0]
    return name, f"{file.name} shows it"


_WHOLE_FOLDERS = frozenset((movielens.NAME, lastfm.NAME, ml1m_kg.NAME, lightgcn.NAME, mind.NAME))
