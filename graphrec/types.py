"""The central types: ids and numbers, interactions, explanations. Arrays are read-only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.errors import DataError, UnknownIdError

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float32]


def frozen(array: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """A contiguous read-only array of the given dtype. Copies only where it must."""
    out = np.ascontiguousarray(array, dtype=dtype)
    if out.flags.writeable:
        out = out.view()
        out.setflags(write=False)
    return out


def in_rows(rows: Ints, columns: Ints, values: npt.NDArray[Any], shape: tuple[int, int]) -> sp.csr_matrix:
    """CSR matrix of distinct pairs in order of row and column, without a sort; places take 32 bits where these do."""
    narrow: Any = np.int32 if max(len(rows), *shape) < 2**31 else np.int64
    ends: Any = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))]).astype(narrow)
    return sp.csr_matrix((values, columns.astype(narrow), ends), shape=shape)


def ascending(rows: Ints, columns: Ints, again: bool = False) -> bool:
    """Whether pairs (E,) are in order of row and column, and each is there once, or several times (``again``)."""
    later = columns[1:] >= columns[:-1] if again else columns[1:] > columns[:-1]
    return bool(((rows[1:] > rows[:-1]) | (later & (rows[1:] == rows[:-1]))).all())


def changes(rows: Ints, columns: Ints) -> npt.NDArray[np.bool_]:
    """Where another pair begins than before, and that one begins and ends at the ends, bool (E + 1,)."""
    out = np.ones(len(rows) + 1, np.bool_)
    out[1:-1] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    return out


class Vocabulary:
    """External string ids ↔ dense numbers 0..n-1.

    Args:
        ids: external ids; repeats are merged.
        kind: what they name ("user", "item"), for error messages.
        ordered: whether they are numbered as they come; else in sorted order.
    """

    def __init__(self, ids: Iterable[str], kind: str = "id", ordered: bool = False) -> None:
        self.kind = kind
        self.ids: tuple[str, ...] = tuple(dict.fromkeys(ids)) if ordered else tuple(sorted(set(ids)))
        self._number = {id_: n for n, id_ in enumerate(self.ids)}

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.ids == other.ids

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def number(self, id_: str) -> int:
        """The number of one id. Raises UnknownIdError."""
        return int(self.numbers([id_])[0])

    def numbers(self, ids: Sequence[str], missing: Literal["raise", "-1"] = "raise") -> Ints:
        """Numbers of ids, int64[n]. An unknown id raises UnknownIdError, or becomes -1 with missing="-1"."""
        out = np.fromiter((self._number.get(i, -1) for i in ids), dtype=np.int64, count=len(ids))
        if missing == "raise" and (out < 0).any():
            absent = ids[int(np.argmax(out < 0))]
            shown = len(self) and self.kind != "user"  # a user's id would be somebody else's
            example = f", for example {self.ids[0]!r}" if shown else ""
            raise UnknownIdError(
                f"unknown {self.kind} id {absent!r}; the data holds {len(self)} {self.kind} ids{example}"
            )
        return out

    def extended(self, ids: Iterable[str]) -> Vocabulary:
        """The same numbers, and after them those of new ids in the order they come."""
        return Vocabulary((*self.ids, *ids), self.kind, ordered=True)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the ids in order; equal fingerprints mean equal numbering."""
        digest = hashlib.sha256()
        for id_ in self.ids:
            name = id_.encode("utf-8", "surrogatepass")
            digest.update(len(name).to_bytes(8, "big") + name)
        return digest.hexdigest()


