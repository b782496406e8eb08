"""An extractor whose texts are read by an engine, each worker with an extractor of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphrec.cluster.engine import Engine, Made
from kg.extract.workers import CHUNK, chunks
from kg.types import Extractor, Judging, Settling, Span


@dataclass(frozen=True)
class Reads:
    """Work: the spans of each text of a batch."""

    extractor: Made[Extractor]

    def __call__(self, texts: list[str]) -> list[list[Span]]:
        return list(self.extractor().extract(texts))


class Spread:
    """Reads as ``own`` does, CHUNK texts at a time; what all texts together say is settled here.

    Args:
        own: the extractor. made: makes one like it, for one process.
    """

    def __init__(self, own: Extractor, made: Made[Extractor], engine: Engine) -> None:
        self.id = own.id
        self._work, self._engine = Reads(made), engine
        if isinstance(own, Settling):
            self.settle = own.settle
        if isinstance(own, Judging):
            self.judged = own.judged

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """See ``kg.types.Extractor``."""
        for found in self._engine.map(self._work, chunks(texts, CHUNK)):
            yield from found
