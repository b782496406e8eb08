"""The `season` block: what people take of late, at this time of the year, on this weekday, at this hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pydantic import PositiveInt

from graphrec.blocks.api import Block, FitInputs, Fold, Folds, Space, held, reading_of
from graphrec.blocks.search import Chosen, search
from graphrec.blocks.transitions import spans_days
from graphrec.data.popularity import decayed_counts
from graphrec.data.readings import Reading
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import empty_block
from graphrec.profile.moments import HANDS, MomentBlock, columns, part_of
from graphrec.query.fading import DAY
from graphrec.query.query import Queries
from graphrec.settings import FloatList, Section
from graphrec.types import Floats, Ints

TIMELESS = "no times of events are known that span a day"
USELESS = "the time of asking tells nothing that is not popular at all times"
KNOTS = 128  # moments at which it is counted what was late, of as many events each
CELLS = 4_000_000  # items times moments, 16 MB
ASKED = 1000  # validation users that are asked for each candidate
SCORES = 10_000_000  # of them, beyond which fewer are
BASES = (0.0, 7.0, 30.0, 90.0, 365.0, 1095.0)  # half-lives of the popularity that it is to add to
CLOCKS = ("late", *HANDS)
YEARLY, WEEKLY = 400.0, 15.0  # days of data, from which on a season or a weekday comes again


class SeasonSettings(Section):
    """0 does not hear of a clock. Several values: the best on validation data is taken."""

    late: FloatList = (0.0, 7.0, 30.0, 90.0, 365.0)  # half-life in days of what was taken before the moment of asking
    year: FloatList = (0.0, 1.0, 4.0, 16.0)  # κ: how near in the year something was taken (16: some two weeks)
    week: FloatList = (0.0, 1.0, 4.0)  # κ of the weekday
    day: FloatList = (0.0, 1.0, 4.0)  # κ of the hour
    few: FloatList = (10.0, 3.0, 30.0)  # events at which half is believed of what an item has at a time
    max_items: PositiveInt = 200_000
    pilot: bool = True  # sit out, clock by clock, what does not help by a standard error


class Season(Block[SeasonSettings]):
    """The `season` block: popularity as of now, as far as now differs from other times.

        score(now, i) = log(1 + Σ_{t ≤ now} 2^(-(now - t) / late))
                      + Σ_clock log((k + few) / (e + few)),   k = Σ_t exp(κ (cos 2π (now - t) / round - 1))

    over the times t at which i was taken in training, e what k would be were i taken as everything is. Whatever has no
    seasons has 0 there, and popularity at all times is left to `popularity`. Sums of kernels (von Mises on the circle)
    at some moments: an update counts anew what a fit would. Clocks are chosen by how likely they make what validation
    users went on to take; one that is not better by √(2 log n) standard errors, as the best of n tried is by chance, is
    not heard; and the block sits out where a ranking by popularity is not better with it by a standard error.
    """

    name = "season"
    words = Words("people take it at this time", "what people take at this time")
    Settings = SeasonSettings
    Fitted = MomentBlock
    refits = True
    readings: tuple[Reading, ...] = ("alike", "liked")

    def why_not(self, inputs: FitInputs) -> str:
        """Data without times tells nothing."""
        return super().why_not(inputs) or ("" if spans_days(inputs.train) else TIMELESS)

    def space(self, inputs: FitInputs) -> Space:
        """The clocks, as far as times tell them apart."""
        s, times = self.settings, inputs.train.events.timestamps
        assert times is not None
        told = clocks_told(times)
        return {
            "late": s.late,
            **{name: getattr(s, name) if told[name] else (0.0,) for name in HANDS},
            "few": s.few,
            "reading": held(inputs.train.events.readings, self.readings),
        }

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        """By likelihood, which hears of every item taken; then by the ranking."""
        space: Space = {**self.space(folds.inputs), "base": BASES}
        judge = _Judge(folds)
        start = {name: values[0] for name, values in space.items()}
        order = [("base",), *((name,) for name in CLOCKS), ("few",), *((name,) for name in CLOCKS), ("reading",)]
        chosen = search(space, judge.value, start, None if trials else order, folds.users, trials)
        if self.settings.pilot:
            tried = sum(map(len, space.values()))
            for clock in reversed(CLOCKS):
                without = {**chosen, clock: 0.0}
                if chosen[clock] and 0.0 in space[clock] and not judge.surely(chosen, without, tried):
                    chosen = without
            if not any(chosen[clock] for clock in CLOCKS) or not judge.ranks_better(chosen):
                return empty_block(self.name, *self._shape(folds.inputs)), {"left_out": USELESS}
        del chosen["base"]
        return self.learn(folds.inputs, chosen), chosen

    def learn(self, inputs: FitInputs, chosen: Chosen) -> MomentBlock:
        """Counts; nothing is learned but by the choice."""
        late, hands, items = sides(inputs, chosen)
        block = MomentBlock(
            self.name, items[:0, :], items, prior=items.shape[1], reading=reading_of(chosen), late=late, hands=hands
        )
        return replace(block, users=block.computed(Queries.stored(inputs.ties)))


def clocks_told(times: Ints) -> dict[str, bool]:
    """Which rounds the times of a log (E,) tell the parts of apart: they come again, and events differ in them."""
    span = int(times.max() - times.min()) / DAY
    return {"year": span > YEARLY, "week": span > WEEKLY, "day": len(np.unique(times // 3600 % 24)) > 1}


def sides(inputs: FitInputs, chosen: Chosen) -> tuple[Ints, tuple[str, ...], Floats]:
    """Moments of what was late, int64 (K,); the clocks beside; what is said of items at each, float32 (I, C)."""
    train, reading = inputs.train, reading_of(chosen)
    # No leakage. Only what was taken in the training part is counted.
    pairs, _ = train.events.read(reading, learning=True)
    hands = tuple(hand for hand in HANDS if chosen[hand])
    if pairs.timestamps is None or not len(pairs):
        return np.zeros(0, np.int64), (), np.zeros((train.n_items, 1), np.float32)
    times, items, n = pairs.timestamps, pairs.item_nums, train.n_items
    late, found = np.zeros(0, np.int64), []
    if chosen["late"]:
        late = knots(times, max(2, min(KNOTS, CELLS // max(n, 1))))
        found.append(np.log1p(late_counts(times, items, n, late, chosen["late"])))
    for hand in hands:
        found.append(lifts(part_of(hand, times), items, n, HANDS[hand], chosen[hand], chosen["few"]))
    return late, hands, np.hstack([np.zeros((n, 0)), *found]).astype(np.float32)


def knots(times: Ints, n: int) -> Ints:
    """At most n moments between which as many events lie each, the last at the last of them, int64 (K,)."""
    ordered = np.sort(times)
    return np.unique(ordered[np.linspace(0, len(ordered) - 1, n).astype(np.int64)])


def late_counts(times: Ints, items: Ints, n_items: int, at: Ints, half_life: float) -> npt.NDArray[np.float64]:
    """Σ 2^(-age / half_life) over what was taken of an item by each moment ``at`` (K,), float64 (I, K)."""
    slot = np.searchsorted(at, times)  # the first moment at which it is known
    known = slot < len(at)
    weights = np.exp2(-(at[slot[known]] - times[known]) / (DAY * half_life))
    new = sp.csc_matrix((weights, (items[known], slot[known])), shape=(n_items, len(at))).toarray()
    for k in range(1, len(at)):
        new[:, k] += new[:, k - 1] * 2.0 ** (-(at[k] - at[k - 1]) / (DAY * half_life))
    return np.asarray(new, np.float64)


def lifts(parts: Ints, items: Ints, n_items: int, n: int, kappa: float, few: float) -> npt.NDArray[np.float64]:
    """log((k + few) / (e + few)) of each item at each of n parts of a round, float64 (I, n)."""
    ones = np.ones(len(parts))
    counts = sp.csr_matrix((ones, (items, parts)), shape=(n_items, n)).toarray()  # (I, n)
    turn = 2 * np.pi * np.arange(n) / n
    near = counts @ np.exp(kappa * (np.cos(turn[:, None] - turn[None, :]) - 1))
    expected = counts.sum(axis=1)[:, None] * (near.sum(axis=0) / max(len(parts), 1))[None, :]
    return np.asarray(np.log((near + few) / (expected + few)), np.float64)


def scorer(inputs: FitInputs, chosen: Chosen) -> Callable[[Queries], Floats]:
    """log popularity, with a half-life of ``base`` where nothing else is late, and what is said of now beside it."""
    late, hands, items = sides(inputs, chosen)
    sent = np.ascontiguousarray(items.T)  # (C, I)
    base = np.zeros(len(items), np.float32)
    if not chosen["late"]:
        base = np.log1p(decayed_counts(inputs.train, chosen["base"], reading_of(chosen)))

    def scores(queries: Queries) -> Floats:
        out = np.tile(base, (len(queries), 1))
        for column in columns(queries.now, late, hands):
            there = np.flatnonzero(column >= 0)
            out[there] += sent[column[there]]
        return out

    return scores


class _Judge:
    """What is worth how much on validation users: how likely what they took is, and how well it is ranked."""

    def __init__(self, folds: Folds) -> None:
        asked = max(1, min(ASKED, SCORES // max(folds.inputs.train.n_items, 1)))
        self.folds = Folds(Fold(fold.inputs, fold.validation.few(asked)) for fold in folds)
        self._known: dict[tuple[tuple[str, object], ...], Floats] = {}

    def value(self, chosen: Chosen) -> float:
        """How likely an item is that somebody took, the geometric mean."""
        return float(np.exp(self._likely(chosen).mean())) if self.folds.users else 0.0

    def surely(self, first: Chosen, second: Chosen, tried: int) -> bool:
        """Whether the first makes it likelier by so many standard errors that the best of ``tried`` has by chance."""
        gain = (self._likely(first) - self._likely(second)).astype(np.float64)
        return bool(len(gain) > 1 and gain.mean() > (2 * np.log(tried)) ** 0.5 * gain.std() / len(gain) ** 0.5)

    def ranks_better(self, chosen: Chosen) -> bool:
        """Whether popularity is better with it by a standard error."""

        def per_user(chosen: Chosen) -> Floats:
            return self.folds.per_user(lambda fold: fold.validation.per_user_ndcg_of(scorer(fold.inputs, chosen)))

        return self.folds.prefers(per_user(chosen), per_user({**chosen, **dict.fromkeys(CLOCKS, 0.0)}))

    def _likely(self, chosen: Chosen) -> Floats:
        """log p of the items that each validation user took, their mean, float32 (N,)."""

        def of(fold: Fold) -> Floats:
            scores, truth = scorer(fold.inputs, chosen)(fold.validation.queries), fold.validation.truth
            top = scores.max(axis=1, keepdims=True)
            whole = np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0]
            rows = np.repeat(np.arange(len(scores)), np.diff(truth.indptr))
            found = np.bincount(rows, scores[rows, truth.indices], len(scores))
            return np.asarray(found / np.maximum(np.diff(truth.indptr), 1) - whole, np.float32)

        key = tuple(sorted(chosen.items()))
        if key not in self._known:
            self._known[key] = self.folds.per_user(of)
        return self._known[key]
