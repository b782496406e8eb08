"""RDF dumps beside a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import FormatError
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.settings import KGConfig
from kg.types import ExternalTriples
from tests.read.support import balanced, write

DBR, DBO = "http://dbpedia.org/resource/", "http://dbpedia.org/ontology/"
FILES = {
    "events.csv": "user_id,item_id\nu1,m1\nu2,m2\n",
    "items.csv": 'item_id,title\nm1,"Phantom, The (1996)"\nm2,Heat\n',
    "films.nt": f"<{DBR}The_Phantom> <{DBO}director> <{DBR}Simon> .\nbad\n<{DBR}Heat> <{DBO}director> <{DBR}Mann> .\n",
}


def test_a_dump_in_the_folder_becomes_external_triples_and_a_graph(tmp_path: Path) -> None:
    data = Dataset.load(write(tmp_path, FILES))
    assert data.external.item_entities == {"m1": f"{DBR}The_Phantom", "m2": f"{DBR}Heat"}
    assert [(Path(b.file).name, b.line, b.reason) for b in data.quarantine] == [("films.nt", 2, "not valid RDF")]
    assert balanced(data)
    graph = knowledge_graph(data, KGConfig())
    assert graph.has("item:m1", f"{DBO}director", f"{DBR}Simon")
    assert graph.label(graph.entity_num[f"{DBR}Simon"]) == "Simon"
    assert graph.relation_labels == {f"{DBO}director": "director"}


def test_links_by_hand(tmp_path: Path) -> None:
    links = f"item_id,entity\nm1,\nm2,{DBR}The_Phantom\n"
    data = Dataset.load(write(tmp_path, {**FILES, "links.csv": links}))
    assert data.external.item_entities == {"m2": f"{DBR}The_Phantom"}
    write(tmp_path, {"links.csv": "item,entity\nm1,x\n"})
    with pytest.raises(FormatError, match=r"links\.csv:1: needs a column item_id; found item, entity; rename it"):
        Dataset.load(tmp_path)


def test_a_spec_names_the_dumps(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "other.nt": f"<{DBR}Heat> <{DBO}x> <{DBR}y> .\n", "data.toml": 'graph = ["other.nt"]\n'})
    assert Dataset.load(tmp_path).external.triples == ((f"{DBR}Heat", f"{DBO}x", f"{DBR}y"),)
    assert Dataset.load(tmp_path / "events.csv").external == ExternalTriples()  # without titles nothing is linked
    write(tmp_path, {"data.toml": 'graph = ["absent.nt"]\n'})
    with pytest.raises(FormatError, match=r"data\.toml: graph names 'absent\.nt', which is no file of RDF"):
        Dataset.load(tmp_path)


def test_an_item_keeps_the_entity_that_its_source_gives(tmp_path: Path) -> None:
    write(tmp_path, {n: c for n, c in FILES.items() if n != "events.csv"})
    write(
        tmp_path,
        {
            "x.inter": "user_id:token\titem_id:token\nu1\tm1\nu2\tm2\n",
            "x.item": "item_id:token\ttitle:token_seq\nm1\tPhantom, The (1996)\nm2\tHeat\n",
            "x.kg": "head_id:token\trelation_id:token\ttail_id:token\ne7\tr\te8\n",
            "x.link": "item_id:token\tentity_id:token\nm1\te7\n",
            "data.toml": 'format = "recbole"\n',
        },
    )
    external = Dataset.load(tmp_path).external
    assert external.item_entities == {"m1": "e7", "m2": f"{DBR}Heat"}
    assert external.triples == (
        ("e7", "r", "e8"),
        (f"{DBR}Heat", f"{DBO}director", f"{DBR}Mann"),
        ("e7", f"{DBO}director", f"{DBR}Simon"),
    )
