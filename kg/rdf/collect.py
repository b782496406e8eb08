"""Quads back into a knowledge graph: what ``kg.rdf.files.read`` reads, sorted by what it says."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd

from kg.graph import ENTITY_COLUMNS, MENTION_COLUMNS, PROVENANCE_COLUMNS, SOURCES, KnowledgeGraph, table
from kg.rdf.terms import (
    BODY,
    COUNT,
    DEFAULT,
    DERIVED,
    ENTITY,
    LABEL,
    OBJECT,
    POLARITY,
    PREDICATE,
    PREF_LABEL,
    PREFIXES,
    PROPERTY,
    QUOTED,
    SCHEMA_TYPES,
    SOURCE,
    SUBJECT,
    A,
    id_of,
    parse_span,
    type_iri,
)


class Collected:
    """Quads sorted by what they say, until the last one is read.

    Args:
        flat: the format has no named graphs; what is no description is a triple of the graph.
    """

    def __init__(self, flat: bool = False) -> None:
        self.flat = flat
        self.sources: dict[str, str] = {}  # relation → the source of all its triples, in flat formats
        self.plain_sources: defaultdict[int, list[str]] = defaultdict(list)
        self.labels: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self.relations: set[str] = set()
        self.relation_labels: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.mentions: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self.statements: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self.spans: defaultdict[int, list[tuple[str, int, int]]] = defaultdict(list)
        self.triples: list[tuple[str, str, str, str]] = []
        self._type_of = {type_iri(t): t for t in SCHEMA_TYPES}

    def add(self, quad: Any) -> None:
        """Raises ValueError, KeyError or AttributeError for what ``quads`` never yields."""
        subject, predicate, value = quad.subject.value, quad.predicate, quad.object
        if quad.graph_name != DEFAULT:
            self.triples.append((subject, predicate.value, value.value, _source(quad.graph_name.value)))
        elif subject.startswith("urn:graphrec:mention:"):
            row = self.mentions[int(subject[21:])]
            if predicate == QUOTED:
                row["review_id"], row["start"], row["end"] = parse_span(value)
            else:
                name = {ENTITY: "entity", LABEL: "label", POLARITY: "polarity"}[predicate]
                row[name] = float(value.value) if predicate == POLARITY else value.value
        elif subject.startswith("urn:graphrec:statement:"):
            number = int(subject[23:])
            if predicate == DERIVED:
                self.spans[number].append(parse_span(value))
            elif predicate == SOURCE:
                self.plain_sources[number].append(_source(value.value))
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
        elif predicate == SOURCE and self.flat:
            self.sources[subject] = _source(value.value)
        elif self.flat:
            self.triples.append((subject, predicate.value, value.value, ""))
        else:
            raise ValueError(predicate)

    def graph(self) -> KnowledgeGraph:
        """Everything numbered in the order ``kg.build`` gives. Raises KeyError for what is named but not described."""
        ids = {id_of(node): node for node in self.types}
        number = {ids[id_]: n for n, id_ in enumerate(sorted(ids))}
        relations = {id_of(node, "rel"): node for node in self.relations}
        relation_number = {relations[name]: n for n, name in enumerate(sorted(relations))}
        rows = [(number[h], relation_number[r], number[t], source) for h, r, t, source in self._with_sources()]
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

    def _with_sources(self) -> list[tuple[str, str, str, str]]:
        """The triples with their sources: of a flat format from their statements, or their relation."""
        if not self.flat:
            return self.triples
        said: dict[tuple[str, str, str], list[str]] = {}
        for key, parts in self.statements.items():
            h, r, t = (parts[p.value] for p in (SUBJECT, PREDICATE, OBJECT))
            said[h, r, t] = self.plain_sources[key] or ["review"]
        out = []
        for h, r, t, _ in self.triples:
            sources = [self.sources[r]] if r in self.sources else said.get((h, r, t), [])
            if not sources:
                raise KeyError(f"the source of {h} {r} {t}")
            out += [(h, r, t, source) for source in sources]
        return out


def _source(graph: str) -> str:
    """The kind of source that a named graph stands for. Raises ValueError."""
    source = graph.removeprefix(PREFIXES["graph"])
    if source not in SOURCES:
        raise ValueError(source)
    return source
