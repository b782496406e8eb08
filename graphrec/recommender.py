"""All stages by name: fit, recommend, similar, explain, save, load.

train → knowledge graph → text features → heterogeneous graph → blocks → blend → profiles → index → answers
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from graphrec.blocks.autoencoder import Autoencoder
from graphrec.blocks.base import Block, Chosen, FitInputs, left_out
from graphrec.blocks.blend import blend
from graphrec.blocks.graph import Graph
from graphrec.blocks.ials import IALS
from graphrec.blocks.neighbours import Chebyshev, Ease, Neighbours, Slim
from graphrec.blocks.popularity import Popularity, decayed_counts
from graphrec.blocks.semantic import Semantic
from graphrec.blocks.spectral import Spectral
from graphrec.config import Config
from graphrec.data.dataset import TEST, Dataset
from graphrec.data.split import Split, carve_validation, k_core, merge, resolve_kind
from graphrec.errors import ConfigError, EmptyDataError, NotFittedError
from graphrec.evaluate.ranking import Task
from graphrec.evaluate.validation import Validation
from graphrec.explain.contrast import Contrast
from graphrec.explain.rewrite import LocalWriter, rewritten
from graphrec.explain.why_not import WhyNot
from graphrec.features.encoder import TextEncoder, load_encoder
from graphrec.features.text import text_features
from graphrec.graph.hetero import hetero_graph
from graphrec.graph.selection import selected
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.model import files as model_files
from graphrec.model.answers import Answers, Seen, records
from graphrec.model.fitted import Fitted
from graphrec.profile.index import Index
from graphrec.profile.profiles import AnyBlock, Profiles, empty_block
from graphrec.types import Explanation, Floats, Ints
from kg.graph import KnowledgeGraph
from kg.types import Extractor

BLOCKS: dict[str, type[Block]] = {
    b.name: b for b in (Popularity, Spectral, Neighbours, Ease, Slim, Chebyshev, IALS, Autoencoder, Graph, Semantic)
}
FEW = 50  # validation users, below which it is said
VALIDATION_SCORES = 60_000_000  # users × items ranked at once on validation: bounds time and memory of the choices


class Recommender:
    """Learns from a Dataset, recommends, and says why.

    Args:
        config: settings; the defaults suit a catalogue of up to some hundred thousand items.
        encoder, extractor: stand-ins for the configured text encoder and entity extractor.
        progress: bars on standard error for whatever takes longer than a moment.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        encoder: TextEncoder | None = None,
        extractor: Extractor | None = None,
        progress: bool = False,
    ) -> None:
        self.config = config or Config()
        self.progress = progress
        self.seconds = {"features": 0.0, "kg": 0.0, "fit": 0.0}
        self._encoder = encoder
        self._extractor = extractor
        self._fitted: Fitted | None = None
        self._asked: Answers | None = None
        if unknown := [name for name in self.config.blocks if name not in BLOCKS]:
            raise ConfigError(f"blocks: {unknown[0]!r} does not exist; there are {', '.join(BLOCKS)}")
        if not self.config.blocks or len(set(self.config.blocks)) < len(self.config.blocks):
            raise ConfigError(f"blocks: {list(self.config.blocks)} must name each block once, and at least one")

    # --- fitting ------------------------------------------------------------------------------------------------------

    def fit(self, data: Dataset, chosen: Mapping[str, Any] | None = None) -> Recommender:
        """Choose on a validation part carved out of ``data``, then fit on all of it. Raises DataError, ConfigError.

        Test rows that the source itself declares are left out of both.

        Args:
            chosen: what an earlier fit of the same blocks chose (``model.fitted.chosen``). Nothing is searched then:
                every block learns once, from all of ``data``.
        """
        if self.config.split.k_core:
            data = k_core(data, self.config.split.k_core)
        if chosen is not None:
            if missing := [name for name in (*self.config.blocks, "weights") if name not in chosen]:
                raise ConfigError(
                    f"nothing is chosen for {', '.join(missing)}; take the choices of a fit of these blocks"
                )
            if data.parts is not None and resolve_kind(data, self.config.split) == "given":
                data = data.subset(data.parts != TEST)  # No leakage. Who brings a test part means to measure with it.
            self.seconds = dict.fromkeys(self.seconds, 0.0)
            return self._learn(data, dict(chosen))
        try:
            train, valid = carve_validation(data, self.config.cut, self.config.seed)
        except EmptyDataError:
            train, valid = data, data.subset(np.zeros(len(data.events), bool))  # too small to spare a row
        return self._fit(train, valid)

    def fit_split(self, split: Split) -> Recommender:
        """Choose on ``split.valid``, then fit on train and valid. # No leakage. ``split.test`` is not looked at."""
        return self._fit(split.train, split.valid)

    def _fit(self, train: Dataset, valid: Dataset) -> Recommender:
        config = self.config
        self.seconds = dict.fromkeys(self.seconds, 0.0)
        inputs, _ = self.inputs(self.as_read(train))
        with self._timed("fit"):
            n_users = int(np.clip(VALIDATION_SCORES // max(train.n_items, 1), 500, config.blend.users))
            task = Task.of(config)
            validation = Validation(train, valid, config.blend.k, n_users, config.seed, task)
            if len(validation) < FEW:
                train.report.warn(f"only {len(validation):,} validation users: what is chosen on so few may not hold")
            tuned = {name: BLOCKS[name]().tune(inputs, validation) for name in config.blocks}
            weights, ndcg = blend([block for block, _ in tuned.values()], validation, config.blend.candidates)
        chosen: dict[str, Any] = {name: choice for name, (_, choice) in tuned.items()}
        chosen["weights"] = weights
        chosen["validation"] = {"users": len(validation), f"ndcg@{config.blend.k}": round(ndcg, 6)}
        del tuned, inputs
        return self._learn(merge(train, valid), chosen)

    def _learn(self, data: Dataset, chosen: dict[str, Any]) -> Recommender:
        """Fit every block on all of ``data`` with hyper-parameters and weights that are settled."""
        config, data = self.config, self.as_read(data)
        chosen = self._within_limits(data, chosen)
        weights = chosen["weights"]
        inputs, graph = self.inputs(data)
        data = inputs.train  # with the attributes marked that say nothing
        with self._timed("fit"):
            blocks = [self._refit(name, inputs, chosen[name], weights[name]) for name in config.blocks]
            profiles = Profiles(tuple(blocks)).reweighted(weights)
            index = Index.build(profiles.item_matrix(), config.retrieve, profiles.prior)
        popular = chosen.get(Popularity.name, {})
        half_life, reading = float(popular.get("half_life", 0.0)), str(popular.get("reading", "liked"))
        version = f"{data.fingerprint()[:12]}-{config.fingerprint()[:8]}"
        self._fitted = Fitted(data, graph, profiles, decayed_counts(data, half_life, reading), index, chosen, version)
        return self

    def as_read(self, data: Dataset) -> Dataset:
        """The data with what its events say for the task that is set, or, where the configuration has it so, with all
        events alike."""
        if not self.config.strength.use:
            return data.alike()
        return replace(data, events=replace(data.events, exposure=self.config.evaluate.relevant == "all"))

    def _within_limits(self, data: Dataset, chosen: dict[str, Any]) -> dict[str, Any]:
        """The choices, with blocks left out, and said to be, whose limit this catalogue exceeds."""
        for name in self.config.blocks:
            limit = getattr(getattr(self.config, name, None), "max_items", np.inf)
            if data.n_items > limit:
                _, choice = left_out(name, data, int(limit))
                chosen = {**chosen, name: choice, "weights": {**chosen["weights"], name: 0.0}}
        return chosen

    def _refit(self, name: str, inputs: FitInputs, choice: Chosen, weight: float) -> AnyBlock:
        """A block on all training data. What the blend left out is not fitted again, but queries need `semantic`."""
        if weight > 0 or name == Semantic.name:
            return BLOCKS[name]().fit(inputs, choice)
        return empty_block(name, inputs.train.n_users, inputs.train.n_items)

    def inputs(self, train: Dataset) -> tuple[FitInputs, KnowledgeGraph]:
        """Knowledge graph, text features and heterogeneous graph of a training part. # No leakage. Of nothing else."""
        uses_graph = {"graph", "semantic"} & set(self.config.blocks)
        with self._timed("kg"):
            train = selected(train, self.config.kg.sensitive, self.config.seed)
            embed = self.encoder.encode if self.config.features.enabled and len(train.external) else None
            graph = knowledge_graph(
                train, self.config.kg, extractor=self._extractor, embed=embed, progress=self.progress
            )
        with self._timed("features"):
            text = None
            if self.config.features.enabled and uses_graph:
                text = text_features(
                    train, graph, self.encoder, user_text=self.config.features.user_text, progress=self.progress
                )
            hetero = hetero_graph(train, graph, text)
        return FitInputs(train, hetero, self.config, self.progress), graph

    @cached_property
    def encoder(self) -> TextEncoder:
        """The text encoder, loaded when it is first needed."""
        return self._encoder or load_encoder(self.config.features)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - start

    def save(self, path: str | Path) -> None:
        """Write the model to an artifact folder, atomically. Raises ArtifactError where something else lies there."""
        uses_text = Semantic.name in self.config.blocks or Graph.name in self.config.blocks
        model_files.save(Path(path), self.fitted, self.config, self.encoder.id if uses_text else None)

    @classmethod
    def load(cls, path: str | Path) -> Recommender:
        """Read a model back. Raises ArtifactError, CorruptArtifactError or SchemaVersionError."""
        fitted, config = model_files.load(Path(path))
        model = cls(config)
        model._fitted = fitted
        return model

    # --- answering ----------------------------------------------------------------------------------------------------

    @property
    def fitted(self) -> Fitted:
        """What was learned. Raises NotFittedError."""
        if self._fitted is None:
            raise NotFittedError("the model is not fitted; call fit(data), or load one with graphrec.load(path)")
        return self._fitted

    @property
    def _answers(self) -> Answers:
        if self._asked is None or self._asked.fitted is not self.fitted:
            self._asked = Answers(self.fitted, self.config, lambda: self.encoder)
        return self._asked

    def recommend(
        self,
        user_id: str,
        k: int = 10,
        *,
        history: Sequence[str] = (),
        query: str | None = None,
        seen: Seen | None = None,
    ) -> pd.DataFrame:
        """The k best items: user_id, item_id, score, rank, title; fewer rows where fewer are left.

        Args:
            user_id: one of the data, or any other id: then ``history`` is folded in, or popularity answers. Somebody
                of whom only friends or attributes are known gets what these people took.
            history: further item ids this user took; the profile is folded in from all of them.
            query: free text that the semantic block ranks by, beside the rest of the profile.
            seen: what the user already took, liked or not: ``exclude`` it, ``allow`` it, or rank it ``only``; by
                default as ``config.seen`` says.

        ``.attrs["degraded"]`` lists why an answer is less than it could be. Raises UnknownIdError for an item id in
        ``history`` that does not exist, DataError for k < 1, ConfigError for a query without a semantic block.
        """
        return self._answers.recommend(user_id, k, history=history, query=query, seen=seen)

    def recommend_document(self, user_id: str, k: int = 10, **options: Any) -> dict[str, Any]:
        """``recommend`` as the JSON document of the command-line contract."""
        found = self.recommend(user_id, k, **options)
        return {
            "user_id": user_id,
            "items": records(found.drop(columns="user_id")),
            "model_version": self.fitted.version,
            "degraded": found.attrs["degraded"],
        }

    def similar(self, item_id: str, k: int = 10) -> pd.DataFrame:
        """The k items nearest to one in the profile space by cosine: item_id, score, rank, title.

        An item that nobody took is found by its text; ``.attrs["degraded"]`` says so. Raises UnknownIdError, DataError.
        """
        return self._answers.similar(item_id, k)

    def similar_document(self, item_id: str, k: int = 10) -> dict[str, Any]:
        """``similar`` as the JSON document of the command-line contract."""
        found = self.similar(item_id, k)
        return {"item_id": item_id, "items": records(found), "degraded": found.attrs["degraded"]}

    def explain(self, user_id: str, item_id: str, limit: int = 5) -> Explanation:
        """Why this item scores as it does for this user. Raises UnknownIdError, MissingModelError (the rewriter)."""
        out = self._answers.explain(user_id, item_id, limit)
        return replace(out, text=rewritten(out.text, self._writer)) if self.config.explain.rewriter else out

    @cached_property
    def _writer(self) -> LocalWriter:
        return LocalWriter(self.config.explain.rewriter)

    def why_not(self, user_id: str, item_id: str, k: int = 10) -> WhyNot:
        """Why an item is not among the k recommended. Raises UnknownIdError, DataError for k < 1."""
        return self._answers.why_not(user_id, item_id, k)

    def contrast(self, user_id: str, item_id: str, other_id: str) -> Contrast:
        """Why one item scores higher or lower than another. Raises UnknownIdError, DataError for twice the same."""
        return self._answers.contrast(user_id, item_id, other_id)

    def scores(self, user_nums: Ints) -> Floats:
        """Scores of the whole catalogue, float32 (B, I); popularity for users of whom nothing is known."""
        return self._answers.scores(user_nums)
