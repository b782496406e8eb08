"""Surface forms become entities: hand-checked mentions, types, labels, and what is left out."""

from __future__ import annotations

from kg.link.corpus import gazetteer
from kg.link.entities import MAX_ITEM_SHARE, link
from kg.types import Item, Review, Span
from tests.kg.planted import ITEMS, REVIEWS, WordExtractor


def linked(
    texts: list[str], words: dict[str, str], items: tuple[Item, ...] = (), min_mentions: int = 1
) -> list[tuple[str, str]]:
    reviews = [Review(f"r{n}", f"u{n}", f"i{n}", t) for n, t in enumerate(texts)]
    mentions, _ = link(items, reviews, list(WordExtractor(words).extract(texts)), min_mentions)
    return [(m.label, m.entity) for m in mentions]


def test_planted_mentions_by_hand() -> None:
    spans = list(WordExtractor().extract(r.text for r in REVIEWS))
    mentions, labels = link(ITEMS, REVIEWS, spans)
    assert [(m.review_id, m.label, m.entity, m.type) for m in mentions] == [
        ("r1", "tone", "aspect:tone", "aspect"),
        ("r1", "Hendrix", "person:hendrix", "person"),
        ("r1", "FENDER", "brand:fender", "brand"),
        ("r2", "tone", "aspect:tone", "aspect"),
        ("r2", "low-end", "aspect:low-end", "aspect"),
        ("r2", "black pick", "aspect:black-pick", "aspect"),
        ("r2", "Hendrix", "person:hendrix", "person"),
        ("r3", "low ends", "aspect:low-end", "aspect"),
        ("r3", "Tone", "aspect:tone", "aspect"),
        ("r3", "black picks", "aspect:black-pick", "aspect"),
        ("r3", "daddario", "brand:daddario", "brand"),
        ("r3", "strings", "category:strings", "category"),
        ("r3", "Hendrix", "person:hendrix", "person"),
        ("r4", "D&#39;Addario", "brand:daddario", "brand"),
        ("r4", "low end", "aspect:low-end", "aspect"),
    ]
    assert labels["aspect:tone"] == "tone"
    assert labels["brand:daddario"] == "D'Addario"
    by_id = {r.review_id: r for r in REVIEWS}
    assert all(by_id[m.review_id].text[m.start : m.end] == m.label for m in mentions)


def test_metadata_names_win_over_named_entities() -> None:
    items = (Item("g", "", (("brand", "Fender"),)),)
    assert linked(["my Fender", "Fender!"], {"Fender": "organisation"}, items) == [("Fender", "brand:fender")] * 2


def test_one_form_has_the_type_of_most_of_its_spans() -> None:
    texts = ["Strat", "Strat", "Strat"]
    spans = [[Span(0, 5, "Strat", t)] for t in ("person", "organisation", "organisation")]
    mentions, _ = link([], [Review(f"r{n}", f"u{n}", "i", t) for n, t in enumerate(texts)], spans)
    assert {m.entity for m in mentions} == {"organisation:strat"}


def test_a_thing_is_no_person() -> None:
    spans = [[Span(0, 5, "Strat", t)] for t in ["person"] * 10 + ["product"] * 2]
    reviews = [Review(f"r{n:02}", "u", "i", "Strat") for n in range(12)]
    mentions, _ = link([], reviews, spans)
    assert {m.type for m in mentions} == {"product"}


def typed(texts: list[str], spans: list[list[tuple[str, str]]]) -> dict[str, str]:
    """Label → type, of names found once each in a text, every text by another user."""
    found = [[Span(t.index(n), t.index(n) + len(n), n, k) for n, k in row] for t, row in zip(texts, spans, strict=True)]
    reviews = [Review(f"r{n:02}", f"u{n}", f"i{n}", t) for n, t in enumerate(texts)]
    return {m.label: m.type for m in link([], reviews, found)[0]}


def test_what_stands_after_a_brand_or_begins_with_one_is_a_product() -> None:
    texts = [
        "the Boss Blues Driver",
        "the Boss Blues Driver",
        "a Blues Driver too",
        "my Blues Driver",
        "Boss Twin",
        "Twin",
    ]
    texts += ["made by Boss"] * 4
    driver = [[("Boss Blues Driver", "organisation")]] * 2 + [[("Blues Driver", "person")]] * 2
    found = typed(
        texts,
        [*driver, [("Boss", "brand"), ("Twin", "organisation")], [("Twin", "organisation")]]
        + [[("Boss", "brand")]] * 4,
    )
    assert found == {"Boss Blues Driver": "product", "Blues Driver": "product", "Boss": "brand", "Twin": "product"}


def test_a_person_called_otherwise_needs_a_given_name_and_a_place_to_be_known() -> None:
    names = {
        "Jimi Hendrix": ["person", "person", "organisation"],  # a given name
        "Gilmour": ["person", "person"],  # never called otherwise
        "Delrin": ["person", "aspect"],  # once is not enough
        "Dyna Comp": ["person", "person", "organisation"],
        "Florida": ["place", "organisation", "organisation"],  # known
        "Orzow": ["place", "place"],
        "Deluxe": ["place", "place", "organisation"],
    }
    rows = [(name, kind) for name, kinds in names.items() for kind in kinds]
    assert typed([name for name, _ in rows], [[row] for row in rows]) == {
        "Jimi Hendrix": "person",
        "Gilmour": "person",
        "Delrin": "product",
        "Dyna Comp": "organisation",
        "Florida": "place",
        "Orzow": "place",
        "Deluxe": "organisation",
    }


