"""A tiny shop with hand-checked mentions, and an extractor that knows its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kg.types import ExternalTriples, Item, Review, Span

WORDS = {
    "tone": "aspect",
    "low end": "aspect",
    "low-end": "aspect",
    "guitar strap": "aspect",
    "thick black pick": "aspect",
    "black pick": "aspect",
    "Fender": "organisation",
    "Hendrix": "person",
}


class WordExtractor:
    """Finds given words, case-insensitively, the longer first; a plural s stays in the span and not in the label."""

    def __init__(self, words: Mapping[str, str] = WORDS, id: str = "words:1") -> None:
        self.id = id
        self.types = {word.lower(): type_ for word, type_ in words.items()}
        self.pattern = re.compile(
            r"\b(" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + r")s?\b", re.I
        )
        self.seen: list[str] = []

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        for text in texts:
            self.seen.append(text)
            yield [
                Span(m.start(), m.end(), m.group(1), self.types[m.group(1).lower()], 0.5)
                for m in self.pattern.finditer(text)
            ]


class MemoryCache:
    """A BytesCache that remembers when it was written."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.writes: list[int] = []

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        return {k: self.values[k] for k in keys if k in self.values}

    def put_many(self, values: Mapping[str, bytes]) -> None:
        self.writes.append(len(values))
        self.values.update(values)


ITEMS = (
    Item("g1", "Fender Player Stratocaster"),
    Item("s1", "Super Bullets", (("brand", "Fender"), ("category", "Strings"))),
    Item("p1", "", (("brand", "D'Addario"),)),
)
REVIEWS = (
    Review("r1", "ann", "g1", "Great tone. Hendrix would have loved this FENDER."),
    Review("r2", "bob", "g1", "The tone is bad, the low-end too. A thick black pick helps, says Hendrix."),
    Review("r3", "ann", "s1", "Fine low ends & fine Tone; my black picks love these daddario strings. Hendrix!"),
    Review("r4", "cat", "p1", "A D&#39;Addario with low end, and a guitar strap."),
)
EXTERNAL = ExternalTriples(
    triples=(
        ("dbr:Strat", "designer", "dbr:Leo"),
        ("dbr:Leo", "founded", "dbr:FMIC"),
        ("dbr:Strat", "maker", "dbr:FMIC"),
    ),
    item_entities={"g1": "dbr:Strat", "unknown": "dbr:Leo"},
    labels={"dbr:Leo": "Leo Fender", "dbr:Strat": "Stratocaster", "designer": "was designed by"},
)
