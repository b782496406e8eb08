"""One catalogue in several indexes, each over a range of its items and in a file of its own: built from a stream of
rows, of which one shard is held at a time, and asked from files that are mapped. The answer is the best of what all of
them find, so that of exact shards it is that of one index over all items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from graphrec.errors import CorruptArtifactError, DataError
from graphrec.profile.index import DEFAULTS, Index
from graphrec.profile.proposals import Mask
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats, Ints

NAME = "{:05d}.faiss"
MAPPED = 1e-9  # GiB that every file exceeds


class Shards:
    """Indexes over ranges of items that follow each other: the first over 0 to its size, and so on."""

    def __init__(self, parts: Sequence[Index]) -> None:
        self.parts = tuple(parts)
        self._starts = np.cumsum([0, *map(len, self.parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @classmethod
    def write(cls, folder: Path, rows: Iterable[Floats], size: int, config: RetrieveConfig = DEFAULTS) -> Shards:
        """Index rows in shards of ``size`` items, the last one smaller, and open them.

        Args:
            folder: a new one. rows: blocks float32 (b, D) of any length, in order of the items.
            config: of each shard: ``exact_below``, ``large`` and ``memory_gb`` are asked of its size.

        Raises DataError where there are no rows, and where the folder holds anything.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DataError(f"{folder}: not empty; name a new folder for the shards")
        n = 0
        for n, some in enumerate(_of_size(rows, size), 1):
            Index.build(some, config).save(folder / NAME.format(n))
        if not n:
            raise DataError(f"{folder}: no rows to index; give at least one block of items")
        return cls.open(folder, config)

    @classmethod
    def open(cls, folder: Path, config: RetrieveConfig = DEFAULTS) -> Shards:
        """Map the shards of a folder. Raises CorruptArtifactError where one is missing or none of ``Index.build``'s."""
        files = sorted(folder.glob("*.faiss"))
        if not files or [f.name for f in files] != [NAME.format(n) for n in range(1, len(files) + 1)]:
            raise CorruptArtifactError(f"{folder}: shards are missing; found {len(files)}; write them again")
        mapped = config.model_copy(update={"memory_gb": MAPPED})
        parts = [Index.load(file, mapped) for file in files]
        if len({part.width for part in parts}) > 1:
            raise CorruptArtifactError(f"{folder}: shards of several widths; write them again")
        return cls(parts)

    def search(
        self, queries: Floats, k: int, exclude: Sequence[Ints] | None = None, allowed: Mask | None = None
    ) -> tuple[Ints, Floats]:
        """The k best items of each query out of all shards; arguments, result and errors as in ``Index.search``."""
        if allowed is not None and allowed.shape != (len(self),):
            raise DataError(f"a mask of shape {allowed.shape} for {len(self):,} items; give one bool for each item")
        nums, scores = np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
        for part, first, end in zip(self.parts, self._starts.tolist(), self._starts[1:].tolist(), strict=False):
            out = None if exclude is None else [e[(e >= first) & (e < end)] - first for e in map(np.asarray, exclude)]
            found, own = part.search(queries, k, out, None if allowed is None else allowed[first:end])
            nums = np.hstack([nums, np.where(found < 0, -1, found + first)])
            scores = np.hstack([scores, own])
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # equal ones stay in order of their numbers
            nums, scores = np.take_along_axis(nums, best, 1), np.take_along_axis(scores, best, 1)
        return nums, scores


def _of_size(rows: Iterable[Floats], size: int) -> Iterator[Floats]:
    """The same rows in blocks of one size, the last one smaller."""
    held: list[Floats] = []
    n = 0
    for block in rows:
        while len(block):
            held.append(block[: size - n])
            block = block[len(held[-1]) :]
            n += len(held[-1])
            if n == size:
                yield np.concatenate(held)
                held, n = [], 0
    if held:
        yield np.concatenate(held)
