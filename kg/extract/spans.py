"""Named entities in one parsed text, and how far to the left an aspect goes from its noun."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from kg.polarity import opinion, phrases, words
from kg.types import Span

TYPES = {
    "PERSON": "person",
    "ORG": "organisation",
    "PRODUCT": "product",
    "GPE": "place",
    "LOC": "place",
    "FAC": "place",
    "WORK_OF_ART": "work",
    "EVENT": "event",
}
MEASURES = {"DATE", "TIME", "PERCENT", "MONEY", "QUANTITY", "ORDINAL", "CARDINAL"}
PROPER, PLURAL = {"NNP", "NNPS"}, {"NNS", "NNPS"}
NOUN = PROPER | PLURAL | {"NN"}
MAX_WORDS, MAX_LABEL = 4, 40
_TERM = re.compile(r"[^\W_]+(?:[-&+][^\W_]+|['’][^\W_]{3,})*")


def names(doc: Any) -> Iterator[Span]:
    """Named entities of the mapped types, without determiners, numbers and possessive endings at their edges."""
    for entity in doc.ents:
        if entity.label_ not in TYPES:
            continue
        tokens = list(entity)
        while tokens and (_is_edge(tokens[0]) or tokens[0].like_num):
            tokens.pop(0)
        while tokens and _is_edge(tokens[-1]):
            tokens.pop()
        if not tokens or len(tokens) > MAX_WORDS or not any(t.tag_ in PROPER for t in tokens):
            continue
        span = doc[_hyphenated(doc, tokens[0].i, -1) : _hyphenated(doc, tokens[-1].i, 1) + 1]
        text = span.text
        if 3 <= len(text) <= MAX_LABEL and _is_name(text) and not any(t.is_sent_start for t in tokens[1:]):
            yield Span(span.start_char, span.end_char, text, _type(span, TYPES[entity.label_]))


def _hyphenated(doc: Any, i: int, step: int) -> int:
    """Index of the outermost token, not in lower case, that hyphens without spaces join on: "Electro-Harmonix"."""
    while joins(doc, i + step):
        outer = doc[i + 2 * step]
        if outer.is_lower or not outer.text[:1].isalnum():
            break
        i += 2 * step
    return i


def _is_edge(token: Any) -> bool:
    """Not part of a name at its edge: function words, punctuation, "'s", lower-case words."""
    return bool(token.is_stop or token.is_punct or token.is_space or token.tag_ == "POS" or token.is_lower)


def _type(span: Any, found: str) -> str:
    """The entity's type, where grammar does not speak against it.

    What has a number in its name or is owned ("my Strat") is no person, place, work or event; what is named as a maker,
    stands before a model number or modifies a common noun ("Boss pedals") is a brand; what is never "in" or "from" is
    no place. Occurrences vote later (kg.link).
    """
    if found == "product":
        return found
    doc, root = span.doc, span.root
    before = doc[span.start - 1].lower_ if span.start else ""
    numbered = any(c.isdigit() for c in span.text) or (len(span) > 1 and _is_roman(span[-1].text))
    alone = root.dep_ not in {"compound", "nmod", "poss"}
    owned = before in words("noun", "owner") or (found == "person" and before == "the" and alone)
    if numbered or (owned and found != "organisation"):
        return "product"
    if found in {"work", "event"}:
        return found
    if _is_brand(span):
        return "brand"
    if found != "place":
        return found
    if before == "the" and span.start > 1:
        before = doc[span.start - 2].lower_
    return found if before in words("noun", "locative") or span.root.dep_ in {"appos", "conj"} else "organisation"


def _is_brand(span: Any) -> bool:
    """ "Boss pedals", "made by Boss", "Boss makes", "Boss DS-1"."""
    root, makes = span.root, words("noun", "makes")
    if root.dep_ in {"compound", "nmod"} and root.head.tag_ in NOUN - PROPER and root.head.i >= span.end:
        return True
    if root.dep_ == "pobj" and root.head.lower_ == "by":
        return root.head.head.lower_ in makes
    if root.dep_ == "nsubj" and root.head.lower_ in makes:
        return True
    after = span.doc[span.end] if span.end < len(span.doc) else None
    return after is not None and after.text[0].isupper() and any(map(str.isdigit, after.text)) and not after.ent_type_


def _is_name(text: str) -> bool:
    """Letters with a capital, no stray markup, no interjection, not two names in one."""
    if not any(c.isupper() for c in text) or sum(c.isalpha() for c in text) < 2:
        return False
    if text.lower() in words("noun", "interjection") | words("noun", "standard") or " and " in text:
        return False
    if _is_roman(text):
        return False
    return not any(c in '\n"<>()[]{};:!?*=_|~' for c in text) and "  " not in text and ".." not in text


def _is_roman(text: str) -> bool:
    return not set(text) - set("IVX")


def joins(doc: Any, i: int) -> bool:
    """Whether token i is a hyphen without spaces between two tokens."""
    within = 0 < i < len(doc) - 1 and doc[i].text == "-"
    return within and not doc[i - 1].whitespace_ and not doc[i].whitespace_


def after_hyphen(doc: Any, first: int, last: int) -> int:
    """``first``, or what follows a half word there: "equalizer" in "3-band equalizer"; beyond ``last`` for "band"."""
    while first <= last and joins(doc, first - 1):
        first += 1
    return first


@cache
def idioms() -> re.Pattern[str]:
    """Any of the phrases whose nouns name nothing."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases('idiom', 'phrases')))})\b", re.IGNORECASE)


def leftmost(head: Any) -> int:
    """Index of the first token that belongs to the aspect: nouns and telling adjectives joined to the head."""
    doc, first = head.doc, int(head.i)
    modifier = words("opinion", "modifier")
    edge, i = head.left_edge.i, head.i - 1
    while i >= edge and head.i - first + 1 < MAX_WORDS:
        token = doc[i]
        if i > edge and joins(doc, i):
            i -= 1
            token = doc[i]
        if not is_word(token) or token.ent_type_ in TYPES or token.ent_type_ in MEASURES:
            break
        noun = token.tag_ in NOUN and token.dep_ in {"compound", "nmod", "amod"}
        adjective = token.tag_ == "JJ" and token.dep_ in {"amod", "compound"}
        if not (noun or (adjective and token.lower_ not in modifier and not opinion(token.lower_))):
            break
        if not token.whitespace_ and doc[i + 1].text != "-":
            break
        first = i
        i -= 1
    return first


def is_word(token: Any) -> bool:
    """Letters, perhaps with digits, hyphens or apostrophes; no stop word, number or contraction ("I'm")."""
    text = token.text
    letters = sum(c.isalpha() for c in text)
    return letters >= 2 and not token.is_stop and not token.like_num and _TERM.fullmatch(text) is not None
