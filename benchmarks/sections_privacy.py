"""The section of RESULTS.md on privacy: what noise costs, and what an attack tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sections_table import table


def privacy(name: str, result: dict[str, Any]) -> list[str]:
    """NDCG against ε, beside popularity alone, and the AUC of the attack."""
    *rows, popular = result["rows"]
    whole, attack = rows[0]["ndcg"], result["attack"]
    told = []
    for row in rows:
        key = f"{row['epsilon']:g}"
        figures = [f"{row['ndcg']:.4f} ± {row['error']:.4f}", f"{row['ndcg'] / whole:.1%}", str(row["candidates"])]
        auc = f"{attack[key]:.3f}" if key in attack else ""
        told.append(["∞" if row is rows[0] else key, *figures, auc])
    share = f"{popular['ndcg'] / whole:.1%}"
    told.append(["popularity alone, counted", f"{popular['ndcg']:.4f} ± {popular['error']:.4f}", share, "", ""])
    columns = ["ε", f"NDCG@{result['k']}", "of that at ∞", "candidates compared", "AUC of the attack"]
    return [
        f"## Privacy: {name}",
        "",
        f"{result['users']:,} people, {result['items']:,} items, {result['events']:,} events, {result['split']} split "
        f"· {result['machine']} · user-level (ε, {result['delta']:g})-differential privacy of all that is learned from "
        f"several people, by noise on counts and a Gram matrix; the last {result['bound']} things that each took, no "
        f"bound at ∞. Attack: members told from others by the links of `neighbours`.",
        "",
        *table(columns, told),
        "",
    ]


PRIVACY: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {"privacy": privacy}
