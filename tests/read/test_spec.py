"""data.toml: what it may say, and what it answers where it says something else."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset
from graphrec.errors import FormatError
from graphrec.read.spec import Spec, to_toml
from tests.read.support import events, friends, item_attributes, titles, user_attributes, write

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.one_of(NAMES, st.integers(-(2**60), 2**60), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))


@given(
    st.dictionaries(
        NAMES,
        st.one_of(
            VALUES,
            st.lists(VALUES, max_size=3),
            st.dictionaries(NAMES, VALUES, max_size=3),
            st.lists(st.dictionaries(NAMES, st.one_of(VALUES, st.lists(VALUES, max_size=2)), max_size=3), max_size=2),
        ),
        max_size=4,
    )
)
def test_what_is_written_is_read_again(document: dict[str, object]) -> None:
    found = tomllib.loads(to_toml(document))
    assert {k: v for k, v in found.items() if v != {}} == {k: v for k, v in document.items() if v != {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[events]]\nfile = "a"\ncolums = {}\n', r"events\.0\.colums: no such setting; did you mean columns\?"),
        ('[[events]]\nfile = "a"\ncolumns = { user = "a" }\n', r"events\.0\.columns\.user: 'user' is no role"),
        ('[columns]\ntimestmp = "a"\n', r"columns\.timestmp: 'timestmp' is no role; did you mean timestamp\?"),
        ('format = "amzon"\n', r"format: 'amzon' .*did you mean amazon\?"),
        ('[[items]]\nfile = "a"\ntypes = { price = "numbr" }\n', r"did you mean number\?"),
        ("catalog = 'all'\n", r"catalog: no such setting; did you mean catalogue\?"),
        ('[[events]]\nfile = "e.csv"\nencoding = "utf-9"\n', r"encoding: 'utf-9' is no encoding .*cp1252"),
        ('events = "e.csv"\n', r"events: should be a list, .*\[\[…\]\]"),
        ('[kinds]\nview = "a"\n', r"kinds\.view: should be a number"),
        ("[kinds]\nview = nan\n", r"kinds\.view: should be a finite number"),
        (
            '[[events]]\nfile = "e.csv"\n[[items]]\nfile = "e.csv"\n',
            r"'e\.csv' stands in \[\[events\]\] and in \[\[items",
        ),
        ('[columns]\nuser_id = "user_id"\nitem_id = "user_id"\n', r"'user_id' for user_id and for item_id"),
        ("allow_bad = 5\n", r"allow_bad: .*less than or equal to 1"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, {"data.toml": text, "e.csv": "user_id,item_id\na,b\n"})
    with pytest.raises(FormatError, match=message) as caught:
        Dataset.load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ['unused = ["pric"]', 'types = { pric = "number" }', 'item_attributes = ["pric"]'])
def test_a_column_that_is_misspelt_anywhere_is_answered_with_the_nearest(tmp_path: Path, line: str) -> None:
    write(tmp_path, {"e.csv": "user_id,item_id,price\na,b,1\n", "data.toml": f'[[events]]\nfile = "e.csv"\n{line}\n'})
    with pytest.raises(FormatError, match=r"'pric', which is not there; did you mean price\?"):
        Dataset.load(tmp_path)


def test_the_data_of_one_person(tmp_path: Path) -> None:
    rows = [{"endTime": f"2023-01-{1 + n:02d} 10:00", "trackName": f"Song {n % 3}", "ms": n * 7} for n in range(6)]
    files = {f"StreamingHistory{n}.json": json.dumps(rows[3 * n : 3 * n + 3]) for n in range(2)}
    with pytest.raises(FormatError, match=r'say user = "me" and columns = \{ item_id = "trackName" \} in data\.toml'):
        Dataset.load(write(tmp_path, {**files}))
    write(tmp_path, {"data.toml": 'user = "me"\ncolumns = { item_id = "trackName" }\n'})
    data = Dataset.load(tmp_path)
    assert [e[:2] for e in events(data)] == [("me", f"Song {n}") for n in (0, 0, 1, 1, 2, 2)]
    write(tmp_path, {"data.toml": data.report.data_toml})
    assert Dataset.load(tmp_path).fingerprint() == data.fingerprint()


def test_one_persons_books_beside_a_catalogue_and_with_a_column_of_users(tmp_path: Path) -> None:
    books = "Book Id,Title,My Rating,Date Added\n1,Emma,5,2020/01/02\n2,Ulysses,1,2020/01/03\n"
    files: dict[str, str | bytes] = {"export.csv": books, "catalogue.csv": "book_id,pages\n1,300\n2,700\n3,20\n"}
    with pytest.raises(FormatError, match=r"""one person's, say user = "me" in data\.toml"""):
        Dataset.load(write(tmp_path, files))
    data = Dataset.load(write(tmp_path, {"data.toml": 'user = "me"\n'}))
    assert [e[:3] for e in events(data)] == [("me", "1", 5), ("me", "2", 1)]
    assert titles(data) == {"1": "Emma", "2": "Ulysses", "3": ""}
    write(tmp_path, {"data.toml": '[[events]]\nfile = "export.csv"\nuser = "me"\ncolumns = { user_id = "Title" }\n'})
    with pytest.raises(FormatError, match=r"user = 'me' and names the column 'Title' for user_id; say one"):
        Dataset.load(tmp_path)
    write(tmp_path, {"data.toml": '[[events]]\nfile = "export.csv"\nuser = " "\n'})
    with pytest.raises(FormatError, match=r"events\.0\.user: should not be blank"):
        Dataset.load(tmp_path)


