"""graphrec: recommendations from one heterogeneous graph, each with reasons that can be checked."""

from __future__ import annotations

__version__ = "0.1.0"
