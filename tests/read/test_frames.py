"""Tables in memory: the same door and the same report as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import DataError, FormatError, GraphrecError
from graphrec.read.frames import arrow
from tests.cases.support import PAIRS, when
from tests.read.support import friends, item_attributes, titles

NOON = 1_600_000_000
ORDERS = {
    "customer": [f"c{u}" for u, _ in PAIRS],
    "product": [i for _, i in PAIRS],
    "ordered_at": [when(u, i) for u, i in PAIRS],
    "quantity": [1 + (u + i) % 3 for u, i in PAIRS],
}
PRODUCTS = {
    "product": list(range(8)),
    "title": [f"Tea {i}" for i in range(8)],
    "category": ["green", "black"] * 4,
    "price": [2.5 * i for i in range(8)],
}
CUSTOMERS = {"customer": [f"c{u}" for u in range(9)], "city": ["Ulm", "Bonn", "Köln"] * 3}
FOLLOWS = {"follower": ["c0", "c8"], "followed": ["c1", "c3"]}


def polars(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("polars", reason="polars is not installed").DataFrame(columns)


LIBRARIES = {"pandas": pd.DataFrame, "pyarrow": pa.table, "polars": polars}


def load(table: Callable[[dict[str, Any]], Any], **more: Any) -> Dataset:
    sides = {"items": table(PRODUCTS), "users": table(CUSTOMERS), "friends": table(FOLLOWS)}
    return Dataset.from_frames(table(ORDERS), **{**sides, **more})


@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_of_every_library(library: str) -> None:
    data = load(LIBRARIES[library], name="tea")
    assert (data.name, data.n_users, data.n_items, len(data.events)) == ("tea", 9, 8, len(PAIRS))
    assert data.events.timestamps is not None
    assert int(data.events.timestamps.min()) == int(when(0, 1).timestamp())
    assert set(data.events.values.tolist()) == {2.0, 3.0}
    assert titles(data)["7"] == "Tea 7"
    assert ("0", "category", "green") in item_attributes(data)
    follows = {(data.users.ids[a], data.users.ids[b]) for a, b in data.social_edge_index.T.tolist()}
    assert {("c0", "c1"), ("c8", "c3")} <= follows
    assert data == load(pd.DataFrame)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_report_names_the_tables(library: str) -> None:
    report = load(LIBRARIES[library]).report.to_json()
    assert {f["path"]: f["used_as"] for f in report["files"]} == {
        "events": "events",
        "items": "items",
        "users": "users",
        "friends": "friends",
    }
    columns = {(c["file"], c["column"]): c["role"] for c in report["columns"]}
    assert set(columns) == {
        (name, column)
        for name, table in (("events", ORDERS), ("items", PRODUCTS), ("users", CUSTOMERS), ("friends", FOLLOWS))
        for column in table
    }
    assert columns["events", "ordered_at"] == "timestamp"
    assert report["rows"]["read"] == len(PAIRS)
    assert "/" not in str(report["files"]) + report["data_toml"]


def test_kinds_of_events_and_what_a_data_toml_would_say() -> None:
    views = pd.DataFrame({"who": ["c0", "c1"], "what": [7, 7]})
    said = {
        "kinds": {"view": 0.1},
        "events": [{"file": "view", "columns": {"user_id": "who", "item_id": "what"}}],
        "items": [{"file": "items", "types": {"price": "category"}}],
    }
    data = Dataset.from_frames({"order": pd.DataFrame(ORDERS), "view": views}, pd.DataFrame(PRODUCTS), said=said)
    assert {kind.name: kind.weight for kind in data.events.kind_table} == {"order": 1.0, "view": 0.1}
    assert len(data.events) == len(PAIRS) + 2
    assert next(c.type for c in data.item_columns if c.name == "price") == "category"


def test_columns_of_the_only_events() -> None:
    table = pd.DataFrame({"a": ["u", "v"], "b": ["x", "y"]})
    with pytest.raises(FormatError, match=r"a, b"):
        Dataset.from_frames(table)
    data = Dataset.from_frames(table, said={"columns": {"user_id": "a", "item_id": "b"}})
    assert (data.users.ids, data.items.ids) == (("u", "v"), ("x", "y"))


def test_bad_rows_have_the_name_of_their_table() -> None:
    table = pd.DataFrame({"user_id": ["u", None, "w"], "item_id": [1.0, 2.0, np.nan]})
    with pytest.raises(GraphrecError, match=r"events:2") as caught:
        Dataset.from_frames(table, said={"allow_bad": 0.1})
    assert "/tmp" not in str(caught.value)
    data = Dataset.from_frames(table, said={"allow_bad": 0.5})
    assert [(row.file, row.line, row.reason) for row in data.quarantine] == [
        ("events", 2, "user_id is missing"),
        ("events", 3, "item_id is missing"),
    ]
    assert data.items.ids == ("1",)


def test_what_is_no_table() -> None:
    with pytest.raises(DataError, match=r"items: not a table that can be read, but builtins\.list"):
        Dataset.from_frames(pd.DataFrame(ORDERS), items=[1, 2])
    with pytest.raises(DataError, match=r"events: not a table"):
        Dataset.from_frames("orders.csv")
    with pytest.raises(DataError, match=r"at least one"):
        Dataset.from_frames({})
    with pytest.raises(DataError, match=r"'a/b' cannot name a kind"):
        Dataset.from_frames({"a/b": pd.DataFrame(ORDERS)})
    with pytest.raises(DataError, match=r"'items' cannot name a kind"):
        Dataset.from_frames({"items": pd.DataFrame(ORDERS)})
    with pytest.raises(FormatError, match=r"names the table 'evnts', which was not given; the tables are events"):
        Dataset.from_frames(pd.DataFrame(ORDERS), said={"events": [{"file": "evnts"}]})
    with pytest.raises(FormatError, match=r"kind: no such setting; did you mean kinds\?"):
        Dataset.from_frames(pd.DataFrame(ORDERS), said={"kind": {"view": 1}})
    with pytest.raises(DataError, match=r"events: not a table"):
        Dataset.from_frames(pd.DataFrame([[1, 2]], columns=["user_id", "user_id"]))


def test_mixed_values_and_other_arrow_types_become_text() -> None:
    mixed = pd.DataFrame({"user_id": ["a", 7, None], "when": [pd.Timestamp(0), "x", 3.5]}, index=[5, 6, 7])
    table = arrow(mixed, "t")
    assert table.column_names == ["user_id", "when"]
    assert table["user_id"].to_pylist() == ["a", "7", None]
    codes = pa.chunked_array([pa.array(["a", "b", "a"]).dictionary_encode()])
    data = Dataset.from_frames(pa.table({"user_id": codes, "item_id": pa.array(["x", "y", "z"], pa.large_string())}))
    assert (data.users.ids, data.items.ids) == (("a", "b"), ("x", "y", "z"))
    tags = pa.table({"item_id": ["x", "y"], "tags": [["red", "old"], []]})
    data = Dataset.from_frames(pa.table({"user_id": ["a", "b"], "item_id": ["x", "y"]}), items=tags)
    assert item_attributes(data) == {("x", "tags", "red"), ("x", "tags", "old")}


def test_the_frames_stay_as_they_are() -> None:
    orders = pd.DataFrame(ORDERS)
    before = orders.copy()
    Dataset.from_frames(orders)
    pd.testing.assert_frame_equal(orders, before)


def test_mutual_friends_and_triples() -> None:
    triples = pd.DataFrame({"head": ["e0", "e1"], "relation": ["by", "by"], "tail": ["p", "p"]})
    mutual = pd.DataFrame({"user_id": ["c0"], "friend_id": ["c1"]})
    data = load(pd.DataFrame, friends=mutual, triples=triples)
    assert friends(data) == {("c0", "c1")}
    assert data.external.triples == (("e0", "by", "p"), ("e1", "by", "p"))


def test_rows_of_friends_that_say_nothing_are_counted() -> None:
    rows = [("c0", "c1"), ("c1", "c0"), ("c0", "c1"), ("c0", "c0")]  # both directions are one friendship
    data = load(pd.DataFrame, friends=pd.DataFrame(rows, columns=["user_id", "friend_id"]))
    assert friends(data) == {("c0", "c1")}
    told = "of 4 rows of friends these are not used: 1 of somebody with themselves, 1 that repeat another"
    assert told in data.report.all_warnings()
    quiet = load(pd.DataFrame, friends=pd.DataFrame(rows[:2], columns=["user_id", "friend_id"]))
    assert not any("rows of friends" in line for line in quiet.report.all_warnings())


def test_record_batches_are_read_as_their_table(tmp_path: Path) -> None:
    table = pa.table(
        {
            "user_id": ["a", "b", "a", "c"],
            "item_id": ["x", "x", "y", "z"],
            "timestamp": [NOON, NOON + 9, NOON + 5, NOON],
        }
    )
    one = Dataset.from_frames(table)
    assert len(one.events) == 4
    pq.write_table(table, tmp_path / "events.parquet", row_group_size=2)
    batches = table.to_batches(2)
    for given in (batches, iter(batches), table.to_reader(2), pyarrow.dataset.dataset(tmp_path)):
        assert Dataset.from_frames(given) == one
    with pytest.raises(DataError, match="one schema"):
        Dataset.from_frames(iter([batches[0], batches[1].rename_columns(["a", "b", "c"])]))
    twice = pa.RecordBatch.from_arrays(batches[0].columns, names=["user_id", "item_id", "user_id"])
    with pytest.raises(DataError, match="a name of its own"):
        Dataset.from_frames(twice)


def test_parts_with_dictionaries_of_their_own_are_one_log(tmp_path: Path) -> None:
    """Each file and row group numbers its ids in its own way."""
    users, items = [f"u{n % 7}" for n in range(40)], [f"i{n * 5 % 11}" for n in range(40)]
    table = pa.table({"user_id": users, "item_id": items, "timestamp": [NOON + n for n in range(40)]})
    for n in range(4):
        pq.write_table(table.slice(10 * n, 10), tmp_path / f"events-{n}.parquet", row_group_size=3)
    read, one = Dataset.load(tmp_path), Dataset.from_frames(table)
    assert read == one
    assert read.users.ids == tuple(sorted(set(users)))


def test_a_clock_that_errs_by_years_does_not_make_all_else_long_past() -> None:
    table = pd.DataFrame({"user_id": list("aabb") * 10, "item_id": [f"i{n}" for n in range(40)]})
    times = NOON + np.arange(40) * 60
    for late in ([3], [3, 7]):  # seconds of the year 2096, which come last, and in their order
        wrong = times.copy()
        wrong[late] = 4_000_000_000 + np.arange(len(late))
        data = Dataset.from_frames(table.assign(timestamp=wrong))
        assert data.report is not None
        assert any("lie in the future (the latest on 2096-10-02)" in line for line in data.report.all_warnings())
        stamps = data.events.timestamps
        assert stamps is not None
        last = sorted(stamps.tolist())[-len(late) :]
        assert last == [times[-1] + 1 + n for n in range(len(late))]
        newest = data.events.item_nums[np.argsort(stamps)[-len(late) :]]
        assert [data.items.ids[n] for n in newest] == [f"i{n}" for n in late]
    many = Dataset.from_frames(table.assign(timestamp=times + 2_400_000_000))
    assert many.events.timestamps is not None
    assert many.events.timestamps.min() > 3_900_000_000, "where all lie there, no clock erred"
