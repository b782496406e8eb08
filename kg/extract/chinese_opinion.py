"""What a Chinese clause says of a thing: opinion words by longest match, negation, "too", and adjectives of measure.

As ``kg.polarity`` for English: opinion words count within the thing's own clause. What follows a thing is said of it
("质量很好"), else what stands before it ("很喜欢这个颜色"). Whether "high" praises depends on what is high (``signs``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

STRONG, MILD = 1.0, 0.6
NEGATED = -0.7  # "不太好" is less bad than "差"
UNREAL = -0.5  # "如果更好" says that it is not
REACH = 6  # characters that a negation, or "too", reaches forward
END = re.compile(r"[，。！？；：,!?;:…~～\n\r\t （）()【】\[\]“”\"]+|\.(?!\d)")
SHORT = 8  # characters of a clause that only names its subject: "质量呢，很好"


@dataclass(frozen=True, slots=True)
class Opinion:
    """``text[start:end]`` judges: with ``score`` in [-1, 1], or as a measure of the thing, ``sign`` times its sign."""

    start: int
    end: int
    score: float
    measure: str = ""
    sign: float = 1.0


@cache
def table(section: str, name: str) -> frozenset[str]:
    """One list of kg/words_zh.toml."""
    return frozenset(_tables()[section][name].split())


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("kg").joinpath("words_zh.toml").read_text("utf-8"))


@cache
def _entries() -> dict[str, float]:
    levels = {"neutral": 0.0, "negative": -MILD, "positive": MILD, "strong_positive": STRONG}
    found: dict[str, float] = {}
    for name, score in levels.items():
        found |= dict.fromkeys(table("opinion", name), score)
    return found


@cache
def _pattern() -> re.Pattern[str]:
    known = {*_entries(), *table("opinion", "measured")}
    return re.compile("|".join(map(re.escape, sorted(known, key=lambda word: (-len(word), word)))))


@cache
def _any_of(name: str) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(table("context", name), key=len, reverse=True))))


@cache
def _signs() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    halves = ((adjective, said.partition("|")) for adjective, said in _tables()["signs"].items())
    return {a: (frozenset(good.split()), frozenset(bad.split())) for a, (good, _, bad) in halves}


def sign_of(measure: str, thing: str) -> float:
    """Whether an adjective of measure praises a thing, by its name or its end: 1, -1, or 0 where it does not say."""
    good, bad = _signs().get(measure, (frozenset(), frozenset()))
    for end in range(len(thing)):
        for names, sign in ((good, 1.0), (bad, -1.0)):
            if thing[end:] in names:
                return sign
    return 1.0 if "*" in good else -1.0 if "*" in bad else 0.0


def clauses(text: str) -> Iterator[tuple[int, int]]:
    """The clauses of a text, cut at punctuation and before words of contrast; none is empty."""
    at = 0
    for cut in [*END.finditer(text), None]:
        stop = cut.start() if cut else len(text)
        turns = [m.start() for m in _any_of("contrast").finditer(text, at, stop) if len(m.group()) > 1]
        for a, b in zip([at, *turns], [*turns, stop], strict=True):
            if text[a:b].strip():
                yield a, b
        at = cut.end() if cut else stop


def opinions(text: str, start: int, stop: int) -> list[Opinion]:
    """The opinions of one clause, in order."""
    found, gap = [], start  # what lies between two matches may negate the second
    for match in _pattern().finditer(text, start, stop):
        word, before = match.group(), text[max(gap, match.start() - REACH) : match.start()]
        gap = match.end()
        score = _entries().get(word, 0.0)
        measure = word if word in _signs() or (len(word) == 1 and word in table("opinion", "measured")) else ""
        if not score and not measure:
            continue
        flips = NEGATED if len(_any_of("negator").findall(before)) % 2 else 1.0
        if measure and _any_of("too").search(text, max(start, match.start() - 3), match.start()) and flips > 0:
            found.append(Opinion(match.start(), match.end(), -MILD))
        elif measure:
            found.append(Opinion(match.start(), match.end(), 0.0, measure, flips))
        else:
            unreal = score * flips > 0 and _any_of("unreal").search(text, start, match.start())
            found.append(Opinion(match.start(), match.end(), score * (UNREAL if unreal else flips)))
    return [o for o, following in pairwise([*found, None]) if not (o and _is_very(text, o, following)) and o]


def _is_very(text: str, said: Opinion, following: Opinion | None) -> bool:
    """Whether "好" only strengthens what follows: "好贵"."""
    return following is not None and text[said.start : said.end] == "好" and following.start == said.end


def score_of(said: Opinion, thing: str) -> float:
    """What an opinion says of a thing, in [-1, 1]."""
    return MILD * said.sign * sign_of(said.measure, thing) if said.measure else said.score


def polarities(text: str, spans: list[tuple[int, int]]) -> list[float]:
    """Polarity in [-1, 1] of each ``text[start:end]``, spans sorted and apart; 0 where its clause says nothing."""
    parts = list(clauses(text))
    said = [opinions(text, *part) for part in parts]
    out = []
    for start, end in spans:
        n = next((n for n, (a, b) in enumerate(parts) if a <= start < b), None)
        if n is None:
            out.append(0.0)
            continue
        thing = text[start:end]
        scored = [(o, score_of(o, thing)) for o in said[n] if all(o.end <= a or o.start >= b for a, b in spans)]
        scored = [(o, score) for o, score in scored if score]
        after = [score for o, score in scored if o.start >= end]
        before = [score for o, score in scored if o.end <= start]
        if not scored and parts[n][1] - parts[n][0] <= SHORT and n + 1 < len(parts):
            a, b = parts[n + 1]
            if not any(a <= s < b for s, _ in spans):
                after = [score for o in said[n + 1] if (score := score_of(o, thing))]
        out.append(round(after[0] if after else before[-1] if before else 0.0, 3))
    return out
