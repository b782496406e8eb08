"""A knowledge graph as N-Quads and back, without loss.

One named graph per kind of source (``urn:graphrec:graph:review``, ``:metadata``, ``:external``) holds the plain
triples, so that SPARQL reads naturally. The default graph describes them::

    <entity>    a <type>; skos:prefLabel "Fender"
    <relation>  a rdf:Property; rdfs:label "starred by"
    <review>    schema:reviewBody "verbatim text"
    <mention>   kg:entity <entity>; prov:wasQuotedFrom <review#char=12,18>; rdfs:label "fender"; kg:polarity 0.6
    <statement> a rdf:Statement; rdf:subject …; rdf:predicate …; rdf:object …; kg:count 2.0; kg:polarity 0.4;
                prov:wasDerivedFrom <review#char=12,18>, …

Character spans are fragments after RFC 5147. An id becomes ``urn:graphrec:entity:<percent-encoded id>``, except that an
external id that is an http(s) IRI stays what it is. A triple from metadata or outside with nothing special about it has
no statement node: its named graph is its provenance.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, parse, serialize

from kg.errors import KGError
from kg.graph import ENTITY_COLUMNS, MENTION_COLUMNS, PROVENANCE_COLUMNS, KnowledgeGraph, table

PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "prov": "http://www.w3.org/ns/prov#",
    "schema": "https://schema.org/",
    "kg": "urn:graphrec:",
    "entity": "urn:graphrec:entity:",
    "rel": "urn:graphrec:relation:",
    "type": "urn:graphrec:type:",
    "graph": "urn:graphrec:graph:",
}
_SCHEMA_TYPES = {
    "item": "Product",
    "product": "ProductModel",
    "brand": "Brand",
    "person": "Person",
    "organisation": "Organization",
    "place": "Place",
    "work": "CreativeWork",
    "event": "Event",
}
_WEB_IRI = re.compile(r"https?://(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
_SOURCES = ("review", "metadata", "external")
_DEFAULT = DefaultGraph()


def _node(curie: str) -> NamedNode:
    prefix, _, name = curie.partition(":")
    return NamedNode(PREFIXES[prefix] + name)


A, SUBJECT, PREDICATE, OBJECT = (_node(f"rdf:{n}") for n in ("type", "subject", "predicate", "object"))
STATEMENT, PROPERTY = _node("rdf:Statement"), _node("rdf:Property")
PREF_LABEL, LABEL, BODY = _node("skos:prefLabel"), _node("rdfs:label"), _node("schema:reviewBody")
QUOTED, DERIVED = _node("prov:wasQuotedFrom"), _node("prov:wasDerivedFrom")
ENTITY, COUNT, POLARITY = _node("kg:entity"), _node("kg:count"), _node("kg:polarity")
FLOAT = _node("xsd:float")
GRAPHS = {source: _node(f"graph:{source}") for source in _SOURCES}


def iri(id_: str, prefix: str = "entity") -> str:
    """The IRI of an entity id (or of a relation, with prefix "rel")."""
    if _WEB_IRI.fullmatch(id_):
        try:
            return NamedNode(id_).value
        except ValueError:  # such as a port that is no number
            pass
    return PREFIXES[prefix] + quote(id_, safe=":", errors="surrogatepass")


def id_of(iri_: str, prefix: str = "entity") -> str:
    """The inverse of ``iri``."""
    base = PREFIXES[prefix]
    return unquote(iri_[len(base) :], errors="surrogatepass") if iri_.startswith(base) else iri_


def _span(review_id: str, start: int, end: int) -> NamedNode:
    return NamedNode(f"urn:graphrec:review:{quote(review_id, safe='')}#char={start},{end}")


def _type_iri(type_: str) -> str:
    known = _SCHEMA_TYPES.get(type_)
    return PREFIXES["schema"] + known if known else PREFIXES["type"] + quote(type_, safe="")


def _float(value: Any) -> Literal:
    return Literal(str(np.float32(value)), datatype=FLOAT)


def quads(graph: KnowledgeGraph) -> Iterator[Quad]:
    """Everything in the graph, as RDF."""
    nodes = [NamedNode(iri(e)) for e in graph.entities["entity"]]
    for node, label, type_ in zip(nodes, graph.entities["label"], graph.entities["type"], strict=True):
        yield Quad(node, A, NamedNode(_type_iri(type_)), _DEFAULT)
        yield Quad(node, PREF_LABEL, Literal(label), _DEFAULT)
    relations = [NamedNode(iri(r, "rel")) for r in graph.relations]
    for relation, name in zip(relations, graph.relations, strict=True):
        yield Quad(relation, A, PROPERTY, _DEFAULT)
        if name in graph.relation_labels:
            yield Quad(relation, LABEL, Literal(graph.relation_labels[name]), _DEFAULT)
    for review_id, text in graph.texts.items():
        yield Quad(NamedNode(f"urn:graphrec:review:{quote(review_id, safe='')}"), BODY, Literal(text), _DEFAULT)
    for n, (entity, review_id, start, end, label, polarity) in enumerate(
        graph.mentions[MENTION_COLUMNS].itertuples(index=False)
    ):
        node = NamedNode(f"urn:graphrec:mention:{n}")
        yield Quad(node, ENTITY, nodes[entity], _DEFAULT)
        yield Quad(node, QUOTED, _span(review_id, start, end), _DEFAULT)
        yield Quad(node, LABEL, Literal(label), _DEFAULT)
        yield Quad(node, POLARITY, _float(polarity), _DEFAULT)

    triples = [(nodes[h], relations[r], nodes[t]) for h, r, t in graph.triples.tolist()]
    spans: defaultdict[int, list[NamedNode]] = defaultdict(list)
    kinds: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    for n, source, review_id, start, end in graph.provenance[PROVENANCE_COLUMNS].itertuples(index=False):
        if (source, "") not in kinds[n]:
            head, relation, tail = triples[n]
            yield Quad(head, relation, tail, GRAPHS[source])
        kinds[n] |= {(source, ""), (source, review_id)}
        if source == "review":
            spans[n].append(_span(review_id, start, end))
    for n, (triple, count, polarity) in enumerate(zip(triples, graph.counts, graph.polarity, strict=True)):
        if n not in spans and count == _plain_count(kinds[n]) and polarity == 0:
            continue
        node = NamedNode(f"urn:graphrec:statement:{n}")
        yield Quad(node, A, STATEMENT, _DEFAULT)
        for predicate, value in zip((SUBJECT, PREDICATE, OBJECT), triple, strict=True):
            yield Quad(node, predicate, value, _DEFAULT)
        yield Quad(node, COUNT, _float(count), _DEFAULT)
        yield Quad(node, POLARITY, _float(polarity), _DEFAULT)
        for span in spans.get(n, ()):
            yield Quad(node, DERIVED, span, _DEFAULT)


def _plain_count(kinds: set[tuple[str, str]]) -> int:
    """Number of sources of a triple without reviews."""
    return len({source for source, _ in kinds})


def write(graph: KnowledgeGraph, path: str | Path) -> None:
    """Write N-Quads, to a file beside it first. Raises KGError where it cannot be written."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        serialize(quads(graph), output=str(part), format=RdfFormat.N_QUADS)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise KGError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None


