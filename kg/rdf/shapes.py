"""SHACL: whether the RDF of a knowledge graph is as kg/rdf/shapes.ttl asks, and a copy without what is not.

Non-conforming triples are set aside with file and reason (``Report``). pySHACL is slow, so of a large file a sample of
nodes is checked, each with all that is said about it; the report says how many.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, Store, serialize
from rdflib import BNode, Graph
from rdflib.namespace import RDF, SH

from kg.errors import KGError
from kg.rdf.files import FORMATS, format_of
from kg.rdf.parse import rdf_format, statements
from kg.rdf.terms import (
    BODY,
    DEFAULT,
    DERIVED,
    ENTITY,
    GRAPHS,
    OBJECT,
    PREDICATE,
    PREF_LABEL,
    PREFIXES,
    QUOTED,
    RESERVED,
    SOURCE,
    SUBJECT,
    A,
)

MAX_QUADS = 20_000  # beyond, a sample of about that many is checked
_DESCRIBING = (BODY, QUOTED, DERIVED, ENTITY, SUBJECT, PREDICATE, OBJECT)
_HERE = Path(__file__).parent
ONTOLOGY, SHAPES = _HERE / "ontology.ttl", _HERE / "shapes.ttl"


@dataclass(frozen=True, slots=True)
class Fault:
    """A triple, or a line, that is not as it should be. ``line`` is 0 where only the triple is known."""

    file: str
    line: int
    triple: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}: {self.reason}" + (
            f" (found {self.triple[:160]})" if self.triple else ""
        )


@dataclass
class Report:
    """What was checked, and every fault. ``unsound`` are the nodes and triples, as IRIs, that faults are about."""

    file: str
    quads: int = 0
    checked: int = 0
    faults: list[Fault] = field(default_factory=list)
    unsound: set[tuple[str, ...]] = field(default_factory=set)

    @property
    def sampled(self) -> bool:
        """Whether the shapes saw a part of the statements only."""
        return self.checked < self.quads

    def write(self, path: str | Path) -> None:
        """Write it as JSON. Raises KGError where that cannot be."""
        try:
            Path(path).write_text(json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n", "utf-8")
        except OSError as error:
            raise KGError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON document."""
        return {
            "file": self.file,
            "quads": self.quads,
            "checked": self.checked,
            "conforms": not self.faults,
            "faults": [asdict(f) for f in self.faults],
        }


