"""Users forgotten: a model without them, and a receipt of what was removed and how.

======== =================================================================================================
way      what becomes of a block
======== =================================================================================================
refit    the knowledge graph and the texts of items are made anew from the reviews that are left. Blocks that are sums
         over users have theirs subtracted where that is cheaper, and else are learned anew: the same as if they had
         never been known. Networks are trained on without them (``resumed``).
anew     everything is learned anew with the same choices: the same as never known, whatever the block.
quick    what they said is taken out of the knowledge graph as it is, statement by statement. Sums as in ``refit``;
         filters and factors go on from where they are (``neared``), and what networks learned of items is ``kept``:
         for answers that cannot wait, until a refit.
======== =================================================================================================

What is kept in any case is aggregate: the choices, the weights of the blend and their validation figures, which were
made with them; and the norms that strengths are measured against (a mean rating, a mean and a highest strength), with
which "never known" is meant: a fit of the others' data with the same choices and norms.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np

import kg.erase
from graphrec.blocks.api import ANEW, SUBTRACTED, Block, FitInputs, Forgotten, Gone
from graphrec.blocks.registry import registered
from graphrec.data.dataset import Dataset
from graphrec.data.erased import without
from graphrec.errors import ConfigError, DataError, UnknownIdError
from graphrec.evaluate.clearing import recleared
from graphrec.features.text import text_features
from graphrec.fit import Fitting, as_read, learn_from
from graphrec.graph.hetero import hetero_graph
from graphrec.knowledge import cached
from graphrec.linalg.sums import SUMS
from graphrec.model.asked import as_id
from graphrec.model.model import Model
from graphrec.profile.api import FittedBlock
from graphrec.profile.content import content_of, informed
from graphrec.profile.dense import empty_block
from graphrec.profile.profiles import Profiles
from graphrec.profile.shards import built
from graphrec.query.ties import Ties
from graphrec.robust import trusted
from graphrec.runtime import Runtime
from graphrec.types import Ints, model_of
from kg.graph import KnowledgeGraph
from kg.types import Extractor

Way: TypeAlias = Literal["refit", "anew", "quick"]
RESUMED, KEPT, EMPTY = "resumed", "kept", "left out"
EXACT = (ANEW, SUBTRACTED, EMPTY)  # the same as if they had never been known
KEPT_SIDES = "what {block} learned of items was learned with them too; --way refit learns it without"
OF_SUMS = "what is learned of items is of sums over people that they were in; sums made anew are without them"
ADAPTER = "{folder}, an adapter of the text encoder, may have read them; tune it anew, and fit with that"
ELSEWHERE = (
    "what the model was fitted from, and copies of it, are not touched; whoever fits from those knows them again"
)
ERASERS = "what lets a sensitive attribute be surmised, of which profiles are cleared"
AGGREGATES = ("hyper-parameters", "blend weights", "validation figures", "norms of strengths", "prices of exposure")


@dataclass(frozen=True)
class Taken:
    """How one block forgot: ``exact`` where it is what it would be had they never been known. What hears a knowledge
    graph that was pruned is not: some of that was settled from their reviews and others' together."""

    block: str
    way: str
    exact: bool
    seconds: float


