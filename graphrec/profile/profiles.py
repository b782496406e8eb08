"""Profiles: the blocks that every user and item is described by, side by side. Arrays are read-only.

A block is a ``ProfileBlock`` (dense, low-rank, in the FAISS index) or a ``NeighbourBlock`` (sparse, item by item, for
what no low rank can hold). Both score by an inner product of a user's side and an item's side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.errors import DataError
from graphrec.types import Floats, Ints, frozen

FLAT = 1e-12  # a deviation of scores up to which everything scores the same


@dataclass(frozen=True)
class ProfileBlock:
    """One learned view of every user and item; its score is an inner product.

        score_b(u, i) = weight · ⟨users[u], items[i]⟩

    Shapes: users float32 (U, d), items float32 (I, d).

    ``history`` float32 (I, d) is the fold-in table: a user whose history is H gets Σ_{j∈H} history[j], brought to the
    block's scale. Where there is a ``scale`` float32 (U,), fitted users are such a sum too, possibly with friends:

        users[u] = scale[u] · Σ_j (x_u + friend_weight · mean_{f ∈ friends(u)} x_f)[j] · history[j] + own part

    where x is the users' taste, ``Dataset.taste(reading)``: what is liked is above 0, dislikes are not. Then a score
    splits exactly into history items, friends and the user's own part; ``linear`` says that there is no own part. A
    ``damping`` δ above 0 counts what was to be expected for less: x_j is then max(x_j, 0) − (|x_j| − 1 + δ) ·
    ⟨users[u] / scale[u], items[j]⟩, without friends.
    ``prior``: this many dimensions, the last, hold what is the same for everybody; no history item accounts for it.
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
    damping: float = 0.0
    prior: int = 0
    text_map: Floats | None = None
    reading: str = "alike"

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
        if self.damping and self.friend_weight:
            raise DataError(f"block {self.name}: a damped sum has no part for friends")

    def scores(self, user_nums: Ints) -> Floats:
        """Unweighted scores of the whole catalogue, float32 (B, I)."""
        out: Floats = self.users[user_nums] @ self.items.T
        return out

    def score(self, user_num: int, item_num: int) -> float:
        """One unweighted score, in float64."""
        return float(self.users[user_num].astype(np.float64) @ self.items[item_num].astype(np.float64))

    def effects(
        self, user_num: int, items: Ints, weights: npt.NDArray[np.float64], item_num: int
    ) -> npt.NDArray[np.float64] | None:
        """What each of ``items`` (J,) in a user's history, of ``weights`` (J,) in their taste, adds to the score of
        ``item_num`` before the user's scale, float64 (J,); None where users are no sum over their histories."""
        if self.history is None or self.scale is None:
            return None
        own = slice(0, self.width - self.prior)
        sent = self.history[items, own].astype(np.float64)  # (J, d)
        each: npt.NDArray[np.float64] = sent @ self.items[item_num, own].astype(np.float64)
        if self.damping and self.scale[user_num]:
            raw = self.users[user_num].astype(np.float64) / float(self.scale[user_num])  # (d,)
            expected = self.items[items].astype(np.float64) @ raw  # (J,)
            weights = np.maximum(weights, 0) - self._damped(weights) * expected
        out: npt.NDArray[np.float64] = weights * each
        return out

    def _damped(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """How far what was to be expected counts for less, float64 (J,); nothing where nothing was taken."""
        return np.where(weights != 0, np.abs(weights) - 1 + self.damping, 0.0)

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

    def sum_over(self, history: Ints, weights: npt.NDArray[np.floating] | None = None) -> npt.NDArray[np.float64]:
        """x, float64 (d,): the sum over a history with its weights (1 where none are given), before any scale. Only
        with a history table.

        A damped x = Σ_j c_j history[j] has c_j = max(w_j, 0) − (|w_j| − 1 + δ) ⟨x, items[j]⟩, which is linear in c as
        well as in x; the smaller of the two systems is solved.
        """
        assert self.history is not None
        taken = np.ones(len(history)) if weights is None else np.asarray(weights, np.float64)  # (n,)
        sent = self.history[history].astype(np.float64)  # (n, d)
        if not self.damping:
            plain: npt.NDArray[np.float64] = taken @ sent if weights is not None else sent.sum(axis=0)
            return plain
        liked, damped = np.maximum(taken, 0), self._damped(taken)
        own = self.items[history].astype(np.float64)  # (n, d)
        if len(history) < self.width:
            of_each = np.linalg.solve(np.eye(len(own)) + damped[:, None] * (own @ sent.T), liked)  # (n,)
            return np.asarray(sent.T @ of_each, np.float64)
        return np.asarray(np.linalg.solve(np.eye(self.width) + (sent.T * damped) @ own, sent.T @ liked), np.float64)

    def encode_user(self, history: Ints, weights: npt.NDArray[np.floating] | None = None) -> Floats:
        """Fold-in: the user side, float32 (d,), of somebody with these item numbers, at the block's own scale.

        A block without a history table answers with the mean user (a constant for popularity).
        """
        if self.history is None:
            return np.asarray(self.users.mean(axis=0), dtype=np.float32)
        if not len(history):
            return np.zeros(self.width, dtype=np.float32)
        raw = self.sum_over(history, weights)
        deviation = float(np.sqrt(max(float(raw @ self.item_covariance @ raw), 0.0)))
        return np.asarray(raw / deviation if deviation > FLAT else raw, dtype=np.float32)

    def encode_item(self, text: Floats) -> Floats:
        """The item side, float32 (d,), of an unseen item whose text has this unit embedding float32 (F,)."""
        if self.text_map is None:
            return np.zeros(self.width, dtype=np.float32)
        return np.asarray(text @ self.text_map[:-1] + self.text_map[-1], dtype=np.float32)


@dataclass(frozen=True)
class NeighbourBlock:
    """A sparse block: an item's score is the sum of its neighbours' weights in the user's history.

        score_b(u, i) = weight · ⟨users[u], items[i]⟩
        users[u] = scale[u] · (x_u + friend_weight · mean_{f ∈ friends(u)} x_f)     x: Dataset.taste(reading)

    Shapes: users CSR float32 (U, I), items CSR float32 (I, I), whose row i holds the weights of item i's neighbours;
    scale float32 (U,). Always linear: a score splits exactly into history items and friends.
    """

    name: str
    users: sp.csr_matrix
    items: sp.csr_matrix
    scale: Floats
    weight: float = 1.0
    friend_weight: float = 0.0
    linear: bool = True
    reading: str = "alike"

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", frozen(self.scale, np.float32))
        shape = (self.items.shape[1], self.items.shape[1])
        if self.users.shape[1] != shape[0] or self.items.shape != shape or len(self.scale) != self.users.shape[0]:
            raise DataError(
                f"block {self.name}: users {self.users.shape}, items {self.items.shape} and {len(self.scale)} scales"
                " do not fit together"
            )
        if self.weight < 0:
            raise DataError(f"block {self.name}: weight {self.weight} is negative")

    @cached_property
    def weights(self) -> sp.csr_matrix:
        """W, CSR (I, I): row j holds what item j in a history adds to each item's score."""
        return sp.csr_matrix(self.items.T)

    def scores(self, user_nums: Ints) -> Floats:
        """Unweighted scores of the whole catalogue, float32 (B, I)."""
        return np.asarray((self.users[user_nums] @ self.weights).toarray(), dtype=np.float32)

    def score(self, user_num: int, item_num: int) -> float:
        """One unweighted score, in float64."""
        item = self.items[item_num].astype(np.float64)
        return float((self.users[user_num].astype(np.float64) @ item.T).sum())

    def effects(
        self, user_num: int, items: Ints, weights: npt.NDArray[np.float64], item_num: int
    ) -> npt.NDArray[np.float64]:
        """What each of ``items`` (J,) in a history, of ``weights`` (J,) in a taste, adds to the score of ``item_num``
        before the user's scale, (J,): the same for every user."""
        row = self.items[item_num]
        dense = np.zeros(self.items.shape[1])
        dense[row.indices] = row.data
        out: npt.NDArray[np.float64] = weights * dense[items]
        return out

    def fold_in(self, history: Ints, weights: npt.NDArray[np.floating] | None = None) -> Floats:
        """Unweighted scores float32 (I,) for somebody with these item numbers, at unit deviation over the catalogue."""
        rows = self.weights[history]
        raw = np.asarray(rows.sum(axis=0) if weights is None else weights @ rows, dtype=np.float64).ravel()  # (I,)
        deviation = float(raw.std())
        return np.asarray(raw / deviation if deviation > FLAT else raw, dtype=np.float32)


AnyBlock: TypeAlias = ProfileBlock | NeighbourBlock


def empty_block(name: str, n_users: int, n_items: int) -> ProfileBlock:
    """A block of weight 0 that says nothing of anybody."""
    return ProfileBlock(name, np.zeros((n_users, 1), np.float32), np.zeros((n_items, 1), np.float32), weight=0.0)


def weighted(blocks: Sequence[ProfileBlock], parts: Sequence[Floats]) -> Floats:
    """Each block's part (…, d_b) times √weight, side by side, float32 (…, D)."""
    return np.hstack([part * np.float32(b.weight**0.5) for b, part in zip(blocks, parts, strict=True)])


@dataclass(frozen=True)
class Profiles:
    """The blocks side by side: score(u, i) = Σ_b weight_b ⟨u_b, i_b⟩, one inner product over the whole profile."""

    blocks: tuple[AnyBlock, ...]

    def __post_init__(self) -> None:
        shapes = {(b.users.shape[0], b.items.shape[0]) for b in self.blocks}
        if len(shapes) != 1:
            raise DataError(f"blocks disagree on the number of users and items: {sorted(shapes)}")

    def __getitem__(self, name: str) -> AnyBlock:
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(name)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of users and of items (U, I)."""
        return self.blocks[0].users.shape[0], self.blocks[0].items.shape[0]

    @property
    def weights(self) -> dict[str, float]:
        return {b.name: b.weight for b in self.blocks}

    def reweighted(self, weights: Mapping[str, float]) -> Profiles:
        """The same blocks with other weights."""
        return Profiles(tuple(replace(b, weight=float(weights[b.name])) for b in self.blocks))

    @cached_property
    def dense(self) -> tuple[ProfileBlock, ...]:
        """The dense blocks with a weight above zero: the index holds their sides. One of zeros where there is none."""
        found = tuple(b for b in self.blocks if isinstance(b, ProfileBlock) and b.weight > 0)
        return found or (empty_block("none", *self.shape),)

    @cached_property
    def sparse(self) -> tuple[NeighbourBlock, ...]:
        """The sparse blocks with a weight above zero."""
        return tuple(b for b in self.blocks if isinstance(b, NeighbourBlock) and b.weight > 0)

    @property
    def prior(self) -> Ints:
        """The columns of ``item_matrix`` that are the same for every user, int64."""
        ends = np.cumsum([b.width for b in self.dense])
        return np.concatenate([np.arange(end - b.prior, end) for b, end in zip(self.dense, ends, strict=True)])

    def user_matrix(self, user_nums: Ints | None = None) -> Floats:
        """User profiles of the dense blocks, float32 (U or B, D), √weight folded in."""
        rows = slice(None) if user_nums is None else user_nums
        return weighted(self.dense, [b.users[rows] for b in self.dense])

    def item_matrix(self) -> Floats:
        """Item profiles of the dense blocks, float32 (I, D), √weight folded in."""
        return weighted(self.dense, [b.items for b in self.dense])

    def contributions(self, user_num: int, item_num: int) -> dict[str, float]:
        """Each block's part of the score; the parts sum to it."""
        return {b.name: b.weight * b.score(user_num, item_num) for b in self.blocks}
