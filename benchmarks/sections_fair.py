"""The section of RESULTS.md on fairness: what profiles tell, and what clearing and exposure cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sections_table import table


def fairness(name: str, result: dict[str, Any]) -> list[str]:
    """What a probe tells, the curve of exposure, and the figures of both parts."""
    told = result["leakage"]
    probes = [[row["part"], *(_told(row[side]) for side in ("before", "after", "held"))] for row in told["rows"]]
    probes.append(["what people took", _told(told["raw"]), "", ""])
    found, first = result["exposure"], result["exposure"]["before"]
    points = [
        [f"{point['strength']:.3f}", *(f"{point[m]:.4f} ({point[m] / first[m] - 1:+.1%})" for m in first)]
        for point in found["curve"]
    ]
    lines = [
        f"## Fairness: {name}",
        "",
        f"preset fast, {result['split']} split · {result['machine']} · gender of {told['people']:,} people told from "
        f"profiles, balanced accuracy with its 95 % interval; cleared: by an eraser that other people taught, and by "
        f"one that the same people taught, of whom a probe is misled. Looks at the test part: {result['looks']}.",
        "",
        *table(["told from", "as it is", "cleared", "of its teachers"], probes),
        "",
        f"Exposure on validation users; target {found['target']}, {'' if found['met'] else 'not '}met at strength "
        f"{found['strength']:.3f}.",
        "",
        *table(["strength", *first], points),
        "",
    ]
    for which in ("validation", "test"):
        rows = []
        plain = result[which]["as it is"]
        for what, row in result[which].items():
            low, high = row["gap"]["interval"]
            figures = [f"{row['ndcg']:.4f}", f"{row['ndcg'] / plain['ndcg'] - 1:+.1%}", f"{row['gini']:.4f}"]
            figures += [f"{row['gini'] / plain['gini'] - 1:+.1%}", f"{row['gap']['gap']:.4f} ({low:.4f}–{high:.4f})"]
            rows.append([what, *figures, f"{row['p']:.2g}"])
        columns = [which, "NDCG@10", "", "Gini@10", "", "NDCG gap of genders", "p of NDCG"]
        lines += [f"{plain['users']:,} {which} users.", "", *table(columns, rows), ""]
    return lines


def _told(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['right']:.3f} ({low:.3f}–{high:.3f})"


FAIR: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {"fairness": fairness}
