"""A source as the readers see it: its files, and what a ``data.toml`` beside them says."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from graphrec.errors import DataError, FormatError
from graphrec.read.columns import Role

SPEC_FILE = "data.toml"


def _ordered(limits: tuple[float, float]) -> tuple[float, float]:
    if not limits[0] <= limits[1]:
        raise ValueError("the lower end comes first")
    return limits


class Spec(BaseModel):
    """What a ``data.toml`` may say; everything in it is optional::

    format = "csv"           # amazon, recbole, lightgcn, movielens, lastfm, ml1m_kg, csv (also for TSV and Parquet)
    file = "events.csv"      # which file of the folder holds the interactions
    rating_range = [1, 5]    # ratings outside are set aside
    graph = ["dbpedia.nt"]   # RDF beside it; without this line every .nt, .nq, .ttl and .trig file of a folder

    [columns]                # our name = the name in the file (csv and recbole)
    user_id = "customer"     # also item_id, rating, timestamp, text, summary, reviewer_name
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["amazon", "recbole", "lightgcn", "movielens", "lastfm", "ml1m_kg", "csv"] | None = None
    file: str | None = None
    rating_range: Annotated[tuple[float, float], AfterValidator(_ordered)] | None = None
    graph: tuple[str, ...] = ()
    columns: dict[Role, str] = {}

    @classmethod
    def load(cls, path: Path) -> Spec:
        """Read and check a ``data.toml``. Raises FormatError."""
        try:
            return cls.model_validate(tomllib.loads(path.read_bytes().decode("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise FormatError(f"{path}: not valid TOML ({error})") from None
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise FormatError(
                f"{path}: {faults}; the settings are format, file, rating_range, graph and [columns]"
            ) from None


@dataclass(frozen=True)
class Source:
    """A folder, or one file by itself."""

    path: Path
    spec: Spec = field(default_factory=Spec)

    @classmethod
    def at(cls, path: Path) -> Source:
        """The source at a path, with the ``data.toml`` of its folder. Raises DataError where nothing is there.

        For a file that is named by itself, a ``data.toml`` beside it counts unless that is about another file.
        """
        if not path.exists():
            raise DataError(f"{path}: no such file or folder; name a folder or file in a known format")
        folder = path if path.is_dir() else path.parent
        spec = Spec.load(folder / SPEC_FILE) if (folder / SPEC_FILE).is_file() else Spec()
        if path == folder and spec.file is not None and not (folder / spec.file).is_file():
            raise FormatError(f"{folder / SPEC_FILE}: file = {spec.file!r} is not in the folder; found {listing(path)}")
        return cls(path, spec if path == folder or spec.file in {None, path.name} else Spec())

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
        return (self.path / self.spec.file,) if self.spec.file and self.path.is_dir() else self.files

    @property
    def name(self) -> str:
        """A short name: the folder's, or the file's without its endings."""
        path = self.path.resolve()
        return path.name if path.is_dir() else stem(path)

    def find(self, *names: str) -> Path | None:
        """The first file with one of these names, plain or with ``.gz``."""
        by_name = {p.name.lower(): p for p in self.files}
        return next((by_name[n] for name in names for n in (name, f"{name}.gz") if n in by_name), None)

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
    name = path.name.lower().removesuffix(".gz")
    return "." + name.rpartition(".")[2] if "." in name else ""


def stem(path: Path) -> str:
    """The name without its format ending and ``.gz``: ``a.b`` for ``a.b.json.gz``."""
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    return name.rpartition(".")[0] or name
