"""A user is a query: what is known of somebody at the moment of asking. A batch of them is ``Queries``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.data.dataset import Dataset
from graphrec.data.readings import combined, holds_dislikes, weigh
from graphrec.errors import DataError, UnknownIdError
from graphrec.query.fading import STEADY, Fading
from graphrec.query.hearing import Hearing, weights_of
from graphrec.query.ties import Ties, row
from graphrec.query.timeline import Ordered, Timeline, asked_at
from graphrec.types import Floats, Ints, frozen

NONE: Ints = np.zeros(0, np.int64)
STRANGER = -1  # the user number of somebody that the training data does not hold


@dataclass(frozen=True)
class Query:
    """What is known of one person.

    Args:
        user_num: in the training data, or -1. What training learned of a person beside their events counts for them.
        items, strengths, times: the events in order of time, int64 (E,), signed float32 (E,) and int64 (E,) seconds or
            None; ones out of order are put into it. An item may come up again. ``outright``: events that are opinions,
            bool (E,): of these the latest counts; none by default.
        now: second of the question, at which no later event is known; None: after all events.
        place: latitude and longitude of the person now. words: what they ask for, in their own words.
        friends: user numbers whom they hear. attributes: what else is known of them, key → values.

    Raises DataError for columns of different lengths.
    """

    user_num: int = STRANGER
    items: Ints = field(default_factory=lambda: NONE)
    strengths: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    times: Ints | None = None
    outright: npt.NDArray[np.bool_] | None = None
    now: int | None = None
    place: tuple[float, float] | None = None
    words: str = ""
    friends: Ints = field(default_factory=lambda: NONE)
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        types: dict[str, npt.DTypeLike] = {"items": np.int64, "strengths": np.float32, "times": np.int64}
        for name, dtype in (types | {"outright": np.bool_, "friends": np.int64}).items():
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, frozen(value, dtype))
        columns = [c for c in (self.items, self.strengths, self.times, self.outright) if c is not None]
        if len({len(c) for c in columns}) != 1:
            raise DataError(f"the events of a query differ in length: {[len(c) for c in columns]}")
        if self.times is None:
            return
        order = np.argsort(self.times, kind="stable")
        if self.now is not None:
            # No leakage. What happened after the question is no part of it.
            order = order[self.times[order] <= self.now]
        if not np.array_equal(order, np.arange(len(self.times))):
            for name in ("items", "strengths", "times", "outright"):
                if (value := getattr(self, name)) is not None:
                    object.__setattr__(self, name, frozen(value[order], value.dtype))


class Queries:
    """B queries over what a model learned from.

    ``stored`` are users of the training data as it knows them, which costs nothing: their rows are sliced. ``of`` takes
    any. Indexing with an array gives some of them; all arrays are read-only.

    Args:
        ties: the training data: who took what, and who befriends whom.
        user_nums: int64 (B,), -1 for strangers.
        asked: the queries themselves, or None for users as they are stored.
        moments: int64 (B,), when stored users ask; None: at the end of the log.
    """

    def __init__(
        self, ties: Ties, user_nums: Ints, asked: Sequence[Query] | None = None, moments: Ints | None = None
    ) -> None:
        self.ties, self.user_nums, self.asked = ties, frozen(user_nums, np.int64), asked
        self.moments = None if moments is None else frozen(moments, np.int64)
        self._tastes: dict[tuple[str, Fading], sp.csr_matrix] = {}  # of queries that are asked
        self.memo: dict[Any, Any] = {}  # what was found of them

    @classmethod
    def stored(cls, ties: Ties, user_nums: Ints | None = None, moments: Ints | None = None) -> Queries:
        """Users of the training data, all of them by default, at the end of the log or at ``moments`` int64 (B,).
        Raises UnknownIdError for numbers out of range."""
        n_users = ties.data.n_users
        nums = np.arange(n_users) if user_nums is None else np.asarray(user_nums, np.int64)
        # A stranger (-1) would be shown what is stored of the last user.
        if len(strange := nums[(nums < 0) | (nums >= n_users)]):
            raise UnknownIdError(f"unknown user number {strange[0]}; the data holds users 0 to {n_users - 1}")
        return cls(ties, nums, moments=moments)

    @classmethod
    def before(cls, ties: Ties, held_out: Dataset, user_nums: Ints | None = None) -> Queries:
        """Users of the training data, as ``stored``, who ask for what is held out when they are about to take it."""
        # No leakage. They ask at their first held-out event, so that nothing counts as recent that came later.
        moments = asked_at(ties.data.events, held_out.events.user_nums, held_out.events.timestamps, ties.data.n_users)
        nums = np.arange(ties.data.n_users) if user_nums is None else user_nums
        return cls.stored(ties, nums, None if moments is None else moments[nums])

    @classmethod
    def of(cls, ties: Ties, asked: Sequence[Query]) -> Queries:
        """Any queries. Raises UnknownIdError for numbers that are no user's and no item's."""
        nums, n_users = np.array([q.user_num for q in asked], np.int64), ties.data.n_users
        items, friends = (np.concatenate([NONE, *(getattr(q, name) for q in asked)]) for name in ("items", "friends"))
        for what, found, least, n in (
            ("user", nums, STRANGER, n_users),
            ("user", friends, 0, n_users),
            ("item", items, 0, ties.data.n_items),
        ):
            if len(strange := found[(found < least) | (found >= n)]):
                raise UnknownIdError(f"unknown {what} number {strange[0]}; the data holds {what}s 0 to {n - 1}")
        return cls(ties, nums, tuple(asked))

    def __len__(self) -> int:
        return len(self.user_nums)

    def __getitem__(self, rows: npt.NDArray[Any] | slice) -> Queries:
        if self.asked is None:
            moments = None if self.moments is None else self.moments[rows]
            return Queries(self.ties, self.user_nums[rows], moments=moments)
        picked = range(len(self))[rows] if isinstance(rows, slice) else np.arange(len(self))[rows].tolist()
        return Queries(self.ties, self.user_nums[rows], [self.asked[n] for n in picked])

    @cached_property
    def each(self) -> tuple[Queries, ...]:
        """They one by one."""
        return (self,) if len(self) == 1 else tuple(self[np.array([n])] for n in range(len(self)))

    # --- when ---------------------------------------------------------------------------------------------------------

    @cached_property
    def now(self) -> Ints:
        """The second of each question, int64 (B,); where none is named, that of the last event in the log."""
        if self.asked is None:
            return np.full(len(self), self.ties.latest) if self.moments is None else self.moments
        return np.array([self.ties.latest if q.now is None else q.now for q in self.asked], np.int64)

    def ordered(self, length: int | None = None, liked: bool = False) -> Ordered:
        """The last ``length`` events of each history, all of the longest by default, the newest last; ties in time
        stand as in the source. ``liked``: of pairs that are liked alone."""
        numbers = self.user_nums if self.asked is None else np.arange(len(self))
        return self.timeline(liked).last(numbers, length)

    def timeline(self, liked: bool) -> Timeline:
        """The histories that theirs are among: of the data by user number, else by place; ``liked`` as ``ordered``."""
        if self.asked is None:
            return self.ties.timeline(liked)
        rows = np.repeat(np.arange(len(self)), [len(q.items) for q in self.asked])
        items = np.concatenate([NONE, *(q.items for q in self.asked)])
        strengths = np.concatenate([np.zeros(0, np.float32), *(q.strengths for q in self.asked)])
        times = None
        if self.ties.data.has_times:  # what is known without a time is known now
            told = zip(self.asked, self.now.tolist(), strict=True)
            times = np.concatenate([NONE, *(np.full(len(q.items), t) if q.times is None else q.times for q, t in told)])
        if liked and len(rows):
            of, known, said = self._pairs
            width = self.ties.data.n_items
            kept = np.isin(rows * width + items, (of * width + known)[said > 0])
            rows, items, strengths = rows[kept], items[kept], strengths[kept]
            times = None if times is None else times[kept]
        return Timeline(np.bincount(rows, minlength=len(self)), items, strengths, times)

    # --- what they took -----------------------------------------------------------------------------------------------

    def taste(self, reading: str, friend_weight: Hearing = 0.0, fading: Fading = STEADY) -> sp.csr_matrix:
        """x + friend_weight · mean of the friends' x, CSR float32 (B, I), x the tastes under a reading of strengths;
        one's own by how far it lies back."""
        known, key = self._tastes, (reading, fading)
        own = known[key] if key in known else self._taste(reading, fading)
        if self.asked is not None:  # slices of stored ones cost less than the memory
            known[key] = own
        if not friend_weight:
            return own
        heard = sp.diags(weights_of(friend_weight, self.activity)) @ self.friends
        heard.eliminate_zeros()
        return sp.csr_matrix(own + heard @ self.ties.taste(reading), dtype=np.float32)

    def _taste(self, reading: str, fading: Fading) -> sp.csr_matrix:
        stored = self.asked is None
        own = self.ties.taste(reading)[self.user_nums] if stored else self._matrix(*self.read(reading))
        if fading:
            liked = not holds_dislikes(reading, learning=False, exposure=self.ties.data.events.exposure)
            numbers = self.user_nums if stored else np.arange(len(self))
            rows, items, counts = self.timeline(liked).faded(numbers, fading, self.now)
            own = sp.csr_matrix(own.multiply(self._matrix(rows, items, counts)), dtype=np.float32)
        return own

    @property
    def activity(self) -> Ints:
        """How many items they like, int64 (B,)."""
        if self.asked is None:
            return np.asarray(self.ties.activity[self.user_nums], np.int64)
        return np.bincount(self._pairs[0][self._pairs[2] > 0], minlength=len(self)).astype(np.int64)

    @cached_property
    def liked(self) -> sp.csr_matrix:
        """What they like, binary CSR float32 (B, I)."""
        if self.asked is None:
            return self.ties.matrix[self.user_nums]
        rows, items, strengths = self._pairs
        return self._matrix(rows[strengths > 0], items[strengths > 0])

    @cached_property
    def seen(self) -> sp.csr_matrix:
        """What they took, liked or not, binary CSR float32 (B, I)."""
        return self.ties.known[self.user_nums] if self.asked is None else self._matrix(*self._pairs[:2])

    @cached_property
    def friends(self) -> sp.csr_matrix:
        """Whom they hear, CSR float32 (B, U); rows sum to 1, or to 0."""
        if self.asked is None:
            return self.ties.friend_mean[self.user_nums]
        heard = [q.friends for q in self.asked]
        ends = np.cumsum([0, *map(len, heard)])
        values = np.repeat([1 / max(len(f), 1) for f in heard], [len(f) for f in heard]).astype(np.float32)
        shape = (len(self), self.ties.data.n_users)
        return sp.csr_matrix((values, np.concatenate([*heard, NONE]), ends), shape=shape)

    @cached_property
    def _pairs(self) -> tuple[Ints, Ints, Floats]:
        """Row, item and signed strength of every pair, in order of row and item: each (P,)."""
        assert self.asked is not None
        counts = [len(q.items) for q in self.asked]
        rows, items = np.repeat(np.arange(len(self)), counts), np.concatenate([*(q.items for q in self.asked), NONE])
        says = np.concatenate([*(q.strengths for q in self.asked), np.zeros(0)]).astype(np.float64)
        outright = [
            np.zeros(n, bool) if q.outright is None else q.outright for q, n in zip(self.asked, counts, strict=True)
        ]
        order = np.lexsort((items, rows))  # stable: the order in time stays
        rows, items, says = rows[order], items[order], says[order]
        new = np.concatenate([[True], (np.diff(rows) != 0) | (np.diff(items) != 0)])[: len(rows)]
        pair = np.cumsum(new) - 1
        total = combined(pair, says, np.concatenate([*outright, np.zeros(0, bool)])[order], int(new.sum()))
        return rows[new], items[new], total.astype(np.float32)

    def read(self, reading: str) -> tuple[Ints, Ints, Floats]:
        """Row, item and what it weighs under a reading of every pair that this holds, in order of row and item; of
        queries that are asked."""
        rows, items, strengths = self._pairs
        events = self.ties.data.events
        if not holds_dislikes(reading, learning=False, exposure=events.exposure):
            kept = strengths > 0
            rows, items, strengths = rows[kept], items[kept], strengths[kept]
        if reading != "signed" and not self.ties.matrix.nnz:  # as in ``Events.read``: nothing to measure against
            return rows, items, np.ones(len(rows), np.float32)
        return rows, items, weigh(strengths, reading, events.norms)

    def _matrix(self, rows: Ints, items: Ints, values: Floats | None = None) -> sp.csr_matrix:
        """Pairs in order of row and item as a matrix."""
        weights = np.ones(len(rows), np.float32) if values is None else values.astype(np.float32)
        ends = np.cumsum(np.bincount(rows + 1, minlength=len(self) + 1))
        out = sp.csr_matrix((weights, items, ends), shape=(len(self), self.ties.data.n_items))
        out.eliminate_zeros()
        return out


