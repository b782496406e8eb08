"""What a model was made of: its version, and the choices of an earlier one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from graphrec.config import Config
from graphrec.data.dataset import Dataset


def inherited(chosen: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The choices of an earlier model, without its validation figures, which are not those of another fit."""
    return {**chosen, "validation": {"chosen_by": version}}


def version_of(data: Dataset, config: Config, chosen: Mapping[str, Any]) -> str:
    """What a model was made of, in 20 characters: its data whole, its settings and its choices."""
    made = hashlib.sha256((config.fingerprint() + json.dumps(chosen, sort_keys=True, default=str)).encode())
    return f"{data.digest()[:12]}-{made.hexdigest()[:8]}"
