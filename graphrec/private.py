"""Models whose answers tell next to nothing of anybody else: differential privacy of all that is learned from people.

    people ─┬─ one in ten judge: of candidates they release a mean NDCG with noise
            └─ the others teach: they release counts and a Gram matrix with noise (``privacy.mechanism``)

For everybody who is added or taken away, with all that they ever did, whatever is released changes its distribution by
(ε, δ) at most. An answer is made of it and of the asker's own history: so what others can learn of somebody from their
own answers is bounded (joint differential privacy: Kearns et al., ITCS 2014; by the billboard lemma of Hsu et al., STOC
2014). Nothing else that is learned from several people is in such a model: no friends, reviews or attributes of people,
no gate, no sides from content, no strengths measured against others'. Which items there are is taken as public.

Who judges, and what of them counts, follows from their own id and history alone, so that nobody changes another's part.
Judges and teachers are disjoint: each costs the whole budget but for what the number of people costs all (parallel
composition: McSherry, SIGMOD 2009).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graphrec.blocks.api import Block
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import without_behaviour
from graphrec.errors import ConfigError
from graphrec.fit import Fitting, whole
from graphrec.linalg.sums import MAX_ITEMS, ItemSums
from graphrec.model.model import Model
from graphrec.pooled import (
    Candidate,
    Judge,
    Made,
    candidate_of,
    from_last,
    held_out,
    lots,
    model_of,
    over_items,
    searched,
    set_aside,
    start_of,
    summed_blocks,
)
from graphrec.privacy.accountant import composed, epsilon_of, mu_of
from graphrec.privacy.mechanism import SPENT, Gaussian, bounded, released_sums, released_users, released_worth

PRIVATE = "privacy"  # among the choices of a model: what was spent
TOLERATED = 0.004  # deviation of a mean NDCG up to which candidates can be told apart
LEAST, MOST = 500, 120  # judges, below which nothing is compared; candidates at most
SALT = 7


@dataclass(frozen=True)
class Spent:
    """What has been released of the people, all in all: ``mus`` of each fit, the earliest first, and at ``delta`` the ε
    that they are together."""

    delta: float
    mus: tuple[float, ...]

    @property
    def epsilon(self) -> float:
        """Of all fits, by composition."""
        return epsilon_of(composed(self.mus), self.delta)

    def told(self, events: int, judges: float, candidates: int) -> dict[str, Any]:
        """As it stands among a model's choices."""
        each = [round(epsilon_of(mu, self.delta), 4) for mu in self.mus]
        return {
            "epsilon": round(self.epsilon, 4),
            "delta": self.delta,
            "fits": each,
            "mus": list(self.mus),
            "events": events,
            "judges": judges,
            "candidates": candidates,
            "of": "everybody who is added or taken away",
        }


def fitted(data: Dataset, fitting: Fitting, like: Model | None = None, noise: Gaussian | None = None) -> Model:
    """The model of some data, as ``privacy`` of the settings has it.

    Args:
        like: an earlier model, whose choices are taken and whose cost is added. noise: by default of the operating
            system's entropy; another protects nobody.

    Raises ConfigError for blocks that cannot be learned from sums, none that says the same of everybody, settings that
    learn from people in another way, too many items, and an earlier model that was not made so.
    """
    noise, config = noise or Gaussian.secret(), fitting.config
    if like is not None and PRIVATE not in like.chosen:
        raise ConfigError(
            f"{like.version} was chosen with people and no noise; fit once with privacy.epsilon, then like that"
        )
    blocks = checked(config, data.n_items)
    known = bare(whole(data, config), summed_blocks(config)[1])
    settings, mu = config.privacy, mu_of(config.privacy.epsilon, config.privacy.delta)
    rest = mu * (1 - SPENT["users"]) ** 0.5
    with fitting.timed("fit"):
        people = released_users(known.n_users, mu * SPENT["users"] ** 0.5, noise)
        judges = 0.0 if like is not None else settings.judges * people
        trials = min(MOST, int((TOLERATED * judges * rest) ** 2)) if judges >= LEAST else 0
        judging = lots(known.users.ids, SALT) < np.uint64(settings.judges * 2**64) if trials > 1 else None
        sums = _taught(known, judging, people, rest, settings.events, noise)
        if like is not None:
            weights = {name: float(w) for name, w in like.chosen["weights"].items()}
            chosen = Candidate({name: like.chosen[name] for name in blocks}, weights)
            found: dict[str, Any] = {"chosen_by": like.version}
        elif judging is None:
            chosen, found, trials = candidate_of(start_of(blocks, sums)[0], blocks), {}, 0
        else:
            chosen, found, trials = _chosen(known, judging, blocks, sums, config, judges, rest, trials, noise)
    before = () if like is None else tuple(like.chosen[PRIVATE]["mus"])
    spent = Spent(settings.delta, (*before, mu))
    told = {"users": round(people), "reading": sums.reading, "parties": 1}
    model = model_of(sums, known, chosen, fitting, Made(told, found, _version(sums, chosen, config)))
    cost = spent.told(settings.events, round(judges) if trials else 0, trials)
    return replace(model, chosen={**model.chosen, PRIVATE: cost})


