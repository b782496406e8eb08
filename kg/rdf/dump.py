"""Dumps of other knowledge graphs (DBpedia, Wikidata, …) as external triples, linked to items by their labels.

A dump is read as a stream, three times: for the labels that items' titles name, for the triples of the entities found,
and for the names of what these lead to. So memory goes with the catalogue, not with the dump.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from pyoxigraph import Literal, NamedNode

from kg.names import fold
from kg.rdf.parse import statements
from kg.types import ExternalTriples, Link

LINKED = 0.5  # the least confidence of a link that is used
_NAMES = (
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://xmlns.com/foaf/0.1/name",
    "http://schema.org/name",
    "https://schema.org/name",
)
_LABELS = frozenset(NamedNode(n) for n in _NAMES)
_NOT_RELATIONS = frozenset(
    (
        "sameAs",
        "isPrimaryTopicOf",
        "primaryTopic",
        "wasDerivedFrom",
        "depiction",
        "thumbnail",
        "wikiPageExternalLink",
        "wikiPageRedirects",
        "wikiPageDisambiguates",
        "wikiPageWikiLink",
    )
)  # bookkeeping of the dumps, not knowledge
_QUALIFIER = re.compile(r"\s*\(([^()]*)\)\s*$")
_ARTICLE = re.compile(r"^(.*), (the|a|an|le|la|les|der|die|das|el|il)$", re.IGNORECASE)
_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WIKIDATA_PROPERTY = "http://www.wikidata.org/prop/direct/"

Name: TypeAlias = tuple[str, str, str]  # key without qualifiers, year in them or "", other words in them or ""
OnFault: TypeAlias = Callable[[Path, int, str], None]


def _unsaid(path: Path, line: int, reason: str) -> None:
    """For all readings but the first: the fault is known."""


def read_dumps(
    paths: Sequence[Path], titles: Mapping[str, str], chosen: Mapping[str, str], on_fault: OnFault
) -> ExternalTriples:
    """The triples around the entities that items are linked to, with names for people.

    Args:
        paths: files in one of kg.rdf.files.FORMATS, also packed with gzip.
        titles: item id → title.
        chosen: item id → entity, or "" for none: choices by hand, which come before any found by label.
        on_fault: is told file, line and reason of everything that cannot be read.

    Triples with a literal or a blank node are left out. Raises KGError where a file cannot be opened.
    """
    links = [k for k in link(titles, _texts(paths, on_fault, addresses=True)) if k.item_id not in chosen]
    links += [Link(i, titles.get(i, ""), e, _local(e), 1.0) for i, e in sorted(chosen.items()) if e and i in titles]
    linked = {k.item_id: k.entity for k in links if k.confidence >= LINKED}
    wanted = set(linked.values())

    triples: set[tuple[str, str, str]] = set()
    for head, relation, tail in _iris(paths):
        if (head in wanted or tail in wanted) and head != tail and _local(relation) not in _NOT_RELATIONS:
            triples.add((head, relation, tail))
    named = {part for triple in triples for part in triple} | wanted
    named |= {_label_of_relation(r) for _, r, _ in triples}
    labels = {node: text for node, text in _texts(paths) if node in named}
    for part in named - labels.keys():
        labels[part] = _local(part).replace("_", " ")
    for relation in {r for _, r, _ in triples}:
        text = labels.get(_label_of_relation(relation)) or labels[relation]
        labels[relation] = _CAMEL.sub(" ", text).lower() if text == _local(relation) else text
    links = [replace(k, label=labels.get(k.entity, k.label)) for k in links]
    kept = {part for triple in triples for part in triple} | wanted
    return ExternalTriples(
        tuple(sorted(triples)),
        dict(sorted(linked.items())),
        {node: labels[node] for node in sorted(kept) if node in labels},
        tuple(sorted(links, key=lambda k: k.item_id)),
    )


def name(text: str) -> Name:
    """A title or label as a key: "Phantom, The (1996)" is ("thephantom", "1996", ""), as is "The Phantom (1996)"."""
    qualifiers = []
    while (found := _QUALIFIER.search(text)) and found.start() > 0:
        qualifiers.append(found[1])
        text = text[: found.start()]
    text = _ARTICLE.sub(r"\2 \1", text.strip())
    inside = " ".join(reversed(qualifiers))
    year = _YEAR.search(inside)
    return fold(text), year[0] if year else "", fold(_YEAR.sub("", inside))


def link(titles: Mapping[str, str], labels: Iterable[tuple[str, str]]) -> list[Link]:
    """The best entity for each item whose title is a label, up to qualifiers in brackets.

    Args:
        titles: item id → title. labels: (entity, label), several for an entity where it has several names.

    Confidence 1 where title and label say the same year or are the same text, less where only one has a year or other
    qualifier, little where the years differ; divided by the number of entities that fit equally well.
    """
    by_key: defaultdict[str, dict[str, tuple[str, Name]]] = defaultdict(dict)
    known = {item: name(title) for item, title in titles.items() if title}
    keys = {key for key, _, _ in known.values() if key}
    for entity, label in labels:
        parts = name(label)
        if parts[0] in keys:
            before = by_key[parts[0]].get(entity)
            if before is None or (len(label), label) > (len(before[0]), before[0]):  # the most qualified name
                by_key[parts[0]][entity] = label, parts
    out = []
    for item, mine in known.items():
        scored = sorted(
            (-_likeness(mine, theirs), entity, label) for entity, (label, theirs) in by_key.get(mine[0], {}).items()
        )
        if scored:
            best, entity, label = scored[0]
            equal = sum(score == best for score, _, _ in scored)
            out.append(Link(item, titles[item], entity, label, round(-best / equal, 4), equal))
    return out


def _likeness(mine: Name, theirs: Name) -> float:
    if mine[1] and theirs[1]:
        return 1.0 if mine[1] == theirs[1] else 0.2
    if mine[1:] == theirs[1:]:
        return 1.0
    return 0.8 if not theirs[1] and not theirs[2] else 0.7


def _texts(paths: Sequence[Path], on_fault: OnFault = _unsaid, addresses: bool = False) -> Iterator[tuple[str, str]]:
    """(IRI, label) for English labels and those without a language; with ``addresses`` also what each IRI ends in."""
    for path in paths:
        last = ""
        for s in statements(path, partial(on_fault, path)):
            if not isinstance(s.subject, NamedNode):
                continue
            if s.predicate in _LABELS and isinstance(s.object, Literal):
                if (s.object.language or "en").partition("-")[0] == "en":
                    yield s.subject.value, s.object.value
            elif addresses and s.subject.value != last:
                last = s.subject.value
                yield last, _local(last).replace("_", " ")


def _iris(paths: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    for path in paths:
        for s in statements(path, partial(_unsaid, path)):
            if isinstance(s.subject, NamedNode) and isinstance(s.object, NamedNode):
                yield s.subject.value, s.predicate.value, s.object.value


def _local(iri: str) -> str:
    """What stands behind the last # or /."""
    return unquote(iri.rstrip("/#").rpartition("#")[2].rpartition("/")[2]) or iri


def _label_of_relation(relation: str) -> str:
    """Wikidata names the property wdt:P57 at wd:P57."""
    return relation.replace(_WIKIDATA_PROPERTY, "http://www.wikidata.org/entity/")
