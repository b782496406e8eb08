"""How files are written down is found out by proof, and they are read accordingly."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.door.check import check_events
from graphrec.door.quarantine import Quarantine
from graphrec.errors import DataError, FormatError, GraphrecError
from graphrec.read.forms import Form, find_form, read_table, sample
from tests.conftest import examples
from tests.read.support import write


def found(tmp_path: Path, content: str | bytes, name: str = "a.csv", **given: Any) -> Form:
    return find_form(write(tmp_path, {name: content}) / name, given)


def rows(path: Path, quarantine: Quarantine | None = None, **given: Any) -> list[tuple[Any, ...]]:
    """Every row as it is read, its line last."""
    q = Quarantine() if quarantine is None else quarantine
    frame = read_table(path, find_form(path, given), q).drop(columns="file")
    return list(frame.itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("content", "sep", "names"),
    [
        ("user_id,item_id\n1,2\n", ",", ()),
        ("user_id;item_id;price\n1;2;4,5\n3;4;5,5\n", ";", ()),
        ("user_id|title\n1|a, b\n2|c\n", "|", ()),
        ("user_id\ttitle\n1\ta, b\n2\tc, d\n", "\t", ()),
        ("a,b;c,d\n1,2;3,4\n1,2;3,4\n", ",", ()),  # more fields
        ("1::2::3::978300760\n1::3::4::978302109\n", "::", ("1", "2", "3", "4")),
        ("1 104 3\n1 118 1\n2  104 5\n", "", ("1", "2", "3")),
        ("1\t2\t3\n4\t5\t6\n", "\t", ("1", "2", "3")),
        ("A100,0205616461,5.0,1369699200\nA101,0558925278,3.0,1355443200\n", ",", ("1", "2", "3", "4")),
        ("1,4,5\n1,5,5\n", ",", ("1", "2", "3")),
        ("1 2 4,5\n1 3 3,5\n", "", ("1", "2", "3")),
        ("名前,商品\n1,2\n", ",", ()),  # words above numbers
        ("follower,followed\nC01,C02\nC03,C01\n", ",", ()),
        ("wer,wen\nC01,C02\nC03,C01\n", ",", ()),  # no known name, but not of the ids' shape
        ("C01,C02\nC03,C01\nC01,C09\n", ",", ("1", "2")),
        ("anna,tea\nbert,tea\nanna,milk\n", ",", ("1", "2")),  # comes again below
    ],
)
def test_separator_and_header_by_proof(tmp_path: Path, content: str, sep: str, names: tuple[str, ...]) -> None:
    form = found(tmp_path, content)
    assert (form.sep, form.names) == (sep, names)


def test_what_nothing_proves_is_asked_with_the_lines_to_write(tmp_path: Path) -> None:
    content = "anna,tea\nbert,milk\n"
    with pytest.raises(FormatError, match=r'a\.csv:1: cannot tell .*\[\[events\]\] file = "a\.csv" and header = true'):
        found(tmp_path, content)
    assert found(tmp_path, content, header=True).names == ()
    assert found(tmp_path, content, header=False).names == ("1", "2")
    assert found(tmp_path, content, names=("user_id", "item_id")).names == ("user_id", "item_id")


def test_what_is_said_comes_first(tmp_path: Path) -> None:
    form = found(tmp_path, "# made by hand\nuser_id;x,item_id\na;b,c\n", sep=";", skip=1, encoding="latin-1")
    assert (form.sep, form.skip, form.encoding) == (";", 1, "latin-1")
    assert found(tmp_path, "# made by hand\n% and more\nuser_id;x,item_id\na;b,c\n").skip == 2


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;\r"])
def test_a_first_line_that_names_the_separator(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, {"a.csv": f"{line}\nuser_id;item_id\n1,5;2\n"}) / "a.csv"
    assert rows(path) == [("1,5", "2", 3)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-8-sig", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    content = "user_id\titem_id\treview\r\nJürgen\t1\tschön\r\nMärz\t2\tgroß\r\n"
    path = write(tmp_path, {"export.txt.csv": content.encode(encoding)}) / "export.txt.csv"
    assert rows(path) == [("Jürgen", "1", "schön", 2), ("März", "2", "groß", 3)]
    assert bool(find_form(path).why.partition("fields between")[0]) == (encoding != "utf-8-sig")  # it is said


def test_lines_that_are_no_text_are_set_aside(tmp_path: Path) -> None:
    body = "".join(f"u{n},grün\n" for n in range(300)).encode()
    path = write(tmp_path, {"a.csv": b"user_id,item_id\n" + body + b"x,\xff\n" + body}) / "a.csv"
    quarantine = Quarantine()
    assert len(rows(path, quarantine)) == 600
    assert [(b.line, b.reason) for b in quarantine] == [(302, "not UTF-8")]


def test_a_quote_never_swallows_rows(tmp_path: Path) -> None:
    """Where the lines that a quote spans are rows of their own, quotes are literal."""
    content = "user_id\titem_id\trating\treview\ttimestamp\n"
    texts = ["plain", '"As described', "plain", "plain", '7"', "plain", '"quite, so"', '5" and 6"', '"again']
    content += "".join(f"u{n}\ti{n}\t5\t{t}\t150000000{n}\n" for n, t in enumerate(texts))
    path = write(tmp_path, {"a.tsv": content}) / "a.tsv"
    quarantine = Quarantine()
    expected = [t if t != '"quite, so"' else "quite, so" for t in texts]
    assert [(r[3], r[-1]) for r in rows(path, quarantine)] == [(t, n + 2) for n, t in enumerate(expected)]
    assert not quarantine


def test_records_over_several_lines(tmp_path: Path) -> None:
    content = (
        'user_id,item_id,rating,review\n1,2,3,"first\nsecond, with, commas\n\nlast ""so"""\n4,5,6,x\n7,8,9,"a\nb"\n'
    )
    path = write(tmp_path, {"a.csv": content}) / "a.csv"
    assert rows(path) == [
        ("1", "2", "3", 'first\nsecond, with, commas\n\nlast "so"', 2),
        ("4", "5", "6", "x", 6),
        ("7", "8", "9", "a\nb", 7),
    ]


