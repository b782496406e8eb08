"""Names of people are masked where they stand as such; products and artists keep theirs."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset
from graphrec.door.people import hints, names
from graphrec.door.privacy import mask_all
from tests.read.support import everything, jsonl, write


def masked(text: str) -> str:
    return mask_all([text], Counter(), reviews=True)[0]


SIGNED = [
    "Great strings.\n- John",
    "Great strings. - John",
    "Great strings! —Li Wei",
    "Cheers, Anna",
    "I enjoy it.\n\nAnna",
    "Works well. Thank you. Rich B.",
    "Thanks,\nJean-Luc",
    "Best regards\nMary O'Brien.",
    "Yours, Peter",
    "Viele Grüße, Max",
    "Klingt gut. LG Max",
    "Mit freundlichen Grüßen\nJürgen Groß",
    "Très bien. Cordialement, Hélène",
    "Muy bueno. Un saludo, Íñigo",
]
GREETED = [
    "Dear Peter, buy it.",
    "Hello Anna,\nbuy it.",
    "Hallo Max, kauf es.",
    "Chère Marie, c'est bon.",
    "Hola Ana: bien.",
]
WITHIN = [
    "My wife Anna plays it.",
    "I gave it to my 5 year old son Ben, who plays.",
    "I bought my son Ben a capo.",
    "Our friend, Kim, agrees.",
    "Mein Sohn Ben ist froh.",
    "Meine kleine Tochter Emma (6) spielt.",
    "Ma femme Anne en joue.",
    "Mi hija Ana lo usa.",
    "Hi, my name is Anna and I play.",
    "Ich heiße Max.",
    "Je m'appelle Luc.",
    "Me llamo Ana.",
]  # fmt: skip
STAY = [
    "I own two Taylor guitars and Johnson strings.",
    "Sounds like Miles Davis, or Pink Floyd.",
    "Miles Davis",
    "My Taylor is better than my brother's Gibson.",
    "My Brother HL-2270 prints; I replaced my Boss DS-1.",
    "I bought my son Guitar Hero for Christmas.",
    "My husband LOVES it, my wife Loves it.",
    "Weezer (think My Name is Jonas)",
    "Thanks Amazon!",
    "Thank you, Amazon.",
    "Thanks, Fender!",
    "This Korg is the best. Thanks, Korg.",
    "cheers Fender.",
    "I love Rachael Ray",
    "Now it is yours Gibson",
    "I got this for my LG Gram",
    "Good:\n- Sturdy\n- Cheap",
    "Love, Always",
    "Three stars - Fender",
    "Dear Customers, buy it.",
    "Hi Folks! OK.",
    "Hello Kitty, a guitar",
    "Dear Prudence is a song.",
    "Weil meine Tochter Geburtstag hatte, hat mein Sohn Freude.",
    "Mein Name ist Programm.",
    "Thanks, M",
    "You will not be sorry.\nHappy Reading",
    "Best of all\nFender Stratocaster",
    "Buy this.\nRecommended.",
    "thanks, john",
    "Regards, RK",
    "为什么 - 好",
]


@pytest.mark.parametrize("text", [*SIGNED, *GREETED, *WITHIN])
def test_people(text: str) -> None:
    """Exactly one name goes, whole, and nothing but it."""
    (span,) = names(text)
    assert masked(text) == f"{text[: span[0]]}[name]{text[span[1] :]}"
    given = (
        "John Li Wei Anna Rich Jean-Luc Mary Brien Peter Max Jürgen Groß Hélène Íñigo Marie Ben Kim Emma Anne Luc Ana"
    )
    assert not any(name in masked(text).replace("[name]", "") for name in given.split())


@pytest.mark.parametrize("text", STAY)
def test_products_artists_and_other_words_stay(text: str) -> None:
    assert masked(text) == text


@given(
    st.lists(
        st.sampled_from([*SIGNED, *GREETED, *WITHIN, *STAY, "\n", " ", "- ", "Thanks,", "Ben", "\ud800"])
        | st.text(max_size=8),
        max_size=4,
    )
)
def test_the_quick_search_overlooks_nothing(parts: list[str]) -> None:
    text = "".join(parts)
    spans = list(names(text))
    assert next(iter(hints([text]))) or not spans
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


@pytest.mark.parametrize("unit", ["my ", "My son ", "- ", "\n", "\n-", "Ann ", "thanks, ", "a-", "Dear "])
def test_long_lines_are_no_trouble(unit: str) -> None:
    """A pattern that tries again from every place would take minutes here."""
    assert isinstance(masked(unit * (300_000 // len(unit))), str)


def test_texts_of_reviews_but_no_titles(tmp_path: Path) -> None:
    """A review is somebody's words; a song in the catalogue and a summary are not."""
    row = {"reviewerID": "u", "asin": "i", "reviewText": "Nice. Cheers, Zedekiah", "summary": "Dear Jude, a song"}
    meta = {"asin": "i", "title": "Dear Jude, My Son Ben", "description": ["my son Ben"]}
    write(tmp_path, {"r.json": jsonl([row | {"overall": 5.0, "unixReviewTime": 1}]), "meta_r.json": jsonl([meta])})
    data = Dataset.load(tmp_path)
    assert data.reviews["text"].tolist() == ["Nice. Cheers, [name]"]
    assert "Zedekiah" not in everything(data)
    assert data.item_titles.tolist() == ["Dear Jude, My Son Ben"]
    assert data.quarantine.masked == {"name": 1}
