"""What a review says of an aspect, and which items it compares, sentence by sentence."""

from __future__ import annotations

import pytest

from kg.build import build
from kg.extract.judge import judgements
from kg.relations import compared, from_reviews
from kg.types import Item, Mention, Review
from kg.validate import validate
from tests.kg.planted import WordExtractor


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Great tone.", 1),
        ("The tone is great.", 1),
        ("The tone isn't bad at all.", 1),
        ("I love the tone.", 1),
        ("Love its tone and looks.", 1),
        ("The tone sounds thin and cheap, terrible.", -1),
        ("Not a great tone.", -1),
        ("Great for the tone.", 0),
        ("It is a great strap, and I set the tone.", 0),
        ("My tone is great.", 0),
        ("I bought another tone.", 0),
        ("It changes the tone. Great!", 0),
        ("Tone", 0),
        ("I needed a great tone.", 0),
        ("Make sure you use a quality tone.", 0),
        ("What a great tone.", 1),
        ("A great tone's instrument.", 0),
        ("The tone's great.", 1),
        ("The tone's very great.", 1),
        ("Without a doubt the best tone.", 1),
        ("Without doubt a bad tone.", -1),
    ],
)
def test_judged_or_only_mentioned(text: str, sign: int) -> None:
    start = text.lower().index("tone")
    m = Mention("aspect:tone", "tone", "aspect", "r", start, start + 4, 0.0)
    found = judgements([m], {"r": text}).get(("r", start, start + 4), 0.0)
    assert (found > 0) - (found < 0) == sign


def test_likes_are_counted_with_their_sources() -> None:
    texts = ["Great tone.", "The tone is great.", "Bad tone.", "Tone."]
    reviews = [Review(f"r{n}", "ann", f"i{n}", t) for n, t in enumerate(texts)]
    graph = build([], reviews, extractor=WordExtractor())
    number = {triple: n for n, triple in enumerate(graph.named())}
    likes = number["user:ann", "likes", "aspect:tone"]
    assert graph.counts[likes] == 3
    assert graph.polarity[likes] == pytest.approx((0.6 + 0.6 - 0.6) / 3, abs=1e-3)
    assert ("user:ann", "dislikes", "aspect:tone") not in number
    assert ("item:i2", "has_aspect", "aspect:tone") in number
    assert ("item:i3", "mentions_aspect", "aspect:tone") in number
    assert validate(graph) == []


ITEMS = (
    Item("a", "Shure SM58 Vocal Microphone", (("brand", "Shure"),)),
    Item("b", "Shure PG48 Vocal Microphone", (("brand", "Shure"),)),
    Item("c", "Behringer Ultravoice XM8500", (("brand", "Behringer"),)),
    Item("d", "Fine Strap"),
)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("It is better than the Shure SM58 in every way.", "a"),
        ("Compared to my old SM58 it is dull.", "a"),
        ("The XM8500 is better than this.", "c"),
        ("I prefer the Behringer Ultravoice to the PG48.", "b"),
        ("Unlike the SM58, it hums.", "a"),
        ("I own an SM58.", ""),
        ("It is better than any Shure.", ""),
        ("Better than a fine strap.", ""),
        ("better than nothing. The SM58 is mine.", ""),
    ],
)
def test_compared_items(text: str, other: str) -> None:
    (found,) = [compared(ITEMS, [Review("r", "ann", "d", text)])]
    assert [m.entity for m in found] == ([f"item:{other}"] if other else [])
    assert all(text[m.start : m.end] == m.label for m in found)


def test_an_item_is_not_compared_with_itself() -> None:
    assert compared(ITEMS, [Review("r", "ann", "a", "better than the SM58")]) == []


def test_a_comparison_is_a_triple_with_its_source() -> None:
    graph = build(ITEMS, [Review("r", "ann", "d", "It is better than the SM58.")], extractor=WordExtractor())
    assert graph.has("item:d", "compared_with", "item:a")
    assert not [t for t in graph.named() if t[0] == "user:ann"]  # users and items are not joined
    n = list(graph.named()).index(("item:d", "compared_with", "item:a"))
    row = graph.provenance[graph.provenance["triple"] == n].iloc[0]
    assert graph.texts["r"][row["start"] : row["end"]] == "SM58"
    assert validate(graph) == []


def test_a_settled_polarity_counts_where_it_is_sure() -> None:
    """ "The wait was long" holds no opinion; that it is a complaint, the corpus told."""
    text = "The wait was long."
    review = Review("r", "u", "i", text)
    for polarity, relations in ((-0.8, {"has_aspect", "dislikes"}), (-0.2, {"mentions_aspect"})):
        mention = Mention("aspect:wait", "wait", "aspect", "r", 4, 8, polarity)
        found = set(from_reviews([mention], {"r": review})["relation"])
        assert found - {"mentions"} == relations
