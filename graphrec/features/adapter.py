"""An adapter of the text encoder: maps of low rank that ``lora.tune`` learned, in a folder of their own.

The folder is in the format of peft, with safetensors, and beside it is what it has read: ``read.safetensors`` holds
hashes of user and item of every event, so that an adapter is refused where something is held out that it knows.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError, MissingModelError, OtherEncoderError
from graphrec.features.fingerprint import file_sha256
from graphrec.types import Ints

WEIGHTS, CONFIG, READ, TUNING = "adapter_model.safetensors", "adapter_config.json", "read.safetensors", "tuning.json"
REMEDY = "pip install 'graphrec[lora]'"


def adapter_id(folder: str | Path) -> str:
    """What an adapter is called by: its weights and their settings. Raises MissingModelError where there are none."""
    try:
        found = [file_sha256(Path(folder) / name)[:8] for name in (WEIGHTS, CONFIG)]
    except OSError:
        raise MissingModelError(
            f"features.adapter: {folder} holds no {WEIGHTS} with its {CONFIG}; name the folder of an adapter, or leave "
            "it out with --set features.adapter="
        ) from None
    return f"lora:{''.join(found)}"


def applied(model: Any, folder: str | Path, base_id: str) -> None:
    """Add an adapter to the weights of a sentence-transformers model, in place.

    Raises MissingModelError without the extra ``lora``, OtherEncoderError where it was learned for another encoder.
    """
    installed()
    import peft

    told = Path(folder) / TUNING
    of = json.loads(told.read_text("utf-8")).get("encoder", base_id) if told.is_file() else base_id
    if of != base_id:
        raise OtherEncoderError(
            f"features.adapter: {folder} was learned for the text encoder {of}, and {base_id} is configured; set "
            "features.encoder to it, or learn an adapter for this one"
        )
    try:
        with quiet():
            peft.PeftModel.from_pretrained(model[0].auto_model, str(folder)).merge_and_unload()  # in place
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MissingModelError(
            f"features.adapter: {folder} cannot be put on {base_id} ({reason}); learn it anew, or leave it out with "
            "--set features.adapter="
        ) from None


def check(folder: str | Path, train: Dataset) -> None:
    """Refuse an adapter that has read of an event that ``train`` does not hold, though it knows its user and its item.

    # No leakage. Such an event is held out, and whoever was tuned on it knows the answer. Raises ConfigError.
    """
    file = Path(folder) / READ
    if not file.is_file():
        return
    try:
        read = load_file(file)["events"]  # (n, 2)
    except (SafetensorError, KeyError, OSError):
        raise ConfigError(f"{file} cannot be read; learn the adapter anew") from None
    users, items = _hashed(train.users.ids), _hashed(train.items.ids)
    shared = read[np.isin(read[:, 0], users) & np.isin(read[:, 1], items)]
    pairs = train.events.pairs
    here = np.unique(np.stack([users[pairs.user_nums], items[pairs.item_nums]], axis=1), axis=0)
    both = np.unique(np.vstack([here, np.unique(shared, axis=0)]), axis=0)
    if n := len(both) - len(here):
        raise ConfigError(
            f"features.adapter: {folder} was learned from {n:,} events that are held out here, so that nothing chosen "
            "or measured with it would hold; learn it from the training part (graphrec.tuning.tune_encoder does), or "
            "leave it out with --set features.adapter="
        )


def known(train: Dataset) -> Ints:
    """User and item of every event, as hashes, int64 (n, 2)."""
    pairs = train.events.pairs
    users, items = _hashed(train.users.ids), _hashed(train.items.ids)
    return np.stack([users[pairs.user_nums], items[pairs.item_nums]], axis=1)


def _hashed(ids: Sequence[str]) -> Ints:
    """Eight bytes of each id's hash, int64 (n,)."""
    digests = b"".join(hashlib.blake2b(i.encode("utf-8", "surrogatepass"), digest_size=8).digest() for i in ids)
    return np.frombuffer(digests, np.int64)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what peft asks of transformers by an old name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def installed() -> None:
    """Raises MissingModelError without the extra ``lora``."""
    if importlib.util.find_spec("peft") is None:
        raise MissingModelError(f"tuning of the text encoder needs peft, which is not installed; {REMEDY}")
