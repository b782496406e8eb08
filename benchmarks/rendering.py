"""A Markdown table, and the section of RESULTS.md that tells what friends and triples are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chinese_section import chinese


def table(columns: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def lift(name: str, result: dict[str, Any]) -> list[str]:
    """Lifts are of the figure without; intervals are of the paired bootstrap over users."""

    def told(found: list[float] | None) -> str:
        return f"{found[0]:+.1f} ({found[1]:+.1f} to {found[2]:+.1f})" if found else ""

    sides = [side for side in ("without", "shuffled", "before", "with") if side in result["rows"][0]]
    rows = [
        [
            r["group"],
            f"{r['users']:,}",
            *(f"{r[s]:.4f}" for s in sides),
            told(r["lift_without"]),
            told(r["lift_shuffled"]),
        ]
        for r in result["rows"]
        if r["users"]
    ]
    return [
        f"## Lift of {result['source']}: {name}",
        "",
        f"NDCG@20 of test users; of items, the share found among 20 · data `{result['data'][:12]}` · "
        f"{result['machine']} · settings: {', '.join(result['settings'])}. `before`: one weight of friends for all. "
        "The test part was looked at once for this table.",
        "",
        *table(["group", "users", *sides, "lift, %", "over shuffled, %"], rows),
        "",
    ]


MORE: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {"lift": lift, "chinese": chinese}
