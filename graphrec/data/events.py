"""The log of events, what each of them says, and the pairs of user and item that they make.

An event says a signed strength: what its kind weighs, times the logarithm of its count, or of how long an item was
looked at against what is usual; or how far its rating lies above or below what is liked. Several events of one pair add
up: their counts do, not their logarithms.

    strength of an event   s_e = w log₂(1 + count), w log₂(1 + min(dwell, longest) / usual), or of a rating in [-1, 1]
    strength of a pair     s = sign(t) log₂(1 + |t|),  t = Σ_e sign(s_e) (2^|s_e| - 1)

What a person says outright (a rating, a like or dislike) counts once, the latest; where it is a dislike, nothing else
counts. Ratings are read against the person's own mean where it is known from enough of them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.data.kinds import Kind
from graphrec.data.order import sorted_by
from graphrec.data.readings import Norms, Reading, holds_dislikes, said_of_pairs, weigh
from graphrec.errors import DataError
from graphrec.types import Floats, Interactions, Ints, ascending, changes, frozen, in_rows

MIN_RATINGS = 10  # of one person, for their own mean to count
LEAST_LIKED = 0.5  # what the lowest rating that is liked says; the highest says 1
DISLIKED = 0.4  # the lower part of a scale: one and two of five stars, 1 to 4 of ten
SHADE = 1e-6  # strengths that differ by less say the same


_OF_ALL = ("kind_table", "exposure", "against")  # fields that are no columns


@dataclass(frozen=True)
class Events:
    """E events, ordered by user, item and time.

    Shapes: user_nums int64 (E,), item_nums int64 (E,), values float32 (E,) as they came (a rating or count, NaN where
    there is none), kinds uint8 (E,) places in ``kind_table``, timestamps int64 (E,) in seconds since 1970 or None,
    places float32 (E, 2) latitude and longitude (NaN where unknown) or None. order int64 (E,), the place of each event
    in its user's history, or None where it follows from the times (``data.order``).

    ``exposure``: what is to be found is whatever people take, liked or not, so that dislikes belong to a taste too.
    ``against``: the norms that strengths are measured against; by default those of these events.
    """

    user_nums: Ints
    item_nums: Ints
    values: Floats
    kinds: npt.NDArray[np.uint8]
    timestamps: Ints | None = None
    places: Floats | None = None
    kind_table: tuple[Kind, ...] = (Kind(),)
    exposure: bool = False
    against: Norms | None = None
    order: Ints | None = None

    def __post_init__(self) -> None:
        types: dict[str, npt.DTypeLike] = {
            "user_nums": np.int64,
            "item_nums": np.int64,
            "values": np.float32,
            "kinds": np.uint8,
            "timestamps": np.int64,
            "places": np.float32,
            "order": np.int64,
        }
        for name, dtype in types.items():
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, frozen(value, dtype))
        lengths = {len(getattr(self, name)) for name in types if getattr(self, name) is not None}
        if len(lengths) != 1:
            raise DataError(f"event columns differ in length: {sorted(lengths)}")
        if not ascending(self.user_nums, self.item_nums, again=True):
            raise DataError("events must be in order of user and item; Events.of brings them into it")
        if np.isinf(self.values).any():
            raise DataError("event values must be finite, or NaN where there is none")
        if len(self) and int(self.kinds.max()) >= len(self.kind_table):
            raise DataError(f"event kind {int(self.kinds.max())} is not among the {len(self.kind_table)} kinds")

    @classmethod
    def of(cls, user_nums: Ints, item_nums: Ints, timestamps: Ints | None = None) -> Events:
        """Events of one kind without values, in the order that ``Events`` keeps."""
        order = _order(user_nums, item_nums, timestamps)
        none, first = np.full(len(order), np.nan, np.float32), np.zeros(len(order), np.uint8)
        times = None if timestamps is None else timestamps[order]
        return cls(user_nums[order], item_nums[order], none, first, times)

    def __len__(self) -> int:
        return len(self.user_nums)

    def take(self, index: npt.NDArray[Any]) -> Events:
        """The events at a boolean mask or at ascending positions. What they say is made out from them alone."""
        columns: dict[str, Any] = {name: c if c is None else c[index] for name, c in self._columns().items()}
        return replace(self, **columns)

    def joined(self, other: Events) -> tuple[Events, Ints]:
        """These and other events of the same kinds; and of the rows of both, these first, the order they come in."""
        pairs = zip(self._columns().items(), other._columns().values(), strict=True)
        columns: dict[str, Any] = {n: None if a is None or b is None else np.concatenate([a, b]) for (n, a), b in pairs}
        order = _order(columns["user_nums"], columns["item_nums"], columns["timestamps"])
        columns = {name: c if c is None else c[order] for name, c in columns.items()}
        return replace(self, **columns), order

    def _columns(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _OF_ALL}

    def alike(self) -> Events:
        """The same events, all of which say the same: no dislikes, no ratings, no counts."""
        none = np.full(len(self), np.nan, np.float32)
        return replace(
            self, values=none, kinds=np.zeros(len(self), np.uint8), kind_table=(Kind(weight=1.0),), against=None
        )

    # --- what events say ----------------------------------------------------------------------------------------------

    @cached_property
    def strengths(self) -> Floats:
        """What each event says, signed, float32 (E,).

        # No leakage. A person's mean is that of these events alone, so held-out ratings shape no training strength.
        """
        out = np.zeros(len(self), np.float64)
        for number in np.flatnonzero(np.bincount(self.kinds)).tolist():
            kind, rows = self.kind_table[number], np.flatnonzero(self.kinds == number)
            values = self.values[rows].astype(np.float64)
            says = np.full(len(rows), kind.weight)
            known = ~np.isnan(values)
            if kind.values == "count":
                says[known] *= np.log2(1 + np.maximum(values[known], 0))
            elif kind.values == "dwell" and kind.scale is not None:
                says[known] *= np.log2(1 + np.clip(values[known], 0, kind.scale[1]) / kind.scale[0])
            elif kind.values == "rating":
                says[known] = kind.weight * self._of_ratings(kind, rows[known])
            out[rows] = says
        return frozen(out, np.float32)

    def _of_ratings(self, kind: Kind, rows: Ints) -> npt.NDArray[np.float64]:
        """What ratings say, float64 in [-1, 1]: 0 for a low one by somebody who rates low."""
        low, high, disliked_to = limits(kind)
        ratings = self.values[rows].astype(np.float64)
        if not len(rows):
            return ratings
        users: Ints = np.cumsum(np.diff(self.user_nums[rows], prepend=-1) != 0) - 1  # those who rate, from 0
        number = np.bincount(users)
        mean = np.bincount(users, weights=ratings) / np.maximum(number, 1)
        usual = ratings.mean() if self.against is None else self.against.ratings[self.kind_table.index(kind)]
        shift = np.where(number >= MIN_RATINGS, usual - mean, 0.0)
        own = np.clip(ratings + shift[users], low, high)  # as somebody with the usual mean would have said it
        liked = LEAST_LIKED + (1 - LEAST_LIKED) * (own - disliked_to) / max(high - disliked_to, SHADE)
        disliked = -LEAST_LIKED - (1 - LEAST_LIKED) * (disliked_to - own) / max(disliked_to - low, SHADE)
        says = np.where(own <= disliked_to, disliked, liked)
        says[(ratings <= disliked_to) & (own > disliked_to)] = 0.0
        return np.clip(says, -1.0, 1.0)

    @cached_property
    def outright(self) -> npt.NDArray[np.bool_]:
        """Events that are opinions, bool (E,)."""
        return np.array([k.outright for k in self.kind_table], np.bool_)[self.kinds]

    @property
    def ordered(self) -> bool:
        """Whether anything tells which of two events came first."""
        return self.timestamps is not None or self.order is not None

    # --- pairs --------------------------------------------------------------------------------------------------------

    @property
    def pair_of(self) -> Ints:
        """The pair that each event belongs to, int64 (E,), in order of user and item."""
        return np.cumsum(changes(self.user_nums, self.item_nums)[: len(self)]) - 1

    @property
    def last_of_pair(self) -> Ints:
        """The position of each pair's latest event, int64 (P,)."""
        return np.flatnonzero(changes(self.user_nums, self.item_nums)[1:])

    @cached_property
    def pairs(self) -> Interactions:
        """Every pair of which anything is said: weights float32 (P,) are signed, timestamps those of the latest event.

        Pairs of which all events say nothing (shown, not taken) are none.
        """
        last, weights = said_of_pairs(self.last_of_pair, self.strengths, self.outright, ~np.isnan(self.values))
        if len(last) == len(self):  # every event is a pair of its own: no copy of what may be most of the memory
            return Interactions(self.user_nums, self.item_nums, weights, self.timestamps)
        times = None if self.timestamps is None else self.timestamps[last]
        return Interactions(self.user_nums[last], self.item_nums[last], weights, times)

    @cached_property
    def liked(self) -> Interactions:
        """The pairs with a strength above 0: what histories are made of."""
        likes = self.pairs.weights > 0
        return self.pairs if likes.all() else self.pairs.take(likes)

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """The ways of reading the strengths that differ here, the simplest first; ``alike`` is always one.

        Where anything is disliked the first is ``liked``: what is learned from dislikes as if they were likes has to
        prove itself, unless whatever is taken is to be found.
        """
        weights = self.pairs.weights
        likes, others = weights[weights > 0], bool((weights <= 0).any())
        found: list[Reading] = ["liked"] if others else []
        found.insert(0 if self.exposure else 1, "alike")
        if others:
            found.append("graded")
        if len(likes) and float(likes.max() - likes.min()) > SHADE:
            found.append("weighted")
        if (weights < 0).any():
            found.append("signed")
        return tuple(found)

    @property
    def readings_of_likes(self) -> tuple[Reading, ...]:
        """The same for a method to which dislikes are no events."""
        if "liked" not in self.readings:
            return self.readings
        return tuple(r for r in self.readings if r not in ("alike", "graded"))

    def read(self, reading: str, learning: bool) -> tuple[Interactions, Floats]:
        """The pairs that a reading holds, and what they weigh, float32: 1 on average for what is liked.

        ==========  ===================================  =======================================
        reading     a taste (what a user is read by)     what is learned from
        ==========  ===================================  =======================================
        alike       1 for what is liked                  1 for what was taken, liked or not
        liked       1 for what is liked                  the same
        graded      √((1 + s) / 2) for what is liked     that for all, at least ``LEAST_GRADE``
        weighted    s for what is liked                  the same
        signed      s, dislikes below 0                  the same
        ==========  ===================================  =======================================

        s is the strength. To learn from what was taken and disliked is to learn what belongs together; in a taste it is
        only where ``exposure`` has it so, and there under ``alike`` and ``graded`` alone.
        """
        everything = holds_dislikes(reading, learning, self.exposure)
        pairs = self.pairs if everything else self.liked
        if reading != "signed" and not len(self.liked):
            return pairs, np.ones(len(pairs), np.float32)
        return pairs, weigh(pairs.weights, reading, self.norms)

    @cached_property
    def norms(self) -> Norms:
        """What strengths are measured against, of these events where nothing else was given."""
        if self.against is not None:
            return self.against
        means, liked = [], self.liked.weights
        for number, kind in enumerate(self.kind_table):
            values = self.values[self.kinds == number] if kind.values == "rating" else self.values[:0]
            values = values[~np.isnan(values)].astype(np.float64)
            means.append(float(values.mean()) if len(values) else float("nan"))
        if not len(liked):
            return Norms(tuple(means), exposure=self.exposure)
        return Norms(tuple(means), float(liked.mean()), float(liked.max()), self.exposure)

    @property
    def all_liked(self) -> bool:
        """Whether whatever anything is said of is liked."""
        return self.liked is self.pairs

    def taste(self, reading: str, n_users: int, n_items: int) -> sp.csr_matrix:
        """Users' rows over what they took, CSR float32 (U, I); see ``read``."""
        return _matrix(*self.read(reading, learning=False), (n_users, n_items))

    def learning(self, reading: str, n_users: int, n_items: int) -> sp.csr_matrix:
        """What is learned from, CSR float32 (U, I); see ``read``."""
        return _matrix(*self.read(reading, learning=True), (n_users, n_items))


def limits(kind: Kind) -> tuple[float, float, float]:
    """The lower and upper end of a kind's ratings, and the highest rating that is a dislike: of five stars the second.

    Raises DataError for a kind without a scale.
    """
    if kind.scale is None:
        raise DataError(f"kind {kind.name!r} has ratings but no scale; say its ends in data.toml (scale = [1, 5])")
    low, high = kind.scale
    return low, high, low + DISLIKED * (high - low) if kind.disliked_to is None else kind.disliked_to


def _order(user_nums: Ints, item_nums: Ints, timestamps: Ints | None) -> Ints:
    """Positions by user, item and time, int64 (E,)."""
    times = () if timestamps is None else (timestamps,)
    return sorted_by(*times, item_nums, user_nums)


def _matrix(pairs: Interactions, weights: Floats, shape: tuple[int, int]) -> sp.csr_matrix:
    out = in_rows(pairs.user_nums, pairs.item_nums, weights, shape)
    out.eliminate_zeros()
    return out
