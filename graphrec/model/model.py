"""The model: what was learned, and what it answers from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from graphrec.explain.contrast import Contrast
from graphrec.explain.why_not import WhyNot
from graphrec.model import answers, atlas, portrait, reasons, retrieve, update
from graphrec.model.asked import Asked
from graphrec.model.learned import Learned
from graphrec.query.query import Queries
from graphrec.types import Explanation, Floats


@dataclass(frozen=True, repr=False)
class Model(Learned):
    """A fitted model that answers. Nothing of it changes, so threads may share it, and a service may put another in its
    place while it is in use."""

    def __repr__(self) -> str:
        heard = ", ".join(f"{b.name} {b.weight:.3g}" for b in self.profiles.heard) or "none"
        return f"Model({self.version} of {self.data!r}, blocks: {heard})"

    def recommend(self, users: Any = None, k: int = 10, **options: Any) -> pd.DataFrame:
        """The k best items for one or many; see ``Recommender.recommend``."""
        asked = Asked.of(self, users, k, **options)
        parts = list(answers.batches(self, asked))
        return answers.joined(self, parts, reranked=bool(asked.rerank))

    def similar(self, item_id: str | int, k: int = 10) -> pd.DataFrame:
        """The k items nearest to one; see ``Recommender.similar``."""
        return answers.similar(self, item_id, k)

    def explain(self, user_id: str | int | None, item_id: str | int, limit: int = 5, **known: Any) -> Explanation:
        """Why an item scores as it does; see ``Recommender.explain``."""
        return reasons.explain(self, user_id, item_id, limit, **known)

    def why_not(self, user_id: str | int | None, item_id: str | int, k: int = 10, **known: Any) -> WhyNot:
        """Why an item is not among the k recommended."""
        return reasons.why_not(self, user_id, item_id, k, **known)

    def contrast(self, user_id: str | int | None, item_id: str | int, other_id: str | int, **known: Any) -> Contrast:
        """Why one item scores higher or lower than another."""
        return reasons.contrast(self, user_id, (item_id, other_id), **known)

    def profile(
        self, user_id: str | int | None = None, limit: int = portrait.SHOWN, history: Sequence[Any] = (), **context: Any
    ) -> dict[str, Any]:
        """What is known of one person, as JSON; see ``Recommender.profile``."""
        return portrait.portrait(self, user_id, limit, history, **context)

    def map(self, most: int = atlas.MOST) -> dict[str, Any]:
        """Items and users in two dimensions, as JSON; see ``Recommender.map``."""
        return atlas.atlas(self, most)

    def scores(self, queries: Queries) -> Floats:
        """Scores of the whole catalogue, float32 (B, I); for people of whom no history is known, of what their friends
        or people like them took, else of what is popular."""
        return retrieve.scores(self, queries)

    def updated(self, events: Any = (), items: Any = None, users: Any = None) -> Model:
        """A model that knows of new events, items and users, without fitting anew what need not change; this one stays
        as it was. See ``update.updated`` for the columns and the errors raised."""
        return update.updated(self, events, items, users)
