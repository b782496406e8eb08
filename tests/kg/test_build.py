"""The graph of a planted shop; caching, resuming, order, and what must not be in it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.build import build
from kg.errors import KGError
from kg.extract.reading import WRITE_EVERY
from kg.graph import KnowledgeGraph, empty
from kg.rdf.files import read, write
from kg.text import sentence_around
from kg.types import ExternalTriples, Item, Review, Span, User
from kg.validate import validate
from tests.conftest import examples
from tests.kg.planted import EXTERNAL, ITEMS, REVIEWS, MemoryCache, WordExtractor


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return build(ITEMS, REVIEWS, EXTERNAL, extractor=WordExtractor())


def test_planted_triples(graph: KnowledgeGraph) -> None:
    assert set(graph.named()) == {
        ("item:g1", "has_aspect", "aspect:tone"),
        ("item:g1", "mentions_aspect", "aspect:low-end"),  # nobody says that it is the item's
        ("item:g1", "mentions_aspect", "aspect:black-pick"),
        ("item:g1", "mentions_person", "person:hendrix"),
        ("item:g1", "mentions_brand", "brand:fender"),
        ("item:s1", "has_aspect", "aspect:low-end"),
        ("item:s1", "has_aspect", "aspect:tone"),
        ("item:s1", "mentions_aspect", "aspect:black-pick"),  # "my black picks"
        ("item:s1", "mentions_brand", "brand:daddario"),
        ("item:s1", "mentions_category", "category:strings"),
        ("item:s1", "mentions_person", "person:hendrix"),
        ("item:p1", "mentions_brand", "brand:daddario"),
        ("item:p1", "mentions_aspect", "aspect:low-end"),
        ("user:ann", "likes", "aspect:tone"),
        ("user:ann", "likes", "aspect:low-end"),
        ("user:bob", "dislikes", "aspect:tone"),
        ("user:ann", "mentions", "aspect:tone"),
        ("user:ann", "mentions", "aspect:low-end"),
        ("user:ann", "mentions", "aspect:black-pick"),
        ("user:ann", "mentions", "person:hendrix"),
        ("user:ann", "mentions", "brand:fender"),
        ("user:ann", "mentions", "brand:daddario"),
        ("user:ann", "mentions", "category:strings"),
        ("user:bob", "mentions", "aspect:tone"),
        ("user:bob", "mentions", "person:hendrix"),
        ("user:bob", "mentions", "aspect:low-end"),
        ("user:bob", "mentions", "aspect:black-pick"),
        ("user:cat", "mentions", "aspect:low-end"),
        ("user:cat", "mentions", "brand:daddario"),
        ("item:g1", "made_by", "brand:fender"),  # from its title
        ("item:s1", "made_by", "brand:fender"),
        ("item:s1", "has_category", "category:strings"),
        ("item:p1", "made_by", "brand:daddario"),
        ("item:g1", "designer", "dbr:Leo"),
        ("dbr:Leo", "founded", "dbr:FMIC"),
        ("item:g1", "maker", "dbr:FMIC"),
    }
    assert validate(graph) == []


def test_labels_and_types(graph: KnowledgeGraph) -> None:
    table = {e: (label, type_) for e, label, type_ in graph.entities.itertuples(index=False)}
    assert table["item:g1"] == ("Fender Player Stratocaster", "item")
    assert table["item:p1"] == ("p1", "item")
    assert table["user:ann"] == ("ann", "user")
    assert table["brand:daddario"] == ("D'Addario", "brand")
    assert table["dbr:Leo"] == ("Leo Fender", "external")
    assert table["dbr:FMIC"] == ("dbr:FMIC", "external")
    assert "dbr:Strat" not in table  # it is the item g1
    assert graph.relation_labels == {"designer": "was designed by"}


def test_counts_and_polarity_of_a_triple(graph: KnowledgeGraph) -> None:
    number = {triple: n for n, triple in enumerate(graph.named())}
    tone = number["item:g1", "has_aspect", "aspect:tone"]
    assert graph.counts[tone] == 2
    assert graph.polarity[tone] == pytest.approx(0.5)
    rows = graph.provenance[graph.provenance["triple"] == tone]
    assert list(rows["review_id"]) == ["r1", "r2"]
    made = number["item:s1", "made_by", "brand:fender"]
    assert (graph.counts[made], graph.polarity[made]) == (1, 0)
    assert list(graph.provenance[graph.provenance["triple"] == made]["source"]) == ["metadata"]


def test_every_quote_is_a_piece_of_its_review(graph: KnowledgeGraph) -> None:
    texts = {r.review_id: r.text for r in REVIEWS}
    reviews = graph.provenance[graph.provenance["source"] == "review"]
    assert len(reviews)
    for _, _, review_id, start, end in reviews.itertuples(index=False):
        a, b = sentence_around(graph.texts[review_id], start, end)
        assert graph.texts[review_id][a:b] in texts[review_id]
        assert texts[review_id][start:end] in graph.texts[review_id][a:b]


def test_order_of_the_input_does_not_matter(graph: KnowledgeGraph) -> None:
    for seed in range(5):
        rng = random.Random(seed)
        items, reviews, triples = list(ITEMS), list(REVIEWS), list(EXTERNAL.triples)
        for rows in (items, reviews, triples):
            rng.shuffle(rows)
        external = ExternalTriples(tuple(triples), dict(reversed([*EXTERNAL.item_entities.items()])), EXTERNAL.labels)
        assert build(items, reviews, external, extractor=WordExtractor()) == graph


def test_only_given_reviews_enter() -> None:
    """The caller gives training reviews; nothing of another review is in the graph."""
    graph = build(ITEMS, REVIEWS[:2], extractor=WordExtractor(), min_mentions=1)
    assert set(graph.texts) <= {"r1", "r2"}
    assert not graph.has("item:s1", "has_aspect", "aspect:tone")


def test_users_and_items_are_not_joined(graph: KnowledgeGraph) -> None:
    """Interactions are not knowledge: they belong to the interaction edges alone."""
    assert not [t for t in graph.named() if {t[0].split(":")[0], t[2].split(":")[0]} <= {"user", "item"}]


def test_what_is_known_of_users(tmp_path: Path) -> None:
    users = [
        User("u9", (("city", "Hamburg"), ("city", " "))),
        User("u1", (("city", "hamburg"), ("brand", "Kiri"))),
        User("u5", ()),
    ]
    items = [Item("i1", "Kiri mug", (("city", "Hamburg"),))]
    found = build(items, [], users=users)
    assert set(found.named()) == {
        ("item:i1", "has_city", "city:hamburg"),
        ("user:u1", "has_city", "city:hamburg"),
        ("user:u9", "has_city", "city:hamburg"),
        ("user:u1", "has_brand", "brand:kiri"),
    }
    assert set(found.provenance["source"]) == {"metadata"}
    assert found == build(items, [], users=users[::-1])
    assert "user:u5" not in found.entity_num
    assert validate(found) == []
    for ending in ("nq", "ttl"):
        write(found, tmp_path / f"g.{ending}")
        assert read(tmp_path / f"g.{ending}") == found
    with pytest.raises(KGError, match="not valid Unicode"):
        build(items, [], users=[User("\ud800", (("city", "Ulm"),))])


def test_min_mentions_counts_reviews() -> None:
    reviews = [
        Review("r1", "u", "i", "tone tone tone"),
        Review("r2", "u", "i", "low end"),
        Review("r3", "v", "i", "low end"),
    ]
    graph = build([], reviews, extractor=WordExtractor(), min_mentions=2)
    assert set(graph.entities["entity"]) == {"item:i", "user:u", "user:v", "aspect:low-end"}
    assert "aspect:tone" in set(build([], reviews, extractor=WordExtractor(), min_mentions=1).entities["entity"])


def test_a_cached_review_is_not_read_again() -> None:
    cache = MemoryCache()
    first = build(ITEMS, REVIEWS, extractor=WordExtractor(), cache=cache)
    again = WordExtractor()
    assert build(ITEMS, REVIEWS, extractor=again, cache=cache) == first
    assert again.seen == []
    other = WordExtractor(id="words:2")
    build(ITEMS, REVIEWS, extractor=other, cache=cache)
    assert len(other.seen) == len(REVIEWS)  # another extractor finds other things


def test_a_damaged_cache_entry_is_read_again() -> None:
    cache = MemoryCache()
    first = build(ITEMS, REVIEWS, extractor=WordExtractor(), cache=cache)
    cache.values[min(cache.values)] = b"[[1,"
    again = WordExtractor()
    assert build(ITEMS, REVIEWS, extractor=again, cache=cache) == first
    assert len(again.seen) == 1


def test_a_text_is_read_once() -> None:
    extractor = WordExtractor()
    build([], [Review(f"r{n}", f"u{n}", "i", "tone") for n in range(9)], extractor=extractor)
    assert extractor.seen == ["tone"]


class Killed(Exception):
    pass


class MortalExtractor(WordExtractor):
    def __init__(self, lives: int) -> None:
        super().__init__()
        self.lives = lives

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for n, spans in enumerate(super().extract(texts)):
            if n == self.lives:
                raise Killed
            yield spans


def test_a_killed_build_resumes() -> None:
    reviews = [Review(f"r{n}", f"u{n % 7}", f"i{n % 5}", f"tone number {n}") for n in range(3 * WRITE_EVERY)]
    cache = MemoryCache()
    with pytest.raises(Killed):
        build([], reviews, extractor=MortalExtractor(2 * WRITE_EVERY + 10), cache=cache)
    assert cache.writes == [WRITE_EVERY, WRITE_EVERY]
    rest = WordExtractor()
    graph = build([], reviews, extractor=rest, cache=cache)
    assert len(rest.seen) == WRITE_EVERY
    assert graph == build([], reviews, extractor=WordExtractor())


def test_nothing_gives_an_empty_graph() -> None:
    assert build([], []) == empty()
    blank = build([Item("i")], [Review("r", "u", "i", "  \n")])
    assert list(blank.entities["entity"]) == ["item:i"]


def test_external_triples_alone() -> None:
    graph = build([Item("g1")], [], EXTERNAL)
    assert graph.label(graph.entity_num["item:g1"]) == "Stratocaster"
    assert graph.has("item:g1", "designer", "dbr:Leo")
    assert (graph.counts == 1).all()


def test_two_items_of_one_external_entity_both_get_its_triples() -> None:
    external = ExternalTriples((("e", "r", "x"),), {"a": "e", "b": "e"})
    graph = build([Item("a"), Item("b")], [], external)
    assert set(graph.named()) == {("item:a", "r", "x"), ("item:b", "r", "x")}


def test_triples_from_two_sources_are_one_triple() -> None:
    external = ExternalTriples((("e", "made_by", "brand:fender"),), {"s1": "e"})
    graph = build(ITEMS, [], external)
    n = list(graph.named()).index(("item:s1", "made_by", "brand:fender"))
    assert graph.counts[n] == 2
    assert set(graph.provenance[graph.provenance["triple"] == n]["source"]) == {"metadata", "external"}


def test_half_a_surrogate_becomes_a_replacement_of_equal_length() -> None:
    graph = build([], [Review("r", "u", "i", "\ud83d tone")], extractor=WordExtractor(), min_mentions=1)
    assert graph.texts == {"r": "\ufffd tone"}
    with pytest.raises(KGError, match="not valid Unicode"):
        build([Item("\ud83d")], [])


ODD = [
    *"\u200f\u202e\x00\x1b\r\n\u2028\ud83d😀.,'&",
    "<br>",
    "&#39;",
    " tone ",
    "great ",
    "low-end ",
    "than the Fender Player ",
]


@examples(60)
@given(st.lists(st.lists(st.sampled_from(ODD), max_size=9).map("".join), max_size=4))
def test_any_text_gives_a_sound_graph(texts: list[str]) -> None:
    reviews = [Review(f"r{n}", f"u{n % 2}", "s1", text) for n, text in enumerate(texts)]
    graph = build(ITEMS, reviews, extractor=WordExtractor(), min_mentions=1)
    assert validate(graph) == []
    stored = {r.review_id: r.text.replace("\ud83d", "\ufffd") for r in reviews}
    assert all(text == stored[id_] for id_, text in graph.texts.items())


@pytest.mark.parametrize("piece", ["a.", "tone is great "])
def test_a_line_of_many_characters(piece: str) -> None:
    """Time grows with the length, not with its square, which would take an hour here."""
    text = piece * (300_000 // len(piece)) + " tone"
    graph = build(ITEMS, [Review("r", "u", "s1", text)], extractor=LastWord(), min_mentions=1)
    assert graph.has("item:s1", "mentions_aspect", "aspect:tone") != graph.has("item:s1", "has_aspect", "aspect:tone")
    assert validate(graph) == []


class LastWord(WordExtractor):
    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        return ([Span(len(text) - 4, len(text), "tone", "aspect")] for text in texts)


def test_repeated_review_ids_are_refused() -> None:
    with pytest.raises(KGError, match="two reviews have the id 'r'"):
        build([], [Review("r", "u", "i", "tone"), Review("r", "v", "i", "tone")], extractor=WordExtractor())


def test_triples_are_sorted_and_distinct(graph: KnowledgeGraph) -> None:
    assert np.array_equal(graph.triples, np.unique(graph.triples, axis=0))
    assert list(graph.entities["entity"]) == sorted(set(graph.entities["entity"]))
