"""What of a Dataset enters the knowledge graph: reviews that the pipeline reads, attributes that say something."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import pandas as pd
import pytest

from graphrec.data.dataset import Dataset, build
from graphrec.knowledge.adapter import knowledge_graph, links, sources
from graphrec.runtime import Runtime
from graphrec.settings import KGConfig
from kg.types import Span

GERMAN = "Leider ist der Wasserkocher nach zwei Wochen kaputt gegangen."
THAI = "สินค้าดีมาก แนะนำให้ซื้อ"
GREEK = "Πολύ καλό προϊόν, το συνιστώ σε όλους"
ENGLISH = "The long battery life is great, and the screen is bright."


def _reviewed(texts: list[str]) -> Dataset:
    rows = {"user_id": [f"u{n}" for n in range(len(texts))], "item_id": [f"i{n % 2}" for n in range(len(texts))]}
    return build("r", pd.DataFrame({**rows, "text": texts}))


class _Everything:
    """Finds the whole text, in whatever language."""

    id = "everything"

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        return ([Span(0, len(t), t, "aspect")] for t in texts)


def test_reviews_that_nothing_reads_are_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    data = _reviewed([THAI] * 4 + [GREEK] * 4 + [ENGLISH] * 4)
    with caplog.at_level(logging.WARNING):
        graph = knowledge_graph(data, KGConfig(), runtime=Runtime(processes=1))
        knowledge_graph(data, KGConfig(), runtime=Runtime(processes=1))
    assert set(graph.texts.values()) == {ENGLISH}
    assert sum(w.startswith("8 of 12 reviews are Thai and Greek") for w in data.report.warnings) == 1
    assert not caplog.records
    assert {c.form for c in links(data, KGConfig())} == set(graph.mentions["label"])


def test_greek_reviews_give_no_aspects() -> None:
    graph = knowledge_graph(_reviewed([GREEK] * 6), KGConfig())
    assert graph.stats()["mentions"] == 0
    assert links(_reviewed([GREEK] * 6), KGConfig()) == []


def test_an_extractor_of_ones_own_is_trusted() -> None:
    graph = knowledge_graph(_reviewed([GERMAN] * 4), KGConfig(min_mentions=1), extractor=_Everything())
    assert set(graph.texts.values()) == {GERMAN}


def test_an_english_catalogue_keeps_every_review(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        graph = knowledge_graph(_reviewed([ENGLISH] * 40 + [GERMAN]), KGConfig(min_mentions=1), extractor=None)
    assert not caplog.records
    assert set(graph.texts.values()) >= {ENGLISH}


def test_reviews_carry_their_own_ratings() -> None:
    """So that words learn from them."""
    rows = pd.DataFrame({"user_id": ["a", "b", "c"], "item_id": ["x", "y", "x"], "text": ["one", "two", "three"]})
    rated = build("r", rows.assign(value=[5.0, float("nan"), 1.0]))
    assert {r.text: r.rating for r in sources(rated)[1]} == {"one": 5.0, "two": None, "three": 1.0}
    assert {r.rating for r in sources(build("r", rows))[1]} == {None}
