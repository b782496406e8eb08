"""Build a knowledge graph from items, training reviews and external triples, with the source of every triple."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pandas as pd

from kg.errors import KGError
from kg.extract.reading import extract
from kg.graph import ENTITY_COLUMNS, MENTION_COLUMNS, PROVENANCE_COLUMNS, KnowledgeGraph, table
from kg.link.choices import Choice, Override, choices, overridden
from kg.link.context import external_entities
from kg.link.entities import link
from kg.names import attribute_id, attribute_type, most_frequent
from kg.relations import compared, from_external, from_metadata, from_reviews, from_users
from kg.types import VERDICT, BytesCache, Embed, ExternalTriples, Extractor, Item, Mention, Review, Span, User

_SURROGATE = re.compile("[\ud800-\udfff]")


def build(
    items: Sequence[Item],
    reviews: Sequence[Review],
    external: ExternalTriples = ExternalTriples(),  # noqa: B008 (immutable)
    *,
    users: Sequence[User] = (),
    extractor: Extractor | None = None,
    cache: BytesCache | None = None,
    min_mentions: int = 2,
    overrides: Mapping[str, Override] | None = None,
    embed: Embed | None = None,
    progress: bool = False,
) -> KnowledgeGraph:
    """Everything the items' metadata, these reviews and the external triples say, as one graph.

    Only give training reviews: whatever is in ``reviews`` ends up in the graph. The result does not depend on the
    order of items, reviews, users or external triples.

    Args:
        users: those of whom more is known than their reviews.
        extractor, cache, progress: see ``kg.extract.reading.extract``.
        min_mentions: what fewer reviews name is dropped, unless the metadata name it.
        overrides: form → what a person says that it means.
        embed: texts → unit vectors, by which names are told apart that external entities share (kg.link.context), and
            aspects from other nouns (kg.extract.termhood).

    Relations: item ``has_aspect`` aspect (``mentions_aspect`` where the text does not say that it is the item's),
    ``has_attribute`` attribute, ``used_for`` use, ``mentions_<type>`` of what else is named, ``compared_with`` item;
    user ``mentions`` entity, ``likes`` or ``dislikes`` aspect; item ``made_by`` brand and ``has_<key>`` value from
    metadata, of users too; external relations under their own names.

    Raises KGError where two reviews share an id, or an id is not valid Unicode.
    """
    items, reviews = _at_the_door(items, reviews, external)
    users = _known_users(users)
    spans = extract([r.text for r in reviews], extractor, cache, progress, embed, _ratings(reviews))
    mentions, labels = _linked(items, reviews, external, spans, min_mentions, overrides or {}, embed)
    mentions = sorted([*mentions, *compared(items, reviews)], key=lambda m: (m.review_id, m.start, m.end, m.entity))
    by_id = {r.review_id: r for r in reviews}

    statements = pd.concat(
        [from_reviews(mentions, by_id), from_metadata(items), from_users(users), from_external(items, external)],
        ignore_index=True,
    )
    entities: dict[str, tuple[str, str]] = {}
    for triple_entity in pd.unique(pd.concat([statements["head"], statements["tail"]])):
        entities[triple_entity] = (_sound(external.labels.get(triple_entity, triple_entity)), "external")
    entities |= {m.entity: (labels[m.entity], m.type) for m in mentions if m.type != "item"}
    entities |= _attribute_entities([*items, *users])
    named = {by_id[m.review_id].user_id for m in mentions if m.type != "item"} | {u.user_id for u in users}
    entities |= {f"user:{user}": (user, "user") for user in named}
    for item in items:
        known_as = external.labels.get(external.item_entities.get(item.item_id, ""), "")
        entities[f"item:{item.item_id}"] = (item.title or _sound(known_as) or item.item_id, "item")
    return _assemble(entities, statements, mentions, by_id, external.labels)


def links(
    items: Sequence[Item],
    reviews: Sequence[Review],
    external: ExternalTriples = ExternalTriples(),  # noqa: B008 (immutable)
    *,
    extractor: Extractor | None = None,
    cache: BytesCache | None = None,
    min_mentions: int = 2,
    overrides: Mapping[str, Override] | None = None,
    embed: Embed | None = None,
    progress: bool = False,
) -> list[Choice]:
    """What each form was linked to in the graph that ``build`` makes of the same arguments."""
    items, reviews = _at_the_door(items, reviews, external)
    spans = extract([r.text for r in reviews], extractor, cache, progress, embed, _ratings(reviews))
    return choices(_linked(items, reviews, external, spans, min_mentions, overrides or {}, embed)[0])


def _ratings(reviews: Sequence[Review]) -> dict[str, float]:
    """Text → its rating, the mean where several reviews say the same."""
    known: defaultdict[str, list[float]] = defaultdict(list)
    for review in reviews:
        if review.rating is not None:
            known[review.text].append(review.rating)
    return {text: sum(given) / len(given) for text, given in known.items()}


def _linked(
    items: Sequence[Item],
    reviews: Sequence[Review],
    external: ExternalTriples,
    spans: Mapping[str, list[Span]],
    min_mentions: int,
    overrides: Mapping[str, Override],
    embed: Embed | None,
) -> tuple[list[Mention], dict[str, str]]:
    """The mentions of entities, and each entity's label."""
    named = [[s for s in spans.get(r.text, []) if s.type != VERDICT] for r in reviews]
    mentions, labels = link(items, reviews, named, min_mentions)
    texts = {r.review_id: r.text for r in reviews}
    outside = external_entities(mentions, labels, texts, external, embed)
    if outside:
        mentions = [
            replace(m, entity=outside[m.entity][0], how="external", confidence=min(m.confidence, outside[m.entity][1]))
            if m.entity in outside
            else m
            for m in mentions
        ]
        labels |= {found: _sound(external.labels[found]) for found, _ in outside.values()}
    return overridden(mentions, overrides, labels) if overrides else (mentions, labels)


def _sound(text: str) -> str:
    """Half a surrogate pair is no character and cannot be stored; it becomes U+FFFD, of equal length."""
    return _SURROGATE.sub("�", text)


def _at_the_door(
    items: Iterable[Item], reviews: Iterable[Review], external: ExternalTriples
) -> tuple[list[Item], list[Review]]:
    """Sorted, one Item per id (also for items that only reviews know), storable text."""
    titles: defaultdict[str, set[str]] = defaultdict(set)
    attributes: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for item in items:
        titles[item.item_id].add(_sound(item.title))
        attributes[item.item_id].update((_sound(k), _sound(v.strip())) for k, v in item.attributes if v.strip())
    checked = sorted((replace(r, text=_sound(r.text)) for r in reviews), key=lambda r: r.review_id)
    for before, after in pairwise(checked):
        if before.review_id == after.review_id:
            raise KGError(f"two reviews have the id {after.review_id!r}; give every review its own id")
    for review in checked:
        titles[review.item_id].add("")
    review_ids = ((r.review_id, r.user_id) for r in checked)
    for id_ in chain(titles, *review_ids, *external.triples, external.item_entities.values()):
        if _SURROGATE.search(id_):
            raise KGError(f"the id {id_!r} is not valid Unicode; correct it in the source")
    merged = [
        Item(id_, min((t for t in titles[id_] if t), default=""), tuple(sorted(attributes[id_])))
        for id_ in sorted(titles)
    ]
    return merged, checked


def _known_users(users: Iterable[User]) -> list[User]:
    """Sorted, one User per id, with storable values; those of whom nothing is known are left out."""
    attributes: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for user in users:
        attributes[user.user_id].update((_sound(k), _sound(v.strip())) for k, v in user.attributes if v.strip())
    if wrong := next(filter(_SURROGATE.search, attributes), None):
        raise KGError(f"the id {wrong!r} is not valid Unicode; correct it in the source")
    return [User(id_, tuple(sorted(attributes[id_]))) for id_ in sorted(attributes) if attributes[id_]]


def _attribute_entities(known: Iterable[Item | User]) -> dict[str, tuple[str, str]]:
    """Entity id → (its most frequent spelling, its type)."""
    spellings: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one in known:
        for key, value in one.attributes:
            spellings[attribute_id(key, value), attribute_type(key)].append(html.unescape(value))
    return {entity: (most_frequent(values), type_) for (entity, type_), values in spellings.items()}


def _assemble(
    entities: Mapping[str, tuple[str, str]],
    statements: pd.DataFrame,
    mentions: Sequence[Mention],
    reviews: Mapping[str, Review],
    labels: Mapping[str, str],
) -> KnowledgeGraph:
    """Number and sort everything; statements of the same triple become one triple with several sources."""
    ids = pd.Index(sorted(entities), dtype="str")
    relations = pd.Index(sorted(set(statements["relation"])), dtype="str")
    n, r = max(len(ids), 1), max(len(relations), 1)
    head, tail = (ids.get_indexer(pd.Index(statements[c])) for c in ("head", "tail"))
    code = (head.astype(np.int64) * r + relations.get_indexer(pd.Index(statements["relation"]))) * n + tail
    codes, triple = np.unique(code, return_inverse=True)
    triples = np.stack([codes // n // r, codes // n % r, codes % n], axis=1).astype(np.int64)  # (T, 3)

    rows = statements.assign(triple=triple)
    order = ["triple", "source", "review_id", "start", "end"]
    provenance = rows[order].drop_duplicates().sort_values(order, kind="stable")
    sources = provenance.drop_duplicates(["triple", "source", "review_id"])
    counts = np.bincount(sources["triple"], minlength=len(codes)).astype(np.float32)
    said = rows[rows["source"] == "review"]
    heard = np.bincount(said["triple"], minlength=len(codes))
    total = np.bincount(said["triple"], weights=said["polarity"].to_numpy(np.float64), minlength=len(codes))

    number = {entity: i for i, entity in enumerate(ids)}
    cited = sorted({m.review_id for m in mentions})
    return KnowledgeGraph(
        entities=table(
            ENTITY_COLUMNS,
            {
                "entity": list(ids),
                "label": [entities[e][0] for e in ids],
                "type": [entities[e][1] for e in ids],
            },
        ),
        relations=tuple(relations),
        triples=triples,
        counts=counts,
        polarity=(total / np.maximum(heard, 1)).astype(np.float32),
        provenance=table(PROVENANCE_COLUMNS, {c: provenance[c].to_numpy() for c in order}),
        mentions=table(
            MENTION_COLUMNS,
            {
                "entity_num": [number[m.entity] for m in mentions],
                **{c: [getattr(m, c) for m in mentions] for c in MENTION_COLUMNS[1:]},
            },
        ),
        texts={id_: reviews[id_].text for id_ in cited},
        relation_labels={r: labels[r] for r in relations if r in labels},
    )
