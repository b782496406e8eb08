"""The stages of fitting: what blocks learn from, what is chosen on validation users, and the model made with it.

train → knowledge graph → text features → heterogeneous graph → blocks → blend → profiles → index → model
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphrec.blocks import dealt, kept, trust
from graphrec.blocks.api import Block, FitInputs
from graphrec.blocks.folds import Fold, Folds
from graphrec.blocks.gated import Gated, gated
from graphrec.config import Config
from graphrec.data.carve import Carve, carves
from graphrec.data.dataset import TEST, Dataset
from graphrec.data.show import counted
from graphrec.data.split import k_core, resolve_kind, without_behaviour
from graphrec.errors import ConfigError, EmptyDataError
from graphrec.evaluate import levelling, mending
from graphrec.evaluate.clearing import cleared
from graphrec.evaluate.content import blended, with_content
from graphrec.evaluate.validation import Validation
from graphrec.features import adapter
from graphrec.features.text import text_features
from graphrec.graph.hetero import hetero_graph
from graphrec.graph.selection import selected
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.limits import something_fits, within_limits
from graphrec.linalg.sums import SUMS
from graphrec.model.made import version_of
from graphrec.model.model import Model
from graphrec.profile.api import FittedBlock
from graphrec.profile.content import content_of, informed
from graphrec.profile.dense import empty_block
from graphrec.profile.gate import GATE, Gate
from graphrec.profile.profiles import Profiles
from graphrec.profile.shards import built, check
from graphrec.query.hearing import HEARD, TRUSTED
from graphrec.query.ties import Ties
from graphrec.robust import trusted
from graphrec.runtime import Runtime, give_back
from kg.graph import KnowledgeGraph
from kg.types import Extractor

if TYPE_CHECKING:
    from graphrec.features.encoder import TextEncoder

FEW = 50  # validation users, below which it is said
BLENDED = 4  # times as many users judge the weights, for whom each block ranks once, as judge what blocks try


@dataclass
class Fitting:
    """What all stages share. ``seconds`` adds up what each took.

    Args:
        config: the settings. runtime: where work is done. encoder: loads the text encoder when it is first needed.
        extractor: a stand-in for the configured one. watch: is entered with the name of each stage and block in turn.
    """

    config: Config
    runtime: Runtime
    encoder: Callable[[], TextEncoder]
    extractor: Extractor | None = None
    seconds: dict[str, float] = field(default_factory=lambda: {"features": 0.0, "kg": 0.0, "fit": 0.0})
    watch: Callable[[str], AbstractContextManager[Any]] = nullcontext

    def blocks(self) -> dict[str, Block[Any]]:
        """The blocks that the configuration names, with their settings. Raises ConfigError."""
        names = self.config.blocks
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"blocks: {list(names)} must name each block once, and at least one")
        return {name: self.config.block(name) for name in names}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds what happens inside to the seconds of a stage."""
        start = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - start


def carved(data: Dataset, config: Config) -> tuple[Dataset, tuple[Carve, ...]]:
    """All that may be fitted, and the folds to choose on: one without validation rows where none can be spared."""
    dense = _dense(data, config)
    try:
        return _fitted(dense, config), carves(dense, resolve_kind(dense, config.split), config.cut, config.seed)
    except EmptyDataError:
        data = _fitted(dense, config)
        nobody = np.zeros(data.n_users, np.int64)
        return data, (Carve(data, data.subset(np.zeros(len(data.events), bool)), nobody),)


def whole(data: Dataset, config: Config) -> Dataset:
    """All that may be fitted. # No leakage. Who brings a test part means to measure with it."""
    return _fitted(_dense(data, config), config)


def _dense(data: Dataset, config: Config) -> Dataset:
    return k_core(data, config.split.k_core) if config.split.k_core else data


def _fitted(data: Dataset, config: Config) -> Dataset:
    if data.parts is not None and resolve_kind(data, config.split) == "given":
        return data.subset(data.parts != TEST)
    return data


def as_read(data: Dataset, config: Config) -> Dataset:
    """The data with what its events say for the task that is set, or with all alike where the configuration says so."""
    if not config.strength.use:
        return data.alike()
    all_ = config.evaluate.relevant == "all"
    return data if data.events.exposure == all_ else replace(data, events=replace(data.events, exposure=all_))


