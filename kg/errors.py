"""What kg raises on purpose. Each message says in one line what was found, where, and what would fix it."""

from __future__ import annotations


class KGError(ValueError):
    """A knowledge graph cannot be built, read, queried or stored as asked."""
