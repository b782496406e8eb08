"""From spans to entities: metadata names found in text, surface forms merged, one form one type, rare ones dropped."""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from kg.names import Phrases, attribute_id, attribute_type, fold, slug, split
from kg.polarity import polarities, words
from kg.text import clean
from kg.types import Item, Mention, Review, Span

ASPECT = "aspect"
MAX_ITEM_SHARE = 0.3  # what the reviews of more items than this name says nothing about any of them
SHARE_FROM = 100  # reviewed items; in a smaller catalogue a share means little
MAX_VALUE_WORDS = 6  # longer metadata values are descriptions, not names
THING_SHARE = 0.1
COMMON_FROM, COMMON_SHARE = 20, 0.8  # a word written so often, and so often in lower case, is an ordinary one
_GAP = re.compile(r"\s+")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Found:
    """A span of review number ``review`` on its way to becoming a mention; ``entity`` comes last."""

    review: int
    start: int
    end: int
    label: str
    type: str
    polarity: float
    entity: str = ""


class _Corpus:
    """The cleaned texts, their words, and how often each word is written with a capital."""

    def __init__(self, reviews: Sequence[Review]) -> None:
        self.texts = [clean(r.text) for r in reviews]
        self.words = [split(t) for t in self.texts]
        self.total, self.capital = Counter[str](), Counter[str]()
        for text, found in zip(self.texts, self.words, strict=True):
            self.total.update(word for _, _, word in found)
            self.capital.update(word for start, _, word in found if text[start].isupper())

    def is_name(self, label: str) -> bool:
        """Whether one of its words is mostly written with a capital: "Great Price" is shouting, not a name."""
        return any(2 * self.capital[word] > self.total[word] for _, _, word in split(label))

    def is_ordinary(self, label: str) -> bool:
        """Whether it is a single word that these texts mostly use as a common one, as with the brand "Time"."""
        found = split(label)
        total = self.total[found[0][2]]
        lower = total - self.capital[found[0][2]]
        return len(found) == 1 and total >= COMMON_FROM and lower >= COMMON_SHARE * total

    def matches(self, targets: Mapping[str, tuple[str, str]], needs_capital: Callable[[str], bool]) -> list[_Found]:
        """Phrases in the texts. ``targets``: phrase → (type, entity)."""
        phrases, out = Phrases({name: name for name in targets}), list[_Found]()
        strict = {name: needs_capital(name) for name in targets}
        for number, (text, found) in enumerate(zip(self.texts, self.words, strict=True)):
            hits = [
                (start, end, name)
                for start, end, name in phrases.find(text, found)
                if not strict[name] or _capitals(text[start:end]) >= _capitals(name)
            ]
            for (start, end, name), p in zip(hits, polarities(text, [h[:2] for h in hits]), strict=True):
                out.append(_Found(number, start, end, text[start:end], targets[name][0], p, targets[name][1]))
        return out


def _capitals(name: str) -> int:
    return sum(not name[start].islower() for start, _, _ in split(name))


def gazetteer(items: Iterable[Item]) -> dict[str, tuple[str, str]]:
    """Metadata values that can be recognised in text → (type, entity id). Placeholders and numbers are left out."""
    out: dict[str, tuple[str, str]] = {}
    for key, value in sorted({a for item in items for a in item.attributes}):
        name = html.unescape(value).strip()
        letters = sum(c.isalpha() for c in name)
        if letters < 2 or len(split(name)) > MAX_VALUE_WORDS or name.casefold() in words("noun", "function"):
            continue
        for form in (name, name.replace("'", "").replace("’", "")):
            out.setdefault(form, (attribute_type(key), attribute_id(key, value)))
    return out


