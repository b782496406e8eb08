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
since a sum over people does not depend on who adds. Blocks that are trained (``Block.in_rounds``) take more: before
round 3 on what is not held out, and after it on everything, parties train them together, and what they send each other
is a sum too, of as many numbers from each (``train.rounds``). With ``masked`` what is sent from round 2 on looks
random, and only totals are seen (``privacy.masking``). Sums of few people tell of them: noise on top is
``privacy.epsilon``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.blocks.api import Block
from graphrec.blocks.search import Chosen
from graphrec.errors import ConfigError
from graphrec.linalg.sums import MAX_ITEMS, ItemSums
from graphrec.model.model import Model
from graphrec.party import Message, Party, Training, introduced
from graphrec.pooled import Candidate, Made, searched
from graphrec.privacy import masking
from graphrec.profile.api import FittedBlock

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Federated:
    """Each party's model, by its name, the candidate that all share, the sums that all models are of, and what
    travelled."""

    models: Mapping[str, Model]
    candidate: Candidate
    sums: ItemSums
    messages: tuple[Message, ...]


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

    rounds = Training(parties, masked, messages)
    trained = [name for name, block in blocks.items() if block.in_rounds and not block.summed]
    known: dict[str, Chosen] = {}
    for name in trained:
        settled = None if chosen is None else chosen.chosen[name]
        parts = [
            party.choosing(name, train) if settled is None else party.learning(name, train, settled, whole=False)
            for party in parties
        ]
        known[name] = rounds.done(parts, name)[0][1]
    if chosen is None:
        chosen, _ = searched(blocks, train, worth)
        chosen = replace(chosen, chosen={**chosen.chosen, **known})
    found = worth(chosen)
    messages += [Message(3, name, f"Σ NDCG and people of {asked:,} candidates", 16 * asked) for name in names]
    made_of: dict[str, list[FittedBlock]] = {}
    for name in (name for name in trained if chosen.weights[name]):
        made = rounds.done([party.learning(name, everything, known[name]) for party in parties], name, last=True)
        made_of[name] = [block for block, _ in made]
    k = parties[0].fitting.config.blend.k
    told = {"parties": len(parties) + len(given), "users": everything.users, "reading": reading, "masked": masked}
    figures = {"users": judged, "folds": 1, f"ndcg@{k}": round(found, 6)} if judged else {}
    models = {}
    for n, party in enumerate(parties):
        own = {name: blocks[n] for name, blocks in made_of.items()}
        models[party.name] = party.model(everything, chosen, Made(told, figures, trained=own))
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
