"""Datasets and reports as people see them."""

from __future__ import annotations

import pandas as pd

from graphrec.cli.output import counts_line
from graphrec.data.dataset import Dataset, build
from graphrec.door.html import html_table
from graphrec.door.report import ColumnUse, FileUse, Report


def shop(name: str = "shop") -> Dataset:
    events = pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "x"], "timestamp": [0, 86_400]})
    return build(name, events)


def test_a_dataset_is_one_or_two_lines() -> None:
    assert repr(shop()).startswith("Dataset(shop: 2 users, 1 item, ")
    assert "1970-01-01 to 1970-01-02" in repr(shop())
    assert repr(shop()).count("\n") <= 1
    assert len(repr(shop())) < 300
    assert counts_line(shop()) == "shop: 2 users · 1 item · 2 events · 2 interactions"


def test_a_dataset_is_a_table_in_a_notebook() -> None:
    html = shop("<script>")._repr_html_()
    assert html.startswith("<table>")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<td>users</td><td>2</td>" in html


def test_a_report_is_tables_in_a_notebook() -> None:
    report = Report("csv", files=[FileUse("a<b>.csv", "events"), FileUse("notes.txt", "", "no table")])
    report.columns = [ColumnUse("a<b>.csv", "user & co", "user_id"), ColumnUse("a<b>.csv", "x", "", why_not="empty")]
    report.quarantine.add("a<b>.csv", 3, "item_id is missing")
    report.warnings.append("ids > 15 digits")
    html = report._repr_html_()
    for text in ("a&lt;b&gt;.csv", "user &amp; co", "not used: no table", "<td>empty</td>", "ids &gt; 15 digits"):
        assert text in html
    assert "<td>set aside: item_id is missing</td><td>1</td>" in html
    assert "<b>" not in html


def test_long_tables_are_counted() -> None:
    html = html_table("long", ("n",), [(n,) for n in range(100)])
    assert "and 70 more" in html
    assert html.count("<tr>") == 32
