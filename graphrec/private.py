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
    WEIGHTS,
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
    with_people,
)
from graphrec.privacy.accountant import Sampled, epsilon_of_sampled, mu_of, noise_of
from graphrec.privacy.mechanism import SPENT, Gaussian, bounded, released_sums, released_users, released_worth

PRIVATE = "privacy"  # among the choices of a model: what was spent
TOLERATED = 0.004  # deviation of a mean NDCG up to which candidates can be told apart
LEAST, MOST = 500, 120  # judges, below which nothing is compared; candidates at most
SALT = 7
STEPS, STEPS_EACH = 0.3, 100  # of μ² less for sums where blocks are trained by private steps; steps of a block
DIRECTIONS = 2  # of a Gram matrix above its noise, for what tells people apart to come first: one is what all share
DRAWN = 8.0  # √people times the chance that somebody is drawn for a step


@dataclass(frozen=True)
class Spent:
    """What has been released of the people, all in all: ``mus`` and private ``steps`` of each fit, the earliest first,
    and at ``delta`` the ε that they are together."""

    delta: float
    mus: tuple[float, ...]
    steps: tuple[tuple[Sampled, ...], ...] = ()

    @classmethod
    def of(cls, delta: float, told: Mapping[str, Any]) -> Spent:
        """That of an earlier model, from what ``told`` made of it."""
        none: list[Any] = [[] for _ in told["mus"]]
        steps = tuple(tuple(Sampled(*one) for one in fit) for fit in told.get("steps", none))
        return cls(delta, tuple(told["mus"]), steps)

    def __add__(self, other: Spent) -> Spent:
        return Spent(other.delta, self.mus + other.mus, self.steps + other.steps)

    @property
    def epsilon(self) -> float:
        """Of all fits, by composition."""
        return epsilon_of_sampled(self.mus, [one for fit in self.steps for one in fit], self.delta)

    def told(self, events: int, judges: float, candidates: int) -> dict[str, Any]:
        """As it stands among a model's choices."""
        fits = zip(self.mus, self.steps, strict=True)
        each = [round(epsilon_of_sampled([mu], steps, self.delta), 4) for mu, steps in fits]
        return {
            "epsilon": round(self.epsilon, 4),
            "delta": self.delta,
            "fits": each,
            "mus": list(self.mus),
            **({"steps": [[list(one) for one in fit] for fit in self.steps]} if any(self.steps) else {}),
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

    Raises ConfigError for blocks that can be learned neither from sums nor by private steps, none that says the same
    of everybody, settings that learn from people in another way, too many items, and an earlier model that was not made
    so.
    """
    draw = None if noise is None else noise.torch()
    noise, config = noise or Gaussian.secret(), fitting.config
    if like is not None and PRIVATE not in like.chosen:
        raise ConfigError(
            f"{like.version} was chosen with people and no noise; fit once with privacy.epsilon, then like that"
        )
    blocks = checked(config, data.n_items)
    known = bare(whole(data, config), summed_blocks(config, by_person=True)[1])
    settings, mu = config.privacy, mu_of(config.privacy.epsilon, config.privacy.delta)
    by_person = [block for block in blocks.values() if not block.summed]
    rest = mu * (1 - SPENT["users"] - STEPS * bool(by_person)) ** 0.5
    with fitting.timed("fit"):
        people = released_users(known.n_users, mu * SPENT["users"] ** 0.5, noise)
        judges = 0.0 if like is not None else settings.judges * people
        trials = trials_of(judges, rest)
        judging = who_judges(known, settings.judges) if trials > 1 else None
        kept = teaching(known, judging, settings.events)
        sums = released_sums(kept, known.items.ids, people, settings.events, rest, noise)
        if by_person:
            mu = (rest**2 + mu**2 * SPENT["users"]) ** 0.5  # the rest is for the steps
        teachers = people - (settings.judges * people if judging is not None else 0.0)
        steps = _steps(config, mu, teachers, len(by_person))
        trained = {}
        for block, own in zip(by_person, steps, strict=True):
            with fitting.watch(block.name):
                trained[block.name] = block.learn_by_person(sums, kept, own, teachers, draw)
        if like is not None:
            weights = {name: float(w) for name, w in like.chosen["weights"].items()}
            chosen = Candidate({name: like.chosen[name] for name in blocks}, weights)
            found: dict[str, Any] = {"chosen_by": like.version}
        elif judging is None:
            chosen, found, trials = unjudged(blocks, sums), {}, 0
        else:
            chosen, found, trials = _chosen(known, judging, blocks, sums, config, judges, rest, trials, noise, trained)
    spent = Spent(settings.delta, (mu,), (steps,))
    if like is not None:
        spent = Spent.of(settings.delta, like.chosen[PRIVATE]) + spent
    told = {"users": round(people), "reading": sums.reading, "parties": 1}
    made = Made(told, found, released_version(sums, chosen, config, trained), trained)
    model = model_of(sums, known, chosen, fitting, made)
    cost = spent.told(settings.events, round(judges) if trials else 0, trials)
    return replace(model, chosen={**model.chosen, PRIVATE: cost})


def trials_of(judges: float, mu: float) -> int:
    """How many candidates so many judges can tell apart."""
    return min(MOST, int((TOLERATED * judges * mu) ** 2)) if judges >= LEAST else 0


def who_judges(data: Dataset, share: float) -> Any:
    """Who judges, bool (U,): as their ids draw it, whoever else is there."""
    return lots(data.users.ids, SALT) < np.uint64(share * 2**64)


def checked(config: Config, n_items: int, by_person: bool = True) -> Mapping[str, Block[Any]]:
    """The blocks that are learned, of sums and, where that is asked for, by private steps. Raises ConfigError as
    ``fitted``."""
    blocks, _ = summed_blocks(config, by_person=by_person)
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


def _steps(config: Config, mu: float, people: float, blocks: int) -> tuple[Sampled, ...]:
    """The private steps of so many blocks, which with a Gaussian answer of ``mu`` are what the settings allow."""
    if not blocks:
        return ()
    s, rate = config.privacy, min(1.0, DRAWN / max(people, 1.0) ** 0.5)
    noise = noise_of(s.epsilon, s.delta, mu, rate, blocks * STEPS_EACH)
    return (Sampled(noise, rate, STEPS_EACH),) * blocks


def unjudged(blocks: Mapping[str, Block[Any]], sums: ItemSums) -> Candidate:
    """What is taken where nobody judges: the middle of the settings; where so few directions of the Gram matrix are
    above its noise that people can hardly be told apart, what says the same of everybody comes first."""
    start, _ = start_of(blocks, sums)
    gram = sums.gram(min(sums.grams))
    drawn = gram @ np.random.default_rng(0).normal(size=(len(gram), DIRECTIONS))  # (I, DIRECTIONS)
    if np.linalg.matrix_rank(drawn, rtol=1e-9) < DIRECTIONS:
        start |= {f"{name}.weight": 1.0 if block.fallback else WEIGHTS[1] for name, block in blocks.items()}
    return candidate_of(start, blocks)


def teaching(data: Dataset, judging: Any, events: int) -> Any:
    """What those who do not judge took, CSR (U', I), as far as it counts."""
    rows, place = from_last(data, SALT)
    matrix = data.seen()
    order = np.lexsort((rows.item_nums, rows.user_nums))  # as the matrix has them
    kept = bounded(matrix, place[order], events)
    return kept if judging is None else kept[~judging]


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
    trained: Mapping[str, Any],
) -> tuple[Candidate, dict[str, Any], int]:
    """The best candidate by the judges, and what it is worth; the last of ``trials`` + 1 figures is that of the one
    that was chosen."""
    own = data.subset(judging[data.events.user_nums])
    train, valid = held_out(own, SALT)
    judge = Judge(train, valid, blocks, config, int(judging.sum()))
    judge.trained = {name: with_people(block, judge.inputs) for name, block in trained.items()}
    each = mu / trials**0.5

    def worth(candidate: Candidate) -> float:
        return released_worth(judge.each(sums, candidate), judges, each, noise)

    found, asked = searched(blocks, sums, worth, trials - 1)
    figure = round(worth(found), 6)
    return found, {"users": round(judges), "folds": 1, f"ndcg@{config.blend.k}": figure}, asked + 1


def released_version(sums: ItemSums, chosen: Candidate, config: Config, trained: Mapping[str, Any]) -> str:
    """Of what was released and of the settings; a digest of the data would tell whether somebody is in it."""
    made = hashlib.sha256(sums.counts.tobytes() + b"".join(gram.tobytes() for gram in sums.grams.values()))
    for block in trained.values():
        made.update(block.items.tobytes() if block.history is None else block.history.tobytes())
    told = hashlib.sha256((config.fingerprint() + repr(chosen)).encode())
    return f"{made.hexdigest()[:12]}-{told.hexdigest()[:8]}"
