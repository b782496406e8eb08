"""The words of all reviews: how each is written, and where given phrases occur."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kg.names import Phrases, attribute_id, attribute_type, split
from kg.polarity import polarities, words
from kg.text import clean
from kg.types import Item, Review

MAX_VALUE_WORDS = 6  # longer metadata values are descriptions, not names
COMMON_FROM, COMMON_SHARE = 20, 0.8  # a word written so often, and so often in lower case, is an ordinary one
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+")  # written without spaces: a name is found within a run
NOUN_SHARE = 0.15  # of its texts; a word that is less often part of a span is no noun, whatever a tagger says once


@dataclass(frozen=True, slots=True)
class Found:
    """A span of review number ``review`` on its way to becoming a mention; what comes last is found out by linking."""

    review: int
    start: int
    end: int
    label: str
    type: str
    polarity: float
    entity: str = ""
    how: str = "same"
    confidence: float = 1.0


class Corpus:
    """The cleaned texts, their words, and how often each word is written with a capital."""

    def __init__(self, reviews: Sequence[Review]) -> None:
        self.texts = [clean(r.text) for r in reviews]
        self.words = [split(t) for t in self.texts]
        self.total, self.capital = Counter[str](), Counter[str]()
        for text, found in zip(self.texts, self.words, strict=True):
            self.total.update(word for _, _, word in found)
            self.capital.update(word for start, _, word in found if text[start].isupper())

    def is_name(self, label: str) -> bool:
        """Whether one of its words is mostly written with a capital, where its script has them: "Great Price" is
        shouting, not a name."""
        has_none = label.upper() == label.lower()
        return has_none or any(2 * self.capital[word] > self.total[word] for _, _, word in split(label))

    def is_ordinary(self, label: str) -> bool:
        """Whether it is a single word that these texts mostly use as a common one, as with the brand "Time"."""
        found = split(label)
        total = self.total[found[0][2]]
        lower = total - self.capital[found[0][2]]
        return len(found) == 1 and total >= COMMON_FROM and lower >= COMMON_SHARE * total

    def common(self) -> set[str]:
        """Words that are mostly written in lower case, and more than once."""
        return {word for word, n in self.total.items() if n > 1 and 2 * self.capital[word] < n}

    def seldom(self, found: Iterable[Found]) -> set[str]:
        """Words of many texts that are part of what was found in hardly any of them: "easy", "got"."""
        held = Counter(word for row in self.words for word in {w for *_, w in row})
        spans = {(f.review, word) for f in found for *_, word in split(self.texts[f.review][f.start : f.end])}
        told = Counter(word for _, word in spans)
        return {word for word, n in held.items() if n >= COMMON_FROM and told[word] < NOUN_SHARE * n}

    def matches(
        self, targets: Mapping[str, tuple[str, str]], needs_capital: Callable[[str], bool], how: str
    ) -> list[Found]:
        """Phrases in the texts. ``targets``: phrase → (type, entity)."""
        phrases, out = Phrases({name: name for name in targets}), list[Found]()
        strict = {name: needs_capital(name) for name in targets}
        unspaced = [name for name in targets if len(name) > 1 and UNSPACED.fullmatch(name)]
        within = re.compile("|".join(sorted(map(re.escape, unspaced), key=len, reverse=True)) or r"(?!)")
        for number, (text, found) in enumerate(zip(self.texts, self.words, strict=True)):
            hits = [
                (start, end, name)
                for start, end, name in phrases.find(text, found)
                if not strict[name] or capitals(text[start:end]) >= capitals(name)
            ]
            hits += [(*m.span(), m.group()) for m in within.finditer(text) if all(m.span() != hit[:2] for hit in hits)]
            for (start, end, name), p in zip(hits, polarities(text, [h[:2] for h in hits]), strict=True):
                out.append(Found(number, start, end, text[start:end], targets[name][0], p, targets[name][1], how))
        return out


def is_half(text: str, start: int, end: int) -> bool:
    """Whether a hyphen joins the span to a word before it, or to a capital or digit after it: "Dec" in "G-Dec"."""
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    joined = len(after) == 2 and after[0] == "-" and (after[1].isupper() or after[1].isdigit())
    return joined or (len(before) == 2 and before[1] == "-" and before[0].isalnum())


def capitals(name: str) -> int:
    """Words of a name that begin with no lower-case letter."""
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
