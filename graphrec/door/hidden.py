"""What is in a text that nobody sees: it could steer whoever reads by machine, and goes.

Zero-width characters, marks of direction, tags and other controls (Boucher et al., Bad Characters, IEEE S&P 2022;
Boucher and Anderson, Trojan Source, USENIX Security 2023), runs of variation selectors, and of HTML comments, scripts,
styles and elements that are not shown. Joiners stay where a script may need them: between Latin letters nothing does.
"""

from __future__ import annotations

import re
from collections import Counter

CHARACTERS, MARKUP = "hidden characters", "hidden markup"  # as they are counted
UNSEEN = {CHARACTERS, MARKUP}
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]+"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
    "|(?<![^\x00-\u024f])[\u200c\u200d]+(?![^\x00-\u024f])"
)
_QUOTED = "(?:[^<>\"']|\"[^\"<>]{0,400}\"|'[^'<>]{0,400}'){0,400}?"  # of a tag, values as a whole
_OPENING = re.compile(
    r"<(?:(?P<silent>script|style|template|noscript)\b[^<>]{0,400}"
    rf"|(?P<named>[a-z][a-z0-9]{{0,15}})(?=\s)(?:{_QUOTED}\shidden(?=[\s=>/])|[^<>]{{0,400}}?"
    r"(?:\bclass\s{0,3}=\s{0,3}[\"']?hidden(?=[\s\"'>])|(?<![\w-])visibility\s{0,3}:\s{0,3}hidden"
    r"|(?<![\w-])display\s{0,3}:\s{0,3}none|font-size\s{0,3}:\s{0,3}0(?![\d.]*[1-9])))[^<>]{0,400})>",
    re.IGNORECASE,
)
NESTED = 100  # tags of one name within an element
_START, _END = "<!--", "-->"
_BEGUN = re.compile(r"<[^<>\s]{0,20}$")  # what would become markup with what follows


def shown(text: str, counts: Counter[str]) -> str:
    """The text as people see it; the same text where all of it is seen. ``counts`` is increased by what went."""
    if not text.isascii() or not text.isprintable():
        text, n = _UNSEEN.subn("", text)
        counts.update({CHARACTERS: n} if n else {})
    if "<" not in text:
        return text
    out, n = _without_elements(*_without_comments(text))
    counts.update({MARKUP: n} if n else {})
    return out


def as_seen(text: str) -> str:
    """``shown``, uncounted."""
    return shown(text, Counter())


def _without_comments(text: str) -> tuple[str, int]:
    parts, at, n = list[str](), 0, 0
    while (start := text.find(_START, at)) >= 0 and (end := text.find(_END, start + len(_START))) >= 0:
        parts.append(_apart(text[at:start]))
        at, n = end + len(_END), n + 1
    return "".join([*parts, text[at:]]), n


def _without_elements(text: str, n: int) -> tuple[str, int]:
    """The text without elements that are not shown, as far as they are closed, and how many things went in all."""
    parts, at, look = list[str](), 0, 0
    unclosed = set[str]()
    while (match := _OPENING.search(text, look)) is not None:
        name = (match["silent"] or match["named"]).lower()
        end = -1 if name in unclosed else _end_of(name, text, match.end())
        if end < 0:
            unclosed.add(name)
            look = match.end()
            continue
        parts.append(_apart(text[at : match.start()]))
        at = look = end
        n += 1
    return "".join([*parts, text[at:]]), n


def _end_of(name: str, text: str, start: int) -> int:
    """Where an element ends that is open at ``start``, with those of its name within it (``NESTED`` at most); where it
    is not closed as often as it is opened, after the first end, and -1 without one."""
    depth, first = 1, -1
    for n, tag in enumerate(re.compile(rf"<(/?){name}\b[^<>]{{0,400}}>", re.IGNORECASE).finditer(text, start)):
        depth += -1 if tag[1] else 1
        if not depth:
            return tag.end()
        first = tag.end() if tag[1] and first < 0 else first
        if n >= NESTED:
            break
    return first


def _apart(text: str) -> str:
    """What stands before something that goes, so that no new markup comes of it and what stands behind."""
    return f"{text} " if _BEGUN.search(text, max(0, len(text) - 21)) else text
