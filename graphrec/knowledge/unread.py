"""Texts of a training part that a fit would have to read or embed, since the caches lack what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from graphrec.data.dataset import Dataset
from graphrec.features.cache import ContentCache, content_key
from graphrec.features.encoder import CachedEncoder, TextEncoder
from graphrec.features.text import MAX_CHARACTERS, item_descriptions, review_text
from graphrec.knowledge.adapter import sources
from graphrec.knowledge.cached import EMBEDDINGS, MENTIONS, readers
from graphrec.settings import KGConfig
from kg.extract.reading import keys

FEW = 64  # texts by which models are loaded


@dataclass(frozen=True)
class Unread:
    """``events``: whose review, or the text of whose item or user, the caches lack, bool (E,). ``characters`` of all
    that they lack, counted once for each cache; sentences and names that are found in reviews are not known yet."""

    events: npt.NDArray[np.bool_]
    characters: int


def unread(train: Dataset, settings: KGConfig, encoder_id: str | None, user_text: bool = False) -> Unread:
    """What of a training part is not in the caches now.

    Args:
        encoder_id: of what embeds texts; None: nothing does. user_text: of people's own texts too.
    """
    summaries, texts = (train.reviews[column].astype(str).tolist() for column in ("summary", "text"))
    lacking: set[str] = set()
    characters = 0
    if settings.enabled:
        for extractor, some in readers(sorted({text for text in texts if text.strip()}), settings):
            lacking |= _lacking(some, partial(keys, extractor.id), MENTIONS)
        characters += sum(map(len, lacking))
    events = np.zeros(len(train.events), np.bool_)
    of = train.reviews["event"].to_numpy(np.int64)
    events[of[[text in lacking for text in texts]]] = True
    if encoder_id is not None:
        whole = [review_text(summary, text) for summary, text in zip(summaries, texts, strict=True)]
        of_items = item_descriptions(train)
        of_users = [str(text)[:MAX_CHARACTERS] if user_text else "" for text in train.user_text]
        wanted = {*whole, *of_items, *of_users, *(_names(train) if settings.enabled else ())}
        lacking = _lacking([text for text in wanted if text.strip()], partial(_keys, encoder_id), EMBEDDINGS)
        characters += sum(map(len, lacking))
        events[of[[text in lacking for text in whole]]] = True
        events |= np.array([text in lacking for text in of_items], np.bool_)[train.events.item_nums]
        events |= np.array([text in lacking for text in of_users], np.bool_)[train.events.user_nums]
    return Unread(events, characters)


def read_few(train: Dataset, settings: KGConfig, encoder: TextEncoder | None) -> None:
    """Load the models that read and embed, by a few texts; nothing of it goes into the caches."""
    texts = [str(text) for text in train.reviews["text"][:FEW] if str(text).strip()]
    if settings.enabled:
        for extractor, some in readers(texts, settings):
            list(extractor.extract(some))
    if encoder is not None:
        own = encoder.encoder if isinstance(encoder, CachedEncoder) else encoder
        own.encode(texts or [text for text in item_descriptions(train) if text][:FEW] or ["a"])


def _names(train: Dataset) -> Iterable[str]:
    """Labels of what is told of items, and of external entities."""
    items, _ = sources(train)
    return (*(str(label) for item in items for _, label in item.attributes), *train.external.labels.values())


def _keys(encoder_id: str, texts: Iterable[str]) -> dict[str, str]:
    return {text: content_key(encoder_id, text) for text in texts}


def _lacking(texts: list[str], keyed: Callable[[list[str]], Mapping[str, str]], cache: str) -> set[str]:
    """Those of the texts of which a cache holds nothing."""
    key = keyed(texts)
    missing = ContentCache(cache).lacks(list(key.values()))
    return {text for text, one in key.items() if one in missing}
