"""Slugs, merge keys and phrases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.names import Phrases, attribute_id, fold, slug, split


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Guitar Strap", "guitar-strap"),
        ("D'Addario", "daddario"),
        ("D&#39;Addario", "daddario"),
        ("low-end", "low-end"),
        ("SM57", "sm57"),
        ("10-46", "10-46"),
        ("2.2 lb", "2.2-lb"),
        ("C++", "c++"),
        ("Ärzte", "ärzte"),
        ("***", ""),
    ],
)
def test_slug(label: str, expected: str) -> None:
    assert slug(label) == expected


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Low-End", "low end", True),
        ("SM-57", "SM57", True),
        ("D'Addario", "DAddario", True),
        ("10-46", "1046", False),
        ("2.2 lb", "22 lb", False),
        ("C", "C++", False),
    ],
)
def test_fold(a: str, b: str, same: bool) -> None:
    assert (fold(a) == fold(b)) is same


@given(st.text(), st.text())
def test_equal_slugs_have_equal_keys(a: str, b: str) -> None:
    assert slug(slug(a)) == slug(a)
    if slug(a) == slug(b):
        assert fold(a) == fold(b)


def test_attribute_ids_stay_apart() -> None:
    ids = {
        attribute_id(k, v)
        for k, v in [("brand", "!!!"), ("brand", "???"), ("item", "x"), ("user", "x"), ("brand", "x")]
    }
    assert ids == {"brand:%21%21%21", "brand:%3F%3F%3F", "item_attribute:x", "user_attribute:x", "brand:x"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("my fender is a FENDER", ["fender", "FENDER"]),
        ("Fender Squier, fenders", ["Fender Squier"]),
        ("turn it on. Stage is set", []),
        ("an on-stage, on stage, On'Stage", ["on-stage", "on stage", "On'Stage"]),
        ("d'addario", ["d'addario"]),
        ("İstanbul Fender", ["Fender"]),
        ("", []),
    ],
)
def test_phrases(text: str, found: list[str]) -> None:
    phrases = Phrases({"Fender": "f", "Fender Squier": "q", "On-Stage": "o", "D'Addario": "d", "--": "never"})
    assert [text[a:b] for a, b, _ in phrases.find(text, split(text))] == found
