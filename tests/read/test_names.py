"""Columns found by any name that says what they are, in JSON, Parquet and zip files too."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from graphrec.data.dataset import Dataset
from tests.read.support import events, jsonl, titles, write
from tests.read.test_layouts import load, roles


def test_any_keys_of_json_and_parquet(tmp_path: Path) -> None:
    rows = [{"shopper": f"s{n % 2}", "sku": n, "purchase_date": "2024-05-01", "qty": n + 1} for n in range(4)]
    lines = load(tmp_path / "lines", {"log.jsonl": jsonl(rows)}, "log.jsonl")
    array = load(tmp_path / "array", {"log.json": json.dumps(rows)}, "log.json")
    assert events(lines) == events(array)
    assert lines.events.kind_table[0].values == "count"


@pytest.mark.parametrize(
    "header",
    [
        "Kunde;Artikelnummer;Bestelldatum;Menge",
        "用户;商品;时间;数量",
        "visitorid;sku;ts;qty",
        "msno;song_id;date;plays",
    ],
)
def test_names_in_many_tongues(tmp_path: Path, header: str) -> None:
    rows = "".join(f"k{n % 3};a{n % 2};2024-05-0{n + 1};{n + 1}\n" for n in range(6))
    data = load(tmp_path, {"e.csv": f"{header}\n{rows}"}, "e.csv")
    assert list(roles(data, "e.csv").values()) == ["user_id", "item_id", "timestamp", "count"]


def test_zip_files_are_folders(tmp_path: Path) -> None:
    plain = {
        "ratings.csv": "user_id,movie_id,stars\nu,1,5\nu,2,x\nv,1,2\n",
        "movies.csv": "movie_id,title\n1,Heat\n2,Ran\n",
    }
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        for name, text in plain.items():
            archive.writestr(f"films/{name}", text)
    data = Dataset.load(tmp_path / "films.zip")
    assert (data.name, titles(data)) == ("films", {"1": "Heat", "2": "Ran"})
    assert [Path(row.file) for row in data.quarantine] == [tmp_path / "films.zip" / "ratings.csv"]
    (tmp_path / "shop").mkdir()
    with zipfile.ZipFile(tmp_path / "shop" / "movies.csv.zip", "w") as archive:
        archive.writestr("movies.csv", plain["movies.csv"])
    data = Dataset.load(write(tmp_path / "shop", {"ratings.csv": plain["ratings.csv"]}))
    assert (data.name, titles(data)) == ("shop", {"1": "Heat", "2": "Ran"})
    assert {f.path for f in data.report.files} == {"ratings.csv", "movies.csv"}


def test_a_column_without_any_value_is_no_users_and_no_items(tmp_path: Path) -> None:
    """A first line that is a lone number, of what is JSON lines otherwise."""
    good = json.dumps({"reviewerID": "u0", "asin": "i0", "overall": 4.0, "unixReviewTime": 1393545600})
    path = write(tmp_path, {"r.jsonl": f"0\t\n{good}\n"}) / "r.jsonl"
    data = Dataset.load(path, allow_bad=1.0)
    assert data.users.ids == ("u0",)
    assert len(data.quarantine) == 1


def test_a_blank_title_does_not_disagree(tmp_path: Path) -> None:
    """Two of three events leave the title out, the first of them among these: the column is kept, and so is each."""
    blank = ["", "   ", None]
    rows = [f"u{n % 11},i{n % 9},{blank[n // 9] if n // 9 < 2 else f'The thing {n % 9}'}" for n in range(27)]
    (tmp_path / "events.csv").write_text("\n".join(["user_id,item_id,product_title", *rows]) + "\n", "utf-8")
    data = Dataset.load(tmp_path / "events.csv")
    assert list(data.item_titles) == [f"The thing {n}" for n in range(9)]
