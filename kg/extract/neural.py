"""Extractors with a model of your own: GLiNER, and any transformers model for token classification."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from kg.errors import KGError
from kg.extract.spacy import MAX_CHARS, code_version, without_overlap
from kg.extract.workers import chunks
from kg.names import slug
from kg.polarity import polarities
from kg.text import clean
from kg.types import TYPES, Span

BATCH = 16  # texts read at once
WINDOW = 1_000  # characters read together; models see a few hundred words
THRESHOLD = 0.5  # GLiNER's confidence in a span
_KNOWN = {  # the labels of common models, in the words of this graph
    "per": "person",
    "org": "organisation",
    "organization": "organisation",
    "company": "organisation",
    "loc": "place",
    "gpe": "place",
    "fac": "place",
    "location": "place",
    "work_of_art": "work",
    "creative_work": "work",
    "corp": "brand",
    "cw": "work",
    "prod": "product",
    "asp": "aspect",
    "feature": "aspect",
    "term": "aspect",
    "material": "attribute",
    "color": "attribute",
    "colour": "attribute",
}
ASKED = {  # what GLiNER is asked for → type
    "brand": "brand",
    "product": "product",
    "product feature": "aspect",
    "color or material": "attribute",
    "person": "person",
    "place": "place",
    "book, film, song or game": "work",
    "organization": "organisation",
    "activity or occasion": "use",
}
_BREAK = re.compile(r"(?<=[.!?\n])\s+|\s+")


class _Windowed:
    """Reads texts in windows of WINDOW characters, BATCH texts at a time."""

    id: str

    def extract(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """One list of spans per text, in order; spans sorted by start and not overlapping; polarity set."""
        for batch in chunks(texts, BATCH):
            cleaned = [clean(text[:MAX_CHARS]) for text in batch]
            places = [(n, a, b) for n, text in enumerate(cleaned) for a, b in windows(text)]
            found: list[list[tuple[float, Span]]] = [[] for _ in batch]
            for (n, start, _), rows in zip(places, self._predict([cleaned[n][a:b] for n, a, b in places]), strict=True):
                found[n] += [(score, span) for row in rows for score, span in _span(cleaned[n], start, *row)]
            for text, scored in zip(cleaned, found, strict=True):
                best = [span for _, span in sorted(scored, key=lambda pair: (-pair[0], pair[1].start))]
                spans = without_overlap(best)
                scores = polarities(text, [(s.start, s.end) for s in spans])
                yield [replace(s, polarity=p) for s, p in zip(spans, scores, strict=True)]

    def _predict(self, pieces: list[str]) -> list[list[tuple[int, int, str, float]]]:
        """For each piece of text: start, end, label, score of what was found."""
        raise NotImplementedError


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Pieces of at most WINDOW characters that cover every word, cut after a sentence or else between words."""
    start = 0
    while len(text) - start > WINDOW:
        cuts = list(_BREAK.finditer(text, start + WINDOW // 2, start + WINDOW))
        ends = [m for m in cuts if text[m.start() - 1] in ".!?\n"] or cuts
        end = ends[-1].end() if ends else start + WINDOW
        yield start, end
        start = end
    if text[start:].strip():
        yield start, len(text)


def _span(text: str, offset: int, start: int, end: int, label: str, score: float) -> Iterator[tuple[float, Span]]:
    """The span in the whole text without white space at its edges; whole words only."""
    start, end = start + offset, end + offset
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    whole = not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())
    if start < end and whole and any(map(str.isalpha, text[start:end])):
        yield score, Span(start, end, text[start:end], type_of(label))


def type_of(label: str) -> str:
    """The type of a model's label: a known one, else the label itself. "B-PER" → person, "Battery" → battery."""
    name = label.removeprefix("B-").removeprefix("I-").strip()
    key = slug(name).replace("-", "_")
    type_ = ASKED.get(name) or _KNOWN.get(key) or key
    return type_ if type_ in TYPES or type_ not in {"", "item", "user"} else f"{type_ or 'other'}_entity"


class GlinerExtractor(_Windowed):
    """Zero-shot spans by a GLiNER model (Zaratiana et al., NAACL 2024), asked for the kinds in ASKED.

    Args:
        model: a folder or a hub name, such as urchade/gliner_small-v2.1.

    Raises KGError where the package or the model is missing.
    """

    def __init__(self, model: str) -> None:
        _needs("gliner", "pip install gliner")
        self.id = f"gliner:{_content(model)}:{_version('gliner')}:{code_version('extract/neural.py')}"
        self._model = _loaded(importlib.import_module("gliner").GLiNER.from_pretrained, model)

    def _predict(self, pieces: list[str]) -> list[list[tuple[int, int, str, float]]]:
        found = self._model.inference(pieces, list(ASKED), threshold=THRESHOLD, batch_size=BATCH) if pieces else []
        return [[(e["start"], e["end"], e["label"], e["score"]) for e in row] for row in found]


class TransformersExtractor(_Windowed):
    """Spans by any token classification model of transformers, words kept whole.

    Args:
        model: a folder or a hub name, such as dslim/bert-base-NER.

    Raises KGError where the package or the model is missing.
    """

    def __init__(self, model: str) -> None:
        _needs("transformers", "pip install transformers")
        self.id = f"transformers:{_content(model)}:{_version('transformers')}:{code_version('extract/neural.py')}"
        pipeline = importlib.import_module("transformers").pipeline
        self._model = _loaded(
            lambda name: pipeline("token-classification", model=name, aggregation_strategy="first"), model
        )

    def _predict(self, pieces: list[str]) -> list[list[tuple[int, int, str, float]]]:
        found = self._model(pieces, batch_size=BATCH) if pieces else []
        return [[(int(e["start"]), int(e["end"]), e["entity_group"], float(e["score"])) for e in row] for row in found]


def _needs(package: str, remedy: str) -> None:
    try:
        missing = importlib.util.find_spec(package) is None
    except ValueError:  # put there by hand
        missing = False
    if missing:
        raise KGError(f"kg.extractor={package} needs the package {package}, which is not installed; {remedy}")


@cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _content(model: str) -> str:
    """A hub name as it is; of a folder what its files hold, wherever it lies: a cache never outlives a model."""
    if not Path(model).is_dir():
        return model
    digest = hashlib.sha256()
    for name, path in sorted((p.relative_to(model).as_posix(), p) for p in Path(model).rglob("*") if p.is_file()):
        with path.open("rb") as file:
            digest.update(f"{name}\x00{hashlib.file_digest(file, 'sha256').hexdigest()}\x00".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


def _loaded(load: Any, model: str) -> Any:
    try:
        return load(model)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        found = " ".join(str(error).split())[:120]
        raise KGError(
            f"kg.model={model} cannot be loaded ({found}); "
            "give a folder that holds the model, or a hub name while online"
        ) from None
