"""A block of lines as arrays: where each begins and ends, and what is in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

TYPED_ROWS = 200  # rows looked at to tell which columns hold numbers

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Lines:
    """A block of lines, each ended by ``\\n``."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bytes = np.frombuffer(data, np.uint8)
        self.ends: Places = np.flatnonzero(self.bytes == 10)
        self.starts: Places = np.concatenate(([0], self.ends[:-1] + 1))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, n: int) -> bytes:
        return self.data[self.starts[n] : self.ends[n] + 1]

    def of(self, at: Places) -> Places:
        """The lines of these places."""
        return np.searchsorted(self.ends, at)

    def counts(self, byte: int) -> Places:
        """How often a byte comes up in each line, int64 (n,)."""
        return np.bincount(self.of(np.flatnonzero(self.bytes == byte)), minlength=len(self))

    def with_byte(self, byte: int) -> Mask:
        """Lines in which a byte comes up, bool (n,)."""
        return self.counts(byte) > 0

    def join(self, without: Mask) -> bytes:
        """The bytes of the other lines."""
        gone = np.flatnonzero(without)
        begins = np.concatenate(([0], self.ends[gone] + 1))
        stops = np.concatenate((self.starts[gone], [len(self.data)]))
        view = memoryview(self.data)
        return b"".join(view[a:b] for a, b in zip(begins.tolist(), stops.tolist(), strict=True) if a < b)


class Looks:
    """Whether fields look like a row: numbers where nearly all rows have numbers; many fields where none has."""

    def __init__(self, table: pa.Table, width: int) -> None:
        head, self.numeric = table.slice(0, TYPED_ROWS), list[int]()
        for n in range(width if head.num_rows else 0):
            values = [v for v in head.column(n).to_pylist() if v.strip()]
            if values and sum(map(is_number, values)) >= 0.9 * len(values):
                self.numeric.append(n)
        self.many = width >= 4

    def __call__(self, fields: Sequence[str]) -> bool:
        return all(is_number(fields[n]) for n in self.numeric) if self.numeric else self.many


def is_number(text: str) -> bool:
    """Whether Python reads it as a float."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_utf8(line: bytes) -> bool:
    """Whether it can be decoded as UTF-8."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
