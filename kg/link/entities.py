"""From spans to entities: metadata names found in text, surface forms merged, one form one type, rare ones dropped."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kg.link.corpus import Corpus, Found, gazetteer, is_half
from kg.link.forms import SURE, Merge, acronyms, merged, misspelled
from kg.link.name_types import Company, after_brands, brand_keys, leads, name_type
from kg.names import fold, most_frequent, slug
from kg.polarity import words
from kg.types import PLAIN, Item, Mention, Review, Span

MAX_ITEM_SHARE = 0.3  # what the reviews of more items than this name says nothing about any of them
SHARE_FROM = 100  # reviewed items; in a smaller catalogue a share means little
_GAP = re.compile(r"\s+")


def link(
    items: Sequence[Item], reviews: Sequence[Review], spans: Sequence[Sequence[Span]], min_mentions: int = 2
) -> tuple[list[Mention], dict[str, str]]:
    """Mentions of entities in order of review and place, and each mentioned entity's most frequent surface form.

    Args:
        spans: what the extractor found, one list per review.
        min_mentions: what fewer reviews name is dropped, unless the metadata name it.

    Metadata names win over named entities, these over aspects. Forms merge over case, plural and spelling; a name also
    over misspellings and acronyms (kg.link.forms). A surface form has one type, that of most of its spans. A rare
    aspect falls back to a shorter one ("thick black pick" → "black pick" → "pick").
    """
    corpus = Corpus(reviews)
    found = [Found(n, s.start, s.end, s.label, s.type, s.polarity) for n, row in enumerate(spans) for s in row]
    plain = [f for f in found if f.type in PLAIN]
    names = [f for f in found if f.type not in PLAIN and corpus.is_name(f.label)]

    metadata = gazetteer(items)
    listed = corpus.matches(metadata, needs_capital=corpus.is_ordinary, how="metadata")
    names = _outside(listed, names, corpus.texts)
    # A name recognised in several reviews is a name wherever it is written with a capital.
    recognised = _recognised([*names, *plain], min_mentions)
    again = corpus.matches(recognised, needs_capital=lambda _: True, how="name")
    again = [f for f in again if not is_half(corpus.texts[f.review], f.start, f.end)]
    names = _whole(names, again)
    names += _outside([*listed, *names], again, corpus.texts)
    seldom = corpus.seldom(found)
    plain = _outside([*listed, *names], [f for f in plain if f.label.casefold() not in seldom], corpus.texts)

    known = {fold(name): target for name, target in metadata.items()}
    respelled = _respelled(names, listed, known, corpus)
    common = _without_rare([*names, *plain], corpus.texts, min_mentions, respelled)
    linked = _with_entities(common, listed, respelled, known, corpus.texts)
    linked = [*listed, *_telling(linked, reviews, min_mentions)]
    linked.sort(key=lambda f: (f.review, f.start, f.end))
    mentions = [
        Mention(f.entity, r.text[f.start : f.end], f.type, r.review_id, f.start, f.end, f.polarity, f.how, f.confidence)
        for f, r in ((f, reviews[f.review]) for f in linked)
    ]
    return mentions, labels(mentions)


def surface(mention: Mention) -> str:
    """The words of a mention on one line, HTML entities read."""
    return " ".join(html.unescape(mention.label).split())


def labels(mentions: Iterable[Mention]) -> dict[str, str]:
    """Entity → its most frequent surface form; misspellings and acronyms only where there is nothing else."""
    forms: defaultdict[str, list[str]] = defaultdict(list)
    others: defaultdict[str, list[str]] = defaultdict(list)
    for m in mentions:
        (others if m.how in {"misspelling", "acronym"} else forms)[m.entity].append(surface(m))
    return {entity: most_frequent(found) for entity, found in {**others, **forms}.items()}


def _respelled(
    names: Sequence[Found], listed: Sequence[Found], known: Mapping[str, tuple[str, str]], corpus: Corpus
) -> dict[str, Merge]:
    """``fold`` of misspelled names and acronyms → the name they stand for."""
    held: defaultdict[str, set[int]] = defaultdict(set)
    for f in [*names, *listed]:
        held[f.label].add(f.review)
    reviews: defaultdict[str, set[int]] = defaultdict(set)
    for label, numbers in held.items():
        reviews[fold(label)] |= numbers
    counts = {key: len(numbers) for key, numbers in reviews.items()} | {key: len(corpus.texts) for key in known}
    found = {**acronyms(held), **misspelled(counts, corpus.common())}
    return {key: merge for key, merge in found.items() if key not in known and merge.key not in found}


def _outside(winners: Iterable[Found], others: Iterable[Found], texts: Sequence[str]) -> list[Found]:
    """The others without what winners already cover; an aspect covered at its beginning keeps its rest."""
    taken: defaultdict[int, list[Found]] = defaultdict(list)
    for winner in winners:
        taken[winner.review].append(winner)
    out = []
    for other in others:
        rest: Found | None = other
        for winner in sorted(taken[other.review], key=lambda f: f.start):
            if rest is not None and winner.start < rest.end and rest.start < winner.end:
                covers_beginning = winner.start <= rest.start and winner.end < rest.end
                rest = _rest(rest, winner.end - rest.start, texts[other.review]) if covers_beginning else None
        if rest is not None:
            out.append(rest)
    return out


def _whole(names: Iterable[Found], longer: Iterable[Found]) -> list[Found]:
    """The names that are no mere part of longer ones: no "Paul" in "Les Paul"."""
    around: defaultdict[int, list[Found]] = defaultdict(list)
    for name in longer:
        around[name.review].append(name)
    return [
        n
        for n in names
        if not any(a.start <= n.start and n.end <= a.end and len(a.label) > len(n.label) for a in around[n.review])
    ]


def _rest(found: Found, offset: int, text: str) -> Found | None:
    """An aspect without the words in its first ``offset`` characters, or None where nothing is left of it."""
    gap = _GAP.match(text, found.start + offset, found.end)
    offset = gap.end() - found.start if gap else 0
    if found.type not in PLAIN or not offset or text[found.start : found.start + offset] != found.label[:offset]:
        return None
    return replace(found, start=found.start + offset, label=found.label[offset:])


def _is_empty(label: str) -> bool:
    return not fold(label) or label.casefold() in words("noun", "empty")


def _recognised(found: Iterable[Found], min_mentions: int) -> dict[str, tuple[str, str]]:
    """Names that enough reviews hold, label → (type, ""); what is more often an aspect is not among them."""
    by_key: defaultdict[str, list[Found]] = defaultdict(list)
    for f in found:
        by_key[fold(f.label)].append(f)
    out = {}
    for group in by_key.values():
        names = [f for f in group if f.type not in PLAIN]
        if len({f.review for f in names}) >= min_mentions and (type_ := name_type(group)) not in PLAIN:
            out.update({f.label: (type_, "") for f in names})
    return out


def _by_label(found: Iterable[Found]) -> dict[str, list[Found]]:
    groups: defaultdict[str, list[Found]] = defaultdict(list)
    for f in found:
        groups[f.label].append(f)
    return groups


def _without_rare(
    found: Iterable[Found], texts: Sequence[str], min_mentions: int, respelled: Mapping[str, Merge]
) -> list[Found]:
    """Spans whose key enough reviews hold. Rare aspects lose their first word, uses their last, the longest first."""
    groups = {label: group for label, group in _by_label(found).items() if not _is_empty(label)}
    while True:
        keys = merged(groups, respelled)
        reviews: defaultdict[str, set[int]] = defaultdict(set)
        for label, group in groups.items():
            reviews[keys[label].key].update(f.review for f in group)
        rare = {label: len(label.split()) for label in groups if len(reviews[keys[label].key]) < min_mentions}
        if not rare:
            return [f for group in groups.values() for f in group]
        longest = max(rare.values())
        for label in [label for label, length in rare.items() if length == longest]:
            for f in groups.pop(label):
                rest = _shorter(f, texts[f.review])
                if rest is not None and not _is_empty(rest.label):
                    groups.setdefault(rest.label, []).append(rest)


def _shorter(found: Found, text: str) -> Found | None:
    """Without its first word, or a use without its last: "playing bass" → "playing"."""
    first, *rest = found.label.split(maxsplit=1)
    if found.type != "use":
        return _rest(found, len(first), text)
    kept = found.label.rpartition(" ")[0]
    if not rest or text[found.start : found.start + len(kept)] != kept:
        return None
    return replace(found, end=found.start + len(kept), label=kept)


def _with_entities(
    found: Sequence[Found],
    listed: Sequence[Found],
    respelled: Mapping[str, Merge],
    known: Mapping[str, tuple[str, str]],
    texts: Sequence[str],
) -> list[Found]:
    """Give each merge key its type and entity id: what the metadata call so, else ``<type>:<slug>``."""
    by_label = _by_label(found)
    keys = merged(by_label, respelled)
    by_key: defaultdict[str, list[str]] = defaultdict(list)
    for label, merge in keys.items():
        by_key[merge.key].append(label)
    groups = {key: [f for label in group for f in by_label[label]] for key, group in by_key.items()}
    company = _company(groups, keys, [*found, *listed], known, texts)
    out = []
    for key, group in groups.items():
        type_ = name_type(group, company[key])
        own = [f.label for f in group if fold(f.label) == key]
        entity = f"{type_}:{most_frequent(slug(label) for label in own)}" if own else f"{type_}:{key}"
        if type_ not in PLAIN and key in known:
            type_, entity = known[key]
        usual = most_frequent(own) if own else ""
        for f in group:
            merge = keys[f.label]
            how = "case" if merge.how == "same" and f.label != usual else f.how if merge.how == "same" else merge.how
            sure = min(merge.confidence, SURE.get(how, 1.0))
            out.append(replace(f, type=type_, entity=entity, how=how, confidence=sure))
    return out


def _company(
    groups: Mapping[str, Sequence[Found]],
    keys: Mapping[str, Merge],
    names: Sequence[Found],
    known: Mapping[str, tuple[str, str]],
    texts: Sequence[str],
) -> dict[str, Company]:
    """What stands around each key; which names are brands is settled first."""
    led = leads(f for f in names if f.type in {"product", "organisation", "brand"})
    plurals = {key: sum(keys[f.label].how == "plural" for f in g if f.type not in PLAIN) for key, g in groups.items()}
    # What is always in the plural, is called so.
    alone = {key: Company(led[key], n * (2 * n < len(groups[key]))) for key, n in plurals.items()}
    types = {key: name_type(group, alone[key]) for key, group in groups.items()}
    after = after_brands((f for f in names if f.type not in PLAIN), brand_keys(types, known), texts)
    forms = {key: {fold(f.label) for f in group} for key, group in groups.items()}
    return {key: replace(c, after_brand=sum(after[form] for form in forms[key])) for key, c in alone.items()}


def _telling(found: list[Found], reviews: Sequence[Review], min_mentions: int) -> list[Found]:
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
