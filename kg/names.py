"""Names as keys: slugs, merge keys, and phrases found in text."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias, TypeVar
from urllib.parse import quote

_APOSTROPHE = re.compile(r"['’‘`´\"]")
_SEPARATOR = re.compile(r"(?<=\d)([.,/])(?=\d)|(?:[^\w+#]|_)+")
_JOINT = re.compile(r"(?<!\d)-|-(?!\d)")
_WORD = re.compile(r"[^\W_]+")
_GAP = re.compile(r"\s{1,2}|\s?[-–&/+'’]\s{0,6}|\.")
T = TypeVar("T")


@lru_cache(maxsize=1 << 17)
def slug(label: str) -> str:
    """Lower case, words joined by hyphens: "Guitar Strap" → "guitar-strap", "D'Addario" → "daddario"; may be empty."""
    text = _APOSTROPHE.sub("", unicodedata.normalize("NFKC", html.unescape(label)).casefold())
    return _SEPARATOR.sub(lambda m: m.group(1) or "-", text).strip("-")


@lru_cache(maxsize=1 << 17)
def fold(label: str) -> str:
    """The key under which surface forms are one: "Low-End" = "low end" = "lowend", but "10-46" ≠ "1046"."""
    return _JOINT.sub("", slug(label))


def attribute_type(key: str) -> str:
    """The entity type of a metadata key; ``item`` and ``user`` are taken."""
    return f"{key}_attribute" if key in {"item", "user"} else key


def attribute_id(key: str, value: str) -> str:
    """The entity of a metadata value: ("brand", "Fender") → "brand:fender"."""
    return f"{attribute_type(key)}:{slug(value) or quote(value, safe='', errors='replace')}"


def most_frequent(values: Iterable[T]) -> T:
    """The most frequent value; the first in sorted order among equals."""
    return min(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))[0]


Word: TypeAlias = tuple[int, int, str]  # start, end, case-folded


def split(text: str) -> list[Word]:
    """The words of a text with their places, without punctuation: "D'Addario" is two."""
    folded = text.casefold()
    if len(folded) == len(text):
        return [(*m.span(), m.group()) for m in _WORD.finditer(folded)]
    return [(*m.span(), m.group().casefold()) for m in _WORD.finditer(text)]


class Phrases:
    """Exact case-insensitive phrases, longest first, over any white space, hyphen or apostrophe between their words.

    Args:
        names: phrase → what it stands for.
    """

    def __init__(self, names: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        self._by_first: dict[str, dict[tuple[str, ...], str]] = {}
        for name, target in names.items() if isinstance(names, Mapping) else names:
            first, *rest = [folded for _, _, folded in split(name)] or [""]
            if first:
                self._by_first.setdefault(first, {}).setdefault(tuple(rest), target)
        self._lengths = {
            first: sorted({len(rest) for rest in tails}, reverse=True) for first, tails in self._by_first.items()
        }

    def find(self, text: str, words: list[Word]) -> Iterator[tuple[int, int, str]]:
        """Non-overlapping matches in ``text``, whose words are given: start, end, what the phrase stands for."""
        i = 0
        while i < len(words):
            for length in self._lengths.get(words[i][2], ()):
                run = words[i : i + 1 + length]
                target = self._by_first[words[i][2]].get(tuple(folded for _, _, folded in run[1:]))
                if target is not None and all(_GAP.fullmatch(text, a[1], b[0]) for a, b in pairwise(run)):
                    yield run[0][0], run[-1][1], target
                    i += length
                    break
            i += 1
