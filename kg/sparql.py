"""SPARQL over a knowledge graph, read-only: SELECT, ASK, CONSTRUCT and DESCRIBE; no updates, no SERVICE, no LOAD."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pyoxigraph import QueryBoolean, QueryTriples, RdfFormat, Store
from pyparsing import ParseException
from rdflib.plugins.sparql.parser import parseQuery, parseUpdate
from rdflib.plugins.sparql.parserutils import CompValue

from kg.errors import KGError
from kg.graph import KnowledgeGraph
from kg.rdf import PREFIXES, quads


def query(source: str | Path | KnowledgeGraph, sparql: str, limit_rows: int = 10_000) -> list[dict[str, str]]:
    """Answer a query over a graph or an N-Quads file; at most ``limit_rows`` rows, each variable → value as text.

    All named graphs together are the default graph, and the prefixes of kg.rdf.PREFIXES need no declaration. ASK gives
    one row ``{"ask": "true"}``, CONSTRUCT and DESCRIBE rows of subject, predicate, object. An unbound variable is "".

    Raises KGError for what is not a query, would write or would leave this machine, and for a file that is no N-Quads.
    """
    sparql = sparql.replace("\r", "\n")  # the two parsers must agree on where a comment ends
    check(sparql)
    store = _store(source)
    try:
        result = store.query(sparql, prefixes=PREFIXES, use_default_graph_as_union=True)
        if isinstance(result, QueryBoolean):
            return [{"ask": str(bool(result)).lower()}]
        if isinstance(result, QueryTriples):
            parts = ("subject", "predicate", "object")
            return [{p: _text(getattr(t, p)) for p in parts} for t in islice(result, limit_rows)]
        names = [v.value for v in result.variables]
        return [{n: _text(row[n]) for n in names} for row in islice(result, limit_rows)]
    except (SyntaxError, OSError, ValueError, RuntimeError) as error:
        raise KGError(f"SPARQL: {_one_line(error)}") from None


def check(sparql: str) -> None:
    """Raise KGError unless this is one read-only query that stays on this machine."""
    try:
        parsed = parseQuery(sparql)
    except ParseException as error:
        if _is_update(sparql):
            raise KGError(
                "SPARQL: this is an update, but graphs are only read here; use SELECT, ASK, CONSTRUCT or DESCRIBE"
            ) from None
        raise KGError(f"SPARQL:{error.lineno}: not a query near column {error.column} ({_one_line(error)})") from None
    except RecursionError:
        raise KGError("SPARQL: nested too deeply; write a flatter query") from None
    for node in _walk(parsed):
        if node.name == "ServiceGraphPattern":
            raise KGError("SPARQL: SERVICE would ask another server; load its data first and query them here")


def _is_update(sparql: str) -> bool:
    try:
        return bool(parseUpdate(sparql).request)
    except (ParseException, RecursionError):
        return False


def _walk(node: Any) -> Iterator[CompValue]:
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, CompValue):
            yield node
            stack.extend(node.values())
        elif isinstance(node, (list, tuple)) or hasattr(node, "as_list"):
            stack.extend(node)


def _store(source: str | Path | KnowledgeGraph) -> Store:
    store = Store()
    if isinstance(source, KnowledgeGraph):
        store.bulk_extend(quads(source))
        return store
    try:
        store.bulk_load(path=str(source), format=RdfFormat.N_QUADS)
    except SyntaxError as error:
        raise KGError(
            f"{source}:{error.lineno or 1}: not valid N-Quads ({error.msg}); write it with kg build"
        ) from None
    except OSError as error:
        raise KGError(f"{source}: cannot be read ({error.strerror or error})") from None
    return store


def _text(term: Any) -> str:
    return "" if term is None else str(getattr(term, "value", term))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
