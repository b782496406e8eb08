"""Aspects in German reviews by rules: nouns are written with a capital. Over spaCy's blank pipeline, without a model.

A word with a capital inside a sentence is a noun; at its beginning only where its ending says so, or where these texts
have it inside sentences too. Polarity as ``kg.polarity`` has it for English, with a small lexicon of its own.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from importlib.resources import files
from itertools import takewhile
from typing import Any

import spacy
from spacy.lang.de.stop_words import STOP_WORDS

from kg.text import clean
from kg.types import Span

MAX_CHARS = 20_000  # of one text are read
STRONG, MILD, NEGATED = 1.0, 0.6, -0.7
REACH = 3  # words that a negation reaches forward
AWAY = 6  # words between a noun and what is said of it
SOLD, FEW = 0.2, 3  # share, and number, of a noun's mentions as what was bought, from which it is no aspect
AT_START = "noun?"  # type of a capital at the beginning of a sentence, on its way
_NOUN_ENDING = re.compile(r"(?:ung|heit|keit|tät|schaft|tion|zeit|qualität|preis|service|verhältnis)(?:en)?$")
_NOUN = re.compile(r"[A-ZÄÖÜ][a-zäöüß]{2,}(?:-[A-ZÄÖÜ]?[a-zäöüß]+)*")
_END = re.compile(r"[.!?;:,()\n]+")
_STOP = re.compile(r"[.!?:\n\"„“]+")
LONGEST = 40  # letters of a word


@cache
def table(section: str, name: str) -> frozenset[str]:
    """One list of kg/words_de.toml."""
    return frozenset(_tables()[section][name].split())


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("kg").joinpath("words_de.toml").read_text("utf-8"))


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for name in ("extract/german.py", "words_de.toml", "text.py"):
        digest.update(files("kg").joinpath(name).read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=1 << 16)
def opinion(word: str) -> float:
    """The opinion that a lower-case word carries by itself, in [-1, 1]; 0 for most."""
    levels = {"strong_positive": STRONG, "positive": MILD, "negative": -MILD, "strong_negative": -STRONG}
    found = {name: table("opinion", name) for name in levels}
    for length in range(min(len(word), LONGEST), 2, -1):
        key = word if length == len(word) else ""
        for name, score in levels.items():
            if key in found[name] or word[:length] + "*" in found[name]:
                return score
    return 0.0


class GermanExtractor:
    """Aspects in German. Only the first MAX_CHARS characters of a text are read."""

    def __init__(self, processes: int = 1) -> None:
        self._words: Any = spacy.blank("de").tokenizer
        self.id = f"german:{spacy.__version__}:{_code()}"

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """One list of spans per text, in order; spans sorted by start and apart; polarity set."""
        for text in texts:
            yield self._read(clean(text[:MAX_CHARS]))

    def settle(self, found: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """The spans of each text: a word at the beginning of a sentence is a noun where others say so, and what all buy
        is no aspect of itself."""
        kinds = Counter((s.label, s.type) for row in found for s in row)
        sold = {
            label
            for (label, kind), n in kinds.items()
            if kind == "product" and n >= FEW and n >= SOLD * (n + kinds[label, "aspect"])
        }
        return [[replace(s, type="aspect") for s in row if _stays(s, kinds, sold)] for row in found]

    def _read(self, text: str) -> list[Span]:
        words = [t for t in self._words(text) if not t.is_space]
        scores, clause = _in_context([t.lower_ for t in words])
        out = []
        for n, token in enumerate(words):
            if (
                not _NOUN.fullmatch(token.text)
                or token.lower_ in STOP_WORDS
                or token.lower_ in table("aspect", "empty")
            ):
                continue
            if opinion(token.lower_) or token.lower_.endswith("weise"):
                continue
            if n and words[n - 1].lower_ in ("von", "bei"):  # whoever made or sells it
                continue
            kind = "aspect"
            if n == 0 or _STOP.fullmatch(words[n - 1].text) or "\n" in text[words[n - 1].idx : token.idx]:
                kind = "aspect" if _NOUN_ENDING.search(token.lower_) else AT_START
            elif any(w.lower_ in table("aspect", "sold") for w in (*words[max(0, n - 2) : n], *words[n + 1 : n + 2])):
                kind = "product"
            said = [
                (abs(m - n), s)
                for m, s in enumerate(scores)
                if s and m != n and clause[m] == clause[n] and abs(m - n) <= AWAY
            ]
            polarity = min(said, key=lambda pair: pair[0])[1] if said else 0.0
            out.append(Span(token.idx, token.idx + len(token.text), token.text, kind, round(polarity, 3)))
        return out


def _stays(span: Span, kinds: Counter[tuple[str, str]], sold: set[str]) -> bool:
    if span.label in sold:
        return False
    return span.type != AT_START or kinds[span.label, "aspect"] > 0


def _in_context(words: Sequence[str]) -> tuple[list[float], list[int]]:
    """Opinion of each word after negation and "zu", and the number of its clause."""
    scores, clauses, clause, begin = [], [], 0, 0
    for n, word in enumerate(words):
        if word in table("context", "contrast"):
            clause, begin = clause + 1, n
        score, before = opinion(word), words[max(begin, n - REACH) : n]
        if word in table("context", "verbs"):
            before = [*before, *takewhile(lambda w: not _END.fullmatch(w), words[n + 1 : n + REACH])]
        if before and before[-1] in table("context", "too") and (score or word in table("context", "too_all")):
            score = -MILD
        if score and any(w in table("context", "negator") for w in before):
            score *= NEGATED
        scores.append(score)
        clauses.append(clause)
        if _END.fullmatch(word):
            clause, begin = clause + 1, n + 1
    return scores, clauses
