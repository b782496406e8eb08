"""How fast the whole knowledge-graph build is, against a bare `nlp.pipe` of the same components on the same texts.

    python benchmarks/kg_build.py ../shared/data/musical_instruments

Both use the same number of processes, begin with empty caches, and take turns part by part, so that whatever else the
machine does falls on both. The build is extraction with its cache for every part, and at the end linking, relations and
the graph over all of them.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import report
import typer

from graphrec.data.dataset import Dataset
from graphrec.features.cache import ContentCache
from graphrec.knowledge.adapter import sources
from graphrec.stages import core_seconds
from kg.build import build
from kg.extract.reading import extract
from kg.extract.spacy import MAX_CHARS, SpacyExtractor

T = TypeVar("T")


class Clock:
    """Seconds of the wall and of the processor, those of finished children included."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def time(self, work: Callable[[], T]) -> T:
        wall, cpu = time.perf_counter(), core_seconds()
        out = work()
        self.wall += time.perf_counter() - wall
        self.cpu += core_seconds() - cpu
        return out


def main(source: Path, processes: int = 2, parts: int = 5, texts: int = 0, seed: int = 0, keep: bool = True) -> None:
    """Measure, print and keep. ``texts`` bounds how many reviews are used; 0 is all of them."""
    data = Dataset.load(source)
    items, reviews = sources(data)
    random.Random(seed).shuffle(reviews)
    reviews = reviews[: texts or None]
    distinct = list(dict.fromkeys(r.text for r in reviews if r.text.strip()))
    extractor = SpacyExtractor(processes)
    bare, ours = Clock(), Clock()

    def pipe(part: list[str]) -> None:
        for _ in extractor.nlp.pipe((t[:MAX_CHARS] for t in part), batch_size=128, n_process=processes):
            pass

    with tempfile.TemporaryDirectory() as folder:
        cache = ContentCache("mentions", Path(folder))
        for n in range(parts):
            part = distinct[n::parts]
            turns = [
                lambda p=part: bare.time(lambda: pipe(p)),
                lambda p=part: ours.time(lambda: extract(p, extractor, cache)),
            ]
            for turn in turns if n % 2 else reversed(turns):
                turn()
        graph = ours.time(lambda: build(items, reviews, data.external, extractor=extractor, cache=cache))

    rows = [
        {"what": what, "seconds": clock.wall, "cpu": clock.cpu, "texts_per_s": len(distinct) / clock.wall}
        for what, clock in (("bare nlp.pipe", bare), ("whole build", ours))
    ]
    document = {
        "data": data.fingerprint(),
        "texts": len(distinct),
        "processes": processes,
        "parts": parts,
        "triples": len(graph),
        "ratio": bare.wall / ours.wall,
        "cpu_ratio": bare.cpu / ours.cpu,
        "rows": rows,
    }
    print(document)
    if keep:
        report.keep("kg_build", data.name, document)


if __name__ == "__main__":
    typer.run(main)
