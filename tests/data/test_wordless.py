"""Texts without a single letter: their events count, they are not read as text, and that is said."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from graphrec.cli.app import app
from graphrec.data.dataset import Dataset

REVIEWS = """user_id,item_id,rating,timestamp,text
ann,pan,5,1600000000,Heats evenly.
bob,pan,4,1600000001,!!!
cid,pan,3,1600000002,5/5
dee,mug,5,1600000003,👍👍 :-)
eve,mug,5,1600000004,好
"""
ITEMS = "item_id,title,description\npan,300,A heavy pan of cast iron for every hob.\nmug,Fight Club,---\n"


def shop(folder: Path) -> Dataset:
    (folder / "reviews.csv").write_text(REVIEWS, "utf-8")
    (folder / "items.csv").write_text(ITEMS, "utf-8")
    return Dataset.load(folder)


def test_a_text_without_a_letter_is_no_review(tmp_path: Path) -> None:
    data = shop(tmp_path)
    assert len(data.events) == 5
    assert sorted(data.reviews["text"]) == ["Heats evenly.", "好"]
    assert data.quarantine.wordless == {"review": 3, "item text": 1}
    assert data.item_text.tolist() == ["", "A heavy pan of cast iron for every hob."]
    assert data.item_titles.tolist() == ["Fight Club", "300"]


def test_a_summary_in_words_is_read(tmp_path: Path) -> None:
    rows = "user_id,item_id,rating,summary,text\na,x,5,Heats evenly,!!!\nb,x,5,5/5,!!!\n"
    (tmp_path / "reviews.csv").write_text(rows, "utf-8")
    assert Dataset.load(tmp_path / "reviews.csv").reviews["summary"].tolist() == ["Heats evenly"]


def test_it_is_said(tmp_path: Path) -> None:
    data = shop(tmp_path)
    said = "not read as text, having no letter: 3 × review, 1 × item text"
    assert any(said in line for line in data.report.summary_lines())
    assert data.report.to_json()["without_letters"] == {"review": 3, "item text": 1}
    told = CliRunner().invoke(app, ["inspect", str(tmp_path)])
    assert said in told.stdout.splitlines()