def test_a_cut_list_of_columns_says_so_and_begins_with_likely_ones(tmp_path: Path) -> None:
    header = [*(f"price_{n}" for n in range(14)), "who", "what"]
    rows = [[*("1.5" for _ in range(14)), f"C-{n % 9}", f"P-{n % 7}"] for n in range(40)]
    text = "\n".join(map(",".join, [header, *rows])) + "\n"
    with pytest.raises(FormatError, match=r"it has who, what, price_0, .* and 4 more\)"):
        Dataset.load(write(tmp_path, {"log.csv": text}))


def test_a_byte_order_mark_before_data_toml(tmp_path: Path) -> None:
    write(tmp_path, {"e.csv": "user_id,item_id\na,b\n", "data.toml": '\ufefffile = "e.csv"\n'})
    assert events(Dataset.load(tmp_path)) == [("a", "b", 1)]


def test_a_column_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    spec = '[[events]]\nfile = "e.csv"\ncolumns = { user_id = "custmer", item_id = "thing" }\n'
    write(tmp_path, {"data.toml": spec, "e.csv": "customer,thing\na,b\n"})
    with pytest.raises(FormatError, match=r"e\.csv:1: .*'custmer', which is not there; did you mean customer\?"):
        Dataset.load(tmp_path)


def test_everything_can_be_said(tmp_path: Path) -> None:
    spec = """
allow_sensitive = ["gender"]
catalogue = "all"
user = "ann"
[kinds]
look = 0.2
[ignore]
"sums.csv" = "sums by month"
[[events]]
file = "a.txt"
sep = ";"
encoding = "cp1252"
header = false
names = ["who", "what", "when", "pieces", "remark"]
decimal = ","
date_format = "%d.%m.%Y %H:%M"
zone = "Europe/Berlin"
kind = "sale"
values = "count"
columns = { user_id = "who", item_id = "what", timestamp = "when", count = "pieces" }
unused = ["remark"]
[[events]]
file = "b.csv"
unit = "days"
columns = { user_id = "who", item_id = "what", kind = "did", timestamp = "when" }
[[events]]
file = "h.csv"
user = "bob"
kind = "play"
columns = { item_id = "track" }
[[events]]
file = "i.csv"
kind = "play"
columns = { item_id = "track" }
[[items]]
file = "c.csv"
columns = { item_id = "nr", title = "label" }
types = { size = "category" }
unused = { secret = "ours" }
[[users]]
file = "d.csv"
columns = { user_id = "nr" }
[[friends]]
file = "e.csv"
directed = true
columns = { user_id = "one", friend_id = "other" }
[[triples]]
file = "f.csv"
columns = { head = "a", relation = "b", tail = "c" }
[[links]]
file = "g.csv"
columns = { item_id = "x", entity = "y" }
"""
    files: dict[str, str | bytes] = {
        "data.toml": spec,
        "a.txt": "ann;tée;02.11.2019 09:05;1,5;gut\nbob;pot;03.11.2019 09:05;2;\n".encode("cp1252"),
        "b.csv": "who,what,did,when\nann,pot,look,18202\n",
        "c.csv": "nr,label,size,secret\npot,A pot,12,x\ntée,Tea,13,y\ncan,A can,12,z\n",
        "d.csv": "nr,gender\nann,f\nbob,m\n",
        "e.csv": "one,other\nann,bob\n",
        "f.csv": "a,b,c\ne1,made_of,iron\n",
        "g.csv": "x,y\npot,e1\n",
        "h.csv": "track,played_at\ncan,2019-11-04\n",
        "i.csv": "track,played_at\ncan,2019-11-05\n",
        "sums.csv": "user_id,item_id\nx,y\n",
    }
    data = Dataset.load(write(tmp_path, files))
    assert events(data) == [
        ("ann", "can", 1.0, 18205 * 86400),
        ("ann", "pot", 1.0, 18202 * 86400),
        ("ann", "tée", 1.5, 1572681900),
        ("bob", "can", 1.0, 18204 * 86400),
        ("bob", "pot", 2.0, 1572768300),
    ]
    assert {k.name: (k.weight, k.values) for k in data.events.kind_table} == {
        "sale": (1.0, "count"),
        "look": (0.2, "none"),
        "play": (1.0, "none"),
    }
    assert data.report.data_toml.count('user = "') == 2
    assert titles(data) == {"pot": "A pot", "tée": "Tea", "can": "A can"}
    assert ("pot", "size", "12") in item_attributes(data)
    assert not any(key == "secret" for _, key, _ in item_attributes(data))
    assert ("ann", "gender", "f") in user_attributes(data)
    assert not next(c for c in data.user_columns if c.name == "gender").why_not
    assert data.directed
    assert data.social_edge_index.shape == (2, 1)
    assert data.external.triples == (("e1", "made_of", "iron"),)
    assert data.external.item_entities == {"pot": "e1"}
    assert next(f.why_not for f in data.report.files if f.path == "sums.csv") == "sums by month"


