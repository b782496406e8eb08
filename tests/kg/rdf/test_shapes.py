"""The ontology and the shapes: sound graphs conform, every fault is found, and what is left without it can be read."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import OWL, RDF, Graph

from kg.build import build
from kg.errors import KGError
from kg.graph import KnowledgeGraph
from kg.rdf import files, shapes
from kg.rdf.terms import PREFIXES, SCHEMA_TYPES, type_iri
from kg.validate import validate
from tests.conftest import examples
from tests.kg.planted import EXTERNAL, ITEMS, REVIEWS, WordExtractor

FENDER = "<urn:graphrec:entity:brand:fender>"
TONE = "<urn:graphrec:entity:aspect:tone>"
LABEL, TYPE = "<http://www.w3.org/2004/02/skos/core#prefLabel>", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
FLOAT = "<http://www.w3.org/2001/XMLSchema#float>"


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return build(ITEMS, REVIEWS, EXTERNAL, extractor=WordExtractor())


@pytest.fixture
def file(graph: KnowledgeGraph, tmp_path: Path) -> Path:
    files.write(graph, tmp_path / "kg.nq")
    return tmp_path / "kg.nq"


@pytest.mark.parametrize("ending", sorted(files.FORMATS))
def test_a_sound_graph_conforms_in_every_format(graph: KnowledgeGraph, tmp_path: Path, ending: str) -> None:
    files.write(graph, tmp_path / f"kg{ending}")
    report, store = shapes.check(tmp_path / f"kg{ending}")
    assert report.faults == []
    assert report.quads == report.checked == len(store) > 100
    assert not report.sampled


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (f'{FENDER} {LABEL} "Fender" .\n', "", "what has a class is an entity with a label"),
        (f'{FENDER} {LABEL} "Fender" .\n', f'{FENDER} {LABEL} "Fender" .\n{FENDER} {LABEL} "F" .\n', "one label"),
        (f'{TONE} {LABEL} "tone" .', f'{TONE} {LABEL} "tone"@en .', "one label, a plain string"),
        (f"{FENDER} {TYPE} <https://schema.org/Brand> .\n", f"{FENDER} {TYPE} <urn:x> .\n", "leads to a schema:Brand"),
        (f"{TONE} {TYPE} <urn:graphrec:type:aspect> .\n", "", "one class"),
        (f'"0.5"^^{FLOAT} .\n', f'"5"^^{FLOAT} .\n', "in [-1, 1]"),
        (f'"0.5"^^{FLOAT} .\n', '"half" .\n', "in [-1, 1]"),
        (f'<urn:graphrec:count> "2.0"^^{FLOAT}', f'<urn:graphrec:count> "-2.0"^^{FLOAT}', "positive"),
        ("#char=6,10>", "#somewhere>", "<review#char=start,end>"),
        ("wasQuotedFrom>", "hadQuotedFrom>", "one place in a review"),
        ("ns#predicate>", "ns#predicament>", "one predicate"),
        ("<urn:graphrec:review:r1> ", "<urn:elsewhere:r1> ", ""),
    ],
)
def test_each_fault_is_found_and_the_rest_can_be_read(file: Path, old: str, new: str, reason: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    report, store = shapes.check(file)
    assert report.faults
    assert any(reason in fault.reason for fault in report.faults)
    assert all(fault.file == str(file) and fault.triple for fault in report.faults)
    report.write(file.with_name("report.json"))
    assert json.loads(file.with_name("report.json").read_text("utf-8"))["conforms"] is False
    sound = file.with_name("sound.nq")
    left_out = shapes.write_sound(report, store, sound)
    assert len(sound.read_text("utf-8").splitlines()) == report.quads - left_out
    again, _ = shapes.check(sound)
    assert again.faults == []
    assert validate(files.read(sound)) == []


def test_a_wrong_triple_costs_that_triple_alone(file: Path) -> None:
    wrong = f"<urn:graphrec:entity:item:g1> <urn:graphrec:relation:made_by> {TONE} <urn:graphrec:graph:metadata> .\n"
    file.write_text(file.read_text("utf-8") + wrong, "utf-8")
    report, store = shapes.check(file)
    assert [fault.triple for fault in report.faults] == [wrong.rpartition(" <")[0]]
    assert shapes.write_sound(report, store, file.with_name("sound.nq")) == 1
    with pytest.raises(KGError, match=r"needs a format like that of .*; give it one of \.nq, \.trig"):
        shapes.write_sound(report, store, file.with_name("sound.ttl"))


def test_bad_lines_are_set_aside_with_their_number(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join([*lines[:3], "nonsense .\n", *lines[3:], '<urn:a> <urn:b> "open .\n']), "utf-8")
    report, store = shapes.check(file)
    assert [fault.line for fault in report.faults] == [4, len(lines) + 2]
    assert len(store) == len(lines)


def test_a_large_graph_is_sampled(file: Path) -> None:
    report, _ = shapes.check(file, max_quads=100)
    assert report.faults == []
    assert report.sampled
    assert 0 < report.checked < report.quads


def test_every_class_and_relation_of_the_code_is_in_the_ontology(graph: KnowledgeGraph) -> None:
    ontology = Graph().parse(shapes.ONTOLOGY, format="turtle")
    classes = {str(s) for s in ontology.subjects(RDF.type, OWL.Class)}
    assert {type_iri(t) for t in [*SCHEMA_TYPES, "aspect", "user", "external"]} <= classes
    relations = {str(s) for s in ontology.subjects(RDF.type, OWL.ObjectProperty)}
    assert {PREFIXES["rel"] + r for r in ("made_by", "has_aspect", "mentions", "also_buy", "also_view")} <= relations
    named = dict(ontology.namespaces())
    assert all(str(named[p]) == iri for p, iri in PREFIXES.items() if p in named and p != "graph")


@examples(40)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from(sorted(files.FORMATS)))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str) -> None:
    path = tmp_path_factory.mktemp("bytes") / f"kg{ending}"
    path.write_bytes(b"@prefix a: <urn:a:> .\na:b a:c a:d .\n" * (ending in {".ttl", ".trig"}) + content)
    report, store = shapes.check(path)
    assert len(store) == report.quads
    assert all("\n" not in str(fault) for fault in report.faults)
    with suppress(KGError):
        files.read(path)


def test_no_file_no_format(file: Path, tmp_path: Path) -> None:
    with pytest.raises(KGError, match="cannot be written"):
        shapes.check(file)[0].write(tmp_path / "no" / "report.json")
    with pytest.raises(KGError, match="cannot be read"):
        shapes.check(tmp_path / "absent.nq")
    with pytest.raises(KGError, match=r"names no format of RDF; give it one of \.nq, \.trig, \.ttl, \.nt"):
        shapes.check(tmp_path / "kg.xml")