def test_many_lines_of_one_text_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.read.delimited.BLOCK", 200)
    texts = ["x", "line one\nline two", 'said "no"', "y" * 500, "a,b\n" * 30 + "end"] * 20
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("user_id", "rating", "review"), *((f"u{n}", n, t) for n, t in enumerate(texts))])
    path = write(tmp_path, {"a.csv": out.getvalue()}) / "a.csv"
    got = rows(path)
    assert [r[2] for r in got] == texts
    at = 2
    for row, text in zip(got, texts, strict=True):
        assert row[-1] == at
        at += text.count("\n") + 1


def test_rows_that_lack_or_exceed_fields(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.csv": "user_id,item_id,rating\n1,2\n3,4,5\n6,7,8,9\n\n 1,2,3,\n,,\n"}) / "a.csv"
    quarantine = Quarantine()
    assert rows(path, quarantine) == [("1", "2", "", 2), ("3", "4", "5", 3), (" 1", "2", "3", 6)]
    assert [(b.line, b.reason, b.found) for b in quarantine] == [(4, "too many fields", "4 fields for 3 columns")]


def test_names_of_columns(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.csv": "user_id,,line,rating,rating,file\n1,2,3,4,5,6\n"}) / "a.csv"
    frame = read_table(path, find_form(path), Quarantine())
    assert list(frame.columns) == ["user_id", "2", "line_", "rating", "rating (2)", "file_", "line", "file"]
    assert frame["line"].dtype == np.int64
    some = read_table(path, find_form(path), Quarantine(), ["rating", "user_id"])
    assert list(some.columns) == ["user_id", "rating", "line", "file"]
    path = write(tmp_path, {"r.csv": "user_id,rating\n1,a,5\n2,b,4\n"}) / "r.csv"  # as R writes its row names
    assert list(sample(path, find_form(path)).columns) == ["row", "user_id", "rating"]


def test_json_in_its_forms(tmp_path: Path) -> None:
    objects = [{"user_id": 1, "tags": ["a", "b"]}, {"user_id": "x", "line": 7, "on": None}]
    files: dict[str, str | bytes] = {
        "a.jsonl": "".join(json.dumps(o) + "\n" for o in objects),
        "a.json": json.dumps(objects, indent=1),
        "b.json": json.dumps({"total": 2, "rows": objects}, indent=1),
        "c.json": "\n".join(json.dumps(o, indent=1) for o in objects),
        "d.json": json.dumps(objects).encode("utf-16"),
    }
    for name, content in files.items():
        path = write(tmp_path, {name: content}) / name
        frame = read_table(path, find_form(path), Quarantine())
        assert frame["user_id"].tolist() == [1, "x"], name
        assert frame["tags"].tolist() == [["a", "b"], None]
        assert frame["line_"].tolist() == [None, 7]
        assert frame["line"].tolist() == [1, 2]
    shown = sample(tmp_path / "a.json", find_form(tmp_path / "a.json"))
    assert shown.to_dict("list") == {
        "user_id": ["1", "x"],
        "tags": ['["a", "b"]', ""],
        "line_": ["", "7"],
        "on": ["", ""],
    }
    write(tmp_path, {"e.json": "[{"})
    with pytest.raises(DataError, match="not valid JSON"):
        read_table(tmp_path / "e.json", find_form(tmp_path / "e.json"), Quarantine())


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"user_id": pd.array([1, None, 2**60 + 1], "Int64"), "tags": [["a"], [], None], "line": [1, 2, 3]}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    form = find_form(tmp_path / "a.parquet")
    got = read_table(tmp_path / "a.parquet", form, Quarantine())
    assert got["user_id"].tolist() == [1, pd.NA, 2**60 + 1]
    assert list(got.columns) == ["user_id", "tags", "line_", "line", "file"]
    assert sample(tmp_path / "a.parquet", form, 2)["tags"].tolist() == ['["a"]', "[]"]


@pytest.mark.parametrize("content", [b"PK\x03\x04xlsx", b"\x00\x01\x02" * 100])
def test_what_is_no_text(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FormatError, match="save it as CSV"):
        found(tmp_path, content)


WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=8)