def test_a_partial_data_toml_leaves_the_rest_to_be_found_out(tmp_path: Path) -> None:
    spec = '[[events]]\nfile = "log.csv"\nkind = "view"\ncolumns = { user_id = "a", item_id = "b" }\n'
    files: dict[str, str | bytes] = {
        "data.toml": spec,
        "log.csv": "a,b,time\nu,x,2020-01-01\nv,x,2020-01-02\n",
        "products.csv": "id,name\nx,A kettle\n",
        "friends.csv": "user_id,friend_id\nu,v\n",
    }
    data = Dataset.load(write(tmp_path, files))
    assert data.has_times
    assert titles(data) == {"x": "A kettle"}
    assert friends(data) == {("u", "v")}


def test_parts_of_a_split(tmp_path: Path) -> None:
    rows = {"train": "a,x\na,y\nb,x\n", "valid": "a,z\n", "test": "b,z\n"}
    write(tmp_path, {f"{name}.csv": "user_id,item_id\n" + text for name, text in rows.items()})
    data = Dataset.load(tmp_path)
    assert [e[-1] for e in events(data)] == [0, 0, 1, 0, 2]
    assert Spec.load(write(tmp_path, {"data.toml": data.report.data_toml}) / "data.toml").events[0].part == "test"
    assert Dataset.load(tmp_path).fingerprint() == data.fingerprint()
