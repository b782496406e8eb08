"""A source as the readers see it: its files, and what a ``data.toml`` beside them says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from graphrec.errors import DataError, FormatError
from graphrec.read.spec import SPEC_FILE, Spec, nearest
from graphrec.read.streams import PACKED, bare

ONE_FOLDER = "folders in folders are not read: point at one of them, or put the files into one folder"


@dataclass(frozen=True)
class Source:
    """A folder, or one file by itself."""

    path: Path
    spec: Spec = field(default_factory=Spec)

    @classmethod
    def at(cls, path: Path) -> Source:
        """The source at a path, with the ``data.toml`` of its folder. Raises DataError where nothing is there.

        For a file that is named by itself, a ``data.toml`` beside it counts unless that is about another file; of its
        tables those of the file count.
        """
        if not path.exists():
            raise DataError(f"{path}: no such file or folder; name a folder or file in a known format")
        folder = path if path.is_dir() else path.parent
        if not (folder / SPEC_FILE).is_file() or path.name == SPEC_FILE:
            return cls(path)
        spec = Spec.load(folder / SPEC_FILE)
        names = [spec.file] if spec.file is not None else []
        tables = [table.file for _, table in spec.tables()]
        if path != folder:
            if (names or tables) and path.name not in (names or tables):
                return cls(path)
            kept: dict[str, object] = {
                use: tuple(t for t in getattr(spec, use) if t.file == path.name) for use, _ in spec.tables()
            }
            return cls(path, spec.model_copy(update=kept))
        for name in (*names, *tables):
            if not (folder / name).is_file():
                what = "file" if name in names else "[[…]] file"
                raise FormatError(
                    f"{folder / SPEC_FILE}: {what} = {name!r} is not in the folder; found {listing(path)}"
                )
            if Path(name).name != name:
                raise FormatError(f"{folder / SPEC_FILE}: {name!r} is in another folder; {ONE_FOLDER}")
        return cls(path, spec)

    @property
    def folder(self) -> Path:
        """The folder itself, or that of the file."""
        return self.path if self.path.is_dir() else self.path.parent

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The file itself, or the files of the folder by name; hidden ones and ``data.toml`` left out."""
        if not self.path.is_dir():
            return (self.path,)
        found = (p for p in self.path.iterdir() if p.is_file() and p.name != SPEC_FILE and not p.name.startswith("."))
        return tuple(sorted(found))

    @cached_property
    def candidates(self) -> tuple[Path, ...]:
        """The files that may hold the interactions: the one that ``data.toml`` names, or all."""
        if self.spec.file and self.path.is_dir():
            return (self.path / self.spec.file,)
        return tuple(p for p in self.files if p.name not in self.spec.ignore)

    @property
    def name(self) -> str:
        """A short name: the folder's, or the file's without its endings."""
        path = self.path.resolve()
        return path.name if path.is_dir() else stem(path)

    def find(self, *names: str) -> Path | None:
        """The first file with one of these names, plain or packed (``.gz``, …)."""
        by_name = {p.name.lower(): p for p in self.files if p.name not in self.spec.ignore}
        return next((by_name[n] for name in names for n in (name, *(name + e for e in PACKED)) if n in by_name), None)

    def need(self, name: str, reader: str) -> Path:
        """Like ``find``, for a file that the format cannot do without. Raises FormatError."""
        if (path := self.find(name)) is None:
            raise FormatError(
                f"{self.path}: {name} is missing, which the {reader} format needs; found {listing(self.path)}"
            )
        return path

    def only(self, found: Iterable[Path], reader: str) -> Path:
        """The one file with interactions. Raises FormatError where there is none or more than one."""
        paths = tuple(found)
        if not paths:
            raise FormatError(f"{self.path}: no interactions in the {reader} format; found {listing(self.path)}")
        if len(paths) > 1:
            raise FormatError(
                f"{self.path}: {len(paths)} files hold interactions in the {reader} format, {paths[0].name} and "
                f'{paths[1].name}; point at one of them, or name it in a {SPEC_FILE} (file = "{paths[0].name}")'
            )
        return paths[0]


def listing(path: Path, most: int = 6) -> str:
    """What is at a path, for an error message."""
    if not path.is_dir():
        return f"the file {path.name}"
    names = [p.name + "/" * p.is_dir() for p in sorted(path.iterdir()) if not p.name.startswith(".")]
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + rest) if names else "an empty folder"


def ending(path: Path) -> str:
    """The ending that tells the format, in lower case and without ``.gz``: ``.json`` for ``a.json.gz``."""
    name = bare(path.name).lower()
    return "." + name.rpartition(".")[2] if "." in name else ""


def stem(path: Path) -> str:
    """The name without its format ending and ``.gz``: ``a.b`` for ``a.b.json.gz``."""
    name = bare(path.name)
    return name.rpartition(".")[0] or name


def check_names(table_file: Path, wanted: Iterable[str], header: Iterable[str], where: str) -> None:
    """Raises FormatError where data.toml names a column that the file does not have."""
    header = list(header)
    for column in wanted:
        if column not in header:
            raise FormatError(
                f"{table_file}:1: {where} names the column {column!r}, which is not there; "
                f"{nearest(column, header) if header else 'the file has no header'}; correct the {SPEC_FILE}"
            )
