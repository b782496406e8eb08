"""A dense block: low-rank, its sides lie in the index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError
from graphrec.profile.api import FLAT, NO_WORDS, Doubles, Effects, FittedBlock, Words, account
from graphrec.query.fading import STEADY, Fading
from graphrec.query.few import FEW, tastes_of
from graphrec.query.hearing import Hearing, as_hearing
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints, frozen

ARRAYS = ("users", "items", "history", "own", "text_map")
SETTINGS = ("name", "weight", "linear", "friend_weight", "damping", "prior", "reading", "split", "spread")
FURTHER = ("fading",)  # settings that are told where they say anything


@dataclass(frozen=True)
class ProfileBlock(FittedBlock):
    """Dense sides: users float32 (U, d), items float32 (I, d).

    ``history`` float32 (I, d) is the fold-in table: a query is encoded as

        (Σ_j (x + friend_weight · mean_{f ∈ friends} x_f)[j] · history[j] + own[user]) / deviation

    where x is the taste under ``reading`` and ``fading`` (what is liked is above 0, dislikes are not), ``own`` float32
    (U, d) what training learned of a user beside their history, and the deviation that of the resulting scores over the
    catalogue.
    The weight of friends is one for all, or one for each band of activity (``query.hearing``).
    So a score splits exactly into history items, friends and the own part; ``linear`` says that there is no own part,
    ``split=False`` that such an account would explain nothing. A ``damping`` δ above 0 counts what was to be expected
    for less: x_j is then max(x_j, 0) − (|x_j| − 1 + δ) · ⟨u, items[j]⟩, u before the deviation, without friends.

    Without a ``history`` a stored user has their row, and anybody else the mean row.

    The deviation is that over the first ``spread`` items, 0 for all: those that were there when the block was fitted.

    ``text_map`` float32 (F + 1, d) takes a unit text embedding to the item side; its last row is the offset.
    """

    name: str
    users: Floats
    items: Floats
    weight: float = 1.0
    history: Floats | None = None
    linear: bool = False
    own: Floats | None = None
    friend_weight: Hearing = 0.0
    damping: float = 0.0
    prior: int = 0
    text_map: Floats | None = None
    reading: str = "alike"
    split: bool = True
    spread: int = 0
    fading: Fading = STEADY
    words: Words = NO_WORDS
    tabled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        alike = self.history is self.items
        for name in ARRAYS:
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, frozen(value, np.float32))
        if alike:  # one array, not two that are equal
            object.__setattr__(self, "history", self.items)
        object.__setattr__(self, "friend_weight", as_hearing(self.friend_weight))
        object.__setattr__(self, "fading", Fading.of(self.fading))
        if self.users.shape[1] != self.items.shape[1]:
            raise DataError(f"block {self.name}: user width {self.users.shape[1]} ≠ item width {self.items.shape[1]}")
        if self.weight < 0:
            raise DataError(f"block {self.name}: weight {self.weight} is negative")
        if self.linear and (self.history is None or self.own is not None):
            raise DataError(f"block {self.name}: a linear block needs its history table, and has no own part")
        if self.damping and self.friend_weight:
            raise DataError(f"block {self.name}: a damped sum has no part for friends")

    # --- encoding -----------------------------------------------------------------------------------------------------

    def encode(self, queries: Queries) -> Floats:
        """The user's side of each query, float32 (B, d)."""
        return self.users[queries.user_nums] if queries.asked is None else self.computed(queries)

    def computed(self, queries: Queries) -> Floats:
        """The same, made from the histories even where rows are stored, float32 (B, d)."""
        nums = queries.user_nums
        if self.history is None:
            rows: Floats = np.where(nums[:, None] >= 0, self.users[np.maximum(nums, 0)], self._anybody)
            return rows.astype(np.float32)
        return self.scaled(self._raw(queries))

    def scaled(self, raw: Floats) -> Floats:
        """Rows (B, d) at unit deviation of their scores over the catalogue; 0 where all score the same."""
        deviation = self._deviations(raw)
        scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > FLAT)
        out: Floats = raw * scale[:, None]
        return out

    def with_sides(self, rows: npt.NDArray[np.bool_], sides: Floats) -> ProfileBlock:
        """Users stay as they are."""
        items = self.items.copy()
        items[rows] = sides
        return replace(self, items=items, history=items if self.history is self.items else self.history)

    def _raw(self, queries: Queries) -> Floats:
        """Sums over histories and own parts before the deviation, float32 (B, d)."""
        assert self.history is not None
        how = self.reading, self.friend_weight, self.fading
        if 0 < len(queries) <= FEW:
            each = (tastes_of(one, *how) for one in queries.each)
            summed = self._sum_over if self.damping else lambda items, values: values @ self.history[items]
            raw = np.asarray([summed(*taste) for taste in each], np.float32)  # (B, d)
        elif self.damping:
            taste = queries.taste(*how)  # (B, I)
            rows = (slice(*taste.indptr[n : n + 2]) for n in range(len(queries)))
            sums = [self._sum_over(taste.indices[r], taste.data[r]) for r in rows]
            raw = np.asarray(sums, np.float32).reshape(len(queries), self.width)
        else:
            raw = np.asarray(queries.taste(*how) @ self.history, dtype=np.float32)
        if self.own is not None:
            known = queries.user_nums >= 0
            raw[known] += self.own[queries.user_nums[known]]
        return raw

    def _deviations(self, raw: Floats) -> Floats:
        """Standard deviation of each row's scores over the catalogue, float32 (B,): Var_i⟨u, i⟩ = uᵀ C u with C the
        covariance of the item side, so no score is ever computed."""
        covariance = self.item_covariance.astype(np.float32)  # (d, d)
        variance = np.einsum("bd,bd->b", raw @ covariance, raw, dtype=np.float64)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)), np.float32)

    @cached_property
    def _anybody(self) -> Floats:
        """The mean row of the users, float32 (d,)."""
        return self.users.mean(axis=0) if len(self.users) else np.zeros(self.width, np.float32)

    @cached_property
    def item_covariance(self) -> Doubles:
        """Covariance of the item side, float64 (d, d)."""
        items = self.items[: self.spread or len(self.items)]
        centred = items.astype(np.float64) - items.mean(axis=0, dtype=np.float64)
        covariance: Doubles = centred.T @ centred / max(len(items), 1)
        return covariance

    def _sum_over(self, history: npt.NDArray[np.integer], weights: Floats) -> Doubles:
        """x, float64 (d,): the damped sum over a history with its weights, before any deviation.

        x = Σ_j c_j history[j] with c_j = max(w_j, 0) − (|w_j| − 1 + δ) ⟨x, items[j]⟩, which is linear in c as well as
        in x; the smaller of the two systems is solved.
        """
        assert self.history is not None
        taken = weights.astype(np.float64)  # (n,)
        sent, own = (table[history].astype(np.float64) for table in (self.history, self.items))  # (n, d)
        liked, damped = np.maximum(taken, 0), self._damped(taken)
        if len(history) < self.width:
            of_each = np.linalg.solve(np.eye(len(own)) + damped[:, None] * (own @ sent.T), liked)  # (n,)
            return np.asarray(sent.T @ of_each, np.float64)
        return np.asarray(np.linalg.solve(np.eye(self.width) + (sent.T * damped) @ own, sent.T @ liked), np.float64)

    def _damped(self, weights: Doubles) -> Doubles:
        """How far what was to be expected counts for less, float64 (J,); nothing where nothing was taken."""
        return np.where(weights != 0, np.abs(weights) - 1 + self.damping, 0.0)

    @property
    def places_text(self) -> bool:
        return self.text_map is not None

    def encode_text(self, text: Floats) -> Floats:
        assert self.text_map is not None
        return np.asarray(text @ self.text_map[:-1] + self.text_map[-1], dtype=np.float32)

    # --- scores -------------------------------------------------------------------------------------------------------

    def scores(self, queries: Queries) -> Floats:
        out: Floats = self.encode(queries) @ self.items.T
        return out

    def score(self, queries: Queries, item_num: int) -> Doubles:
        out: Doubles = self.encode(queries).astype(np.float64) @ self.items[item_num].astype(np.float64)
        return out

    def effects(self, query: Queries, item_num: int) -> Effects | None:
        """The parts of one score: each item's message to the item explained, over the deviation."""
        if self.history is None or not self.split:
            return None
        raw = self._raw(query)  # (1, d)
        deviation = float(self._deviations(raw)[0])
        scale = 1 / deviation if deviation > FLAT else 0.0

        def each(items: Ints, weights: Doubles) -> Doubles:
            return scale * self._each(items, weights, raw[0], item_num)

        score = float(self.score(query, item_num)[0])
        return account(query, self.reading, self.friend_weight, each, score, self.fading)

    def _each(self, items: Ints, weights: Doubles, raw: Floats, item_num: int) -> Doubles:
        """What each of ``items`` (J,), of ``weights`` (J,) in a taste, adds to a score before the deviation, (J,)."""
        assert self.history is not None
        own = slice(0, self.width - self.prior)
        sent = self.history[items, own].astype(np.float64)  # (J, d)
        message: Doubles = sent @ self.items[item_num, own].astype(np.float64)
        if self.damping:
            expected = self.items[items].astype(np.float64) @ raw.astype(np.float64)  # (J,)
            weights = np.maximum(weights, 0) - self._damped(weights) * expected
        return weights * message

    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> ProfileBlock:
        """New items have the side of their text, or none; what they send is none, or the same map of their side that
        takes the known ones to what they send."""
        shape = (ties.data.n_users, ties.data.n_items)
        if self.empty:
            return replace(empty_block(self.name, *shape), words=self.words)
        items, history = _padded(self.items, shape[1]), self.history
        first = len(self.items)
        if texts is not None and self.text_map is not None and len(items) > first:
            written = texts.any(axis=1, keepdims=True)  # (m, 1)
            items[first:] = np.where(written, texts @ self.text_map[:-1] + self.text_map[-1], 0.0)
        if history is self.items:
            history = items
        elif history is not None:
            history = _padded(history, shape[1])
            if texts is not None and self.text_map is not None and self.items.size:
                known = history[:first].astype(np.float64)
                across = np.linalg.lstsq(self.items.astype(np.float64), known, rcond=None)[0]  # (d, d)
                history[first:] = items[first:] @ across
        own = None if self.own is None else _padded(self.own, shape[0])
        users, spread = _padded(self.users, shape[0]), self.spread or first
        out = replace(self, users=users, items=items, history=history, own=own, spread=spread)
        rows = out.users.copy()
        rows[touched] = out.computed(Queries.stored(ties, touched))
        return replace(out, users=rows)

    def among(self, users: Ints) -> ProfileBlock:
        return replace(self, users=self.users[users], own=None if self.own is None else self.own[users])

    # --- the block itself ---------------------------------------------------------------------------------------------

    @property
    def width(self) -> int:
        """Number of dimensions d."""
        return int(self.items.shape[1])

    @property
    def empty(self) -> bool:
        return not (self.weight or self.history is not None or self.items.any())

    @property
    def size(self) -> str:
        return f"{self.width} dimensions"

    def reweighted(self, weight: float) -> ProfileBlock:
        return replace(self, weight=0.0 if self.empty else weight)

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        held = {name: getattr(self, name) for name in ARRAYS}
        found = {name: value for name, value in held.items() if value is not None}
        if self.history is self.items:
            del found["history"]
        told = {name: getattr(self, name) for name in SETTINGS} | {"history_is_items": self.history is self.items}
        return found, told | ({"fading": self.fading.told()} if self.fading else {})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> ProfileBlock:
        parts: dict[str, Any] = {name: frozen(value, np.float32) for name, value in arrays.items()}
        if settings["history_is_items"]:
            parts["history"] = parts["items"]
        told = [*SETTINGS, *(name for name in FURTHER if name in settings)]
        return cls(**parts, **{name: settings[name] for name in told})


def _padded(rows: Floats, n: int) -> Floats:
    """The rows with zero rows after them, float32 (n, d)."""
    out = np.zeros((n, rows.shape[1]), np.float32)
    out[: len(rows)] = rows
    return out


def empty_block(name: str, n_users: int, n_items: int) -> ProfileBlock:
    """A block of weight 0 that says nothing of anybody."""
    return ProfileBlock(name, np.zeros((n_users, 1), np.float32), np.zeros((n_items, 1), np.float32), weight=0.0)
