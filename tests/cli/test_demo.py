"""The demo prints what fits 80 columns, and commands that can be pasted."""

from __future__ import annotations

import shlex
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from graphrec.cli import demo
from graphrec.samples import generate
from tests.cli.support import too_long
from tests.model.shop import QUICK


def test_the_demo_fits_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = ["popularity", "spectral", "neighbours", "ease", "ials"]
    quick = QUICK.with_(blocks=blocks, features={"enabled": False})
    monkeypatch.setattr(demo, "generate", lambda: generate(30, 30, 180))
    monkeypatch.setattr(demo, "Config", lambda: quick)
    monkeypatch.chdir(tmp_path)
    out, console = Path("a folder") / "model", Console(file=StringIO(), width=80)
    out.parent.mkdir()
    model = demo.run("sample", 2, out, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert too_long(text) == []
    for user_id in demo._users_to_show(model, 2):
        for row in model.recommend(user_id, 5).itertuples():
            assert row.item_id in text
            assert f"{row.score:.3f}" in text
            parts = model.explain(user_id, str(row.item_id)).blocks
            used = [name for name, weight in model.fitted.profiles.weights.items() if weight > 0]
            assert all(f"{parts[name]:+.3f}" in text for name in used)
    told = text[text.index("ask for more") :].replace("\\\n", "").splitlines()[1:]
    asked = shlex.split(next(line for line in told if " explain " in line))
    assert asked[asked.index("explain") + 1] == str(out)
    assert model.explain(asked[asked.index("--user") + 1], asked[asked.index("--item") + 1]).score


def test_commands_are_quoted_and_folded() -> None:
    path = Path("/somewhere") / ("deep " * 6).strip()
    for words in demo.commands(path, "[u] 1", "it's"):
        text = demo.folded(words, 40)
        assert shlex.split(text.replace("\\\n", "")) == shlex.split(" ".join(words))
        assert all(len(line) <= 40 or len(line.split("'")) > 2 for line in text.splitlines())
    assert demo.commands(Path.home() / "m", "u", "i")[3][1] == "~/m"