def link(
    items: Sequence[Item], reviews: Sequence[Review], spans: Sequence[Sequence[Span]], min_mentions: int = 2
) -> tuple[list[Mention], dict[str, str]]:
    """Mentions of entities in order of review and place, and each mentioned entity's most frequent surface form.

    Args:
        spans: what the extractor found, one list per review.
        min_mentions: what fewer reviews name is dropped, unless the metadata name it.

    Metadata names win over named entities, these over aspects. A surface form has one type, that of most of its
    spans. A rare aspect falls back to a shorter one ("thick black pick" → "black pick" → "pick").
    """
    corpus = _Corpus(reviews)
    found = [_Found(n, s.start, s.end, s.label, s.type, s.polarity) for n, row in enumerate(spans) for s in row]
    aspects = [f for f in found if f.type == ASPECT]
    names = [f for f in found if f.type != ASPECT and corpus.is_name(f.label)]

    listed = corpus.matches(gazetteer(items), needs_capital=corpus.is_ordinary)
    names = _outside(listed, names, corpus.texts)
    # A name recognised in several reviews is a name wherever it is written with a capital.
    recognised = _recognised([*names, *aspects], min_mentions)
    names += _outside([*listed, *names], corpus.matches(recognised, needs_capital=lambda _: True), corpus.texts)
    aspects = _outside([*listed, *names], aspects, corpus.texts)

    linked = _with_entities(_without_rare([*names, *aspects], corpus.texts, min_mentions))
    linked = [*listed, *_telling(linked, reviews, min_mentions)]
    linked.sort(key=lambda f: (f.review, f.start, f.end))
    surfaces: defaultdict[str, list[str]] = defaultdict(list)
    mentions = []
    for f in linked:
        review = reviews[f.review]
        surface = review.text[f.start : f.end]
        surfaces[f.entity].append(" ".join(html.unescape(surface).split()))
        mentions.append(Mention(f.entity, surface, f.type, review.review_id, f.start, f.end, f.polarity))
    return mentions, {entity: most_frequent(forms) for entity, forms in surfaces.items()}


def most_frequent(values: Iterable[T]) -> T:
    """The most frequent value; the first in sorted order among equals."""
    return min(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))[0]


def _outside(winners: Iterable[_Found], others: Iterable[_Found], texts: Sequence[str]) -> list[_Found]:
    """The others without what winners already cover; an aspect covered at its beginning keeps its rest."""
    taken: defaultdict[int, list[_Found]] = defaultdict(list)
    for winner in winners:
        taken[winner.review].append(winner)
    out = []
    for other in others:
        rest: _Found | None = other
        for winner in sorted(taken[other.review], key=lambda f: f.start):
            if rest is not None and winner.start < rest.end and rest.start < winner.end:
                covers_beginning = winner.start <= rest.start and winner.end < rest.end
                rest = _rest(rest, winner.end - rest.start, texts[other.review]) if covers_beginning else None
        if rest is not None:
            out.append(rest)
    return out


def _rest(found: _Found, offset: int, text: str) -> _Found | None:
    """An aspect without the words in its first ``offset`` characters, or None where nothing is left of it."""
    gap = _GAP.match(text, found.start + offset, found.end)
    offset = gap.end() - found.start if gap else 0
    if found.type != ASPECT or not offset or text[found.start : found.start + offset] != found.label[:offset]:
        return None
    return replace(found, start=found.start + offset, label=found.label[offset:])


def _is_empty(label: str) -> bool:
    return not fold(label) or label.casefold() in words("noun", "empty")


def _recognised(found: Iterable[_Found], min_mentions: int) -> dict[str, tuple[str, str]]:
    """Names that enough reviews hold, label → (type, ""); what is more often an aspect is not among them."""
    by_key: defaultdict[str, list[_Found]] = defaultdict(list)
    for f in found:
        by_key[fold(f.label)].append(f)
    out = {}
    for group in by_key.values():
        names = [f for f in group if f.type != ASPECT]
        if len({f.review for f in names}) >= min_mentions and (type_ := _type(group)) != ASPECT:
            out.update({f.label: (type_, "") for f in names})
    return out


