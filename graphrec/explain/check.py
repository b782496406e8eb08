"""Checks an explanation against the data and the graph that it speaks of, independently of how it was found."""

from __future__ import annotations

import math

import numpy as np

from graphrec.data.dataset import Dataset
from graphrec.types import Evidence, Explanation, Step
from kg.graph import KnowledgeGraph


def check(explanation: Explanation, data: Dataset, graph: KnowledgeGraph) -> list[str]:
    """Everything in an explanation that does not hold, one line each; empty if all of it holds.

    Held: blocks sum to the score; each path leads from the user to the item over steps that exist; each quote is a
    verbatim part of a review that is the source of one of the path's triples.
    """
    problems = []
    total, largest = sum(explanation.blocks.values()), max(map(abs, explanation.blocks.values()), default=0.0)
    if not math.isclose(total, explanation.score, rel_tol=1e-4, abs_tol=1e-4 * largest):
        problems.append(f"blocks sum to {total:.6g}, the score is {explanation.score:.6g}")
    for n, evidence in enumerate(explanation.evidence, 1):
        found = _path_problems(explanation, evidence.path, data, graph) + _quote_problems(evidence, graph)
        problems += [f"evidence {n} ({evidence.kind}): {problem}" for problem in found]
    return problems


def holds(explanation: Explanation, data: Dataset, graph: KnowledgeGraph) -> tuple[list[bool], list[bool]]:
    """Of each step of each path whether it exists, and of each quote whether it is verbatim and from the path."""
    steps = [_exists(step, data, graph) for evidence in explanation.evidence for step in evidence.path]
    quotes = [not _quote_problems(evidence, graph) for evidence in explanation.evidence if evidence.source]
    return steps, quotes


def _path_problems(explanation: Explanation, path: tuple[Step, ...], data: Dataset, graph: KnowledgeGraph) -> list[str]:
    problems = [f"no such step: {_show(step)}" for step in path if not _exists(step, data, graph)]
    here = f"user:{explanation.user_id}"
    for step in path:  # a step may be walked against its direction
        if here not in (step.head, step.tail):
            return [*problems, f"the path breaks at {here}: the next step is {_show(step)}"]
        here = step.tail if here == step.head else step.head
    if here != f"item:{explanation.item_id}" or not path:
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
        return bool((data.social_edge_index == pair[:, None]).all(axis=0).any())
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
