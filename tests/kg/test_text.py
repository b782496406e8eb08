"""Cleaning keeps every character in its place; a quote is a piece of the review."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.text import clean, sentence_around

messy = st.text() | st.lists(
    st.sampled_from(
        [
            "&#34;",
            "&amp;",
            "&nbsp;",
            "<br />",
            "<b",
            "http://a.b/c?d",
            "\u200b",
            "\u202e",
            "\x00",
            "\ud800",
            "good",
            ". ",
            "\n",
            "&",
            ";",
        ]
    )
).map("".join)


@given(messy)
def test_clean_keeps_the_length(text: str) -> None:
    assert len(clean(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <b>bold</b> move", "a    bold     move"),
        ("D&#39;Addario &amp; co", "D'    Addario &     co"),
        ("3 < 5 > 4", "3 < 5 > 4"),
        ("see http://x.y/z?a=1 now", "see " + " " * 16 + " now"),
        ("zero\u200bwidth \u202eright", "zero width  right"),
        ("bell\x07\ttab", "bell  tab"),
        ("&lt;b&gt;", " " * 9),
        ("one\ntwo", "one\ntwo"),
        ("plain, it's fine.", "plain, it's fine."),
    ],
)
def test_clean_by_hand(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        ("It came late. The tone is warm! I like it.", "tone", "The tone is warm!"),
        ("affordable.I like the tone.As a bonus", "tone", "I like the tone."),
        ("first line\nthe tone\nlast", "tone", "the tone"),
        ("made by Mr. Smith, the tone is 3.5 of 5. No", "tone", "made by Mr. Smith, the tone is 3.5 of 5."),
        ("one<br />the tone<br/>two", "tone", "the tone"),
        ("tone", "tone", "tone"),
    ],
)
def test_sentence_by_hand(text: str, word: str, sentence: str) -> None:
    start = text.index(word)
    a, b = sentence_around(text, start, start + len(word))
    assert text[a:b] == sentence


def test_long_sentences_are_cut_between_words() -> None:
    text = "word " * 200 + "tone " + "other " * 200
    start = text.index("tone")
    a, b = sentence_around(text, start, start + 4, limit=60)
    assert b - a <= 60
    assert set(text[a:b].split()) == {"word", "tone", "other"}


@given(messy, st.data(), st.integers(1, 60))
def test_sentence_holds_the_span_and_keeps_the_limit(text: str, data: st.DataObject, limit: int) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    a, b = sentence_around(text, start, end, limit)
    assert 0 <= a <= start <= end <= b <= len(text)
    assert b - a <= max(limit, end - start)
