"""Review text as people typed it: a cleaned view of equal length for extraction, and sentences for quotes."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,300}>|&lt;[a-zA-Z/!][^<>&]{0,300}&gt;")
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]+|(?<![\w.-])[\w.-]{1,80}\.(?:com|net|org|co\.uk)\b(?:/[^\s<>\"]*)?", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_UNPRINTABLE = {
    "Cc",
    "Cf",
    "Cs",
    "Co",
    "Zl",
    "Zp",
}  # control, format (zero-width, bidi), surrogate, private, separators

_END = re.compile(
    r"[.!?…]+[\"')\]”’]*(?=\s|$|(?<=[a-z0-9][.!?])[A-Z])|[.!?…]*[。！？｡][.!?…。！？｡]*[\"')\]”’」』）】]*|\n+|<[bB][rR]\s*/?>"
)
_ABBREVIATION = re.compile(r"\b(?:[a-z]|mr|mrs|ms|dr|st|vs|approx|e\.g|i\.e)\.$", re.IGNORECASE)
_EDGE = " \t\r\n\f\v"
_MARKS = ".!?…。！？｡"  # what ends a sentence, in scripts that have spaces between words and those that have none
_GOES_ON = re.compile(r"\s+[a-z]")  # after a full stop or dots: the same sentence
_OPENING = "\"'“‘‹«([「『（¿¡ "
_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"), ("「", "」"), ("（", "）"))


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _decoded(match: re.Match[str]) -> str:
    """``&amp;`` → ``&`` and four spaces; what does not stand for one visible character becomes spaces."""
    found = match.group()
    char = html.unescape(found)
    if len(char) != 1 or char in "<>" or unicodedata.category(char) in _UNPRINTABLE:
        char = " "
    return char.ljust(len(found))


@lru_cache(maxsize=4096)
def _printable(char: str) -> str:
    return " " if char != "\n" and unicodedata.category(char) in _UNPRINTABLE else char


def clean(text: str) -> str:
    """The text without markup, for extraction only: ``len(clean(text)) == len(text)``, so spans hold in both.

    HTML tags, URLs, control characters, zero-width and direction marks become spaces, an HTML entity its character
    and spaces. Line breaks stay: they end sentences. Never raises.
    """
    out = _ENTITY.sub(_decoded, _URL.sub(_blank, _TAG.sub(_blank, text)))
    return out if out.isascii() and out.isprintable() else "".join(map(_printable, out))


def sentence_around(text: str, start: int, end: int, limit: int = 240) -> tuple[int, int]:
    """The sentence that holds ``text[start:end]``, as a span of the verbatim text without outer whitespace.

    A sentence longer than ``limit`` characters is cut at words to a window around the span; the span itself is always
    inside, however long it is.
    """
    low, high = max(0, start - limit), min(len(text), end + limit)
    left, right = low, high
    for match in _END.finditer(text, low, high):
        if _ABBREVIATION.search(text, low, match.end()):
            continue
        if match.end() <= start:
            left = match.end()
        elif match.start() >= end:
            right = match.end() if match.group()[0] in _MARKS else match.start()
            break
    if right - left > limit:
        spare = max(0, limit - (end - start))
        left, right = max(left, start - spare // 2), min(right, end + spare - spare // 2)
    left = _whole_word(text, left, start, step=1) if left > 0 else left
    right = _whole_word(text, right, end, step=-1) if right < len(text) else right
    while left < start and text[left] in _EDGE:
        left += 1
    while right > end and text[right - 1] in _EDGE:
        right -= 1
    return left, right


def whole_sentence(text: str, start: int, end: int, limit: int) -> tuple[int, int] | None:
    """The sentence that holds ``text[start:end]`` where it is whole, as a span without outer whitespace, else None.

    Whole: it begins where a text, line or sentence does, and not in the middle of a letter case; it ends with a mark;
    no quotation or bracket is left open, no markup or address stands in it; and it is at most ``limit`` characters.
    """
    low, high = max(0, start - limit - 1), min(len(text), end + limit + 1)
    left, right = (0 if low == 0 else -1), -1
    for match in _END.finditer(text, low, high):
        mark = match.group()[0] in _MARKS
        if match.end() == high < len(text) and mark:
            return None  # the mark may go on behind the window
        if mark and (_ABBREVIATION.search(text, low, match.end()) or _joins(text, match)):
            continue
        if match.end() <= start:
            left = match.end()
        elif match.start() >= end:
            right = match.end() if mark else -1
            break
        else:
            return None  # a span over two sentences
    if left < 0 or right < 0:
        return None
    while left < start and text[left].isspace():
        left += 1
    found = text[left:right]
    plain = _ENTITY.sub(_decoded, found)
    closed = found.count('"') % 2 == 0 and all(plain.count(a) == plain.count(b) for a, b in _PAIRS)
    begun = next((c for c in plain if c.isalnum() or c not in _OPENING), "-")
    fits = (
        len(found) <= limit
        and begun.isalnum()
        and not begun.islower()
        and not _TAG.search(found)
        and not _URL.search(found)
    )
    return (left, right) if fits and closed and plain.count('"') % 2 == 0 else None


def _joins(text: str, match: re.Match[str]) -> bool:
    """Whether a full stop or dots end no sentence: small letters follow."""
    return match.group()[0] in ".…" and _GOES_ON.match(text, match.end()) is not None


def _whole_word(text: str, cut: int, stop: int, step: int) -> int:
    """Move a cut that lies inside a word towards the span until it lies between words."""
    while cut != stop and text[cut - 1].isalnum() and text[cut].isalnum():
        cut += step
    return cut
