"""Models from sums over people: which blocks can be learned so, how they are chosen, and the model made of them.

Whoever calls this has sums (``linalg.sums``) and somebody who judges candidates; the rows of the people whose sums they
are stay where they are. Friends, reviews, knowledge and strengths are in no sum, so blocks do not learn from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.blocks.api import Block, FitInputs
from graphrec.blocks.registry import registered
from graphrec.blocks.search import Chosen, search
from graphrec.config import Config
from graphrec.data.cuts import Rows
from graphrec.data.dataset import Dataset
from graphrec.data.numbering import numbered_as
from graphrec.errors import ConfigError
from graphrec.evaluate.ranking import Task
from graphrec.evaluate.validation import Validation
from graphrec.fit import Fitting, as_read, learn_from
from graphrec.linalg.sums import READINGS, SUMS, ItemSums
from graphrec.model.made import version_of
from graphrec.model.model import Model
from graphrec.presets import PRESETS
from graphrec.profile.api import FittedBlock
from graphrec.profile.dense import empty_block
from graphrec.profile.profiles import Profiles
from graphrec.profile.shards import built
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.settings import SplitConfig
from graphrec.types import Floats, Ints, Vocabulary

WEIGHTS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5)  # of a block, where the others have theirs
HELD = 5  # one in so many of what somebody took is held out, where candidates are judged on them
USERS = 1000  # people of one party who judge candidates


@dataclass(frozen=True)
class Candidate:
    """Hyper-parameters of each block, and its weight in the blend, the largest 1."""

    chosen: Mapping[str, Chosen]
    weights: Mapping[str, float]


def summed_blocks(
    config: Config, in_rounds: bool = False, by_person: bool = False
) -> tuple[dict[str, Block[Any]], list[str]]:
    """The blocks of the settings that can be learned from sums, in rounds or by private steps too where that is asked
    for, and the names of those that cannot where nobody named them. Raises ConfigError for one that was named and
    cannot, where none is left, and for ``robust.set_aside``."""
    if config.robust.set_aside:
        raise ConfigError(
            "robust.set_aside reads the rows of people, and sums are what is learned from here; leave it out"
        )

    def is_able(block: type[Block[Any]]) -> bool:
        return block.summed or (in_rounds and block.in_rounds) or (by_person and block.by_person)

    able = [name for name, block in registered().items() if is_able(block)]
    usual = {tuple(Config().blocks), *(_named_in(preset) for preset in PRESETS.values())}
    others = [name for name in config.blocks if name not in able]
    if others and (tuple(config.blocks) not in usual or len(others) == len(config.blocks)):
        raise ConfigError(
            f"blocks: {', '.join(others)} cannot be learned from sums over people;"
            f" set blocks to some of {', '.join(able)}"
        )
    return {name: config.block(name) for name in config.blocks if name in able}, others


def _named_in(preset: Iterable[str]) -> tuple[str, ...]:
    """The blocks that a preset names."""
    told = [setting.partition("=")[2] for setting in preset if setting.startswith("blocks=")]
    return tuple(told[0].split(",")) if told else ()


def set_aside(data: Dataset, blocks: Sequence[str]) -> list[str]:
    """What is known of people and things here that sums do not hold, a line each."""
    there = {
        "friendships": data.social_edge_index.shape[1],
        "reviews": len(data.reviews),
        "statements of knowledge": len(data.external),
    }
    out = [f"{n:,} {what} are not learned from: sums are of who took what" for what, n in there.items() if n]
    if set(data.events.readings) - set(READINGS):
        out.append("how strong events are is not learned from: in sums they are all alike")
    return [*out, f"blocks that read the rows of people are left out: {', '.join(blocks)}"] if blocks else out


def over_items(data: Dataset, items: Sequence[str], titles: Mapping[str, str] | None = None) -> Dataset:
    """The data over these items, ascending ids, its own among them; with titles, by id, of those that have none."""
    out = numbered_as(data, data.users, Vocabulary(items, "item", ordered=True))
    if not titles:
        return out
    known = [str(own) or titles.get(id_, "") for id_, own in zip(out.items.ids, out.item_titles, strict=True)]
    return replace(out, item_titles=np.array(known, object))


def sums_of(data: Dataset, reading: str = "alike", **options: Any) -> ItemSums:
    """The sums over the people of some data; see ``ItemSums.of``."""
    return ItemSums.of(data.learning(reading), data.items.ids, reading=reading, **options)


def lots(ids: Sequence[str], salt: int) -> npt.NDArray[np.uint64]:
    """What each id draws, uint64 (n,), whoever else is there: SplitMix64 (Steele et al., OOPSLA 2014) of its hash."""
    drawn = pd.util.hash_array(np.array(ids, object)) + np.uint64(0x9E3779B97F4A7C15 * (salt + 1) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        drawn = (drawn ^ (drawn >> np.uint64(shift))) * np.uint64(factor)
    return drawn


def from_last(data: Dataset, salt: int) -> tuple[Rows, Ints]:
    """Pairs of people and items, and of each its place from the person's last one backwards, int64 (R,); in an order of
    their own that is drawn where nothing tells one. Nobody's places depend on anybody else."""
    rows = Rows(data, SplitConfig())
    if rows.timestamps is not None:
        key: npt.NDArray[Any] = rows.timestamps
    elif data.events.order is not None:
        key = data.events.order[rows.latest]
    else:
        key = lots(data.users.ids, salt)[rows.user_nums] ^ lots(data.items.ids, salt + 1)[rows.item_nums]
    order = np.lexsort((rows.item_nums, key, rows.user_nums))
    place = np.empty(len(rows), np.int64)
    place[order] = np.cumsum(rows.degrees)[rows.user_nums[order]] - 1 - np.arange(len(rows))
    return rows, place


