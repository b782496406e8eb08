"""Statements: what reviews, metadata and external triples say, each with its source."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from kg.extract.judge import judgements
from kg.languages import ENGLISH, of_each
from kg.link.corpus import capitals, gazetteer
from kg.names import Phrases, attribute_id, slug, split
from kg.text import clean
from kg.types import ExternalTriples, Item, Mention, Review, User

STATEMENT = ["head", "relation", "tail", "source", "review_id", "start", "end", "polarity"]
SAID = {"aspect": "has_aspect", "attribute": "has_attribute", "use": "used_for", "item": "compared_with"}
TASTE = 0.1  # a mean polarity beyond ±TASTE is a liking or a dislike
BACK = 40  # characters before an aspect that say whose it is
_OWNED = re.compile(r"\b(?:my|our|your|his|her)\s+(?:[\w-]+\s+){0,2}$", re.IGNORECASE)
_OWNED_BY = re.compile(r"\s+of\s+(?:my|our|your|his|her)\b", re.IGNORECASE)
_HAS = re.compile(
    r"\b(?:its|(?:it has|has|comes? with|came with|includes?|included|including|features|featuring|offers|provides)"
    r"(?:\s+(?:a|an|the|no|two|three|four|\d+))?)\s+(?:[\w-]+\s+){0,2}$",
    re.IGNORECASE,
)
TITLE_WORDS = range(2, 7)  # of the beginning of a title by which a review may call an item
MIN_CODE = 4  # characters of a model number
_CODE = re.compile(r"(?=\S*\d)(?=\S*[^\W\d_])[^\W_][\w-]*[^\W_]")
_BEFORE = re.compile(
    r"\b(?:(?:better|worse|more|less|rather|other|\w+er)\b[^.!?;\n]{0,40}\bthan|compar(?:ed|ison) (?:to|with)|"
    r"versus|vs\.?|unlike|instead of|(?:prefer|chose|picked)\b[^.!?;\n]{0,40}\b(?:to|over))\s+"
    r"(?:(?:the|a|an|my|his|her|our|their|your|old|other|both|it|this|i|had)\s+){0,3}$",
    re.IGNORECASE,
)
_AFTER = re.compile(r"[^.!?;\n]{0,60}\bthan (?:this|these)\b", re.IGNORECASE)


def from_reviews(mentions: Sequence[Mention], reviews: Mapping[str, Review]) -> pd.DataFrame:
    """About the item: one statement per mention; about the user: another, and what they like or dislike.

    An aspect is the item's (``has_aspect``) where the review judges it or says that the item has it, and it is not
    somebody's ("my ears", "the finish of my guitar"); else it is only mentioned (``mentions_aspect``).
    """
    rows = []
    tastes: defaultdict[tuple[str, str], list[Mention]] = defaultdict(list)
    texts = {id_: r.text for id_, r in reviews.items()}
    english = dict(zip(texts, (code == ENGLISH for code in of_each([*texts.values()])), strict=True))
    aspects = [m for m in mentions if m.type == "aspect"]
    judged = judgements([m for m in aspects if english[m.review_id]], texts)
    # The readers of other languages give a polarity to what is judged alone.
    judged |= {(m.review_id, m.start, m.end): m.polarity for m in aspects if m.polarity and not english[m.review_id]}
    for m in mentions:
        review = reviews[m.review_id]
        relation = SAID.get(m.type, f"mentions_{relation_name(m.type)}")
        said = judged.get((m.review_id, m.start, m.end), 0.0)
        before = review.text[max(0, m.start - BACK) : m.start]
        owned = _OWNED.search(before) or _OWNED_BY.match(review.text, m.end)
        if m.type == "aspect" and not said and (owned or not _HAS.search(before)):
            relation = "mentions_aspect"
        source = ("review", m.review_id, m.start, m.end, m.polarity)
        rows.append((f"item:{review.item_id}", relation, m.entity, *source))
        if m.type != "item":
            rows.append((f"user:{review.user_id}", "mentions", m.entity, *source))
        if said:
            tastes[f"user:{review.user_id}", m.entity].append(replace(m, polarity=said))
    for (user, entity), felt in tastes.items():
        mean = sum(m.polarity for m in felt) / len(felt)
        if abs(mean) > TASTE:
            relation = "likes" if mean > 0 else "dislikes"
            rows += [(user, relation, entity, "review", m.review_id, m.start, m.end, m.polarity) for m in felt]
    return pd.DataFrame(rows, columns=STATEMENT)


def compared(items: Sequence[Item], reviews: Sequence[Review]) -> list[Mention]:
    """Other items of the catalogue that a review compares its item with, of type "item" and without polarity.

    An item is recognised by the beginning of its title or by a model number in it, where no other item has the same;
    a comparison by the words before ("better than the …") or after ("… is better than this").
    """
    names = _names(items)
    phrases = Phrases({name: name for name in names})
    out = []
    for review in reviews if names else ():
        text = clean(review.text)
        for start, end, name in phrases.find(text, split(text)):
            if names[name] == review.item_id or capitals(text[start:end]) < capitals(name):
                continue
            if _BEFORE.search(text, max(0, start - 80), start) or _AFTER.match(text, end):
                place = (review.review_id, start, end)
                out.append(Mention(f"item:{names[name]}", review.text[start:end], "item", *place, 0.0, "title", 0.9))
    return out


def _names(items: Sequence[Item]) -> dict[str, str]:
    """What only one item is called by → its id."""
    brands = {tuple(w for *_, w in split(name)) for name, (type_, _) in gazetteer(items).items() if type_ == "brand"}
    owners: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    spelled: dict[tuple[str, ...], str] = {}
    for item in items:
        found = split(item.title)
        for length in TITLE_WORDS:
            run = found[:length]
            if len(run) == length and any(map(str.isalpha, run[-1][2])):
                key = tuple(w for *_, w in run)
                owners[key].add(item.item_id)
                spelled[key] = item.title[run[0][0] : run[-1][1]]
        for match in _CODE.finditer(item.title):
            if len(match.group()) >= MIN_CODE:
                key = tuple(w for *_, w in split(match.group()))
                owners[key].add(item.item_id)
                spelled[key] = match.group()
    return {
        spelled[key]: next(iter(found))
        for key, found in sorted(owners.items())
        if len(found) == 1 and key not in brands
    }


def relation_name(key: str) -> str:
    """A metadata key or type as part of a relation's name."""
    return slug(key).replace("-", "_") or key


