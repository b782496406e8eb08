"""Which forms are one: endings, misspellings, acronyms; and what must stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.link.forms import Merge, acronyms, merged, misspelled


@pytest.mark.parametrize(
    ("label", "other", "how"),
    [
        ("picks", "pick", "plural"),
        ("batteries", "battery", "plural"),
        ("colour", "color", "spelling"),
        ("colours", "color", "spelling"),
        ("Low-End", "low end", "same"),
        ("glass", "glas", None),
        ("tuning", "turning", None),
        ("10-46", "1046", None),
    ],
)
def test_endings(label: str, other: str, how: str | None) -> None:
    found = merged([label, other], {})
    assert (found[label].key == found[other].key) == (how is not None)
    if how:
        assert found[label].how == how


def test_a_misspelled_name_goes_to_the_frequent_one() -> None:
    names = {
        "dunlop": 50,
        "dunlap": 2,
        "sm57": 50,
        "sm58": 2,
        "behringer": 40,
        "berhinger": 1,
        "taylor": 60,
        "tailor": 3,
    }
    found = misspelled(names | {"shure": 9, "share": 2, "martin": 30, "marlin": 20, "bohringer": 1}, common={"tailor"})
    assert {name: merge.key for name, merge in found.items()} == {
        "dunlap": "dunlop",
        "berhinger": "behringer",
        "bohringer": "behringer",
    }  # "share" is not five times rarer than "shure"
    assert found["dunlap"].confidence == pytest.approx(0.83)


def test_as_near_to_two_names_is_neither() -> None:
    assert misspelled({"kramer": 20, "kraver": 20, "kraber": 1}, ()) == {}


def test_acronyms_need_one_name_and_a_review_with_both() -> None:
    forms = {"Stevie Ray Vaughan": {1, 2}, "SRV": {2}, "Paul Reed Smith": {1}, "PRS": {3}}
    forms |= {"Guitar Center": {5}, "Great Cable": {5}, "GC": {5}}
    assert acronyms(forms) == {"srv": Merge("stevierayvaughan", "acronym", 0.8)}


@given(st.lists(st.text(alphabet="abgkors -'", max_size=8), max_size=12))
def test_merging_settles(labels: list[str]) -> None:
    """Whatever the forms, each goes to a key that goes nowhere else."""
    found = merged(labels, {})
    keys = {m.key for m in found.values()}
    assert all(m.key == key for key in keys for m in [merged([*labels, key], {})[key]] if key)
    assert all(0 <= m.confidence <= 1 for m in found.values())
