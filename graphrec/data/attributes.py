"""Typed attributes of items and users: what a column of a side table is, and what enters the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

AttributeType: TypeAlias = Literal["category", "list", "number", "date", "boolean", "text", "point", "image"]


@dataclass(frozen=True)
class Column:
    """One attribute.

    Args:
        name: as in the source. type: what its values are.
        sensitive: read for measuring only.
        why_not: why nothing is learned from it ("identifies: each value occurs once"); "" where it is used.
    """

    name: str
    type: AttributeType
    sensitive: bool = False
    why_not: str = ""