def from_metadata(items: Sequence[Item]) -> pd.DataFrame:
    """Attribute values, and the brand at the beginning of a title where an item has no brand of its own."""
    brands = Phrases({name: entity for name, (type_, entity) in gazetteer(items).items() if type_ == "brand"})
    rows = [
        (f"item:{item.item_id}", relation, tail, "metadata", "", -1, -1, np.nan)
        for item in items
        for relation, tail in _known(item, brands)
    ]
    return pd.DataFrame(rows, columns=STATEMENT)


def _known(item: Item, brands: Phrases) -> Iterator[tuple[str, str]]:
    pairs = {
        ("made_by" if key == "brand" else f"has_{relation_name(key)}", attribute_id(key, value))
        for key, value in item.attributes
    }
    if not any(key == "brand" for key, _ in item.attributes):
        start = split(item.title)[:1]
        pairs |= {("made_by", e) for at, _, e in brands.find(item.title, split(item.title)) if at == start[0][0]}
    return iter(pairs)


def from_users(users: Sequence[User]) -> pd.DataFrame:
    """Attribute values of users."""
    rows = [
        (f"user:{user.user_id}", f"has_{relation_name(key)}", attribute_id(key, value), "metadata", "", -1, -1, np.nan)
        for user in users
        for key, value in user.attributes
    ]
    return pd.DataFrame(rows, columns=STATEMENT)


def from_external(items: Sequence[Item], external: ExternalTriples) -> pd.DataFrame:
    """External triples, with the external entity of an item replaced by the item itself."""
    out = pd.DataFrame(external.triples, columns=["head", "relation", "tail"], dtype="str")
    present = {i.item_id for i in items}
    links = sorted((e, f"item:{i}") for i, e in external.item_entities.items() if i in present)
    nodes = pd.DataFrame(links, columns=["entity", "node"], dtype="str")
    for end in ("head", "tail"):
        out = out.merge(nodes, how="left", left_on=end, right_on="entity")
        out[end] = out["node"].fillna(out[end])
        out = out.drop(columns=["entity", "node"])
    return out.assign(source="external", review_id="", start=-1, end=-1, polarity=np.nan)[STATEMENT]
