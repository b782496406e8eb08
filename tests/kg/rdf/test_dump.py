"""Dumps of other graphs: links by title, triples around what is linked, and bad lines set aside."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import KGError
from kg.rdf.dump import LINKED, link, name, read_dumps
from kg.rdf.parse import statements
from kg.types import ExternalTriples
from tests.conftest import examples, shared_data

DBR, DBO = "http://dbpedia.org/resource/", "http://dbpedia.org/ontology/"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
DUMP = f"""\
<{DBR}The_Phantom_(1996_film)> <{LABEL}> "The Phantom (1996 film)"@en .
<{DBR}The_Phantom_(1996_film)> <{LABEL}> "Das Phantom"@de .
<{DBR}The_Phantom_(1996_film)> <{DBO}musicComposer> <{DBR}David_Newman> .
<{DBR}The_Phantom_(1996_film)> <{DBO}runtime> "100"^^<http://www.w3.org/2001/XMLSchema#double> .
<{DBR}The_Phantom_(1996_film)> <http://www.w3.org/2002/07/owl#sameAs> <http://www.wikidata.org/entity/Q1> .
<{DBR}The_Phantom_(1996_film)> <{DBO}based> _:b .
<{DBR}The_Phantom_(1931_film)> <{LABEL}> "The Phantom (1931 film)"@en .
nonsense
<{DBR}David_Newman> <{LABEL}> "David Newman (composer)"@en .
<{DBR}David_Newman> <{DBO}birthPlace> <{DBR}Los_Angeles> .
<{DBR}Lee_Falk> <{DBO}notableWork> <{DBR}The_Phantom_(1996_film)> .
<relative> <{DBO}x> <{DBR}y> .
"""
Fault = tuple[str, int, str]  # file, line, reason
PHANTOM = f"{DBR}The_Phantom_(1996_film)"


def load(
    path: Path, titles: dict[str, str], chosen: dict[str, str] | None = None
) -> tuple[ExternalTriples, list[Fault]]:
    faults: list[Fault] = []
    found = read_dumps([path], titles, chosen or {}, lambda p, line, reason: faults.append((p.name, line, reason)))
    return found, faults


@pytest.mark.parametrize("packed", [False, True])
def test_a_planted_dump(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("d.nt.gz" if packed else "d.nt")
    path.write_bytes(gzip.compress(DUMP.encode()) if packed else DUMP.encode())
    found, faults = load(path, {"761": "Phantom, The (1996)", "5": "Another"})
    assert found.item_entities == {"761": PHANTOM}
    assert found.triples == (
        (f"{DBR}Lee_Falk", f"{DBO}notableWork", PHANTOM),
        (PHANTOM, f"{DBO}musicComposer", f"{DBR}David_Newman"),
    )
    assert found.labels[f"{DBR}David_Newman"] == "David Newman (composer)"
    assert found.labels[f"{DBR}Lee_Falk"] == "Lee Falk"
    assert found.labels[f"{DBO}musicComposer"] == "music composer"
    assert [(k.item_id, k.entity, k.label, k.confidence) for k in found.links] == [
        ("761", PHANTOM, "The Phantom (1996 film)", 1.0)
    ]
    assert [(where, line) for where, line, _ in faults] == [(path.name, 8), (path.name, 12)]


def test_choices_by_hand_come_first(tmp_path: Path) -> None:
    (tmp_path / "d.nt").write_text(DUMP, "utf-8")
    titles = {"761": "Phantom, The (1996)", "5": "Another", "6": "David Newman"}
    chosen = {"761": "", "5": f"{DBR}Lee_Falk", "unknown": f"{DBR}x"}
    found, _ = load(tmp_path / "d.nt", titles, chosen)
    assert found.item_entities == {"5": f"{DBR}Lee_Falk", "6": f"{DBR}David_Newman"}


def test_names_of_relations_in_wikidata(tmp_path: Path) -> None:
    wd, wdt = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
    text = f"""@prefix wd: <{wd}> . @prefix wdt: <{wdt}> . @prefix l: <{LABEL[:-5]}> .
        wd:Q1 l:label "Kind of Blue"@en ; wdt:P175 wd:Q2 . wd:Q2 l:label "Miles Davis"@en . wd:P175 l:label "performer"@en .
    """  # noqa: E501
    (tmp_path / "d.ttl").write_text(text, "utf-8")
    found, faults = load(tmp_path / "d.ttl", {"a": "Kind of Blue"})
    assert found.triples == ((f"{wd}Q1", f"{wdt}P175", f"{wd}Q2"),)
    assert found.labels == {f"{wd}Q1": "Kind of Blue", f"{wd}Q2": "Miles Davis", f"{wdt}P175": "performer"}
    assert faults == []


@pytest.mark.parametrize(
    ("title", "labels", "expected"),
    [
        ("Titanic (1997)", ["Titanic (1953 film)", "Titanic (1997 film)", "Titanic"], ("1", 1.0)),
        ("Titanic (1997)", ["Titanic (1953 film)"], ("0", 0.2)),
        ("Titanic", ["RMS Titanic", "Titanic"], ("1", 1.0)),
        ("Titanic", ["Titanic (ship)", "Titanic (film)"], ("0", 0.35)),
        ("Matrix, The (1999)", ["The Matrix"], ("0", 0.8)),
        ("LOW-END", ["low end"], ("0", 1.0)),
        ("Café", ["Cafe"], None),
        ("", [""], None),
        ("(500)", ["(500)"], ("0", 1.0)),
    ],
)
def test_confidence(title: str, labels: list[str], expected: tuple[str, float] | None) -> None:
    found = link({"i": title}, [(str(n), label) for n, label in enumerate(labels)])
    assert [(k.entity, k.confidence) for k in found] == ([expected] if expected else [])


def test_real_titles_find_their_entities_in_dbpedia() -> None:
    """Against the published map of MovieLens to DBpedia, by titles and addresses alone."""
    from graphrec.data.dataset import Dataset

    data = Dataset.load(shared_data("ml1m_kg"))
    gold = data.external.item_entities
    titles = dict(zip(data.items.ids, map(str, data.item_titles), strict=True))
    labels = [(e, e.rpartition("/")[2].replace("_", " ")) for e in data.external.labels if e.startswith("http")]
    used = {k.item_id: k.entity for k in link(titles, labels) if k.confidence >= LINKED}
    right = sum(gold.get(item) == entity for item, entity in used.items())
    assert right / len(used) > 0.97
    assert right / len(gold) > 0.75


@given(st.text(max_size=30))
def test_any_title(text: str) -> None:
    key, year, rest = name(text)
    assert all(isinstance(part, str) for part in (key, year, rest))
    assert link({"i": text}, [("e", text)]) == [] or link({"i": text}, [("e", text)])[0].confidence == 1


PIECES = """<urn:a> "x" . [ ] ( ) @base <http://127.0.0.1:1/> @en <file:///etc/passwd> ''' ; , a _:b <rel> @prefix a:"""