def learn_from(train: Dataset, fitting: Fitting, heard: str = TRUSTED) -> tuple[FitInputs, KnowledgeGraph]:
    """Knowledge graph, text features and heterogeneous graph of a training part. # No leakage. Of nothing else.

    ``heard``: of directed ties, whom users hear (``query.hearing.DIRECTIONS``)."""
    config, runtime = fitting.config, fitting.runtime
    if config.features.enabled and config.features.adapter:
        adapter.check(config.features.adapter, train)  # No leakage. An adapter may not have read what is held out.
    uses_text = config.features.enabled and any(block.uses_text for block in fitting.blocks().values())
    with runtime.in_turn(), fitting.timed("kg"), fitting.watch("kg"):
        train = selected(train, config.kg.sensitive, config.seed)
        has_words = len(train.external) or len(train.reviews)
        embed = fitting.encoder().encode if config.features.enabled and has_words else None
        graph = knowledge_graph(train, config.kg, extractor=fitting.extractor, embed=embed, runtime=runtime)
    with runtime.in_turn(), fitting.timed("features"), fitting.watch("features"):
        text = None
        if uses_text:
            wanted = config.features.user_text
            text = text_features(train, graph, fitting.encoder(), user_text=wanted, progress=runtime.progress)
        hetero = hetero_graph(train, graph, text)
    return FitInputs(Ties(train, heard), hetero, runtime), graph


def folds_of(carved: Sequence[Carve], fitting: Fitting) -> Folds:
    """What there is to learn from in each fold, and its validation users; where they are few in all it is said.

    Whom users hear where ties are directed is chosen here (``blocks.trust``), before anything is learned from them.
    """
    config = fitting.config
    folds = []
    for carve in carved:
        train = carve.train
        if not config.split.behaviour:
            train = without_behaviour(train)[0]  # No leakage. What a shop counts from all purchases knows the answers.
        inputs, _ = learn_from(trusted(as_read(train, config), config), fitting)
        folds.append(Fold(inputs, Validation.of(inputs.ties, carve, config)))
    with fitting.timed("fit"):
        heard = trust.heard(Folds(folds))
    if heard != TRUSTED:
        turned = [replace(fold.inputs, ties=fold.inputs.ties.hearing(heard)) for fold in folds]
        folds = [Fold(i, Validation.of(i.ties, carve, config)) for i, carve in zip(turned, carved, strict=True)]
    found = Folds(folds)
    if (n := people_of(found)) < FEW:
        who = counted(n, "validation users")
        found.inputs.train.report.warn(f"only {who}: what is chosen on so few may not hold")
    return found


def people_of(folds: Folds) -> int:
    """How many people are held out, whoever is in several folds counted once."""
    return len({int(user) for fold in folds for user in fold.validation.queries.user_nums})


def choose(carved: Sequence[Carve], fitting: Fitting) -> dict[str, Any]:
    """Hyper-parameters of every block and the weights of the blend, on the validation users of all folds. Of several
    processes the first one weighs."""
    config, ranks = fitting.config, fitting.runtime.ranks
    blocks = fitting.blocks()
    something_fits(blocks, carved[0].train.n_items)
    check(carved[0].train.n_items, config.retrieve)
    folds = folds_of(carved, fitting)
    with fitting.timed("fit"):

        def tune(name: str, folds: Folds) -> kept.Tuned:
            with fitting.watch(name):
                return kept.tuned(blocks[name], folds)

        tuned = dealt.tuned(blocks, folds, tune)
        if ranks is not None and not ranks.first:
            return dealt.agreed(ranks)
        with fitting.watch("weights"):
            judges = Folds(
                Fold(fold.inputs, Validation.of(fold.inputs.ties, carve, config, BLENDED))
                for fold, carve in zip(folds, carved, strict=True)
            )
            plain = blended({name: blocks for name, (blocks, _) in tuned.items()}, judges, config)
        with fitting.watch("content"):
            best = with_content(plain, judges, carved, config, config.split.kind == "cold-item")
        with fitting.watch("weights"):
            many = max(config.blend.candidates, 2 * config.blend.k)
            gate = gated(best.blocks, judges, best.weights, many, config.seed) if config.blend.gate else Gated()
    chosen: dict[str, Any] = {name: choice for name, (_, choice) in tuned.items()}
    chosen |= {"content": best.choice} if best.choice else {}
    chosen |= {HEARD: folds.inputs.ties.heard} if folds.inputs.train.directed else {}
    chosen |= {GATE: gate.told()} if gate.gate is not None else {}
    weighed = Profiles(tuple(each[0] for each in best.blocks.values())).reweighted(best.weights)
    check(weighed.shape[1], config.retrieve, weighed.width)  # before all is learned anew
    weights, fair = levelling.for_target(best.blocks, best.weights, gate.gate, judges, config)
    chosen |= {"fair": fair} if fair else {}
    ndcg = best.ndcg * (1 + gate.gain if gate.gate is not None else 1) * (1 - levelling.price_of(fair))
    found = {"users": people_of(judges), "folds": len(folds), f"ndcg@{config.blend.k}": round(ndcg, 6)}
    return dealt.agreed(ranks, {**chosen, "weights": weights, "validation": found})


