"""What kg raises on purpose, and the base of that and of all that graphrec does (graphrec/errors.py).

Each message says in one line what was found, where, and what would fix it.
"""

from __future__ import annotations


class GraphrecError(Exception):
    """Base of all expected errors of both packages. The command line prints it as one line and exits with code 2."""


class KGError(GraphrecError):
    """A knowledge graph cannot be built, read, queried or stored as asked."""
