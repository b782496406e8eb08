"""BM25 over items' texts: the formula, what is indexed, and that it is heard in answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import graphrec as gr
from graphrec.model.lexical import B, K, Lexicon, texts_of
from graphrec.model.worded import liking_of
from graphrec.recommender import Recommender
from tests.model.shop import QUICK, WORDS, WordExtractor, shop
from tests.model.test_worded import Meaning

TEXTS = ["warm strings, warm tone", "bright strings", "", "a neck of maple; the neck is long and the wood is old"]


def test_scores_are_those_of_the_formula() -> None:
    found = Lexicon(TEXTS)
    words = [text.replace(",", "").replace(";", "").split() for text in TEXTS]
    n, mean = 3, sum(map(len, words)) / 3
    for query in ("strings", "warm strings", "neck neck", "nothing"):
        twin = np.zeros(len(TEXTS))
        for word in set(query.split()):
            within = sum(word in doc for doc in words)
            for i, doc in enumerate(words):
                f = doc.count(word)
                twin[i] += (
                    np.log(1 + (n - within + 0.5) / (within + 0.5))
                    * f
                    * (K + 1)
                    / (f + K * (1 - B + B * len(doc) / mean))
                    if f
                    else 0.0
                )
        np.testing.assert_allclose(found.scores(query), twin, rtol=1e-5)


def test_signs_of_chinese_are_words_and_nothing_is_no_lexicon() -> None:
    found = Lexicon(["这把吉他音色很好", "琴弦容易断"])
    assert found.scores("音色").argmax() == 0
    assert found.scores("琴弦").argmax() == 1
    assert Lexicon(["", " "]).empty
    assert Lexicon(["!!!"]).empty


@pytest.fixture(scope="module")
def model() -> Recommender:
    config = QUICK.with_(blocks=["popularity", "semantic"])
    return Recommender(config, encoder=Meaning(), extractor=WordExtractor()).fit(shop())


def test_a_name_that_stands_in_one_text_is_found(model: Recommender) -> None:
    liking = liking_of(model.fitted, "Thing 17")
    assert liking.scores.argmax() == model.fitted.data.items.number("i17")
    assert not liking.vague, "it stands there word by word"
    assert liking.scores.std() == pytest.approx(1, abs=1e-3)


def test_texts_hold_titles_attributes_and_reviews_and_survive_saving(model: Recommender, tmp_path: Path) -> None:
    fitted = model.fitted
    texts = texts_of(fitted.data, fitted.graph)
    for item in (1, 8):
        text = texts[fitted.data.items.number(f"i{item}")]
        assert f"Thing {item}" in text
        assert f"B{item % 2}" in text
        assert WORDS[item % 4] in text
    model.save(tmp_path / "m")
    loaded = gr.load(tmp_path / "m").fitted
    assert texts_of(loaded.data, loaded.graph) == texts
