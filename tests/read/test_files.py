"""Lines, JSON lines and tables out of bytes that may be broken."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from graphrec.door.quarantine import Quarantine
from graphrec.read.files import json_lines, lines, table
from tests.read.support import write


def rows(path: Path, quarantine: Quarantine | None = None, **options: object) -> list[tuple[object, ...]]:
    frame = table(path, Quarantine() if quarantine is None else quarantine, **options)  # type: ignore[arg-type]
    return list(frame.drop(columns="file").itertuples(index=False, name=None))


def test_a_broken_gzip_stream_keeps_the_lines_before_the_break(tmp_path: Path) -> None:
    content = "".join(f"line {n} {n * 7919 % 1000}\n" for n in range(5000)).encode()
    packed = gzip.compress(content)
    for broken in (packed[: len(packed) // 2], packed[:-4], packed[:12000] + b"\x00" * 40 + packed[12040:]):
        path = tmp_path / "a.txt.gz"
        path.write_bytes(broken)
        quarantine = Quarantine()
        found = list(lines(path, quarantine))
        assert [n for n, _ in found] == list(range(1, len(found) + 1))
        assert b"".join(line for _, line in found[:1000]) == content[: sum(len(line) for _, line in found[:1000])]
        (row,) = quarantine
        assert row.line == len(found) + 1 > 500
        assert row.reason == "the compressed file breaks off"


def test_json_lines(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"a": 1}\r\n\n[1]\n{"a": \xff}\n{"a": 1,}\n' + b"[" * 100_000 + b'\n1\n{"b": NaN}'
    write(tmp_path, {"a.jsonl": content})
    quarantine = Quarantine()
    found = list(json_lines(tmp_path / "a.jsonl", quarantine))
    assert [(n, list(row)) for n, row in found] == [(1, ["a"]), (8, ["b"])]
    assert [(b.line, b.reason) for b in quarantine] == [
        (3, "not a JSON object"),
        (4, "not UTF-8"),
        (5, "not valid JSON"),
        (6, "not valid JSON"),
        (7, "not a JSON object"),
    ]


def test_line_numbers_with_blank_lines_quotes_and_bad_lines(tmp_path: Path) -> None:
    content = (
        b'a,b\n1,"x\ny"\n\n2,"say ""hi"", ok"\n3,open "quote\n4,"never closed\n'  # lines 1 to 7
        b"5,too,many\n6,\xff\n7\n8,trailing,\n9," + "Füße".encode()
    )
    write(tmp_path, {"t.csv": content})
    quarantine = Quarantine()
    assert rows(tmp_path / "t.csv", quarantine, sep=",", quoted=True) == [
        ("1", "x\ny", 2),
        ("2", 'say "hi", ok', 5),
        ("3", 'open "quote', 6),
        ("4", '"never closed', 7),
        ("7", "", 10),
        ("8", "trailing", 11),
        ("9", "Füße", 12),
    ]
    assert [(b.line, b.reason) for b in quarantine] == [
        (8, "too many fields"),
        (9, "not UTF-8"),
    ]


def test_a_quote_left_open_gives_the_lines_it_swallowed_back(tmp_path: Path) -> None:
    good = "".join(f'{n},"text {n}"\n' for n in range(10))
    write(tmp_path, {"t.csv": 'a,b\nx,"open\n' + good})
    quarantine = Quarantine()
    assert rows(tmp_path / "t.csv", quarantine, sep=",", quoted=True) == [
        ("x", '"open', 2),
        *((str(n), f"text {n}", n + 3) for n in range(10)),
    ]
    assert not quarantine
    write(tmp_path, {"t.csv": 'a,b\n"x open\n' + good})
    assert [row[2] for row in rows(tmp_path / "t.csv", quarantine, sep=",", quoted=True)] == list(range(3, 13))
    assert [(b.line, b.reason) for b in quarantine] == [(2, "unclosed quote")]


def test_unquoted_tables_keep_quotes(tmp_path: Path) -> None:
    write(tmp_path, {"t.dat": '1::"Great" Expectations::x\n2::5" floppy::y\n'})
    assert rows(tmp_path / "t.dat", sep="::", names=["a", "b", "c"]) == [
        ("1", '"Great" Expectations', "x", 1),
        ("2", '5" floppy', "y", 2),
    ]


def test_legacy_files_may_be_latin_1(tmp_path: Path) -> None:
    for encoding in ("utf-8", "latin-1"):
        write(tmp_path, {"t.tsv": "a\nCafé\n".encode(encoding)})
        assert rows(tmp_path / "t.tsv", sep="\t", legacy=True) == [("Café", 2)]


FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\ufeff"), max_size=6)


@given(st.lists(st.tuples(FIELD, FIELD), max_size=8), st.booleans())
def test_what_csv_writes_is_read_back(tmp_path_factory, records, spoiled) -> None:  # type: ignore[no-untyped-def]
    """Also when a bad line at the end sends the whole file through the slow parser."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("a", "b"), *records])
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(out.getvalue().encode() + b"1,2,3,4\n" * spoiled)
    quarantine = Quarantine()
    found = [row[:2] for row in rows(path, quarantine, sep=",", quoted=True)]
    assert found == [r for r in records if r != ("", "")]
    assert len(quarantine) == spoiled
