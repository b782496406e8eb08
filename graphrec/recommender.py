"""The whole path by name: fit, recommend, similar, explain, save, load. A thin face over ``fit`` and ``model``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from graphrec.config import Config
from graphrec.errors import ConfigError, NotFittedError
from graphrec.model import files
from graphrec.model.answers import records
from graphrec.model.asked import Seen
from graphrec.model.model import Model
from graphrec.query.query import Queries
from graphrec.ranks import Ranks
from graphrec.runtime import Runtime
from graphrec.types import Explanation, Floats

if TYPE_CHECKING:
    from graphrec.data.dataset import Dataset
    from graphrec.data.split import Split
    from graphrec.explain.contrast import Contrast
    from graphrec.explain.rewrite import LocalWriter
    from graphrec.explain.why_not import WhyNot
    from graphrec.features.encoder import TextEncoder
    from graphrec.fit import Fitting
    from graphrec.forgetting import Receipt, Way
    from kg.types import Extractor


class Recommender:
    """Learns from a Dataset, recommends, and says why.

    Args:
        config: settings.
        encoder, extractor: stand-ins for the configured text encoder and entity extractor.
        progress: bars on standard error for whatever takes longer than a moment.
        work: a folder where a fit keeps what it has done, from which the same fit goes on after a kill.
        ranks: this process among several that fit the same model (``ranks.joined``).

    Raises ConfigError for blocks that there are not, and for a config that is none.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        encoder: TextEncoder | None = None,
        extractor: Extractor | None = None,
        progress: bool = False,
        work: Path | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self.config = config or Config()
        if not isinstance(self.config, Config):
            raise ConfigError(
                f"config is a {type(self.config).__name__}; give Config.load(FILE), or gr.Config().with_()"
            )
        self.runtime = Runtime.of(self.config.runtime, self.config.seed, progress, work, ranks)
        self.config = self.config.at_home()
        self.seconds = {"features": 0.0, "kg": 0.0, "fit": 0.0}
        self._encoder, self._extractor = encoder, extractor
        self._model: Model | None = None
        self._languages: Mapping[str, float] = {}  # of what is fitted
        for name in self.config.blocks:
            self.config.block(name)

    def __repr__(self) -> str:
        return f"Recommender({'not fitted' if self._model is None else self._model!r})"

    # --- fitting ------------------------------------------------------------------------------------------------------

    def fit(
        self,
        data: Dataset,
        chosen: Mapping[str, Any] | None = None,
        *,
        like: Model | None = None,
        resume: bool = False,
    ) -> Recommender:
        """Choose on a validation part carved out of ``data``, then fit on all of it. Raises DataError, ConfigError.

        Test rows that the source itself declares are left out of both. With ``privacy.epsilon`` it is learned from sums
        with noise (``private.fitted``).

        Args:
            chosen: what an earlier fit of the same blocks chose (``model.fitted.chosen``). Nothing is searched then:
                every block learns once, from all of ``data``.
            like: an earlier model whose choices are taken, and whose users and items keep their numbers. ``resume``:
                networks start from where it ended.
        """
        from graphrec.fitted import of_data

        self._model = of_data(data, self._fitting(data), chosen, like, resume)
        return self

    def fit_split(self, split: Split) -> Recommender:
        """Choose on ``split.folds``, then fit on train and valid. # No leakage. ``split.test`` is not looked at."""
        from graphrec.fitted import of_split

        self._model = of_split(split, self._fitting(split.fit_data))
        return self

    def _fitting(self, data: Dataset) -> Fitting:
        from graphrec.fit import Fitting

        self.runtime.set_threads()
        if data.report.languages != self._languages:
            self._languages = data.report.languages
            self.__dict__.pop("encoder", None)
        fitting = Fitting(self.config, self.runtime, lambda: self.encoder, self._extractor)
        fitting.blocks()
        self.seconds = fitting.seconds
        return fitting

    @cached_property
    def encoder(self) -> TextEncoder:
        """The text encoder, loaded when it is first needed: the one that the texts ask for, or a loaded model has."""
        from graphrec.features.encoder import load_encoder

        fitted_with = None if self._model is None or self._languages else self._model.encoder_id
        return self._encoder or load_encoder(self.config.features, self._languages, fitted_with, self.runtime.engine)

    def forget(self, users: Any, way: Way = "refit") -> Receipt:
        """Take users, ids, out of the model; what was removed and how. See ``forgetting.forgotten``; ``save`` after."""
        from graphrec.forgetting import forgotten

        self._model, receipt = forgotten(self.fitted, users, way, self._extractor, self.runtime.progress)
        return receipt

    def save(self, path: str | Path) -> None:
        """Write the model to an artifact folder, atomically. Raises ArtifactError where something else lies there."""
        files.save(Path(path), self.fitted)

    @classmethod
    def load(cls, path: str | Path) -> Recommender:
        """Read a model back. Raises ArtifactError, CorruptArtifactError or SchemaVersionError."""
        stored = files.load(Path(path))
        out = cls(stored.config)
        out._model = replace(stored, encoder=lambda: out.encoder)
        return out

    @classmethod
    def of(cls, model: Model) -> Recommender:
        """The face of a model that is there already."""
        out = cls(model.config)
        out._model = model
        return out

    @property
    def fitted(self) -> Model:
        """The model that was learned. Raises NotFittedError."""
        if self._model is None:
            raise NotFittedError("the model is not fitted; call fit(data), or load one with graphrec.load(path)")
        return self._model

    def recommend(
        self,
        users: Any = None,
        k: int = 10,
        *,
        history: Sequence[Any] = (),
        histories: Any = None,
        query: str | None = None,
        filter: str | None = None,
        exclude: Sequence[Any] = (),
        include: Sequence[Any] | None = None,
        seen: Seen | None = None,
        rerank: Any = (),
        context: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """The k best items for one person or a million: user_id, item_id, score, rank, title; fewer rows where fewer
        items are left.

        Args:
            users: an id, several, or a table with the column ``user_id`` (with ``item_id`` too, its rows are
                histories). Somebody whom the data does not hold is answered by their history, else by what is popular;
                somebody of whom only friends or attributes are known, by what these people took.
            k: how many items each gets.
            history: further item ids that all of them took; the profile is folded in from all that is known.
            histories: the same for each: a sequence beside ``users`` (or without them), or user id → item ids.
            query: free text that the block of texts ranks by, beside the rest of the profile.
            filter: an expression over the items' attributes, ``price < 50 and category in ("Mugs", "Tea")``.
            exclude: item ids that do not come back. include: the only ones that may.
            seen: what somebody already took, liked or not: ``exclude`` it, ``allow`` it, or rank it ``only``; by
                default as ``config.seen`` says.
            rerank: re-rankers, or their text form: ``diversity=0.3``, ``cap=brand:2``.
            context: what else is known now: ``now``, ``place``, ``friends`` (ids), ``attributes``.

        ``.attrs["degraded"]`` lists why an answer is less than it could be; for several people it is a dict by id.
        Raises UnknownIdError for an item id that does not exist, DataError for k < 1 or what is no id, ConfigError for
        a query without a block of texts or a filter that cannot be read.
        """
        return self.fitted.recommend(
            users,
            k,
            history=history,
            histories=histories,
            query=query,
            filter=filter,
            exclude=exclude,
            include=include,
            seen=seen,
            rerank=rerank,
            context=context,
        )

    def recommend_document(self, user_id: str | int | None, k: int = 10, **options: Any) -> dict[str, Any]:
        """``recommend`` for one person as the JSON document of the command line; re-rankers add ``changes``."""
        model = self.fitted  # one and the same, whatever takes its place meanwhile
        found = model.recommend(user_id, k, **options)
        changes = {"changes": found.attrs["changes"]} if options.get("rerank") else {}
        return {
            "user_id": user_id,
            "items": records(found.drop(columns="user_id")),
            "model_version": model.version,
            "degraded": found.attrs["degraded"],
            **changes,
        }

    def similar(self, item_id: str | int, k: int = 10) -> pd.DataFrame:
        """The k items nearest to one: item_id, score, rank, title.

        A score is the mean cosine of the blocks by their weights; see ``profile/likeness.py``. An item that nobody took
        is found by its text; ``.attrs["degraded"]`` says so. Raises UnknownIdError, DataError.
        """
        return self.fitted.similar(item_id, k)

    def similar_document(self, item_id: str | int, k: int = 10) -> dict[str, Any]:
        """``similar`` as the JSON document of the command-line contract."""
        found = self.similar(item_id, k)
        return {"item_id": item_id, "items": records(found), "degraded": found.attrs["degraded"]}

    def explain(self, user_id: str | int | None, item_id: str | int, limit: int = 5, **known: Any) -> Explanation:
        """Why this item scores as it does, by up to ``limit`` pieces of evidence; the score is that of ``recommend``.

        Args:
            known: ``history`` (further item ids), ``query``, and what ``context`` holds; with a history ``user_id``
                may be None. A user whom nothing is known of is one without a history: ``degraded`` says so. With
                ``rerank`` and ``k`` of a list, ``moved`` says from which rank each re-ranker moved the item.

        Raises UnknownIdError (an item), MissingModelError (the rewriter).
        """
        out = self.fitted.explain(user_id, item_id, limit, **known)
        if not self.config.explain.rewriter:
            return out
        from graphrec.explain.rewrite import rewritten

        return replace(out, text=rewritten(out.text, self._writer))

    @cached_property
    def _writer(self) -> LocalWriter:
        from graphrec.explain.rewrite import LocalWriter

        return LocalWriter(self.config.explain.rewriter)

    def why_not(self, user_id: str | int | None, item_id: str | int, k: int = 10, **known: Any) -> WhyNot:
        """Why an item is not among the k recommended. Raises UnknownIdError, DataError for k < 1."""
        return self.fitted.why_not(user_id, item_id, k, **known)

    def contrast(self, user_id: str | int | None, item_id: str | int, other_id: str | int, **known: Any) -> Contrast:
        """Why one item scores higher or lower than another. Raises UnknownIdError, DataError for twice the same."""
        return self.fitted.contrast(user_id, item_id, other_id, **known)

    def profile(
        self, user_id: str | int | None = None, limit: int = 10, history: Sequence[Any] = (), **context: Any
    ) -> dict[str, Any]:
        """What is known of one person, for the person themselves: the JSON document of the command line.

        ``interests`` are labels of what they took (brand, genre, tag, aspect), each with its share, how sure it is and
        the events that it comes from; ``likes`` and ``dislikes`` what they said, took more often than people do, or
        rated low. ``behaviour``, ``over_time``, ``friends`` and ``neighbours`` as far as they are known. Nobody else is
        named but whom ``explain.names`` allows, and nothing sensitive is told but what ``kg.sensitive`` names.

        Args:
            limit: of interests, likes and dislikes. history: item ids, beside what is known of the user, or alone.
            context: as in ``recommend``.

        Raises UnknownIdError (an item), DataError. A user of whom nothing is known has an empty profile, which
        ``degraded`` says.
        """
        return self.fitted.profile(user_id, limit, history, **context)

    def map(self, most: int = 2000) -> dict[str, Any]:
        """Items and users in two dimensions by t-SNE: the document of ``graphrec map``, ``{"items": [{"item_id", "x",
        "y", "label"}], "users": [{"x", "y"}]}``, of at most ``most`` each."""
        return self.fitted.map(most)

    def scores(self, queries: Queries) -> Floats:
        """Scores of the whole catalogue, float32 (B, I), as ``evaluate`` asks for them."""
        return self.fitted.scores(queries)
