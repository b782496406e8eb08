"""SPARQL answers, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import rdf
from kg.build import build
from kg.errors import KGError
from kg.graph import KnowledgeGraph
from kg.sparql import query
from tests.kg.planted import EXTERNAL, ITEMS, REVIEWS, WordExtractor


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return build(ITEMS, REVIEWS, EXTERNAL, extractor=WordExtractor())


def test_select_over_graph_and_file(graph: KnowledgeGraph, tmp_path: Path) -> None:
    sparql = "SELECT ?label WHERE { ?i rel:made_by entity:brand%3Afender . ?i skos:prefLabel ?label } ORDER BY ?label"
    sparql = sparql.replace("entity:brand%3Afender", "<urn:graphrec:entity:brand:fender>")
    expected = [{"label": "Fender Player Stratocaster"}, {"label": "Super Bullets"}]
    rdf.write(graph, tmp_path / "kg.nq")
    assert query(graph, sparql) == query(tmp_path / "kg.nq", sparql) == expected


def test_the_default_graph_holds_each_triple_once(graph: KnowledgeGraph) -> None:
    rows = query(graph, "SELECT (COUNT(*) AS ?n) WHERE { ?s rel:has_aspect ?o }")
    assert rows == [{"n": str(graph.stats()["by_relation"]["has_aspect"])}]


def test_named_graphs_are_the_kinds_of_source(graph: KnowledgeGraph) -> None:
    rows = query(graph, "SELECT ?o WHERE { GRAPH graph:external { ?s rel:founded ?o } }")
    assert rows == [{"o": "urn:graphrec:entity:dbr:FMIC"}]


def test_ask_construct_unbound_and_limit(graph: KnowledgeGraph) -> None:
    assert query(graph, "ASK { ?s rel:founded ?o }") == [{"ask": "true"}]
    assert query(graph, "CONSTRUCT { ?o rel:by ?s } WHERE { ?s rel:founded ?o }") == [
        {
            "subject": "urn:graphrec:entity:dbr:FMIC",
            "predicate": "urn:graphrec:relation:by",
            "object": "urn:graphrec:entity:dbr:Leo",
        }
    ]
    assert query(graph, "SELECT ?x ?y WHERE { VALUES ?x { 1 } }") == [{"x": "1", "y": ""}]
    assert len(query(graph, "SELECT * WHERE { ?s ?p ?o }", limit_rows=3)) == 3


@pytest.mark.parametrize(
    ("sparql", "message"),
    [
        ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", "only read"),
        ("DELETE WHERE { ?s ?p ?o }", "only read"),
        ("DROP ALL", "only read"),
        ("LOAD <http://example.org/x>", "only read"),
        ("SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "SERVICE"),
        ("ASK { FILTER EXISTS { OPTIONAL { SERVICE SILENT ?g { ?s ?p ?o } } } }", "SERVICE"),
        ("SELECT * { { SELECT ?s { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } } } }", "SERVICE"),
        ("SELECT * WHERE { ?s ?p ?o . # \r SERVICE <http://127.0.0.1:1/> { ?a ?b ?c }\n }", "SERVICE"),
        ("SELECT * WHERE { ?s ?p }", "SPARQL:1: not a query near column"),
        ("SELECT ?s WHERE { ?s nope:x ?o }", "SPARQL: "),
        ("", "not a query"),
        ("SELECT * WHERE " + "{" * 3000 + "}" * 3000, "SPARQL"),
    ],
)
def test_refused_in_one_line(graph: KnowledgeGraph, sparql: str, message: str) -> None:
    with pytest.raises(KGError, match=message) as caught:
        query(graph, sparql)
    assert "\n" not in str(caught.value)


def test_the_word_service_is_free(graph: KnowledgeGraph) -> None:
    assert query(graph, 'SELECT ?s WHERE { ?s ?p "SERVICE" } # SERVICE') == []


def test_a_bad_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "kg.nq"
    path.write_text("<urn:a> <urn:b> <urn:c> .\n<urn:a> nonsense\n", "utf-8")
    with pytest.raises(KGError, match=r"kg\.nq:2"):
        query(path, "ASK { ?s ?p ?o }")
    with pytest.raises(KGError, match="cannot be read"):
        query(tmp_path / "absent.nq", "ASK { ?s ?p ?o }")
