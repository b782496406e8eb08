"""SPARQL over a knowledge graph, read-only: SELECT, ASK, CONSTRUCT and DESCRIBE.

Updates, LOAD, SERVICE and FROM are refused before the query is run. It is run by Oxigraph in a process of its own
(kg/rdf/sparql_child.py), which reads no other file, and is killed when a query takes too long or too much memory.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyoxigraph import RdfFormat, serialize
from pyparsing import ParseException
from rdflib.plugins.sparql.parser import parseQuery, parseUpdate
from rdflib.plugins.sparql.parserutils import CompValue

from kg.errors import KGError
from kg.graph import KnowledgeGraph
from kg.rdf.files import format_of, quads
from kg.rdf.terms import PREFIXES

ROWS, SECONDS, MEMORY = 10_000, 30.0, 2 << 30  # what one query may give, take, and need beside the graph (bytes)
_CHILD = Path(__file__).with_name("sparql_child.py")


class Rows(list[dict[str, str]]):
    """The rows of an answer, each variable → value as text. ``complete`` is False where the row limit cut it off."""

    complete: bool = True


class Endpoint:
    """A graph loaded once, to be asked many times. Close it, or use it in a ``with`` statement.

    Args:
        source: a graph, or a file in one of the formats of kg.rdf.files.FORMATS.
        rows, seconds, memory: what one query may give, take, and need beside the graph (bytes).

    Raises KGError for a file that cannot be read.
    """

    def __init__(
        self, source: str | Path | KnowledgeGraph, rows: int = ROWS, seconds: float = SECONDS, memory: int = MEMORY
    ) -> None:
        self.source, self.rows, self.seconds, self.memory = source, rows, seconds, memory
        self._child: subprocess.Popen[bytes] | None = None
        self._start()

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        child, self._child = getattr(self, "_child", None), None
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()
            child.wait()

    def query(self, sparql: str) -> Rows:
        """Answer one query.

        All named graphs together are the default graph, and the prefixes of kg.rdf.terms.PREFIXES need no declaration.
        ASK gives one row ``{"ask": "true"}``, CONSTRUCT and DESCRIBE rows of subject, predicate, object; an unbound
        variable is "".

        Raises KGError for what is not a query, would write or would leave this graph, and for what takes too long.
        """
        sparql = sparql.replace("\r", "\n")  # the two parsers must agree on where a comment ends
        check(sparql)
        if self._child is None:
            self._start()
        request = {"query": sparql, "prefixes": PREFIXES, "limit": self.rows, "memory": self.memory}
        answer = self._ask(json.dumps(request).encode() + b"\n", self.seconds)
        if "error" in answer:
            raise KGError(f"SPARQL: {answer['error']}")
        rows = Rows(answer["rows"])
        rows.complete = answer["complete"]
        return rows

    def _start(self) -> None:
        if isinstance(self.source, KnowledgeGraph):
            buffer = io.BytesIO()
            serialize(quads(self.source), output=buffer, format=RdfFormat.N_QUADS)
            data = buffer.getvalue()
            first: dict[str, Any] = {"format": "nq", "size": len(data)}
        else:
            data, first = b"", {"format": format_of(self.source).file_extension, "path": str(self.source)}
        command = [sys.executable, "-P", str(_CHILD)]  # -P: no file beside it stands in for a module
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        answer = self._ask(json.dumps(first).encode() + b"\n" + data, None)
        if "error" in answer:
            self.close()
            line = f":{answer['line']}" if "line" in answer else ""
            raise KGError(f"{self.source}{line}: {answer['error']}; write it with kg build")

    def _ask(self, message: bytes, seconds: float | None) -> Any:
        """The answer to a message. Raises KGError where there is none in time."""
        child, late = self._child, threading.Event()
        if child is None or child.stdin is None or child.stdout is None:
            raise KGError("SPARQL: the endpoint is closed; open another")

        def stop() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(seconds, stop) if seconds is not None else None
        try:
            if timer:
                timer.start()
            child.stdin.write(message)
            child.stdin.flush()
            line = child.stdout.readline()
        except OSError:
            line = b""
        finally:
            if timer:
                timer.cancel()
        if line.endswith(b"\n"):
            return json.loads(line)
        self.close()
        if late.is_set():
            raise KGError(f"SPARQL: stopped after {seconds:g} s; ask for less, or give it more time")
        raise KGError("SPARQL: the query needs more memory than it may have, or is nested too deeply; ask for less")


def query(source: str | Path | KnowledgeGraph, sparql: str, rows: int = ROWS, seconds: float = SECONDS) -> Rows:
    """One query over a graph or a file, as by ``Endpoint.query``."""
    check(sparql.replace("\r", "\n"))
    with Endpoint(source, rows, seconds) as endpoint:
        return endpoint.query(sparql)


def check(sparql: str) -> None:
    """Raise KGError unless this is one read-only query that stays in this graph."""
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
    except Exception as error:  # what the parser's own actions raise on odd input, such as an impossible number
        raise KGError(f"SPARQL: not a query ({_one_line(error)})") from None
    for node in _walk(parsed):
        if node.name == "ServiceGraphPattern":
            raise KGError("SPARQL: SERVICE would ask another server; load its data first and query them here")
        if node.name == "DatasetClause":
            raise KGError("SPARQL: FROM names other data; the graphs of this one are asked by GRAPH graph:review { … }")


def _is_update(sparql: str) -> bool:
    try:
        return bool(parseUpdate(sparql).request)
    except Exception:
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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
