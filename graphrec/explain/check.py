"""Checks an explanation against the data and the graph that it speaks of, independently of how it was found."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from graphrec.data.dataset import Dataset
from graphrec.types import Evidence, Explanation, Source, Step
from kg.graph import KnowledgeGraph


def check(explanation: Explanation, data: Dataset, graph: KnowledgeGraph, history: Collection[str] = ()) -> list[str]:
    """Everything in an explanation that does not hold, one line each; empty if all of it holds.

    ``history``: ids of what its reader took beside what the data holds.

    Held: blocks sum to the score; each path leads from the user to the item over steps that exist, or to the history
    item that its share is of, where more would tell of few people; each quote is a verbatim part of a review that is
    the source of one of the path's triples. Of a public explanation (``names``), that one person can stand for each
    mark, and one review for each quote.
    """
    explanation = _unmarked(explanation, data, graph)
    own = {(f"user:{explanation.user_id}", f"item:{item}") for item in history}
    problems = []
    total, largest = sum(explanation.blocks.values()), max(map(abs, explanation.blocks.values()), default=0.0)
    if not math.isclose(total, explanation.score, rel_tol=1e-4, abs_tol=1e-4 * largest):
        problems.append(f"blocks sum to {total:.6g}, the score is {explanation.score:.6g}")
    for n, evidence in enumerate(explanation.evidence, 1):
        found = _path_problems(explanation, evidence, data, graph, own) + _quote_problems(evidence, graph)
        problems += [f"evidence {n} ({evidence.kind}): {problem}" for problem in found]
    return problems


def holds(explanation: Explanation, data: Dataset, graph: KnowledgeGraph) -> tuple[list[bool], list[bool]]:
    """Of each step of each path whether it exists, and of each quote whether it is verbatim and from the path."""
    explanation = _unmarked(explanation, data, graph)
    steps = [_exists(step, data, graph) for evidence in explanation.evidence for step in evidence.path]
    quotes = [not _quote_problems(evidence, graph) for evidence in explanation.evidence if evidence.source]
    return steps, quotes


def _unmarked(explanation: Explanation, data: Dataset, graph: KnowledgeGraph) -> Explanation:
    """With somebody in the place of each mark of whom all steps hold, and a review in that of each marked one.

    A mark that stands for nobody stays, and its steps are found not to exist.
    """
    steps = [step for evidence in explanation.evidence for step in evidence.path]
    marks = {node for step in steps for node in (step.head, step.tail) if _is_mark(node, data)}
    people = {mark: _somebody(mark, steps, explanation.user_id, data, graph) for mark in marks}
    found = tuple(
        replace(e, path=tuple(_with(step, people) for step in e.path), source=_source(e, graph))
        for e in explanation.evidence
    )
    return replace(explanation, evidence=found)


def _somebody(mark: str, steps: list[Step], reader: str, data: Dataset, graph: KnowledgeGraph) -> str:
    """The first user but the reader who took all items that the mark took, said all that it said and is the friend that
    it is, else the mark."""
    own = int(data.users.numbers([reader], missing="-1")[0])
    fits = np.delete(np.arange(data.n_users), [own] if own >= 0 else [])
    taken = data.interactions
    for step in steps:
        if step.head == mark and step.relation == "interacted":
            item = int(data.items.numbers([step.tail.removeprefix("item:")], missing="-1")[0])
            fits = np.intersect1d(fits, taken.user_nums[taken.item_nums == item])
        elif step.tail == mark and step.relation == "friend":
            source, target = data.social_edge_index  # who is heard may be trusted, or trust (``query.hearing``)
            fits = np.intersect1d(fits, np.concatenate([target[source == own], source[target == own]]))
        elif step.head == mark:
            said = [graph.has(f"user:{data.users.ids[user]}", step.relation, step.tail) for user in fits.tolist()]
            fits = fits[np.array(said, bool)]
    return f"user:{data.users.ids[fits[0]]}" if len(fits) else mark


def _is_mark(node: str, data: Dataset) -> bool:
    return node.startswith(("user:somebody-", "user:friend-")) and node.removeprefix("user:") not in data.users


def _with(step: Step, nodes: Mapping[str, str]) -> Step:
    return replace(step, head=nodes.get(step.head, step.head), tail=nodes.get(step.tail, step.tail))


def _source(evidence: Evidence, graph: KnowledgeGraph) -> Source | None:
    """The source of a quote; of a marked review one that is at the source of the path and holds the quote."""
    source = evidence.source
    if source is None or not source.review_id.startswith("review-") or source.review_id in graph.texts:
        return source
    holding = (Source(r, source.quote) for r, text in graph.texts.items() if source.quote in text)
    return next((s for s in holding if not _quote_problems(replace(evidence, source=s), graph)), source)


def _path_problems(
    explanation: Explanation, evidence: Evidence, data: Dataset, graph: KnowledgeGraph, own: set[tuple[str, str]]
) -> list[str]:
    path = evidence.path
    alone = evidence.kind == "history" and [step.relation for step in path] == ["interacted"]
    further = [step.relation == "interacted" and (step.head, step.tail) in own for step in path]
    missing = [s for s, known in zip(path, further, strict=True) if not (known or _exists(s, data, graph))]
    problems = [f"no such step: {_show(step)}" for step in missing]
    here = f"user:{explanation.user_id}"
    for step in path:  # a step may be walked against its direction
        if here not in (step.head, step.tail):
            return [*problems, f"the path breaks at {here}: the next step is {_show(step)}"]
        here = step.tail if here == step.head else step.head
    if (here != f"item:{explanation.item_id}" and not alone) or not path:
        problems.append(f"the path ends at {here}, not at item:{explanation.item_id}")
    return problems


def _exists(step: Step, data: Dataset, graph: KnowledgeGraph) -> bool:
    user, item = step.head.removeprefix("user:"), step.tail.removeprefix("item:")
    if step.relation == "interacted" and step.head.startswith("user:") and step.tail.startswith("item:"):
        if user not in data.users or item not in data.items:
            return False
        taken = data.interactions.user_nums == data.users.number(user)
        return bool((data.interactions.item_nums[taken] == data.items.number(item)).any())
    friend = step.tail.removeprefix("user:")
    if step.relation == "friend" and step.head.startswith("user:") and step.tail.startswith("user:"):
        if user not in data.users or friend not in data.users:
            return False
        pair = data.users.numbers([user, friend])
        return any(bool((data.social_edge_index == way[:, None]).all(axis=0).any()) for way in (pair, pair[::-1]))
    return graph.has(step.head, step.relation, step.tail)


def _quote_problems(evidence: Evidence, graph: KnowledgeGraph) -> list[str]:
    if evidence.source is None:
        return []
    review, quote = evidence.source.review_id, evidence.source.quote
    if not quote or quote not in graph.texts.get(review, ""):
        return [f"the quote is not in review {review}"]
    triples = [
        (graph.entity_num[step.head], graph.relation_num[step.relation], graph.entity_num[step.tail])
        for step in evidence.path
        if graph.has(step.head, step.relation, step.tail)
    ]
    rows = graph.provenance["triple"].to_numpy(np.int64)[(graph.provenance["review_id"] == review).to_numpy()]
    if not any((graph.triples[rows] == triple).all(axis=1).any() for triple in triples):
        return [f"review {review} is the source of no triple on the path"]
    return []


def _show(step: Step) -> str:
    return f"{step.head} –{step.relation}→ {step.tail}"
