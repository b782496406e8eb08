"""SPARQL answers, what is refused, and what is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.build import build
from kg.errors import KGError
from kg.graph import KnowledgeGraph
from kg.rdf import files
from kg.rdf.sparql import Endpoint, query
from tests.conftest import examples
from tests.kg.planted import EXTERNAL, ITEMS, REVIEWS, WordExtractor


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return build(ITEMS, REVIEWS, EXTERNAL, extractor=WordExtractor())


@pytest.fixture(scope="module")
def endpoint(graph: KnowledgeGraph) -> Iterator[Endpoint]:
    with Endpoint(graph) as endpoint:
        yield endpoint


def test_select_over_graph_and_file(graph: KnowledgeGraph, endpoint: Endpoint, tmp_path: Path) -> None:
    sparql = "SELECT ?label WHERE { ?i rel:made_by entity:brand%3Afender . ?i skos:prefLabel ?label } ORDER BY ?label"
    sparql = sparql.replace("entity:brand%3Afender", "<urn:graphrec:entity:brand:fender>")
    expected = [{"label": "Fender Player Stratocaster"}, {"label": "Super Bullets"}]
    assert query(graph, sparql) == endpoint.query(sparql) == expected
    for ending in files.FORMATS:
        files.write(graph, tmp_path / f"kg{ending}")
        assert query(tmp_path / f"kg{ending}", sparql) == expected


def test_the_default_graph_holds_each_triple_once(graph: KnowledgeGraph, endpoint: Endpoint) -> None:
    rows = endpoint.query("SELECT (COUNT(*) AS ?n) WHERE { ?s rel:has_aspect ?o }")
    assert rows == [{"n": str(graph.stats()["by_relation"]["has_aspect"])}]


def test_named_graphs_are_the_kinds_of_source(endpoint: Endpoint) -> None:
    rows = endpoint.query("SELECT ?o WHERE { GRAPH graph:external { ?s rel:founded ?o } }")
    assert rows == [{"o": "urn:graphrec:entity:dbr:FMIC"}]


def test_ask_construct_unbound_and_limit(graph: KnowledgeGraph, endpoint: Endpoint) -> None:
    assert endpoint.query("ASK { ?s rel:founded ?o }") == [{"ask": "true"}]
    assert endpoint.query("CONSTRUCT { ?o rel:by ?s } WHERE { ?s rel:founded ?o }") == [
        {
            "subject": "urn:graphrec:entity:dbr:FMIC",
            "predicate": "urn:graphrec:relation:by",
            "object": "urn:graphrec:entity:dbr:Leo",
        }
    ]
    assert endpoint.query("SELECT ?x ?y WHERE { VALUES ?x { 1 } }") == [{"x": "1", "y": ""}]
    assert endpoint.query("SELECT * WHERE { ?s ?p ?o }").complete
    with Endpoint(graph, rows=3) as short:
        rows = short.query("SELECT * WHERE { ?s ?p ?o }")
        assert (len(rows), rows.complete) == (3, False)
        assert short.query("SELECT * WHERE { ?s ?p ?o } LIMIT 3").complete


@pytest.mark.parametrize(
    ("sparql", "message"),
    [
        ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", "only read"),
        ("DELETE WHERE { ?s ?p ?o }", "only read"),
        ("DROP ALL", "only read"),
        ("LOAD <http://example.org/x>", "only read"),
        ("LOAD <file:///etc/passwd> INTO GRAPH <urn:x>", "only read"),
        ("SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "SERVICE"),
        ("ASK { FILTER EXISTS { OPTIONAL { SERVICE SILENT ?g { ?s ?p ?o } } } }", "SERVICE"),
        ("SELECT * { { SELECT ?s { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } } } }", "SERVICE"),
        ("SELECT * WHERE { ?s ?p ?o . # \r SERVICE <http://127.0.0.1:1/> { ?a ?b ?c }\n }", "SERVICE"),
        ("SELECT * FROM <file:///etc/passwd> WHERE { ?s ?p ?o }", "FROM names other data"),
        ("SELECT * FROM NAMED <http://127.0.0.1:1/x> WHERE { GRAPH ?g { ?s ?p ?o } }", "FROM names other data"),
        ("ASK FROM <http://127.0.0.1:1/> { ?s ?p ?o }", "FROM names other data"),
        ("CONSTRUCT { ?s ?p ?o } FROM <http://127.0.0.1:1/> WHERE { ?s ?p ?o }", "FROM names other data"),
        ("DESCRIBE ?s FROM <http://127.0.0.1:1/> WHERE { ?s ?p ?o }", "FROM names other data"),
        ("SELECT * WHERE { ?s ?p }", "SPARQL:1: not a query near column"),
        ("SELECT ?s WHERE { ?s nope:x ?o }", "SPARQL: "),
        ("", "not a query"),
        ("SELECT * WHERE " + "{" * 3000 + "}" * 3000, "SPARQL"),
    ],
)
def test_refused_in_one_line(endpoint: Endpoint, sparql: str, message: str) -> None:
    with pytest.raises(KGError, match=message) as caught:
        endpoint.query(sparql)
    assert "\n" not in str(caught.value)


def test_the_words_are_free(endpoint: Endpoint) -> None:
    assert endpoint.query('SELECT ?s WHERE { ?s ?p "SERVICE FROM <x>" } # SERVICE FROM <x>') == []


def test_a_query_that_takes_too_long_is_stopped_and_the_next_one_answered(graph: KnowledgeGraph) -> None:
    """Five free triples joined would take years."""
    with Endpoint(graph, seconds=0.5) as endpoint:
        with pytest.raises(KGError, match=r"stopped after 0\.5 s; ask for less, or give it more time"):
            endpoint.query("SELECT (COUNT(*) AS ?z) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o }")
        endpoint.seconds = 60.0
        assert endpoint.query("ASK { ?s rel:founded ?o }") == [{"ask": "true"}]


def test_a_query_that_takes_too_much_memory_is_stopped(graph: KnowledgeGraph) -> None:
    doubled = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(26))
    with Endpoint(graph, memory=64 << 20) as endpoint:
        with pytest.raises(KGError, match="memory"):
            endpoint.query(f'SELECT (STRLEN(?x26) AS ?n) WHERE {{ BIND("xxxxxxxx" AS ?x0) {doubled} }}')
        assert endpoint.query("ASK { ?s rel:founded ?o }") == [{"ask": "true"}]


def test_the_process_ends_with_the_endpoint(graph: KnowledgeGraph) -> None:
    endpoint = Endpoint(graph)
    child = endpoint._child
    assert child is not None
    endpoint.close()
    assert child.poll() is not None


WORDS = r"""SELECT ASK CONSTRUCT DESCRIBE WHERE { } ?s ?p ?o * . ; FILTER ( ) SERVICE <http://127.0.0.1:1/> FROM LOAD
    INSERT DATA GRAPH <file:///etc/passwd> "x" # rel:made_by UNION OPTIONAL BIND AS VALUES 1e999 ''' \u0041 ^ + < [ ]
    GROUP ORDER BY COUNT(*) "x"^^<urn:x> 'a'@en-- MINUS EXISTS"""


@examples(150)
@given(st.lists(st.sampled_from([*WORDS.split(), "\n", "\r"]), max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_text_is_answered_or_refused_in_one_line(endpoint: Endpoint, sparql: str) -> None:
    try:
        endpoint.query(sparql)
    except KGError as error:
        found = str(error)
        assert found.startswith("SPARQL")
        assert len(found.splitlines()) == 1


def test_a_bad_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "kg.nq"
    path.write_text("<urn:a> <urn:b> <urn:c> .\n<urn:a> nonsense\n", "utf-8")
    with pytest.raises(KGError, match=r"kg\.nq:2"):
        query(path, "ASK { ?s ?p ?o }")
    with pytest.raises(KGError, match="cannot be read"):
        query(tmp_path / "absent.nq", "ASK { ?s ?p ?o }")
    with pytest.raises(KGError, match="names no format of RDF"):
        query(tmp_path / "kg.xml", "ASK { ?s ?p ?o }")