def read(path: str | Path) -> KnowledgeGraph:
    """Read what ``write`` wrote: an equal graph, in the order ``kg.build`` gives.

    Raises KGError naming file and line where it is not N-Quads, and the quad where it is not such a graph.
    """
    collected = _Collected()
    try:
        for quad in parse(path=str(path), format=RdfFormat.N_QUADS):
            try:
                collected.add(quad)
            except (ValueError, KeyError, AttributeError):
                raise KGError(
                    f"{path}: not part of a graphrec knowledge graph: {quad}; write it with kg build"
                ) from None
        return collected.graph()
    except SyntaxError as error:
        raise KGError(f"{path}:{error.lineno or 1}: not valid N-Quads ({error.msg}); write it with kg build") from None
    except OSError as error:
        raise KGError(f"{path}: cannot be read ({error.strerror or error})") from None
    except KeyError as error:
        raise KGError(f"{path}: incomplete, {error.args[0]} is not described; write it with kg build") from None


def _parse_span(node: Any) -> tuple[str, int, int]:
    review, _, place = node.value.removeprefix("urn:graphrec:review:").partition("#char=")
    start, end = place.split(",")
    return unquote(review), int(start), int(end)


class _Collected:
    """Quads sorted by what they say, until the last one is read."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self.relations: set[str] = set()
        self.relation_labels: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.mentions: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self.statements: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self.spans: defaultdict[int, list[tuple[str, int, int]]] = defaultdict(list)
        self.triples: list[tuple[str, str, str, str]] = []
        self._type_of = {_type_iri(t): t for t in _SCHEMA_TYPES}

    def add(self, quad: Any) -> None:
        """Raises ValueError, KeyError or AttributeError for what ``quads`` never yields."""
        subject, predicate, value = quad.subject.value, quad.predicate, quad.object
        if quad.graph_name != _DEFAULT:
            source = quad.graph_name.value.removeprefix(PREFIXES["graph"])
            if source not in _SOURCES:
                raise ValueError(source)
            self.triples.append((subject, predicate.value, value.value, source))
        elif subject.startswith("urn:graphrec:mention:"):
            row = self.mentions[int(subject[21:])]
            if predicate == QUOTED:
                row["review_id"], row["start"], row["end"] = _parse_span(value)
            else:
                name = {ENTITY: "entity", LABEL: "label", POLARITY: "polarity"}[predicate]
                row[name] = float(value.value) if predicate == POLARITY else value.value
        elif subject.startswith("urn:graphrec:statement:"):
            number = int(subject[23:])
            if predicate == DERIVED:
                self.spans[number].append(_parse_span(value))
            elif predicate != A:
                self.statements[number][predicate.value] = (
                    float(value.value) if predicate in (COUNT, POLARITY) else value.value
                )
        elif predicate == BODY:
            self.texts[unquote(subject.removeprefix("urn:graphrec:review:"))] = value.value
        elif predicate == A and value == PROPERTY:
            self.relations.add(subject)
        elif predicate == LABEL:
            self.relation_labels[id_of(subject, "rel")] = value.value
        elif predicate == A:
            self.types[subject] = self._type_of.get(value.value) or unquote(value.value.removeprefix(PREFIXES["type"]))
        elif predicate == PREF_LABEL:
            self.labels[subject] = value.value
        else:
            raise ValueError(predicate)

    def graph(self) -> KnowledgeGraph:
        """Everything numbered in the order ``kg.build`` gives. Raises KeyError for what is named but not described."""
        ids = {id_of(node): node for node in self.types}
        number = {ids[id_]: n for n, id_ in enumerate(sorted(ids))}
        relations = {id_of(node, "rel"): node for node in self.relations}
        relation_number = {relations[name]: n for n, name in enumerate(sorted(relations))}
        rows = [(number[h], relation_number[r], number[t], source) for h, r, t, source in self.triples]
        triples = sorted({row[:3] for row in rows})
        place = {triple: n for n, triple in enumerate(triples)}

        counts, polarity = np.zeros(len(triples), np.float32), np.zeros(len(triples), np.float32)
        provenance = []
        for *triple, source in rows:
            n = place[(triple[0], triple[1], triple[2])]
            if source != "review":
                counts[n] += 1
                provenance.append((n, source, "", -1, -1))
        for key, said in self.statements.items():
            h, r, t = (said[p.value] for p in (SUBJECT, PREDICATE, OBJECT))
            n = place[number[h], relation_number[r], number[t]]
            counts[n], polarity[n] = said[COUNT.value], said[POLARITY.value]
            provenance += [(n, "review", *span) for span in self.spans[key]]
        mentions = [{**m, "entity_num": number[m["entity"]]} for _, m in sorted(self.mentions.items())]
        return KnowledgeGraph(
            entities=table(
                ENTITY_COLUMNS,
                {
                    "entity": sorted(ids),
                    "label": [self.labels[ids[i]] for i in sorted(ids)],
                    "type": [self.types[ids[i]] for i in sorted(ids)],
                },
            ),
            relations=tuple(sorted(relations)),
            triples=np.array(triples, np.int64).reshape(-1, 3),
            counts=counts,
            polarity=polarity,
            provenance=table(
                PROVENANCE_COLUMNS,
                pd.DataFrame(sorted(provenance), columns=PROVENANCE_COLUMNS),
            ),
            mentions=table(MENTION_COLUMNS, {c: [m[c] for m in mentions] for c in MENTION_COLUMNS}),
            texts=dict(sorted(self.texts.items())),
            relation_labels=self.relation_labels,
        )
