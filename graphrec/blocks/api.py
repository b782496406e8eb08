"""The contract of a block: its settings, how it chooses and learns, and what it gives back.

A block is one file with one class that derives from ``Block``. It is found by its place in this folder or by the entry
point ``graphrec.blocks`` (see ``registry``), and nothing else knows its name.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np

from graphrec.blocks.folds import FitInputs as FitInputs
from graphrec.blocks.folds import Fold as Fold
from graphrec.blocks.folds import Folds as Folds
from graphrec.blocks.folds import Validation as Validation
from graphrec.blocks.gate import SMOOTHING, Found, judged
from graphrec.blocks.search import Chosen, search
from graphrec.data.readings import READINGS, Reading
from graphrec.errors import ConfigError
from graphrec.linalg.sums import ItemSums
from graphrec.privacy.accountant import Sampled
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import ProfileBlock, empty_block
from graphrec.query.ties import Ties
from graphrec.settings import Section
from graphrec.train.rounds import Rounds
from graphrec.types import Floats, Ints

S = TypeVar("S", bound=Section)
ANEW, SUBTRACTED, NEARED = "anew", "subtracted", "neared"  # ways to forget; see ``Forgotten``
Space: TypeAlias = Mapping[str, Sequence[Any]]


class Size(NamedTuple):
    """How large data is that is learned from: users, items, distinct pairs of them, and entities of the graph of
    knowledge that are neither."""

    users: int
    items: int
    pairs: int
    entities: int = 0


@dataclass(frozen=True)
class Gone:
    """Users who are to be forgotten, int64 (n,), their numbers in the data of ``before``, where they still are.
    ``quick``: nearly without them is good enough for now, where it takes less."""

    before: Ties
    users: Ints
    quick: bool = False

    @property
    def others(self) -> Ints:
        """The numbers that the others had, int64 (U',); their places here are the numbers that they have."""
        return np.setdiff1d(np.arange(self.before.data.n_users), self.users)


class Forgotten(NamedTuple):
    """A block without some users, and how it came to be: it was learned ``ANEW``, or their part was ``SUBTRACTED``,
    each of which is as if they had never been known; or it went on from where it was (``NEARED``)."""

    block: FittedBlock
    way: str


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
        ordered: what it says depends on the order of events.
        summed: it can be learned from sums over people alone (``from_sums``).
        in_rounds: several parties that keep their events can train it together (``learn_in_rounds``).
        by_person: it can be trained by private steps, each person an example (``learn_by_person``).
        resumes: a refit starts from where an earlier model ended (``FitInputs.before``).
        together: of several processes all train it at once (``train.together``); others are dealt out whole.
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
    ordered: ClassVar[bool] = False
    resumes: ClassVar[bool] = False
    summed: ClassVar[bool] = False
    in_rounds: ClassVar[bool] = False
    by_person: ClassVar[bool] = False
    together: ClassVar[bool] = False
    searched: ClassVar[Space] = {}
    uses_text: ClassVar[bool] = False
    simplest: ClassVar[Sequence[str]] = ("reading", "knowledge", "smoothing", "friends")

    readings: Sequence[Reading] = READINGS

    def __init__(self, settings: S | None = None) -> None:
        self.settings: S = self.Settings() if settings is None else settings  # type: ignore[assignment]

    def tune(self, folds: Folds, trials: int | None = None) -> tuple[tuple[FittedBlock, ...], Chosen]:
        """Choose hyper-parameters on the validation users of all folds; the block fitted with them on each comes back
        too.

        ``trials`` bounds how many points of the space are compared. Where the data is none for it (``why_not``) it sits
        out, and says so in what is chosen.
        """
        if why := self.why_not(folds.inputs):
            return tuple(empty_block(self.name, *self._shape(fold.inputs)) for fold in folds), {"left_out": why}
        blocks, chosen = self._on_all(folds, trials)

        def unsmoothed() -> Found:
            plain = copy.copy(self)
            plain.settings = self.settings.model_copy(update={SMOOTHING: (0.0,)})
            return plain._on_all(folds, trials)

        return judged(self.fit, folds, blocks, chosen, self.settings, unsmoothed)

    def _on_all(self, folds: Folds, trials: int | None) -> Found:
        block, chosen = self.choose(folds, trials)
        return (_named(block, self), *(self.fit(fold.inputs, chosen) for fold in folds[1:])), chosen

    def fit(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        """Fit with hyper-parameters that are settled, those of another data set too."""
        if "left_out" in chosen or self.why_not(inputs):
            return empty_block(self.name, *self._shape(inputs))
        return _named(self.learn(inputs, chosen), self)

    def followed(self, block: FittedBlock, inputs: FitInputs, chosen: Chosen) -> FittedBlock | None:
        """The block as an update has it that learns its items' side anew, from data with new events; None where that
        costs too much, so that it is ``grown``.

        Sides that are from content stay, of items that still nobody took (``profile.content.kept``).
        """
        return self.fit(inputs, chosen) if self.refits else None

    def forgotten(self, block: FittedBlock, inputs: FitInputs, chosen: Chosen, gone: Gone) -> Forgotten | None:
        """The block without users who are gone, at less than the price of ``fit``; None where there is no such way.

        ``inputs`` is the data without them, where the others have moved up; ``block`` still has their rows.
        """
        return None

    def hears_graph(self, chosen: Chosen) -> bool:
        """Whether it learns from the triples of the knowledge graph, and not from events, friends and texts alone."""
        return bool(chosen.get("knowledge"))

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        """What ``tune`` does within the limits: the best point of ``space`` by learning at each. The block is that of
        the first fold."""
        best: list[tuple[float, Chosen, FittedBlock]] = []

        def score(candidate: Chosen) -> float:
            blocks: list[FittedBlock] = []

            def per_user(fold: Fold) -> Floats:
                blocks.append(self.learn(fold.inputs, candidate))
                return fold.validation.per_user_ndcg_of(blocks[-1].scores)

            found = folds.value(per_user)
            if not best or found > best[0][0]:
                best[:] = [(found, candidate, blocks[0])]
            return found

        space = self.space(folds.inputs)
        start = {name: space[name][0] for name in self.simplest if name in space}
        order = [(name,) for name in space] if trials is None else None
        chosen = search(space, score, start, order, folds.users, trials)
        known = best and best[0][1] == chosen
        return best[0][2] if known else self.learn(folds.inputs, chosen), chosen

    def space(self, inputs: FitInputs) -> Space:
        """The values worth trying of each hyper-parameter on this data."""
        return {}

    def space_of_sums(self, sums: ItemSums) -> Space:
        """The values worth trying of each hyper-parameter where nothing but sums is known; where it is ``summed``."""
        return {}

    def from_sums(self, sums: ItemSums, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        """What ``learn`` makes of the rows that the sums are of, without friends and without knowledge; with the rows
        of the users of ``inputs``, whose items are those of the sums. Raises ConfigError where it is not ``summed``."""
        raise ConfigError(f"blocks: {self.name} reads the rows of people and cannot be learned from sums over them")

    def choose_in_rounds(
        self, sums: ItemSums, inputs: FitInputs, validation: Validation
    ) -> Rounds[tuple[FittedBlock, Chosen]]:
        """``choose`` by several parties, as one of them sees it: of its own people, over the items of the sums of
        everybody. Every party comes to the same choice. Raises ConfigError where it is not ``in_rounds``."""
        raise ConfigError(f"blocks: {self.name} reads the rows of all people at once; have one party fit it alone")

    def learn_in_rounds(self, sums: ItemSums, inputs: FitInputs, chosen: Chosen) -> Rounds[FittedBlock]:
        """``learn`` by several parties, with hyper-parameters that are settled; see ``choose_in_rounds``."""
        raise ConfigError(f"blocks: {self.name} reads the rows of all people at once; have one party fit it alone")

    def learn_by_person(self, sums: ItemSums, rows: Any, steps: Sampled, people: float, draw: Any = None) -> Any:
        """The block, without rows of users, by private steps in which a person is an example.

        Args:
            sums: what was released of people already. rows: CSR (U, I) of who teaches, over the items of the sums.
            steps: how many, the chance that somebody is drawn for one, and their noise. people: how many teach, as far
            as that is known in public. draw: a stand-in for the system's entropy; protects nobody.

        Raises ConfigError where it is not ``by_person``, or Opacus is not installed.
        """
        raise ConfigError(f"blocks: {self.name} allows no gradient of a person alone; leave it out")

    @abstractmethod
    def learn(self, inputs: FitInputs, chosen: Chosen) -> FittedBlock:
        """Fit with these hyper-parameters."""

    def why_not(self, inputs: FitInputs) -> str:
        """Why there is nothing to learn for this block from this data; "" where there is."""
        return self.too_large(inputs.train.n_items)

    def grows(self, size: Size) -> float:
        """What its seconds grow with, up to a factor, for what is foretold of a fit (``planning``), but for those that
        it is judged in; by default the pairs, with a row of each user and item, or U I where a budget of minutes is in
        proportion to that."""
        users, items, pairs, _ = size
        return float(users * items) if getattr(self.settings, "minutes", 0) else float(pairs + users + items)

    def holds(self, items: int) -> float:
        """Bytes that it holds beside rows of users and items while it learns: matrices of items by items."""
        return 0.0

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


def reading_of(chosen: Mapping[str, Any]) -> str:
    """How the strengths of events are read, of ``data.readings.READINGS``."""
    return str(chosen.get("reading", "alike"))


def beside(rows: Floats, column: Floats) -> Floats:
    """One more dimension, the last: (n, d) and (n,) → (n, d + 1)."""
    return np.hstack([rows, column[:, None]])


def held(readings: Iterable[str], among: Iterable[str]) -> list[str]:
    """The readings that a method can use, of those that differ on the data."""
    usable = set(among)
    return [r for r in readings if r in usable]
