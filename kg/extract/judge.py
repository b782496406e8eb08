"""Which aspects a review judges, and how: an opinion that belongs to the aspect, not only stands in its clause."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from kg.polarity import opinion, polarities, words
from kg.text import clean
from kg.types import Mention

REACH = 4.0  # words between an aspect and what is held to be said of it
SURE = 0.5  # of a polarity in [-1, 1]
BACK, ON = 60, 60  # characters before and after an aspect that are looked at
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PREDICATE = re.compile(
    r"\s*(?:(?:itself|alone|also|really|just|all|on (?:it|this|these))\s+){0,2}"
    r"(?:is|are|was|were|'s|isn't|aren't|wasn't|weren't|seems?|seemed|sounds?|sounded|looks?|looked|feels?|felt|works?|"
    r"worked|could|would|stays?|holds?|has been|have been|broke|breaks|sucks?|rocks?)\b",
    re.IGNORECASE,
)
_WANTED = re.compile(  # of any such thing, not of this one
    r"\b(?:need|needs|needed|want|wants|wanted|use|using|looking for|spend|spent|buy|buying|if|\w+ing)\b"
    r"(?:\s+(?:on|for|with|it))?\s+(?:a|an|any|some)\s+(?:[\w-]+\s+){0,3}$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"['’]s\s+(\w+)")
_OWNED = re.compile(r"\b(?:my|our|your|his|her|their|another|other)\s+(?:[\w-]+\s+){0,2}$", re.IGNORECASE)


def judgements(aspects: Sequence[Mention], texts: Mapping[str, str]) -> dict[tuple[str, int, int], float]:
    """(review_id, start, end) of each judged aspect → its polarity in [-1, 1], not 0.

    An aspect is judged by an adjective before it ("great tone"), by a verb of liking ("love the tone") or by what it is
    said to be ("the tone is great"); not by "great for the tone", nor where it is somebody's own ("my tone"), or any
    such thing ("I needed a good tone"). Where no opinion is near ("the wait was long"), the
    polarity of the mention counts if it is sure, as the corpus settled it.
    """
    places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    meant = {(m.review_id, m.start, m.end): m.polarity for m in aspects}
    for m in aspects:
        places[m.review_id].append((m.start, m.end))
    out = {}
    for review_id, spans in places.items():
        text = clean(texts[review_id])
        judged = [span for span in spans if _is_judged(text, *span)]
        for (start, end), rules in zip(judged, polarities(text, judged, REACH), strict=True):
            settled = meant[review_id, start, end]
            if polarity := rules or (settled if abs(settled) >= SURE else 0.0):
                out[review_id, start, end] = polarity
    return out


def _of_another(after: str) -> bool:
    """Whether the aspect owns what is spoken of: "a great beginner's instrument", not "the tone's great"."""
    owned = _POSSESSIVE.match(after)
    if owned is None:
        return False
    word = owned[1].lower()
    context = (words("context", name) for name in ("negator", "intensifier", "downtoner"))
    return not (opinion(word) or word in {"a", "the"} or any(word in some for some in context))


def _is_judged(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - BACK) : start]
    if _OWNED.search(before) or _WANTED.search(before) or _of_another(text[end : end + ON]):
        return False
    if _PREDICATE.match(text, end, end + ON):
        return True
    clause = re.split(r"[.!?;:,()\n]", before)[-1]
    found = [m.group().lower() for m in _WORD.finditer(clause)][-int(REACH) :]
    for word in reversed(found):
        if word in words("judge", "stop"):
            return False
        if opinion(word) or word in words("judge", "liking"):
            return True
    return False
