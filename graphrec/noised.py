"""Parties whose sums carry noise: differential privacy of everybody's people, against whoever adds up and each other.

As ``private``, but nobody has all rows: to every number each party of P adds a share of the noise, of variance
σ²/(P − 1), before it is masked (distributed noise: Dwork et al., Our data, ourselves, EUROCRYPT 2006). Whoever sees a
total sees noise of variance σ² P/(P − 1), and a party that takes its own share away still sees σ², which is what the
budget asks for; two that put theirs together see less. A sum of one party never shows, since without masks it would
have its share alone.

=====  =============================================  ==========================================
round  from each party, masked and with noise         to each party
=====  =============================================  ==========================================
2      how many people; how often they took each      totals; between the last two the counts,
       item; Σ x_u x_uᵀ with W of all counts          of which W is made
3      Σ NDCG of its judges, for each candidate       the best candidate
=====  =============================================  ==========================================

Ids of items are taken as public, titles with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.federation import Federated
from graphrec.fit import Fitting, whole
from graphrec.linalg.sums import MAX_ITEMS, ItemSums, gram_of
from graphrec.party import Message, introduced, titles_of
from graphrec.pooled import (
    Candidate,
    Judge,
    Made,
    candidate_of,
    held_out,
    model_of,
    over_items,
    searched,
    start_of,
    summed_blocks,
)
from graphrec.privacy import masking
from graphrec.privacy.accountant import mu_of
from graphrec.privacy.mechanism import SPENT, Gaussian, parts_of, sums_from, unit_rows
from graphrec.private import (
    PRIVATE,
    SALT,
    Spent,
    bare,
    checked,
    released_version,
    teaching,
    trials_of,
    who_judges,
)

Doubles = npt.NDArray[np.float64]


@dataclass
class NoisedParty:
    """One party. Its events stay here; what others see is what ``sent`` returns.

    Args:
        name: of the party. data: what it knows. fitting: settings, runtime and encoder. noise: by default of the
            operating system's entropy; another protects nobody. keys: of each other party's name, the key of both.
    """

    name: str
    data: Dataset
    fitting: Fitting
    noise: Gaussian = field(default_factory=Gaussian.secret)
    keys: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = self.fitting.config
        checked(config, self.data.n_items, by_person=False)
        self.data = bare(whole(self.data, config), summed_blocks(config)[1])

    def number(self, titles: dict[str, str]) -> None:
        """Number items as all parties do."""
        self.data = over_items(self.data, sorted(titles), titles)

    def parted(self, share: float, events: int) -> None:
        """Part its people into those who judge, ``share`` of them or none, and those who teach."""
        judging = who_judges(self.data, share) if share else None
        self.rows = teaching(self.data, judging, events)
        self.judges = None
        if judging is not None and judging.any():
            train, valid = held_out(self.data.subset(judging[self.data.events.user_nums]), SALT)
            blocks, _ = summed_blocks(self.fitting.config)
            self.judges = Judge(train, valid, blocks, self.fitting.config, int(judging.sum()))

    def worth(self, sums: ItemSums, candidate: Candidate) -> Doubles:
        """Σ NDCG of its judges, float64 (1,)."""
        return np.array([0.0 if self.judges is None else self.judges.each(sums, candidate).sum(dtype=np.float64)])

    def sent(self, values: Doubles, sensitivity: float, mu: float, round_: str) -> masking.Words:
        """Numbers (n,), or a symmetric matrix (n, n), with its share of the noise that makes the total μ-GDP, as they
        may be sent; of a matrix the upper half."""
        own = mu * len(self.keys) ** 0.5
        if values.ndim == 1:
            found = self.noise.added(values, sensitivity, own)
        else:
            found = self.noise.added_to_gram(values, sensitivity, own)[np.triu_indices(len(values))]
        return masking.masked(found, self.keys, self.name, round_)


def noised(parties: Sequence[NoisedParty], chosen: Candidate | None = None) -> Federated:
    """A model for each party, of sums with noise over the people of all; settings are those of the first.

    Args:
        parties: two at least, with names of their own. chosen: a candidate that is settled, so that nobody judges.

    Raises ConfigError for fewer than two parties, two of one name, and more than ``MAX_ITEMS`` items.
    """
    names = [party.name for party in parties]
    if len(set(names)) < max(len(names), 2):
        named = ", ".join(names) or "none"
        raise ConfigError(f"federate with privacy.epsilon: parties {named}; give two at least, each a name of its own")
    config, messages = parties[0].fitting.config, list[Message]()
    titles: dict[str, str] = {}
    for party in parties:
        theirs = titles_of(party.data)
        titles |= {id_: title or titles.get(id_, "") for id_, title in theirs.items()}
        size = sum(len(id_.encode()) + len(title.encode()) for id_, title in theirs.items())
        messages.append(Message(1, party.name, f"ids and titles of {len(theirs):,} items", size))
    if len(titles) > MAX_ITEMS:
        raise ConfigError(f"the parties have {len(titles):,} items together, and sums are dense up to {MAX_ITEMS:,}")
    for party in parties:
        party.number(titles)
    introduced(parties)
    rounds = 0

    def total(values: Sequence[Doubles], sensitivity: float, mu: float) -> Doubles:
        nonlocal rounds
        rounds += 1
        each = zip(parties, values, strict=True)
        return masking.total([party.sent(own, sensitivity, mu, f"p.{rounds}") for party, own in each])

    settings, mu = config.privacy, mu_of(config.privacy.epsilon, config.privacy.delta)
    rest = mu * (1 - SPENT["users"]) ** 0.5
    here = [np.array([float(party.data.n_users)]) for party in parties]
    people = max(float(total(here, 1.0, mu * SPENT["users"] ** 0.5)[0]), 1.0)
    judges = 0.0 if chosen is not None else settings.judges * people
    trials = trials_of(judges, rest)
    for party in parties:
        party.parted(settings.judges if trials > 1 else 0.0, settings.events)
    sums = _released(parties, tuple(sorted(titles)), people, settings.events, rest, total)
    size = 8 * (1 + len(titles) + len(titles) * (len(titles) + 1) // 2)
    messages += [Message(2, name, "sums with noise: people, counts, Gram matrix", size) for name in names]
    blocks, _ = summed_blocks(config)
    found: dict[str, Any] = {}
    if trials > 1 and chosen is None:
        each = rest / trials**0.5

        def worth(candidate: Candidate) -> float:
            told = total([party.worth(sums, candidate) for party in parties], 1.0, each)
            return float(np.clip(told[0] / judges, 0.0, 1.0))

        chosen, asked = searched(blocks, sums, worth, trials - 1)
        found = {"users": round(judges), "folds": 1, f"ndcg@{config.blend.k}": round(worth(chosen), 6)}
        trials = asked + 1
        messages += [Message(3, name, f"Σ NDCG with noise of {trials:,} candidates", 8 * trials) for name in names]
    else:
        trials = 0
    chosen = chosen or candidate_of(start_of(blocks, sums)[0], blocks)
    cost = Spent(settings.delta, (mu,), ((),)).told(settings.events, round(judges) if trials else 0, trials)
    told = {"parties": len(parties), "users": round(people), "reading": sums.reading, "masked": True}
    made = Made(told, found, released_version(sums, chosen, config, {}))
    models = {party.name: model_of(sums, party.data, chosen, party.fitting, made) for party in parties}
    models = {name: replace(model, chosen={**model.chosen, PRIVATE: cost}) for name, model in models.items()}
    return Federated(models, chosen, sums, tuple(messages))


def _released(
    parties: Sequence[NoisedParty], items: tuple[str, ...], people: float, events: int, mu: float, total: Any
) -> ItemSums:
    """Sums over all who teach, together μ-GDP for each of them, as ``mechanism.released_sums`` makes them of rows."""
    parts = parts_of(mu)
    own = [np.asarray(party.rows.sum(axis=0), np.float64).ravel() for party in parties]
    counts = np.maximum(total(own, events**0.5, parts["counts"]), events**0.5 / parts["counts"])
    upper = total([gram_of(unit_rows(party.rows, counts)) for party in parties], 1.0, parts["gram"])
    gram, at = np.zeros((len(items), len(items))), np.triu_indices(len(items))
    gram[at] = upper
    gram.T[at] = upper
    return sums_from(items, people, counts, gram, parts["gram"])
