"""Named entities and candidates for aspects of review texts, by spaCy's small English pipeline."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import chain, islice

from kg.extract.cues import candidates
from kg.extract.model import load_model
from kg.extract.roles import roles
from kg.extract.spans import names
from kg.extract.verdicts import verdicts
from kg.extract.workers import CHUNK, can_fork, chunks, in_order
from kg.polarity import polarities
from kg.text import clean
from kg.types import Embed, Span

MAX_CHARS = 20_000  # of one text are read
PARALLEL_FROM = 1_000  # texts
_CODE = (
    *(f"extract/{name}.py" for name in ("spacy", "cues", "spans", "roles", "model", "termhood")),
    *("text.py", "polarity.py", "words.toml"),
)


@cache
def code_version(*more: str) -> str:
    """Hash of everything here that decides a result, so that a cache never outlives the code; ``more`` files too."""
    digest = hashlib.sha256()
    for name in (*_CODE, *more):
        digest.update(files("kg").joinpath(name).read_bytes())
    return digest.hexdigest()[:12]


class SpacyExtractor:
    """Spans from spaCy: named entities mapped to types, and candidates for aspects (``kg.extract.termhood`` chooses).

    Args:
        processes: workers for more than PARALLEL_FROM texts.
        model: package or folder of another pipeline, with tagger, parser and named entities.

    Raises KGError where no model is installed. Only the first MAX_CHARS characters of a text are read.
    """

    def __init__(self, processes: int = 2, model: str = "") -> None:
        self.processes = max(1, processes)
        self.nlp = load_model(model)
        self.id = f"spacy:{self.nlp.meta['name']}-{self.nlp.meta['version']}:{code_version()}"

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """One list of spans per text, in order; spans sorted by start, apart but for candidates; polarity set."""
        rows = iter(texts)
        head = list(islice(rows, PARALLEL_FROM + 1))
        if len(head) > PARALLEL_FROM and self.processes > 1 and can_fork():
            yield from in_order(self._read, chain(head, rows), self.processes)
        else:
            for chunk in chunks(chain(head, rows), CHUNK):
                yield from self._read(chunk)

    @staticmethod
    def judged(
        found: Mapping[str, list[Span]], ratings: Mapping[str, float], embed: Embed | None
    ) -> dict[str, list[Span]]:
        """The spans of each text with the polarity of those that are aspects; the others have theirs."""
        places = [[(s.start, s.end) for s in row if s.type == "aspect"] for row in found.values()]
        read = [clean(text[:MAX_CHARS]) for text in found]
        out = {}
        for (text, row), values in zip(
            found.items(), verdicts(read, places, [ratings.get(text) for text in found], embed), strict=True
        ):
            said = iter(values)
            out[text] = [replace(s, polarity=next(said)) if s.type == "aspect" else s for s in row]
        return out

    def _read(self, texts: list[str]) -> list[list[Span]]:
        out = []
        for doc in self.nlp.pipe(clean(text[:MAX_CHARS]) for text in texts):
            spans = sorted(
                [*without_overlap([*names(doc), *roles(doc)]), *candidates(doc)], key=lambda s: (s.start, s.end)
            )
            scores = polarities(doc.text, [(s.start, s.end) for s in spans])
            out.append([replace(s, polarity=p) for s, p in zip(spans, scores, strict=True)])
        return out


def without_overlap(spans: list[Span]) -> list[Span]:
    """Earlier in the list wins."""
    kept: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)
