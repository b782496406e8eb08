"""Build a knowledge graph from items, training reviews and external triples, with the source of every triple."""

from __future__ import annotations

import hashlib
import html
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from typing import TypeVar

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress

from kg.errors import KGError
from kg.extract import SpacyExtractor
from kg.graph import ENTITY_COLUMNS, MENTION_COLUMNS, PROVENANCE_COLUMNS, KnowledgeGraph, table
from kg.link import gazetteer, link, most_frequent
from kg.names import Phrases, attribute_id, attribute_type, slug, split
from kg.types import BytesCache, ExternalTriples, Extractor, Item, Mention, Review, Span

WRITE_EVERY = 500  # reviews between two writes to the cache
SHOW_AFTER = 2.0  # seconds before a progress bar appears
_STATEMENT = ["head", "relation", "tail", "source", "review_id", "start", "end", "polarity"]
_SURROGATE = re.compile("[\ud800-\udfff]")
T = TypeVar("T")


def build(
    items: Sequence[Item],
    reviews: Sequence[Review],
    external: ExternalTriples = ExternalTriples(),  # noqa: B008 (immutable)
    *,
    extractor: Extractor | None = None,
    cache: BytesCache | None = None,
    min_mentions: int = 2,
    progress: bool = False,
) -> KnowledgeGraph:
    """Everything the items' metadata, these reviews and the external triples say, as one graph.

    Only give training reviews: whatever is in ``reviews`` ends up in the graph. The result does not depend on the
    order of items, reviews or external triples.

    Args:
        extractor: finds spans in review texts; SpacyExtractor by default.
        cache: keeps what the extractor found, written every WRITE_EVERY reviews, so that a killed build resumes.
        min_mentions: what fewer reviews name is dropped, unless the metadata name it.
        progress: show a bar on standard error where extraction takes longer than SHOW_AFTER seconds.

    Relations: item ``has_aspect`` aspect and item ``mentions_<type>`` entity from reviews; user ``mentions`` entity;
    item ``made_by`` brand and item ``has_<key>`` value from metadata; external relations under their own names.

    Raises KGError where two reviews share an id, or an id is not valid Unicode.
    """
    items, reviews = _at_the_door(items, reviews, external)
    spans = extract([r.text for r in reviews], extractor, cache, progress)
    mentions, found_labels = link(items, reviews, [spans.get(r.text, []) for r in reviews], min_mentions)
    by_id = {r.review_id: r for r in reviews}

    statements = pd.concat(
        [_from_reviews(mentions, by_id), _from_metadata(items), _from_external(items, external)], ignore_index=True
    )
    entities: dict[str, tuple[str, str]] = {}
    for triple_entity in pd.unique(pd.concat([statements["head"], statements["tail"]])):
        entities[triple_entity] = (_sound(external.labels.get(triple_entity, triple_entity)), "external")
    entities |= {m.entity: (found_labels[m.entity], m.type) for m in mentions}
    entities |= _attribute_entities(items)
    entities |= {f"user:{by_id[m.review_id].user_id}": (by_id[m.review_id].user_id, "user") for m in mentions}
    for item in items:
        known_as = external.labels.get(external.item_entities.get(item.item_id, ""), "")
        entities[f"item:{item.item_id}"] = (item.title or _sound(known_as) or item.item_id, "item")
    return _assemble(entities, statements, mentions, by_id, external.labels)


def extract(
    texts: Sequence[str], extractor: Extractor | None = None, cache: BytesCache | None = None, progress: bool = False
) -> dict[str, list[Span]]:
    """Text → spans, for each distinct text; cached ones are not extracted again."""
    texts = sorted({t for t in texts if t.strip()})
    if not texts:
        return {}
    extractor = extractor or SpacyExtractor()
    keys = {t: hashlib.sha256(f"{extractor.id}\x00{t}".encode()).hexdigest() for t in texts}
    out: dict[str, list[Span]] = {}
    if cache is not None:
        stored = cache.get_many(list(keys.values()))
        decoded = ((t, _decoded(stored[k])) for t, k in keys.items() if k in stored)
        out = {t: spans for t, spans in decoded if spans is not None}
    missing = [t for t in texts if t not in out]
    if not missing:
        return out
    fresh: dict[str, bytes] = {}
    for text, spans in _shown(zip(missing, extractor.extract(missing), strict=True), len(missing), progress):
        out[text] = spans
        if cache is not None:
            fresh[keys[text]] = _encoded(spans)
            if len(fresh) >= WRITE_EVERY:
                cache.put_many(fresh)
                fresh = {}
    if cache is not None and fresh:
        cache.put_many(fresh)
    return out


