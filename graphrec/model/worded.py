"""What is asked for in free text: how like it every item's text is, and whether any is like it at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphrec.blocks.registry import registered
from graphrec.errors import ConfigError
from graphrec.model.learned import Learned, unit_deviation
from graphrec.types import Floats

MEANINGLESS = (  # what a text encoder makes of these is like an item's text by chance alone
    *("asdf qwer zxcv", "xkcd blorf gnarp", "hdjskahd", "asdfgh", "zzzzzz", "blah", "the", "of and the", "1234", "!!!"),
)

CHANCE = 1.2  # times what the likest of them makes of an item, up to which a likeness may be chance


@dataclass(frozen=True)
class Liking:
    """Likeness of a text to every item's text at unit deviation, float32 (I,): by what it means (cosine of embeddings)
    and by its words (BM25), which count alike. ``vague``: no item is surely more like it than it is like words without
    a meaning."""

    scores: Floats
    vague: bool


def liking_of(model: Learned, words: str) -> Liking:
    """How every item suits words that are asked for. Raises ConfigError where nothing places texts."""
    from graphrec.features.encoder import check_encoder

    block = model.profiles.of_texts
    if block is None or not model.config.features.enabled:
        known = ", ".join(name for name, kind in registered().items() if kind.uses_text and kind.keeps)
        raise ConfigError(f"a query needs text features and a block that answers in words ({known}); fit with both")
    encoder = model.encoder()
    check_encoder(model.encoder_id, encoder)
    texts = encoder.encode([words, *MEANINGLESS], query=True)  # (1 + M, F)
    try:
        sides = np.array([block.encode_text(text) for text in texts], np.float32)  # (1 + M, d)
    except ValueError:
        raise ConfigError(
            "the data has no text, so a query finds nothing; fit on data with reviews or descriptions"
        ) from None
    found = np.asarray(block.items @ sides.T, np.float32)  # (I, 1 + M)
    lengths = np.linalg.norm(block.items, axis=1)[:, None] * np.linalg.norm(sides, axis=1)
    cosines = np.divide(found, lengths, out=np.zeros_like(found), where=lengths > 0)
    vague, meant, lexicon = _vague(cosines[:, 0], cosines[:, 1:]), unit_deviation(cosines[:, 0]), model.lexicon
    if lexicon.empty:
        return Liking(meant, vague)
    written = lexicon.scores(words)
    usual = max(float(lexicon.scores(text).max(initial=0.0)) for text in MEANINGLESS)
    # what is meant and what is written count alike: which of them tells more differs from one question to the next
    both = unit_deviation(meant + unit_deviation(written))
    return Liking(both, vague and float(written.max(initial=0.0)) <= usual)


def _vague(asked: Floats, usual: Floats) -> bool:
    """Whether what is asked, float32 (I,), is like no item more than words without a meaning (I, M) are, each against
    the mean of the others: some items are like whatever is short."""
    others = (usual.sum(axis=1, keepdims=True) - usual) / (usual.shape[1] - 1)  # (I, M)
    return bool((asked - usual.mean(axis=1)).max(initial=0.0) <= CHANCE * (usual - others).max(initial=0.0))
