"""Whatever lies in a folder: an answer or one line that explains, never a traceback."""

from __future__ import annotations

import contextlib
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset
from graphrec.errors import DataError, EmptyDataError, FormatError, GraphrecError
from tests.conftest import examples
from tests.read.support import balanced, events, jsonl, write

ROWS = [
    {
        "reviewerID": f"u{n % 50}",
        "asin": f"i{n // 50}",
        "overall": 4.0,
        "unixReviewTime": 1393545600 + n,
        "reviewText": f"Text number {n}, which is good.",
    }
    for n in range(3000)
]
GOOD = json.dumps(ROWS[0])


def test_no_such_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        Dataset.load(tmp_path / "nowhere")


def test_an_unknown_folder_is_described(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no known format; found an empty folder; known are amazon, recbole"):
        Dataset.load(tmp_path)
    write(tmp_path, {"x.xml": "<a/>", "sub/y.txt": "z"})
    with pytest.raises(FormatError, match=r"found sub/, x\.xml; known are .*data\.toml"):
        Dataset.load(tmp_path)
    with pytest.raises(FormatError, match=r"found the file x\.xml"):
        Dataset.load(tmp_path / "x.xml")


@pytest.mark.parametrize("name", ["r.json", "r.jsonl", "train.txt", "e.csv", "m.inter", "u.data", "e.parquet"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: b""})
    for source in (tmp_path, tmp_path / name):
        with pytest.raises(EmptyDataError, match=f"{name}: nothing in the file"):
            Dataset.load(source)


@pytest.mark.parametrize(
    ("name", "content"),
    [("e.csv", "user_id,item_id\n"), ("m.inter", "user_id:token\titem_id:token\n"), ("train.txt", "0\n1\n")],
)
def test_a_header_and_nothing_else(tmp_path: Path, name: str, content: str) -> None:
    write(tmp_path, {name: content, "data.toml": 'format = "lightgcn"\n' if name == "train.txt" else ""})
    with pytest.raises(EmptyDataError, match="no rows"):
        Dataset.load(tmp_path)


def test_two_formats(tmp_path: Path) -> None:
    write(tmp_path, {"r.json": GOOD, "m.inter": "user_id:token\titem_id:token\na\tb\n"})
    with pytest.raises(FormatError) as caught:
        Dataset.load(tmp_path)
    assert "two formats match, amazon (r.json) and recbole (m.inter)" in str(caught.value)
    assert "data.toml" in str(caught.value)
    assert events(Dataset.load(tmp_path / "m.inter")) == [("a", "b", 1.0)]
    write(tmp_path, {"data.toml": 'format = "amazon"\n'})
    assert len(Dataset.load(tmp_path).interactions) == 1


def test_a_truncated_gzip_keeps_what_came_before(tmp_path: Path) -> None:
    packed = gzip.compress(jsonl(ROWS).encode())
    write(tmp_path, {"r.json.gz": packed[: len(packed) // 2]})
    data = Dataset.load(tmp_path)
    n = len(data.interactions)
    assert 500 < n < 2500
    assert [(b.line, b.reason) for b in data.quarantine] == [(n + 1, "the compressed file breaks off")]
    assert balanced(data)


def test_a_gzip_of_which_nothing_can_be_read(tmp_path: Path) -> None:
    write(tmp_path, {"r.json.gz": gzip.compress(jsonl(ROWS).encode())[:12]})
    for source in (tmp_path, tmp_path / "r.json.gz"):
        with pytest.raises(EmptyDataError):
            Dataset.load(source)


def test_one_bad_line_among_thousands(tmp_path: Path) -> None:
    content = jsonl(ROWS).splitlines()
    content[1234] = '{"reviewerID": "u1", '
    data = Dataset.load(write(tmp_path, {"r.json": "\n".join(content)}))
    assert len(data.interactions) == 2999
    assert [(b.file, b.line, b.reason) for b in data.quarantine] == [(str(tmp_path / "r.json"), 1235, "not valid JSON")]
    assert "1 set aside: 1 × not valid JSON; first: " in data.quarantine.summary()


def test_a_line_that_is_not_utf_8(tmp_path: Path) -> None:
    data = Dataset.load(write(tmp_path, {"r.json": b'{"reviewerID": "\xe9"}\n' + GOOD.encode()}) / "r.json")
    assert [(b.line, b.reason) for b in data.quarantine] == [(1, "not UTF-8")]
    table = b"user_id,item_id\n" + b"".join(b"u%d,i\n" % n for n in range(2000)) + b"\xe9,i\n"
    (tmp_path / "c").mkdir()
    data = Dataset.load(write(tmp_path / "c", {"e.csv": table}))
    assert len(data.interactions) == 2000
    assert [(b.line, b.reason) for b in data.quarantine] == [(2002, "not UTF-8")]


def test_every_line_bad(tmp_path: Path) -> None:
    write(tmp_path, {"r.json": "{}\n{}\nnot json\n"})
    with pytest.raises(EmptyDataError) as caught:
        Dataset.load(tmp_path / "r.json")
    message = str(caught.value)
    assert "none of 3 rows can be used; most often: user_id is missing (2 rows)" in message
    assert f"first: {tmp_path / 'r.json'}:1: user_id is missing" in message
    assert "\n" not in message


def test_ratings_that_are_none(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "asin": f"x{n}", "overall": value} for n, value in enumerate((float("nan"), 0, 6, None, 1))]
    data = Dataset.load(write(tmp_path, {"r.json": jsonl(rows)}))
    assert [(b.line, b.reason) for b in data.quarantine] == [
        (1, "rating is missing"),
        (2, "rating out of range (1 to 5)"),
        (3, "rating out of range (1 to 5)"),
        (4, "rating is missing"),
    ]


def test_a_text_of_a_megabyte(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "reviewText": "x" * 1_000_000}, ROWS[1]]
    data = Dataset.load(write(tmp_path, {"r.json": jsonl(rows)}))
    assert [(b.line, b.reason, b.found) for b in data.quarantine] == [
        (1, "text is longer than 100,000 characters", "1,000,000 characters")
    ]
    write(tmp_path / "c", {"e.csv": "user_id,item_id,review\na,b," + "x" * 1_000_000 + "\na,c,short\n"})
    data = Dataset.load(tmp_path / "c")
    assert [(b.line, b.found) for b in data.quarantine] == [(2, "1,000,000 characters")]


def test_no_text_no_times_no_friends(tmp_path: Path) -> None:
    rows = [{"reviewerID": "u", "asin": f"i{n}", "overall": 3.0} for n in range(3)]
    data = Dataset.load(write(tmp_path, {"r.json": jsonl(rows)}))
    assert data.reviews.empty
    assert not data.has_times
    assert data.social_edge_index.shape == (2, 0)


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    write(tmp_path, {"e.parquet": b"PAR1 and then nothing", "data.toml": 'format = "csv"\nfile = "e.parquet"\n'})
    with pytest.raises(GraphrecError, match=r"e\.parquet"):
        Dataset.load(tmp_path)


@given(st.binary(max_size=300))
@examples(100)
def test_arbitrary_bytes_beside_a_good_line(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.mktemp("n") / "r.jsonl"
    path.write_bytes(noise + b"\n" + GOOD.encode() + b"\n")
    data = Dataset.load(path)
    assert ("u0", "i0") in [e[:2] for e in events(data)]
    assert balanced(data)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("train.txt", b"0 1 2"),
        ("e.csv", b"user_id,item_id,rating,timestamp,review\na,b,3,2014-01-01,fine"),
        ("e.tsv", b"user_id\titem_id\na\tb"),
        ("m.inter", b"user_id:token\titem_id:token\trating:float\na\tb\t3"),
        ("u.data", b"1\t2\t3\t881250949"),
        ("ratings.dat", b"1::2::3::881250949"),
        ("r.json.gz", GOOD.encode()),
    ],
)
@given(noise=st.binary(max_size=120))
@examples(25)
def test_arbitrary_bytes_behind_a_good_row(
    tmp_path_factory: pytest.TempPathFactory, name: str, good: bytes, noise: bytes
) -> None:
    path = tmp_path_factory.mktemp("n") / name
    path.write_bytes((gzip.compress(good + b"\n") if name.endswith(".gz") else good + b"\n") + noise)
    with contextlib.suppress(GraphrecError):
        assert balanced(Dataset.load(path))
