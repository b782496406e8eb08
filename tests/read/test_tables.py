"""CSV, TSV and Parquet."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import FormatError
from graphrec.model.told import single
from graphrec.read.guess import PATH
from tests.read.support import balanced, events, friends, item_attributes, titles, write


def test_csv_with_items_and_friends(tmp_path: Path) -> None:
    files = {
        "events.csv": "user_id,item_id,rating,timestamp,review\n"
        'a,007,3,2014-01-01T00:00:10Z,"He said ""no"",\nthen left"\nb,x,4.5,1388534400,\nb,007,1,1388534400000,ok\n',
        "items.csv": "item_id,title,text,genre,image_url\n007,Bond,A spy.,action|drama,http://x\nx,,,drama,\n",
        "friends.csv": "user_id,friend_id\nb,a\na,a\n",
        "notes.csv": "user_id,remark\na,none\n",
    }
    data = Dataset.load(write(tmp_path, files))
    assert events(data) == [("a", "007", 3.0, 1388534410), ("b", "007", 1.0, 1388534400), ("b", "x", 4.5, 1388534400)]
    assert data.reviews["text"].tolist() == ['He said "no",\nthen left', "ok"]
    assert titles(data) == {"007": "Bond", "x": ""}
    assert data.item_text.tolist() == ["A spy.", ""]
    assert item_attributes(data) == {("007", "genre", "action"), ("007", "genre", "drama"), ("x", "genre", "drama")}
    assert friends(data) == {("a", "b")}
    assert balanced(data)


@pytest.mark.parametrize(
    "header",
    ["userId,itemId", "user,item", "UserID,ItemID", '"user_id","item_id"', "\ufeffuser_id,item_id", "user_id;item_id"],
)
def test_synonyms_and_separators(tmp_path: Path, header: str) -> None:
    separator = ";" if ";" in header else ","
    path = write(tmp_path, {"e.csv": f"{header}\r\na{separator}x\r\n\r\nb{separator}y"}) / "e.csv"
    assert events(Dataset.load(path)) == [("a", "x", 1.0), ("b", "y", 1.0)]


def test_tsv(tmp_path: Path) -> None:
    data = Dataset.load(write(tmp_path, {"e.tsv": "user\titem\tweight\na\tx, y\t12\n"}))
    assert events(data) == [("a", "x, y", 12.0)]


def test_parquet_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "userId": [1, 1, 2],
            "itemId": [10.0, 11.0, None],  # whole numbers beside a blank
            "time": pd.to_datetime([1388534400, 1388620801, 1388707200], unit="s"),
            "rating": [1.0, 2.0, 3.0],
        }
    )
    frame.to_parquet(tmp_path / "e.parquet")
    items = pd.DataFrame({"item_id": [10, 11], "name": ["Ten", None], "tags": [["a", "b"], []], "size": [3, 4]})
    items.to_parquet(tmp_path / "items.parquet")
    data = Dataset.load(tmp_path)
    assert events(data) == [("1", "10", 1.0, 1388534400), ("1", "11", 2.0, 1388620801)]
    assert [(b.line, b.reason) for b in data.quarantine] == [(3, "item_id is missing")]
    assert titles(data) == {"10": "Ten", "11": ""}
    assert item_attributes(data) == {("10", "tags", "a"), ("10", "tags", "b"), ("10", "size", "3"), ("11", "size", "4")}


def test_data_toml_renames_columns_and_sets_the_range(tmp_path: Path) -> None:
    write(tmp_path, {"log.csv": "who,what,rating\na,x,5\na,y,6\n"})
    with pytest.raises(FormatError, match=r"no known format; found log\.csv"):
        Dataset.load(tmp_path)
    spec = 'format = "csv"\nfile = "log.csv"\nrating_range = [1, 5]\n[columns]\nuser_id = "who"\nitem_id = "what"\n'
    write(tmp_path, {"data.toml": spec})
    data = Dataset.load(tmp_path)
    assert events(data) == [("a", "x", 5.0)]
    assert [(b.line, b.reason, b.found) for b in data.quarantine] == [(3, "rating out of range (1 to 5)", "6")]
    assert events(Dataset.load(tmp_path / "log.csv")) == events(data)


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, {"e.csv": "user_id,thing\na,x\n", "data.toml": 'format = "csv"\nfile = "e.csv"\n'})
    with pytest.raises(FormatError, match=r"e\.csv:1: no column for item_id; found user_id, thing; .*\[columns\]"):
        Dataset.load(tmp_path)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("format = ", r"data\.toml: not valid TOML"),
        ('format = "xml"\n', r"data\.toml: format: .*the settings are format, file, rating_range"),
        ('fromat = "csv"\n', r"data\.toml: fromat: "),
        ("rating_range = [5, 1]\n", r"the lower end comes first"),
        ('file = "gone.csv"\n', r"file = 'gone\.csv' is not in the folder; found data\.toml, e\.csv"),
    ],
)
def test_a_wrong_data_toml_is_explained(tmp_path: Path, spec: str, message: str) -> None:
    write(tmp_path, {"e.csv": "user_id,item_id\na,x\n", "data.toml": spec})
    with pytest.raises(FormatError, match=message) as caught:
        Dataset.load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("true", "false"), ("Ja", "Nein"), ("是", "否")])
def test_labels_say_yes_and_no_in_several_tongues(tmp_path: Path, yes: str, no: str) -> None:
    rows = "".join(f"u{n % 3},i{n},{yes if n % 2 else no}\n" for n in range(6))
    data = Dataset.load(write(tmp_path, {"e.csv": "user_id,item_id,clicked\n" + rows}))
    assert {data.items.ids[n] for n in data.interactions.item_nums} == {"i1", "i3", "i5"}
    assert balanced(data)


def test_how_long_something_was_looked_at_weighs_against_what_is_usual(tmp_path: Path) -> None:
    """A film's length is the film's; where somebody came from is named; a view of unknown length is like any other."""
    views = ["user_id,item_id,timestamp,time_on_page,length_minutes,referrer"]
    dwells = ["20", "10", "20", "40", "1000", "", "20"]
    for n, dwell in enumerate(dwells * 3):
        film, from_where = n % 5, ("search", "mail", "home", "shop")[n * n % 7 % 4]
        views.append(f"u{n % 4},i{film},{1_400_000_000 + 977 * n},{dwell},{90 + film},{from_where}")
    data = Dataset.load(write(tmp_path, {"views.csv": "\n".join(views) + "\n"}))
    (kind,) = data.events.kind_table
    assert (kind.name, kind.weight, kind.values, kind.scale) == ("view", 0.25, "dwell", (20.0, 200.0))
    says = {20.0: 0.25, 10.0: 0.25 * math.log2(1.5), 40.0: 0.25 * math.log2(3), 1000.0: 0.25 * math.log2(11)}
    expected = [0.25 if math.isnan(v) else says[v] for v in data.events.values.tolist()]
    assert data.events.strengths.tolist() == pytest.approx(expected)
    assert len(data.events) == 21
    assert "against the usual 20" in data.report.strength["view"]
    assert {key for _, key, _ in item_attributes(data)} == {"length_minutes"}
    assert {c.column: c.why_not for c in data.report.columns}["referrer"] == PATH
    assert any("only 18 of 21 events have a dwell" in line for line in data.report.all_warnings())
    known = "\n".join(line for line in views if ",," not in line) + "\n"
    whole = Dataset.load(write(tmp_path, {"whole.csv": known}) / "whole.csv")
    assert not any("have a dwell" in line for line in whole.report.all_warnings())
    told = single(data.events, {"item_id": "i0", "dwell": 40.0})
    assert told.strengths.tolist() == pytest.approx([says[40.0]])
