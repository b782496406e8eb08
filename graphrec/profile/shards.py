"""One catalogue in several indexes, each over a range of its items and in a file of its own. The answer is the best of
what all of them find, so that of exact shards it is that of one index over all items.

Of a model they are built where ``retrieve.shard`` says of how many items (``built``), written beside it (``write``) and
read again, or mapped where they exceed ``retrieve.memory_gb`` (``read``). Vectors that no memory holds are indexed from
a stream of rows, of which one shard is held at a time, and asked from files that are mapped (``Shards.write``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.errors import CorruptArtifactError, DataError
from graphrec.profile.engines import chosen
from graphrec.profile.index import DEFAULTS, Index
from graphrec.profile.proposals import Mask
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats, Ints

ONE, SEVERAL = "index.faiss", "index"  # of an artifact: the file of one index, the folder of shards
NAME = "{:05d}.faiss"
MAPPED = 1e-9  # GiB that every file exceeds


def built(items: Floats, config: RetrieveConfig = DEFAULTS, people: Floats | None = None) -> Index:
    """The index of item profiles, float32 (I, D), in shards where these are set; ``people`` and errors as those of
    ``Index.build``."""
    if not 0 < config.shard < len(items):
        return Index.build(items, config, people)
    starts = range(0, len(items), config.shard)
    own = _of_each(config, len(starts))
    return Shards([Index.build(items[start : start + config.shard], own, people) for start in starts])


def check(n: int, config: RetrieveConfig, width: int = 1) -> None:
    """Raises ConfigError where ``built`` of so many items in so many dimensions would, before it takes any time."""
    size = config.shard if 0 < config.shard < n else n
    for rows in {size, n % size or size} if n else ():
        chosen(rows, width, _of_each(config, -(-n // size)))


def write(folder: Path, index: Index) -> None:
    """Write the index of a model into its folder. Raises ArtifactError where the disk refuses."""
    if not isinstance(index, Shards):
        index.save(folder / ONE)
        return
    (folder / SEVERAL).mkdir()
    for n, part in enumerate(index.parts, 1):
        part.save(folder / SEVERAL / NAME.format(n))


def read(folder: Path, config: RetrieveConfig, shape: tuple[int, int]) -> Index:
    """Read what ``write`` wrote, over ``shape`` = (I, D). Raises CorruptArtifactError where it is anything else."""
    if (folder / ONE).exists():
        return Index.load(folder / ONE, config, shape)
    files = _files(folder / SEVERAL)
    own = _of_each(config, len(files))
    size, (n, width) = max(config.shard, 1), shape
    sizes = [min(size, max(n - size * place, 0)) for place in range(len(files))]
    if sum(sizes) != n:
        raise CorruptArtifactError(
            f"{folder / SEVERAL}: {len(files)} shards of {size:,} items are not {n:,} items; write the artifact again"
        )
    return Shards([Index.load(file, own, (rows, width)) for file, rows in zip(files, sizes, strict=True)])


def _of_each(config: RetrieveConfig, n: int) -> RetrieveConfig:
    """The settings of each of n shards: its part of the memory."""
    return config.model_copy(update={"memory_gb": config.memory_gb / n})


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.faiss"))
    if not files or [f.name for f in files] != [NAME.format(n) for n in range(1, len(files) + 1)]:
        raise CorruptArtifactError(f"{folder}: shards are missing; found {len(files)}; write them again")
    return files


class Shards(Index):
    """Indexes over ranges of items that follow each other: the first over 0 to its size, and so on.

    ``recall`` is the least that was measured of one of them.
    """

    def __init__(self, parts: Sequence[Index]) -> None:
        self.parts = tuple(parts)
        self._starts = np.cumsum([0, *map(len, self.parts)])
        self.longest = max((part.longest for part in self.parts), default=0.0)
        measured = [part.recall for part in self.parts if part.recall is not None]
        self.recall = min(measured) if measured else None

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __reduce__(self) -> tuple[Any, ...]:
        return Shards, (self.parts,)

    @property
    def items(self) -> Floats:  # type: ignore[override]  # an attribute of one index
        """All rows, float32 (I, D): copied, since each shard has its own."""
        return np.concatenate([part.items for part in self.parts])

    @property
    def width(self) -> int:
        """Number of dimensions D."""
        return self.parts[0].width

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
        mapped = config.model_copy(update={"memory_gb": MAPPED})
        parts = [Index.load(file, mapped) for file in _files(folder)]
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
        for part, own in self._ranges():
            out = None if exclude is None else [_within(barred, own) for barred in exclude]
            found, products = part.search(queries, k, out, None if allowed is None else allowed[own])
            nums = np.hstack([nums, np.where(found < 0, -1, found + own.start)])
            scores = np.hstack([scores, products])
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # equal ones stay in order of their numbers
            nums, scores = np.take_along_axis(nums, best, 1), np.take_along_axis(scores, best, 1)
        return nums, scores

    def best(
        self,
        queries: Floats,
        sparse: Floats | None,
        k: int,
        exclude: Sequence[Ints],
        allowed: Mask | None = None,
    ) -> Iterator[tuple[Ints, Floats]]:
        """The k best items of each query out of all shards; see ``Index.best``."""
        self._among(allowed)
        found = []
        for part, own in self._ranges():
            beside = None if sparse is None else sparse[:, own]
            among = None if allowed is None else allowed[own]
            found.append(part.best(queries, beside, k, [_within(barred, own) for barred in exclude], among))
        for of_each in zip(*found, strict=True):
            yield self._merged(of_each, k)

    def search_sum(
        self, query: Floats, sparse: Floats, k: int, exclude: Ints, allowed: Mask | None = None
    ) -> tuple[Ints, Floats]:
        """The k best items by inner product plus a score of their own; see ``Index.search_sum``."""
        self._among(allowed)
        found = [
            part.search_sum(query, sparse[own], k, _within(exclude, own), None if allowed is None else allowed[own])
            for part, own in self._ranges()
        ]
        return self._merged(found, k)

    def rounding(self, query: Floats) -> float:
        """How far a float32 product of a query (D,) with any item can be from the exact one, twice over."""
        return max(part.rounding(query) for part in self.parts)

    def products(self, queries: Floats) -> Floats:
        """Inner products with all items; see ``Index.products``."""
        return np.concatenate([part.products(queries) for part in self.parts], axis=-1)

    def rows(self, nums: Ints) -> Floats:
        """Profiles of these items, float32 (n, D)."""
        out = np.empty((len(nums), self.width), np.float32)
        for part, of, places in self._shared_out(nums):
            out[places] = part.rows(of)
        return out

    def exact(self, query: Floats, nums: Ints) -> Floats:
        """Inner products float32 (n,) of these items; see ``Index.exact``."""
        out = np.empty(len(nums), np.float32)
        for part, of, places in self._shared_out(nums):
            out[places] = part.exact(query, of)
        return out

    def holds(self, items: Floats) -> bool:
        """Whether it is of these item profiles."""
        return items.shape == (len(self), self.width) and all(part.holds(items[own]) for part, own in self._ranges())

    def _ranges(self) -> Iterator[tuple[Index, slice]]:
        """Each shard with the numbers of its items."""
        for part, first, end in zip(self.parts, self._starts.tolist(), self._starts[1:].tolist(), strict=False):
            yield part, slice(first, end)

    def _shared_out(self, nums: Ints) -> Iterator[tuple[Index, Ints, Ints]]:
        """Shards, which of their items are asked for, and the places (n,) of these in ``nums``."""
        of = np.searchsorted(self._starts, nums, side="right") - 1
        for n in np.unique(of).tolist():
            places = np.flatnonzero(of == n)
            yield self.parts[n], nums[places] - self._starts[n], places

    def _merged(self, found: Sequence[tuple[Ints, Floats]], k: int) -> tuple[Ints, Floats]:
        """The k best of what each shard found, best first, equal ones by item number."""
        nums = np.concatenate([own + start for (own, _), start in zip(found, self._starts.tolist(), strict=False)])
        scores = np.concatenate([products for _, products in found])
        order = np.argsort(-scores, kind="stable")[:k]
        return nums[order], scores[order]


def _within(nums: Ints, own: slice) -> Ints:
    """Those of these item numbers that are in a range, counted from its start."""
    some: Ints = np.asarray(nums, np.int64)
    within: Ints = some[(some >= own.start) & (some < own.stop)] - own.start
    return within


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
