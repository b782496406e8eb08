"""Structural checks of a knowledge graph: what `graphrec kg validate` reports."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from kg.graph import SOURCES, KnowledgeGraph

SHOWN = 5  # examples of one kind of problem; the rest are counted


def validate(graph: KnowledgeGraph) -> list[str]:
    """Every kind of fault with its number and first examples, one line each; empty for a sound graph.

    Checked: ids unique, numbers inside the tables, triples distinct and sorted, every triple with provenance and a
    matching count, spans inside their review, mentions equal to the text they point at, values finite and in range.
    """
    return list(_problems(graph))


def _report(what: str, rows: npt.NDArray[np.int64]) -> Iterator[str]:
    if len(rows):
        shown = ", ".join(map(str, rows[:SHOWN].tolist()))
        yield f"{len(rows):,} × {what}: row {shown}" + (", …" if len(rows) > SHOWN else "")


def _where(mask: npt.ArrayLike) -> npt.NDArray[np.int64]:
    return np.flatnonzero(np.asarray(mask)).astype(np.int64)


def _problems(graph: KnowledgeGraph) -> Iterator[str]:
    n_entities, n_triples = len(graph.entities), len(graph.triples)
    ids = graph.entities["entity"]
    yield from _report("entity id repeated", _where(ids.duplicated()))
    yield from _report("entity id or type empty", _where((ids == "") | (graph.entities["type"] == "")))
    if len(set(graph.relations)) < len(graph.relations):
        yield "a relation is listed twice"

    if graph.triples.shape != (n_triples, 3) or len(graph.counts) != n_triples or len(graph.polarity) != n_triples:
        yield f"triples {graph.triples.shape}, counts {graph.counts.shape} and polarity {graph.polarity.shape} disagree"
        return
    limits = np.array([n_entities, len(graph.relations), n_entities])
    yield from _report(
        "triple with a dangling number", _where(((graph.triples < 0) | (graph.triples >= limits)).any(1))
    )
    before, after = graph.triples[:-1], graph.triples[1:]
    differs = before != after
    first = np.argmax(differs, axis=1)
    rises = (
        differs.any(1)
        & (np.take_along_axis(after, first[:, None], 1) > np.take_along_axis(before, first[:, None], 1)).ravel()
    )
    yield from _report("triple repeated or out of order", _where(~rises) + 1)
    yield from _report("count not a positive number", _where(~(np.isfinite(graph.counts) & (graph.counts > 0))))
    yield from _report("triple with polarity outside [-1, 1]", _where(~(np.abs(graph.polarity) <= 1)))
    yield from _provenance(graph, n_triples)
    yield from _mentions(graph, n_entities)


def _provenance(graph: KnowledgeGraph, n_triples: int) -> Iterator[str]:
    rows = graph.provenance
    triple = rows["triple"].to_numpy(np.int64)
    inside = (triple >= 0) & (triple < n_triples)
    yield from _report("provenance of a triple that does not exist", _where(~inside))
    yield from _report("provenance of unknown kind", _where(~rows["source"].isin(SOURCES)))
    sources = rows[inside].drop_duplicates(["triple", "source", "review_id"])["triple"].to_numpy(np.int64)
    behind = np.bincount(sources, minlength=n_triples)
    yield from _report("triple without provenance", _where(behind == 0))
    yield from _report(
        "triple whose count is not its number of sources", _where((behind > 0) & (behind != graph.counts))
    )
    review = (rows["source"] == "review").to_numpy()
    yield from _report("provenance outside its review", _where(review & ~_inside_text(graph, rows)))
    placed = (rows["start"] != -1) | (rows["end"] != -1) | (rows["review_id"] != "")
    yield from _report("span on a source that is no review", _where(~review & placed.to_numpy()))

    tails = graph.triples[np.where(inside, triple, 0), 2] if n_triples else np.zeros(len(rows), np.int64)
    spans = ["review_id", "start", "end"]
    said = pd.MultiIndex.from_frame(rows[spans].assign(entity=tails))
    known = pd.MultiIndex.from_frame(graph.mentions[spans].assign(entity=graph.mentions["entity_num"]))
    yield from _report("provenance that is no mention of its tail", _where(review & inside & ~said.isin(known)))


def _mentions(graph: KnowledgeGraph, n_entities: int) -> Iterator[str]:
    rows = graph.mentions
    number = rows["entity_num"].to_numpy(np.int64)
    yield from _report("mention of an entity that does not exist", _where((number < 0) | (number >= n_entities)))
    yield from _report("mention with polarity outside [-1, 1]", _where(~(rows["polarity"].abs() <= 1)))
    inside = _inside_text(graph, rows)
    yield from _report("mention outside its review", _where(~inside))
    quoted = rows[["review_id", "start", "end", "label"]].itertuples(index=False)
    wrong = [
        ok and graph.texts[review_id][start:end] != label
        for ok, (review_id, start, end, label) in zip(inside, quoted, strict=True)
    ]
    yield from _report("mention that differs from the text it points at", _where(wrong))


def _inside_text(graph: KnowledgeGraph, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each row's span lies in its review and is not empty."""
    length = rows["review_id"].map({k: len(v) for k, v in graph.texts.items()}).fillna(-1).to_numpy(np.int64)
    start, end = rows["start"].to_numpy(np.int64), rows["end"].to_numpy(np.int64)
    inside: npt.NDArray[np.bool_] = (start >= 0) & (start < end) & (end <= length)
    return inside
