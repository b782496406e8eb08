"""A party that keeps its events: what others see is what its methods return. See ``federation``."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from graphrec.blocks.api import FitInputs
from graphrec.blocks.search import Chosen
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.fit import Fitting, as_read, whole
from graphrec.linalg.sums import ItemSums
from graphrec.model.model import Model
from graphrec.pooled import (
    USERS,
    Candidate,
    Judge,
    Made,
    held_out,
    model_of,
    over_items,
    set_aside,
    summed_blocks,
    sums_of,
)
from graphrec.privacy import masking
from graphrec.profile.api import FittedBlock
from graphrec.query.ties import Ties
from graphrec.train.rounds import Rounds, Told, together

Doubles = npt.NDArray[np.float64]
Trained: TypeAlias = tuple[FittedBlock, Chosen]


@dataclass
class Message:
    """What a party sent, or was sent: what it is and how many bytes."""

    round: int
    party: str
    what: str
    bytes: int


@dataclass
class Party:
    """One party. Its events stay here; what others see is what its methods return.

    Args:
        name: of the party. data: what it knows. fitting: settings, runtime and encoder. keys: of each other party's
            name, the key that both share, where sums are masked.
    """

    name: str
    data: Dataset
    fitting: Fitting
    keys: dict[str, bytes] = field(default_factory=dict)
    _judge: Judge | None = None
    _parts: tuple[Dataset, ...] = ()

    def __post_init__(self) -> None:
        if self.fitting.config.privacy.epsilon:
            raise ConfigError("privacy.epsilon: sums of parties travel without noise here; NoisedParty adds it")
        fair = self.fitting.config.fair
        if wrong := [f"fair.{name}" for name in ("clear", "target") if getattr(fair, name)]:
            raise ConfigError(
                f"{wrong[0]} is learned from the rows of people, and sums are what is learned from here; leave it out"
            )
        self.data = as_read(whole(self.data, self.fitting.config), self.fitting.config)
        self.blocks, others = summed_blocks(self.fitting.config, in_rounds=True)
        for line in set_aside(self.data, others):
            self.data.report.warn(line)

    def catalogue(self) -> tuple[dict[str, str], bool]:
        """Item id → title, and whether its people dislike anything."""
        return titles_of(self.data), bool((self.data.events.pairs.weights < 0).any())

    def number(self, titles: Mapping[str, str], max_items: int) -> None:
        """Number items as all parties do. Raises ConfigError for more than ``max_items``."""
        if len(titles) > max_items:
            raise ConfigError(
                f"the parties have {len(titles):,} items together, and sums are dense up to {max_items:,};"
                " have each keep fewer (split.k_core)"
            )
        self.data = over_items(self.data, sorted(titles), titles)
        train, valid = held_out(self.data, self.fitting.config.seed)
        self._parts = (train, self.data)
        self._judge = Judge(train, valid, self.blocks, self.fitting.config, USERS)

    def sums(self, reading: str) -> tuple[ItemSums, ItemSums]:
        """The sums of its people, without what is held out and with it."""
        train, everything = (sums_of(part, reading, max_items=len(part.items.ids)) for part in self._parts)
        return train, everything

    def worth(self, sums: ItemSums, candidate: Candidate) -> Doubles:
        """Σ NDCG of its held-out people, and how many they are, float64 (2,)."""
        assert self._judge is not None
        found = self._judge.each(sums, candidate) if len(self._judge) else np.zeros(0)
        return np.array([found.sum(dtype=np.float64), len(found)])

    def masked(self, numbers: Doubles, round_: str) -> masking.Words:
        """Numbers as they may be sent where only totals are to be seen."""
        return masking.masked(numbers, self.keys, self.name, round_)

    def choosing(self, name: str, sums: ItemSums) -> Rounds[Trained]:
        """Its part in the choice of a block that is trained, on what is not held out."""
        assert self._judge is not None
        inputs = replace(self._judge.inputs, runtime=self.fitting.runtime)
        block, chosen = yield from self.blocks[name].choose_in_rounds(sums, inputs, self._judge.validation)
        return self.judges_with(name, block), chosen

    def learning(self, name: str, sums: ItemSums, chosen: Chosen, whole: bool = True) -> Rounds[Trained]:
        """Its part in the training of a block whose choices are settled, on everything or on what is not held out."""
        assert self._judge is not None
        ties = Ties(self.data) if whole else self._judge.inputs.ties
        block = yield from self.blocks[name].learn_in_rounds(sums, FitInputs(ties, None, self.fitting.runtime), chosen)
        return block if whole else self.judges_with(name, block), chosen

    def judges_with(self, name: str, block: FittedBlock) -> FittedBlock:
        """The same block, by which its people judge from here on."""
        assert self._judge is not None
        self._judge.trained[name] = block
        return block

    def model(self, sums: ItemSums, candidate: Candidate, made: Made) -> Model:
        """Its model: the items of everybody, for its own people."""
        return model_of(sums, self.data, candidate, self.fitting, made)


def titles_of(data: Dataset) -> dict[str, str]:
    """Item id → title."""
    return dict(zip(data.items.ids, map(str, data.item_titles), strict=True))


class Known(Protocol):
    """A party that shares keys with others."""

    name: str
    keys: dict[str, bytes]


def introduced(parties: Sequence[Known]) -> None:
    """Give each pair of parties a key that nobody else has. Between machines it goes from one to the other over a
    channel of their own, not past whoever adds up."""
    for one, other in combinations(parties, 2):
        one.keys[other.name] = other.keys[one.name] = secrets.token_bytes(32)


class Training:
    """Rounds of training: what parties yield is added up, with masks or without, and counted."""

    def __init__(self, parties: Sequence[Party], masked: bool, messages: list[Message]) -> None:
        self.parties, self.masked, self.messages, self.sent = parties, masked, messages, 0

    def done(self, parts: Sequence[Rounds[Trained]], block: str, last: bool = False) -> list[Trained]:
        """What becomes of each party's part in the training of a block."""
        counted: Counter[tuple[str, int]] = Counter()

        def total(sent: Sequence[Told]) -> Doubles:
            self.sent += 1
            counted[sent[0].what, len(sent[0].numbers)] += 1
            if not self.masked:
                return np.asarray(np.sum([one.numbers for one in sent], axis=0))
            each = zip(self.parties, sent, strict=True)
            return masking.total([party.masked(one.numbers, f"t.{self.sent}") for party, one in each])

        found = together(parts, total)
        self.messages += [
            Message(4 if last else 3, party.name, f"{block}: {what}, {times:,} times", 8 * size * times)
            for party in self.parties
            for (what, size), times in counted.items()
        ]
        return found
