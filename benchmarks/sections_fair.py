"""The section of RESULTS.md on fairness: what profiles tell, and what clearing and exposure cost."""

from __future__ import annotations

import json
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


def groups(name: str, result: dict[str, Any]) -> list[str]:
    """Groups of people, groups of items, calibration, and what is shown to the genders."""
    told = ", ".join(f"{n:,} {which} users" for which, n in result["users"].items())
    lines = [f"## Groups: {name}", "", f"preset fast, {result['split']} split · {result['machine']} · {told}."]
    lines += [f"Looks at the test part: {result['looks']}.", ""]
    rows, curves = [], []
    for key, found in result["people"].items():
        for which, points in found["parts"].items():
            for what, row in points.items():
                gap, (low, high) = row["gap"], row["gap"]["interval"]
                ends = ", ".join(f"{gap[at]} {row['groups'][gap[at]][0]:.4f}" for at in ("worst", "best"))
                figures = [
                    f"{row['ndcg']:.4f}",
                    f"{gap['gap']:.4f} ({low:.4f}–{high:.4f})",
                    f"{gap['p_value']:.2g}",
                    ends,
                ]
                rows.append([f"{key}, {which}", what, *figures])
        if not found["sure"]:
            curves.append(f"{key}: p of the gap is {found['p_value']:.2g} on validation users, so it is left alone.")
            continue
        ndcg = next(column for column in found["before"] if column.startswith("ndcg@"))
        points = found["curve"]
        table_of = [
            [f"{p['tilt']:.2f}", *(f"{p[m]:.4f} ({p[m] / points[0][m] - 1:+.1%})" for m in (ndcg, "worst", "gap"))]
            for p in points
        ]
        curves += [f"{key}: {found['target']} is {'' if found['met'] else 'not '}met on validation users.", ""]
        curves += [*table(["say of the worst group", ndcg, "of the worst group", "gap"], table_of), ""]
    lines += [*table(["people by", "weights", "NDCG@10", "gap", "p", "worst, best group"], rows), "", *curves, ""]
    rows = []
    for key, found in result.get("learning", {}).items():
        for label, (before, after) in found["ndcg"].items():
            p = f"{found['p'][label]:.2g}" if label in found["p"] else ""
            rows.append([key, found["group"], label, f"{before:.4f} → {after:.4f} ({after / before - 1:+.1%})", p])
    columns = ["validation, people by", "learned from as if three times as many", "of", "NDCG@10", "p"]
    lines += [*table(columns, rows), ""] if rows else []
    rows = []
    for found in result["exposure"].values():
        for which in result["users"]:
            before, after = (found[which][what] for what in ("as it is", "mended"))
            shares = [f"{b:.4f} → {a:.4f} ({a / b - 1:+.1%})" for b, a in ((before[m], after[m]) for m in before)]
            rows.append([found["target"], which, f"{found['strength']:.3f}", *shares, f"{found[which]['p']:.2g}"])
    lines += [
        *table(["exposure of groups of items", "", "strength", "NDCG@10", "Gini@10", "apart", "p of NDCG"], rows),
        "",
    ]
    rows = []
    for which, kinds in result.get("calibration", {}).items():
        people, plain = kinds["people"], kinds["as it is"]
        for what, row in ((what, row) for what, row in kinds.items() if what != "people"):
            shares = [f"{row[m]:.4f} ({row[m] / plain[m] - 1:+.1%})" for m in ("ndcg", "miscalibration")]
            rows.append([f"{which}, {people:,} people", what, *shares, f"{row['p']:.2g}"])
    if rows:
        lines += [*table(["calibration", "", "NDCG@10", "miscalibration, bits", "p of NDCG"], rows), ""]
    rows = []
    for which, kinds in result.get("genders", {}).items():
        plain, measures = kinds["as it is"], ("ndcg", "differential@10", "differential@100")
        for what, row in ((what, row) for what, row in kinds.items() if isinstance(row, dict)):
            shares = [f"{row[m]:.4f} ({row[m] / plain[m] - 1:+.1%})" for m in measures]
            rows.append([which, what, *shares, f"{row['p']:.2g}"])
        rows.append([which, "genders by chance", "", f"{kinds['chance@10']:.4f}", f"{kinds['chance@100']:.4f}", ""])
    columns = ["differential fairness of what is shown", "", "NDCG@10", "of 10", "of 100", "p of NDCG"]
    return [*lines, *table(columns, rows), ""]


def prices(name: str, result: dict[str, Any]) -> list[str]:
    """What more even exposure costs by each way of pricing it."""
    first = result["before"]
    lines = [f"## Exposure by other prices: {name}", "", f"preset fast · {result['machine']} · {result['people']:,} "]
    lines[-1] += f"validation users; Gini@10 {first['gini@10']:.4f}, NDCG@10 {first['ndcg@10']:.4f} as it is; at -30 %:"
    rows = [
        [row["worth"], row["price"], *(f"{row[m]:.4f} ({row[m] / first[m] - 1:+.1%})" for m in ("ndcg@10", "gini@10"))]
        for row in result["rows"]
    ]
    return [*lines, "", *table(["worth of a candidate", "price of an item", "NDCG@10", "Gini@10"], rows), ""]


def differential(name: str, result: dict[str, Any]) -> list[str]:
    """Differential fairness by its published definition, beside what was published with it."""
    lines = [f"## Differential fairness by its own definition: {name}", ""]
    lines += [
        f"random split, {result['users']:,} test users · {result['machine']} · chosen on validation users:"
        f" `{json.dumps(result['chosen'])}`. ε: of the pairs of the test part, genders' smoothed means of ŷ, in logs; a"
        " part of it is of items that one gender did not take there at all, where it tells ŷ's size. Published for"
        " MovieLens-1M (RecBole-FairRec): 1.455 → 1.064 (-27%) for -8.2% of NDCG. Looks at the test part:"
        f" {result['looks']}.",
        "",
    ]
    first: dict[str, Any] = {}
    rows = []
    for what, row in result["rows"].items():
        base = first.setdefault("graphrec" if what.startswith("graphrec") else "", row)
        shares = [f"{row[m]:.4f} ({row[m] / base[m] - 1:+.1%})" for m in ("ndcg", "differential", "both", "tenth")]
        rows.append([what, *shares[:2], f"{row['one']:.4f}", *shares[2:], f"{row['mean']:.3f}", f"{row['p']:.2g}"])
    columns = [
        "model",
        "NDCG@10",
        "ε",
        "of items of one gender",
        "ε, items of both",
        "ε, each ŷ a tenth",
        "mean ŷ",
        "p",
    ]
    return [*lines, *table(columns, rows), ""]


FAIR: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
    "fairness": fairness,
    "fairness_groups": groups,
    "exposure_prices": prices,
    "differential": differential,
}