@dataclass(frozen=True)
class Interactions:
    """Who took what: E distinct (user, item) pairs.

    Shapes: user_nums int64[E], item_nums int64[E], weights float32[E] (rating or count, finite),
    timestamps int64[E] in seconds since 1970, or None where the source has no times.
    """

    user_nums: Ints
    item_nums: Ints
    weights: Floats
    timestamps: Ints | None = None

    def __post_init__(self) -> None:
        for name, dtype in (("user_nums", np.int64), ("item_nums", np.int64), ("weights", np.float32)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        if self.timestamps is not None:
            object.__setattr__(self, "timestamps", frozen(self.timestamps, np.int64))
        lengths = {len(a) for a in (self.user_nums, self.item_nums, self.weights, self.timestamps) if a is not None}
        if len(lengths) != 1:
            raise DataError(f"interaction columns differ in length: {sorted(lengths)}")
        if not np.isfinite(self.weights).all():
            raise DataError("interaction weights must be finite")

    def __len__(self) -> int:
        return len(self.user_nums)

    def take(self, index: npt.NDArray[Any]) -> Interactions:
        """The interactions at a boolean mask or at positions, in that order."""
        times = None if self.timestamps is None else self.timestamps[index]
        return Interactions(self.user_nums[index], self.item_nums[index], self.weights[index], times)

    def matrix(self, n_users: int, n_items: int) -> sp.csr_matrix:
        """Binary user-item matrix R, CSR float32 (U, I), item numbers sorted within a row."""
        ones = np.ones(len(self), dtype=np.float32)
        if ascending(self.user_nums, self.item_nums):
            return in_rows(self.user_nums, self.item_nums, ones, (n_users, n_items))
        out = sp.csr_matrix((ones, (self.user_nums, self.item_nums)), shape=(n_users, n_items))
        out.sum_duplicates()
        out.data[:] = 1.0
        return out


@dataclass(frozen=True)
class Step:
    """One edge on a path, in the direction it has in the graph. Labels are for people, ids for checking."""

    head: str
    relation: str
    tail: str
    head_label: str = ""
    tail_label: str = ""


@dataclass(frozen=True)
class Source:
    """The sentence behind a path: ``quote`` is a verbatim substring of the review as it was stored.

    At the door, personal data in it was masked; in public, ``review_id`` is a mark ("review-1") but for one's own.
    """

    review_id: str
    quote: str


@dataclass(frozen=True)
class Evidence:
    """One reason: its share of the score, its kind (history, friend, knowledge, mention), and its path."""

    share: float
    kind: str
    path: tuple[Step, ...]
    source: Source | None = None


@dataclass(frozen=True)
class Move:
    """That a re-ranker moved an item: its rank from 1 in the list before and after, 0 where it was or is in none; and
    what that costs: the score of what stood at the later rank before, less its own. Negative where it came down."""

    reranker: str
    before: int
    after: int
    price: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As a document holds it, with None for no rank."""
        return {"reranker": self.reranker, "from": self.before or None, "to": self.after or None, "price": self.price}


@dataclass(frozen=True)
class Attention:
    """How much of its attention a network that reads a history in order gives to an item in it: no part of a score."""

    item_id: str
    title: str
    share: float


@dataclass(frozen=True)
class Explanation:
    """Why an item got its score for a user. ``blocks`` sums to ``score``, and so does ``shares``.

    As ``Explainer`` makes it, it is internal: paths and ``shares`` (``item:<id>``, ``user:<id>``, ``block:<name>``)
    name other people. ``graphrec.explain.names.public`` makes of it what the user may read. ``degraded``: why the
    answer is less than it could be, a line each. ``moved``: by what re-ranks the list, which changes no score.
    ``attention``: where the network looked that reads the history in order, most first, where there is one.
    """

    user_id: str
    item_id: str
    score: float
    blocks: Mapping[str, float]
    evidence: tuple[Evidence, ...]
    text: str
    title: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()
    moved: tuple[Move, ...] = ()
    attention: tuple[Attention, ...] = ()

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> dict[str, Any]:
        """The `explain` document of the command-line contract."""
        return {
            "user_id": self.user_id,
            "item_id": self.item_id,
            "title": self.title,
            "score": self.score,
            "blocks": dict(self.blocks),
            "text": self.text,
            "evidence": [
                {
                    "share": e.share,
                    "kind": e.kind,
                    "path": [vars(step) for step in e.path],
                    "source": None if e.source is None else vars(e.source),
                }
                for e in self.evidence
            ],
            "attention": [vars(each) for each in self.attention],
            "moved": [move.to_json() for move in self.moved],
            "degraded": list(self.degraded),
        }


def model_of(version: str) -> str:
    """The model that a version is of. What stands behind ``~`` says without whom it was written anew, and behind a
    point what it was told of items: no other model, for whoever compares two."""
    return version.partition(".")[0].partition("~")[0]
