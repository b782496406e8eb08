"""N-Quads: nothing is lost, whatever ids and labels hold; bad files are refused with their line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import RdfFormat, parse

from kg.build import build
from kg.errors import KGError
from kg.graph import empty
from kg.rdf import files
from kg.rdf.terms import id_of, iri
from kg.types import ExternalTriples, Item, Review
from tests.conftest import examples
from tests.kg.planted import EXTERNAL, ITEMS, REVIEWS, WordExtractor

odd = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.sampled_from(
    ["a b", "a%20b", "<x>", '"q"', "new\nline", "é", "http://dbpedia.org/resource/X_(film)", "http://a b",
     "urn:graphrec:entity:x", "http://h:port/", "#char=1,2", "item:1", "\\", "\x00", "http://x/%zz"]
)  # fmt: skip


@pytest.mark.parametrize("ending", sorted(files.FORMATS))
def test_planted_graph_survives(tmp_path: Path, ending: str) -> None:
    graph = build(ITEMS, REVIEWS, EXTERNAL, extractor=WordExtractor())
    files.write(graph, tmp_path / f"kg{ending}")
    assert files.read(tmp_path / f"kg{ending}") == graph
    assert [p.name for p in tmp_path.iterdir()] == [f"kg{ending}"]


@pytest.mark.parametrize("ending", sorted(files.FORMATS))
def test_one_relation_with_all_kinds_of_sources(tmp_path: Path, ending: str) -> None:
    """has_aspect from reviews, metadata and outside, on the same triple and on others; a relation of RDF's own."""
    items = [Item("g1", "", (("x", "tone"), ("aspect", "tone"))), Item("g2", "", (("aspect", "low end"),))]
    rdf_type = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    triples = (
        ("item:g1", "has_aspect", "aspect:tone"),
        ("http://e/1", "has_aspect", "http://e/2"),
        ("http://e/1", rdf_type, "http://e/2"),
        ("http://e/1", "http://www.w3.org/2004/02/skos/core#prefLabel", "http://e/2"),
    )
    graph = build(items, REVIEWS, ExternalTriples(triples, {"g2": "http://e/1"}), extractor=WordExtractor())
    assert set(graph.provenance["source"]) == {"review", "metadata", "external"}
    files.write(graph, tmp_path / f"kg{ending}")
    assert files.read(tmp_path / f"kg{ending}") == graph


def test_empty_graph_survives(tmp_path: Path) -> None:
    files.write(empty(), tmp_path / "kg.nq")
    assert files.read(tmp_path / "kg.nq") == empty()


@examples(40)
@given(ids=st.lists(odd, min_size=1, max_size=3, unique=True), labels=st.lists(odd, min_size=5, max_size=5))
def test_odd_ids_and_labels_survive(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], labels: list[str]
) -> None:
    title, key, value, relation, text = labels
    items = [Item(i, title, ((key, value), ("brand", value))) for i in ids]
    reviews = [Review(f"{i}{n}", i, i, f"{text} tone {value}") for n, i in enumerate(ids)]
    external = ExternalTriples(
        ((ids[0], relation, value), (value, key, ids[-1])), {ids[0]: ids[-1]}, {value: title, relation: text}
    )
    graph = build(items, reviews, external, extractor=WordExtractor(), min_mentions=1)
    folder = tmp_path_factory.mktemp("rdf")
    for ending in files.FORMATS:
        files.write(graph, folder / f"kg{ending}")
        assert files.read(folder / f"kg{ending}") == graph


@given(odd)
def test_iris_are_reversible_and_valid(id_: str) -> None:
    assert id_of(iri(id_)) == id_
    assert id_of(iri(id_, "rel"), "rel") == id_


def test_terms_are_the_usual_ones(tmp_path: Path) -> None:
    files.write(build(ITEMS, REVIEWS, EXTERNAL, extractor=WordExtractor()), tmp_path / "kg.nq")
    lines = (tmp_path / "kg.nq").read_text("utf-8").splitlines()
    fender = "<urn:graphrec:entity:brand:fender>"
    made = f"<urn:graphrec:entity:item:s1> <urn:graphrec:relation:made_by> {fender} <urn:graphrec:graph:metadata> ."
    assert f'{fender} <http://www.w3.org/2004/02/skos/core#prefLabel> "Fender" .' in lines
    assert f"{fender} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://schema.org/Brand> ." in lines
    assert made in lines
    assert any("prov#wasDerivedFrom> <urn:graphrec:review:r1#char=6,10>" in line for line in lines)
    assert len(list(parse(path=str(tmp_path / "kg.nq"), format=RdfFormat.N_QUADS))) == len(lines)


def test_no_user_name_leaves(tmp_path: Path) -> None:
    """Users are known by their ids alone: a Review has no field for a name, and none can reach the file."""
    assert not hasattr(Review("r", "u", "i", "t"), "user_name")
    files.write(build(ITEMS, REVIEWS, extractor=WordExtractor()), tmp_path / "kg.nq")
    users = [
        line
        for line in (tmp_path / "kg.nq").read_text("utf-8").splitlines()
        if line.startswith("<urn:graphrec:entity:user:ann>")
    ]
    literals = [line for line in users if '"' in line]
    assert [line.split('"')[1] for line in literals] == ["ann"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<urn:a> <http://www.w3.org/2004/02/skos/core#prefLabel> "a" .\nnonsense .\n', r"kg\.nq:2: not valid N-Quads"),
        ('<urn:a> <urn:b> "open .\n', r"kg\.nq:1: not valid N-Quads"),
        ("<urn:a> <urn:b> <urn:c> .\n", "not part of a graphrec knowledge graph"),
        ("<urn:a> <urn:b> <urn:c> <urn:graphrec:graph:external> .\n", "incomplete, urn:a is not described"),
        ("<urn:graphrec:mention:x> <urn:graphrec:entity> <urn:c> .\n", "not part of"),
        ("<urn:graphrec:mention:1> <urn:graphrec:entity> <urn:c> .\n", "incomplete"),
        ("<urn:graphrec:statement:1> <urn:graphrec:count> \"1\" .\n", "incomplete"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "kg.nq"
    path.write_text(content, "utf-8")
    with pytest.raises(KGError, match=message) as caught:
        files.read(path)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(KGError, match="cannot be read"):
        files.read(tmp_path / "absent.nq")
    with pytest.raises(KGError, match="cannot be written"):
        files.write(empty(), tmp_path / "no" / "kg.nq")
    with pytest.raises(KGError, match=r"names no format of RDF; give it one of \.nq, \.trig, \.ttl, \.nt"):
        files.write(empty(), tmp_path / "kg.csv")
