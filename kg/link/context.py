"""Entities found in text → entities of an external graph, by label and, where several or none are sure, by context."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from kg.names import fold
from kg.text import sentence_around
from kg.types import PLAIN, Embed, ExternalTriples, Mention

CONTEXTS = 5  # sentences around an entity that are compared
NEIGHBOURS = 20  # triples around an external entity that describe it
LIKE = 0.25  # cosine from which a context speaks for a candidate
BY_LABEL = 0.7  # confidence in a label that only one external entity has, without contexts to compare


def external_entities(
    mentions: Sequence[Mention],
    labels: Mapping[str, str],
    texts: Mapping[str, str],
    external: ExternalTriples,
    embed: Embed | None = None,
) -> dict[str, tuple[str, float]]:
    """Entity → (external entity, confidence) for names that an external entity is called by.

    With ``embed``, sentences around the mentions are compared with what the external graph says of each candidate, in
    words: confidence is the cosine of the means, and below LIKE there is no link. Without it only a label that one
    external entity alone has is linked, with confidence BY_LABEL.

    Args:
        labels: entity → its most frequent surface form. texts: review_id → text.
    """
    called: defaultdict[str, set[str]] = defaultdict(set)
    items = set(external.item_entities.values())
    for id_ in {e for head, _, tail in external.triples for e in (head, tail)} - items:
        if key := fold(external.labels.get(id_, "")):
            called[key].add(id_)
    wanted: defaultdict[str, list[Mention]] = defaultdict(list)
    for m in mentions:
        if m.type not in PLAIN and fold(labels[m.entity]) in called:
            wanted[m.entity].append(m)
    candidates = {entity: sorted(called[fold(labels[entity])]) for entity in sorted(wanted)}
    if embed is None:
        return {entity: (found[0], BY_LABEL) for entity, found in candidates.items() if len(found) == 1}

    described = _descriptions({id_ for found in candidates.values() for id_ in found}, external)
    out = {}
    for entity, found in candidates.items():
        sentences = [_sentence(m, texts) for m in wanted[entity][:CONTEXTS]]
        vectors = np.asarray(embed([*sentences, *(described[id_] for id_ in found)]), np.float64)
        context = vectors[: len(sentences)].mean(axis=0)
        context /= max(float(np.linalg.norm(context)), 1e-9)
        cosine = vectors[len(sentences) :] @ context  # (candidates,)
        best = int(np.argmax(cosine))
        if cosine[best] >= LIKE:
            out[entity] = (found[best], round(float(min(cosine[best], 1.0)), 3))
    return out


def _sentence(mention: Mention, texts: Mapping[str, str]) -> str:
    text = texts[mention.review_id]
    start, end = sentence_around(text, mention.start, mention.end)
    return text[start:end]


def _descriptions(ids: set[str], external: ExternalTriples) -> dict[str, str]:
    """External entity → its label and its first NEIGHBOURS triples in words."""
    said: defaultdict[str, list[str]] = defaultdict(list)

    def word(id_: str) -> str:
        return external.labels.get(id_, id_).replace("_", " ")

    for head, relation, tail in sorted(external.triples):
        for one, other in ((head, tail), (tail, head)):
            if one in ids and len(said[one]) < NEIGHBOURS:
                said[one].append(f"{word(relation)} {word(other)}")
    return {id_: ". ".join([word(id_), *said[id_]]) for id_ in ids}
