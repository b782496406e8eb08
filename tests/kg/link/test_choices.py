"""What was linked can be listed, and a person has the last word."""

from __future__ import annotations

from kg.build import build, links
from kg.link.choices import Choice, Override
from tests.kg.planted import ITEMS, REVIEWS, WordExtractor


def listed(overrides: dict[str, Override] | None = None) -> list[Choice]:
    return links(ITEMS, REVIEWS, extractor=WordExtractor(), overrides=overrides)


def test_every_form_with_how_and_how_surely() -> None:
    found = {(c.form, c.entity): c for c in listed()}
    assert found["D'Addario", "brand:daddario"] == Choice("D'Addario", "brand:daddario", "brand", 1.0, "metadata", 1)
    assert found["tone", "aspect:tone"].how == "same"
    assert (found["Tone", "aspect:tone"].how, found["Tone", "aspect:tone"].confidence) == ("case", 0.98)
    assert found["Hendrix", "person:hendrix"].mentions == 3
    assert all(0 < c.confidence <= 1 for c in found.values())


def test_a_person_corrects_and_drops() -> None:
    overrides = {
        "Hendrix": Override("brand:jimi", "brand", "Jimi"),
        "tone": Override(""),
        "daddario": Override("brand:fender"),
        "unheard": Override("brand:x", "brand"),
    }
    found = {(c.form, c.entity, c.how) for c in listed(overrides)}
    assert ("Hendrix", "brand:jimi", "override") in found
    assert ("D'Addario", "brand:fender", "override") in found  # one answer over case and apostrophes
    assert not [f for f in found if f[0].lower() == "tone"]
    graph = build(ITEMS, REVIEWS, extractor=WordExtractor(), overrides=overrides)
    assert graph.label(graph.entity_num["brand:jimi"]) == "Jimi"
    assert graph.has("item:g1", "mentions_brand", "brand:jimi")
    assert "aspect:tone" not in graph.entity_num


def test_the_list_given_back_changes_nothing() -> None:
    before = listed()
    after = listed({c.form: Override(c.entity, c.type) for c in before})
    assert [(c.form, c.entity, c.type, c.mentions) for c in after] == [
        (c.form, c.entity, c.type, c.mentions) for c in before
    ]
