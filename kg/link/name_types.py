"""What kind of thing a name is: its mentions vote, and their neighbourhood may speak against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kg.link.corpus import Found
from kg.names import fold, most_frequent
from kg.polarity import phrases, words
from kg.types import PLAIN

THING_SHARE = 0.1
MAKER_SHARE = 0.25  # of a name's mentions, by which it is a brand
LEADS = 3  # names of products that a brand begins, if nothing else says that it is one


@dataclass(frozen=True, slots=True)
class Company:
    """What is said around a name: longer names that it begins, its plurals, its mentions right after a brand."""

    leads: int = 0
    plurals: int = 0
    after_brand: int = 0


def name_type(group: Sequence[Found], company: Company = Company()) -> str:
    """The one type of a surface form. A capitalised aspect says nothing about whether the form is a name.

    People and places are rarely called "a" or "my" something, or named in the plural: a tenth of such mentions shows a
    thing; the plural does so for organisations, and standing right after a brand ("Boss Blues Driver") for all but
    brands. What is a maker in a part of its mentions, or is the first word of LEADS longer names, is a brand. Known
    places are places. What is at times called otherwise is a person only by a given name, and a place not at all.
    """
    votes = Counter(f.type for f in group if f.type not in PLAIN)
    plain = [f for f in group if f.type in PLAIN]
    if not votes or votes.total() < len([f for f in plain if f.label == f.label.lower()]):
        return most_frequent(f.type for f in plain or group)
    if votes["place"] and _is_place(group):
        return "place"
    first = Counter(f.type for f in group if f.type not in PLAIN and f.how != "name")  # others repeat what these say
    many = max(2, THING_SHARE * votes.total())
    is_thing = votes["product"] + company.plurals >= many
    given = _is_given(group)
    always = len(first) == 1 and first.total() >= max(2, len(plain))
    if is_thing or not (always or given):
        del votes["person"]
    if is_thing or not always:
        del votes["place"]
    makers = votes["brand"] + votes["organisation"]
    share = MAKER_SHARE * (makers + votes["person"] + votes["place"])
    if company.leads >= LEADS or (votes["brand"] >= max(2, share) and makers >= votes["product"]):
        return "brand"
    if company.plurals >= many or (company.after_brand >= many / 2 and not given):
        return "product"
    if not votes.total():
        return "product"
    return most_frequent(votes.elements())


def _is_place(group: Iterable[Found]) -> bool:
    """Whether it is one of the best-known countries, states and cities."""
    places = phrases("name", "place")
    return any(" ".join(f.label.casefold().split()) in places for f in group)


def _is_given(group: Iterable[Found]) -> bool:
    """Whether it begins with one of the most usual given names."""
    given = words("name", "given")
    return any(f.label.split(maxsplit=1)[0].casefold() in given for f in group)


def leads(names: Iterable[Found]) -> Counter[str]:
    """``fold`` of a word → how many longer names begin with it."""
    longer = {fold(f.label): f.label.split(maxsplit=1)[0] for f in names if " " in f.label}
    return Counter(fold(first) for first in longer.values())


def after_brands(names: Iterable[Found], brands: Collection[str], texts: Sequence[str]) -> Counter[str]:
    """``fold`` of a name → its mentions right after a brand, or at the end of a name that a brand begins.

    Args:
        names: of any type.
        brands: the ``fold`` of each brand.

    A name that itself begins with a brand counts for every mention: "Boss Blues Driver" is what "Blues Driver" is.
    """
    out = Counter[str]()
    ordered = sorted(names, key=lambda f: (f.review, f.start))
    for found in ordered:
        parts = found.label.split()
        for n in range(1, len(parts)):
            if fold(" ".join(parts[:n])) in brands:
                out.update({fold(found.label), fold(" ".join(parts[n:]))})
                break
    for one, other in pairwise(ordered):
        adjacent = one.review == other.review and texts[one.review][one.end : other.start] == " "
        if adjacent and fold(one.label) in brands:
            out[fold(other.label)] += 1
    return out


def brand_keys(types: Mapping[str, str], known: Mapping[str, tuple[str, str]]) -> set[str]:
    """Keys that are brands by the votes or by the metadata."""
    return {key for key, type_ in types.items() if type_ == "brand"} | {
        key for key, (type_, _) in known.items() if type_ == "brand"
    }
