"""The sections of RESULTS.md on presets, choices, friends and triples, Chinese reviews,
and reasons read by eye."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sections_living import LIVING
from sections_store import durability
from sections_table import table as table


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
        f"{result['machine']} · settings: {', '.join(result['settings'])}. `before`: one weight of friends for "
        f"all; entities as rows alone. Looks at the test part: {result.get('looks', 1)}.",
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
        ("and first the reviews nearest to each", "spread, refined"),
        ("and the characters of each review (naive Bayes on these shares)", "counted"),
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
        f" order and with items named alike (but the older often say 'mention'), the newer is better in"
        f" {result['new']}, the older in {result['old']}, neither in {result['same']}.",
        "",
    ]


def presets(name: str, result: dict[str, Any]) -> list[str]:
    rows = []
    for preset in ("fast", "default", "best"):
        if found := result.get(preset):
            figures = [f"{found['metrics'][m]:.4f}" for m in ("ndcg@10", "ndcg@20", "recall@20")]
            block = max(found["alone"], key=lambda one: found["alone"][one]["ndcg@20"])
            alone = found["alone"][block]
            lost = [f"{block} {alone['ndcg@20']:.4f}", f"{alone['lost']:+.4f} ± {alone['error']:.4f}"]
            seconds = [f"{found['busy']:,.0f}", f"{sum(found['seconds'].values()):,.0f}"]
            shown = f"{preset}, on a card" if found.get("card") else preset
            rows.append([shown, *figures, *lost, *seconds, f"{found['peak_rss_mb']:,.0f}"])
    columns = ["preset", "NDCG@10", "NDCG@20", "Recall@20", "its best block alone, NDCG@20", "its lead over the blend"]
    two = [
        [
            preset,
            *(
                f"{result[preset]['rows'][how][m]:.4f}"
                for how in ("train", "refitted")
                for m in ("ndcg@10", "recall@10")
            ),
        ]
        for preset in ("fast", "default", "best")
        if "rows" in result.get(preset, {})
    ]
    return [
        f"## Presets: {name}",
        "",
        f"What `graphrec evaluate --preset` does, embeddings and mentions cached; core-seconds are those of choosing "
        f"and learning, seconds those of everything beside other work · {result['machine']}.",
        "",
        *table([*columns, "core-s", "s", "peak MB"], rows),
        "",
        *(_two(two) if two else ()),
    ]


def _two(rows: list[list[str]]) -> list[str]:
    columns = ["preset", "train: NDCG@10", "Recall@10", "refitted: NDCG@10", "Recall@10"]
    said = "Learned without each user's validation event, which is read (train), and with it (refitted):"
    return [said, "", *table(columns, rows), ""]


def regret(name: str, result: dict[str, Any]) -> list[str]:
    rows = []
    for how in ("before", "after", "hindsight"):
        found = result[how]
        lost = f"{found['regret']:.3f}" if "regret" in found else ""
        against = f"{found['best']} {found['best_ndcg']:.4f} ± {found['error']:.4f}"
        rows.append([how, f"{found['ndcg']:.4f}", lost, against])
    return [
        f"## Regret: {name}",
        "",
        f"{result['users']:,} test users; {result['validation_users']:,} validation users in {result['folds']} folds · "
        f"{result['machine']}. `±`: standard error of the best block's lead over the blend.",
        "",
        *table(["chosen", "NDCG@20", "regret", "its best block alone"], rows),
        "",
    ]


def sequences(name: str, result: dict[str, Any]) -> list[str]:
    """Of each model the two rows: learned without the validation events, and with them."""
    rows = []
    for r in (r for r in result["rows"] if "train" in r):
        found = [r["train"], r["refitted"]]
        cells = [f"{m[k]:.4f}" for m in found for k in ("ndcg@10", "recall@10")]
        rows.append([r["model"], f"{r['valid']:.4f}", *cells, f"{r['seconds']:.0f}", f"{found[1]['seconds']:.0f}"])
    last = result["rows"][-1]
    columns = ["model", "validation NDCG@k", "train: NDCG@10", "Recall@10", "refitted: NDCG@10", "Recall@10"]
    return [
        f"## Order of events: {name}",
        "",
        f"data `{result['data'][:12]}` · {result['machine']} · settings: {', '.join(result['settings'])}. Histories "
        f"that are read hold the validation events in both rows. Blend with transitions against the timeless one, "
        f"paired t-test: p = {last['train']['p']:.2g} (train), {last['refitted']['p']:.2g} (refitted). Looks at the "
        f"test part: {result['looks']}.",
        "",
        *table([*columns, "core-s to choose", "to rank"], rows),
        "",
        f"Chosen: `{json.dumps(result['chosen']['transitions'])}`; weights `{json.dumps(result['weights'])}`",
        "",
    ]


def peer_sequences(name: str, result: dict[str, Any]) -> list[str]:
    """A peer's models of the order and ours, one row each."""
    rows = []
    for r in result["rows"]:
        cells = [f"{r[how][m]:.4f}" for how in ("train", "refitted") for m in ("ndcg@10", "recall@10")]
        ps = ["" if r[how]["p"] is None else f"{r[how]['p']:.2g}" for how in ("train", "refitted")]
        cells = [*cells[:2], ps[0], *cells[2:], ps[1]]
        rows.append([r["model"], f"{r['valid']:.4f}", *cells, f"{r['refitted']['seconds']:.0f}"])
    columns = [
        "model",
        "validation",
        "train: NDCG@10",
        "Recall@10",
        "p",
        "refitted: NDCG@10",
        "Recall@10",
        "p",
        "core-s",
    ]
    chosen = {r["model"]: r["chosen"] for r in result["rows"] if "chosen" in r}
    return [
        f"## A peer's Transformers: {name}",
        "",
        f"leave-last, all items, {result['users']:,} test users · data `{result['data'][:12]}` · {result['machine']} · "
        f"settings of ours: {', '.join(result['settings'])}. Peers' loss (of {result['losses']}) and epochs (of "
        f"{result['epochs']}) are chosen by NDCG@10 on the validation events, ours by NDCG@20. `p`: paired t-test on "
        f"NDCG@10 against the last row. Looks at the test part: {result['looks']}.",
        "",
        *table(columns, rows),
        "",
        f"Chosen: `{json.dumps(chosen)}`",
        "",
    ]


MORE: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
    "lift": lift,
    "sequences": sequences,
    "peer_sequences": peer_sequences,
    "chinese": chinese,
    "reasons": reasons,
    "presets": presets,
    "regret": regret,
    **LIVING,
    "durability": durability,
}
