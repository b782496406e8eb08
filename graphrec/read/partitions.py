"""Folders that hold a table in parts, ``day=2026-01-01/part-0.parquet``, as Hive and Spark write them.

The name of each folder on the way to a file is a column of the file's rows, as Arrow's ``HivePartitioning`` reads it:
%20 is a blank, ``__HIVE_DEFAULT_PARTITION__`` no value. Such a table is read as a log in several files is, from a
folder of links to its files; a link says after ``MARK`` which folders are columns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import dataset

from graphrec.door.quarantine import Quarantine
from graphrec.door.report import Report
from graphrec.read.source import stem
from graphrec.read.spec import SPEC_FILE

MARK = f"{os.sep}.{os.sep}"
UNREAD = "a name with _ before it, which Hive and Spark give to what is no data"


def parted(path: Path) -> bool:
    """Whether a source is a folder of parts, or holds one."""
    return path.is_dir() and (_root(path) or any(_root(p) for p in path.iterdir() if p.is_dir()))


def _root(folder: Path) -> bool:
    return any(_column(p) for p in folder.iterdir())


def _column(path: Path) -> bool:
    return path.name.find("=") > 0 and path.is_dir()


class Opened:
    """A source without folders of parts: a new folder with links to their files, numbered, and to all others.

    Attributes:
        folder: it. names: of each link to a part, the path of the part below the source. unread: of what is no data.
    """

    def __init__(self, path: Path, into: Path) -> None:
        self.path, self.folder = path, into / (path.resolve().name or "source")
        self.names: dict[str, str] = {}
        self.unread: list[str] = []
        self.folder.mkdir()
        self._table(path)
        for other in sorted(path.iterdir()):
            if _column(other) or other.name == SPEC_FILE:
                continue
            if other.is_dir() and not other.name.startswith(".") and _root(other):
                self._table(other)
            elif other.name.startswith("_") and _root(path):
                self.unread.append(other.name)
            else:
                (self.folder / other.name).symlink_to(other.resolve())
        if (said := path / SPEC_FILE).is_file():
            text = said.read_text("utf-8")
            for link, name in self.names.items():
                text = text.replace(f'"{name}"', f'"{link}"')
            (self.folder / SPEC_FILE).write_text(text, "utf-8")

    def _table(self, root: Path) -> None:
        """Links to all files of a folder of parts."""
        above, name = root.resolve(), "" if root == self.path else f"{root.name}/"
        for number, file in enumerate(self._files(root), 1):
            below = file.relative_to(root)
            ending = file.name.removeprefix(stem(file))
            link = f"{root.resolve().name}-{number:05d}{ending}"
            (self.folder / link).symlink_to(f"{above}{MARK}{below}")
            self.names[link] = f"{name}{below.as_posix()}"

    def _files(self, root: Path) -> Iterator[Path]:
        """Those below the folders whose names are columns; the others are unread."""
        for path in sorted(root.iterdir()):
            if _column(path):
                yield from self._below(path)

    def _below(self, folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if path.name.startswith("."):
                continue
            if _column(path):
                yield from self._below(path)
            elif path.name.startswith("_") or path.is_dir():
                self.unread.append(str(path.relative_to(self.path)))
            else:
                yield path

    def told(self, report: Report) -> None:
        """The report with the names that the files have."""
        for name in self.unread:
            hidden = Path(name).name.startswith("_")
            report.use_file(name, "", UNREAD if hidden else "a folder: folders in folders are not read")
        report.root = str(self.path)
        report.renamed({str(self.folder / link): str(self.path / name) for link, name in self.names.items()})
        report.renamed(self.names)

    def said(self, text: str) -> str:
        """A message with them."""
        for link, name in self.names.items():
            text = text.replace(str(self.folder / link), str(self.path / name)).replace(link, name)
        return text.replace(str(self.folder), str(self.path))


def columns_of(path: Path) -> Mapping[str, str | None]:
    """The columns that a link tells of its rows, none of what is no such link; None where there is no value."""
    _, mark, below = os.readlink(path).partition(MARK) if path.is_symlink() else ("", "", "")
    if not mark:
        return {}
    keys = [part.partition("=")[0] for part in Path(below).parts[:-1]]
    kind = dataset.HivePartitioning(pa.schema([(key, pa.string()) for key in keys]))
    found = dataset.get_partition_keys(kind.parse(below))
    return {key: found.get(key) for key in keys}


def added(
    frame: pd.DataFrame, path: Path, quarantine: Quarantine, columns: Sequence[str] | None, ids: Sequence[str]
) -> pd.DataFrame:
    """Rows of a file with the columns that its link tells, of those that are wanted. A column of the file stays."""
    for name, value in columns_of(path).items():
        if columns is not None and name not in columns:
            continue
        if name in frame:
            quarantine.warn(f"{path}: has a column {name!r} of its own, which counts, and not that of its folder")
            continue
        told: Any = pd.Series([value or ""] * len(frame), dtype="str", index=frame.index)
        frame.insert(len(frame.columns) - 2, name, told.astype("category") if name in ids else told)
    return frame