def query_of(ties: Ties, user_num: int, history: Ints = NONE, **known: Any) -> Query:
    """What the training data knows of a user, or of a stranger (-1), with further items that they like.

    An item of ``history`` that is liked already changes nothing; one that was disliked is liked now, whatever was said
    of it before. Each counts as much as what people usually like. They come last, in their order, and are taken now.

    Args:
        known: further fields of the query; friends and attributes are those of the data where they are not given.
    """
    events, liked = ties.data.events, np.asarray(list(dict.fromkeys(np.asarray(history).tolist())), np.int64)
    if user_num >= 0:
        rows = ties.timeline().rows(user_num)
        liked = liked[~np.isin(liked, ties.history(user_num))]
        rows = rows[~np.isin(events.item_nums[rows], liked)]
        known.setdefault("friends", row(ties.friend_mean, user_num))
    else:
        rows = NONE
    usual = np.full(len(liked), events.norms.liked, np.float32)
    times = None
    if events.timestamps is not None:
        now = ties.latest if known.get("now") is None else int(known["now"])
        times = np.concatenate([events.timestamps[rows], np.full(len(liked), now)])
    return Query(
        user_num,
        np.concatenate([events.item_nums[rows], liked]),
        np.concatenate([events.strengths[rows], usual]),
        times,
        np.concatenate([events.outright[rows], np.ones(len(liked), bool)]),
        **known,
    )
