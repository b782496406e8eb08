"""Texts in other languages are noticed, and an English catalogue loses nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.door.languages import ELSEWHERE, is_english, languages, note, tell
from graphrec.door.report import Report
from tests.conftest import shared_data

ENGLISH = [
    "A fine guitar strap, comfortable to wear for hours.",
    "It broke after two weeks, and nobody answered my letters.",
    "The strings sound bright and they stay in tune for long.",
]
SENTENCES = {
    "de": "Leider ist der Wasserkocher nach zwei Wochen kaputt gegangen.",
    "fr": "Très bonne qualité, je recommande ce produit à tous.",
    "es": "Muy buena guitarra, la recomiendo a todos mis amigos.",
    "it": "Ottimo prodotto, lo consiglio davvero a tutti quanti.",
    "ru": "Это очень хорошая гитара, всем рекомендую.",
    "uk": "Це дуже гарна гітара, всім її рекомендую.",
    "zh": "手环很好用，但是充电太慢。",
    "ja": "これはとても良い製品です。",
    "ko": "정말 좋은 제품이에요.",
    "ar": "تجربة رائعة جدا مع هذا المنتج وأنصح به الجميع",
    "he": "מוצר מצוין ואני ממליץ עליו לכולם",
    "el": "Πολύ καλό προϊόν, το συνιστώ σε όλους",
    "th": "สินค้าดีมาก แนะนำให้ซื้อ",
    "hi": "यह बहुत अच्छा उत्पाद है और ठीक से काम करता है",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_in_its_language(code: str) -> None:
    assert languages([SENTENCES[code]]) == {code: 1.0}
    assert is_english([SENTENCES[code]]).tolist() == [False]


def test_shares_are_of_the_texts_that_are_long_enough() -> None:
    texts = [*ENGLISH, SENTENCES["de"], "ok", "", "5/5!!", "super"]
    assert languages(texts) == {"en": 0.75, "de": 0.25}
    assert languages(["ok", "", "5/5"]) == {}
    assert is_english(["ok", "", "5/5"]).all()


def test_single_foreign_texts_in_an_english_catalogue_stay() -> None:
    n = round(1 / ELSEWHERE)
    assert is_english([ENGLISH[0]] * n + [SENTENCES["de"]]).all()
    mixed = [ENGLISH[0]] * n + [SENTENCES["de"]] * 2
    assert is_english(mixed).tolist() == [True] * n + [False] * 2


def test_short_texts_go_to_a_language_that_the_long_ones_are_in() -> None:
    texts = [*ENGLISH, SENTENCES["de"], "Sehr gut", "Very good", "好", "!"]
    assert is_english(texts).tolist() == [True] * 3 + [False] * 2 + [True, False, True]


def test_the_note_counts_and_names() -> None:
    texts = [*ENGLISH, SENTENCES["zh"], SENTENCES["zh"], SENTENCES["de"]]
    said = note(texts, is_english(texts))
    assert said.startswith("3 of 6 reviews are Chinese and German: the English pipeline finds no names or aspects in")
    assert note([SENTENCES["zh"]], is_english([SENTENCES["zh"]])).startswith("1 of 1 reviews is Chinese: ")
    assert note(ENGLISH, is_english(ENGLISH)) == ""


def test_the_report_is_told() -> None:
    report = Report()
    tell(report, [*ENGLISH, SENTENCES["de"]], [SENTENCES["fr"], "", "ok"])
    assert report.languages == {"en": 0.6, "de": 0.2, "fr": 0.2}
    assert [w.partition(":")[0] for w in report.warnings] == ["about 25% of the reviews are German"]
    tell(report := Report(), [SENTENCES["zh"]] * 3)
    assert report.warnings[0].startswith("the reviews are Chinese: the English pipeline finds")
    tell(report := Report(), ENGLISH, [SENTENCES["zh"]])
    assert report.warnings == []
    tell(report := Report(), [])
    assert (report.languages, report.warnings) == ({}, [])


@given(st.lists(st.text(), max_size=8))
def test_any_texts(texts: list[str]) -> None:
    shares = languages(texts)
    assert not shares or sum(shares.values()) == pytest.approx(1)
    english = is_english(texts)
    assert len(english) == len(texts)
    assert bool(note(texts, english)) == (not english.all())


def test_real_reviews_are_what_they_are() -> None:
    from graphrec.data.dataset import Dataset

    texts = Dataset.load(shared_data("musical_instruments")).reviews["text"].tolist()
    assert languages(texts)["en"] > 1 - ELSEWHERE
    assert is_english(texts).all()
