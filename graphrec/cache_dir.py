"""Where downloads, embeddings and extractions are kept between runs, and how much of them."""

from __future__ import annotations

import os
from pathlib import Path

from graphrec.errors import ConfigError

LIMIT = 2 * 2**30  # bytes of one cache file, unless $GRAPHREC_CACHE_BYTES says otherwise


def graphrec_cache() -> Path:
    """$GRAPHREC_CACHE, else ~/.cache/graphrec. Not created here."""
    folder = os.environ.get("GRAPHREC_CACHE")
    return Path(folder) if folder else Path.home() / ".cache" / "graphrec"


def cache_limit() -> int:
    """Bytes that one cache file may take: $GRAPHREC_CACHE_BYTES, else LIMIT; 0 keeps nothing. Raises ConfigError."""
    given = os.environ.get("GRAPHREC_CACHE_BYTES", "").strip()
    if not given:
        return LIMIT
    if not (given.isascii() and given.isdigit()):
        raise ConfigError(f"GRAPHREC_CACHE_BYTES={given!r} is no whole number of bytes; 2 GiB are {LIMIT}")
    return int(given)
