"""What somebody praised or criticised in their own words, with the sentence it stands in."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import beta

from graphrec.explain.quotes import LONGEST, TASTES
from kg.graph import KnowledgeGraph
from kg.text import whole_sentence

EXAMPLES = 3  # sources of each


def said(graph: KnowledgeGraph, user_id: str) -> list[dict[str, Any]]:
    """What a user likes and dislikes by their own reviews, the surest first, as JSON with ``sign`` 1 or -1.

    ``sure``: the probability that they judge it so, by the posterior Beta(1 + n (1 + m) / 2, 1 + n (1 - m) / 2) of n
    judgements with a mean polarity of m in [-1, 1].
    """
    node = graph.entity_num.get(f"user:{user_id}")
    if node is None:
        return []
    rows = np.arange(*np.searchsorted(graph.triples[:, 0], [node, node + 1]))
    signs = [TASTES.get(graph.relations[r], 0) for r in graph.triples[rows, 1].tolist()]
    out = []
    for row, sign in zip(rows.tolist(), signs, strict=True):
        if not sign:
            continue
        aspect = int(graph.triples[row, 2])
        places = graph.provenance[(graph.provenance["triple"] == row).to_numpy()].to_dict("records")
        own = graph.mentions[(graph.mentions["entity_num"] == aspect).to_numpy()]
        at = zip(own["review_id"], own["start"], strict=True)
        felt = dict(zip(at, np.sign(own["polarity"]).tolist(), strict=True))
        judged = [(felt.get((p["review_id"], p["start"]), 0), p) for p in places]
        sources = [_source(graph, p) for f, p in judged if f * sign >= 0] or [_source(graph, p) for p in places]
        n, mean = len(places), sign * float(graph.polarity[row])
        out.append(
            {
                "label": graph.label(aspect),
                "kind": str(graph.entities["type"].iat[aspect]),
                "sign": sign,
                "sure": round(float(beta.sf(0.5, 1 + n * (1 + mean) / 2, 1 + n * (1 - mean) / 2)), 4),
                "by": "words",
                "from": sorted(sources, key=lambda s: "quote" not in s)[:EXAMPLES],
            }
        )
    return sorted(out, key=lambda s: (-s["sure"], s["label"]))


def _source(graph: KnowledgeGraph, place: dict[Any, Any]) -> dict[str, str]:
    """A review by id, and the sentence of it where a whole short one can be quoted."""
    review = str(place["review_id"])
    text, start, end = graph.texts.get(review, ""), int(place["start"]), int(place["end"])
    span = whole_sentence(text, start, end, LONGEST) if 0 <= start < end <= len(text) else None
    return {"review_id": review} | ({"quote": text[slice(*span)]} if span else {})