@dataclass(frozen=True)
class Receipt:
    """What was removed and how. It names nobody.

    Args:
        way: that was asked for. users: how many were forgotten; unknown: how many ids the model does not know.
        removed: how many events, reviews, friendships, attributes, triples and mentions of theirs.
        graph: the knowledge graph was "rebuilt", "pruned", or there is "none".
        blocks: how each forgot. kept: aggregates that were made with them. caches: entries of their texts removed, by
            cache. left: what of them may be left, and what removes it, a line each.
        model_version, earlier: after, and before. out: where the model was written.
    """

    way: str
    users: int
    unknown: int
    removed: Mapping[str, int]
    graph: str
    blocks: tuple[Taken, ...]
    model_version: str
    earlier: str
    seconds: float
    kept: tuple[str, ...] = AGGREGATES
    caches: Mapping[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    out: str = ""

    @property
    def exact(self) -> bool:
        """Whether all blocks are as if they had never been known."""
        return all(block.exact for block in self.blocks)

    def to_json(self) -> dict[str, Any]:
        """The receipt as a JSON document."""
        lists = {"kept": list(self.kept), "left": list(self.left), "blocks": [vars(b) for b in self.blocks]}
        return {**vars(self), **lists, "exact": self.exact}


def forgotten(
    model: Model,
    users: Any,
    way: Way = "refit",
    extractor: Extractor | None = None,
    progress: bool = False,
    caches: bool = True,
) -> tuple[Model, Receipt]:
    """A model that does not know these users any more, and the receipt; the given one stays as it was.

    Args:
        users: an id, or several, of which those that are not known are counted. way: see the top of this file.
        extractor: a stand-in for the configured entity extractor. progress: bars on standard error.
        caches: whether to remove what is cached of their texts (``knowledge.cached``).

    Numbers of users change: the others move up. Raises UnknownIdError where none of them is known, DataError where
    nobody would be left, ConfigError for a way that there is not; and what a fit raises where an encoder or an
    extractor is missing, which ``quick`` needs only for texts.
    """
    if way not in get_args(Way):
        raise ConfigError(f"forget: there is no way {way!r}; there are {', '.join(get_args(Way))}")
    start = time.perf_counter()
    several = users if isinstance(users, Iterable) and not isinstance(users, str) else [users]
    ids = list(dict.fromkeys(as_id(user) for user in several))
    numbers = model.data.users.numbers(ids, missing="-1")
    if not (numbers >= 0).any():
        first = f"unknown user id {ids[0]!r}" if len(ids) == 1 else f"none of {len(ids)} user ids is known"
        raise UnknownIdError(f"{first}; the model knows {model.data.n_users} users, and there is nothing to forget")
    gone = Gone(model.ties, numbers[numbers >= 0], way == "quick")
    if len(gone.users) == model.data.n_users:
        raise DataError("nobody would be left to learn from; delete the model instead")
    data, fitting = without(model.data, gone.users), _fitting(model, extractor, progress)
    pruned = _pruned(model, gone.users)
    inputs, graph = _learned_from(model, data, pruned, fitting, way)
    blocks, taken = [], []
    for block in model.profiles.blocks:
        at = time.perf_counter()
        found, how = _without(model, block, inputs, gone, way)
        blocks.append(replace(cast(Any, found), words=block.words).reweighted(block.weight))
        heard = (
            way == "quick" and pruned is not model.graph and _hears(model, block)
        )  # what all said together has settled it
        taken.append(Taken(block.name, how, how in EXACT and not heard, round(time.perf_counter() - at, 4)))
    profiles = Profiles(tuple(_informed(model, blocks, inputs, taken)), model.profiles.gate)
    left_over = np.setdiff1d(np.arange(model.data.n_users), gone.users), np.arange(inputs.train.n_users)
    profiles = recleared(model.profiles, model.ties, profiles, inputs.ties, left_over)
    out = replace(
        model,
        data=inputs.train,
        profiles=profiles,
        index=built(profiles.item_matrix(), model.config.retrieve, profiles.people()),
        graph=graph,
        version=_version(model, inputs.train, way),
        counts=dict(inputs.train.counts()),
    )
    uncached, left = _uncached(model, data, gone.users, extractor) if caches else ({}, [])
    kept = [one.block for one in taken if one.way == KEPT]
    left += [OF_SUMS] if SUMS in model.chosen else [KEPT_SIDES.format(block=block) for block in kept]
    left += [ADAPTER.format(folder=folder)] if (folder := model.config.features.adapter) else []
    receipt = Receipt(
        way=way,
        users=len(gone.users),
        unknown=int((numbers < 0).sum()),
        removed=_removed(model, data, pruned),
        graph="none" if not len(model.graph.entities) else "pruned" if way == "quick" else "rebuilt",
        blocks=tuple(taken),
        model_version=out.version,
        earlier=model.version,
        kept=AGGREGATES if profiles.clearing is None else (*AGGREGATES, ERASERS),
        seconds=round(time.perf_counter() - start, 3),
        caches=uncached,
        left=(*left, ELSEWHERE),
    )
    return out, receipt


def _uncached(
    model: Model, data: Dataset, users: Ints, extractor: Extractor | None
) -> tuple[dict[str, int], list[str]]:
    theirs = model.data.reviews[model.data.reviews["user_num"].isin(users)]
    removed, left = cached.forget(theirs, data.reviews["text"].tolist(), model.encoder_id, model.config.kg, extractor)
    return removed, [left] if left else []


def _fitting(model: Model, extractor: Extractor | None, progress: bool) -> Fitting:
    runtime = Runtime.of(model.config.runtime, model.config.seed, progress, None)
    return Fitting(model.config, runtime, model.encoder, extractor)


def _pruned(model: Model, users: Ints) -> KnowledgeGraph:
    """The knowledge graph without what these users said."""
    theirs = model.data.reviews["user_num"].isin(users)
    reviews = set(model.data.reviews.loc[theirs, "review_id"].astype(str))
    return kg.erase.without(model.graph, reviews, [model.data.users.ids[n] for n in users.tolist()])


def _learned_from(
    model: Model, data: Dataset, pruned: KnowledgeGraph, fitting: Fitting, way: Way
) -> tuple[FitInputs, KnowledgeGraph]:
    """What blocks learn from, of the data without them, and its knowledge graph."""
    if way != "quick":
        return learn_from(trusted(as_read(data, model.config), model.config), fitting, model.ties.heard)
    text, config = None, model.config
    reads = [b for b in model.profiles.blocks if not b.empty and _way_of(b).uses_text and not _way_of(b).resumes]
    if model.encoder_id is not None and (reads or model.chosen.get("content")):
        text = text_features(data, pruned, model.encoder(), user_text=config.features.user_text)
    return FitInputs(Ties(data, model.ties.heard), hetero_graph(data, pruned, text), fitting.runtime), pruned


def _way_of(block: FittedBlock) -> type[Block[Any]]:
    return registered()[block.name]


def _without(model: Model, block: FittedBlock, inputs: FitInputs, gone: Gone, way: Way) -> Forgotten:
    """One block without them, before sides from content."""
    shape = inputs.train.n_users, inputs.train.n_items
    chosen = dict(model.chosen[block.name])
    if block.empty or "left_out" in chosen:
        return Forgotten(empty_block(block.name, *shape), EMPTY)
    kind = model.config.block(block.name)
    if SUMS in model.chosen or (kind.resumes and way == "quick"):
        return Forgotten(_others(block, inputs.ties, gone), KEPT)
    if kind.resumes and way == "refit":
        before = replace(inputs, before=block.among(gone.others))
        return Forgotten(kind.fit(before, chosen), RESUMED)
    found = kind.forgotten(block, inputs, chosen, gone) if way != "anew" else None
    return found or Forgotten(kind.fit(inputs, chosen), ANEW)


def _hears(model: Model, block: FittedBlock) -> bool:
    chosen = dict(model.chosen[block.name])
    return not block.empty and model.config.block(block.name).hears_graph(chosen)


def _others(block: FittedBlock, ties: Ties, gone: Gone) -> FittedBlock:
    """The block with the rows of the others, those made anew of who heard somebody that is gone."""
    left = block.among(gone.others)
    if not block.hears_friends:
        return left
    heard = gone.before.friend_mean[gone.others][:, gone.users]
    return left.grown(ties, (heard.sum(axis=1) > 0).nonzero()[0].astype("int64"), None)


def _informed(model: Model, blocks: list[FittedBlock], inputs: FitInputs, taken: list[Taken]) -> Iterable[FittedBlock]:
    """The blocks with sides from content where few people took an item, as ``fit.learn`` has it."""
    content = model.chosen.get("content")
    if not content:
        return blocks
    told, how = content_of(inputs.ties, inputs.graph), {key: content[key] for key in ("ridge", "few", "spread")}
    mixed = {t.block for t in taken if t.way != KEPT} - set(content["own"])
    return [informed(b, told, inputs.ties, **how) if b.name in mixed else b for b in blocks]


def _removed(model: Model, data: Dataset, pruned: KnowledgeGraph) -> dict[str, int]:
    """How much less there is."""
    before, after = model.data, data
    pairs: dict[str, tuple[Collection[Any], Collection[Any]]] = {
        "events": (before.events.user_nums, after.events.user_nums),
        "reviews": (before.reviews, after.reviews),
        "user_attributes": (before.user_attributes, after.user_attributes),
        "triples": (model.graph.counts, pruned.counts),
        "mentions": (model.graph.mentions, pruned.mentions),
    }
    found = {name: len(one) - len(other) for name, (one, other) in pairs.items()}
    return found | {"friendships": before.counts()["friendships"] - after.counts()["friendships"]}


def _version(model: Model, data: Dataset, way: Way) -> str:
    """Another version than any before, of the same model: of what it was, what is left, and the way."""
    made = hashlib.sha256(f"{model.version} {way} {data.digest()}".encode()).hexdigest()
    return f"{model_of(model.version)}~{made[:12]}"
