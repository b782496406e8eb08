"""The `rhythm` block: what goes with what somebody takes at this hour, on this weekday, at this time of the year."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from pydantic import PositiveInt

from graphrec.blocks.api import Block, FitInputs, Fold, Folds, Space, held, reading_of
from graphrec.blocks.search import Chosen, search
from graphrec.blocks.season import TIMELESS, clocks_told
from graphrec.blocks.transitions import spans_days
from graphrec.data.readings import Reading
from graphrec.linalg.adjacency import degree_normalised, degrees, divisors
from graphrec.linalg.item_item import nearest_neighbours
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import empty_block
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.fading import ROUNDS, Fading
from graphrec.query.query import Queries
from graphrec.settings import FloatList, IntList, Section
from graphrec.types import Floats

USELESS = "nobody's history tells more by the hour, weekday or season"
ASKED = 1000  # validation users of a fold that are ranked for each candidate
ALPHA, BETA = 0.25, 0.4  # exponents of the users' and the items' degrees


class RhythmSettings(Section):
    """κ of each round, 0 does not hear of it. Several values: the best on validation data is taken."""

    day: FloatList = (0.0, 1.0, 4.0)  # how much an event at this hour counts before others
    week: FloatList = (0.0, 1.0, 4.0)  # on this weekday
    year: FloatList = (0.0, 1.0, 4.0)  # at this time of the year
    half_life: FloatList = (0.0, 90.0)  # in days, of the time from an event to the last one; 0: none
    n: IntList = (100,)  # neighbours kept per item
    max_items: PositiveInt = 200_000
    pilot: bool = True  # sit out, round by round, what does not help by more than chance


class Rhythm(Block[RhythmSettings]):
    """The `rhythm` block: item neighbours of a history that is read by the moment of asking.

        score(u, i) = Σ_j 2^(-t_j / half_life) Π_round exp(κ (cos(2π (s_j - now) / round) - 1)) N[j, i]

    s_j is when j was taken, in UTC, and t_j how long before the last event; N are the n largest of the graph filter of
    two steps (see `neighbours`), and of each item itself as much as of its nearest, for whoever takes it again.
    Kernel-weighted histories, von Mises on the circle; `season` is the same of everybody. A round that does not rank
    better by √(2 log n) standard errors, as the best of n tried does by chance, is not heard; without any it sits out.
    """

    name = "rhythm"
    words = Words(
        "it goes with what you take at this time",
        "what you take at this time",
        "it goes with {title}, which you took at such a time",
    )
    Settings = RhythmSettings
    Fitted = NeighbourBlock
    ordered = True
    readings: tuple[Reading, ...] = ("alike", "liked")

    def why_not(self, inputs: FitInputs) -> str:
        """Data without times tells nothing."""
        return super().why_not(inputs) or ("" if spans_days(inputs.train) else TIMELESS)

    def space(self, inputs: FitInputs) -> Space:
        """The rounds, as far as times tell their parts apart."""
        s, times = self.settings, inputs.train.events.timestamps
        assert times is not None
        told = clocks_told(times)
        return {
            **{name: getattr(s, name) if told[name] else (0.0,) for name in ROUNDS},
            "half_life": s.half_life,
            "n": s.n,
            "reading": held(inputs.train.events.readings, self.readings),
        }

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        """By the ranking, and each round against what is chosen without it."""
        space, judge = self.space(folds.inputs), _Judge(folds)
        start = {name: values[0] for name, values in space.items()}
        rounds = [name for name in ROUNDS if len(space[name]) > 1 or any(space[name])]
        if self.settings.pilot and not rounds:
            return self._silent(folds.inputs)
        order = [(name,) for name in ("n", "reading", "half_life", *rounds)] if trials is None else None
        chosen = search(space, judge.value, start, order, folds.users, trials)
        if self.settings.pilot:
            tried = sum(map(len, space.values()))
            for name in rounds:
                without = {**chosen, name: 0.0}
                if chosen[name] and 0.0 in space[name] and not judge.surely(chosen, without, tried):
                    chosen = without
            if not any(chosen[name] for name in rounds):
                return self._silent(folds.inputs)
        return self.learn(folds.inputs, chosen), chosen

    def learn(self, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        """Links; of people nothing is learned but by the choice."""
        learned = inputs.train.learning(reading_of(chosen))
        items = links(learned, chosen["n"])
        how: dict[str, Any] = {"reading": reading_of(chosen), "fading": fading_of(chosen)}
        return NeighbourBlock(self.name, learned[:0], items, **how).fitted(inputs.ties)

    def _silent(self, inputs: FitInputs) -> tuple[FittedBlock, Chosen]:
        return empty_block(self.name, *self._shape(inputs)), {"left_out": USELESS}


def fading_of(chosen: Chosen) -> Fading:
    """How a history is read."""
    return Fading(half_life=chosen["half_life"], **{name: chosen[name] for name in ROUNDS})


def links(learned: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """Row i holds item i's neighbours and itself, CSR float32 (I, I), from R (U, I)."""
    near = nearest_neighbours(degree_normalised(learned, rows=ALPHA, columns=0.5), n)
    own = np.asarray(near.max(axis=1).toarray(), np.float32).ravel()
    power = divisors(degrees(learned)) ** BETA
    return sp.csr_matrix(sp.diags(power) @ (near + sp.diags(own)) @ sp.diags(1.0 / power), dtype=np.float32)


class _Judge:
    """What is worth how much on validation users; links are made once for all that share n and the reading."""

    def __init__(self, folds: Folds) -> None:
        self.folds = Folds(Fold(fold.inputs, fold.validation.few(ASKED)) for fold in folds)
        self._links: dict[tuple[int, int, str], sp.csr_matrix] = {}
        self._known: dict[tuple[tuple[str, object], ...], Floats] = {}

    def value(self, chosen: Chosen) -> float:
        """The value of all folds together."""
        return self.folds.value(lambda fold: self._ndcg(fold, chosen))

    def surely(self, first: Chosen, second: Chosen, tried: int) -> bool:
        """Whether the first ranks better by so many standard errors that the best of ``tried`` does by chance."""
        of: Any = [self.folds.per_user(partial(self._ndcg, chosen=chosen)) for chosen in (first, second)]
        gain = (of[0] - of[1]).astype(np.float64)
        return bool(len(gain) > 1 and gain.mean() > (2 * np.log(tried)) ** 0.5 * gain.std() / len(gain) ** 0.5)

    def _ndcg(self, fold: Fold, chosen: Chosen) -> Floats:
        key, reading = (("fold", id(fold)), *sorted(chosen.items())), reading_of(chosen)
        if key not in self._known:
            of = id(fold), int(chosen["n"]), reading
            if of not in self._links:
                self._links[of] = sp.csr_matrix(links(fold.inputs.train.learning(reading), chosen["n"]).T)

            def scores(queries: Queries) -> Floats:
                taste = queries.taste(reading, fading=fading_of(chosen))
                return np.asarray((taste @ self._links[of]).toarray(), np.float32)

            self._known[key] = fold.validation.per_user_ndcg_of(scores)
        return self._known[key]
