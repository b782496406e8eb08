"""Lists for people where no item has a title."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import QUICK, document, printed, run


def test_without_titles_it_is_said_what_items_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By brand where that is known, else the column is left out; the document keeps its field."""
    rows = "".join(f"u{n % 6},i{n % 5}\n" for n in range(30) if n % 7)
    (tmp_path / "events.csv").write_text(f"user_id,item_id\n{rows}", "utf-8")
    run("fit", tmp_path / "events.csv", "--out", tmp_path / "bare", *QUICK)
    asked = ("--user", "u0", "-k", "2", "--seen", "allow")
    told = printed(capsys, "recommend", tmp_path / "bare", *asked)
    assert "title" not in told
    assert "what it is" not in told
    assert [row["title"] for row in document(capsys, "recommend", tmp_path / "bare", *asked)["items"]] == ["", ""]
    brands = "".join(f"i{n},{('Kiri', 'Monterra')[n % 2]}\n" for n in range(5))
    (tmp_path / "items.csv").write_text(f"item_id,brand\n{brands}", "utf-8")
    run("fit", tmp_path, "--out", tmp_path / "branded", *QUICK)
    told = printed(capsys, "recommend", tmp_path / "branded", *asked)
    assert "what it is" in told
    assert "by Kiri" in told or "by Monterra" in told
    similar = printed(capsys, "similar", tmp_path / "branded", "--item", "i0")
    assert "by Kiri" in similar