def checked(config: Config, n_items: int) -> Mapping[str, Block[Any]]:
    """The blocks that are learned. Raises ConfigError as ``fitted``."""
    blocks, _ = summed_blocks(config)
    if not any(block.fallback for block in blocks.values()):
        able = [name for name in Config().blocks if Config().block(name).fallback and Config().block(name).summed]
        raise ConfigError(
            f"privacy.epsilon needs a block that answers strangers without counting people anew; add {', '.join(able)}"
        )
    set_too = {"fair.clear": config.fair.clear, "fair.target": config.fair.target, "split.k_core": config.split.k_core}
    if wrong := [name for name, value in set_too.items() if value]:
        raise ConfigError(
            f"{wrong[0]} learns from people without noise, which privacy.epsilon rules out; leave one out"
        )
    if n_items > MAX_ITEMS:
        raise ConfigError(
            f"privacy.epsilon: {n_items:,} items, and a Gram matrix is dense up to {MAX_ITEMS:,}; bring fewer items"
        )
    return blocks


def bare(data: Dataset, others: list[str]) -> Dataset:
    """What is left of some data where nothing but who took what may be learned from; what goes is told as a warning.
    Items keep their texts, attributes and triples, which are public, but for what a shop counts from everybody."""
    for line in set_aside(data, others):
        data.report.warn(line)
    data, _ = without_behaviour(data.alike())
    return over_items(
        replace(
            data,
            social_edge_index=data.social_edge_index[:, :0],
            reviews=data.reviews[:0],
            user_text=np.full(data.n_users, "", object),
            user_attributes=data.user_attributes[:0],
            user_columns=(),
        ),
        sorted(data.items.ids),
    )


def _taught(data: Dataset, judging: Any, people: float, mu: float, events: int, noise: Gaussian) -> ItemSums:
    """The sums of those who do not judge, with noise."""
    rows, place = from_last(data, SALT)
    matrix = data.seen()
    order = np.lexsort((rows.item_nums, rows.user_nums))  # as the matrix has them
    kept = bounded(matrix, place[order], events)
    if judging is not None:
        kept = kept[~judging]
    return released_sums(kept, data.items.ids, people, events, mu, noise)


def _chosen(
    data: Dataset,
    judging: Any,
    blocks: Mapping[str, Block[Any]],
    sums: ItemSums,
    config: Config,
    judges: float,
    mu: float,
    trials: int,
    noise: Gaussian,
) -> tuple[Candidate, dict[str, Any], int]:
    """The best candidate by the judges, and what it is worth; the last of ``trials`` + 1 figures is that of the one
    that was chosen."""
    own = data.subset(judging[data.events.user_nums])
    train, valid = held_out(own, SALT)
    judge = Judge(train, valid, blocks, config, int(judging.sum()))
    each = mu / trials**0.5

    def worth(candidate: Candidate) -> float:
        return released_worth(judge.each(sums, candidate), judges, each, noise)

    found, asked = searched(blocks, sums, worth, trials - 1)
    figure = round(worth(found), 6)
    return found, {"users": round(judges), "folds": 1, f"ndcg@{config.blend.k}": figure}, asked + 1


def _version(sums: ItemSums, chosen: Candidate, config: Config) -> str:
    """Of what was released and of the settings; a digest of the data would tell whether somebody is in it."""
    made = hashlib.sha256(sums.counts.tobytes() + b"".join(gram.tobytes() for gram in sums.grams.values()))
    told = hashlib.sha256((config.fingerprint() + repr(chosen)).encode())
    return f"{made.hexdigest()[:12]}-{told.hexdigest()[:8]}"
