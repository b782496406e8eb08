"""Which candidates are aspects: planted corpora whose terms only the corpus can tell apart."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from kg.extract.reading import extract
from kg.extract.spacy import SpacyExtractor
from kg.extract.termhood import (
    CUES,
    Floats,
    cue_matrix,
    features,
    head,
    least,
    likeness,
    log_odds,
    mask,
    settled,
    term,
)
from kg.types import Span
from tests.kg.planted import MemoryCache

PLAIN = ("dobj", "the", "medium", "nouns2", "words1", "near6")
JUDGED = ("nsubj", "the", "predicate", "near1", "medium", "nouns2", "words1")
SOLD = ("dobj", "this", "bought", "by_me", "no_opinion", "medium", "nouns2", "words1")


def candidate(label: str, cues: Iterable[str], said: str = "", start: int = 0) -> Span:
    return Span(start, start + len(label), label, "aspect", 0.0, mask(cues), said)


def corpus(others: tuple[str, ...], n: int = 30) -> list[list[Span]]:
    """A zither in a place that says little, and ``n`` texts more with these cues."""
    return [[candidate("zither", PLAIN)], *([candidate("zither", others)] for _ in range(n))]


def test_the_corpus_decides_where_the_place_does_not() -> None:
    judged, sold = settled(corpus(JUDGED)), settled(corpus(SOLD))
    assert [s.label for s in judged[0]] == ["zither"]
    assert sold[0] == []  # the thing sold


def test_what_is_settled_carries_no_cues_and_lies_apart() -> None:
    row = [
        Span(0, 8, "Zither X", "brand"),
        candidate("zither", JUDGED, "great", 0),
        candidate("string", JUDGED, "great", 12),
        Span(30, 33, "Bob", "person"),
    ]
    (found, *_) = settled([row, *corpus(JUDGED)])
    assert all(s.cues == 0 and not s.said for s in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert [s.label for s in found] == ["zither", "string", "Bob"]


def test_spans_without_cues_are_left_alone() -> None:
    rows = [[Span(0, 4, "tone", "aspect", 0.5), Span(8, 11, "Bob", "person")], []]
    assert settled(rows) == rows
    assert settled([]) == []


def naive(spans: list[Span], texts: list[int], n: int, kind: str, first: Floats) -> dict[str, float]:
    """The same figures for one candidate, counted by hand."""
    key = term if kind == "term" else head
    others = [k for k, s in enumerate(spans) if k != n and key(s) == key(spans[n])]
    usual = np.mean(["judged" in _names(s) for s in spans])
    shares = (sum("judged" in _names(spans[k]) for k in others) + 2 * usual) / (len(others) + 2)
    said = {spans[k].said for k in others if spans[k].said} - {spans[n].said}
    return {
        f"{kind} odds": sum(first[k] for k in others) / (len(others) + 2),
        f"{kind} mentions": float(np.log1p(len(others))),
        f"{kind} texts": float(np.log1p(1000 * len({texts[k] for k in others} - {texts[n]}) / len(set(texts)))),
        f"{kind} judges": float(np.log1p(len(said))),
        f"{kind} judged": float(shares - usual),
    }


def _names(span: Span) -> set[str]:
    return {name for n, name in enumerate(CUES) if span.cues >> n & 1}


def test_features_are_those_counted_by_hand() -> None:
    rng = random.Random(7)
    spans = [
        candidate(
            rng.choice(["low end", "end", "tone", "high end", "neck"]),
            rng.sample(CUES, 9),
            rng.choice(["", "great", "bad", "warm"]),
        )
        for _ in range(60)
    ]
    texts = sorted(rng.randrange(25) for _ in spans)
    first = np.random.default_rng(7).normal(size=len(spans))
    found = dict(features(spans, texts, cue_matrix(spans), first))
    for n in range(len(spans)):
        for kind in ("term", "head"):
            for name, value in naive(spans, texts, n, kind, first).items():
                assert found[name][n] == pytest.approx(value), (n, name)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_the_share_of_aspects_is_found_from_the_odds(share: float) -> None:
    """Odds learned where half were aspects; where few are, more is asked of a candidate, as the true best has it."""
    rng = np.random.default_rng(3)
    true = rng.random(20_000) < share
    odds = rng.normal(np.where(true, 1.0, -1.0) * 1.0, 1.0) * 2.0  # log-odds at even shares: x ~ N(±1, 1)

    def f1(threshold: float) -> float:
        taken = odds >= threshold
        return float(2 * (taken & true).sum() / (taken.sum() + true.sum()))

    best = max(f1(t) for t in np.arange(-3, 6, 0.1))
    assert f1(least(odds, 0.0, 0.5)) > best - 0.01
    assert least(odds[:50], -0.8, 0.5) == -0.8


def test_terms_like_it_speak_for_a_term() -> None:
    """Vectors say that zithers are as lutes are; every other lute-like term is surely an aspect, every jam is not."""
    labels = [f"lute{n}" for n in range(12)] + [f"jam{n}" for n in range(12)]
    spans = [candidate(label, PLAIN) for label in [*labels, "zither"]]
    first = np.array([3.0] * 12 + [-3.0] * 12 + [0.0])

    def embed(terms: Iterable[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        return np.array([[1, 0] if t[0] in "lz" else [0, 1] for t in terms], np.float32)

    alike = likeness(spans, first, embed)
    assert alike[-1] > 1.5
    assert alike[0] > 1.5 > -1.5 > alike[12]


def test_more_cues_of_a_kind_are_not_needed() -> None:
    """A reader of another language may know few of the cues."""
    few = [[candidate("屏幕", ("judged", "near1"), "好")] for _ in range(20)]
    assert len(log_odds([s for row in few for s in row], range(20))) == 20
    with pytest.raises(KeyError, match="no_such_cue"):
        mask(["no_such_cue"])


class Counting:
    """The cues of each text are said in it."""

    id = "counting:1"

    def __init__(self) -> None:
        self.read = list[str]()

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for text in texts:
            self.read.append(text)
            yield [candidate("zither", text.split()[1:])]


def texts_of(cues: tuple[str, ...], n: int = 30) -> list[str]:
    return [f"zither{k} " + " ".join(cues) for k in range(n)]


def test_no_corpus_leaks_through_the_cache() -> None:
    """The same text read first among some, then among others: what the first corpus said is not remembered."""
    plain = "zither " + " ".join(PLAIN)
    judged, sold = [plain, *texts_of(JUDGED)], [plain, *texts_of(SOLD)]
    alone = [extract(some, Counting())[plain] for some in (judged, sold)]
    cache, reader = MemoryCache(), Counting()
    shared = [extract(some, reader, cache)[plain] for some in (judged, sold, judged)]
    assert [bool(spans) for spans in alone] == [True, False]
    assert shared == [*alone, alone[0]]
    assert reader.read.count(plain) == 1


def test_held_out_texts_say_nothing() -> None:
    """Texts that are not given change nothing, though they lie in the cache."""
    plain, cache = "zither " + " ".join(PLAIN), MemoryCache()
    train = [plain, *texts_of(SOLD)]
    before = extract(train, Counting())
    extract([*train, *texts_of(JUDGED, 300)], Counting(), cache)
    assert extract(train, Counting(), cache) == before


def test_real_sentences() -> None:
    """A few lines, too few for a corpus to say anything."""
    texts = ["The battery life is great but the screen is dim.", "I bought this laptop for my wife."]
    found = extract(texts, SpacyExtractor(processes=1))
    assert [[s.label for s in found[t]] for t in texts] == [["battery life", "screen"], []]
