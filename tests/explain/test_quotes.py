"""Quotes: whole sentences that judge the aspect of the very item."""

from __future__ import annotations

import pytest

from graphrec.explain.quotes import LONGEST, Quotes
from kg.graph import KnowledgeGraph
from tests.explain.world import Fact, graph_of, judged

ENDS = ".!?…。！？｡"


def whole(quote: str, text: str) -> bool:
    """Whether a quote is one or more whole sentences of a text, found another way than the code does: by splitting."""
    at = text.find(quote)
    before, after = text[:at].rstrip(" "), text[at + len(quote) :]
    begins = not before or before.rstrip("\"')”」’").endswith((*ENDS, "\n", ">"))
    ends = quote.rstrip("\"')]”’」』").endswith(tuple(ENDS)) and (after[:1].strip() == "" or quote[-1] in "。！？”」")
    return at >= 0 and len(quote) <= LONGEST and begins and ends and not quote[0].islower()


def praised(text: str, surface: str = "tone", *others: Fact) -> KnowledgeGraph:
    """An item whose tone is praised in a text, and in another review that cannot be quoted."""
    facts = judged("ann", "amp", "aspect:tone", surface, 0.9, "r1") + judged(
        "bob", "amp", "aspect:tone", "tone", 0.9, "r2"
    )
    return graph_of([*facts, *others], {"r1": text, "r2": "such a tone"})


def quoted(graph: KnowledgeGraph, own: frozenset[int] = frozenset()) -> list[str]:
    said = Quotes(graph).of(graph.entity_num["item:amp"], own)
    return [s.source.quote for those in said.values() for s in those]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("It came late. The tone is great! I play it daily.", "The tone is great!"),
        ("The tone is great", ""),  # the review breaks off
        ("so the tone is great.", ""),
        ("First line\nThe tone is great.\nLast", "The tone is great."),
        ("The tone is great... really warm. Good.", "The tone is great... really warm."),
        ("Dr. Z made it, e.g. the tone is great. Good.", "Dr. Z made it, e.g. the tone is great."),
        ('He said "The tone is great. And loud."', ""),  # a quotation left open
        ("The tone is great (or so.", ""),
        ("The <b>tone</b> is great.", ""),
        ("The tone is great, " + "and so on and on, " * 9 + "and loud.", ""),
        ("The tone is better than that of my Fender.", ""),
        ("If the tone is great, all is well.", ""),
        ("This pedal works wonders on the tone.", ""),  # in passing
        ("It hides neatly behind the tone.", ""),
        ("So please check that your tone is great.", ""),  # not the item's
        ("Is the tone great?", ""),
        ("很好用。它的tone很好！下次再买。", "它的tone很好！"),
        ("它的tone很好，" * 30 + "。", ""),
    ],
)
def test_whole_sentences_about_the_item(text: str, quote: str) -> None:
    assert quoted(praised(text)) == ([quote] if quote else [])
    if quote:
        assert whole(quote, text)


def test_a_sentence_that_names_something_else_is_not_quoted() -> None:
    """Unless the name is the item's own."""
    text = "The Fender has a great tone. The tone is warm."
    name = Fact("item:amp", "mentions_brand", "brand:fender", "r1", "Fender")
    graph = praised(text, "tone", name)
    assert quoted(graph) == []
    assert quoted(graph, frozenset({graph.entity_num["brand:fender"]})) == ["The Fender has a great tone."]


def test_only_what_is_judged_is_quoted() -> None:
    """A review that says that the item has it, without the writer liking it, is no praise."""
    graph = praised("Such a tone.", "tone")
    facts = [Fact("item:amp", "has_aspect", "aspect:tone", "r1", "tone", 0.9)]
    assert quoted(graph_of(facts, graph.texts)) == []


def test_what_is_praised_and_by_how_many() -> None:
    facts = judged("ann", "amp", "aspect:tone", "tone", 0.9, "r1") * 2 + judged(
        "bob", "amp", "aspect:tone", "tone", -0.9, "r2"
    )
    graph = graph_of(facts, {"r1": "The tone is great.", "r2": "The tone is thin."})
    quotes = Quotes(graph)
    (row,) = (n for n, (h, r, t) in enumerate(graph.named()) if r == "has_aspect")
    assert (quotes.praise[row], quotes.blame[row]) == (1, 1)


@pytest.mark.parametrize("mark", list("。！？"))
def test_chinese_is_not_cut_in_the_middle(mark: str) -> None:
    text = f"屏幕很大{mark}音质非常好，音量也够{mark}我很喜欢{mark}"
    assert quoted(praised(text, "音质")) == ([] if mark == "？" else [f"音质非常好，音量也够{mark}"])


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("The tone is great but the knob is wobbly.", None),  # "but", and a complaint
        ("The tone is great and the noise is awful.", None),
        ("The knob gives it a great tone.", "The knob gives it a great tone."),
        ("The added touch is a tone.", None),
        ("It is easy to tone.", None),  # what is done is no aspect
    ],
)
def test_a_sentence_that_complains_or_does_not_speak_of_the_aspect_is_not_quoted(text: str, quote: str | None) -> None:
    assert quoted(praised(text)) == ([quote] if quote else [])


def test_a_sentence_of_more_is_quoted_where_the_item_has_no_better() -> None:
    """Well spoken of, but not judged: alone in a short sentence, or else only where there is no such sentence."""
    long, short = "The bass is fine and the tone is great too.", "The tone is great."

    def facts(review: str) -> list[Fact]:
        return [
            Fact("item:amp", "has_aspect", "aspect:tone", review, "tone", 0.9),
            Fact("user:ann", "mentions", "aspect:tone", review, "tone", 0.9),
        ]

    bass = Fact("item:amp", "has_aspect", "aspect:bass", "r1", "bass", 0.0)
    often = [fact for n in range(3) for fact in facts(f"s{n}")]  # praised elsewhere too, where nothing can be quoted
    texts = {f"s{n}": "great tone" for n in range(3)}
    alone = graph_of([*facts("r1"), bass, *often], {"r1": long, **texts})
    assert quoted(alone) == [long]
    both = graph_of([*facts("r1"), bass, *facts("r2"), *often], {"r1": long, "r2": short, **texts})
    assert quoted(both) == [short]
