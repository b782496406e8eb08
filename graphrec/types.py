"""The central types: ids and numbers, interactions, profile blocks, explanations. Arrays are read-only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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


class Vocabulary:
    """External string ids ↔ dense numbers 0..n-1, in sorted order of the ids.

    Args:
        ids: external ids; repeats are merged.
        kind: what they name ("user", "item"), for error messages.
    """

    def __init__(self, ids: Iterable[str], kind: str = "id") -> None:
        self.kind = kind
        self.ids: tuple[str, ...] = tuple(sorted(set(ids)))
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
            example = f", for example {self.ids[0]!r}" if self.ids else ""
            raise UnknownIdError(
                f"unknown {self.kind} id {absent!r}; the data holds {len(self)} {self.kind} ids{example}"
            )
        return out

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
        out = sp.csr_matrix((ones, (self.user_nums, self.item_nums)), shape=(n_users, n_items))
        out.sum_duplicates()
        out.data[:] = 1.0
        return out


@dataclass(frozen=True)
class ProfileBlock:
    """One learned view of every user and item; its score is an inner product.

        score_b(u, i) = weight · ⟨users[u], items[i]⟩

    Shapes: users float32 (U, d), items float32 (I, d).

    ``history`` float32 (I, d) is the fold-in table: a user whose history is H gets Σ_{j∈H} history[j], brought to the
    block's scale. ``linear`` says that fitted users are *exactly* such a sum, possibly with friends:

        users[u] = scale[u] · Σ_j (x_u + friend_weight · mean_{f ∈ friends(u)} x_f)[j] · history[j]

    where x is the binary interaction matrix. Then a score splits exactly into history items and friends.
    ``text_map`` float32 (F + 1, d) takes a unit text embedding to the item side, for items never interacted with; its
    last row is the offset.
    """

    name: str
    users: Floats
    items: Floats
    weight: float = 1.0
    history: Floats | None = None
    linear: bool = False
    scale: Floats | None = None
    friend_weight: float = 0.0
    text_map: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("users", "items", "history", "scale", "text_map"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, frozen(value, np.float32))
        if self.users.shape[1] != self.items.shape[1]:
            raise DataError(f"block {self.name}: user width {self.users.shape[1]} ≠ item width {self.items.shape[1]}")
        if self.weight < 0:
            raise DataError(f"block {self.name}: weight {self.weight} is negative")
        if self.linear and (self.history is None or self.scale is None):
            raise DataError(f"block {self.name}: a linear block needs its history table and user scales")

    @property
    def width(self) -> int:
        """Number of dimensions d."""
        return int(self.items.shape[1])

    @cached_property
    def item_covariance(self) -> npt.NDArray[np.float64]:
        """Covariance of the item side, float64 (d, d): uᵀ C u is the variance of u's scores over the catalogue."""
        centred = self.items.astype(np.float64) - self.items.mean(axis=0, dtype=np.float64)
        covariance: npt.NDArray[np.float64] = centred.T @ centred / max(len(self.items), 1)
        return covariance

    def encode_user(self, history: Ints) -> Floats:
        """Fold-in: the user side, float32 (d,), of somebody with these item numbers, at the block's own scale.

        A block without a history table answers with the mean user (a constant for popularity).
        """
        if self.history is None:
            return np.asarray(self.users.mean(axis=0), dtype=np.float32)
        if not len(history):
            return np.zeros(self.width, dtype=np.float32)
        raw = self.history[history].sum(axis=0, dtype=np.float64)
        deviation = float(np.sqrt(max(raw @ self.item_covariance @ raw, 0.0)))
        return np.asarray(raw / deviation if deviation > 0 else raw, dtype=np.float32)

    def encode_item(self, text: Floats) -> Floats:
        """Item side, float32 (d,), of an item known only by its unit text embedding float32 (F,)."""
        if self.text_map is None:
            return np.zeros(self.width, dtype=np.float32)
        return np.asarray(text @ self.text_map[:-1] + self.text_map[-1], dtype=np.float32)


def weighted(blocks: Sequence[ProfileBlock], parts: Sequence[Floats]) -> Floats:
    """Each block's part (…, d_b) times √weight, side by side, float32 (…, D)."""
    return np.hstack([part * np.float32(b.weight**0.5) for b, part in zip(blocks, parts, strict=True)])


@dataclass(frozen=True)
class Profiles:
    """The blocks side by side: score(u, i) = Σ_b weight_b ⟨u_b, i_b⟩, one inner product over the whole profile."""

    blocks: tuple[ProfileBlock, ...]

    def __post_init__(self) -> None:
        shapes = {(len(b.users), len(b.items)) for b in self.blocks}
        if len(shapes) != 1:
            raise DataError(f"blocks disagree on the number of users and items: {sorted(shapes)}")

    def __getitem__(self, name: str) -> ProfileBlock:
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(name)

    @property
    def weights(self) -> dict[str, float]:
        return {b.name: b.weight for b in self.blocks}

    def reweighted(self, weights: Mapping[str, float]) -> Profiles:
        """The same blocks with other weights."""
        return Profiles(tuple(replace(b, weight=float(weights[b.name])) for b in self.blocks))

    def active(self) -> tuple[ProfileBlock, ...]:
        """The blocks with a weight above zero: the others add nothing to a score."""
        return tuple(b for b in self.blocks if b.weight > 0) or self.blocks[:1]

    def user_matrix(self, user_nums: Ints | None = None) -> Floats:
        """User profiles, float32 (U or B, D), √weight folded in."""
        rows = slice(None) if user_nums is None else user_nums
        return weighted(self.active(), [b.users[rows] for b in self.active()])

    def item_matrix(self) -> Floats:
        """Item profiles, float32 (I, D), √weight folded in."""
        return weighted(self.active(), [b.items for b in self.active()])

    def encode_user(self, history: Ints) -> Floats:
        """Fold-in over all blocks, float32 (D,), √weight folded in."""
        return weighted(self.active(), [b.encode_user(history) for b in self.active()])

    def contributions(self, user_num: int, item_num: int) -> dict[str, float]:
        """Each block's part of the score; the parts sum to it."""
        return {
            b.name: b.weight * float(b.users[user_num].astype(np.float64) @ b.items[item_num].astype(np.float64))
            for b in self.blocks
        }


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
    """The sentence behind a path: ``quote`` is a verbatim substring of the review."""

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
class Explanation:
    """Why an item got its score for a user. ``blocks`` sums to ``score``."""

    user_id: str
    item_id: str
    score: float
    blocks: Mapping[str, float]
    evidence: tuple[Evidence, ...]
    text: str
    title: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)

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
        }
