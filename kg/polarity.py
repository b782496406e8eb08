"""Polarity of a mention from the clause around it: opinion words, negation, contrast, intensifiers.

A rule-based scorer in the manner of SO-CAL (Taboada et al., 2011) and VADER (Hutto and Gilbert, 2014), but per mention:
opinion words count within the mention's own clause, the nearer the more.
"""

from __future__ import annotations

import math
import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

STRONG, MILD = 1.0, 0.6
NEGATED = -0.7  # "not great" is less bad than "bad"
INTENSIFIED, TONED_DOWN = 1.3, 0.7
NEGATION_WINDOW = 4  # words a negator reaches forward, within its clause
LONGEST_STEM = 20  # letters
FARTHEST = 100  # words; no clause that a person wrote is longer, and time stays linear in the text
ACROSS = 3.0  # extra distance for crossing a comma or a coordination

_TOKEN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+|[.!?;:,()\n]")
CANNOT = frozenset({"can't", "cant", "cannot", "couldn't", "couldnt"})
_BREAK = frozenset(".!?;:\n()")
_PAUSE = frozenset({",", "and", "or", "plus"})


@cache
def words(section: str, name: str) -> frozenset[str]:
    """One list of kg/words.toml."""
    return frozenset(_tables()[section][name].split())


@cache
def phrases(section: str, name: str) -> tuple[str, ...]:
    """One list of kg/words.toml whose entries are separated by lines and bars."""
    return tuple(_tables()[section][name].strip().replace("\n", "|").split("|"))


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("kg").joinpath("words.toml").read_text("utf-8"))


@cache
def _scores() -> dict[str, float]:
    levels = {"strong_positive": STRONG, "positive": MILD, "negative": -MILD, "strong_negative": -STRONG}
    return {word: score for name, score in levels.items() for word in words("opinion", name)}


@lru_cache(maxsize=65536)
def opinion(word: str) -> float:
    """The opinion a lower-case word carries by itself, in [-1, 1]; 0 for most. "well-made" falls back to "made"."""
    scores = _scores()
    if word in scores:
        return scores[word]
    for length in range(min(len(word), LONGEST_STEM), 3, -1):
        if (stem := word[:length] + "*") in scores:
            return scores[stem]
    return opinion(word.rpartition("-")[2]) if "-" in word else 0.0


@dataclass(frozen=True)
class Words:
    """A text word by word: where each starts, itself in lower case, its clause by number, its place, its opinion."""

    starts: list[int]
    tokens: list[str]
    clause: list[int]
    place: list[float]
    scores: list[float]

    def inside(self, start: int, end: int) -> tuple[int, int]:
        """First and last word of ``text[start:end]``."""
        first = max(0, bisect_right(self.starts, start) - 1)
        return first, max(first, bisect_left(self.starts, end) - 1)


@lru_cache(maxsize=1 << 12)  # one sentence is asked about several times, and read again by every fold
def words_of(text: str) -> Words:
    """Words and marks, with their opinions in context."""
    found = list(_TOKEN.finditer(text))
    tokens = _literal([m.group().lower().replace("’", "'") for m in found])
    clause, place = _layout(tokens)
    return Words([m.start() for m in found], tokens, clause, place, _in_context(tokens, clause))


def polarities(text: str, spans: Sequence[tuple[int, int]], reach: float = math.inf) -> list[float]:
    """Polarity in [-1, 1] of each ``text[start:end]``; 0 where its clause holds no opinion within ``reach`` words.

    polarity = Σ_w s_w / d_w  /  Σ_w 1 / d_w over the opinion words w of the clause outside the span, with s_w the
    word's opinion in its context and d_w its distance in words.
    """
    if not spans:
        return []
    read = words_of(text)
    tokens, clause, place = read.tokens, read.clause, read.place
    scored = [(i, s) for i, s in enumerate(read.scores) if s]
    at = [i for i, _ in scored]

    out = []
    for start, end in spans:
        first, last = read.inside(start, end)
        total = weight = 0.0
        low = bisect_left(at, max(first - FARTHEST, bisect_left(clause, clause[first]))) if tokens else 0
        high = bisect_left(at, min(last + FARTHEST, bisect_right(clause, clause[last]))) if tokens else 0
        for i, score in scored[low:high]:
            if first <= i <= last:
                continue
            distance = place[first] - place[i] if i < first else place[i] - place[last]
            if distance > reach:
                continue
            total += score / distance
            weight += 1 / distance
        out.append(round(max(-1.0, min(1.0, total / weight)), 3) if weight else 0.0)
    return out


