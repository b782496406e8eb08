"""Texts of several languages: each is read by the extractor of its language, and by no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pytest

from kg.extract import extractors
from kg.extract.extractors import Readers, why_unread
from kg.extract.reading import extract
from kg.types import Span
from tests.kg.test_languages import ENGLISH, SENTENCES


class Plain:
    """Finds the first word; says which texts it was given."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.given: list[str] = []

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for text in texts:
            self.given.append(text)
            first = text.split(" ")[0]
            yield [Span(0, len(first), first, "aspect")]


class Kept:
    """A cache in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        return {k: self.kept[k] for k in keys if k in self.kept}

    def put_many(self, values: Mapping[str, bytes]) -> None:
        self.kept |= values


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> dict[str, Plain]:
    """English and Greek are read, by extractors that say what they got."""
    made = {"en": Plain("en"), "el": Plain("el")}
    monkeypatch.setattr(extractors, "READERS", dict.fromkeys(made, ("", "", "", "")))
    monkeypatch.setattr(Readers, "_of", lambda _, language: made[language])
    return made


TEXTS = [SENTENCES["el"], ENGLISH[0], SENTENCES["th"], ENGLISH[1], SENTENCES["el"], ""]


def test_each_text_is_read_by_the_extractor_of_its_language(two: dict[str, Plain]) -> None:
    readers = Readers(TEXTS)
    found = list(readers.extract(TEXTS))
    assert [[s.label for s in spans] for spans in found[:5]] == [["Πολύ"], ["A"], [], ["It"], ["Πολύ"]]
    assert two["el"].given[:1] == [SENTENCES["el"]]
    assert [readers.reads(t) for t in TEXTS[:4]] == [True, True, False, True]


def test_the_cache_holds_each_text_under_its_own_extractor(two: dict[str, Plain]) -> None:
    cache = Kept()
    first = extract(TEXTS, Readers(TEXTS), cache)
    assert set(first) == {SENTENCES["el"], *ENGLISH[:2]}
    two["el"].given.clear()
    assert extract(TEXTS, Readers(TEXTS), cache) == first
    assert two["el"].given == []
    two["el"].id = "el, newer"
    extract(TEXTS, Readers(TEXTS), cache)
    assert two["el"].given[:1] == [SENTENCES["el"]]


def test_what_is_unread_says_what_would_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractors, "READERS", {"en": ("", "", "", ""), "xx": ("", "", "no_such", "pip install it")})
    assert why_unread("en") == ""
    assert why_unread("xx").startswith("pip install it")
    assert "kg.extractor" in why_unread("th")