def _encoded(spans: Iterable[Span]) -> bytes:
    return json.dumps([[s.start, s.end, s.label, s.type, s.polarity] for s in spans], separators=(",", ":")).encode()


def _decoded(value: bytes) -> list[Span] | None:
    """The spans of a cached value; None for one that is damaged, so that the text is read again."""
    try:
        return [Span(*row) for row in json.loads(value)]
    except (ValueError, TypeError):
        return None


def _shown(rows: Iterable[T], total: int, progress: bool) -> Iterator[T]:
    """The rows, with a bar on standard error once they have taken SHOW_AFTER seconds."""
    begun = time.monotonic()
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task("reading reviews", total=total)
    shown = False
    try:
        for row in rows:
            yield row
            bar.advance(task)
            if progress and not shown and time.monotonic() - begun > SHOW_AFTER:
                bar.start()
                shown = True
    finally:
        if shown:
            bar.stop()


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


def _from_reviews(mentions: Sequence[Mention], reviews: Mapping[str, Review]) -> pd.DataFrame:
    """Two statements per mention: one about the item, one about the user."""
    rows = []
    for m in mentions:
        review = reviews[m.review_id]
        relation = "has_aspect" if m.type == "aspect" else f"mentions_{_relation_name(m.type)}"
        source = ("review", m.review_id, m.start, m.end, m.polarity)
        rows.append((f"item:{review.item_id}", relation, m.entity, *source))
        rows.append((f"user:{review.user_id}", "mentions", m.entity, *source))
    return pd.DataFrame(rows, columns=_STATEMENT)


def _relation_name(key: str) -> str:
    return slug(key).replace("-", "_") or key


def _from_metadata(items: Sequence[Item]) -> pd.DataFrame:
    """Attribute values, and the brand at the beginning of a title where an item has no brand of its own."""
    brands = Phrases({name: entity for name, (type_, entity) in gazetteer(items).items() if type_ == "brand"})
    rows = []
    for item in items:
        pairs = {
            ("made_by" if key == "brand" else f"has_{_relation_name(key)}", attribute_id(key, value))
            for key, value in item.attributes
        }
        if not any(key == "brand" for key, _ in item.attributes):
            start = split(item.title)[:1]
            pairs |= {("made_by", e) for at, _, e in brands.find(item.title, split(item.title)) if at == start[0][0]}
        rows += [(f"item:{item.item_id}", relation, tail, "metadata", "", -1, -1, np.nan) for relation, tail in pairs]
    return pd.DataFrame(rows, columns=_STATEMENT)


def _from_external(items: Sequence[Item], external: ExternalTriples) -> pd.DataFrame:
    """External triples, with the external entity of an item replaced by the item itself."""
    out = pd.DataFrame(external.triples, columns=["head", "relation", "tail"], dtype="str")
    present = {i.item_id for i in items}
    links = sorted((e, f"item:{i}") for i, e in external.item_entities.items() if i in present)
    nodes = pd.DataFrame(links, columns=["entity", "node"], dtype="str")
    for end in ("head", "tail"):
        out = out.merge(nodes, how="left", left_on=end, right_on="entity")
        out[end] = out["node"].fillna(out[end])
        out = out.drop(columns=["entity", "node"])
    return out.assign(source="external", review_id="", start=-1, end=-1, polarity=np.nan)[_STATEMENT]


def _attribute_entities(items: Iterable[Item]) -> dict[str, tuple[str, str]]:
    """Entity id → (its most frequent spelling, its type)."""
    spellings: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for item in items:
        for key, value in item.attributes:
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
