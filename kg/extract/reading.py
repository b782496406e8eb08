"""Reading many texts: each distinct one once, cached as it goes so that a killed run goes on, with a bar."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

from kg.extract.extractors import Readers, make
from kg.extract.termhood import settled
from kg.types import BytesCache, Embed, Extractor, Judging, Settling, Span

WRITE_EVERY = 256  # texts between two writes to the cache
SHOW_AFTER = 2.0  # seconds before a progress bar appears
T = TypeVar("T")


def extract(
    texts: Sequence[str],
    extractor: Extractor | None = None,
    cache: BytesCache | None = None,
    progress: bool = False,
    embed: Embed | None = None,
    ratings: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, list[Span]]:
    """Text → spans, for each distinct text; cached ones are not extracted again.

    Which candidates are aspects, and how they are meant, is then settled by all these texts together
    (``kg.extract.termhood``, ``kg.extract.verdicts``).

    The cache is written every WRITE_EVERY texts: what a killed run loses is less than that and what the extractor has
    under way.

    Args:
        extractor: that of ``kg.extract.extractors.make()`` by default. Of ``Readers`` each language has its own, and
            texts that none reads are left out.
        progress: show a bar on standard error where it takes longer than SHOW_AFTER seconds.
        embed: terms and sentences → unit vectors, by which terms are settled with others like them.
        ratings: text → what its writer gave, on any one scale; by it words learn what they say of which aspect.
    """
    texts = sorted({t for t in texts if t.strip()})
    out: dict[str, list[Span]] = {}
    if not texts:
        return out
    if isinstance(extractor, Readers):
        for one, some in extractor.shared_out(texts):
            out |= extract(some, one, cache, progress, embed, ratings)
        return out
    extractor = extractor or make()
    found = _found(texts, extractor, cache, progress)
    # No leakage. What the cache keeps is what one text says; what the corpus says is settled anew from these texts.
    rows = settled([found[text] for text in texts], embed)
    out = dict(zip(texts, extractor.settle(rows) if isinstance(extractor, Settling) else rows, strict=True))
    if isinstance(extractor, Judging):
        out = extractor.judged(out, ratings, embed)
    return out


def _found(
    texts: Sequence[str], extractor: Extractor, cache: BytesCache | None, progress: bool
) -> dict[str, list[Span]]:
    """What the extractor finds in each text, or has found before."""
    out: dict[str, list[Span]] = {}
    key = keys(extractor.id, texts)
    if cache is not None:
        stored = cache.get_many(list(key.values()))
        decoded = ((t, _decoded(stored[k])) for t, k in key.items() if k in stored)
        out = {t: spans for t, spans in decoded if spans is not None}
    missing = [t for t in texts if t not in out]
    if not missing:
        return out
    fresh: dict[str, bytes] = {}
    for text, spans in _shown(zip(missing, extractor.extract(missing), strict=True), len(missing), progress):
        out[text] = spans
        if cache is not None:
            fresh[key[text]] = _encoded(spans)
            if len(fresh) >= WRITE_EVERY:
                cache.put_many(fresh)
                fresh = {}
    if cache is not None and fresh:
        cache.put_many(fresh)
    return out


def keys(extractor_id: str, texts: Iterable[str]) -> dict[str, str]:
    """Text → its key in the cache."""
    return {t: hashlib.sha256(f"{extractor_id}\x00{t}".encode()).hexdigest() for t in texts}


def _encoded(spans: Iterable[Span]) -> bytes:
    rows = [[s.start, s.end, s.label, s.type, s.polarity, *((s.cues, s.said) if s.cues else ())] for s in spans]
    return json.dumps(rows, separators=(",", ":")).encode()


def _decoded(value: bytes) -> list[Span] | None:
    """The spans of a cached value; None for one that is damaged, so that the text is read again."""
    try:
        return [Span(*row) for row in json.loads(value)]
    except (ValueError, TypeError):
        return None


def _shown(rows: Iterable[T], total: int, progress: bool) -> Iterator[T]:
    """The rows, with a bar on standard error once they have taken SHOW_AFTER seconds."""
    begun = time.monotonic()
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task("reading reviews", total=total)
    shown = False
    try:
        for row in rows:
            yield row
            bar.advance(task)
            if progress and not shown and time.monotonic() - begun > SHOW_AFTER:
                bar.start()
                shown = True
    finally:
        if shown:
            bar.stop()
