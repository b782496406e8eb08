"""Candidates for aspects in one parsed English text, with what stands around each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kg.extract.model import singular
from kg.extract.spans import (
    MAX_LABEL,
    MEASURES,
    NOUN,
    PLURAL,
    PROPER,
    after_hyphen,
    idioms,
    is_word,
    joins,
    leftmost,
)
from kg.extract.termhood import mask
from kg.polarity import in_context, opinion, words
from kg.types import Span

CLAUSE = ("acomp", "attr", "oprd", "advmod", "dobj", "xcomp", "prep", "conj")  # in which a verb judges its subject
ROLES = frozenset({"nsubj", "nsubjpass", "dobj", "attr", "ROOT", "appos", "compound", "poss", "npadvmod", "nmod"})
DETERMINERS = {
    "the": {"the"},
    "a": {"a", "an", "another"},
    "my": {"my", "our", "your", "his", "her", "ur"},
    "its": {"its", "their"},
    "this": {"this", "these", "that", "those"},
    "no": {"no"},
    "other": {"other"},
    "some": {"any", "some", "every", "each", "all", "many", "much", "few"},
}
PREPOSITIONS = {"in", "of", "for", "with", "on", "to", "from", "at", "by", "as", "about", "like", "than"}
NAMED = {
    "ORG": "organisation",
    "PERSON": "person",
    "GPE": "place",
    "PRODUCT": "product",
    "NORP": "people_of",
}
ME, IT = frozenset({"i", "we", "me", "us"}), frozenset({"it", "this", "these", "they", "that", "those"})
NOMINAL = ("ness", "ility", "icity", "ivity", "osity", "arity")  # of what was an adjective


def candidates(doc: Any) -> Iterator[Span]:
    """Noun phrases without determiners and opinions, "use" in "easy to use", and "quality" in "good quality strap"."""
    text, scores = doc.text, _scores(doc)  # a Doc joins its text anew whenever it is asked for
    sentences = _sentences(doc, scores)
    said = [m.span() for m in idioms().finditer(text)]
    for first, last, kind in _places(doc):
        head = doc[last]
        if any(start <= head.idx < end for start, end in said):
            continue
        start, end = doc[first].idx, head.idx + len(head)
        if not 3 <= end - start <= MAX_LABEL:
            continue
        single = singular(head.text) if head.tag_ in PLURAL else head.text
        names, by = _cues(doc, first, last, kind, single.lower(), scores, sentences[last])
        yield Span(start, end, text[start : head.idx] + single, "aspect", 0.0, mask(names), by)


def _scores(doc: Any) -> list[float]:
    """The opinion of each token in its context."""
    return in_context([t.lower_.replace("’", "'") if t.text.strip() else "\n" for t in doc])


def _places(doc: Any) -> Iterator[tuple[int, int, str]]:
    """First and last token, and the kind, of each candidate."""
    for token in doc:
        i, after = token.i, doc[token.i + 1] if token.i + 1 < len(doc) else None
        if token.tag_ in NOUN and token.ent_type_ not in MEASURES and is_word(token):
            inside = after is not None and after.tag_ in NOUN and token.dep_ in {"compound", "nmod", "amod"}
            if not (inside and token.head.i > i):
                first = after_hyphen(doc, leftmost(token), i)
                if first <= i and not (joins(doc, i + 1) and doc[i + 2].text[0].isalnum()):
                    yield first, i, "noun"
                continue
        if token.tag_ == "VB" and i > 1 and doc[i - 1].lower_ == "to" and doc[i - 2].lower_ in words("aspect", "easy"):
            yield i, i, "verb"
        elif token.lower_ in words("aspect", "inside") and _between(token, after):
            yield i, i, "facet_inside"


def _between(token: Any, after: Any) -> bool:
    """Whether it stands after an adjective and before a noun: "good quality strap"."""
    return bool(token.i and token.nbor(-1).tag_.startswith("JJ") and after is not None and after.tag_ in NOUN)


def _cues(
    doc: Any, first: int, last: int, kind: str, single: str, scores: Sequence[float], sentence: _Sentence
) -> tuple[set[str], str]:
    """What is seen around the candidate, and the opinion word that judges it or ""."""
    head = doc[last]
    base = _first_of(head)
    found = _role(base) | _within(doc, first, last, single, sentence) | {_determiner(doc, first, head)}
    if base.i != head.i:
        found.add("conj")
    if kind != "noun":
        found.add(kind)
    by = ""
    for token in doc[head.left_edge.i : last]:
        if (
            scores[token.i]
            and (token.i < first or token.dep_ != "compound")
            and token.tag_[:2] in {"JJ", "VB", "NN", "RB"}
        ):
            by = token.lower_
            found.add("judged")
    more, of_clause = _clause(base, scores)
    found |= more
    if any(t.dep_ in {"relcl", "acl"} for t in head.children):
        found.add("relative")
    found |= {f"{t.lower_}_what" for t in head.rights if t.lower_ in {"of", "for"}}
    if any(t.dep_ == "amod" and t.i < first for t in head.lefts):
        found.add("adjective")
    return found | _around(doc, first, last, sentence), by or of_clause


def _first_of(token: Any) -> Any:
    """The first of what is listed together."""
    for _ in range(4):
        if token.dep_ != "conj":
            break
        token = token.head
    return token


def _role(base: Any) -> set[str]:
    if base.dep_ == "pobj":
        before = base.head.lower_
        return {"pobj", before if before in PREPOSITIONS else "other_preposition"}
    return {base.dep_ if base.dep_ in ROLES else "other_role"}


def _determiner(doc: Any, first: int, head: Any) -> str:
    found = "bare"
    for token in doc[head.left_edge.i : first]:
        named = next((name for name, of in DETERMINERS.items() if token.lower_ in of), "")
        found = named or ("number" if token.like_num else found)
    return found


def _clause(base: Any, scores: Sequence[float]) -> tuple[set[str], str]:
    """What its verb says of it, and the opinion word there."""
    found, by, verb = set[str](), "", base.head
    if base.dep_ in {"nsubj", "nsubjpass"}:
        after = [t for t in verb.children if t.i > verb.i]
        judge = next((t for t in after if t.dep_ in CLAUSE and scores[t.i]), None)
        if judge is not None:
            found, by = {"predicate"}, judge.lower_
        elif scores[verb.i]:
            found = {"predicate"}
        elif any(t.dep_ == "acomp" for t in verb.children):
            found = {"described"}
        elif verb.lower_ in words("aspect", "seems"):
            found = {"is_said"}
    elif base.dep_ in {"dobj", "pobj"}:
        verb = verb if base.dep_ == "dobj" else verb.head
        subjects = [t.lower_ for t in verb.children if t.dep_ in {"nsubj", "nsubjpass"}]
        mine = not ME.isdisjoint(subjects)
        tests = {
            "liked": verb.lower_ in words("judge", "liking"),
            "bought": verb.lower_ in words("aspect", "acquire"),
            "by_me": mine,
            "by_it": not mine and not IT.isdisjoint(subjects),
            "has": verb.lower_ in words("aspect", "has") and not mine,
            "object_of_opinion": bool(scores[verb.i]),
        }
        found = {name for name, true in tests.items() if true}
    elif base.dep_ == "attr":
        subjects = [t for t in verb.children if t.dep_ == "nsubj"]
        if any(t.lower_ in IT for t in subjects):
            found = {"it_is"}
        elif subjects and subjects[0].tag_ in NOUN:
            found = {"noun_is"}
        elif any(t.dep_ == "expl" for t in verb.children):
            found = {"there_is"}
    return found, by


@dataclass(frozen=True)
class _Sentence:
    """What its words say together, found once."""

    start: int
    opinions: tuple[int, ...]
    shouted: bool
    cues: frozenset[str]


def _sentences(doc: Any, scores: Sequence[float]) -> list[_Sentence]:
    """Of each token."""
    out = list[_Sentence]()
    for sent in doc.sents:
        tokens, text = list(sent), sent.text
        tests = {
            "me_here": any(t.lower_ in ME for t in tokens),
            "past": any(t.tag_ == "VBD" for t in tokens),
            "question": "?" in text,
            "short" if len(tokens) <= 6 else "medium" if len(tokens) <= 15 else "long": True,
            f"nouns{min(sum(t.tag_ in NOUN for t in tokens), 4)}": True,
        }
        cues = frozenset(name for name, true in tests.items() if true)
        opinions = tuple(t.i for t in tokens if scores[t.i])
        out += [_Sentence(sent.start, opinions, text.isupper(), cues)] * len(tokens)
    return out


def _around(doc: Any, first: int, last: int, sentence: _Sentence) -> set[str]:
    """What else is in its sentence."""
    head = doc[last]
    far = min((first - i if i < first else i - last for i in sentence.opinions if not first <= i <= last), default=-1)
    near = "no_opinion" if far < 0 else "near1" if far <= 1 else "near3" if far <= 3 else "near6" if far <= 6 else "far"
    around = {doc[first - 1].text if first else "", doc[last + 1].text if last + 1 < len(doc) else ""}
    tests = {
        "start": last == sentence.start,
        "negated": any(t.dep_ == "neg" for t in head.head.children),
        "listed": not around.isdisjoint({",", "and", "&", "/"}),
    }
    return {near, *sentence.cues, *(name for name, true in tests.items() if true)}


def _within(doc: Any, first: int, last: int, single: str, sentence: _Sentence) -> set[str]:
    """What the candidate itself is."""
    head, span = doc[last], doc[first : last + 1]
    facet, empty, alone = words("aspect", "facet"), words("noun", "empty"), first == last
    capital = any(t.text[0].isupper() for t in span) and first != sentence.start and not sentence.shouted
    tests = {
        "propn": head.tag_ in PROPER,
        "capital": capital,
        "plural": head.tag_ in PLURAL,
        "digit": any(c.isdigit() for c in span.text),
        "adjective_inside": doc[first].tag_ == "JJ",
        "nominal": head.lower_.endswith(NOMINAL),
        "facet": alone and not facet.isdisjoint({single, head.lower_}),
        "facet_head": not alone and not facet.isdisjoint({single, head.lower_}),
        "empty": alone and not (empty | words("noun", "interjection")).isdisjoint({single, head.lower_}),
        "empty_head": not alone and single in empty,
        "is_opinion": alone and bool(opinion(head.lower_)),
    }
    kind = head.ent_type_
    if kind:
        tests[NAMED.get(kind, "other_name")] = True
    return {f"words{min(last - first + 1, 3)}", *(name for name, true in tests.items() if true)}