@examples(60)
@given(
    st.binary(max_size=80) | st.lists(st.sampled_from([*PIECES.split(), "\n"])).map(" ".join).map(str.encode),
    st.sampled_from([".nt", ".nq", ".ttl", ".trig", ".nt.gz", ".ttl.gz"]),
    st.booleans(),
)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str, packed: bool) -> None:
    path = tmp_path_factory.mktemp("d") / f"d{ending}"
    path.write_bytes(gzip.compress(content) if packed and ending.endswith(".gz") else content)
    faults: list[tuple[int, str]] = []
    try:
        found = list(statements(path, lambda line, reason: faults.append((line, reason))))
    except KGError as error:
        assert "not a gzip" in str(error).lower() or "cannot be read" in str(error)  # noqa: PT017
        return
    assert all(line >= 1 and "\n" not in reason for line, reason in faults)
    assert all(s.subject is not None for s in found)


def test_long_lines_and_broken_files(tmp_path: Path) -> None:
    good = b"<urn:a> <urn:b> <urn:c> .\n"
    (tmp_path / "d.nt").write_bytes(good + b'<urn:a> <urn:b> "' + b"x" * (2 << 20) + b'" .\n' + good)
    faults: list[tuple[int, str]] = []
    assert len(list(statements(tmp_path / "d.nt", lambda *f: faults.append(f)))) == 2
    assert faults == [(2, "longer than 1,048,576 bytes")]
    whole = gzip.compress(b"".join(b"<urn:a> <urn:b> <urn:%d> .\n" % n for n in range(50_000)))
    (tmp_path / "e.nt.gz").write_bytes(whole[: len(whole) // 2])
    faults.clear()
    assert 0 < len(list(statements(tmp_path / "e.nt.gz", lambda *f: faults.append(f)))) < 50_000
    assert "breaks off" in faults[-1][1]
    with pytest.raises(KGError, match="cannot be read"):
        list(statements(tmp_path / "absent.nt", lambda *_: None))
