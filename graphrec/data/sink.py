"""A table written to a file piece by piece: whole under its name, or not there at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from graphrec.errors import DataError

ENDINGS = (".csv", ".parquet", ".jsonl")
ROWS = 65_536  # held before they are written: the least size of a row group of Parquet, but the last


def check(path: Path) -> None:
    """Raises DataError unless the ending is one of ENDINGS, the folder is there, and no folder has the name."""
    if path.suffix.lower() not in ENDINGS:
        raise DataError(f"{path}: the ending says how it is written; choose {', '.join(ENDINGS)}")
    if not path.parent.is_dir():
        raise DataError(f"{path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name a file in it")


class Sink:
    """Takes the pieces of one table, all with the same columns; ``rows`` counts them."""

    def __init__(self, handle: IO[bytes], ending: str) -> None:
        self.rows = 0
        self._handle, self._ending = handle, ending
        self._held: list[pd.DataFrame] = []
        self._waiting = 0
        self._begun = False
        self._parquet: pq.ParquetWriter | None = None

    def write(self, piece: pd.DataFrame) -> None:
        """A further piece, which may have no rows."""
        self._held.append(piece)
        self.rows += len(piece)
        self._waiting += len(piece)
        if self._waiting >= ROWS:
            self._flush()

    def close(self) -> None:
        """Writes what is held, and the end of the file."""
        self._flush()
        if self._parquet is not None:
            self._parquet.close()

    def _flush(self) -> None:
        if not self._held:
            return
        table = pd.concat(self._held, ignore_index=True) if len(self._held) > 1 else self._held[0]
        self._held, self._waiting = [], 0
        if self._ending == ".parquet":
            if self._parquet is None:
                self._parquet = pq.ParquetWriter(self._handle, _schema(table))
            self._parquet.write_table(pa.Table.from_pandas(table, self._parquet.schema, preserve_index=False))
        elif self._ending == ".jsonl":
            if len(table):
                lines = table.to_json(orient="records", lines=True, force_ascii=False, double_precision=15)
                self._handle.write(lines.encode("utf-8"))
        else:
            lines = table.to_csv(index=False, header=not self._begun, lineterminator="\n")
            self._handle.write(lines.encode("utf-8"))
        self._begun = True


@contextmanager
def writing(path: Path) -> Iterator[Sink]:
    """A sink whose file gets its name when the block ends well; an older file of that name stays until then.

    What a kill leaves is ``.NAME.part`` beside it, which the next writing of the same file removes. Raises DataError
    where ``check`` refuses or the file cannot be written.
    """
    check(path)
    path = path.resolve()  # a symbolic link stays, what it names is replaced
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        with part.open("xb") as handle:
            try:
                sink = Sink(handle, path.suffix.lower())
                yield sink
                sink.close()
                handle.flush()
                os.fsync(handle.fileno())
            except BaseException:
                with suppress(OSError):
                    part.unlink()
                raise
            mine = os.fstat(handle.fileno())
        if not os.path.samestat(mine, part.stat()):
            raise DataError(f"{path}: is being written by another command as well; wait for it to end")
        os.replace(part, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None


def _schema(table: pd.DataFrame) -> pa.Schema:
    """Numbers as they are, all else as text: of a piece without rows too."""
    types = [pa.from_numpy_dtype(t) if pd.api.types.is_numeric_dtype(t) else pa.string() for t in table.dtypes.tolist()]
    return pa.schema(list(zip(map(str, table.columns), types, strict=True)))
