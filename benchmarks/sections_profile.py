"""The sections of RESULTS.md on places, attributes and questions in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sections_more import table


def place(name: str, result: dict[str, Any]) -> list[str]:
    """With places, without, and with places dealt anew."""
    rows = []
    for row in result["rows"]:
        p = result["p"].get(row["model"])
        m = row["test"]
        cells = [f"{m[k]:.4f}" for k in ("ndcg@10", "recall@10", "ndcg@20", "recall@20")]
        seconds = f"{row['seconds']:.0f}" if row["seconds"] else ""
        rows.append([row["model"], f"{row['valid']:.4f}", *cells, "" if p is None else f"{p:.2g}", seconds])
    columns = ["model", "validation NDCG@20", "NDCG@10", "Recall@10", "NDCG@20", "Recall@20", "p", "core-s to choose"]
    alone = result["p"]
    return [
        f"## Places: {name}",
        "",
        f"{result['users']:,} test users · data `{result['data'][:12]}` · {result['machine']} · settings: "
        f"{', '.join(result['settings'])}. `p`: paired t-test over users on NDCG@10 against `with place`. Places alone "
        f"against usual places: p = {alone['place alone, usual places']:.2g}; against nearest popular: "
        f"p = {alone['place alone, nearest popular']:.2g}. Looks at the test part: {result['looks']}.",
        "",
        *table(columns, rows),
        "",
        f"Chosen: `{json.dumps(result['chosen']['place'])}`; weights `{json.dumps(result['weights'])}`",
        "",
    ]


def times(name: str, result: dict[str, Any]) -> list[str]:
    """With times, without, with times dealt anew, and without the block of the time of asking."""
    rows = []
    for row in result["rows"]:
        p, m = result["p"].get(row["model"]), row["test"]
        cells = [f"{m[k]:.4f}" for k in ("ndcg@10", "recall@10", "ndcg@20", "recall@20")]
        rows.append(
            [row["model"], f"{row['valid']:.4f}", *cells, "" if p is None else f"{p:.2g}", f"{row['seconds']:.0f}"]
        )
    columns = ["model", "validation NDCG@20", "NDCG@10", "Recall@10", "NDCG@20", "Recall@20", "p", "core-s"]
    return [
        f"## Times: {name}",
        "",
        f"{result['users']:,} test users · data `{result['data'][:12]}` · {result['machine']} · settings: "
        f"{', '.join(result['settings'])}. `p`: paired t-test over users on NDCG@10 against `with times`. Looks at the "
        f"test part: {result['looks']}.",
        "",
        *table(columns, rows),
        "",
        f"Weights with times: `{json.dumps(result['rows'][0]['chosen'])}`; season: "
        f"`{json.dumps(result['rows'][0]['season'])}`",
        "",
    ]


def attributes(name: str, result: dict[str, Any]) -> list[str]:
    """What is told of people kept apart."""
    rows = []
    for row in result["rows"]:
        curve = [f"{right:.3f} ({sure:.2f})" for _, sure, right in row["curve"]]
        seconds = f"{row['seconds']:.0f}" if row["seconds"] else ""
        told = [f"{row[k]:.3f}" for k in ("balanced", "accuracy", "ece")]
        rows.append([row["model"], *told, *curve, seconds])
    shares = [f"right of the surest {share:.0%}" for share, *_ in result["rows"][0]["curve"]]
    folds = ", ".join(f"{model} {worth:.3f}" for model, worth in result["folds"].items())
    return [
        f"## Attributes told: {name}",
        "",
        f"{result['apart']:,} of {result['people']:,} people kept apart, {len(result['classes'])} labels · data "
        f"`{result['data'][:12]}` · {result['machine']}. Balanced accuracy on folds of the others: {folds}. "
        f"Probe against raw interactions, paired t-test: p = {result['p']:.2g}. In "
        f"brackets the sureness from which something is told. Looks at those kept apart: {result['looks']}.",
        "",
        *table(["told by", "balanced accuracy", "accuracy", "ECE", *shares, "core-s"], rows),
        "",
    ]


def words(name: str, result: dict[str, Any]) -> list[str]:
    """The reviewed item, by the words of its review."""
    rows = [
        [r["model"], f"{r['recall@20']:.3f}", f"{r['mrr']:.3f}", "" if r["p"] is None else f"{r['p']:.2g}"]
        for r in result["rows"]
    ]
    return [
        f"## Questions in words: {name}",
        "",
        f"{result['queries']} held-out reviews as questions, {result['items']:,} items · data "
        f"`{result['data'][:12]}` · {result['machine']} · {1000 * result['seconds']:.0f} ms a question. `p`: "
        f"paired t-test on Recall@20 against "
        f"graphrec. Of the 20 best by words, {result['overlap']:.0%} are in the list that `recommend` gives, which "
        f"hears popularity beside them. Looks at these questions: {result['looks']}.",
        "",
        *table(["by", "Recall@20", "MRR", "p"], rows),
        "",
    ]


PROFILE: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
    "place": place,
    "times": times,
    "attributes": attributes,
    "words": words,
}
