"""Parties that keep their events and share sums: each gets a model for its own people, whose items are of everybody.

What travels, and nothing else:

=====  =======================  =======================================================================================
round  from each party          to each party
=====  =======================  =======================================================================================
1      the ids and titles of    the same of all parties
       its items, and whether
       anything is disliked
2      two ``ItemSums``: of     the sums of all parties of both, which are all that blocks need
       all that its people
       took, and of that but
       what it holds out
3      Σ NDCG of its held-out   the candidate, of hyper-parameters and weights, that is best on all
       people and how many
       they are, for each
       candidate
=====  =======================  =======================================================================================

A model is then made by each party from the second sums: the same item sides as one party with all events would get,
since a sum over people does not depend on who adds. With ``masked`` what is sent in rounds 2 and 3 looks random, and
only totals are seen (``privacy.masking``). Sums of few people tell of them: noise on top is ``privacy.epsilon``.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.blocks.api import Block
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.fit import Fitting, as_read, whole
from graphrec.linalg.sums import MAX_ITEMS, ItemSums
from graphrec.model.model import Model
from graphrec.pooled import (
    USERS,
    Candidate,
    Judge,
    Made,
    held_out,
    model_of,
    over_items,
    searched,
    set_aside,
    summed_blocks,
    sums_of,
)
from graphrec.privacy import masking

Doubles = npt.NDArray[np.float64]


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
            raise ConfigError(
                "privacy.epsilon: sums of parties travel without noise; leave it out, or fit one party alone"
            )
        self.data = as_read(whole(self.data, self.fitting.config), self.fitting.config)
        self.blocks, others = summed_blocks(self.fitting.config)
        for line in set_aside(self.data, others):
            self.data.report.warn(line)

    def catalogue(self) -> tuple[dict[str, str], bool]:
        """Item id → title, and whether its people dislike anything."""
        titles = dict(zip(self.data.items.ids, map(str, self.data.item_titles), strict=True))
        return titles, bool((self.data.events.pairs.weights < 0).any())

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

    def model(self, sums: ItemSums, candidate: Candidate, made: Made) -> Model:
        """Its model: the items of everybody, for its own people."""
        return model_of(sums, self.data, candidate, self.fitting, made)


@dataclass(frozen=True)
class Federated:
    """Each party's model, by its name, the candidate that all share, the sums that all models are of, and what
    travelled."""

    models: Mapping[str, Model]
    candidate: Candidate
    sums: ItemSums
    messages: tuple[Message, ...]


def introduced(parties: Sequence[Party]) -> None:
    """Give each pair of parties a key that nobody else has. Between machines it goes from one to the other over a
    channel of their own, not past whoever adds up."""
    for one, other in combinations(parties, 2):
        one.keys[other.name] = other.keys[one.name] = secrets.token_bytes(32)


def federated(
    parties: Sequence[Party],
    given: Sequence[ItemSums] = (),
    masked: bool = False,
    chosen: Candidate | None = None,
    max_items: int = MAX_ITEMS,
) -> Federated:
    """A model for each party, of the sums of all.

    Args:
        parties: with names of their own. given: sums of parties that are not here: they add to what is learned, and
            judge nothing. masked: whether whoever adds up sees totals alone. chosen: a candidate that is settled, so
            that nothing is searched.

    Raises ConfigError for no party, two of one name, blocks that cannot be learned from sums, more than ``max_items``
    items; DataError for given sums that are made in another way.
    """
    names = [party.name for party in parties]
    if not parties or len(set(names)) < len(names):
        raise ConfigError(f"federate: parties {', '.join(names) or 'none'}; give each a name of its own, one at least")
    messages: list[Message] = []
    titles: dict[str, str] = dict.fromkeys((id_ for sums in given for id_ in sums.items), "")
    dislikes = any(sums.reading == "liked" for sums in given)
    for party in parties:
        theirs, disliking = party.catalogue()
        titles |= {id_: title or titles.get(id_, "") for id_, title in theirs.items()}
        dislikes |= disliking
        size = sum(len(id_.encode()) + len(title.encode()) for id_, title in theirs.items())
        messages.append(Message(1, party.name, f"ids and titles of {len(theirs):,} items", size))
    reading = "liked" if dislikes else "alike"
    for party in parties:
        party.number(titles, max_items)
    if masked:
        introduced(parties)
    others = [sums.over(sorted(titles)) for sums in given]
    train, everything = _added(parties, reading, others, masked, messages)
    blocks: dict[str, Block[Any]] = parties[0].blocks
    asked = judged = 0

    def worth(candidate: Candidate) -> float:
        nonlocal asked, judged
        asked += 1
        told = [party.worth(train, candidate) for party in parties]
        if masked:
            words = [party.masked(each, f"3.{asked}") for party, each in zip(parties, told, strict=True)]
            total = masking.total(words)
        else:
            total = np.sum(told, axis=0)
        judged = round(float(total[1]))
        return float(total[0] / total[1]) if judged else 0.0

    if chosen is None:
        chosen, _ = searched(blocks, train, worth)
    found = worth(chosen)
    messages += [Message(3, name, f"Σ NDCG and people of {asked:,} candidates", 16 * asked) for name in names]
    k = parties[0].fitting.config.blend.k
    told = {"parties": len(parties) + len(given), "users": everything.users, "reading": reading, "masked": masked}
    made = Made(told, {"users": judged, "folds": 1, f"ndcg@{k}": round(found, 6)} if judged else {})
    models = {party.name: party.model(everything, chosen, made) for party in parties}
    return Federated(models, chosen, everything, tuple(messages))


def _added(
    parties: Sequence[Party], reading: str, given: Sequence[ItemSums], masked: bool, messages: list[Message]
) -> list[ItemSums]:
    """The sums of all parties, without what is held out and with it."""
    told = [party.sums(reading) for party in parties]
    for party, both in zip(parties, told, strict=True):
        messages.append(Message(2, party.name, "sums, with and without what is held out", sum(s.size for s in both)))
    out = []
    for n, parts in enumerate(zip(*told, strict=True)):
        if masked:
            words = [p.masked(masking.flat(s), f"2.{n}") for p, s in zip(parties, parts, strict=True)]
            found = masking.as_sums(masking.total(words), like=parts[0])
        else:
            found = ItemSums.added(parts)
        out.append(ItemSums.added([found, *given]))
    return out
