"""The contract of a block: its settings, how it chooses and learns, and what it gives back.

A block is one file with one class that derives from ``Block``. It is found by its place in this folder or by the entry
point ``graphrec.blocks`` (see ``registry``), and nothing else knows its name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

import numpy as np

from graphrec.blocks.search import Chosen, search
from graphrec.data.readings import READINGS, Reading
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import ProfileBlock, empty_block
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.settings import Section
from graphrec.types import Floats, Ints

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

    from graphrec.data.dataset import Dataset

S = TypeVar("S", bound=Section)
Space: TypeAlias = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class FitInputs:
    """All that a block may learn from. ``ties`` and ``graph`` hold training data only.

    There is no graph where a block that ``refits`` is fitted in an update.
    """

    ties: Ties
    graph: HeteroData | None
    runtime: Runtime = field(default_factory=Runtime)

    @property
    def train(self) -> Dataset:
        """The training data."""
        return self.ties.data


class Validation(Protocol):
    """Held-out users that hyper-parameters are chosen on. Never test users."""

    queries: Queries  # B of them

    def ndcg(self, users: Floats, items: Floats) -> float:
        """NDCG@k of the rankings users @ items.T; users float32 (B, d) for exactly ``queries``, items (I, d)."""
        ...

    def ndcg_of(self, scores: Callable[[Queries], Floats]) -> float:
        """NDCG@k of any scorer from queries (n) to float32 (n, I)."""
        ...

    def best(self, scores: Callable[[Queries], Floats], n: int) -> Ints:
        """The n best unseen items of each user by such a scorer, int64 (B, min(n, I)), padded with -1."""
        ...

    def per_user_ndcg_among(self, items: Ints, scores: Floats) -> Floats:
        """NDCG@k of each user, float32 (B,), where only ``items`` (B, C) are ranked, by ``scores`` (B, C)."""
        ...


class Block(ABC, Generic[S]):
    """One way to learn profiles.

    A new block needs ``name``, ``Settings``, ``space`` and ``learn``. ``choose`` is there to override where values can
    be compared at less than the price of learning anew.

    Attributes:
        name: of the block and of its section of settings. words: how it is put into sentences.
        Settings: its section; what is worth choosing is a list there. Fitted: what it is read back as.
        alone: settings that it takes where it is compared as a model of its own.
        keeps: it is fitted even where the blend leaves it out, since it answers what others cannot.
        fallback: it says the same of everybody, and ranks for people without a history where models are compared.
        refits: it is so cheap that an update fits it anew, from interactions alone.
        searched: settings that it cannot choose by itself, and the values worth a longer search (``graphrec tune``).
        readings: of the strengths, that the method can use. uses_text: it wants text features.
        simplest: hyper-parameters whose search starts at their first value.
    """

    name: ClassVar[str]
    words: ClassVar[Words] = Words()
    Settings: ClassVar[type[Section]] = Section
    Fitted: ClassVar[type[FittedBlock]] = ProfileBlock
    alone: ClassVar[Mapping[str, Any]] = {}
    keeps: ClassVar[bool] = False
    fallback: ClassVar[bool] = False
    refits: ClassVar[bool] = False
    searched: ClassVar[Space] = {}
    uses_text: ClassVar[bool] = False
    simplest: ClassVar[Sequence[str]] = ("reading", "knowledge", "friends")

    readings: Sequence[Reading] = READINGS

    def __init__(self, settings: S | None = None) -> None:
        self.settings: S = self.Settings() if settings is None else settings  # type: ignore[assignment]

    def tune(self, inputs: FitInputs, validation: Validation, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        """Choose hyper-parameters on validation users; the block fitted with them comes back too.

        ``trials`` bounds how many points of the space are compared. Sits out, and says so in what is chosen, where the
        catalogue is larger than the setting ``max_items``.
        """
        if why := self.too_large(inputs.train.n_items):
            return empty_block(self.name, *self._shape(inputs)), {"left_out": why}
        block, chosen = self.choose(inputs, validation, trials)
        return _named(block, self), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        """Fit with hyper-parameters that are settled, those of another data set too."""
        if "left_out" in chosen or self.too_large(inputs.train.n_items):
            return empty_block(self.name, *self._shape(inputs))
        return _named(self.learn(inputs, chosen), self)

    def choose(
        self, inputs: FitInputs, validation: Validation, trials: int | None = None
    ) -> tuple[FittedBlock, Chosen]:
        """What ``tune`` does within the limits: the best point of ``space`` by learning at each."""
        best: list[tuple[float, Chosen, FittedBlock]] = []

        def score(candidate: Chosen) -> float:
            block = self.learn(inputs, candidate)
            found = validation.ndcg_of(block.scores)
            if not best or found > best[0][0]:
                best[:] = [(found, candidate, block)]
            return found

        space = self.space(inputs)
        start = {name: space[name][0] for name in self.simplest if name in space}
        order = [(name,) for name in space] if trials is None else None
        chosen = search(space, score, start, order, len(validation.queries), trials)
        known = best and best[0][1] == chosen
        return best[0][2] if known else self.learn(inputs, chosen), chosen

    def space(self, inputs: FitInputs) -> Space:
        """The values worth trying of each hyper-parameter on this data."""
        return {}

    @abstractmethod
    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        """Fit with these hyper-parameters."""

    def too_large(self, n_items: int) -> str:
        """Why a catalogue is too large for this block; "" where it is not."""
        limit = getattr(self.settings, "max_items", np.inf)
        return f"{n_items} items, the limit is {limit}" if n_items > limit else ""

    @staticmethod
    def _shape(inputs: FitInputs) -> tuple[int, int]:
        return inputs.train.n_users, inputs.train.n_items


def _named(block: FittedBlock, of: Block[Any]) -> FittedBlock:
    """The block with its words."""
    named: FittedBlock = replace(block, words=of.words)  # type: ignore[type-var]
    return named


def reading_of(chosen: Chosen) -> str:
    """How the strengths of events are read, of ``data.readings.READINGS``."""
    return str(chosen.get("reading", "alike"))


def beside(rows: Floats, column: Floats) -> Floats:
    """One more dimension, the last: (n, d) and (n,) → (n, d + 1)."""
    return np.hstack([rows, column[:, None]])


def held(readings: Iterable[str], among: Iterable[str]) -> list[str]:
    """The readings that a method can use, of those that differ on the data."""
    usable = set(among)
    return [r for r in readings if r in usable]
