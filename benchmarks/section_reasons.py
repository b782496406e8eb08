"""The section of what ``reasons.py`` counted."""

from __future__ import annotations

from typing import Any


def section(name: str, result: dict[str, Any]) -> list[str]:
    """One data set's verdicts."""
    return [
        f"## Reasons read: {name}",
        "",
        f"By one reader of the project, who wrote the code: a quote judges the shown aspect of this item in"
        f" {result['judging']} of {result['quotes']}; of {result['pairs']} explanations before and after, in random"
        f" order (but the newer are told by how they name items), the newer is better in {result['new']}, the older in"
        f" {result['old']}, neither in {result['same']}.",
        "",
    ]
