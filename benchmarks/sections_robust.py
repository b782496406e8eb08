"""The sections of RESULTS.md on fake profiles: how far they push an item, and what setting them aside does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sections_table import table


def robustness(name: str, result: dict[str, Any]) -> list[str]:
    """How far the item moves with each model, without and with the defence, and who is found."""
    k, clean = result["k"], result["clean"]
    attacks = list(dict.fromkeys(row["attack"] for row in result["rows"]))
    moved, found, near = [], [], []
    for attack in attacks:
        rows = [row for row in result["rows"] if row["attack"] == attack]
        for model in rows[0]["before"]:
            before = np.array([row["before"][model] for row in rows])
            cells = [f"{before[:, 0].mean():,.0f}"]
            shifts = []
            for way in ("without", "with"):
                after = np.array([row[way][model]["place"] for row in rows])
                shifts.append(float((before[:, 0] - after[:, 0]).mean()))
                cells += [f"{shifts[-1]:+,.0f}", f"{after[:, 1].mean() - before[:, 1].mean():+.4f}"]
            left = abs(shifts[1] / shifts[0]) if shifts[0] else 0.0
            quality = [np.mean([row[way][model]["ndcg"] for row in rows]) for way in ("without", "with")]
            prices = [f"{value / clean['ndcg'][model] - 1:+.2%}" for value in quality]
            moved.append([attack, model, *cells, f"{left:.3f}", *prices])
        if "near" in rows[0]:
            near += [[model, *_near(rows, model)] for model in rows[0]["near"]]
        means = [f"{np.mean([row[what] for row in rows]):.1%}" for what in ("found", "pca", "person")]
        silent = f"{np.mean([row['silent'] for row in rows]):.1%}" if "silent" in rows[0] else ""
        found.append([attack, means[0], f"{np.mean([row['others'] for row in rows]):.1f}", silent, *means[1:]])
    price = ", ".join(f"{m} {clean['with'][m] / clean['ndcg'][m] - 1:+.2%}" for m in clean["ndcg"])
    heads = ["places up", f"HR@{k}", "up, defended", f"HR@{k} ", "left", f"NDCG@{k}", "defended"]
    return [
        f"## Fake profiles: {name}",
        "",
        f"{result['users']:,} people, {result['items']:,} items, {result['split']} split · {result['machine']} · "
        f"{result['made_up']} people more, all for one item; means over {len(result['rows']) // len(attacks)} items, "
        f"of its place for {result['people']:,} people at most who have not taken it. Defended: `robust.set_aside`. "
        f"NDCG of test users against that without fake profiles and without the defence. Nobody made up, the defence "
        f"sets {clean['people']} people aside{_events(clean)}; NDCG: {price}.",
        "",
        *table(["attack", "model", "place", *heads], moved),
        "",
        *_segment(near, k),
        "Found of those who are made up, and whose taking of the item does not count, found or not; as many taken as "
        "there are, PCA-VarSelect and person by person find:",
        "",
        *table(
            ["attack", "found", "real people taken for them", "do not count", "PCA-VarSelect", "person by person"],
            found,
        ),
        "",
    ]


def _events(clean: dict[str, Any]) -> str:
    return f", and {clean['events']} pairs do not count" if "events" in clean else ""


def _near(rows: list[dict[str, Any]], model: str) -> list[str]:
    """Place and share of people of the segment who are shown the item, before, and with each way."""
    told = [np.array([row["near"][model] for row in rows])]
    told += [np.array([row[way][model]["near"] for row in rows]) for way in ("without", "with")]
    return [f"{value:,.{d}f}" for d, of in ((0, 0), (3, 1)) for value in (t[:, of].mean() for t in told)]


def _segment(rows: list[list[str]], k: int) -> list[str]:
    if not rows:
        return []
    heads = ["place", "attacked", "defended", f"HR@{k}", "attacked ", "defended "]
    return ["Segment attack, for the people of the segment:", "", *table(["model", *heads], rows), ""]


def clean_sets(name: str, result: dict[str, Any]) -> list[str]:
    """Who looks made up where nobody is known to be."""
    return [
        f"## Fake profiles: who looks made up in {name}",
        "",
        f"{result['people']} of {result['users']:,} people, for {result['pushed']} of {result['items']:,} items"
        f"{_events(result)}.",
        "",
    ]


def poisoned(name: str, result: dict[str, Any]) -> list[str]:
    """How far praise of people who are made up moves an item, without and with them set aside."""
    k, moved = result["k"], []
    attacks = list(dict.fromkeys(row["attack"] for row in result["rows"]))
    for attack in attacks:
        rows = [row for row in result["rows"] if row["attack"] == attack]
        found = f"{np.mean([row['found'] for row in rows]):.0%}, {np.mean([row['others'] for row in rows]):.1f}"
        for model in rows[0]["before"]:
            before = np.array([row["before"][model] for row in rows])
            cells = [f"{before[:, 0].mean():,.0f}"]
            for way in ("without", "with"):
                after = np.array([row[way][model]["place"] for row in rows])
                cells += [
                    f"{(before[:, 0] - after[:, 0]).mean():+,.0f}",
                    f"{after[:, 1].mean() - before[:, 1].mean():+.4f}",
                ]
            quality = [np.mean([row[way][model]["ndcg"] for row in rows]) for way in ("without", "with")]
            moved.append([attack, model, found, *cells, *(f"{v / result['clean'][model] - 1:+.2%}" for v in quality)])
    heads = ["found, real people taken for them", "place", "places up", f"HR@{k}", "up, defended", f"HR@{k} "]
    return [
        f"## Poisoned reviews: {name}",
        "",
        f"{result['users']:,} people, {result['items']:,} items, {result['split']} split · {result['machine']} · "
        f"{result['made_up']} people more, all for one item; means over {len(result['rows']) // len(attacks)} items. "
        "taken: average profiles that write nothing; written: each also writes of the item what somebody wrote who "
        "praised one of the most popular; alone: the same words, of people who took nothing else. Defended: "
        "`robust.set_aside`. NDCG of test users against that without fake people.",
        "",
        *table(["attack", "model", *heads, f"NDCG@{k}", "defended"], moved),
        "",
    ]


def ways(name: str, result: dict[str, Any]) -> list[str]:
    """How far each way lets an item be pushed, and its price."""
    first, k = result["rows"][0], result["k"]
    rows = [
        [
            row["way"] or "as it is",
            *(f"{row['up'][attack]['sum']:+,.0f} ({row['up'][attack]['popularity']:+,.0f})" for attack in row["up"]),
            f"{row['ndcg']['sum']:.4f}",
            f"{row['ndcg']['sum'] / first['ndcg']['sum'] - 1:+.2%}",
        ]
        for row in result["rows"]
    ]
    return [
        f"## Fake profiles: ways that find nobody, {name}",
        "",
        f"{result['users']:,} people, {result['items']:,} items, {result['events']:,} pairs, training part · "
        f"{result['machine']} · {result['made_up']} people more; means over {result['targets']} items of how many "
        "places the item goes up by the sum of popularity, 64 directions and cosine (by popularity alone), and NDCG of "
        f"validation users by the sum. With nobody made up `unlike` leaves out {result['lost']} pairs.",
        "",
        *table(["way", *first["up"], f"NDCG@{k}", "price"], rows),
        "",
    ]


ROBUST: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
    "robustness": robustness,
    "robust_clean": clean_sets,
    "poisoned": poisoned,
    "robust_ways": ways,
}
