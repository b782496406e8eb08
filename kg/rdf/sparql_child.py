"""The process that answers SPARQL queries for kg.rdf.sparql, run as a script: it can be killed, and may die alone.

One JSON object a line. The first on standard input names the data: ``{"format", "path"}``, or ``{"format", "size"}``
and that many bytes behind it; the answer is ``{"ready"}`` or ``{"error"}``. Each further one is a query; the answer is
``{"rows", "complete"}`` or ``{"error"}``. Nothing of graphrec is imported, so that it starts in no time.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from pyoxigraph import QueryBoolean, QueryTriples, RdfFormat, Store


def main() -> None:
    """Load, then answer until standard input ends."""
    lines, out = sys.stdin.buffer, sys.stdout
    store = Store()
    try:
        first = json.loads(lines.readline())
        form = RdfFormat.from_extension(first["format"]) or RdfFormat.N_QUADS
        if "path" in first:
            store.bulk_load(path=first["path"], format=form)
        else:
            store.bulk_load(lines.read(first["size"]), format=form)
        answer: dict[str, Any] = {"ready": len(store)}
    except SyntaxError as error:
        answer = {"error": f"not valid RDF ({error.msg})", "line": error.lineno or 1}
    except OSError as error:
        answer = {"error": f"cannot be read ({error.strerror or error})"}
    print(json.dumps(answer), file=out, flush=True)
    while "ready" in answer and (line := lines.readline()):
        request = json.loads(line)
        limit_memory(request["memory"])
        try:
            reply = evaluate(store, request)
        except (SyntaxError, OSError, ValueError, RuntimeError) as error:
            reply = {"error": " ".join(str(error).split())[:300]}
        except MemoryError:
            reply = {"error": "more memory than a query may have; ask for less"}
        print(json.dumps(reply), file=out, flush=True)


def evaluate(store: Store, request: dict[str, Any]) -> dict[str, Any]:
    """The first rows of an answer, and whether they are all."""
    result = store.query(request["query"], prefixes=request["prefixes"], use_default_graph_as_union=True)
    if isinstance(result, QueryBoolean):
        return {"rows": [{"ask": str(bool(result)).lower()}], "complete": True}
    if isinstance(result, QueryTriples):
        parts = ("subject", "predicate", "object")
        rows = ({p: _text(getattr(t, p)) for p in parts} for t in result)
    else:
        names = [v.value for v in result.variables]
        rows = ({n: _text(row[n]) for n in names} for row in result)
    found = list(islice(rows, request["limit"] + 1))
    return {"rows": found[: request["limit"]], "complete": len(found) <= request["limit"]}


def limit_memory(size: int) -> None:
    """Let this process grow by ``size`` bytes and no more, where the system can tell and limit it."""
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + size, hard))
    except (ImportError, OSError, ValueError):
        pass


def _text(term: Any) -> str:
    return "" if term is None else str(getattr(term, "value", term))


if __name__ == "__main__":
    main()
