"""The RDF terms of a knowledge graph: prefixes, classes and properties (kg/rdf/ontology.ttl), and ids as IRIs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from pyoxigraph import DefaultGraph, Literal, NamedNode

from kg.graph import SOURCES

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
SCHEMA_TYPES = {
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
DEFAULT = DefaultGraph()


def _node(curie: str) -> NamedNode:
    prefix, _, name = curie.partition(":")
    return NamedNode(PREFIXES[prefix] + name)


A, SUBJECT, PREDICATE, OBJECT = (_node(f"rdf:{n}") for n in ("type", "subject", "predicate", "object"))
STATEMENT, PROPERTY = _node("rdf:Statement"), _node("rdf:Property")
PREF_LABEL, LABEL, BODY = _node("skos:prefLabel"), _node("rdfs:label"), _node("schema:reviewBody")
QUOTED, DERIVED = _node("prov:wasQuotedFrom"), _node("prov:wasDerivedFrom")
SOURCE = _node("prov:hadPrimarySource")
ENTITY, COUNT, POLARITY = _node("kg:entity"), _node("kg:count"), _node("kg:polarity")
FLOAT = _node("xsd:float")
RESERVED = frozenset(
    n.value for n in (A, SUBJECT, PREDICATE, OBJECT, PREF_LABEL, LABEL, BODY, QUOTED, DERIVED, SOURCE, ENTITY)
) | {COUNT.value, POLARITY.value}
GRAPHS = {source: _node(f"graph:{source}") for source in SOURCES}


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


def parse_span(node: Any) -> tuple[str, int, int]:
    """Review id, start and end of a ``span``. Raises ValueError or AttributeError for anything else."""
    review, _, place = node.value.removeprefix("urn:graphrec:review:").partition("#char=")
    start, end = place.split(",")
    return unquote(review), int(start), int(end)


def span(review_id: str, start: int, end: int) -> NamedNode:
    """A place in a review, as a fragment after RFC 5147."""
    return NamedNode(f"urn:graphrec:review:{quote(review_id, safe='')}#char={start},{end}")


def type_iri(type_: str) -> str:
    """The class of an entity type: schema.org's where it has one."""
    known = SCHEMA_TYPES.get(type_)
    return PREFIXES["schema"] + known if known else PREFIXES["type"] + quote(type_, safe="")


def float_literal(value: Any) -> Literal:
    """A number as xsd:float."""
    return Literal(str(np.float32(value)), datatype=FLOAT)
