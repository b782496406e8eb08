"""The sections of RESULTS.md on attention over blocks, tuning of the text encoder and the order of events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sections_table import table


def gate(name: str, result: dict[str, Any]) -> list[str]:
    """Gains on validation people, and test figures where a gate is used."""
    gains = [f"{f['gain']:+.1%} ± {f['error']:.1%}{' ✓' * f['used']}" for f in result["forms"].values()]
    lines = [
        f"## Attention over blocks: {name}",
        "",
        f"{result['people']:,} validation people · relevant: {result['relevant']} · {result['machine']} · "
        f"{result['seconds']:.0f} core-s. Gains of NDCG@20 over weights that are the same for all, on people by whom "
        f"the gate was not learned, with one standard error; ✓: surely above 0. Looks at the test part: "
        f"{result['looks']}.",
        "",
        *table([f"by {form}" for form in result["forms"]], [gains]),
        "",
    ]
    if "test" in result:
        rows = [[how, *(f"{value:.4f}" for value in row.values())] for how, row in result["test"].items()]
        metrics = [m.replace("ndcg", "NDCG").replace("recall", "Recall") for m in result["test"]["gate"]]
        lines += [f"Test, {result['users']:,} users, paired t-test on NDCG@20: p = {result['p']:.2g}.", ""]
        lines += [*table(["weights", *metrics], rows), ""]
    return lines


def encoder(name: str, result: dict[str, Any]) -> list[str]:
    """The block of texts with the frozen encoder and with tuned ones."""
    rows = []
    for row in result["rows"]:
        told = [f"{row['test'][m]:.4f}" for m in row["test"]] if "test" in row else ["", "", ""]
        losses = " → ".join(f"{loss:.2f}" for loss in row.get("losses", []))
        rows.append([row["encoder"], f"{row['valid']:.4f}", *told, losses, f"{row['seconds']:.0f}"])
    columns = ["encoder", "validation NDCG@20", "NDCG@10", "NDCG@20", "Recall@20", "loss", "core-s of tuning"]
    return [
        f"## Tuning of the text encoder: {name}",
        "",
        f"{result['users']:,} test users, the block of texts alone · data `{result['data'][:12]}` · "
        f"{result['machine']} · settings: {', '.join(result['settings'])}. Tuned against frozen, paired t-test on "
        f"NDCG@20: p = {result['p']:.2g}. Looks at the test part: {result['looks']}.",
        "",
        *table(columns, rows),
        "",
    ]


def order(_: str, result: dict[str, Any]) -> list[str]:
    """What the order adds on validation users, and with the order within each history shuffled."""
    rows = [
        [
            row["set"],
            f"{row['users']:,}",
            f"{row['alone']:+.1%} ± {row['doubt']:.1%}{' ✓' * row['before']}",
            f"{row['gain']:.1f}{' ✓' * row['now']}",
            ", ".join(f"{gain:.1f}{' ✓' * (gain > result['bar'])}" for gain in row["shuffled"]),
            f"{row['seconds']:.1f}",
        ]
        for row in result["rows"]
    ]
    return [
        "## Whether the order tells anything",
        "",
        f"{result['machine']} · settings: {', '.join(result['settings'])}. The pilot of `transitions` and `sequence`, "
        f"on validation users. Alone: NDCG@20 of the last events against all of the history, with one standard error; "
        f"✓: above it, which decided before. Beside: 2 Δ log-likelihood beside the history, what comes together and "
        f"popularity; ✓: above {result['bar']}, which decides now. No look at a test part.",
        "",
        *table(["set", "validation users", "alone", "beside", "shuffled", "core-s"], rows),
        "",
    ]


GATE: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {"gate": gate, "encoder": encoder, "order": order}
