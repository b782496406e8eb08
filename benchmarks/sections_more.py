"""A Markdown table, and the sections of RESULTS.md on friends and triples, Chinese reviews, and reasons read by eye."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


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


def chinese(name: str, result: dict[str, Any]) -> list[str]:
    """Sign, aspects and kind of goods, of the half that was worked on and of the other."""
    half, looks = result["held out"], result["looks_at_held_out"]
    kind, sign, read = half["kind"], half["sign"], half["sensible"]
    lines = [f"## Chinese reviews: {name}", ""]
    lines += [
        f"{half['reviews']:,} reviews of the half kept apart (looked at {looks} times) · {result['machine']}. "
        "Nothing is learned from labels. A review without a mention, or with a sum of 0, counts as wrong.",
        "",
        "| | worked on | held out |",
        "| --- | --- | --- |",
    ]
    for label, key in (
        ("sign of a review from its mentions", "accuracy"),
        ("the same, reviews with a sign only", "accuracy_of_signed"),
        ("reviews without a sign", "without_sign"),
        ("reviews with an aspect", "with_aspect"),
        ("praise to everything", "all_praise"),
    ):
        lines.append(f"| {label} | {result['worked on']['sign'][key]:.3f} | {sign[key]:.3f} |")
    mean = f"{sum(read.values()) / len(read):.3f}" if read else "not read"
    lines.append(f"| sensible among the 30 commonest aspects of a kind, mean | | {mean} |")
    for label, key in (
        ("label prompts, cosine alone", "plain"),
        ("centred over the sample", "centred"),
        ("prompts with words for each kind", "told"),
        ("and the sample's own groups (EM)", "refined"),
    ):
        lines.append(f"| kind of goods (chance .10): {label} | | {kind[key]:.3f} |")
    lines += ["", "| kind | sign | sensible aspects |", "| --- | --- | --- |"]
    for goods, right in sorted(sign["by_kind"].items(), key=lambda pair: -pair[1]):
        lines.append(f"| {goods} | {right:.3f} | {read.get(goods, float('nan')):.2f} |")
    return [*lines, ""]


def reasons(name: str, result: dict[str, Any]) -> list[str]:
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


MORE: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {"lift": lift, "chinese": chinese, "reasons": reasons}
