"""The command line as a person and as a program use it: one JSON document, one line for a mistake, exit codes."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import graphrec as gr
from graphrec import doctor
from graphrec.serve.app import make_app
from tests.cli.support import QUICK, document, run


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Amazon-style reviews of two tastes, with one bad line."""
    file = tmp_path_factory.mktemp("shop") / "reviews_shop.json.gz"
    rows = []
    for user in range(30):
        for turn in range(6):
            item = 2 * ((user * 3 + turn) % 10) + user % 2
            part, side = ("strings", "bridge", "frets")[(user + turn) % 3], ("neck", "body")[turn % 2]
            text = f"The {part} of this one sound warm. The {'bright' if item % 3 else 'dark'} wooden {side} is lovely."
            rows.append(
                json.dumps(
                    {
                        "reviewerID": f"U{user:02d}",
                        "asin": f"B{item:02d}",
                        "reviewText": text,
                        "summary": "good",
                        "overall": 4.0,
                        "unixReviewTime": 1_400_000_000 + 86_400 * (turn * 30 + user),
                        "reviewerName": "Mr Secret",
                    }
                )
            )
    rows.insert(3, "{broken")
    with gzip.open(file, "wt") as out:
        out.write("\n".join(rows) + "\n")
    return file


@pytest.fixture(scope="module")
def model(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "m"
    run("fit", str(source), "--out", str(out), *QUICK)
    return out


def test_recommend_explain_similar(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "recommend", str(model), "--user", "U00", "-k", "3")
    assert found["user_id"] == "U00"
    assert [row["rank"] for row in found["items"]] == [1, 2, 3]
    assert set(found["items"][0]) == {"item_id", "score", "rank", "title"}
    assert found["degraded"] == []
    item = found["items"][0]["item_id"]
    why = document(capsys, "explain", str(model), "--user", "U00", "--item", item)
    assert sum(why["blocks"].values()) == pytest.approx(why["score"], abs=1e-4)
    assert {"head", "relation", "tail"} <= set(why["evidence"][0]["path"][0])
    assert len(document(capsys, "similar", str(model), "--item", item, "-k", "2")["items"]) == 2
    pair = ("--user", "U00", "--item", found["items"][2]["item_id"])
    gap = document(capsys, "explain", str(model), *pair, "--why-not", "-k", "2")
    assert (gap["rank"], gap["needed_by"]) == (3, found["items"][1]["item_id"])
    assert sum(gap["blocks"].values()) == pytest.approx(gap["needed"] - gap["score"], abs=1e-4)
    other = document(capsys, "explain", str(model), *pair, "--versus", item)
    assert other["difference"] == pytest.approx(found["items"][2]["score"] - found["items"][0]["score"], abs=1e-4)
    run("explain", str(model), *pair, "--why-not")
    assert "at place 3" in capsys.readouterr().out


def test_fit_like_an_earlier_model(source: Path, model: Path, tmp_path: Path) -> None:
    run("fit", str(source), "--out", str(tmp_path / "again"), "--like", str(model))
    first, again = (json.loads((folder / "manifest.json").read_text()) for folder in (model, tmp_path / "again"))
    assert first["files"]["profiles.safetensors"] == again["files"]["profiles.safetensors"]


def test_choices_taken_over_are_not_shown_as_measured(
    source: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    run("fit", source, "--out", tmp_path / "again", "--like", model)
    said = capsys.readouterr().err
    version = gr.load(model).fitted.version
    assert f"choices taken over from {model} ({version})" in said
    assert "on validation" not in said
    assert "ndcg" not in said
    first, again = (json.loads((folder / "metrics.json").read_text()) for folder in (model, tmp_path / "again"))
    assert set(first["validation"]) == {"users", "folds", "ndcg@20"}
    assert again == {"validation": {}, "chosen_by": version}
    card = (tmp_path / "again" / "README.md").read_text("utf-8")
    assert f"taken over from the model `{version}`" in card
    assert "validation part" not in card
    assert "validation part (users" in (model / "README.md").read_text("utf-8")


def test_the_answer_and_what_is_said_of_it_are_apart(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("recommend", str(model), "--user", "nobody")
    out, err = capsys.readouterr()
    assert "B0" in out
    assert "unknown_user" not in out
    assert "unknown_user" in err
    assert "B0" not in err


def test_evaluate_and_compare(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = [*QUICK, "--set", "kg.enabled=false"]
    found = document(capsys, "evaluate", str(source), "--split", "leave-last", *plain)
    assert found["split"] == "leave-last"
    assert {"recall@20", "ndcg@20", "auc", "gini@10"} <= set(found["metrics"])
    assert set(found["seconds"]) == {"features", "kg", "fit", "evaluate"}
    assert found["peak_rss_mb"] > 0
    assert "explanations" not in found
    explained = document(capsys, "evaluate", str(source), "--explanations", *QUICK)["explanations"]
    assert (explained["valid_steps"], explained["verbatim_quotes"]) == (1.0, 1.0)
    assert set(explained["popular_paths"]) < set(explained)
    run("evaluate", str(source), "--explanations", *plain, "--set", "blocks=popularity")
    assert "popular paths" in capsys.readouterr().out
    models = ("--models", "popularity,ease,graphrec", "--set", "evaluate.trials=2")
    table = document(capsys, "compare", str(source), *models, *plain)
    assert [row["model"] for row in table["rows"]] == ["popularity", "ease", "graphrec"]


def test_a_report_is_one_page(source: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "r.html"
    run("report", str(source), "--out", str(out), *QUICK)
    assert capsys.readouterr().err.splitlines()[-1] == f"{out} written"
    assert "What each block adds" in (measured := out.read_text("utf-8"))
    assert "Mr Secret" not in measured
    run("report", str(model), "--out", str(out))
    assert "nothing was measured on a test part" in out.read_text("utf-8")
    for wrong, remedy in (
        (["--out", str(tmp_path / "r.pdf")], "end in .html"),
        (["--out", str(tmp_path / "no" / "r.html")], "there is no folder"),
        (["--out", str(out), "--by", "activity"], "name NEWDATA"),
        (["--out", str(tmp_path / f"{'r' * 300}.html")], "cannot be written"),
        (["--out", str(out), "--set", "seed=1"], "leave --set out"),
    ):
        run("report", str(model), *wrong, expect=2)
        assert remedy in capsys.readouterr().err


def test_knowledge_graph_commands(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = tmp_path / "shop.nq"
    run("kg", "build", str(source), "--out", str(graph))
    stats = document(capsys, "kg", "stats", str(graph))
    assert stats["triples"] > 0
    assert stats["by_type"]["item"] == 20
    assert "Secret" not in graph.read_text()
    rows = document(capsys, "kg", "query", str(graph), "SELECT ?s WHERE { ?s ?p ?o } LIMIT 3")
    assert len(rows) == 3
    run("kg", "validate", str(graph))
    run("kg", "query", str(graph), "DROP ALL", expect=2)
    capsys.readouterr()
    run("kg", "query", str(graph), "SELECT * WHERE { ?s ?p ?o }", "--limit", "2")
    assert "more than 2 rows" in capsys.readouterr().err
    run("kg", "draw", str(graph), "item:B00", "--out", str(tmp_path / "kg.svg"))
    assert (tmp_path / "kg.svg").read_text("utf-8").startswith("<?xml")


def test_a_graph_in_turtle_with_a_fault(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph, report, sound = (tmp_path / name for name in ("kg.ttl", "report.json", "sound.ttl"))
    run("kg", "build", str(source), "--out", str(graph))
    triples = document(capsys, "kg", "stats", str(graph))["triples"]
    graph.write_text(graph.read_text("utf-8") + "<urn:graphrec:entity:item:B00> skos:prefLabel 'another' .\n", "utf-8")
    capsys.readouterr()
    run("kg", "validate", str(graph), "--report", str(report), expect=2)
    assert "one label" in capsys.readouterr().err.splitlines()[-1]
    assert json.loads(report.read_text("utf-8"))["faults"][0]["file"] == str(graph)
    run("kg", "validate", str(graph), "--report", str(tmp_path / "no" / "r.json"), expect=2)
    run("kg", "validate", str(graph), "--sound", str(sound))
    assert 0 < document(capsys, "kg", "stats", str(sound))["triples"] <= triples  # an item without any loses none
    run("kg", "validate", str(sound))
    (tmp_path / "other.nt").write_text("<http://e/a> <http://e/b> <http://e/c> .\n", "utf-8")
    capsys.readouterr()
    run("kg", "validate", str(tmp_path / "other.nt"), "--report", str(report), expect=2)
    assert "the source of http://e/a http://e/b http://e/c is not described" in capsys.readouterr().err
    assert len(json.loads(report.read_text("utf-8"))["faults"]) == 1


def test_links_of_a_dump(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "events.csv").write_text("user_id,item_id\nu,m\n", "utf-8")
    (tmp_path / "items.csv").write_text("item_id,title\nm,Heat\n", "utf-8")
    (tmp_path / "d.nt").write_text("<http://e/Heat> <http://e/by> <http://e/Mann> .\n", "utf-8")
    (found,) = document(capsys, "kg", "matches", str(tmp_path))
    assert found == {"item_id": "m", "title": "Heat", "entity": "http://e/Heat", "label": "Heat", "confidence": 1.0,
                     "candidates": 1, "used": True}  # fmt: skip


def test_links_are_listed_and_corrected(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, graph = tmp_path / "links.csv", tmp_path / "shop.nq"
    run("kg", "links", str(source), "--out", str(table))
    rows = table.read_text().splitlines()
    assert rows[0] == "form,entity,type,confidence,how,mentions"
    assert any(row.startswith("wooden neck,aspect:wooden-neck,aspect,") for row in rows)
    bodies = "".join(f"{row.split(',')[0]},,\n" for row in rows if "body" in row)
    table.write_text(f"form,entity,type\nwooden neck,Wires,product\nodd,no type,\n{bodies}")
    run("kg", "build", str(source), "--out", str(graph), "--set", f"kg.overrides={table}")
    assert "1 × name of an entity without a type" in " ".join(capsys.readouterr().err.split())
    found = document(capsys, "kg", "query", str(graph), "SELECT DISTINCT ?o WHERE { GRAPH ?g { ?s ?p ?o } }")
    names = {value for row in found for value in row.values()}
    assert any("product:wires" in name for name in names)
    assert bodies
    assert not any("body" in name for name in names)
    run("kg", "links", str(source), "--out", str(table), "--set", "kg.overrides=absent.csv", expect=2)
    run("kg", "links", str(source), "--out", str(table), "--set", "kg.extractor=transformers", expect=2)


def test_kg_extract_gives_a_line_for_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("The battery life is terrible.\n\nGreat screen!\n")
    run("kg", "extract", str(texts))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 3
    assert lines[1] == {"mentions": []}
    first = lines[0]["mentions"][0]
    assert "The battery life is terrible."[first["start"] : first["end"]].lower() == "battery life"
    assert first["polarity"] < 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit", "absent.csv", "--out", "m"], "absent.csv"),
        (["fit", "{source}", "--out", "m", "--set", "spectral.rnk=3"], "rnk"),
        (["fit", "{source}", "--out", "m", "--set", "blocks=magic"], "magic"),
        (["explain", "{model}", "--user", "nobody", "--item", "absent"], "absent"),
        (["explain", "{model}", "--user", "U00", "--item", "B00", "--why-not", "--versus", "B02"], "--versus"),
        (["explain", "{model}", "--user", "U00", "--item", "B00", "--versus", "B00"], "itself"),
        (["similar", "{model}", "--item", "absent"], "absent"),
        (["recommend", "{model}", "--user", "U00", "-k", "0"], "k = 0"),
        (["recommend", "{model}", "--user", "U00", "--query", "warm"], "semantic"),
        (["recommend", "absent", "--user", "U00"], "absent"),
        (["compare", "{source}", "--models", "oracle"], "oracle"),
        (["fetch", "absent"], "absent"),
        (["demo", "absent"], "absent"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str],
    said: str,
    source: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    run(*(a.format(source=source, model=model) for a in arguments), expect=2)
    out, err = capsys.readouterr()
    assert out == ""
    last = err.strip().splitlines()[-1]
    assert last.startswith("graphrec: ")
    assert said in last
    assert "Traceback" not in err


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    found = {row["what"]: row for row in document(capsys, "doctor")}
    assert found["text encoder"]["ok"]
    assert found["English language model"]["ok"]


def test_doctor_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def absent(name: str) -> str:
        if name == "torch":
            raise PackageNotFoundError(name)
        return "1"

    find = importlib.util.find_spec
    monkeypatch.setattr(doctor, "version", absent)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    monkeypatch.setitem(sys.modules, "torch", None)
    found = {row["what"]: row for row in document(capsys, "doctor")}
    assert not found["torch"]["ok"]
    assert "pip install" in found["torch"]["remedy"]


def test_the_service_answers_with_the_same_documents(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = TestClient(make_app(gr.load(model)))
    assert client.get("/ready").json()["status"] == "ready"
    answer = client.get("/recommend", params={"user_id": "U00", "k": 3}).json()
    assert document(capsys, "recommend", str(model), "--user", "U00", "-k", "3").items() <= answer.items()
    item = answer["items"][0]["item_id"]
    assert client.get("/explain", params={"user_id": "U00", "item_id": item}).json()["item_id"] == item
    assert len(client.get("/similar", params={"item_id": item, "k": 2}).json()["items"]) == 2
    assert client.get("/similar", params={"item_id": "absent"}).status_code == 404
    pair = {"user_id": "U00", "item_id": item}
    assert client.get("/why_not", params=pair).json()["rank"] == 1
    assert client.get("/contrast", params={**pair, "other_id": item}).status_code == 422
    assert client.get("/recommend", params={"user_id": "U00", "k": 0}).status_code == 422
