"""A graph without what some reviews and users said: every statement has its source, so it can be taken back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from kg.graph import ENTITY_COLUMNS, MENTION_COLUMNS, PROVENANCE_COLUMNS, KnowledgeGraph, table
from kg.names import most_frequent


def without(graph: KnowledgeGraph, reviews: Collection[str], users: Collection[str] = ()) -> KnowledgeGraph:
    """The graph without these reviews (ids) and users (ids): their mentions, texts and nodes, the triples that they
    alone supplied, and their part in the number and the polarity of the sources of others. A name that nobody else
    spelled so is spelled as the others do.

    What was settled from all reviews together stays: what a name means, and that it was named often enough. ``build``
    from the reviews that are left settles that anew.
    """
    gone = set(reviews)
    nodes = graph.entities["entity"].isin([f"user:{user}" for user in users]).to_numpy()  # (N,)
    heads, relations, tails = graph.triples.T
    of = graph.provenance["triple"].to_numpy(np.int64)
    theirs = (nodes[heads] | nodes[tails])[of] | graph.provenance["review_id"].isin(gone).to_numpy()
    said = graph.mentions["review_id"].isin(gone).to_numpy()
    if not (theirs.any() or said.any() or nodes.any() or gone & graph.texts.keys()):
        return graph
    provenance, mentions = graph.provenance[~theirs], graph.mentions[~said]
    kept = np.bincount(provenance["triple"], minlength=len(graph)) > 0  # (T,)
    fewer = kept & (np.bincount(of[theirs], minlength=len(graph)) > 0)
    counts, polarity = graph.counts.copy(), graph.polarity.copy()
    sources = provenance.drop_duplicates(["triple", "source", "review_id"])
    counts[fewer] = np.bincount(sources["triple"], minlength=len(graph))[fewer]
    polarity[fewer] = _polarity(graph, provenance[fewer[provenance["triple"]]], mentions)[fewer]

    named = np.zeros(len(nodes), bool)
    for numbers in (heads[kept], tails[kept], mentions["entity_num"].to_numpy(np.int64)):
        named[numbers] = True
    before = np.zeros(len(nodes), bool)
    for numbers in (heads, tails, graph.mentions["entity_num"].to_numpy(np.int64)):
        before[numbers] = True
    stays = ~nodes & (named | ~before)  # what nothing was said of was there without
    entity, triple = (np.cumsum(mask) - 1 for mask in (stays, kept))
    heard = np.unique(relations[kept])
    names = [graph.relations[number] for number in heard.tolist()]
    triples = np.stack([entity[heads[kept]], np.searchsorted(heard, relations[kept]), entity[tails[kept]]], axis=1)
    return replace(
        graph,
        entities=table(ENTITY_COLUMNS, _spelled(graph, mentions, said)[stays].reset_index(drop=True)),
        relations=tuple(names),
        triples=triples.astype(np.int64),
        counts=counts[kept],
        polarity=polarity[kept],
        provenance=_renumbered(provenance, "triple", triple, PROVENANCE_COLUMNS),
        mentions=_renumbered(mentions, "entity_num", entity, MENTION_COLUMNS),
        texts={id_: text for id_, text in graph.texts.items() if id_ not in gone},
        relation_labels={name: label for name, label in graph.relation_labels.items() if name in set(names)},
    )


def _renumbered(rows: pd.DataFrame, column: str, number: npt.NDArray[np.int64], columns: list[str]) -> pd.DataFrame:
    found = rows.assign(**{column: number[rows[column].to_numpy(np.int64)]})
    return table(columns, found.reset_index(drop=True))


def _polarity(graph: KnowledgeGraph, provenance: pd.DataFrame, mentions: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The mean polarity of what these rows say, of each triple, float32 (T,), 0 where they say nothing."""
    rows = provenance[provenance["source"] == "review"]
    rows = rows.assign(entity_num=graph.triples[rows["triple"].to_numpy(np.int64), 2])
    place = ["review_id", "start", "end", "entity_num"]
    found = rows.merge(mentions[[*place, "polarity"]], on=place)
    n = len(graph)
    total = np.bincount(found["triple"], weights=found["polarity"].to_numpy(np.float64), minlength=n)
    return (total / np.maximum(np.bincount(found["triple"], minlength=n), 1)).astype(np.float32)


def _spelled(graph: KnowledgeGraph, mentions: pd.DataFrame, said: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """The entities; those whose label only what goes spelled so have the most frequent of the other spellings."""
    entities = graph.entities.copy()
    lost = graph.mentions[said].drop_duplicates(["entity_num", "label"])
    labels = entities["label"].to_numpy(object).copy()
    theirs = lost[lost["label"].to_numpy(object) == labels[lost["entity_num"].to_numpy(np.int64)]]
    told = graph.provenance.loc[graph.provenance["source"] != "review", "triple"].to_numpy(np.int64)
    theirs = theirs[~theirs["entity_num"].isin(graph.triples[told, 2])]  # metadata spell it too
    others = mentions[mentions["entity_num"].isin(theirs["entity_num"])]
    for number in others["entity_num"].unique().tolist():
        spellings = others.loc[others["entity_num"] == number, "label"].tolist()
        if labels[number] not in spellings:
            labels[number] = most_frequent(spellings)
    return entities.assign(label=labels)
