"""Tables for people: on standard output, in 80 columns, with every character of ids and titles as it is."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from graphrec.cli.output import Sheet, answer
from graphrec.cli.steps import show_steps
from graphrec.evaluate.compare import Comparison, Row
from tests.cli.support import QUICK, document, printed, run, too_long

LONG = "A very long title of a thing that nobody would ever want to read to its end " * 3
TITLES = ["[bold]x[/] [a]", "Live [/] :smile:", LONG, "[red]", "漢字" * 60, "[link=x]y"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tastes; ids and titles that rich would take for markup or an emoji, and titles without an end."""
    folder = tmp_path_factory.mktemp("brackets")
    rows = ["user_id,item_id,text"]
    for user in range(12):
        for turn in range(4):
            item = 2 * ((user + turn) % 6) + user % 2
            rows.append(f'[u]{user},[i]{item}[/i],"The [b]warm[/b] strings of this one [/] sound lovely."')
    (folder / "reviews.csv").write_text("\n".join(rows) + "\n", "utf-8")
    titles = [f"[i]{n}[/i],{TITLES[n % len(TITLES)]}" for n in range(12)]
    (folder / "items.csv").write_text("\n".join(["item_id,title", *titles]) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def model(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "[m]"
    run("fit", shop, "--out", out, *QUICK, "--set", "explain.language=en")
    return out


def test_what_is_said_beside_an_answer_is_printed_as_it_is(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd, out = shop.parent / "[odd].csv", shop.parent / "[out] :smile:.nq"
    odd.write_text("user_id,item_id\n" + "".join(f"[u]{n},i{n % 3}\n" for n in range(9)), "utf-8")
    run("kg", "build", odd, "--out", out)
    assert f"{out} written" in capsys.readouterr().err.splitlines()
    assert printed(capsys, "inspect", odd).startswith("[odd]: 9 users")


def test_recommend_and_similar(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "recommend", model, "--user", "[u]0", "-k", "12", "--seen", "allow")
    assert "for [u]0" in text
    for title in ("[bold]x[/] [a]", "Live [/] :smile:", "[red]", "[link=x]y", LONG[:30], "漢字" * 10):
        assert title in text
    assert "…" in text
    assert all(f"[i]{n}[/i]" in text for n in range(12))
    assert "similar to [i]0[/i]" in printed(capsys, "similar", model, "--item", "[i]0[/i]", "-k", "11")


def test_explain(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in (0, 2, 4):
        text = printed(capsys, "explain", model, "--user", "[u]0", "--item", f"[i]{n}[/i]")
        assert TITLES[n][:14] in text
        assert "[u]0" in text or len(TITLES[n]) > 80
    pair = ("--user", "[u]0", "--item", "[i]0[/i]")
    assert "[bold]x[/] [a]" in printed(capsys, "explain", model, *pair, "--why-not")
    assert "[bold]x[/] [a]" in printed(capsys, "explain", model, *pair, "--versus", "[i]2[/i]")


def test_inspect(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "inspect", shop)
    assert all(name in text for name in ("reviews.csv", "items.csv", "rows: ", "user_id"))
    odd = shop.parent / "[odd].csv"
    odd.write_text("user_id,item_id,[red]x[/]\n" + "".join(f"[u]{n},i{n % 3},1\n" for n in range(9)), "utf-8")
    text = printed(capsys, "inspect", odd)
    assert "[odd].csv" in text
    assert "[red]x[/]" in text


def test_knowledge_graph(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = tmp_path / "shop.nq"
    run("kg", "build", shop, "--out", graph)
    assert "triples" in printed(capsys, "kg", "stats", graph)
    labels = "SELECT ?label ?none WHERE { ?s skos:prefLabel ?label OPTIONAL { ?s <urn:absent> ?none } }"
    text = printed(capsys, "kg", "query", graph, labels)
    assert "[bold]x[/] [a]" in text
    text = printed(capsys, "kg", "query", graph, "SELECT ?a ?b WHERE { VALUES (?a ?b) { ('1' UNDEF) (UNDEF '[/]') } }")
    assert "[/]" in text  # in a column that the first row has not
    run("kg", "query", graph, "SELECT ?s WHERE { ?s <urn:absent> ?o }")
    assert "no rows" in capsys.readouterr().err


def test_links_of_a_dump(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "events.csv").write_text("user_id,item_id\nu,[m]\nu,[n]\n", "utf-8")
    (tmp_path / "items.csv").write_text("item_id,title\n[m],Heat [/]\n[n],Cold\n", "utf-8")
    (tmp_path / "d.nt").write_text("<http://e/Cold> <http://e/by> <http://e/Mann> .\n", "utf-8")
    text = printed(capsys, "kg", "matches", tmp_path)
    assert "[n]" in text
    assert document(capsys, "kg", "matches", tmp_path)[-1]["item_id"] == "[n]"


def test_measures(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "recall@20" in printed(capsys, "evaluate", shop, *QUICK)
    models = "popularity,itemknn,ease,graphrec"
    text = printed(capsys, "compare", shop, "--models", models, *QUICK, "--set", "evaluate.trials=1", "-k", "3,5")
    assert all(name in text for name in models.split(","))
    assert "cut-off 5" in text
    assert "Comparison(" not in text


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert "text encoder" in printed(capsys, "doctor")


def test_a_comparison_of_any_model_fits_80_columns() -> None:
    figures = {f"{name}@20": 0.123456 for name in ("recall", "ndcg", "hr", "mrr", "coverage")}
    rows = [
        Row(name, figures, {"fit": 98765.4}, p, {}, (0.01, 0.02))
        for name, p in (("a_model_with_a_name_of_some_length[/]", None), ("graphrec", 1e-20), ("ease", 2.34e-10))
    ]
    console = Console(file=StringIO(), width=80)  # with markup, as anybody's console has
    console.print(Comparison("leave-last", (10, 20), 1_234_567, tuple(rows)).table())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert too_long(text) == []
    assert all(part in text for part in ("0.1235", "0.0100–0.0200", "98765.4", "2.3e-10", "a_model", "[/]"))


def test_a_title_wider_than_its_table_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    table = Sheet("metric", "value", title="shop, temporal split, 308 users, liked items are relevant")
    table.row("ndcg@10", "0.5")
    answer(table)
    assert "shop, temporal split, 308 users, liked items are relevant" in capsys.readouterr().out


def test_an_id_is_folded_and_a_title_is_cut() -> None:
    console = Console(file=StringIO(), width=80)
    table = Sheet("item", "title", "score", title="[/]", cut=["title"], figures=["score"])
    table.row("i" * 200, "t" * 200, "0.1234")
    table.row("a\tb\x1b[31m", "one\ntwo", 1)
    console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert too_long(text) == []
    assert text.count("i") == 200 + len("item title") - 8  # the i of both headings
    assert 10 < text.count("t") < 60
    assert "one two" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("columns", "width"), [(None, 80), ("60", 60), ("130", 130)])
def test_the_width_is_the_terminals_or_80(
    columns: str | None, width: int, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    capsys.readouterr()
    run("recommend", model, "--user", "[u]0", "-k", "12", "--seen", "allow")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) == width


def test_steps_fit_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"ndcg@20": 0.123456}
    step = {
        "from": 1_600_000_000,
        "events": 1_234_567,
        "users": 123_456,
        "new_items": 1.0,
        "seconds": 1234.5,
        "due": "x",
    }
    found = {
        "data": "a log",
        "k": [10, 20],
        "steps": [step | dict.fromkeys(("updated", "frozen", "popular"), figures)],
        **dict.fromkeys(("metrics", "frozen", "popular"), figures),
        "p_value": 0.01,
        "forgetting": {"then": 0.1, "again": 0.2},
        "refit": {"due": False, "rule": "none"},
        "chosen": {"weights": {"ease": 1.0}},
        "warnings": [],
        "seconds": {"steps": 1.0},
        "peak_rss_mb": 1.0,
    }
    show_steps(found, [])
    told = capsys.readouterr()
    assert too_long(told.out) == []
    assert all(part in told.out for part in ("2020-09-13", "1,234,567", "123,456", "0.1235", "100%", "due"))
    assert "1234.50 s" in told.err
