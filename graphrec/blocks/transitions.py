"""The `transitions` block: what people go on to after what was taken last."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from graphrec.blocks.api import Block, FitInputs, Fold, Folds, Space, held, reading_of
from graphrec.blocks.search import Chosen, search
from graphrec.data.dataset import Dataset
from graphrec.data.readings import Reading, holds_dislikes
from graphrec.linalg.following import DAY, following
from graphrec.linalg.item_item import largest
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import empty_block
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.fading import Fading
from graphrec.query.query import Queries
from graphrec.settings import FloatList, IntList, Section
from graphrec.types import Floats

UNORDERED = "neither times nor an order of rows is known"
COUNTED = ("window", "pause", "reading")  # hyper-parameters that the counts depend on
LINKED = (*COUNTED, "decay", "backward", "source", "target", "shape", "n")  # and the links
SHAPED = (("shape", "target"), ("decay", "power"), ("source",), ("shape", "backward"))  # which depend on each other
LINKS = 20_000_000  # 160 MB
DENSE = 6_000  # items up to which candidates are compared by a dense matrix


class TransitionsSettings(Section):
    """Counts of what follows what. Several values: the best on validation data is taken."""

    window: IntList = (63,)  # events between two that still count as one after the other
    decay: FloatList = (
        0.25,
        0.5,
        1.0,
        1.5,
        2.0,
    )  # exponent of the gap: what lies twice as far apart counts for 2^-decay
    pause: FloatList = (0.0, 1.0, 30.0)  # half-life in days of the time between them; 0: none
    backward: FloatList = (0.0, 0.1, 0.3)  # what the way back counts for, beside the way there
    source: FloatList = (0.3, 0.5, 0.75, 1.0)  # exponent of how often anything follows an item
    target: FloatList = (0.0, 0.2, 0.4, 0.6)  # exponent of how often an item follows anything
    shape: FloatList = (1.0, 0.7, 0.5, 0.4, 0.3)  # exponent of a link: below 1 many events count for less each
    power: FloatList = (0.5, 0.75, 1.0, 1.4)  # exponent of the place of an event from the end of a history
    half_life: FloatList = (0.0, 1.0, 30.0, 365.0)  # in days, of the time from it to the last event; 0: none
    last: IntList = (100,)  # events at the end of a history that are read
    n: IntList = (5000,)  # items kept that an item leads to, at most ``LINKS`` in all


class Transitions(Block[TransitionsSettings]):
    """The `transitions` block: decayed counts of what comes after what, read from the end of a history.

        C = Σ_k 2^(-decay k) N_k + backward · (the same)ᵀ     N_k: pairs with a gap of 2^k to 2^(k+1) - 1 events
        T = (D_out^-source C D_in^-target)^shape,   score(u, i) = Σ_j (1 + n_j)^-power 2^(-t_j / half_life) T[j, i]

    entry by entry, where n_j events and t_j days lie between j and the last event. A Markov chain of mixed order
    (Rendle et al., WWW 2010, without the factors) with the decays of sequential rules (Ludewig and Jannach, UMUAI
    2018). It sits out where nothing tells an order.
    """

    name = "transitions"
    words = Words("people go on to it after what you took last", "what people go on to after what you took last")
    Settings = TransitionsSettings
    Fitted = NeighbourBlock
    ordered = True
    readings: tuple[Reading, ...] = ("alike", "liked")

    def tune(self, folds: Folds, trials: int | None = None) -> tuple[tuple[FittedBlock, ...], Chosen]:
        """As of any block; data without an order is said to be such."""
        if not folds.inputs.train.events.ordered:
            return tuple(empty_block(self.name, *self._shape(fold.inputs)) for fold in folds), {"left_out": UNORDERED}
        return super().tune(folds, trials)

    def fit(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        """As of any block; empty on data without an order."""
        return super().fit(inputs, chosen if inputs.train.events.ordered else {"left_out": UNORDERED})

    def space(self, inputs: FitInputs) -> Space:
        """All settings; half-lives where times span a day."""
        s, train = self.settings, inputs.train
        aged = spans_days(train)
        names = ("shape", "decay", "power", "target", "source", "backward", "window", "last", "n")
        return {
            **{name: getattr(s, name) for name in names},
            **{name: getattr(s, name) if aged else (0.0,) for name in ("half_life", "pause")},
            "reading": held(train.events.readings, self.readings),
        }

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[NeighbourBlock, Chosen]:
        """Counts are made once for all candidates that share ``COUNTED``, links for those that share ``LINKED``."""
        space = self.space(folds.inputs)
        made: dict[int, tuple[Any, list[sp.csr_matrix]]] = {}
        linked: dict[int, tuple[Any, sp.csr_matrix]] = {}

        def links(fold: Fold, chosen: Chosen) -> sp.csr_matrix:
            counted, key = ([chosen[name] for name in names] for names in (COUNTED, LINKED))
            if made.get(id(fold), (None,))[0] != counted:
                made[id(fold)] = counted, counts(fold.inputs, chosen)
            if linked.get(id(fold), (None,))[0] != key:
                linked[id(fold)] = key, weights(made[id(fold)][1], chosen)
            return linked[id(fold)][1]

        def score(candidate: Chosen) -> float:
            def per_user(fold: Fold) -> Floats:
                found = links(fold, candidate)
                # where most of a row is filled a dense product is the quicker
                dense = found.toarray() if found.shape[0] <= DENSE else None

                def scores(queries: Queries) -> Floats:
                    taste = queries.taste(candidate["reading"], fading=fading_of(candidate))
                    return np.asarray((taste @ found).toarray() if dense is None else taste @ dense, np.float32)

                return fold.validation.per_user_ndcg_of(scores)

            return folds.value(per_user)

        first = {name: values[0] for name, values in space.items()}
        middle = {name: space[name][len(space[name]) // 2] for names in SHAPED for name in names}
        order = None if trials is not None else [*SHAPED, *((name,) for name in space)]
        chosen = search(space, score, first | middle, order, folds.users, trials)
        return self.learn(folds.inputs, chosen), chosen

    def learn(self, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        """The strongest links from each item, and users by the end of their histories."""
        items = sp.csr_matrix(weights(counts(inputs, chosen), chosen).T)
        users = inputs.ties.matrix[:0]
        block = NeighbourBlock(self.name, users, items, reading=reading_of(chosen), fading=fading_of(chosen))
        return block.fitted(inputs.ties)


def spans_days(data: Dataset) -> bool:
    """Whether times are such that days between them mean anything: places in a sequence are not."""
    times = data.events.timestamps
    return times is not None and len(times) > 0 and int(times.max() - times.min()) >= DAY


def fading_of(chosen: Chosen) -> Fading:
    """How the end of a history is read."""
    return Fading(chosen["power"], chosen["half_life"], chosen["last"])


def counts(inputs: FitInputs, chosen: Chosen) -> list[sp.csr_matrix]:
    """N_k of all that is learned from, CSR (I, I) each."""
    train = inputs.train
    # No leakage. Only what follows in the training part is counted.
    line = inputs.ties.timeline(not holds_dislikes(reading_of(chosen), learning=True, exposure=False))
    users = np.repeat(np.arange(len(line.counts)), line.counts)
    open_ties = train.events.order is None
    return following(users, line.items, line.times, train.n_items, chosen["window"], chosen["pause"], open_ties)


def weights(counted: list[sp.csr_matrix], chosen: Chosen) -> sp.csr_matrix:
    """T [before, after], CSR float32 (I, I), its n largest of each row."""
    total = sum((2.0 ** (-chosen["decay"] * k) * part for k, part in enumerate(counted[1:], 1)), counted[0])
    if chosen["backward"]:
        total = total + chosen["backward"] * total.T
    total = sp.csr_matrix(total)
    out, into = (np.maximum(np.asarray(total.sum(axis=axis), np.float64).ravel(), 1e-9) for axis in (1, 0))
    scaled = sp.csr_matrix(sp.diags(out ** -chosen["source"]) @ total @ sp.diags(into ** -chosen["target"]))
    kept = max(1, min(chosen["n"], LINKS // max(scaled.shape[0], 1)))
    return sp.csr_matrix(largest(scaled, kept).power(chosen["shape"]), dtype=np.float32)
