"""Where downloads, embeddings and extractions are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def graphrec_cache() -> Path:
    """$GRAPHREC_CACHE, else ~/.cache/graphrec. Not created here."""
    folder = os.environ.get("GRAPHREC_CACHE")
    return Path(folder) if folder else Path.home() / ".cache" / "graphrec"
