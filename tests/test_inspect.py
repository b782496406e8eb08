"""`graphrec inspect`: the report, and the reading that it writes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from graphrec.cli.app import app
from graphrec.data.dataset import Dataset
from graphrec.errors import DataError, FormatError, GraphrecError
from graphrec.read.delimited import column_names
from graphrec.read.detect import load
from graphrec.read.spec import Spec
from tests.conftest import SHARED, examples
from tests.read.support import everything, jsonl, write

run = CliRunner().invoke
CASES = SHARED.parent / "cases"

SHOP: dict[str, str | bytes] = {
    "orders.csv": "order_id,customer_id,product_id,ordered_at,quantity,unit_price\n"
    + "".join(f"O{n},C{n % 6},P{n % 4},2024-06-{n % 28 + 1:02d} 10:00:00,{n % 3 + 1},{n % 4}.50\n" for n in range(60)),
    "reviews.csv": "customer_id,product_id,stars,text,reviewed_at\n"
    + "".join(f"C{n % 6},P{n % 4},{n % 5 + 1},Well made {n},2024-07-{n + 1:02d} 10:00:00\n" for n in range(20)),
    "products.csv": "product_id,title,brand,price,description,image_url,stock\n"
    + "".join(
        f"P{n},Kettle {n},{('Kiri', 'Monterra')[n % 2]},{n % 4}.50,A kettle of steel number {n} made by hand.,"
        f"https://img.example/{n}.jpg,{n * 3 % 7}\n"
        for n in range(5)
    ),
    "customers.csv": "customer_id,name,city,gender,signup_date\n"
    + "".join(f"C{n},Zed Unique,{('Köln', 'Berlin')[n % 2]},{'mfd'[n % 3]},2024-0{n + 1}-02\n" for n in range(7)),
    "follows.csv": "follower,followed\nC0,C1\nC2,C0\nC6,C1\n",
    "notes.txt": "Ask Anna for the password of the till.\n",
    "readme.md": "# Our shop\n",
}


def inspected(path: Path, *options: str) -> dict[str, object]:
    result = run(app, ["inspect", str(path), "--json", *options])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def columns(report: dict[str, object], file: str) -> dict[str, tuple[str, str]]:
    rows: list[dict[str, str]] = report["columns"]  # type: ignore[assignment]
    return {c["column"]: (c["role"], c["type"]) for c in rows if c["file"] == file}


def assert_complete(folder: Path, report: dict[str, object]) -> None:
    """Every file is named; every column of every CSV; rows add up; what has no use has a reason."""
    files = {f["path"]: f for f in report["files"]}  # type: ignore[attr-defined]
    assert files.keys() == {p.name for p in folder.iterdir() if p.name != "data.toml"}
    assert all(f["used_as"] or f["why_not"] for f in files.values())
    for path in folder.glob("*.csv"):
        assert list(columns(report, path.name)) == pd.read_csv(path, nrows=0).columns.tolist()
    assert all(c["role"] or c["why_not"] for c in report["columns"])  # type: ignore[attr-defined]
    rows: dict[str, int] = report["rows"]  # type: ignore[assignment]
    assert rows["read"] == rows["used"] + rows["set_aside"] + rows["merged"]


def test_a_shop_as_it_is(tmp_path: Path) -> None:
    report = inspected(write(tmp_path, SHOP))
    assert_complete(tmp_path, report)
    used = {f["path"]: (f["used_as"], f["kind"]) for f in report["files"]}  # type: ignore[attr-defined]
    assert used == {
        "orders.csv": ("events", "order"),
        "reviews.csv": ("events", "review"),
        "products.csv": ("items", ""),
        "customers.csv": ("users", ""),
        "follows.csv": ("friends", "directed"),
        "notes.txt": ("", ""),
        "readme.md": ("", ""),
    }
    assert columns(report, "orders.csv") == {
        "order_id": ("", ""),
        "customer_id": ("user_id", ""),
        "product_id": ("item_id", ""),
        "ordered_at": ("timestamp", ""),
        "quantity": ("count", ""),
        "unit_price": ("", ""),
    }
    assert columns(report, "reviews.csv")["stars"] == ("rating", "")
    assert columns(report, "products.csv") == {
        "product_id": ("item_id", ""),
        "title": ("title", "text"),
        "brand": ("attribute", "category"),
        "price": ("attribute", "number"),
        "description": ("text", "text"),
        "image_url": ("", ""),
        "stock": ("attribute", "number"),
    }
    assert columns(report, "customers.csv") == {
        "customer_id": ("user_id", ""),
        "name": ("", ""),
        "city": ("attribute", "category"),
        "gender": ("attribute", "category"),
        "signup_date": ("attribute", "date"),
    }
    assert report["rows"] == {"read": 80, "used": 80, "set_aside": 0, "merged": 0}
    assert report["dates"] == {"from": "2024-06-01", "to": "2024-07-20"}
    assert "1 user and 1 item are known from side files only" in report["warnings"]  # type: ignore[operator]
    data = Dataset.load(tmp_path)
    assert (data.n_users, data.n_items) == (7, 5)
    assert "Zed Unique" not in everything(data)


def test_what_is_written_reads_the_same(tmp_path: Path) -> None:
    before = Dataset.load(write(tmp_path, SHOP))
    first = inspected(tmp_path, "--write")
    spec = Spec.load(tmp_path / "data.toml")
    assert [t.kind for t in spec.events] == ["order", "review"]
    assert (spec.events[1].scale, spec.friends[0].directed) == ((1.0, 5.0), True)
    assert spec.ignore.keys() == {"notes.txt", "readme.md"}
    again = Dataset.load(tmp_path)
    assert everything(again).replace(str(again.quarantine), "") == everything(before).replace(
        str(before.quarantine), ""
    )
    assert again.fingerprint() == before.fingerprint()
    assert again.events.kind_table == before.events.kind_table
    assert (again.item_columns, again.user_columns) == (before.item_columns, before.user_columns)
    second = again.report.to_json()
    assert {k: second[k] for k in ("columns", "rows", "strength", "dates")} == {
        k: first[k] for k in ("columns", "rows", "strength", "dates")
    }
    assert second["data_toml"] == first["data_toml"]
    result = run(app, ["inspect", str(tmp_path), "--write"])
    assert isinstance(result.exception, DataError)  # what is there is not overwritten


def test_people_get_tables_in_which_markup_is_text(tmp_path: Path) -> None:
    write(tmp_path, {"e.csv": "user_id,item_id,[/b] note,rating\nu,i,[dvd],5\nv,i,[/x],4\nv,j,z,[bold]\nu,j,y,3\n"})
    result = run(app, ["inspect", str(tmp_path), "--allow-bad", "0.5"], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    assert "[/b] note" in result.stdout
    assert "[bold]" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80 or "data.toml" in result.stdout
    assert result.stderr == ""


def test_too_many_rows_set_aside_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 5},i{n % 7},{'x' if n % 5 == 0 else n % 5}\n" for n in range(200))
    write(tmp_path, {"e.csv": "user_id,item_id,rating\n" + rows})
    result = run(app, ["inspect", str(tmp_path)])
    assert "allow" in str(result.exception)
    assert inspected(tmp_path, "--allow-bad", "0.3")["rows"] == {"read": 200, "used": 160, "set_aside": 40, "merged": 0}


def test_side_files_that_match_nothing_are_said(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "events.csv": "user_id,item_id\n" + "".join(f"u{n % 3},i{n % 6}\n" for n in range(12)),
        "items.csv": "item_id,title\n" + "".join(f"X{n},Film {n}\n" for n in range(6)),
    }
    report = inspected(write(tmp_path, files))
    assert report["unmatched"] == [{"file": "items.csv", "ids": 6, "of": 6}]
    assert any("0 of 6 items have a row in items.csv" in w for w in report["warnings"])  # type: ignore[attr-defined]
    assert_complete(tmp_path, report)


def test_ids_of_another_type_match(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "events.csv": "user_id,item_id\n" + "".join(f"{n % 3},{n % 6}.0\n" for n in range(12)),
        "items.csv": "item_id,title\n" + "".join(f"{n},Film {n}\n" for n in range(6)),
    }
    data = Dataset.load(write(tmp_path, files))
    assert data.title(data.items.number("2")) == "Film 2"
    assert not data.report.unmatched


def test_an_index_of_files_by_proof_not_by_name(tmp_path: Path) -> None:
    """Side tables with a bare ``id`` are told apart by the ids in them."""
    files: dict[str, str | bytes] = {
        "log.csv": "user,item\n" + "".join(f"a{n % 4},b{n % 5}\n" for n in range(20)),
        "one.csv": "id,colour\n" + "".join(f"b{n},red\n" for n in range(5)),
        "two.csv": "id,town\n" + "".join(f"a{n},Ulm\n" for n in range(4)),
    }
    report = inspected(write(tmp_path, files))
    assert {f["path"]: f["used_as"] for f in report["files"]} == {  # type: ignore[attr-defined]
        "log.csv": "events",
        "one.csv": "items",
        "two.csv": "users",
    }


def test_two_columns_may_be_the_items(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "user_id,item_id\nu,x\n", "b.csv": "user_id,item_id\nu,y\n"})
    with pytest.raises(FormatError, match=r"2 files hold events with the same columns.*parts of one log or alt") as e:
        Dataset.load(tmp_path)
    line = str(e.value).partition("data.toml: ")[2].partition(" for parts")[0]
    write(tmp_path, {"data.toml": line + "\n"})
    assert len(Dataset.load(tmp_path).events) == 2


def test_two_sources_in_one_folder(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "user_id,item_id\nu,x\n", "b.jsonl": jsonl([{"shopper": "v", "sku": "y", "qty": 1}])})
    with pytest.raises(FormatError, match=r"no user and no item in common: two sources"):
        Dataset.load(tmp_path)


def test_no_users_and_no_items(tmp_path: Path) -> None:
    write(tmp_path, {"reviews.csv": "category,label,review\nBooks,1,very good indeed\nBooks,0,no good at all\n"})
    result = run(app, ["inspect", str(tmp_path)])
    assert isinstance(result.exception, FormatError)
    assert "no column of reviews.csv is known to hold users and items (it has category, label, review)" in str(
        result.exception
    )


NAMES = (
    "user_id", "item_id", "rating", "stars", "time", "date", "event_type", "label", "text", "title", "price", "Menge",
    "file", "line", "2", "\xa0", " ", '"',
)  # fmt: skip
WORDS = st.sampled_from(NAMES) | st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=6
)
CELLS = st.sampled_from(("", "1", "2", "5", "x", "y z", "2020-01-02", "nan", "view", "https://a.b/c.png", "1,5", "[a]"))


def test_two_kinds_in_a_file_share_its_scale(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("user_id,item_id,rating,event_type\nu,i,4,rate\nu,j,4,rate\nu,i,2,again\n")
    data = load(tmp_path)
    assert {k.scale for k in data.events.kind_table} == {(1.0, 5.0)}
    (tmp_path / "data.toml").write_text(data.report.data_toml)
    assert load(tmp_path).fingerprint() == data.fingerprint()


@given(
    header=st.lists(WORDS, min_size=1, max_size=6, unique_by=str.casefold),
    rows=st.lists(st.lists(CELLS, min_size=8, max_size=8), min_size=1, max_size=12),
    separator=st.sampled_from((",", ";", "\t")),
    encoding=st.sampled_from(("utf-8", "utf-16")),
)
@examples(40)
def test_any_table_ends_as_a_report_or_as_one_line(
    tmp_path_factory: pytest.TempPathFactory, header: list[str], rows: list[list[str]], separator: str, encoding: str
) -> None:
    names = ["user_id", "item_id", *(h for h in header if h.casefold() not in ("user_id", "item_id"))]
    folder = tmp_path_factory.mktemp("t")
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([names, *(["u", "i", *row][: len(names)] for row in rows)])
    (folder / "e.csv").write_bytes(text.getvalue().encode(encoding))
    try:
        data = load(folder, allow_bad=1.0)
    except GraphrecError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
    if message:
        return
    report = data.report
    assert [c.column for c in report.columns] == column_names(names)  # a blank name is its place
    assert all(c.role or c.why_not for c in report.columns)
    counts = report.rows()
    assert counts["read"] == len(data.events) + counts["merged"] + counts["set_aside"]
    (folder / "data.toml").write_text(report.data_toml, encoding="utf-8")
    again = load(folder, allow_bad=1.0)
    assert again.fingerprint() == data.fingerprint()
    assert again.report.data_toml == report.data_toml
