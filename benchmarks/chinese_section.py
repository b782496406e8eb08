"""The section of RESULTS.md on Chinese reviews."""

from __future__ import annotations

from typing import Any


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
