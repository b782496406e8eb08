"""Import and export: what goes out comes in again the same, Gorse's export is read, what cannot be is counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from graphrec.errors import DataError
from graphrec.store import Impression, ItemChange, Store, StoredAnswer, StoredEvent
from graphrec.store.porting import read_into, write_out
from tests.cli.support import document, run

FEEDBACK: list[dict[str, object]] = [
    {"FeedbackType": "star", "UserId": "bob", "ItemId": "go", "Timestamp": "2024-05-01T12:00:00Z", "Comment": ""},
    {"FeedbackType": "read", "UserId": "bob", "ItemId": "go", "Value": 2.5, "Timestamp": "2024-05-01T12:00:00.5+02:00"},
    {"FeedbackType": "read", "UserId": "é/ü", "ItemId": "rust", "Value": 0, "Timestamp": "0001-01-01T00:00:00Z"},
]
ITEMS: list[dict[str, object]] = [
    {"ItemId": "go", "IsHidden": False, "Categories": ["lang"], "Labels": {"year": 2009}, "Comment": "Go"},
    {"ItemId": "rust", "IsHidden": True, "Categories": None, "Labels": ["safe", "fast"], "Comment": ""},
]


def lines(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def filled(store: Store) -> None:
    whole: dict[str, Any] = {
        "type": "view",
        "value": 0.1 + 0.2,
        "latitude": 48.1,
        "longitude": 11.5,
        "recommendation_id": "r",
    }
    store.append(
        [
            StoredEvent(
                event_id="1", user_id="ü\n\"'", item_id="i", time=1e9 + 0.123, position=3, propensity=0.3, **whole
            ),
            StoredEvent(source="s", event_id="2", user_id="007", item_id="1e5", time=5),
        ]
    )
    store.change_items([ItemChange(item_id="i", action="add", attributes={"title": "Ü", "n": [1]}, time=3)])
    shown = Impression(recommendation_id="r", user_id=None, item_id="i", position=1, model_version="v", time=1)
    store.record([StoredAnswer(recommendation_id="r", model_version="v", time=1, request={}, answer={})], [shown])


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_what_goes_out_comes_in_again_the_same(store: Store, tmp_path: Path, ending: str) -> None:
    filled(store)
    for table, n in (("events", 2), ("item_changes", 1)):
        assert write_out(store, tmp_path / f"{table}.{ending}", table) == n
    assert write_out(store, tmp_path / f"shown.{ending}", "impressions") == 1
    with Store.open(f"sqlite:///{tmp_path / 'other.db'}") as other:
        found = read_into(other, tmp_path)
        assert (found.read, found.accepted, found.items, dict(found.unused)) == (4, 2, 1, {"impressions": 1})
        assert not found.refused
        own = {"sequence", "received"}
        assert [e.model_dump(exclude=own) for e in other.since()] == [e.model_dump(exclude=own) for e in store.since()]
        assert [c.attributes for c in other.items_changed()] == [{"title": "Ü", "n": [1]}]
        again = read_into(other, tmp_path)
        assert (again.accepted, again.duplicates, again.items, again.items_known) == (0, 2, 0, 1)
        assert len(other.items_changed()) == 1


def test_an_empty_table_goes_out_too(store: Store, tmp_path: Path) -> None:
    assert write_out(store, tmp_path / "e.parquet") == 0
    assert read_into(store, tmp_path / "e.parquet").read == 0
    with pytest.raises(DataError, match="there are events, impressions, item_changes"):
        write_out(store, tmp_path / "k.jsonl", "keys")


def test_the_export_of_gorse_is_read(store: Store, tmp_path: Path) -> None:
    lines(tmp_path / "feedback.jsonl", [*FEEDBACK, {**FEEDBACK[0], "Timestamp": "2025-01-01T00:00:00Z"}])
    lines(tmp_path / "items.jsonl", [*ITEMS])
    lines(tmp_path / "users.jsonl", [{"UserId": "bob", "Labels": ["x"], "Comment": ""}])
    found = read_into(store, tmp_path)
    assert (found.read, found.accepted, found.duplicates, found.items) == (7, 3, 1, 2)
    assert dict(found.unused) == {"users of Gorse": 1}
    star, read, undated = store.since()
    assert (star.source, star.type, star.user_id, star.item_id, star.value) == ("gorse", "star", "bob", "go", None)
    assert star.time == 1714564800
    assert (read.time, read.value) == (1714557600.5, 2.5)
    assert (undated.user_id, undated.value, undated.time) == ("é/ü", None, undated.received)
    again = read_into(store, tmp_path / "items.jsonl")
    assert (again.items, again.items_known) == (0, 2)
    go, rust = store.items_changed()
    assert (go.action, go.attributes) == ("add", {"year": 2009, "categories": ["lang"], "title": "Go"})
    assert (rust.action, rust.attributes) == ("hide", {"tags": ["safe", "fast"]})


def test_what_cannot_be_taken_in_is_counted_by_reason(store: Store, tmp_path: Path) -> None:
    good: dict[str, object] = {"event_id": "1", "user_id": "u", "item_id": "i", "time": 5}
    bad = [{**good, "user_id": ""}, {**good, "user_id": ""}, "{broken\n", "[1]\n", {**FEEDBACK[0], "Timestamp": "noon"}]
    file = lines(tmp_path / "e.jsonl", [good, *bad, {**good, "event_id": None}])
    found = read_into(store, file, "shop")
    assert (found.read, found.accepted) == (7, 2)
    assert sorted(found.refused.values()) == [1, 2, 2]
    assert any("empty text is no id" in why and where == f"{file}:2" for why, where in found.first.items())
    assert [(e.source, e.event_id) for e in store.since()] == [("shop", "1"), ("shop", "e.jsonl:7")]
    for name in ("none.jsonl", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(DataError, match="give"):
            read_into(store, tmp_path / name)
    (tmp_path / "b.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match="cannot be read"):
        read_into(store, tmp_path / "b.parquet")


def test_the_commands_say_what_they_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url, file = f"sqlite:///{tmp_path / 's.db'}", lines(tmp_path / "feedback.jsonl", [*FEEDBACK, "oops\n"])
    run("store", "status", url, expect=2)
    assert "there is no store" in capsys.readouterr().err
    run("store", "import", url, file)
    said = " ".join(capsys.readouterr().err.split())
    assert "4 rows read: 3 events taken in, 0 known already, 0 changes of items" in said
    assert "1 rows are refused: a line is no JSON object" in said
    assert document(capsys, "store", "import", url, file)["duplicates"] == 3
    assert document(capsys, "store", "status", url)["events"] == 3
    run("store", "status", url)
    assert "2024-05-01" in capsys.readouterr().out
    run("store", "export", url, tmp_path / "out.jsonl")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
