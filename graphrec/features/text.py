"""Text features of users, items and entities, from training reviews and from descriptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphrec.data.dataset import Dataset
from graphrec.features.encoder import TextEncoder, weighted_mean
from graphrec.types import Floats, Ints
from kg.graph import KnowledgeGraph

DESCRIPTION_WEIGHT = 3  # a description counts as this many reviews
WORDS = ("category", "list", "text")  # types of attributes that are read as text
MAX_CHARACTERS = 2000  # of one text; the encoder reads far less


@dataclass(frozen=True)
class TextFeatures:
    """Unit text vectors, float32 (U, F), (I, F) and (N, F) for users, items and entities; a zero row has no text."""

    users: Floats
    items: Floats
    entities: Floats


def text_features(
    train: Dataset, graph: KnowledgeGraph, encoder: TextEncoder, *, user_text: bool = False, progress: bool = False
) -> TextFeatures:
    """Every text is embedded on its own, then averaged, so that vectors are shared between splits through the cache.

    # No leakage. Reviews come from ``train`` alone, so a held-out review is in nobody's mean.

    An item is the mean of its reviews and its description; a user the mean of the reviews they wrote, and of their own
    description if ``user_text``. Entities are embedded by their label.
    """
    reviews = [review_text(s, t) for s, t in zip(train.reviews["summary"], train.reviews["text"], strict=True)]
    descriptions = item_descriptions(train)
    own = [str(t)[:MAX_CHARACTERS] if user_text else "" for t in train.user_text]
    own_text = graph.entities["type"].isin(["user", "item"])  # their vectors come from what is written, not from a name
    labels = ["" if own else str(label) for label, own in zip(graph.entities["label"], own_text, strict=True)]
    texts = [*reviews, *descriptions, *own, *labels]
    vectors = encoder.encode(texts, progress=progress)  # (texts, F)
    of_reviews, of_items, of_users, of_entities = np.split(
        vectors, np.cumsum([len(reviews), len(descriptions), len(own)])
    )
    review_items, review_users = (train.reviews[c].to_numpy(np.int64) for c in ("item_num", "user_num"))
    return TextFeatures(
        users=_mean(of_reviews, review_users, of_users, 1),
        items=_mean(of_reviews, review_items, of_items, DESCRIPTION_WEIGHT),
        entities=of_entities,
    )


def _mean(reviews: Floats, rows: Ints, own: Floats, own_weight: int) -> Floats:
    return weighted_mean(np.vstack([reviews, own * own_weight]), np.r_[rows, np.arange(len(own))], len(own))


def review_text(summary: str, text: str) -> str:
    """A review as it is embedded: its summary, and what it says."""
    return f"{summary}. {text}"[:MAX_CHARACTERS] if summary else text[:MAX_CHARACTERS]


def item_descriptions(data: Dataset) -> list[str]:
    """Title, description and attribute values of each item in one text; "" where nothing is known.

    The encoder may cut the end off, and attributes are edges of the graph as well. Numbers, dates and the like are no
    words, and columns of which nothing is learned are left out.
    """
    attributes: list[list[str]] = [[] for _ in range(data.n_items)]
    silent = {c.name for c in data.item_columns if c.why_not or c.type not in WORDS}
    for number, key, value in data.item_attributes.itertuples(index=False):
        if key not in silent:
            attributes[number].append(value)
    return [
        ". ".join(part for part in (str(title), str(text), ", ".join(known)) if part)[:MAX_CHARACTERS]
        for title, known, text in zip(data.item_titles, attributes, data.item_text, strict=True)
    ]