def in_context(tokens: Sequence[str]) -> list[float]:
    """The opinion that each lower-case token carries where it stands, in [-1, 1]."""
    literal = _literal(tokens)
    return _in_context(literal, _layout(literal)[0])


def _literal(tokens: Sequence[str]) -> list[str]:
    """Without the negations that affirm: "without a doubt", "no excuse for such a mess"."""
    denied = {"doubt", "question", "excuse", "wonder"}
    sure = (t in {"no", "without"} and denied & set(tokens[i + 1 : i + 3]) for i, t in enumerate(tokens))
    return ["indeed" if s else t for s, t in zip(sure, tokens, strict=True)]


def _layout(tokens: Sequence[str]) -> tuple[list[int], list[float]]:
    """Clause number and place of each token; both never fall. Contrast words and sentence ends open a new clause."""
    contrast = words("context", "contrast")
    clauses, places = [], []
    clause, place = 0, 0.0
    for token in tokens:
        if token in contrast:
            clause += 1
        place += ACROSS if token in _PAUSE else 1.0
        clauses.append(clause)
        places.append(place)
        if token in _BREAK:
            clause += 1
    return clauses, places


def _in_context(tokens: Sequence[str], clause: Sequence[int]) -> list[float]:
    """Opinion of each token after negation, intensifiers, wishes and "too"."""
    negator, intensifier = words("context", "negator"), words("context", "intensifier")
    downtoner, unreal, not_too = (words("context", name) for name in ("downtoner", "unreal", "not_too"))
    out = []
    for i, token in enumerate(tokens):
        score = opinion(token)
        before = tokens[i - 1] if i and clause[i - 1] == clause[i] else ""
        if token in {"like", "hard"}:  # opinions only as in "I like", "really like" and "hard to"
            liking = before in {"i", "we", "really", "also", "don't", "didn't", "do", "would"}
            toil = tokens[i + 1 : i + 2] == ["to"]
            score = MILD if token == "like" and liking else -MILD if token == "hard" and toil else 0.0
        following = tokens[i + 1] if i + 1 < len(tokens) and clause[i + 1] == clause[i] else ""
        if token in intensifier and following[:1].isalpha():
            score = 0.0  # "incredibly rude"
        elif token == "average" and before == "above":
            score = MILD
        if before == "too" and token[0].isalpha() and token not in not_too:
            score = -MILD
        elif not score:
            out.append(0.0)
            continue
        elif before in intensifier:
            score *= INTENSIFIED
        elif before in downtoner:
            score *= TONED_DOWN
        window = _window(tokens, clause, i)
        negations = sum(
            (w in negator or w.endswith("n't")) and after not in {"only", "just", "merely"}
            for w, after in pairwise((*window, token))
        )
        if score > 0 and token.endswith("er") and not CANNOT.isdisjoint(window):
            score = STRONG  # "couldn't be happier"
        elif negations % 2 and token not in negator:
            score *= NEGATED
        elif score > 0 and not token.startswith("recommend") and any(w in unreal for w in window):
            score *= -0.5  # "could be better", but not "I would recommend"
        out.append(max(-1.0, min(1.0, score)))
    return out


def _window(tokens: Sequence[str], clause: Sequence[int], i: int) -> list[str]:
    """The words before token i whose negation reaches it; "don't think …" reaches to its clause's end."""
    begin = bisect_left(clause, clause[i])
    near = max(begin, i - NEGATION_WINDOW)
    for j in range(max(begin + 1, i - FARTHEST), i):
        if tokens[j] in {"think", "believe", "feel", "say", "find"} and tokens[j - 1].endswith(("n't", "not", "never")):
            return list(tokens[j - 1 : i])
    window = list(tokens[near:i])
    return window[len(window) - window[::-1].index(",") :] if "," in window else window