def check(path: str | Path, max_quads: int | None = MAX_QUADS) -> tuple[Report, Store]:
    """Read a file as far as it can be read, and check it against the shapes; ``max_quads`` None checks all of any size.

    Returns the report, and everything that could be read. Raises KGError where the file cannot be opened.
    """
    path, report, store = Path(path), Report(str(path)), Store()
    named = _named(path)

    def aside(line: int, reason: str) -> None:
        report.faults.append(Fault(str(path), line, "", reason))

    found = statements(path, aside)
    store.bulk_extend(found if named else (Quad(t.subject, t.predicate, t.object) for t in found))
    report.quads = len(store)
    whole = max_quads is None or report.quads <= max_quads
    chosen = list(store) if whole else _sample(store, -(-report.quads // (max_quads or 1)))
    report.checked = min(len(chosen), report.quads)
    for triple, about, reason in _violations(chosen):
        report.faults.append(Fault(str(path), 0, triple, reason))
        report.unsound.add(about)
    return report, store


def _named(path: Path) -> bool:
    """Whether a file's format has named graphs."""
    form = rdf_format(path)
    return form is None or form.supports_datasets


def _sample(store: Store, one_in: int) -> list[Quad]:
    """All about one in so many subjects, chosen by hash, and the classes and labels of what they lead to."""
    chosen = [q for q in store if _hash(q.subject) % one_in == 0]
    ends = {q.object for q in chosen if isinstance(q.object, NamedNode)} - {q.subject for q in chosen}
    for end in ends:
        for predicate in (A, PREF_LABEL):
            chosen += store.quads_for_pattern(end, predicate, None, DEFAULT)
    return chosen


def _hash(node: Any) -> int:
    return int.from_bytes(hashlib.blake2b(str(node).encode(), digest_size=4).digest(), "big")


@cache
def _shapes() -> Graph:
    return Graph().parse(SHAPES, format="turtle")


def _violations(quads: Iterable[Quad]) -> list[tuple[str, tuple[str, ...], str]]:
    """The triple, what it makes unsound, and the reason, of everything that the shapes refuse; sorted.

    A wrong triple between two entities is unsound by itself, anything else the node that it describes.
    """
    import pyshacl  # takes long to import

    data = serialize((q.triple for q in quads), format=RdfFormat.N_TRIPLES)
    _, results, _ = pyshacl.validate(Graph().parse(data=data, format="nt"), shacl_graph=_shapes(), inference="none")
    out = []
    for result in results.subjects(RDF.type, SH.ValidationResult):
        focus, path, value = (results.value(result, p) for p in (SH.focusNode, SH.resultPath, SH.value))
        parts = [part for part in (focus, path, value) if part is not None]
        between = len(parts) == 3 and str(path) not in RESERVED
        reason = " ".join(str(results.value(result, SH.resultMessage)).split())
        about = tuple(map(str, parts)) if between else (_name(focus),)
        out.append((" ".join(part.n3() for part in parts), about, reason))
    return sorted(set(out))


def _name(node: Any) -> str:
    return f"_:{node}" if isinstance(node, BNode) else str(node)


def write_sound(report: Report, store: Store, path: str | Path) -> int:
    """Write everything but what is unsound and what stands on that; the number of quads left out.

    With a node goes every triple that it is part of; with a triple its statement, and with a statement its triple; with
    a review its mentions, and with a mention the statements derived from it.

    Raises KGError where the file cannot be written.
    """
    path, form = Path(path), format_of(path)
    if form.supports_datasets != _named(Path(report.file)):
        alike = [e for e, f in FORMATS.items() if f.supports_datasets != form.supports_datasets]
        raise KGError(f"{path}: needs a format like that of {report.file}; give it one of {', '.join(alike)}")
    dropped = _Falling(store).with_all(report.unsound)
    kept = (q for q in store if q not in dropped)
    part = path.with_name(path.name + ".part")
    try:
        said = kept if form.supports_datasets else (q.triple for q in kept)
        serialize(said, str(part), format=form, prefixes=PREFIXES)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise KGError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None
    return len(dropped)


class _Falling:
    """Everything in a store that falls when some of it does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.dropped: set[Quad] = set()
        self.seen: set[Any] = set()
        self.waiting: list[Any] = []

    def with_all(self, unsound: Iterable[tuple[str, ...]]) -> set[Quad]:
        for about in unsound:
            if len(about) == 3:
                self._triple(*map(NamedNode, about))
            else:
                self._add(BlankNode(about[0][2:]) if about[0].startswith("_:") else NamedNode(about[0]))
        while self.waiting:
            while self.waiting:
                self._node(self.waiting.pop())
            self._without_ground()
        return self.dropped

    def _add(self, node: Any) -> None:
        if node not in self.seen:
            self.seen.add(node)
            self.waiting.append(node)

    def _match(self, *pattern: Any) -> list[Quad]:
        return list(self.store.quads_for_pattern(*pattern))

    def _triple(self, head: Any, relation: Any, tail: Any) -> None:
        self.dropped.update(self._match(head, relation, tail))
        for quad in self._match(None, SUBJECT, head):
            if self._match(quad.subject, PREDICATE, relation) and self._match(quad.subject, OBJECT, tail):
                self._add(quad.subject)

    def _node(self, node: Any) -> None:
        own, others = self._match(node, None, None), self._match(None, None, node)
        if isinstance(node, NamedNode):
            others += self._match(None, node, None)
        self.dropped.update(own, others)
        for quad in others:
            if quad.predicate in (SUBJECT, PREDICATE, OBJECT, ENTITY):
                self._add(quad.subject)
        said = {q.predicate: q.object for q in own}
        if isinstance(said.get(SUBJECT), NamedNode) and isinstance(said.get(PREDICATE), NamedNode) and OBJECT in said:
            self._triple(said[SUBJECT], said[PREDICATE], said[OBJECT])

    def _without_ground(self) -> None:
        """What has nothing to stand on: a place without its review, a statement without its mention, and a triple
        from reviews without its statement."""
        kept = {p: [q for q in self._match(None, p, None) if q not in self.dropped] for p in _DESCRIBING}
        reviews = {str(getattr(q.subject, "value", "")) for q in kept[BODY]}
        for quad in (*kept[QUOTED], *kept[DERIVED]):
            if str(getattr(quad.object, "value", "")).partition("#")[0] not in reviews:
                self._add(quad.subject)
        part = {p: {q.subject: q.object for q in kept[p]} for p in (ENTITY, QUOTED, SUBJECT, PREDICATE, OBJECT)}
        mentioned = {(part[QUOTED].get(mention), entity) for mention, entity in part[ENTITY].items()}
        for quad in kept[DERIVED]:
            if (quad.object, part[OBJECT].get(quad.subject)) not in mentioned:
                self._add(quad.subject)
        stated = {(h, part[PREDICATE].get(s), part[OBJECT].get(s)) for s, h in part[SUBJECT].items()}
        shared = {q.subject for q in self._match(None, SOURCE, None)}
        flat = not any(self.store.named_graphs())
        for quad in self._match(None, None, None, DEFAULT if flat else GRAPHS["review"]):
            described = quad.predicate.value in RESERVED or (flat and quad.predicate in shared)
            if not described and (quad.subject, quad.predicate, quad.object) not in stated:
                self.dropped.add(quad)
