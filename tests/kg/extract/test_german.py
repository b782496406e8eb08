"""Aspects and polarity in German: by hand, and for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.extract.extractors import Readers
from kg.extract.german import GermanExtractor, opinion
from kg.extract.reading import extract
from kg.types import Span
from tests.conftest import examples


def found(*texts: str) -> list[list[tuple[str, float]]]:
    extractor = GermanExtractor()
    rows = extractor.settle(list(extractor.extract(texts)))
    return [[(s.label, s.polarity) for s in row] for row in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Die Verarbeitung ist sehr gut, aber der Akku hält nicht lange.", {"Verarbeitung": 1, "Akku": -1}),
        ("Leider ist das Display zu dunkel.", {"Display": -1}),
        ("Gute Qualität, schneller Versand!", {"Qualität": 1, "Versand": 1}),
        ("Es gibt keinen guten Griff und der Deckel klemmt nicht.", {"Griff": -1, "Deckel": 1}),
        ("Ich bin mit dem Klang zufrieden.", {"Klang": 1}),
        ("Meine Frau hat das am Montag für die Kinder bestellt.", {}),
        ("ICH BIN SEHR ZUFRIEDEN", {}),
    ],
)
def test_by_hand(text: str, expected: dict[str, int]) -> None:
    assert {label: (p > 0) - (p < 0) for label, p in found(text)[0]} == expected


def test_the_beginning_of_a_sentence_is_a_noun_where_others_say_so() -> None:
    assert found("Deckel undicht. Danach war Schluss.")[0] == []
    assert found("Deckel undicht. Danach war Schluss.", "Nur der Deckel ist undicht.")[0] == [("Deckel", -0.6)]
    assert found("Verarbeitung mangelhaft.")[0] == [("Verarbeitung", -0.6)]


def test_what_all_buy_is_no_aspect_of_itself() -> None:
    texts = [
        f"Ich habe diese Mühle gekauft, {said}" for said in ("der Griff ist gut.", "Preis top.", "die Mühle läuft.")
    ]
    labels = {label for row in found(*texts) for label, _ in row}
    assert labels == {"Griff", "Preis"}


def test_opinions() -> None:
    assert [opinion(w) for w in ("hervorragendes", "schlechter", "schrecklich", "tisch")] == [1.0, -0.6, -1.0, 0.0]


@examples(40)
@given(st.text(max_size=80), st.text(st.sampled_from("Der Griff ist gut, nicht.\n(ß)ÄÖ-"), max_size=60))
def test_any_text_gives_sorted_spans_inside_it(free: str, german: str) -> None:
    for text in (free, german):
        spans: list[Span] = next(GermanExtractor().extract([text]))
        assert spans == sorted(spans, key=lambda s: s.start)
        assert all(text[s.start : s.end] == s.label and -1 <= s.polarity <= 1 for s in spans)


def test_german_reviews_are_read_by_rules() -> None:
    texts = [
        "Der Griff ist angenehm, und die Klinge bleibt lange scharf.",
        "The handle feels good and it cuts well.",
    ] * 2
    spans = extract(texts, Readers(texts))
    assert {s.label for s in spans[texts[0]]} == {"Griff", "Klinge"}
