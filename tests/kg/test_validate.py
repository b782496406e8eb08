"""Every kind of fault is found, and a sound graph has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kg.build import build
from kg.graph import KnowledgeGraph, empty
from kg.validate import validate
from tests.kg.planted import EXTERNAL, ITEMS, REVIEWS, WordExtractor


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return build(ITEMS, REVIEWS, EXTERNAL, extractor=WordExtractor())


def test_sound_graphs_have_no_faults(graph: KnowledgeGraph) -> None:
    assert validate(graph) == []
    assert validate(empty()) == []


def cell(frame: str, row: int, column: str, value: object) -> Callable[[KnowledgeGraph], KnowledgeGraph]:
    def broken(graph: KnowledgeGraph) -> KnowledgeGraph:
        table = getattr(graph, frame).copy()
        table.loc[table.index[row], column] = value
        return replace(graph, **{frame: table})

    return broken


def array(name: str, index: object, value: float) -> Callable[[KnowledgeGraph], KnowledgeGraph]:
    def broken(graph: KnowledgeGraph) -> KnowledgeGraph:
        values = getattr(graph, name).copy()
        values[index] = value
        return replace(graph, **{name: values})

    return broken


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (cell("entities", 1, "entity", "aspect:black-pick"), "entity id repeated"),
        (cell("entities", 1, "type", ""), "type empty"),
        (array("triples", (0, 2), 10_000), "dangling"),
        (array("triples", (0, 0), -1), "dangling"),
        (array("triples", (1, slice(None)), 0), "out of order"),
        (array("counts", 0, 0), "count not a positive number"),
        (array("counts", 0, np.nan), "count not a positive number"),
        (array("counts", 0, 9), "not its number of sources"),
        (array("polarity", 0, 1.5), "polarity outside"),
        (lambda g: replace(g, provenance=g.provenance.iloc[1:]), "triple without provenance"),
        (cell("provenance", 0, "triple", 10_000), "does not exist"),
        (cell("provenance", 0, "source", "rumour"), "unknown kind"),
        (cell("provenance", -1, "start", 10_000), "outside its review"),
        (cell("mentions", 0, "end", 10_000), "mention outside its review"),
        (cell("mentions", 0, "label", "tune"), "differs from the text"),
        (cell("mentions", 0, "entity_num", 10_000), "entity that does not exist"),
        (cell("mentions", 0, "polarity", -2.0), "mention with polarity outside"),
        (lambda g: replace(g, mentions=g.mentions.iloc[1:]), "no mention of its tail"),
        (lambda g: replace(g, texts={}), "outside its review"),
        (lambda g: replace(g, counts=g.counts[1:]), "disagree"),
        (lambda g: replace(g, relations=(*g.relations, g.relations[0])), "listed twice"),
    ],
)
def test_damage_is_found(graph: KnowledgeGraph, damage: Callable[[KnowledgeGraph], KnowledgeGraph], found: str) -> None:
    assert any(found in problem for problem in validate(damage(graph)))
