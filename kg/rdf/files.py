"""A knowledge graph as RDF and back, without loss: N-Quads and TriG, Turtle and N-Triples.

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
no statement node: its named graph is its provenance. Turtle and N-Triples have no named graphs. There a relation names
the source of its triples (prov:hadPrimarySource) where they share one, and otherwise each triple's statement does.

The classes and properties are described in kg/rdf/ontology.ttl, their use is checked by kg/rdf/shapes.ttl.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse, serialize

from kg.errors import KGError
from kg.graph import MENTION_COLUMNS, PROVENANCE_COLUMNS, KnowledgeGraph
from kg.rdf.collect import Collected
from kg.rdf.terms import (
    BODY,
    COUNT,
    DEFAULT,
    DERIVED,
    ENTITY,
    GRAPHS,
    LABEL,
    OBJECT,
    POLARITY,
    PREDICATE,
    PREF_LABEL,
    PREFIXES,
    PROPERTY,
    QUOTED,
    RESERVED,
    SOURCE,
    STATEMENT,
    SUBJECT,
    A,
    float_literal,
    iri,
    span,
    type_iri,
)

FORMATS = {".nq": RdfFormat.N_QUADS, ".trig": RdfFormat.TRIG, ".ttl": RdfFormat.TURTLE, ".nt": RdfFormat.N_TRIPLES}


def format_of(path: str | Path) -> RdfFormat:
    """The format that a file's ending names. Raises KGError."""
    found = FORMATS.get(Path(path).suffix.lower())
    if found is None:
        raise KGError(f"{path}: the ending names no format of RDF; give it one of {', '.join(FORMATS)}")
    return found


def quads(graph: KnowledgeGraph, flat: bool = False) -> Iterator[Quad]:
    """Everything in the graph, as RDF; with ``flat`` all of it in the default graph."""
    nodes = [NamedNode(iri(e)) for e in graph.entities["entity"]]
    for node, label, type_ in zip(nodes, graph.entities["label"], graph.entities["type"], strict=True):
        yield Quad(node, A, NamedNode(type_iri(type_)), DEFAULT)
        yield Quad(node, PREF_LABEL, Literal(label), DEFAULT)
    relations = [_relation(r, flat) for r in graph.relations]
    shared = _shared_sources(graph) if flat else [""] * len(relations)
    for relation, name, source in zip(relations, graph.relations, shared, strict=True):
        yield Quad(relation, A, PROPERTY, DEFAULT)
        if source:
            yield Quad(relation, SOURCE, GRAPHS[source], DEFAULT)
        if name in graph.relation_labels:
            yield Quad(relation, LABEL, Literal(graph.relation_labels[name]), DEFAULT)
    for review_id, text in graph.texts.items():
        yield Quad(NamedNode(f"urn:graphrec:review:{quote(review_id, safe='')}"), BODY, Literal(text), DEFAULT)
    for n, (entity, review_id, start, end, label, polarity) in enumerate(
        graph.mentions[MENTION_COLUMNS].itertuples(index=False)
    ):
        node = NamedNode(f"urn:graphrec:mention:{n}")
        yield Quad(node, ENTITY, nodes[entity], DEFAULT)
        yield Quad(node, QUOTED, span(review_id, start, end), DEFAULT)
        yield Quad(node, LABEL, Literal(label), DEFAULT)
        yield Quad(node, POLARITY, float_literal(polarity), DEFAULT)

    triples = [(nodes[h], relations[r], nodes[t]) for h, r, t in graph.triples.tolist()]
    spans: defaultdict[int, list[NamedNode]] = defaultdict(list)
    kinds: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    for n, source, review_id, start, end in graph.provenance[PROVENANCE_COLUMNS].itertuples(index=False):
        if (source, "") not in kinds[n] and not (flat and kinds[n]):
            head, relation, tail = triples[n]
            yield Quad(head, relation, tail, DEFAULT if flat else GRAPHS[source])
        kinds[n] |= {(source, ""), (source, review_id)}
        if source == "review":
            spans[n].append(span(review_id, start, end))
    for n, (triple, count, polarity) in enumerate(zip(triples, graph.counts, graph.polarity, strict=True)):
        explicit = flat and not shared[graph.triples[n, 1]]
        if n not in spans and count == _plain_count(kinds[n]) and polarity == 0 and not explicit:
            continue
        node = NamedNode(f"urn:graphrec:statement:{n}")
        yield Quad(node, A, STATEMENT, DEFAULT)
        for predicate, value in zip((SUBJECT, PREDICATE, OBJECT), triple, strict=True):
            yield Quad(node, predicate, value, DEFAULT)
        yield Quad(node, COUNT, float_literal(count), DEFAULT)
        yield Quad(node, POLARITY, float_literal(polarity), DEFAULT)
        for place in spans.get(n, ()):
            yield Quad(node, DERIVED, place, DEFAULT)
        for source in sorted({source for source, _ in kinds[n]} - {"review"}) if explicit else ():
            yield Quad(node, SOURCE, GRAPHS[source], DEFAULT)


def _relation(name: str, flat: bool) -> NamedNode:
    """A relation's IRI. In a flat format it may not be one of the properties that describe the graph itself."""
    node = NamedNode(iri(name, "rel"))
    return NamedNode(PREFIXES["rel"] + quote(name, safe="")) if flat and node.value in RESERVED else node


def _shared_sources(graph: KnowledgeGraph) -> list[str]:
    """For each relation the one source of all its triples, "" where that is a review or they differ."""
    relation = graph.triples[graph.provenance["triple"].to_numpy(), 1]
    found: list[set[str]] = [set() for _ in graph.relations]
    for n, source in set(zip(relation.tolist(), graph.provenance["source"], strict=True)):
        found[n].add(source)
    return [next(iter(s)) if len(s) == 1 and "review" not in s else "" for s in found]


def _plain_count(kinds: set[tuple[str, str]]) -> int:
    """Number of sources of a triple without reviews."""
    return len({source for source, _ in kinds})


def write(graph: KnowledgeGraph, path: str | Path) -> None:
    """Write a graph in the format of the ending, to a file beside it first. Raises KGError where that cannot be."""
    path, form = Path(path), format_of(path)
    part = path.with_name(path.name + ".part")
    flat = not form.supports_datasets
    said = quads(graph, flat)
    try:
        serialize((q.triple for q in said) if flat else said, output=str(part), format=form, prefixes=PREFIXES)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise KGError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None


def read(path: str | Path) -> KnowledgeGraph:
    """Read what ``write`` wrote: an equal graph, in the order ``kg.build`` gives.

    Raises KGError naming file and line where the file is not of its format, and the quad where it is not such a graph.
    """
    form = format_of(path)
    collected = Collected(flat=not form.supports_datasets)
    try:
        for quad in parse(path=str(path), format=form):
            try:
                collected.add(quad)
            except (ValueError, KeyError, AttributeError):
                raise KGError(
                    f"{path}: not part of a graphrec knowledge graph: {quad}; write it with kg build"
                ) from None
        return collected.graph()
    except SyntaxError as error:
        where = f"{path}:{error.lineno or 1}"
        raise KGError(f"{where}: not valid {form.name} ({error.msg}); write it with kg build") from None
    except OSError as error:
        raise KGError(f"{path}: cannot be read ({error.strerror or error})") from None
    except KeyError as error:
        raise KGError(f"{path}: incomplete, {error.args[0]} is not described; write it with kg build") from None