@given(
    st.lists(st.tuples(st.integers(0, 99), WORD, WORD, st.floats(0, 5)), min_size=2, max_size=12),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-8-sig"]),
    st.sampled_from(["\n", "\r\n"]),
)
@examples(60)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, records: list[Any], sep: str, encoding: str, end: str
) -> None:
    """Any separator, encoding and line end, with nothing said about it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=sep, lineterminator=end, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([("user_id", "item_id", "review", "rating"), *records])
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    quarantine = Quarantine()
    assert [r[:4] for r in rows(path, quarantine)] == [(str(a), b, c, str(d)) for a, b, c, d in records]
    assert not quarantine


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"user_id,item_id\n1,2\n", b"\xff\xfe", b"1 2 3\n", b'{"a": 1}\n', b"["]),
)
@examples(200)
def test_whatever_a_file_holds_it_is_a_frame_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, before: bytes
) -> None:
    path = tmp_path_factory.mktemp("n") / "a.csv"
    path.write_bytes(before + noise)
    quarantine = Quarantine()
    try:
        form = find_form(path)
        frame = read_table(path, form, quarantine)
    except GraphrecError:
        return
    assert frame["line"].is_monotonic_increasing
    assert frame["line"].is_unique
    assert not set(frame["line"]) & {b.line for b in quarantine}


VALUES = {
    "user_id": st.one_of(st.integers(0, 50).map(str), st.just("NULL"), WORD),
    "item_id": st.one_of(st.floats(0, 50).map(str), st.integers(0, 9).map(lambda n: f"{n}.0"), WORD),
    "rating": st.one_of(st.sampled_from(["4", "4,5", "", "1e3", "five"]), st.floats().map(str)),
    "timestamp": st.one_of(st.integers(-5, 2**62).map(str), st.datetimes().map(str), st.dates().map(str), WORD),
    "review": st.one_of(WORD, st.text(max_size=20)),
}


@given(
    st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=12),
    st.sampled_from([",", ";", "\t", "|", "::", " "]),
    st.sampled_from(["utf-8", "utf-16", "utf-32", "cp1252", "gb18030", "cp1251"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
@examples(100)
def test_every_row_of_any_table_is_kept_or_set_aside(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, str]],
    sep: str,
    encoding: str,
    end: str,
    header: bool,
) -> None:
    """Carelessly written: fields are not quoted, letters may be lost, types are mixed."""
    table = [list(VALUES)] * header + [list(r.values()) for r in records]
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(end.join(sep.join(row) for row in table).encode(encoding, "replace"))
    quarantine = Quarantine(allow_bad=1)
    try:
        form = find_form(path)
        frame = read_table(path, form, quarantine)
        n_read = len(frame) + len(quarantine)
        columns = [c for c in frame.columns if c not in ("file", "line")]
        raw = frame.rename(columns=dict(zip(columns, VALUES, strict=False)))
        if not {"user_id", "item_id"} <= set(raw.columns):
            return
        kept = check_events(raw, quarantine, path)
    except GraphrecError:
        return
    assert quarantine.rows_read == len(kept) + len(quarantine) == n_read
