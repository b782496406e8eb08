"""The `transitions` block: what people go on to after what was taken last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from graphrec.blocks._beside import Beside, takes
from graphrec.blocks._flow import HOUR, FlowBlock, counts, summed, weights
from graphrec.blocks.api import (
    ANEW,
    SUBTRACTED,
    Block,
    FitInputs,
    Fold,
    Folds,
    Forgotten,
    Gone,
    Size,
    Space,
    held,
    reading_of,
)
from graphrec.blocks.blend import Scored, likeliest, listed
from graphrec.blocks.folds import worth
from graphrec.blocks.search import READING, Chosen, search
from graphrec.data.dataset import Dataset
from graphrec.data.popularity import decayed_counts
from graphrec.data.readings import Reading
from graphrec.linalg.following import DAY
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import empty_block
from graphrec.query.fading import Fading
from graphrec.query.query import Queries
from graphrec.settings import FloatList, IntList, Section
from graphrec.types import Floats

UNORDERED = "neither times nor an order of rows is known"
USELESS = "the order tells no more than its absence would"
COUNTED = ("window", "pause", "session", "reading")  # hyper-parameters that the counts depend on
SUMMED = (*COUNTED, "decay", "backward")  # and their sum
OF_PAIR = 5_000  # products of an entry in the time that a pair takes in all that is tried
ASKED = 1000  # validation users of a fold that are ranked for each candidate
ROUNDS = 2  # of a search of one hyper-parameter after another
DENSE = 6_000  # items up to which candidates are compared by a dense matrix
PILOT = {"window": 7, "pause": 0.0, "source": 0.5, "target": 0.4, "shape": 0.5, "half_life": 0.0}
UNHEARD: Mapping[str, Any] = {"decay": 0.0, "power": 0.0, "backward": 1.0}  # what is tried first, without the order
HEARD = ({"decay": 1.0, "power": 1.0, "backward": 0.0}, {"decay": 1.0, "power": 0.5, "backward": 0.3})  # and with it
POPULAR = (0.0, 90.0)  # half-lives in days of the popularity beside them
CANDIDATES = 40  # of each reading, that are ranked then


class TransitionsSettings(Section):
    """Counts of what follows what. Several values: the best on validation data is taken."""

    window: IntList = (31,)  # events between two that still count as one after the other
    decay: FloatList = (0.5, 1.0, 1.5, 2.0)  # exponent of the gap: what lies twice as far apart counts for 2^-decay
    pause: FloatList = (0.0, 30.0)  # half-life in days of the time between them; 0: none
    session: FloatList = (0.0,)  # hours; what comes after a longer gap follows nothing that lies before it; 0: no cut
    sessions: bool = True  # try too the gap that those between events tell (``query.sessions``)
    backward: FloatList = (0.0, 0.3)  # what the way back counts for, beside the way there
    source: FloatList = (0.5, 0.75, 1.0)  # exponent of how often anything follows an item
    target: FloatList = (0.0, 0.2, 0.4, 0.6)  # exponent of how often an item follows anything
    shape: FloatList = (1.0, 0.7, 0.5, 0.4, 0.3)  # exponent of a link: below 1 many events count for less each
    power: FloatList = (0.5, 0.75, 1.0, 1.4)  # exponent of the place of an event from the end of a history
    half_life: FloatList = (0.0, 1.0, 30.0, 365.0)  # in days, of the time from it to the last event; 0: none
    last: IntList = (100,)  # events at the end of a history that are read
    pilot: bool = True  # look first whether the order tells anything
    n: IntList = (5000,)  # items kept that an item leads to, at most ``LINKS`` in all


class Transitions(Block[TransitionsSettings]):
    """The `transitions` block: decayed counts of what comes after what, read from the end of a history.

        C = Σ_k 2^(-decay k) N_k + backward · (the same)ᵀ     N_k: pairs with a gap of 2^k to 2^(k+1) - 1 events
        T = (D_out^-source C D_in^-target)^shape,   score(u, i) = Σ_j (1 + n_j)^-power 2^(-t_j / half_life) T[j, i]

    entry by entry, where n_j events and t_j days lie between j and the last event; pairs within a ``session`` alone
    count, where histories are better cut into such. A Markov chain of mixed order
    (Rendle et al., WWW 2010, without the factors) with the decays of sequential rules (Ludewig and Jannach, UMUAI
    2018). It sits out where nothing tells an order.
    """

    name = "transitions"
    words = Words(
        "people go on to it after what you took last",
        "what people go on to after what you took last",
        "people go on to it after {title}",
        "you took {title} last, and people go on to it",
    )
    Settings = TransitionsSettings
    Fitted = FlowBlock
    ordered = True
    readings: tuple[Reading, ...] = ("alike", "liked")

    def grows(self, size: Size) -> float:
        """What stands beside the order, to see whether it tells anything, and ``OF_PAIR`` for each pair."""
        return takes(size) + OF_PAIR * size.pairs

    def why_not(self, inputs: FitInputs) -> str:
        """Data without an order tells nothing."""
        return super().why_not(inputs) or ("" if inputs.train.events.ordered else UNORDERED)

    def space(self, inputs: FitInputs) -> Space:
        """All settings; half-lives and sessions where times span a day."""
        s, train = self.settings, inputs.train
        aged = spans_days(train)
        names = ("shape", "decay", "power", "target", "source", "backward", "window", "last", "n")
        return {
            **{name: getattr(s, name) for name in names},
            **{name: getattr(s, name) if aged else (0.0,) for name in ("half_life", "pause")},
            "session": sessions(inputs, s) if aged else (0.0,),
            "reading": held(train.events.readings, self.readings),
        }

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        """One hyper-parameter after another, on some of the validation users, where the order tells anything."""
        if self.settings.pilot and not order_tells(folds):
            return empty_block(self.name, *self._shape(folds.inputs)), {"left_out": USELESS}
        judge, space = _Judge(folds), self.space(folds.inputs)
        middle = {name: values[len(values) // 2] for name, values in space.items() if name != READING}
        middle["session"] = space["session"][0]
        order = None if trials is not None else [(name,) for name in space] * ROUNDS
        chosen = search(space, judge.value, middle, order, judge.folds.users, trials)
        return self.learn(folds.inputs, chosen), chosen

    def forgotten(self, block: FittedBlock, inputs: FitInputs, chosen: Chosen, gone: Gone) -> Forgotten | None:
        """Their counts are subtracted."""
        if not isinstance(block, FlowBlock) or not block.chosen:
            return None
        way = SUBTRACTED if block.subtracts(inputs.ties, gone.before) else ANEW
        return Forgotten(block.without(inputs.ties, gone.before, gone.users), way)

    def learn(self, inputs: FitInputs, chosen: Chosen) -> FlowBlock:
        """The strongest links from each item, and users by the end of their histories."""
        items = sp.csr_matrix(weights(summed(counts(inputs, chosen), chosen), chosen).T)
        users = inputs.ties.matrix[:0]
        how: dict[str, Any] = {"reading": reading_of(chosen), "fading": fading_of(chosen), "chosen": dict(chosen)}
        block: Any = FlowBlock(self.name, users, items, **how).fitted(inputs.ties)
        out: FlowBlock = block
        return out


def spans_days(data: Dataset) -> bool:
    """Whether times are such that days between them mean anything: places in a sequence are not."""
    times = data.events.timestamps
    return times is not None and len(times) > 0 and int(times.max() - times.min()) >= DAY


def sessions(inputs: FitInputs, settings: TransitionsSettings) -> list[float]:
    """The gaps in hours at which histories may be cut."""
    told = round(inputs.ties.pause / HOUR, 3) if settings.sessions else 0.0
    return list(dict.fromkeys((*settings.session, *([told] if told else []))))


def fading_of(chosen: Mapping[str, Any]) -> Fading:
    """How the end of a history is read."""
    return Fading(chosen["power"], chosen["half_life"], chosen["last"])


def order_tells(folds: Folds) -> bool:
    """Whether the order makes likelier what validation users took than by chance: ``order_gain`` is above 2 for each
    weight of a reading of it (Akaike's criterion); it then makes likelier what others took. Looked at once for all
    blocks that ask."""
    if "order" not in folds.found:
        folds.found["order"] = order_gain(folds) > 2 * len(HEARD)
    return folds.found["order"]


def order_gain(folds: Folds) -> float:
    """2 Δ log-likelihood, ≥ 0, of what validation users took, where readings that hear of the order stand beside what
    is told without it: by the history as ``Beside`` reads it, by what comes together within the window, and by
    popularity, at all times and now.

    What was taken last may tell less than all of a history, and still something else. All are scores of a conditional
    logit of what was held out, as in ``blend``. NDCG of some hundred users is no judge of it, since it hears of the few
    whose item is near the top already.
    """
    first = {name: values[0] for name, values in Transitions().space(folds.inputs).items()}
    judge = _Judge(folds)
    told: list[list[Scored]] = [[Beside(fold) for fold in judge.folds]]
    told += [[_Popular.of(fold, half_life) for fold in judge.folds] for half_life in POPULAR]
    told += [[judge.scored(fold, {**first, **PILOT, **way}) for fold in judge.folds] for way in (UNHEARD, *HEARD)]
    lists, parts, _ = listed(told, judge.folds, CANDIDATES)
    with_it, without = (likeliest(lists, [part[:n] for part in parts])[1] for n in (len(told), len(told) - len(HEARD)))
    return max(2 * (with_it - without), 0.0)


@dataclass(frozen=True)
class _Popular:
    """log(1 + takers), float32 (I,), of all users alike."""

    counts: Floats

    @classmethod
    def of(cls, fold: Fold, half_life: float) -> _Popular:
        """In the training part; with a half-life in days, 0: none."""
        return cls(np.log1p(decayed_counts(fold.inputs.train, half_life)))

    def scores(self, queries: Queries) -> Floats:
        return np.tile(self.counts, (len(queries), 1))


@dataclass(frozen=True)
class _Scored:
    """What follows from the ends of histories, by links T [before, after], CSR or dense (I, I)."""

    links: Any
    reading: str
    fading: Fading

    def scores(self, queries: Queries) -> Floats:
        found: Any = queries.taste(self.reading, fading=self.fading) @ self.links
        return np.asarray(found if isinstance(found, np.ndarray) else found.toarray(), np.float32)


class _Judge:
    """What hyper-parameters are worth on some held-out users. Counts are made once for all that share ``COUNTED``,
    their sums once for those that share ``SUMMED``."""

    def __init__(self, folds: Folds) -> None:
        self.folds = Folds(Fold(fold.inputs, fold.validation.few(ASKED)) for fold in folds)
        self._counted: dict[int, tuple[Any, list[sp.csr_matrix]]] = {}
        self._summed: dict[int, tuple[Any, sp.csr_matrix]] = {}

    def value(self, chosen: Chosen) -> float:
        """The value of all folds together."""
        return worth(self.per_user(chosen), self.folds.members)

    def per_user(self, chosen: Chosen) -> Floats:
        """NDCG@k of each user of all folds, float32 (N,)."""

        return self.folds.per_user(lambda fold: fold.validation.per_user_ndcg_of(self.scored(fold, chosen).scores))

    def scored(self, fold: Fold, chosen: Chosen) -> _Scored:
        """What a fold makes of hyper-parameters."""
        found = self._links(fold, chosen)
        # Where most of a row is filled a dense product is the quicker.
        links = found.toarray() if found.shape[0] <= DENSE else found
        return _Scored(links, reading_of(chosen), fading_of(chosen))

    def _links(self, fold: Fold, chosen: Chosen) -> sp.csr_matrix:
        counted, key = ([chosen[name] for name in names] for names in (COUNTED, SUMMED))
        if self._counted.get(id(fold), (None,))[0] != counted:
            self._counted[id(fold)] = counted, counts(fold.inputs, chosen)
        if self._summed.get(id(fold), (None,))[0] != key:
            self._summed[id(fold)] = key, summed(self._counted[id(fold)][1], chosen)
        return weights(self._summed[id(fold)][1], chosen)
