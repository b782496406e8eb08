"""Words that take a role by their place in the sentence: colours and materials said of a thing, and what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kg.extract.model import singular
from kg.extract.spans import MAX_LABEL, NOUN, PLURAL, is_word, leftmost
from kg.polarity import opinion, words
from kg.types import Span

MADE = {"of", "from", "in", "with"}
MAX_OBJECT = 2  # words after a verb that belong to a use: "recording vocals"


def roles(doc: Any) -> Iterator[Span]:
    """Attributes and uses, apart from each other."""
    for token in doc:
        if not is_word(token):
            continue
        if _is_attribute(token):
            yield Span(token.idx, token.idx + len(token), token.text, "attribute")
        elif token.tag_ == "VBG" and _is_activity(token):
            last = _object(token)
            span = doc[token.i : last + 1]
            if len(span.text) <= MAX_LABEL:
                yield Span(span.start_char, span.end_char, span.text, "use")
        elif token.tag_ in NOUN and _is_purpose(token):
            span = doc[leftmost(token) : token.i + 1]
            if len(span.text) <= MAX_LABEL:
                base = singular(token.text) if token.tag_ in PLURAL else token.text
                label = span.text[: token.idx - span.start_char] + base
                yield Span(span.start_char, span.end_char, label, "use")


def _is_attribute(token: Any) -> bool:
    """A colour or material said of something: "it is black", "in red", "made of brass", "the plastic".

    In "black pick" and "leather strap" it belongs to the aspect.
    """
    if token.lower_ not in words("attribute", "colour") | words("attribute", "material") or token.ent_type_:
        return False
    if token.dep_ in {"acomp", "attr", "oprd"}:
        return True
    role = token.dep_ in {"nsubj", "dobj", "conj"} or (token.dep_ == "pobj" and token.head.lower_ in MADE)
    return bool(role and token.tag_ in NOUN and leftmost(token) == token.i)


def _is_activity(token: Any) -> bool:
    """A gerund that says what something is for or when it is used: "great for recording", "when playing live"."""
    if token.lower_ in words("use", "vague") or not token.is_lower or opinion(token.lower_):
        return False
    if token.dep_ == "pcomp":
        return token.head.lower_ == "for" and _fits(token.head)
    if token.dep_ == "advcl":
        return any(t.lower_ in {"when", "while"} and t.i < token.i for t in token.lefts)
    return False


def _is_purpose(token: Any) -> bool:
    """A bare noun after "great for", "use it for" and the like; a feast or a present anywhere."""
    if token.lower_ in words("use", "occasion"):
        return bool(token.dep_ != "compound")
    if token.dep_ != "pobj" or token.head.lower_ != "for" or token.ent_type_ or not token.is_lower:
        return False
    bare = not any(t.tag_ in {"DT", "PRP$", "CD", "WDT", "POS", "PRP"} for t in token.lefts)
    plain = singular(token.text) if token.tag_ in PLURAL else token.lower_
    return bare and plain not in words("noun", "empty") and _fits(token.head)


def _fits(preposition: Any) -> bool:
    """Whether what "for" belongs to is praise or a way of using or buying: "perfect for", "use this for"."""
    word = preposition.head.lower_
    return opinion(word) > 0 or word in words("use", "fit")


def _object(verb: Any) -> int:
    """Index of the last word of the verb's bare object, or of the verb."""
    doc = verb.doc
    for token in doc[verb.i + 1 : verb.i + 1 + MAX_OBJECT]:
        if token.tag_ not in NOUN or not is_word(token) or token.ent_type_:
            break
        if token.dep_ == "dobj" and token.head.i == verb.i:
            return int(token.i)
    return int(verb.i)
