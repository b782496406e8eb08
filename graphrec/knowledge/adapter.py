"""The knowledge graph of a training part: what of a Dataset the `kg` package gets to see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

import kg.build
import kg.graph
from graphrec.cluster.engine import LOCAL, Engine, Made
from graphrec.data.attributes import Column, columns_of
from graphrec.data.dataset import Dataset
from graphrec.door.quarantine import Quarantine
from graphrec.features.cache import ContentCache
from graphrec.graph.nodes import nodes
from graphrec.knowledge.overrides import read_overrides
from graphrec.knowledge.spread import Spread
from graphrec.runtime import Runtime
from graphrec.settings import KGConfig
from kg.extract.extractors import Readers, make, of_language
from kg.graph import KnowledgeGraph
from kg.link.choices import Choice
from kg.types import Embed, Extractor, Item, Review, User

HERE = Runtime()


def knowledge_graph(
    train: Dataset,
    settings: KGConfig,
    *,
    extractor: Extractor | None = None,
    embed: Embed | None = None,
    quarantine: Quarantine | None = None,
    runtime: Runtime = HERE,
) -> KnowledgeGraph:
    """Entities, relations and triples from training reviews, metadata of items and users, and external triples.

    # No leakage. ``train.reviews`` holds the reviews of training interactions only, so no other text can enter.
    What an extractor finds in a text is cached on disk by the content of the text; linking is done anew each time.

    Args:
        embed: texts → unit vectors, for telling apart external entities of one name.
        quarantine: takes the bad rows of ``kg.overrides``.
        runtime: how many processes read texts, and whether bars are shown.

    Raises KGError where the extractor, and DataError where the overrides cannot be read.
    """
    if not settings.enabled:
        return kg.graph.empty()
    items, reviews = sources(train)
    reviews, given = _given(reviews, settings, extractor, embed, quarantine, runtime)
    return kg.build.build(items, reviews, train.external, users=known_users(train), progress=runtime.progress, **given)


def links(
    train: Dataset,
    settings: KGConfig,
    *,
    embed: Embed | None = None,
    quarantine: Quarantine | None = None,
    runtime: Runtime = HERE,
) -> list[Choice]:
    """What each form in the reviews was linked to, how and how surely: see ``kg.build.links``."""
    items, reviews = sources(train)
    reviews, given = _given(reviews, settings, None, embed, quarantine, runtime)
    return kg.build.links(items, reviews, train.external, progress=runtime.progress, **given)


def _given(
    reviews: list[Review],
    settings: KGConfig,
    extractor: Extractor | None,
    embed: Embed | None,
    quarantine: Quarantine | None,
    runtime: Runtime,
) -> tuple[list[Review], dict[str, Any]]:
    """The reviews in a language that is read, and what ``kg.build`` takes beside them.

    A model that is named in the settings is trusted to read them all. What nothing reads is left out; the door counts
    and says it (``door.languages``).
    """
    if reviews and extractor is None:
        if settings.extractor == "spacy" and not settings.model:
            readers = Readers([r.text for r in reviews], runtime.processes, partial(_of_language, runtime.engine))
            reviews, extractor = [r for r in reviews if readers.reads(r.text)], readers
        else:
            extractor = make(settings.extractor, settings.model, runtime.processes)
            extractor = _spread(runtime.engine, extractor, make, settings.extractor, settings.model, 1)
    rows = quarantine if quarantine is not None else Quarantine()
    return reviews, {
        "extractor": extractor,
        "cache": ContentCache("mentions") if reviews else None,
        "min_mentions": settings.min_mentions,
        "overrides": read_overrides(settings.overrides, rows) if settings.overrides else None,
        "embed": embed,
    }


def _of_language(engine: Engine, language: str, processes: int) -> Extractor:
    return _spread(engine, of_language(language, processes), of_language, language)


def _spread(engine: Engine, own: Extractor, make: Callable[..., Extractor], *args: Hashable) -> Extractor:
    """The extractor itself where it reads here, with processes of its own."""
    return own if engine is LOCAL else Spread(own, Made(make, args), engine)


def sources(train: Dataset) -> tuple[list[Item], list[Review]]:
    """Items with titles and attributes, and reviews with external ids, as the `kg` package takes them."""
    pairs = _pairs(
        train.item_attributes, columns_of(train.item_attributes, train.n_items, train.item_columns, of="items")
    )
    items = [
        Item(id_, str(title), tuple(pairs[number]))
        for number, (id_, title) in enumerate(zip(train.items.ids, train.item_titles, strict=True))
    ]
    columns = train.reviews[["review_id", "user_num", "item_num", "text", "event"]].itertuples(index=False)
    given = ratings(train)
    return items, [Review(r, train.users.ids[u], train.items.ids[i], t, given[e]) for r, u, i, t, e in columns]


def ratings(train: Dataset) -> list[float | None]:
    """What was given at each event, where the ratings of only one kind are known: scales of several may differ."""
    rated = [number for number, kind in enumerate(train.events.kind_table) if kind.values == "rating"]
    values = train.events.values.astype(np.float64)
    known = (train.events.kinds == rated[0]) & ~np.isnan(values) if len(rated) == 1 else np.zeros(len(values), bool)
    return [value if is_known else None for value, is_known in zip(values.tolist(), known.tolist(), strict=True)]


def known_users(train: Dataset) -> list[User]:
    """Users with attributes, those that may be learned from and say something."""
    columns = columns_of(train.user_attributes, train.n_users, train.user_columns, of="users")
    pairs = _pairs(train.user_attributes, columns)
    return [User(train.users.ids[number], tuple(known)) for number, known in sorted(pairs.items())]


def _pairs(table: pd.DataFrame, columns: Sequence[Column]) -> defaultdict[int, list[tuple[str, str]]]:
    """Number of an item or user → its (key, label) pairs."""
    out: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for number, key, value in nodes(table, columns).itertuples(index=False):
        out[number].append((key, value))
    return out
