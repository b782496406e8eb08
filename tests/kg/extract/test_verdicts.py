"""How a corpus settles whether an aspect is praised: planted ratings, naive twin, what must change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.build import build
from kg.extract.reading import extract
from kg.extract.spacy import SpacyExtractor
from kg.extract.verdicts import JUDGED, PROBES, agreed, verdicts
from kg.leaning import leanings, model
from kg.types import Item, Review
from tests.conftest import examples

WAIT, LIFE = "The wait was long.", "The battery life is long."
OTHERS = ["The soup was great.", "I loved the staff.", "The bread was awful.", "The tables are by the door."]


def place(text: str, term: str) -> tuple[int, int]:
    return text.index(term), text.index(term) + len(term)


def corpus(
    wait: float, life: float, low: float = 1, high: float = 5
) -> tuple[list[str], list[list[tuple[int, int]]], list[float | None]]:
    """Forty reviews of a long wait and forty of a long battery life, more plain ones, and two without a rating."""
    rows: list[tuple[str, str, float | None]] = [(WAIT, "wait", wait), (LIFE, "battery life", life)] * 40
    rows += [(OTHERS[0], "soup", high), (OTHERS[1], "staff", high), (OTHERS[2], "bread", low)] * 60
    rows += [(OTHERS[3], "tables", None), (WAIT, "wait", None), (LIFE, "battery life", None)]
    return [t for t, _, _ in rows], [[place(t, term)] for t, term, _ in rows], [r for _, _, r in rows]


@pytest.mark.parametrize("wait", [1, 5])
def test_long_is_said_of_a_wait_and_of_a_battery(wait: float) -> None:
    """One of them praises, as ratings have it, whichever it is."""
    texts, spans, ratings = corpus(wait, 6 - wait)
    told = [row[0] * (wait - 3) for row in verdicts(texts, spans, ratings)]
    assert all(x > 0 for x in told[0:80:2])
    assert all(x < 0 for x in told[1:80:2])
    assert told[-2] > 0 > told[-1]  # without a rating: by the pair


def test_scales_need_no_names() -> None:
    texts, spans, ratings = corpus(1, 5)
    _, _, other = corpus(-7.5, 88, -7.5, 88)
    assert verdicts(texts, spans, ratings) == verdicts(texts, spans, other)


def test_a_rating_that_tells_nothing_changes_nothing() -> None:
    texts, spans, _ = corpus(1, 5)
    same = verdicts(texts, spans, [3.0] * len(texts))
    assert same == pytest.approx(np.array(verdicts(texts, spans)), abs=0.02)


def test_without_ratings_only_the_usual_tone_of_the_corpus_is_added() -> None:
    (alone,) = leanings(OTHERS[0], [place(OTHERS[0], "soup")])
    ((one,),) = verdicts([OTHERS[0]], [[place(OTHERS[0], "soup")]])
    assert one > 0
    assert one == pytest.approx(alone, abs=0.05)
    assert verdicts([OTHERS[0], ""], [[], []]) == [[], []]


def test_what_ratings_change_about_a_pair_is_counted_without_the_mention() -> None:
    """A pair that stands once says what its word says elsewhere, not what its own rating says."""
    alone = np.full((41, 3), 1 / 3)
    keys = [("wait", "long")] * 40 + [("sofa", "soft")]
    level = np.array([0] * 20 + [1] * 20 + [0])
    out = agreed(alone, keys, level)
    other = agreed(alone, [*keys[:-1], ("sofa", "")], level)
    assert out[-1] == pytest.approx(other[-1], abs=1e-6)
    assert JUDGED > 0


class Vectors:
    """An encoder whose vectors feel as they are told to."""

    def __init__(self, feels: dict[str, float], right: bool = True) -> None:
        bias, weights = model().feeling
        probes = dict(zip(PROBES, model().probe.tolist(), strict=True)) if right else dict.fromkeys(PROBES, 9.0)
        self._known = {t: (s - bias) * weights / (weights @ weights) for t, s in (feels | probes).items()}
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Any:
        self.asked += texts
        return np.stack([self._known[t] for t in texts]).astype(np.float32)


def test_vectors_speak_where_words_are_not_sure() -> None:
    text = "The drawer sits on its rails."
    spans, sure = [[place(text, "drawer")], [place(OTHERS[0], "soup")]], OTHERS[0]
    values = []
    for feels in (-6.0, 6.0):
        vectors = Vectors({text: feels})
        values.append(verdicts([text, sure], spans, embed=vectors)[0][0])
        assert sure not in vectors.asked  # great soup is praise, whatever a vector says
    assert values[0] < 0 < values[1]


def test_vectors_of_another_encoder_are_left_alone() -> None:
    text = "The drawer sits on its rails."
    spans = [[place(text, "drawer")]]
    assert verdicts([text], spans, embed=Vectors({text: -6.0}, right=False)) == verdicts([text], spans)
    assert verdicts([text], spans, embed=lambda ts: np.ones((len(ts), 3), np.float32)) == verdicts([text], spans)


def test_ratings_reach_the_mentions_of_a_graph() -> None:
    rows = [(WAIT, 5.0), (LIFE, 1.0), *((text, 1.0 if "awful" in text else 5.0) for text in OTHERS[:3] * 2)] * 30
    reviews = [Review(f"r{n}", f"u{n}", "i", text, rating) for n, (text, rating) in enumerate(rows)]
    reviews = [Review(r.review_id, r.user_id, r.item_id, f"{r.text} {n}", r.rating) for n, r in enumerate(reviews)]
    graph = build([Item("i")], reviews, extractor=SpacyExtractor(processes=1))
    labels = graph.entities["label"].to_numpy()[graph.mentions["entity_num"]]
    felt = dict(zip(labels, graph.mentions["polarity"].tolist(), strict=True))
    assert felt["wait"] > 0 > felt["battery life"]
    plain = extract([r.text for r in reviews], SpacyExtractor(processes=1))
    without = {s.label: s.polarity for row in plain.values() for s in row}
    assert without["wait"] < without["battery life"]


@examples(30)
@given(st.lists(st.tuples(st.sampled_from([WAIT, LIFE, *OTHERS]), st.none() | st.integers(-3, 40)), max_size=30))
def test_any_ratings(rows: list[tuple[str, int | None]]) -> None:
    texts = [t for t, _ in rows]
    out = verdicts(texts, [[(4, 8)] for _ in rows], [None if r is None else float(r) for _, r in rows])
    assert all(-1 <= value <= 1 for (value,) in out)
