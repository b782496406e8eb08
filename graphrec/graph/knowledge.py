"""The knowledge graph of a training part: what of a Dataset the `kg` package gets to see."""

from __future__ import annotations

import kg.build
import kg.extract
import kg.graph
from graphrec.config import KGConfig
from graphrec.data.dataset import Dataset
from graphrec.features.cache import ContentCache
from kg.graph import KnowledgeGraph
from kg.types import Extractor, Item, Review


def knowledge_graph(
    train: Dataset, settings: KGConfig, *, extractor: Extractor | None = None, progress: bool = False
) -> KnowledgeGraph:
    """Entities, relations and triples from training reviews, item metadata and external triples.

    # No leakage. ``train.reviews`` holds the reviews of training interactions only, so no other text can enter.
    What an extractor finds in a text is cached on disk by the content of the text; linking is done anew each time.
    """
    if not settings.enabled:
        return kg.graph.empty()
    items, reviews = sources(train)
    if reviews and extractor is None:
        extractor = kg.extract.SpacyExtractor()
    return kg.build.build(
        items,
        reviews,
        train.external,
        extractor=extractor,
        cache=ContentCache("mentions") if reviews else None,
        min_mentions=settings.min_mentions,
        progress=progress,
    )


def sources(train: Dataset) -> tuple[list[Item], list[Review]]:
    """Items with titles and attributes, and reviews with external ids, as the `kg` package takes them."""
    attributes: list[list[tuple[str, str]]] = [[] for _ in train.items.ids]
    for number, key, value in train.item_attributes.itertuples(index=False):
        attributes[number].append((key, value))
    items = [
        Item(id_, str(title), tuple(pairs))
        for id_, title, pairs in zip(train.items.ids, train.item_titles, attributes, strict=True)
    ]
    columns = train.reviews[["review_id", "user_num", "item_num", "text"]].itertuples(index=False)
    return items, [Review(r, train.users.ids[u], train.items.ids[i], t) for r, u, i, t in columns]
