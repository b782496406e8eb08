"""The sections of RESULTS.md: what each kind of measurement is told as, in Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sections_fair import FAIR
from sections_gate import GATE
from sections_more import MORE
from sections_more import table as table
from sections_privacy import PRIVACY
from sections_profile import PROFILE
from sections_robust import ROBUST
from sections_scale import SCALE
from sections_serving import SERVING


def _strength(name: str, result: dict[str, Any]) -> list[str]:
    rows, reasons = [], result["liked"]["reasons"]
    for relevant, what in (("liked", "liked items"), ("all", "all items taken")):
        found = result[relevant]
        on, off = found["with strength"], found["all alike"]
        figures = [f"{side[k]:.4f}" for k in ("ndcg@10", "ndcg@20") for side in (on, off)]
        ratio = on["ndcg@10"] / off["ndcg@10"]
        readings = ", ".join(f"{block}: {how}" for block, how in on["readings"].items() if how)
        rows.append([what, f"{found['users']:,}", *figures, f"{ratio:.3f}", f"{found['p']:.2g}", readings])
    columns = ["relevant", "users", "NDCG@10", "all alike", "NDCG@20", "all alike", "ratio@10", "p", "read as"]
    return [
        f"## Strength of events: {name}",
        "",
        f"Data `{result['data'][:12]}` · {result['machine']} · settings `{' '.join(result['settings'])}`, seeds: "
        f"{result.get('seeds', 1)}. The same code with strength and with all events alike. Of "
        f"{reasons['history_items']:,} history items in the reasons of {reasons['explanations']:,} recommendations, "
        f"{reasons['disliked']} are dislikes.",
        "",
        *table(columns, rows),
        "",
    ]


def _network(name: str, result: dict[str, Any]) -> list[str]:
    chosen, metrics = result["chosen"], result["metrics"]
    rows = [[f"**{name.partition(', ')[2]}**", f"{metrics['recall@20']:.4f}", f"{metrics['ndcg@20']:.4f}"]]
    rows += [[title, *(f"{figure:.4f}" for figure in figures)] for title, figures in result["published"].items()]
    losses = dict(map(tuple, chosen.get("losses", [])))
    curve = [[str(e), f"{losses[e]:.3f}" if e in losses else "", f"{s:.4f}"] for e, s in chosen.get("curve", [])]
    return [
        f"## The network alone: {name}",
        "",
        f"Data `{result['data'][:12]}` · {result['machine']} · it took "
        f"{result['seconds'] / 60:.0f} minutes, {result['busy'] / 60:.0f} of one core. Temperature "
        f"{chosen['temperature']}, width {chosen.get('dim', '')}, {chosen['epochs']} epochs. "
        f"{result.get('note', '')}".rstrip(),
        "",
        *table(["network", "Recall@20", "NDCG@20"], rows),
        "",
        *(["Learning curve, on validation users carved from train:", ""] if curve else []),
        *(table(["epoch", "loss", "NDCG@20"], curve) if curve else []),
        "",
    ]


def _reading(name: str, result: dict[str, Any]) -> list[str]:
    seconds = result["seconds"]
    return [
        f"## Reading: {name}",
        "",
        f"{result['megabytes']:,.0f} MB of CSV, made up · {result['machine']} · peak {result['peak_rss_mb']:,.0f} MB.",
        "",
        *table([*seconds, "all, s"], [[f"{value:.1f}" for value in (*seconds.values(), result["total"])]]),
        "",
    ]


def _kg(name: str, result: dict[str, Any]) -> list[str]:
    rows = [[r["what"], f"{r['seconds']:.0f}", f"{r['cpu']:.0f}", f"{r['texts_per_s']:.1f}"] for r in result["rows"]]
    return [
        f"## Knowledge-graph build: {name}",
        "",
        f"{result['texts']:,} texts, {result['processes']} processes, turn about in {result['parts']} parts · "
        f"{result['machine']}. The build runs at {result['ratio']:.2f} of the bare pipeline (by CPU time "
        f"{result['cpu_ratio']:.2f}); {result['triples']:,} triples.",
        "",
        *table(["what", "s", "CPU s", "texts/s"], rows),
        "",
    ]


def _aspects(name: str, result: dict[str, Any]) -> list[str]:
    columns = ["", "precision", "recall", "F1", "polarity, accuracy"]
    both = (("before", result.get("before", result)), ("now", result))
    rows = [[who, *(f"{r[k]:.4f}" for k in ("precision", "recall", "f1", "polarity"))] for who, r in both]
    about = (
        f"{result['terms']:,} gold terms, {result['sentences']:,} sentences · data `{result['data'][:12]}` · "
        f"{result['machine']} · `{result['extractor']}`. Exact spans; positive to everything: "
        f"{result['all_positive']:.4f}. Nothing was learned from this part, but from others of the domain."
    )
    return [f"## Aspect terms: {name}", "", about, "", *table(columns, rows), ""]


def _peers(name: str, result: dict[str, Any]) -> list[str]:
    return _accuracy(name, result, "Beside other libraries")


def _accuracy(name: str, result: dict[str, Any], title: str = "Accuracy") -> list[str]:
    """`p` is a paired t-test over users on NDCG@20 against the best baseline, Holm-corrected."""
    best = max((r["metrics"]["ndcg@20"] for r in result["rows"] if r["model"] != "graphrec"), default=float("nan"))
    rows = []
    for row in result["rows"]:
        m, p = row["metrics"], row["p_value_vs_best_baseline"]
        low, high = row["interval"]["ndcg@20"]
        cells = [row["model"], *(f"{m[k]:.4f}" for k in ("ndcg@10", "recall@10", "ndcg@20", "recall@20"))]
        cells += [f"{low:.4f}–{high:.4f}", f"{m['ndcg@20'] / best:.2f}", "" if p is None else f"{p:.2g}"]
        rows.append([*cells, f"{sum(row['seconds'].values()):.0f}"])
    chosen: dict[str, Any] = next((row["chosen"] for row in result["rows"] if row["model"] == "graphrec"), {})
    columns = ["model", "NDCG@10", "Recall@10", "NDCG@20", "Recall@20", "95 % of NDCG@20", "ratio to best baseline"]
    return [
        f"## {title}: {name}",
        "",
        f"{result['users']:,} test users · relevant: {result.get('relevant', 'all')} · "
        f"data `{result['data'][:12]}` · {result['machine']} · peak "
        f"{result['peak_rss_mb']:,.0f} MB. `p`: paired t-test over users on NDCG@20 against the best baseline, Holm.",
        "",
        *table([*columns, "p", "s"], rows),
        "",
        f"Settings: {', '.join(result.get('settings', []))}. graphrec chose `{json.dumps(chosen)}`",
        "",
    ]


def _ablation(name: str, result: dict[str, Any]) -> list[str]:
    whole = result["rows"][0]["ndcg@20"]
    rows = [
        [r["what"], f"{r['ndcg@20']:.4f}", f"{r['ndcg@20'] / whole:.3f}", "" if r["p"] is None else f"{r['p']:.2g}"]
        for r in result["rows"]
    ]
    return [
        f"## Ablation: {name}",
        "",
        f"data `{result['data'][:12]}` · {result['machine']} · settings: {', '.join(result['settings'])}. `p`: paired"
        " t-test over users on NDCG@20 against the whole, Holm.",
        "",
        *table(["what", "NDCG@20", "ratio to the whole", "p"], rows),
        "",
    ]


def _times(name: str, result: dict[str, Any]) -> list[str]:
    rows = [[r["what"], f"{r['ndcg@20']:.4f}", f"{r['seconds']:.0f}", f"{r['ratio']:.2f}"] for r in result["rows"]]
    return [
        f"## Time to quality: {name}",
        "",
        f"data `{result['data'][:12]}` · {result['machine']}. {result['note']}",
        "",
        *table(["what", "NDCG@20", "s", "time over graphrec's"], rows),
        "",
    ]


def _speed(name: str, result: dict[str, Any]) -> list[str]:
    rows = [[r["what"], f"{r['seconds']:.1f}", f"{r['ratio']:.2f}"] for r in result["rows"]]
    return [
        f"## Evaluation speed: {name}",
        "",
        f"{result['users']:,} test users, {result['items']:,} items, profiles of width {result['width']:,}, k = 20 · "
        f"data `{result['data'][:12]}` · {result['machine']} · peak {result['peak_rss_mb']:,.0f} MB. Median of "
        f"{result['rounds']} rounds, turn about.",
        "",
        *table(["what", "s", "ratio to the bare product"], rows),
        "",
    ]


def _filtered(name: str, result: dict[str, Any]) -> list[str]:
    rows = []
    for r in result["rows"]:
        skipping = "" if r["skipping"] is None else f"{r['skipping']:.4f}"
        figures = [f"{r['ms']:.2f}", f"{r['ratio']:.2f}", str(r["results"]), f"{r['recall']:.4f}", skipping]
        rows.append([r["what"], *figures])
    columns = ["allowed", "ms a query", "ratio", "results, fewest", "Recall@10 of exact", "of a walk that only skips"]
    return [
        f"## Filtered search: {name}",
        "",
        f"Made up, width {result['width']}, HNSW, {result['queries']:,} queries in one call, k = {result['k']}, median "
        f"of {result['rounds']} rounds, turn about · {result['machine']} · peak {result['peak_rss_mb']:,.0f} MB.",
        "",
        *table(columns, rows),
        "",
    ]


def _minute(name: str, result: dict[str, Any]) -> list[str]:
    m, s = result["metrics"], result["seconds"]
    row = [f"{m['recall@20']:.4f}", f"{m['ndcg@20']:.4f}", f"{s['fit']:.0f}", f"{s['fit'] / s['product']:.1f}"]
    return [
        f"## Without a search: {name}",
        "",
        f"{result['users']:,} test users · relevant: {result.get('relevant', 'all')} · "
        f"data `{result['data'][:12]}` · {result['machine']} · peak "
        f"{result['peak_rss_mb']:,.0f} MB. Settled beforehand: `{json.dumps(result['chosen'])}`",
        "",
        *table(["Recall@20", "NDCG@20", "s", "time over one product of the profiles"], [row]),
        "",
    ]


def _explanations(name: str, result: dict[str, Any]) -> list[str]:
    """What nothing could be measured for is left empty."""
    own, networkx = result["report"], result["networkx"]
    sides = (own, own["popular_paths"])

    def row(what: str, values: list[Any]) -> list[str]:
        return [what.replace("_", " "), *("" if value is None else f"{value:.3f}" for value in values)]

    measures = ("valid_steps", "verbatim_quotes", "named_entity", "entity_lift", "quoted", "lir", "sep", "etd")
    rows = [row(what, [side.get(what) for side in sides]) for what in measures]
    for size, measured in own["deletion"].items():
        for what in (key for key in measured if key != "explanations"):
            values = [side["deletion"].get(size, {}).get(what) for side in sides]
            rows.append(row(f"{what}, n = {size}", values))
    return [
        f"## Explanations: {name}",
        "",
        f"{own['pairs']:,} recommendations to {own['users']:,} test users, {own['steps']:,} steps,"
        f" {own['quotes']:,} quotes · data `{result['data'][:12]}` · {result['machine']} · a model fitted quickly,"
        f" settings: {', '.join(result['settings'])}; weights `{json.dumps(result['weights'])}`",
        "",
        f"One explanation takes {result['median_ms']:.1f} ms (median of {result['timed']}; p99"
        f" {result['p99_ms']:.1f} ms). All {networkx['paths']:,} paths of {networkx['pairs']} pairs take"
        f" {networkx['seconds']:.3f} s, networkx {networkx['networkx_seconds']:.3f} s for the same set:"
        f" {networkx['times']:.0f} times as long.",
        "",
        *table(["measure", "graphrec", "popular paths"], rows),
        "",
    ]


def _sizes(name: str, result: dict[str, Any]) -> list[str]:
    return [
        f"## Size of a knowledge graph: {name}",
        "",
        f"data `{result['data'][:12]}` · {result['machine']}.",
        "",
        *table(["what", "measured"], result["rows"]),
        "",
    ]


SECTIONS: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
    "accuracy": _accuracy,
    "peers": _peers,
    "minute": _minute,
    "ablation": _ablation,
    **MORE,
    **PROFILE,
    **GATE,
    **FAIR,
    **PRIVACY,
    **ROBUST,
    **SERVING,
    **SCALE,
    "strength": _strength,
    "network": _network,
    "time_to_quality": _times,
    "evaluation_speed": _speed,
    "filtered_search": _filtered,
    "reading": _reading,
    "aspects": _aspects,
    "explanations": _explanations,
    "kg_size": _sizes,
    "kg_build": _kg,
}
