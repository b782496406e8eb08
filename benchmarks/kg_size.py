"""How large a knowledge graph may be: a real one with 205,521 triples, and a million generated ones.

    python benchmarks/kg_size.py ../shared/data/ml1m_kg

Each of the two is measured in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Any, TypeVar

import numpy as np
import report
import typer

import kg.store
from graphrec.data.dataset import Dataset
from graphrec.experiment import peak_rss_mb
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.settings import KGConfig
from kg.build import build
from kg.rdf import files, shapes
from kg.rdf.dump import LINKED, link
from kg.rdf.sparql import Endpoint
from kg.rdf.terms import iri
from kg.types import ExternalTriples
from kg.validate import validate

TRIPLES, ENTITIES, RELATIONS, QUERIES = 1_000_000, 100_000, 20, 100
T = TypeVar("T")


class Watch:
    """What was done, and the seconds that it took, by the clock and of this process's CPU."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []

    def __call__(self, what: str, work: Callable[[], T]) -> T:
        start, cpu = time.perf_counter(), time.process_time()
        out = work()
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        self.rows.append([what, f"{seconds:.1f} s ({cpu:.1f} s of CPU)"])
        return out


def real(folder: Path) -> dict[str, Any]:
    """Load, build with the published links, check, write and read; and how well titles alone find the entities."""
    watch = Watch()
    data = watch("load interactions, titles and all triples", lambda: Dataset.load(folder))
    graph = watch("build the graph, items linked by the published map", lambda: knowledge_graph(data, KGConfig()))
    problems = watch("structural validation", lambda: validate(graph))
    external = data.external
    titles = dict(zip(data.items.ids, map(str, data.item_titles), strict=True))
    labels = [(e, e.rpartition("/")[2].replace("_", " ")) for e in external.labels if e.startswith("http")]
    links = watch("link items to entities by title alone", lambda: link(titles, labels))
    used = {k.item_id: k.entity for k in links if k.confidence >= LINKED}
    right = sum(external.item_entities.get(i) == e for i, e in used.items())
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "kg.nq"
        watch("write N-Quads", lambda: files.write(graph, file))
        again = watch("read N-Quads", lambda: files.read(file))
        checked, _ = watch("shapes (SHACL)", lambda: shapes.check(file))
    rows = [
        *watch.rows,
        ["triples read", f"{len(external):,}"],
        ["distinct triples in the graph, with genres", f"{len(graph):,}"],
        ["structural problems", f"{len(problems)}"],
        ["equal after writing and reading", str(again == graph)],
        ["triples checked by the shapes", f"{checked.checked:,} of {checked.quads:,}"],
        ["faults by the shapes", f"{len(checked.faults)}"],
        ["items linked by title, of those in the map", f"{len(used):,} of {len(external.item_entities):,}"],
        ["of these as in the map", f"{right / max(len(used), 1):.4f}"],
        ["peak memory", f"{peak_rss_mb():,.0f} MB"],
    ]  # fmt: skip
    return {"data": data.fingerprint(), "rows": rows}


def generated() -> dict[str, Any]:
    """Build, write, read, ask."""
    rng, watch = np.random.default_rng(0), Watch()
    numbers = set[tuple[int, int, int]]()
    while len(numbers) < TRIPLES:
        ends = rng.integers(ENTITIES, size=(TRIPLES - len(numbers), 2))
        relations = rng.integers(RELATIONS, size=len(ends))
        numbers |= set(zip(ends[:, 0].tolist(), relations.tolist(), ends[:, 1].tolist(), strict=True))
    triples = tuple((f"e{h}", f"r{r}", f"e{t}") for h, r, t in sorted(numbers))
    graph = watch("build", lambda: build([], [], ExternalTriples(triples)))
    problems = watch("structural validation", lambda: validate(graph))
    with tempfile.TemporaryDirectory() as scratch:
        file, folder = Path(scratch) / "kg.nq", Path(scratch) / "kg"
        watch("write N-Quads", lambda: files.write(graph, file))
        from_quads = watch("read N-Quads", lambda: files.read(file))
        watch("save as Parquet", lambda: kg.store.save(graph, folder))
        from_parquet = watch("load Parquet", lambda: kg.store.load(folder))
        equal = from_quads == graph and from_parquet == graph
        del from_quads, from_parquet
        with watch("load into the SPARQL endpoint", lambda: Endpoint(file)) as endpoint:
            times = []
            for n in rng.integers(ENTITIES, size=QUERIES).tolist():
                start = time.perf_counter()
                found = endpoint.query(f"SELECT ?r ?o WHERE {{ <{iri(f'e{n}')}> ?r ?o }}")
                times.append(1000 * (time.perf_counter() - start))
                expected = (graph.triples[:, 0] == graph.entity_num[f"e{n}"]).sum() + 2  # its class and label
                if len(found) != expected:
                    raise SystemExit(f"e{n}: {len(found)} rows, expected {expected}")
    rows = [
        *watch.rows,
        [f"SPARQL point query, median of {QUERIES}", f"{median(times):.1f} ms"],
        [f"SPARQL point query, slowest of {QUERIES}", f"{max(times):.1f} ms"],
        ["triples", f"{len(graph):,}"],
        ["structural problems", f"{len(problems)}"],
        ["equal after saving and loading, both ways", str(equal)],
        ["peak memory", f"{peak_rss_mb():,.0f} MB"],
    ]
    return {"data": "generated", "rows": rows}


def main(folder: Path, only: Annotated[str, typer.Option(help="ml1m_kg or generated.")] = "") -> None:
    """Measure both, or one of them, and keep the results."""
    if only == "ml1m_kg":
        report.keep("kg_size", only, real(folder))
    elif only == "generated":
        report.keep("kg_size", only, generated())
    else:
        for name in ("ml1m_kg", "generated"):
            subprocess.run([sys.executable, __file__, str(folder), "--only", name], check=True)
        print(report.TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)
