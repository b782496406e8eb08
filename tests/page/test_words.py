"""The page says everything in every language, and needs nothing from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import graphrec.serve

STATIC = Path(graphrec.serve.__file__).parent / "static"
PAGE = STATIC / "page"
WORDS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((PAGE / "words").glob("*.json"))}


def test_languages_say_the_same() -> None:
    assert set(WORDS) == {"de", "en", "zh"}
    for name, texts in WORDS.items():
        assert texts.keys() == WORDS["en"].keys(), name
        for key, text in texts.items():
            assert text.strip(), (name, key)
            assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", WORDS["en"][key])), (name, key)


def test_every_text_that_is_asked_for_is_there() -> None:
    asked = {key for path in PAGE.glob("*.js") for key in re.findall(r'\bt\("([^"]+)"', path.read_text("utf-8"))}
    assert len(asked) > 60
    assert not asked - WORDS["en"].keys()


@pytest.mark.parametrize(
    "path", sorted([*PAGE.glob("*.js"), *PAGE.glob("*.html"), *PAGE.glob("*.css")]), ids=lambda p: p.name
)
def test_nothing_comes_from_elsewhere_and_nothing_is_made_html(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"https?://|//cdn", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
    assert len(text.splitlines()) <= 300
    for source in re.findall(r'(?:from|import\(|src=|href=)\s*"(/static/[^"]+|\./[^"]+)"', text):
        found = STATIC / source.removeprefix("/static/") if source.startswith("/static/") else PAGE / source
        assert found.exists(), source


def test_licences_lie_beside_what_they_are_of() -> None:
    vendor = STATIC / "vendor"
    for script in (*vendor.glob("*.js"), *vendor.glob("*.css")):
        assert (vendor / f"{script.stem}.LICENSE.txt").exists(), script.name
    pinned = json.loads((STATIC / "package.json").read_text("utf-8"))
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pinned["dependencies"].values())
