"""LightGCN and KGAT text splits."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset
from graphrec.door.quarantine import Quarantine
from graphrec.read.lightgcn import adjacency
from tests.read.support import balanced, events, write


def test_parts_and_knowledge_graph(tmp_path: Path) -> None:
    files = {
        "train.txt": "0 1 2\n1\n2 10 \n",
        "valid.txt": "0 3\n",
        "test.txt": "0 4 2\n1 1\n",
        "kg_final.txt": "1 0 7\n8 1 10\n3 0 x y\n",
    }
    data = Dataset.load(write(tmp_path, files))
    assert events(data) == [
        ("0", "1", 1.0, 0),
        ("0", "2", 1.0, 0),  # also in test: stays in the training part only
        ("0", "3", 1.0, 1),
        ("0", "4", 1.0, 2),
        ("1", "1", 1.0, 2),
        ("2", "10", 1.0, 0),
    ]
    assert data.quarantine.merged == 1
    assert data.external.triples == (("1", "0", "7"), ("8", "1", "10"))
    assert data.external.item_entities == {"1": "1", "10": "10"}
    assert [(Path(b.file).name, b.line, b.reason) for b in data.quarantine] == [("kg_final.txt", 3, "too many fields")]
    assert balanced(data)


def test_one_file_has_no_parts(tmp_path: Path) -> None:
    write(tmp_path, {"train.txt": "0 1\n", "test.txt": "0 2\n"})
    data = Dataset.load(tmp_path / "train.txt")
    assert data.parts is None
    assert events(data) == [("0", "1", 1.0)]


def test_a_bad_line_is_set_aside(tmp_path: Path) -> None:
    data = Dataset.load(write(tmp_path, {"train.txt": "0 1 2\n1 a 3\n\n2 \xff\n3 -1\n4 5"}))
    assert events(data) == [("0", "1", 1.0, 0), ("0", "2", 1.0, 0), ("4", "5", 1.0, 0)]
    assert [(b.line, b.reason) for b in data.quarantine] == [(n, "not a line of numbers") for n in (2, 4, 5)]


@given(st.lists(st.lists(st.integers(0, 10**12), max_size=5), max_size=12))
def test_adjacency_equals_its_naive_twin(tmp_path_factory, lists) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("a") / "train.txt"
    path.write_text("\n".join(" ".join(map(str, numbers)) for numbers in lists))
    frame = adjacency(path, Quarantine())
    expected = [(n[0], item, line) for line, n in enumerate(lists, 1) for item in n[1:]]
    assert list(frame[["user_id", "item_id", "line"]].itertuples(index=False, name=None)) == expected
