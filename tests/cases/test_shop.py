"""The acceptance case: the export of a shop as it is, without a line written by hand."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import graphrec as gr
from graphrec.data.dataset import Dataset
from tests.cases.support import QUICK, Cli, role, shared_case, used_as

ROLES = {
    "orders.csv": {
        "customer_id": "user_id",
        "product_id": "item_id",
        "ordered_at": "timestamp",
        "quantity": "count",
    },
    "reviews.csv": {
        "customer_id": "user_id",
        "product_id": "item_id",
        "stars": "rating",
        "text": "text",
        "reviewed_at": "timestamp",
    },
    "products.csv": {"product_id": "item_id", "title": "title", "description": "text"},
    "customers.csv": {"customer_id": "user_id"},
    "follows.csv": {"follower": "user_id", "followed": "friend_id"},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases") / "shop"
    shutil.copytree(shared_case("shop"), folder)
    return folder


@pytest.fixture(scope="module")
def report(shop: Path) -> dict[str, Any]:
    return Cli().inspect(shop)


@pytest.fixture(scope="module")
def data(shop: Path) -> Dataset:
    return Dataset.load(shop)


def rows(shop: Path, name: str) -> list[dict[str, str]]:
    with (shop / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_file_is_used(report: dict[str, Any]) -> None:
    assert used_as(report, "orders.csv") == "events"
    assert used_as(report, "products.csv") == "items"
    assert used_as(report, "customers.csv") == "users"
    assert used_as(report, "follows.csv") == "friends"
    assert used_as(report, "reviews.csv") in {"events", "reviews"}


def test_every_column_is_in_the_report_with_its_role(shop: Path, report: dict[str, Any]) -> None:
    for name, wanted in ROLES.items():
        assert {column: role(report, column, name) for column in wanted} == wanted, name
        found = {c["column"] for c in report["columns"] if c["file"].endswith(name)}
        assert found == set(rows(shop, name)[0]), name
    types = {(Path(c["file"]).name, c["column"]): c for c in report["columns"]}
    assert types["products.csv", "category"]["type"] == "category"
    assert types["products.csv", "price"]["type"] == "number"
    assert types["products.csv", "stock"]["type"] == "number"
    assert types["products.csv", "image_url"]["why_not"] or types["products.csv", "image_url"]["type"] == "image"
    assert types["customers.csv", "signup_date"]["type"] == "date"
    assert types["customers.csv", "city"]["type"] == "category"


def test_dates_and_rows(report: dict[str, Any]) -> None:
    assert report["dates"]["from"][:10] == "2024-06-01"
    assert report["dates"]["to"][:7] == "2025-10"
    assert report["rows"]["read"] >= 6330 + 1500
    assert report["rows"]["set_aside"] in (0, {})
    assert all(u["ids"] < u["of"] for u in report["unmatched"])  # two products were never sold
    assert {"de", "en"} <= {language[:2].lower() for language in report["languages"]} | {
        {"german": "de", "english": "en"}.get(language.lower(), "") for language in report["languages"]
    }


def test_the_whole_catalogue_and_everybody(shop: Path, data: Dataset) -> None:
    assert (data.n_users, data.n_items) == (500, 240)
    assert all(data.item_titles)
    follows = {(row["follower"], row["followed"]) for row in rows(shop, "follows.csv")}
    ids = data.users.ids
    edges = {(ids[a], ids[b]) for a, b in data.social_edge_index.T.tolist()}
    assert follows <= edges
    assert len(data.reviews) >= 1393  # one for each pair at least


def test_every_order_is_kept(shop: Path, report: dict[str, Any]) -> None:
    assert report["rows"]["merged"] == 0
    assert report["rows"]["used"] >= 6330


def test_reorders_are_answers_where_they_are_asked_for(shop: Path, cli: Cli) -> None:
    model = gr.load(cli.fit(shop, *QUICK))
    orders = Counter(row["customer_id"] for row in rows(shop, "orders.csv"))
    known: dict[str, set[str]] = {}
    for row in [*rows(shop, "orders.csv"), *rows(shop, "reviews.csv")]:
        known.setdefault(row["customer_id"], set()).add(row["product_id"])
    for customer, _ in orders.most_common(5):
        assert not known[customer] & set(model.recommend(customer, 20)["item_id"])
        assert set(model.recommend(customer, 20, seen="only")["item_id"]) <= known[customer]
        assert known[customer] & set(model.recommend(customer, 20, seen="allow")["item_id"])


def test_the_report_ends_with_the_same_reading_written_down(
    shop: Path, data: Dataset, tmp_path: Path, cli: Cli
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(shop, folder)
    first = cli.json("inspect", folder, "--write")
    assert (folder / "data.toml").is_file()
    again = cli.json("inspect", folder)
    assert again["rows"] == first["rows"]
    assert [(c["column"], c["role"], c["type"]) for c in again["columns"]] == [
        (c["column"], c["role"], c["type"]) for c in first["columns"]
    ]
    assert Dataset.load(folder).fingerprint() == data.fingerprint()
