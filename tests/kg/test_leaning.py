"""How a sentence leans on a term: rules and learned words together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.extract.reading import extract
from kg.extract.spacy import SpacyExtractor
from kg.leaning import features, leanings, seen
from tests.conftest import examples


def of(text: str, *terms: str) -> list[int]:
    """-1, 0 or 1 of each term."""
    found = leanings(text, [(text.index(t), text.index(t) + len(t)) for t in terms])
    return [(x > 0) - (x < 0) for x in found]


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("The (keyboard) is great but the (screen) is terrible.", [1, -1]),
        ("There is no (noise) from the fan.", [1]),
        ("There is no (manual).", [-1]),
        ("For the (price) you cannot beat it!", [1]),
        ("The (battery) died after two weeks.", [-1]),
        ("The (screen) is too small.", [-1]),
        ("It comes with a (pocket) for a tuner.", [0]),
        ("It has a zipper. The (bag) is awful.", [-1]),
        ("Awful, awful, awful. I put the lamp on a table, and it has a (switch).", [0]),
    ],
)
def test_by_hand(text: str, signs: list[int]) -> None:
    terms = [part.partition(")")[0] for part in text.split("(")[1:]]
    assert of(text.replace("(", "").replace(")", ""), *terms)[: len(signs)] == signs


def test_a_sentence_leans_by_itself() -> None:
    """What other sentences of a review say does not count."""
    alone = "The hinge is made of steel."
    review = f"I hate the colour! {alone} Horrible service, never again."
    place = review.index("hinge")
    assert features(review, [(place, place + 5)]) == features(alone, [(4, 9)])


def test_a_leaning_is_told_from_none() -> None:
    """No value lies so near 0 that it could be taken for neutral."""
    for text in (
        "The hinge is here.",
        "A good hinge.",
        "A hinge, and if not, bad.",
        "The hinge was loose, then fixed.",
    ):
        (value,) = leanings(text, [(text.index("hinge"), text.index("hinge") + 5)])
        assert value == 0 or 0.1 <= abs(value) <= 1


def test_aspects_of_a_corpus_lean() -> None:
    texts = ["The battery life is great but the screen is dim.", "There is no noise from the fan."]
    found = extract(texts, SpacyExtractor(processes=1))
    assert [(s.label, s.polarity > 0) for s in found[texts[0]]] == [("battery life", True), ("screen", False)]


@examples(30)
@given(text=st.text(max_size=80), data=st.data())
def test_any_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    (value,) = leanings(text, [(start, end)])
    assert -1 <= value <= 1


def test_the_words_near_a_term_and_what_denies_them() -> None:
    text = "They say all sorts of things but it was not a warm tone at all, nor is it loud enough for the whole band."
    (found,) = seen(text, [(text.index("tone"), text.index("tone") + 4)])
    near = {name for name in found.features if name.startswith("~")}
    assert near == {"~was", "~not", "~not a", "~not warm", "~at", "~all", "~nor"}
    assert found.near == "but it was not a warm tone at all, nor is it"
