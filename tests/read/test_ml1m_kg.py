"""MovieLens-1M with a DBpedia graph."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import FormatError
from tests.read.support import balanced, events, item_attributes, titles, user_attributes, write

FILES = {
    "train.txt": "0\t1\t1\t978300019\n1\t0\t1\t978300055\n1\t5\t1\t978300056\n",
    "valid.txt": "0\t0\t1\t978300060\n",
    "test.txt": "1\t1\t1\t978300070\n",
    "user_mapping.txt": "rating_id\tnew_id\n11\t0\n12\t1\n",
    "product_mapping.txt": "rating_id\tnew_id\n761\t0\n1080\t1\n",
    "products.txt": "pid\tname\tprovider_id\tgenre\tpop_item\n761\tPhantom, The (1996)\t4\tAction\t0\n",
    "users.txt": "uid\tgender\tage\n11\tF\tUnder 18\n",
    "kg_final.txt": "entity_head\trelation\tentity_tail\n0\t3\t9\n0\t3\t9\n0\t3\t77\n",
    "e_map.txt": "eid\tname\tentity\n0\tThe_Phantom\thttp://db/The_Phantom\n1\tBrian\thttp://db/Brian\n9\tPulp\thttp://db/Pulp\n",
    "r_map.txt": "id\tkb_relation\tname\n3\thttp://purl/subject\tbelong_to_category\n",
    "i2kg_map.txt": "eid\tpid\tname\tentity\n0\t761\tThe_Phantom\thttp://db/The_Phantom\n1\t1080\tBrian\thttp://db/Brian\n",
}


def test_everything_under_external_ids(tmp_path: Path) -> None:
    data = Dataset.load(write(tmp_path, {f"{n}.gz": gzip.compress(c.encode()) for n, c in FILES.items()}))
    assert events(data) == [
        ("11", "1080", 1.0, 978300019, 0),
        ("11", "761", 1.0, 978300060, 1),
        ("12", "1080", 1.0, 978300070, 2),
        ("12", "761", 1.0, 978300055, 0),
    ]
    assert titles(data) == {"1080": "", "761": "Phantom, The (1996)"}
    assert item_attributes(data) == {("761", "genre", "Action")}
    assert user_attributes(data) == {("11", "gender", "F"), ("11", "age", "Under 18")}
    assert data.external.triples == (("http://db/The_Phantom", "belong_to_category", "http://db/Pulp"),) * 2
    assert data.external.item_entities == {"761": "http://db/The_Phantom", "1080": "http://db/Brian"}
    assert data.external.labels["http://db/The_Phantom"] == "The Phantom"
    assert data.external.labels["belong_to_category"] == "belong to category"
    assert [(Path(b.file).name, b.line, b.reason) for b in data.quarantine] == [
        ("train.txt.gz", 3, "item_id has no entry in product_mapping.txt"),
        ("kg_final.txt.gz", 4, "entity_tail has no entry in e_map.txt"),
    ]
    assert balanced(data)


def test_a_missing_file_and_a_missing_column_are_named(tmp_path: Path) -> None:
    write(tmp_path, {n: c for n, c in FILES.items() if n != "r_map.txt"})
    with pytest.raises(FormatError, match=r"r_map\.txt is missing, which the ml1m_kg format needs"):
        Dataset.load(tmp_path)
    write(tmp_path, {"r_map.txt": "id\tkb_relation\n3\tx\n"})
    with pytest.raises(FormatError, match=r"r_map\.txt:1: no column name; found id, kb_relation"):
        Dataset.load(tmp_path)
