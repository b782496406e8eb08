"""The whole catalogue and everybody, side files that match or are said not to, and languages."""

from __future__ import annotations

import csv
from pathlib import Path

from graphrec.data.dataset import Dataset
from kg.extract.extractors import why_unread
from tests.cases.support import PAIRS, PLAIN, Cli, delimited, role, used_as
from tests.read.support import titles, write


def test_known_but_cold(tmp_path: Path, cli: Cli) -> None:
    """A user known from friends alone, and items known from their titles alone."""
    shop = write(
        tmp_path / "shop",
        {
            "shop.inter": delimited(("user_id:token", "item_id:token"), PAIRS, "\t"),
            "shop.item": delimited(
                ("item_id:token", "title:token_seq"), [(i, f"Red guitar {i}") for i in range(8)], "\t"
            ),
            "shop.net": delimited(
                ("source_id:token", "target_id:token"), [("newcomer", 0), ("newcomer", 3), (1, 2)], "\t"
            ),
        },
    )
    data = Dataset.load(shop)
    assert "newcomer" in data.users
    assert data.items.ids == tuple("01234567")
    model = cli.fit(shop, "--set", "kg.enabled=false", "--set", "blocks=popularity,spectral,ease,semantic")
    answer = cli.json("recommend", model, "--user", "newcomer", "-k", 2)
    assert {row["item_id"] for row in answer["items"]} <= {"1", "2", "4", "5"}  # what the friends 0 and 3 took
    assert answer["degraded"]
    near = cli.json("similar", model, "--item", "7", "-k", 3)["items"]
    assert all(row["title"].startswith("Red guitar") for row in near)
    assert len(near) == 3


def test_a_table_of_titles_is_used_whatever_its_name(tmp_path: Path, cli: Cli) -> None:
    movies = [(i, f"Film {i}") for i in range(6)]
    films = write(
        tmp_path / "films",
        {
            "ratings.csv": delimited(("user_id", "item_id"), PAIRS),
            "movies.csv": delimited(("item_id", "title"), movies),
        },
    )
    found = cli.inspect(films)
    assert (used_as(found, "ratings.csv"), used_as(found, "movies.csv")) == ("events", "items")
    assert role(found, "title", "movies.csv") == "title"
    model = cli.fit(films)
    assert {r["title"] for r in cli.json("recommend", model, "--user", "0")["items"]} == {"Film 0", "Film 3"}


def test_side_files_that_touch_no_item_are_said(tmp_path: Path, cli: Cli) -> None:
    folder = write(
        tmp_path / "kg",
        {
            "kg.inter": delimited(("user_id:token", "item_id:token"), PAIRS, "\t"),
            "kg.kg": delimited(
                ("head_id:token", "relation_id:token", "tail_id:token"),
                [(f"/x/{i}", "genre", f"g{i % 2}") for i in range(6)],
                "\t",
            ),
            "kg.link": delimited(("item_id:token", "entity_id:token"), [(i, f"other-{i}") for i in range(6)], "\t"),
        },
    )
    found = cli.inspect(folder)
    assert any(u["ids"] == u["of"] == 6 for u in found["unmatched"])
    cli.fit(folder)
    assert "0 of 6" in cli.err


def test_freebase_ids_are_the_same_with_slashes_and_dots_or_said_to_match_nothing(tmp_path: Path, cli: Cli) -> None:
    triples = [(f"/m/{i}", "genre", f"g{i % 2}") for i in range(6)]
    folder = write(
        tmp_path / "kg",
        {
            "kg.inter": delimited(("user_id:token", "item_id:token"), PAIRS, "\t"),
            "kg.kg": delimited(("head_id:token", "relation_id:token", "tail_id:token"), triples, "\t"),
            "kg.link": delimited(("item_id:token", "entity_id:token"), [(i, f"m.{i}") for i in range(6)], "\t"),
        },
    )
    external = Dataset.load(folder).external
    heads = {head for head, _, _ in external.triples}
    linked = set(external.item_entities.values()) & heads
    assert len(linked) == 6 or any(u["ids"] == u["of"] == 6 for u in cli.inspect(folder)["unmatched"])


