"""All stages by name: fit, recommend, similar, explain, save, load.

train → knowledge graph → text features → heterogeneous graph → blocks → blend → profiles → index → answers
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from graphrec import model_files
from graphrec.blocks.autoencoder import Autoencoder
from graphrec.blocks.base import Block, Chosen, FitInputs
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
from graphrec.errors import ConfigError, DataError, EmptyDataError, NotFittedError
from graphrec.evaluate.validation import Validation
from graphrec.explain.contrast import Contrast
from graphrec.explain.explainer import Explainer
from graphrec.explain.rewrite import LocalWriter, rewritten
from graphrec.explain.why_not import WhyNot
from graphrec.features.encoder import TextEncoder, load_encoder
from graphrec.features.text import text_features
from graphrec.graph.hetero import hetero_graph
from graphrec.graph.knowledge import knowledge_graph
from graphrec.graph.selection import selected
from graphrec.profiles import AnyBlock, ProfileBlock, Profiles, empty_block, weighted
from graphrec.retrieve.index import Index
from graphrec.types import Explanation, Floats, Ints
from kg.graph import KnowledgeGraph
from kg.types import Extractor

BLOCKS: dict[str, type[Block]] = {
    b.name: b for b in (Popularity, Spectral, Neighbours, Ease, Slim, Chebyshev, IALS, Autoencoder, Graph, Semantic)
}
QUERY_WEIGHT = 3.0  # what is asked for now, against the whole profile
VALIDATION_SCORES = 60_000_000  # users × items ranked at once on validation: bounds time and memory of the choices


@dataclass(frozen=True)
class Fitted:
    """All that a fitted model is: what it was trained on, what it learned, and how.

    ``chosen`` holds each block's hyper-parameters, the blend weights and their validation NDCG.
    """

    data: Dataset
    graph: KnowledgeGraph
    profiles: Profiles
    popularity: Floats  # (I,) decayed training counts: the answer of last resort
    index: Index
    chosen: dict[str, Any]
    version: str

    @cached_property
    def users(self) -> Floats:
        """User profiles, float32 (U, D)."""
        return self.profiles.user_matrix()

    @cached_property
    def items(self) -> Floats:
        """Item profiles, float32 (I, D)."""
        return self.profiles.item_matrix()

    @cached_property
    def explainer(self) -> Explainer:
        """Explains the profiles; its indices are built at the first question."""
        return Explainer(self.profiles, self.data, self.graph)


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
            train, valid = carve_validation(data, self.config.split, self.config.seed)
        except EmptyDataError:
            train, valid = data, data.subset(np.zeros(len(data.interactions), bool))  # too small to spare a row
        return self._fit(train, valid)

    def fit_split(self, split: Split) -> Recommender:
        """Choose on ``split.valid``, then fit on train and valid. # No leakage. ``split.test`` is not looked at."""
        return self._fit(split.train, split.valid)

    def _fit(self, train: Dataset, valid: Dataset) -> Recommender:
        config = self.config
        self.seconds = dict.fromkeys(self.seconds, 0.0)
        inputs, _ = self.inputs(train)
        with self._timed("fit"):
            n_users = int(np.clip(VALIDATION_SCORES // max(train.n_items, 1), 500, config.blend.users))
            validation = Validation(train, valid, config.blend.k, n_users, config.seed)
            tuned = {name: BLOCKS[name]().tune(inputs, validation) for name in config.blocks}
            weights, ndcg = blend([block for block, _ in tuned.values()], validation, config.blend.candidates)
        chosen: dict[str, Any] = {name: choice for name, (_, choice) in tuned.items()}
        chosen["weights"] = weights
        chosen["validation"] = {"users": len(validation), f"ndcg@{config.blend.k}": round(ndcg, 6)}
        del tuned, inputs
        return self._learn(merge(train, valid), chosen)

    def _learn(self, data: Dataset, chosen: dict[str, Any]) -> Recommender:
        """Fit every block on all of ``data`` with hyper-parameters and weights that are settled."""
        config, weights = self.config, chosen["weights"]
        inputs, graph = self.inputs(data)
        with self._timed("fit"):
            blocks = [self._refit(name, inputs, chosen[name], weights[name]) for name in config.blocks]
            profiles = Profiles(tuple(blocks)).reweighted(weights)
            index = Index.build(profiles.item_matrix(), config.retrieve, profiles.prior)
        half_life = float(chosen.get(Popularity.name, {}).get("half_life", 0.0))
        version = f"{data.fingerprint()[:12]}-{config.fingerprint()[:8]}"
        self._fitted = Fitted(data, graph, profiles, decayed_counts(data, half_life), index, chosen, version)
        return self

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

    def recommend(
        self,
        user_id: str,
        k: int = 10,
        *,
        history: Sequence[str] = (),
        query: str | None = None,
        include_seen: bool = False,
    ) -> pd.DataFrame:
        """The k best unseen items: user_id, item_id, score, rank, title; fewer rows where fewer are left.

        Args:
            user_id: one of the data, or any other id: then ``history`` is folded in, or popularity answers.
            history: further item ids this user took; the profile is folded in from all of them.
            query: free text that the semantic block ranks by, beside the rest of the profile.
            include_seen: also rank what the user already took.

        ``.attrs["degraded"]`` lists why an answer is less than it could be. Raises UnknownIdError for an item id in
        ``history`` that does not exist, DataError for k < 1, ConfigError for a query without a semantic block.
        """
        if k < 1:
            raise DataError(f"k = {k}; ask for at least 1 item")
        fitted = self.fitted
        number = int(fitted.data.users.numbers([user_id], missing="-1")[0])
        extra = fitted.data.items.numbers(list(history))
        seen = np.union1d(self._history(number), extra)
        degraded: list[str] = []
        exclude = np.zeros(0, np.int64) if include_seen else seen
        if number < 0 and not len(extra):
            degraded.append("unknown_user: no history is known of this id")
        elif not len(seen):
            degraded.append("no_history: nothing this user took is known")
        vector, sparse, personal = self._profile(number, seen, fold_in=number < 0 or len(extra) > 0)
        if not personal:
            degraded.append("popularity: ranked by what is popular with everyone")
        if query is not None:
            scores = fitted.items @ vector + sparse if personal else fitted.popularity
            nums, values = _ranked(_unit_deviation(scores) + QUERY_WEIGHT * self._query_scores(query), k, exclude)
        elif personal:
            nums, values = fitted.index.search_sum(vector, sparse, k, exclude)
        else:
            nums, values = _ranked(fitted.popularity, k, exclude)
        if len(nums) < k:
            degraded.append(f"fewer_items: {len(nums)} of {k} items are left that this user has not taken")
        out = self._table(nums, values)
        out.insert(0, "user_id", user_id)
        out.attrs["degraded"] = degraded
        return out

    def recommend_document(self, user_id: str, k: int = 10, **options: Any) -> dict[str, Any]:
        """``recommend`` as the JSON document of the command-line contract."""
        found = self.recommend(user_id, k, **options)
        return {
            "user_id": user_id,
            "items": _records(found.drop(columns="user_id")),
            "model_version": self.fitted.version,
            "degraded": found.attrs["degraded"],
        }

    def similar_document(self, item_id: str, k: int = 10) -> dict[str, Any]:
        """``similar`` as the JSON document of the command-line contract."""
        return {"item_id": item_id, "items": _records(self.similar(item_id, k))}

    def similar(self, item_id: str, k: int = 10) -> pd.DataFrame:
        """The k items nearest to one in the profile space by cosine: item_id, score, rank, title."""
        if k < 1:
            raise DataError(f"k = {k}; ask for at least 1 item")
        nums, scores = self.fitted.index.similar(self.fitted.data.items.number(item_id), k)
        return self._table(nums[nums >= 0], scores[nums >= 0])

    def explain(self, user_id: str, item_id: str, limit: int = 5) -> Explanation:
        """Why this item scores as it does for this user. Raises UnknownIdError, MissingModelError (the rewriter)."""
        data = self.fitted.data
        out = self.fitted.explainer.explain(data.users.number(user_id), data.items.number(item_id), limit)
        return replace(out, text=rewritten(out.text, self._writer)) if self.config.explain.rewriter else out

    @cached_property
    def _writer(self) -> LocalWriter:
        return LocalWriter(self.config.explain.rewriter)

    def why_not(self, user_id: str, item_id: str, k: int = 10) -> WhyNot:
        """Why an item is not among the k recommended. Raises UnknownIdError, DataError for k < 1."""
        data = self.fitted.data
        user = data.users.number(user_id)
        _, _, personal = self._profile(user, self._history(user), fold_in=False)
        scores = self.scores(np.array([user]))[0] if personal else self.fitted.popularity
        return self.fitted.explainer.why_not(user, data.items.number(item_id), k, scores)

    def contrast(self, user_id: str, item_id: str, other_id: str) -> Contrast:
        """Why one item scores higher or lower than another. Raises UnknownIdError, DataError for twice the same."""
        data = self.fitted.data
        pair = data.items.numbers([item_id, other_id]).tolist()
        return self.fitted.explainer.contrast(data.users.number(user_id), *pair)

    def scores(self, user_nums: Ints) -> Floats:
        """Scores of the whole catalogue, float32 (B, I); popularity for users of whom the profiles know nothing."""
        users = self.fitted.users[user_nums]  # (B, D)
        out: Floats = users @ self.fitted.items.T
        known = users.any(axis=1)  # (B,)
        for block in self.fitted.profiles.sparse:
            out += np.float32(block.weight) * block.scores(user_nums)
            known |= block.scale[user_nums] > 0
        out[~known] = self.fitted.popularity
        return out

    def _history(self, user_num: int) -> Ints:
        interactions = self.fitted.data.interactions
        nums: Ints = interactions.item_nums[interactions.user_nums == user_num]
        return nums

    def _profile(self, user_num: int, history: Ints, *, fold_in: bool) -> tuple[Floats, Floats, bool]:
        """A user's profile float32 (D,), scores of the sparse blocks (I,), and whether any of it is the user's own."""
        profiles = self.fitted.profiles
        parts = [b.encode_user(history) if fold_in else b.users[user_num] for b in profiles.dense]
        own = any(part.any() for b, part in zip(profiles.dense, parts, strict=True) if b.name != Popularity.name)
        sparse = np.zeros(profiles.shape[1], np.float32)
        for block in profiles.sparse:
            sparse += block.weight * (block.fold_in(history) if fold_in else block.scores(np.array([user_num]))[0])
        return weighted(profiles.dense, parts), sparse, own or bool(sparse.any())

    def _query_scores(self, query: str) -> Floats:
        """Similarity of a free text to every item's text at unit deviation, float32 (I,)."""
        if Semantic.name not in self.config.blocks or not self.config.features.enabled:
            raise ConfigError("a query needs the semantic block and text features; fit with both")
        block = self.fitted.profiles[Semantic.name]
        assert isinstance(block, ProfileBlock)
        text = self.encoder.encode([query])[0]  # (F,)
        if block.text_map is None or len(block.text_map) != len(text) + 1:
            raise ConfigError(
                "the data has no text, so a query finds nothing; fit on data with reviews or descriptions"
            )
        return _unit_deviation(block.items @ block.encode_item(text))

    def _table(self, nums: Ints, scores: Floats) -> pd.DataFrame:
        data = self.fitted.data
        return pd.DataFrame(
            {
                "item_id": [data.items.ids[n] for n in nums],
                "score": scores.astype(np.float64),
                "rank": np.arange(1, len(nums) + 1),
                "title": [str(data.item_titles[n]) for n in nums],
            }
        )


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _unit_deviation(scores: Floats) -> Floats:
    deviation = float(scores.std())
    return np.asarray(scores / deviation if deviation > 0 else scores, dtype=np.float32)


def _ranked(scores: Floats, k: int, exclude: Ints) -> tuple[Ints, Floats]:
    """The k best items by score, ties by item number, without the excluded ones."""
    allowed = np.ones(len(scores), bool)
    allowed[exclude] = False
    nums = np.flatnonzero(allowed)
    best = nums[np.argsort(-scores[nums], kind="stable")[:k]].astype(np.int64)
    return best, scores[best]
