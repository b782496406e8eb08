"""What caches hold of reviews: vectors of their texts, and what was found in them. Keys are hashes of the content."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

import kg.extract.extractors
from graphrec.features.cache import ContentCache, content_key
from graphrec.features.text import review_text
from graphrec.settings import KGConfig
from kg.errors import KGError
from kg.extract.extractors import Readers
from kg.extract.reading import keys
from kg.types import Extractor

EMBEDDINGS, MENTIONS = "embeddings", "mentions"
LEFT = (
    "vectors of single sentences and names, and what earlier versions of the extractor found, are kept under hashes of"
    " their content that cannot be told from others; remove {folder} to be rid of those as well"
)


def forget(
    reviews: pd.DataFrame,
    others: Sequence[str],
    encoder_id: str | None,
    settings: KGConfig,
    extractor: Extractor | None,
) -> tuple[dict[str, int], str]:
    """Remove what the caches hold of these reviews (summary, text); how many entries of each, and what may be left.

    Args:
        others: texts that somebody else wrote too; what is cached of those is theirs.
        encoder_id: of the encoder that read them, if any. extractor: a stand-in for the configured one.
    """
    held = set(others)
    mine = reviews[~reviews["text"].isin(held)]
    embeddings, mentions = ContentCache(EMBEDDINGS), ContentCache(MENTIONS)
    texts = mine["text"].astype(str).tolist()
    whole = {review_text(str(s), t) for s, t in zip(mine["summary"], texts, strict=True)}
    vectors = [content_key(encoder_id, text) for text in (*sorted(whole), *texts)] if encoder_id else []
    read = [key for id_ in _ids(texts, settings, extractor) for key in keys(id_, texts).values()]
    removed = {EMBEDDINGS: embeddings.remove_many(vectors), MENTIONS: mentions.remove_many(read)}
    there = [cache.path for cache in (embeddings, mentions) if cache.path.exists()]
    return removed, LEFT.format(folder=there[0].parent) if there and len(reviews) else ""


def _ids(texts: Sequence[str], settings: KGConfig, extractor: Extractor | None) -> list[str]:
    """The extractors that may have read these texts; none where nothing was read, or they are not installed."""
    if not texts or not settings.enabled:
        return []
    if extractor is not None:
        return [extractor.id]
    return [one.id for one, _ in readers(texts, settings)]


def readers(texts: Sequence[str], settings: KGConfig) -> list[tuple[Extractor, list[str]]]:
    """The configured extractors, loaded, each with those of the texts that it reads; none that is not installed."""
    try:
        if settings.extractor == "spacy" and not settings.model:
            return list(Readers(texts, 1).shared_out(texts))
        return [(kg.extract.extractors.make(settings.extractor, settings.model, 1), list(texts))]
    except KGError:
        return []