def learn(
    data: Dataset, chosen: Mapping[str, Any], fitting: Fitting, before: Mapping[str, FittedBlock] | None = None
) -> Model:
    """The model of all data, with hyper-parameters and weights that are settled; ``before``: the blocks of an earlier
    one, from which those start that can. Raises ConfigError where they are not, or no block takes so many items."""
    config, runtime, blocks = fitting.config, fitting.runtime, fitting.blocks()
    if SUMS in chosen or config.privacy.epsilon:
        raise ConfigError(
            "what is learned is of sums here, not of rows (privacy.epsilon, or several parties); run graphrec federate"
            " with the events of all parties once more, or graphrec fit"
        )
    if missing := [name for name in (*blocks, "weights") if name not in chosen]:
        raise ConfigError(f"nothing is chosen for {', '.join(missing)}; take the choices of a fit of these blocks")
    chosen = within_limits(data.n_items, chosen, blocks)
    weights = chosen["weights"]
    inputs, graph = learn_from(trusted(as_read(data, config), config), fitting, chosen.get(HEARD, TRUSTED))
    data = inputs.train  # with the attributes marked that say nothing

    def starting(name: str) -> FitInputs:
        return replace(inputs, before=before.get(name)) if before else inputs

    with fitting.timed("fit"):

        def refit(name: str, together: bool) -> FittedBlock:
            own = starting(name)
            with fitting.watch(name):
                return _refit(blocks[name], own if together else dealt.alone(own), chosen[name], weights[name])

        fitted = list(dealt.learned(blocks, runtime.ranks, inputs, refit).values())
        if content := chosen.get("content"):
            told, ties = content_of(inputs.ties, inputs.graph), inputs.ties
            how = {key: content[key] for key in ("ridge", "few", "spread")}
            fitted = [b if b.name in content["own"] else informed(b, told, ties, **how) for b in fitted]
        profiles = Profiles(tuple(fitted), Gate.of(chosen.get(GATE))).reweighted(weights)
        profiles = cleared(profiles, inputs.ties, config.fair.clear, config.seed)
        with fitting.watch("index"):
            index = built(profiles.item_matrix(), config.retrieve, profiles.people())
        prices = mending.prices_for(chosen, profiles, inputs.ties, config)
    uses_text = config.features.enabled and any(block.uses_text for block in blocks.values())
    return Model(
        data=data,
        profiles=profiles,
        index=index,
        graph=graph,
        chosen=chosen,
        config=config,
        version=version_of(data, config, chosen),
        counts=dict(data.counts()),
        encoder=fitting.encoder,
        encoder_id=fitting.encoder().id if uses_text else None,
        made=time.time(),
        prices=prices,
    )


def _refit(block: Block[Any], inputs: FitInputs, chosen: dict[str, Any], weight: float) -> FittedBlock:
    """A block on all training data. One that the blend left out is fitted where it answers what others cannot."""
    if weight > 0 or block.keeps:
        found = block.fit(inputs, chosen)
        give_back()
        return found
    return empty_block(block.name, inputs.train.n_users, inputs.train.n_items)
