"""Exports as shops, trackers and shelves write them: opinions, returns, names of people in other tongues."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import EmptyDataError
from graphrec.read import kind_words, personal
from tests.read.support import friends, jsonl, titles, user_attributes, write

PAIRS = [(n % 7, n * n % 5) for n in range(60)]


def table(header: str, row: Callable[[int, int, int], str]) -> str:
    return header + "\n" + "".join(row(n, u, i) + "\n" for n, (u, i) in enumerate(PAIRS))


def roles(data: Dataset, file: str) -> dict[str, str]:
    return {c.column: c.role for c in data.report.columns if c.file == file}


def why(data: Dataset, file: str) -> dict[str, str]:
    return {c.column: c.why_not for c in data.report.columns if c.file == file}


def kinds(data: Dataset) -> dict[str, float]:
    return {k.name: k.weight for k in data.events.kind_table}


@pytest.mark.parametrize(("up", "down"), [("up", "down"), ("👍", "👎"), ("Liked", "Disliked"), ("喜欢", "不喜欢")])
def test_thumbs_down_is_a_dislike(tmp_path: Path, up: str, down: str) -> None:
    text = table(
        "member,song,vote,when", lambda n, u, i: f'u{u},s{i},{(up, down)[n % 3 == 0]},"Apr {n % 28 + 1}, 2023"'
    )
    data = Dataset.load(write(tmp_path, {"votes.csv": text}))
    assert kinds(data) == {"like": 1.0, "dislike": -1.0}
    assert (data.events.strengths < 0).sum() == 20
    assert data.has_times
    assert roles(data, "votes.csv")["when"] == "timestamp"


def test_the_events_of_a_tracker_weigh_what_they_say(tmp_path: Path) -> None:
    names = ("view_item", "add_to_cart", "remove_from_cart", "purchase")
    rows = [
        {
            "ts": f"2023-06-{n % 28 + 1:02d}T10:00:00Z",
            "event": names[n % 4],
            "client_id": f"{u}.7",
            "content_id": f"S{i}",
        }
        | {"page_title": f"Red kettle {i}"}
        for n, (u, i) in enumerate(PAIRS)
    ]
    data = Dataset.load(write(tmp_path, {"log.jsonl": jsonl(rows)}))
    assert kinds(data) == {"view_item": 0.25, "add_to_cart": 0.5, "remove_from_cart": -0.5, "purchase": 1.0}
    assert titles(data)["S1"] == "Red kettle 1"
    assert not data.report.warnings


def test_what_was_given_back_is_a_count_below_nought(tmp_path: Path) -> None:
    text = table(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,CustomerID",
        lambda n, u, i: f"{n},8{i}A,WHITE HEART NO {i},{(6, -6, 0, 12)[n % 4]},12/{n % 28 + 1}/2010 8:26,178{u}.0",
    )
    data = Dataset.load(write(tmp_path, {"retail.csv": text}))
    assert roles(data, "retail.csv")["Quantity"] == "count"
    assert titles(data)["81A"] == "WHITE HEART NO 1"
    given = data.events.values
    assert (data.events.strengths[given <= 0] == 0).all()
    assert (data.events.strengths[given > 0] > 0).all()
    assert "30 of 0 or less say nothing" in data.report.strength["order"]


def test_my_rating_is_a_rating(tmp_path: Path) -> None:
    text = table("User ID,Book ID,My Rating,Date Read", lambda n, u, i: f"{u},{i},{n % 5 + 1},2023/01/{n % 28 + 1:02d}")
    data = Dataset.load(write(tmp_path, {"books.csv": text}))
    assert roles(data, "books.csv") == {
        "User ID": "user_id", "Book ID": "item_id", "My Rating": "rating", "Date Read": "timestamp"
    }  # fmt: skip


def test_ratings_that_are_no_numbers_are_warned_of(tmp_path: Path) -> None:
    text = table("user,item,rating", lambda n, u, i: f"u{u},i{i},{n % 5 + 1} stars")
    data = Dataset.load(write(tmp_path, {"r.csv": text}))
    assert any("'rating' is named as ratings are" in w and "'1 stars'" in w for w in data.report.warnings)


def test_cancelled_orders_are_warned_of_and_the_remedy_works(tmp_path: Path) -> None:
    states = ("Abgeschlossen", "Abgeschlossen", "Storniert")
    text = table("Kunde;Artikel;Status;Menge", lambda n, u, i: f"K{u};A{i};{states[n % 3]};{n % 3 + 1}")
    folder = write(tmp_path, {"orders.csv": text})
    warned = [w for w in Dataset.load(folder).report.warnings if "Status" in w]
    assert len(warned) == 1
    assert 'kind = "Status"' in warned[0]
    assert 'kinds = { "Storniert" = 0 }' in warned[0]
    says = 'kinds = { "Storniert" = 0 }\n[[events]]\nfile = "orders.csv"\n'
    says += 'columns = { user_id = "Kunde", item_id = "Artikel", kind = "Status" }\n'
    data = Dataset.load(write(tmp_path, {"data.toml": says}))
    assert kinds(data)["Storniert"] == 0
    assert (data.events.strengths == 0).sum() == 20


@pytest.mark.parametrize(
    ("user", "friend", "file"),
    [
        ("id_cliente", "id_amigo", "amigos.csv"),
        ("kunde", "freund", "freunde.csv"),
        ("用户编号", "好友编号", "好友.csv"),
    ],
)
def test_friends_in_other_tongues(tmp_path: Path, user: str, friend: str, file: str) -> None:
    events = table(f"{user},artikel", lambda n, u, i: f"u{u},i{i}")
    data = Dataset.load(write(tmp_path, {"events.csv": events, file: f"{user},{friend}\nu0,u1\nu2,u3\nu0,u3\n"}))
    assert friends(data) == {("u0", "u1"), ("u0", "u3"), ("u2", "u3")}


PEOPLE = "id_cliente,nombre,apellidos,correo,telefono,direccion,dni,ciudad,canal\n" + "".join(
    f"u{n},{('Ana', 'Juan')[n % 2]},{('Gil', 'Paz')[n % 2]},ana{n % 3}@a.es,+34 600 100 00{n % 3},Calle {n % 2},"
    f"1234567{n % 2}Z,{('Vigo', 'Lugo')[n % 2]},c{n % 3}@b.es\n"
    for n in range(7)
)


def test_what_names_or_finds_a_person_is_never_read(tmp_path: Path) -> None:
    events = table("id_cliente,id_producto,red", lambda n, u, i: f"u{u},p{i},10.0.0.{u}")
    data = Dataset.load(write(tmp_path, {"pedidos.csv": events, "clientes.csv": PEOPLE}))
    assert {key for _, key, _ in user_attributes(data)} == {"ciudad"}
    assert {c for c, reason in why(data, "clientes.csv").items() if reason == "personal"} == {
        "nombre", "apellidos", "correo", "telefono", "direccion", "dni", "canal"
    }  # fmt: skip
    assert why(data, "pedidos.csv")["red"] == "personal"


@pytest.mark.parametrize("column", ["nomination", "economy", "viaje", "tradename_count", "description"])
def test_words_that_only_hold_a_short_one_are_not_personal(column: str) -> None:
    assert personal.is_personal(column) == ("name" in column)


def test_personal_by_values() -> None:
    assert personal.holds_personal(pd.Series(["a@b.de", "c@d.de", None]))
    assert personal.holds_personal(pd.Series(["192.168.0.1", "fe80::1:2", "::1"]))
    assert not personal.holds_personal(pd.Series(["mail me at a@b.de please", "1.2.3", "12:30:00 h"]))
    assert not personal.holds_personal(pd.Series([None, ""]))


@pytest.mark.parametrize("word", ["Cancelled", "storniert", "已取消", "REFUNDED"])
def test_words_for_orders_that_came_to_nothing(word: str) -> None:
    assert kind_words.undone(["completed", word]) == [word]


def test_a_data_toml_of_an_export_is_read_alike(tmp_path: Path) -> None:
    events = table("member,song,vote", lambda n, u, i: f"u{u},s{i},{('up', 'down')[n % 2]}")
    data = Dataset.load(write(tmp_path, {"votes.csv": events}))
    document: dict[str, Any] = json.loads(json.dumps(data.report.to_json()))
    again = Dataset.load(write(tmp_path, {"data.toml": document["data_toml"]}))
    assert again == data
    assert kinds(again) == kinds(data)


@pytest.mark.parametrize(("mine", "theirs"), [("{i:05d}", "{i}"), ("SKU-{i}", "sku-{i}")])
def test_ids_that_a_spreadsheet_changed_are_matched_and_said(tmp_path: Path, mine: str, theirs: str) -> None:
    events = table("customer_id,product_id", lambda n, u, i: f"u{u}," + mine.format(i=i))
    items = "product_id,title\n" + "".join(theirs.format(i=i) + f",Tea {i}\n" for i in range(6))
    data = Dataset.load(write(tmp_path, {"orders.csv": events, "products.csv": items}))
    assert titles(data)[mine.format(i=4)] == "Tea 4"
    assert any("its ids are the events' but for" in w for w in data.report.warnings)


def test_ids_that_would_become_one_stay_apart(tmp_path: Path) -> None:
    events = table("customer_id,product_id", lambda n, u, i: f"u{u},00{i}")
    items = "product_id,title\n" + "".join(f"{zeros}{i},Tea {i}\n" for i in range(5) for zeros in ("", "0"))
    data = Dataset.load(write(tmp_path, {"orders.csv": events, "products.csv": items}))
    assert set(titles(data).values()) == {""}


def test_a_list_of_ids_is_no_missing_id(tmp_path: Path) -> None:
    rows = jsonl({"user_id": u, "item_id": [1, 2, u]} for u in range(9))
    with pytest.raises(EmptyDataError, match=r"item_id holds several values .*; write a row for each of them"):
        Dataset.load(write(tmp_path, {"history.jsonl": rows}))


def test_a_weight_for_a_kind_that_no_event_has_is_warned_of(tmp_path: Path) -> None:
    events = table("user,item,event_type", lambda n, u, i: f"u{u},i{i},{('view', 'order')[n % 2]}")
    data = Dataset.load(write(tmp_path, {"log.csv": events, "data.toml": "[kinds]\nvieww = 0.1\norder = 1\n"}))
    assert data.report.warnings == ["data.toml weighs the kind 'vieww', which no event has; did you mean view?"]


def test_values_that_say_nothing_are_written_and_read_alike(tmp_path: Path) -> None:
    rows = [(f"u{u}", f"i{i}", 1) for u, i in PAIRS]
    data = Dataset.from_frames(pd.DataFrame(rows, columns=["user", "item", "quantity"]))
    data.to_folder(tmp_path / "out")
    assert Dataset.load(tmp_path / "out") == data


def test_a_table_whose_columns_are_numbered(tmp_path: Path) -> None:
    frame = pd.DataFrame([(f"u{u}", f"i{i}") for u, i in PAIRS])
    data = Dataset.from_frames(frame, said={"columns": {"user_id": "0", "item_id": "1"}})
    assert (data.n_users, data.n_items) == (7, 3)


def test_one_star_for_all_on_a_scale_that_is_said_is_a_dislike(tmp_path: Path) -> None:
    rows = table("user_id,item_id,rating", lambda n, u, i: f"u{u},i{i},1")
    toml = '[[events]]\nfile = "log.csv"\nvalues = "rating"\nscale = [1, 5]\n'
    data = Dataset.load(write(tmp_path, {"log.csv": rows, "data.toml": toml}))
    assert (data.events.strengths < 0).all()
    assert len(data.interactions) == 0