def test_items_that_match_nothing_are_said(tmp_path: Path, cli: Cli) -> None:
    items = [(f"SKU-{i}", f"Film {i}") for i in range(6)]
    films = write(
        tmp_path / "films",
        {
            "events.csv": delimited(("user_id", "item_id"), PAIRS),
            "items.csv": delimited(("item_id", "title"), items),
        },
    )
    (found,) = cli.inspect(films)["unmatched"]
    assert (found["ids"], found["of"]) == (6, 6)
    cli.fit(films)
    assert "0 of 6" in cli.err


def test_a_file_that_is_not_used_is_named(tmp_path: Path, cli: Cli) -> None:
    folder = write(
        tmp_path / "shop",
        {
            "events.csv": delimited(("user_id", "item_id"), PAIRS),
            "read me.txt": "Exported on Monday.\n",
            "totals.csv": delimited(("month", "total"), [("2019-11", 99)]),
        },
    )
    found = cli.inspect(folder)
    assert {Path(f["path"]).name for f in found["files"]} == {"events.csv", "read me.txt", "totals.csv"}
    assert used_as(found, "read me.txt") == ""
    assert used_as(found, "totals.csv") == ""


CHINESE = ("小米手环很好用,但是充电太慢了!", "这款华为手机的电池非常耐用,屏幕也很清晰。")


def test_a_language_that_the_models_do_not_read_is_said(tmp_path: Path, cli: Cli) -> None:
    rows = [(u, i, 4, CHINESE[(u + i) % 2]) for u, i in PAIRS]
    path = write(tmp_path, {"reviews.csv": delimited(("user_id", "item_id", "rating", "review"), rows)}) / "reviews.csv"
    languages = cli.inspect(path)["languages"]
    assert max(languages, key=languages.get).lower()[:2] in {"zh", "ch"}
    cli("kg", "build", path, "--out", tmp_path / "g.nq")
    assert f"{len(rows)} of {len(rows)} reviews are Chinese, and no names" in cli.err or not why_unread("zh")
    cli("kg", "links", path, "--out", tmp_path / "l.csv")
    links = list(csv.DictReader((tmp_path / "l.csv").read_text("utf-8").splitlines()))
    aspects = set() if why_unread("zh") else {"充电", "电池", "屏幕"}
    assert {row["form"] for row in links if row["type"] == "aspect"} == aspects
    assert {row["form"] for row in links} <= {*aspects, "手环", "小米", "华为", "手机"}
    assert titles(Dataset.load(path)) == dict.fromkeys("012345", "")


def test_english_reviews_need_no_note(tmp_path: Path, cli: Cli) -> None:
    texts = ("The battery life is terrible, and charging takes all night.", "The screen of this phone is very bright.")
    rows = [(u, i, 4, texts[(u + i) % 2]) for u, i in PAIRS]
    path = write(tmp_path, {"reviews.csv": delimited(("user_id", "item_id", "rating", "review"), rows)}) / "reviews.csv"
    languages = cli.inspect(path)["languages"]
    assert max(languages, key=languages.get).lower()[:2] == "en"
    cli("kg", "build", path, "--out", tmp_path / "g.nq")
    assert "does not read" not in cli.err
    assert "aspect" in cli.json("kg", "stats", tmp_path / "g.nq")["by_type"]


def test_fit_takes_the_report_into_the_model(tmp_path: Path, cli: Cli) -> None:
    path = write(tmp_path, {"events.csv": delimited(("user_id", "item_id", "note"), [(*p, "x") for p in PAIRS])})
    model = cli.fit(path / "events.csv", *PLAIN, "--set", "blocks=popularity")
    assert "note" in cli.err
    assert "32 rows read" in cli.err
    assert any("note" in file.read_text("utf-8") for file in model.rglob("*.json"))