def test_a_name_is_not_found_again_in_a_hyphenated_one() -> None:
    texts = ["my Dec", "his Dec", "the G-Dec", "the Dec-3", "a Dec-like sound"]
    spans = [[Span(t.index("Dec"), t.index("Dec") + 3, "Dec", "product")] for t in texts[:2]] + [[]] * 3
    mentions, _ = link([], [Review(f"r{n}", f"u{n}", "i", t) for n, t in enumerate(texts)], spans)
    assert [m.review_id for m in mentions] == ["r0", "r1", "r4"]


def test_a_common_word_that_is_hardly_ever_a_noun_is_no_aspect() -> None:
    texts = ["simple"] * 40 + ["tone"] * 40
    spans = [
        [Span(0, len(t), t, "aspect")] if n % 10 < (1 if t == "simple" else 2) else [] for n, t in enumerate(texts)
    ]
    mentions, _ = link([], [Review(f"r{n:02}", "u", "i", t) for n, t in enumerate(texts)], spans)
    assert {m.label for m in mentions} == {"tone"}


def test_what_has_a_plural_is_no_organisation() -> None:
    texts = ["Tele", "Tele", "Tele", "Teles", "Teles"]
    assert {entity for _, entity in linked(texts, {"Tele": "organisation", "Teles": "organisation"})} == {
        "product:tele"
    }


def test_a_signature_stays_out() -> None:
    """Personal data: a name that a single user writes may be that user's own."""
    texts = ["great, Jo Poe", "bad, Jo Poe", "like Jimi Hendrix", "not like Jimi Hendrix"]
    reviews = [Review(f"r{n}", user, "i", t) for n, (user, t) in enumerate(zip("aaab", texts, strict=True))]
    words = {"Jo Poe": "person", "Jimi Hendrix": "person"}
    mentions, _ = link([], reviews, list(WordExtractor(words).extract(texts)), min_mentions=1)
    assert {m.entity for m in mentions} == {"person:jimi-hendrix"}


def test_forms_merge_over_case_hyphens_and_plural() -> None:
    found = linked(["low end", "Low-End", "LOW ENDS"], {"low end": "aspect", "low-end": "aspect", "low ends": "aspect"})
    assert {entity for _, entity in found} == {"aspect:low-end"}


def test_shouted_words_are_no_names() -> None:
    texts = ["GREAT tone", "great", "great", "Fender", "Fender"]
    assert linked(texts, {"great": "organisation", "Fender": "organisation"}) == [
        ("Fender", "organisation:fender"),
        ("Fender", "organisation:fender"),
    ]


def test_a_recognised_name_is_found_where_the_extractor_missed_it() -> None:
    texts = ["Fender", "Fender", "a Fender too", "my fender bender"]
    reviews = [Review(f"r{n}", "u", f"i{n}", t) for n, t in enumerate(texts)]
    spans = [[Span(0, 6, "Fender", "organisation", 0.0)]] * 2 + [[], []]
    mentions, _ = link([], reviews, spans)
    assert [(m.review_id, m.label) for m in mentions] == [("r0", "Fender"), ("r1", "Fender"), ("r2", "Fender")]


def test_an_ordinary_word_is_a_brand_only_with_its_capital() -> None:
    items = (Item("m", "", (("brand", "Time"),)),)
    texts = ["time"] * 30 + ["I read Time"]
    assert linked(texts, {"x": "aspect"}, items) == [("Time", "brand:time")]
    assert linked(["time"], {"x": "aspect"}, items) == [("time", "brand:time")]  # nothing says that it is ordinary here


def test_what_metadata_covers_is_cut_from_an_aspect() -> None:
    items = (Item("g", "", (("brand", "Fender"),)),)
    found = linked(["a Fender guitar strap", "strap by fender"], {"fender guitar strap": "aspect"}, items)
    assert found == [("Fender", "brand:fender"), ("guitar strap", "aspect:guitar-strap"), ("fender", "brand:fender")]


def test_rare_and_empty_aspects_are_left_out() -> None:
    assert linked(["strange thing"], {"strange thing": "aspect"}, min_mentions=2) == []
    assert linked(["big thing", "odd thing"], {"big thing": "aspect", "odd thing": "aspect"}, min_mentions=2) == []


def test_what_too_many_items_share_says_nothing() -> None:
    texts = ["tone" if n < 40 else "knob" if n < 60 else "-" for n in range(120)]
    found = {entity for _, entity in linked(texts, {"tone": "aspect", "knob": "aspect"})}
    assert 20 / 120 < MAX_ITEM_SHARE < 40 / 120
    assert found == {"aspect:knob"}


def test_gazetteer_leaves_out_placeholders_and_numbers() -> None:
    values = ("Fender", "Unknown", "1999", "A&amp;B Co", "-", "x" * 5 + " y" * 9)
    assert sorted(gazetteer([Item("i", "", tuple(("brand", v) for v in values))])) == ["A&B Co", "Fender"]
