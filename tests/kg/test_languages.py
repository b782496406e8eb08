"""Each text has its language, and an English catalogue loses nothing."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.languages import languages, most_spoken, named, of_each
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
    assert of_each([SENTENCES[code], *ENGLISH * 40]) == [code, *["en"] * 120]


def test_shares_are_of_the_texts_that_are_long_enough() -> None:
    texts = [*ENGLISH, SENTENCES["de"], "ok", "", "5/5!!", "super"]
    assert languages(texts) == {"en": 0.75, "de": 0.25}
    assert languages(["ok", "", "5/5"]) == {}
    assert of_each(["ok", "", "5/5"]) == ["en"] * 3


def test_short_texts_go_to_a_language_that_the_long_ones_are_in() -> None:
    texts = [*ENGLISH, SENTENCES["de"], "Sehr gut", "Very good", "好", "!"]
    assert of_each(texts) == ["en"] * 3 + ["de"] * 2 + ["en", "zh", "en"]
    assert of_each([SENTENCES["fr"]] * 3 + ["parfait", "super", ""]) == ["fr"] * 6
    assert of_each([SENTENCES["ja"], "最高品質"]) == ["ja", "ja"]


def test_short_texts_alone_are_read_together() -> None:
    assert of_each(["Sehr gut", "Leider kaputt", "Gerne wieder", "nicht schlecht"]) == ["de"] * 4
    assert of_each(["very good", "works fine", "broke soon"]) == ["en"] * 3


def test_few_short_texts_in_another_script_are_not_most() -> None:
    short = ["Guitar 12", "Drum 3", "Flute 4"]
    assert most_spoken([*short, "吉他 5"]) == "en"
    assert most_spoken([short[0], "吉他 5", "王牌"]) == "zh"
    assert most_spoken(["Schlagzeug für Kinder", "Flöte mit Koffer", "Und die Noten dazu", "吉他 5"]) == "de"
    assert most_spoken([]) == "en"


def test_languages_in_words() -> None:
    assert [named(c) for c in ([], ["de"], ["de", "th"], ["zh", "de", "xx"])] == [
        "",
        "German",
        "German and Thai",
        "Chinese, German and xx",
    ]


@given(st.lists(st.text(), max_size=8))
def test_any_texts(texts: list[str]) -> None:
    shares = languages(texts)
    assert not shares or sum(shares.values()) == pytest.approx(1)
    assert len(of_each(texts)) == len(texts)
    assert of_each(texts) == of_each(texts)


def test_real_reviews_are_what_they_are() -> None:
    from graphrec.data.dataset import Dataset

    texts = Dataset.load(shared_data("musical_instruments")).reviews["text"].tolist()
    assert languages(texts)["en"] > 0.99
    found = Counter(of_each(texts))
    assert found == {"en": len(texts) - 5, "es": 5}  # five are Spanish