def held_out(data: Dataset, salt: int) -> tuple[Dataset, Dataset]:
    """What is left to learn from, and what of each person is held out: one in ``HELD`` of what they took, the last of
    it (``from_last``), and nothing of who took a single thing."""
    rows, place = from_last(data, salt)
    known = rows.degrees[rows.user_nums]
    held = rows.spread((place < np.maximum(known // HELD, 1)) & (known > 1))
    return data.subset(~held), data.subset(held)


class Judge:
    """What candidates are worth to people of whom something is held out.

    Args:
        train, valid: what is known of them, and what they are to find, over the items of the sums.
        users: how many of them judge at most.
    """

    def __init__(self, train: Dataset, valid: Dataset, blocks: Mapping[str, Block[Any]], config: Config, users: int):
        ties = Ties(train)
        self.blocks, self.inputs = blocks, FitInputs(ties, None)
        self.validation = Validation(ties, valid, config.blend.k, users, config.seed, Task.of(config))
        self.trained: dict[str, FittedBlock] = {}  # blocks that are as they are, whatever the candidate
        self._made: dict[str, tuple[Any, FittedBlock]] = {}  # of each other the last, and of what

    def __len__(self) -> int:
        return len(self.validation)

    def each(self, sums: ItemSums, candidate: Candidate) -> Floats:
        """NDCG of each of them, float32 (n,)."""
        told = [(self._block(name, sums, candidate.chosen[name]), w) for name, w in candidate.weights.items() if w]

        def scores(queries: Queries) -> Floats:
            found: Floats = np.sum([np.float32(weight) * block.scores(queries) for block, weight in told], axis=0)
            return found

        return self.validation.per_user_ndcg_of(scores)

    def _block(self, name: str, sums: ItemSums, chosen: Chosen) -> FittedBlock:
        if name in self.trained:
            return self.trained[name]
        key = (id(sums), tuple(sorted(chosen.items())))
        if self._made.get(name, (None,))[0] != key:
            self._made[name] = key, self.blocks[name].from_sums(sums, self.inputs, chosen)
        return self._made[name][1]


def start_of(blocks: Mapping[str, Block[Any]], sums: ItemSums) -> tuple[dict[str, Any], dict[str, tuple[Any, ...]]]:
    """The candidate that a search begins at and all values that it may try, by ``block.setting``; a weight is the
    setting ``weight``. In the middle of all values; what says the same of everybody at a small weight."""
    space: dict[str, tuple[Any, ...]] = {}
    space |= {f"{name}.weight": WEIGHTS for name in blocks}
    for name, block in blocks.items():
        space |= {f"{name}.{key}": tuple(values) for key, values in block.space_of_sums(sums).items()}
    start = {key: values[len(values) // 2] for key, values in space.items()}
    for name, block in blocks.items():
        start[f"{name}.weight"] = WEIGHTS[1] if block.fallback else 1.0
    return start, space


def candidate_of(point: Mapping[str, Any], blocks: Mapping[str, Block[Any]]) -> Candidate:
    """A point of ``start_of`` as hyper-parameters and weights."""
    parts: dict[str, dict[str, Any]] = {name: {} for name in blocks}
    for key, value in point.items():
        name, _, setting = key.partition(".")
        parts[name][setting] = value
    weights = {name: float(part.pop("weight")) for name, part in parts.items()}
    most = max(weights.values()) or 1.0
    return Candidate(parts, {name: weight / most for name, weight in weights.items()})


def searched(
    blocks: Mapping[str, Block[Any]],
    sums: ItemSums,
    worth: Callable[[Candidate], float],
    trials: int | None = None,
) -> tuple[Candidate, int]:
    """The candidate of the highest worth, one setting after another: weights, hyper-parameters, weights again; and how
    many were asked for, ``trials`` at most. Ties keep the earlier."""
    start, space = start_of(blocks, sums)
    asked = 0

    def score(point: Chosen) -> float:
        nonlocal asked
        asked += 1
        candidate = candidate_of(point, blocks)
        return worth(candidate) if any(candidate.weights.values()) else 0.0

    weights = [(key,) for key in space if key.endswith(".weight")]
    others = [(key,) for key in space if not key.endswith(".weight") and len(space[key]) > 1]
    best = search(space, score, start, [*weights, *others, *weights], trials=trials)
    return candidate_of(best, blocks), asked


@dataclass(frozen=True)
class Made:
    """How a model of sums came to be: ``told`` stands among its choices, ``validation`` beside them; ``version`` in
    place of the digest of the data where that must not be told; ``trained``: blocks that are there already."""

    told: Mapping[str, Any]
    validation: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    trained: Mapping[str, FittedBlock] = field(default_factory=dict)


def model_of(sums: ItemSums, data: Dataset, candidate: Candidate, fitting: Fitting, made: Made) -> Model:
    """The model of sums for the people of ``data``, whose items are those of the sums."""
    blocks = {name: fitting.config.block(name) for name in candidate.weights}
    names = {"blocks": tuple(blocks), "content": {"use": False}, "blend": {"gate": False}}
    alike = {"strength": {"use": False}} if fitting.config.privacy.epsilon else {}
    config = fitting.config.with_(**names, **alike)
    inputs, graph = learn_from(as_read(data, config), replace(fitting, config=config))
    with fitting.timed("fit"):
        fitted = []
        for name, block in blocks.items():
            with fitting.watch(name):
                if (found := made.trained.get(name)) is None:
                    fitted.append(_block(block, sums, inputs, candidate))
                else:
                    fitted.append(replace(with_people(found, inputs), words=block.words))  # type: ignore[type-var]
        profiles = Profiles(tuple(fitted)).reweighted(candidate.weights)
        with fitting.watch("index"):
            index = built(profiles.item_matrix(), config.retrieve)
    chosen = {**{name: dict(c) for name, c in candidate.chosen.items()}, "weights": dict(candidate.weights)}
    chosen |= {"validation": dict(made.validation), SUMS: dict(made.told)}
    return Model(
        data=inputs.train,
        profiles=profiles,
        index=index,
        graph=graph,
        chosen=chosen,
        config=config,
        version=made.version or version_of(inputs.train, config, chosen),
        counts=dict(inputs.train.counts()),
        encoder=fitting.encoder,
        made=time.time(),
    )


def with_people(found: Any, inputs: FitInputs) -> FittedBlock:
    """A block that is there already, with rows for the people of the model where it has none."""
    if found.empty:
        return empty_block(found.name, inputs.train.n_users, inputs.train.n_items)
    out: FittedBlock = found if len(found.users) == inputs.train.n_users else found.fitted(inputs.ties)
    return out


def _block(block: Block[Any], sums: ItemSums, inputs: FitInputs, candidate: Candidate) -> FittedBlock:
    if not candidate.weights[block.name] and not block.keeps:
        return empty_block(block.name, inputs.train.n_users, inputs.train.n_items)
    found: Any = block.from_sums(sums, inputs, candidate.chosen[block.name])
    out: FittedBlock = replace(found, words=block.words)
    return out