def _type(group: Sequence[_Found]) -> str:
    """The one type of a surface form. A capitalised aspect says nothing about whether the form is a name.

    People and places are rarely called "a" or "my" something: a tenth of such mentions makes a name a product.
    """
    votes = Counter(f.type for f in group if f.type != ASPECT)
    if not votes or 2 * votes.total() < len([f for f in group if f.type != ASPECT or f.label == f.label.lower()]):
        return ASPECT
    if votes["product"] >= max(2, THING_SHARE * votes.total()):
        del votes["person"], votes["place"]
    return most_frequent(votes.elements())


def _by_label(found: Iterable[_Found]) -> dict[str, list[_Found]]:
    groups: defaultdict[str, list[_Found]] = defaultdict(list)
    for f in found:
        groups[f.label].append(f)
    return groups


def _keys(labels: Iterable[str]) -> dict[str, str]:
    """Label → merge key. A plural goes to its singular where that is among the labels."""
    folds = {label: fold(label) for label in labels}
    present = set(folds.values())

    def singular(key: str) -> str:
        for ending, instead in (("s", ""), ("es", ""), ("ies", "y")):
            shorter = key.removesuffix(ending) + instead
            if key.endswith(ending) and not key.endswith("ss") and len(shorter) > 3 and shorter in present:
                return singular(shorter)
        return key

    return {label: singular(key) for label, key in folds.items()}


def _without_rare(found: Iterable[_Found], texts: Sequence[str], min_mentions: int) -> list[_Found]:
    """Spans whose key enough reviews hold. Rare aspects lose their first word, the longest of them first."""
    groups = {label: group for label, group in _by_label(found).items() if not _is_empty(label)}
    while True:
        keys = _keys(groups)
        reviews: defaultdict[str, set[int]] = defaultdict(set)
        for label, group in groups.items():
            reviews[keys[label]].update(f.review for f in group)
        rare = {label: len(label.split()) for label in groups if len(reviews[keys[label]]) < min_mentions}
        if not rare:
            return [f for group in groups.values() for f in group]
        longest = max(rare.values())
        for label in [label for label, length in rare.items() if length == longest]:
            for f in groups.pop(label):
                rest = _rest(f, len(label.split(maxsplit=1)[0]), texts[f.review])
                if rest is not None and not _is_empty(rest.label):
                    groups.setdefault(rest.label, []).append(rest)


def _with_entities(found: Sequence[_Found]) -> list[_Found]:
    """Give each merge key its type and entity id, ``<type>:<slug>``."""
    by_label = _by_label(found)
    keys = _keys(by_label)
    by_key: defaultdict[str, list[str]] = defaultdict(list)
    for label, key in keys.items():
        by_key[key].append(label)
    out = []
    for key, labels in by_key.items():
        group = [f for label in labels for f in by_label[label]]
        type_ = _type(group)
        entity = f"{type_}:{most_frequent(slug(f.label) for f in group if fold(f.label) == key)}"
        out += [replace(f, type=type_, entity=entity) for f in group]
    return out


def _telling(found: list[_Found], reviews: Sequence[Review], min_mentions: int) -> list[_Found]:
    """Without entities that too few reviews hold, or the reviews of too many items.

    A person whom a single user names may be that user signing reviews, and stays out.
    """
    in_reviews: defaultdict[str, set[str]] = defaultdict(set)
    in_items: defaultdict[str, set[str]] = defaultdict(set)
    by_users: defaultdict[str, set[str]] = defaultdict(set)
    for f in found:
        in_reviews[f.entity].add(reviews[f.review].review_id)
        in_items[f.entity].add(reviews[f.review].item_id)
        by_users[f.entity].add(reviews[f.review].user_id)
    reviewed = len({r.item_id for r in reviews})
    most = MAX_ITEM_SHARE * reviewed if reviewed >= SHARE_FROM else reviewed
    return [
        f
        for f in found
        if len(in_reviews[f.entity]) >= min_mentions
        and len(in_items[f.entity]) <= most
        and (f.type != "person" or len(by_users[f.entity]) > 1)
    ]
