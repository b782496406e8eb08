"""What was learned: data, profiles, index, knowledge, choices. Immutable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.cluster.engine import Made
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.evaluate.mending import strength_of
from graphrec.explain.explainer import Explainer
from graphrec.explain.interests import Labels
from graphrec.explain.names import Names
from graphrec.explain.say import say, speaking
from graphrec.graph.nodes import nodes
from graphrec.linalg.sums import SUMS
from graphrec.model.lexical import Lexicon, texts_of
from graphrec.profile.index import Index
from graphrec.profile.likeness import Likeness
from graphrec.profile.profiles import Profiles
from graphrec.query.hearing import HEARD, TRUSTED
from graphrec.query.ties import Ties
from graphrec.rerank.api import Reranker
from graphrec.rerank.attributes import AttributeTable
from graphrec.rerank.exposure import Exposure
from graphrec.settings import FeaturesConfig
from graphrec.types import Floats
from kg.graph import KnowledgeGraph
from kg.languages import most_spoken

if TYPE_CHECKING:
    from graphrec.features.encoder import TextEncoder


def _no_encoder() -> TextEncoder:
    raise ConfigError("this model has no text encoder; load it with graphrec.load, or fit with features.enabled")


def _encoder(settings: FeaturesConfig, fitted_with: str | None) -> TextEncoder:
    from graphrec.features.encoder import load_encoder

    return load_encoder(settings, fitted_with=fitted_with)


@dataclass(frozen=True)
class Learned:
    """All that a fitted model is: what it answers from, what it learned, and how; ``Model`` answers from it.

    Args:
        data: what it was trained on. profiles: the fitted blocks. index: of their items. graph: the knowledge graph.
        chosen: each block's hyper-parameters, the blend weights and their validation NDCG.
        config: the settings. version: of data, settings and choices. counts: what the data held when it was fitted.
        encoder: loads the text encoder, for what is asked in words. encoder_id: of the one it was fitted with.
        behind: how many events were taken in since the blocks learned of items; see ``update``.
        prices: what each item costs that is shown often, float32 (I,); None where nothing is mended (``fair.target``).
        made: when it was fitted, seconds since 1970; None where that is not known.
    """

    data: Dataset
    profiles: Profiles
    index: Index
    graph: KnowledgeGraph
    chosen: Mapping[str, Any]
    config: Config
    version: str
    counts: Mapping[str, int] = field(default_factory=dict)
    encoder: Callable[[], TextEncoder] = _no_encoder
    encoder_id: str | None = None
    behind: int = 0
    made: float | None = None
    prices: Floats | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What another process is sent: what was learned. What is made of that it makes itself, and it loads the text
        encoder where words are asked."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return own | {"encoder": Made(_encoder, (self.config.features, self.encoder_id))}

    # --- what it is made of -------------------------------------------------------------------------------------------

    @cached_property
    def ties(self) -> Ties:
        """Who took what in the training data, and who befriends whom; few people are not told of, and where what is
        learned is private nobody; where it is of sums, others were learned from too."""
        least = self.data.n_users + 1 if self.config.privacy.epsilon else self.config.explain.together
        return Ties(self.data, self.chosen.get(HEARD, TRUSTED), least, SUMS in self.chosen)

    @cached_property
    def users(self) -> Floats:
        """Stored user profiles, float32 (U, D): a cache of ``profiles.encode``."""
        return self.profiles.user_matrix(self.ties)

    @property
    def items(self) -> Floats:
        """Item profiles, float32 (I, D): those that the index holds."""
        return self.index.items

    @cached_property
    def explainer(self) -> Explainer:
        """Explains the profiles; its indices are built at the first question."""
        return Explainer(self.profiles, self.ties, self.graph)

    @cached_property
    def lexicon(self) -> Lexicon:
        """What is written of items, by its words; indexed at the first question in words."""
        return Lexicon(texts_of(self.data, self.graph))

    @cached_property
    def labels(self) -> Labels:
        """The labels of items that interests are told by."""
        return Labels(self.graph, self.ties)

    @cached_property
    def spoken(self) -> str:
        """The language of explanations: the one that is set, else that of most reviews that they can quote, or of the
        titles where there are none."""
        wanted: str = self.config.explain.language
        return most_spoken(self.graph.texts.values() or self.data.item_titles) if wanted == "auto" else wanted

    def reason(self, code: str, message: str, **values: object) -> str:
        """Why an answer is less than it could be: a code for programs, and words in the model's language."""
        with speaking(self.spoken):
            return f"{code}: {say(message, **values)}"

    @property
    def mends(self) -> tuple[Reranker, ...]:
        """What re-ranks every answer: what was chosen to meet ``fair.target``."""
        strength = strength_of(self.chosen)
        return (Exposure(strength),) if strength and self.prices is not None else ()

    @cached_property
    def names(self) -> Names:
        """Who may be named to whom. Raises ConfigError where the settings name no attribute of the users."""
        return Names.of(self.config.explain, self.data)

    @cached_property
    def popular(self) -> Floats:
        """What is popular with everyone, float32 (I,) at unit deviation: the answer of last resort."""
        block = self.profiles.of_everybody
        if block is not None:
            return unit_deviation(np.asarray(block.items @ block.users.mean(axis=0), np.float32).ravel())
        counts = np.bincount(self.data.interactions.item_nums, minlength=self.data.n_items)
        return unit_deviation(np.log1p(counts).astype(np.float32))

    @cached_property
    def attributes(self) -> AttributeTable:
        """The items' attributes, as filters and re-rankers read them."""
        return AttributeTable(self.data)

    @cached_property
    def likeness(self) -> Likeness:
        """How alike items are, without what says how popular they are."""
        return Likeness.of(self.profiles)

    @cached_property
    def described(self) -> tuple[sp.csr_matrix, Mapping[tuple[str, str], int]]:
        """Which attributes each user has that may be learned from, CSR float32 (U, A), and the place of each."""
        table = nodes(self.data.user_attributes, self.data.user_columns)
        pairs = list(zip(table["key"].astype(str), table["value"].astype(str), strict=True))
        place = {pair: n for n, pair in enumerate(dict.fromkeys(pairs))}
        codes = np.array([place[pair] for pair in pairs], np.int64)
        shape = (self.data.n_users, max(len(place), 1))
        ones = np.ones(len(codes), np.float32)
        return sp.csr_matrix((ones, (table["user_num"].to_numpy(np.int64), codes)), shape), place

    @cached_property
    def item_ids(self) -> npt.NDArray[np.object_]:
        """External ids of the items, (I,)."""
        return np.array(self.data.items.ids, object)


def unit_deviation(scores: Floats) -> Floats:
    """Scores over their standard deviation; as they are where they have none."""
    deviation = float(scores.std())
    return np.asarray(scores / deviation if deviation > 0 else scores, dtype=np.float32)
