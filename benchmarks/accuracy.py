"""Accuracy side by side on real data, and the table of it.

    python benchmarks/accuracy.py ../shared/data            # runs what is there, writes benchmarks/RESULTS.md
    python benchmarks/accuracy.py ../shared/data --only musical_instruments/temporal

Every model of a row sees the same split, is tuned on the same validation part, refitted on train and valid, and tested
once on the same users. What was measured is kept in benchmarks/results.json; RESULTS.md is made from it, never typed.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Annotated, Any

import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.experiment import compare_models, peak_rss_mb

HERE = Path(__file__).resolve().parent
STORE, TABLE = HERE / "results.json", HERE / "RESULTS.md"
QUICK = ("popularity", "itemknn", "userknn", "rp3beta", "ease", "ials", "bpr", "graphrec")
ALL = (*QUICK[:-1], "slim", "lightgcn", "graphrec")
TRIALS = "evaluate.trials=10"
GOWALLA = ("popularity", "itemknn", "graphrec")  # what a laptop can tune on 41,000 items
RUNS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {  # name: folder, models, settings
    "lastfm_social/given": ("lastfm_social", ALL, (TRIALS, "split.kind=given")),
    "musical_instruments/temporal": ("musical_instruments", ALL, (TRIALS, "split.kind=temporal")),
    "musical_instruments/leave-last": ("musical_instruments", ALL, (TRIALS, "split.kind=leave-last")),
    "ml1m_kg/given": ("ml1m_kg", QUICK, (TRIALS, "split.kind=given")),
    "gowalla/given, closed form": (
        "gowalla",
        GOWALLA,
        (TRIALS, "split.kind=given", "blocks=spectral,neighbours"),
    ),
    "gowalla/given": (
        "gowalla",
        ("popularity", "graphrec"),
        (TRIALS, "split.kind=given", "blocks=spectral,neighbours,graph", "graph.dim=128", "graph.max_steps=1500"),
    ),
}


def measure(folder: Path, models: tuple[str, ...], settings: tuple[str, ...]) -> dict[str, Any]:
    """One comparison, with what it was made on."""
    data = Dataset.load(folder)
    comparison = compare_models(data, models, Config.load(None, settings), progress=True)
    processor = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return {**comparison.to_json(), "data": data.fingerprint(), "machine": processor, "peak_rss_mb": peak_rss_mb()}


def table(results: dict[str, Any]) -> str:
    """RESULTS.md."""
    lines = [
        "# Results",
        "",
        "Written by `benchmarks/accuracy.py`; not to be edited. Full ranking over the catalogue, all test users,",
        "parameters chosen on validation data, test used once per row. `p` is a paired t-test over users on NDCG@20",
        "against the best baseline, Holm-corrected. Seconds are of the machine named and cover tuning, fitting and",
        "testing.",
    ]
    for name, result in results.items():
        lines += [
            "",
            f"## {name}",
            "",
            f"{result['users']:,} test users · data `{result['data'][:12]}` · {result['machine']} · "
            f"peak {result['peak_rss_mb']:,.0f} MB",
            "",
            "| model | NDCG@10 | Recall@10 | NDCG@20 | Recall@20 | 95 % of NDCG@20 | ratio to best baseline | p | s |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        best = max(row["metrics"]["ndcg@20"] for row in result["rows"] if row["model"] != "graphrec")
        for row in result["rows"]:
            m, p = row["metrics"], row["p_value_vs_best_baseline"]
            low, high = row["interval"]["ndcg@20"]
            cells = [row["model"], *(f"{m[k]:.4f}" for k in ("ndcg@10", "recall@10", "ndcg@20", "recall@20"))]
            cells += [f"{low:.4f}–{high:.4f}", f"{m['ndcg@20'] / best:.2f}", "" if p is None else f"{p:.2g}"]
            lines.append(f"| {' | '.join(cells)} | {sum(row['seconds'].values()):.0f} |")
        chosen = next(row["chosen"] for row in result["rows"] if row["model"] == "graphrec")
        settings = ", ".join(RUNS[name][2]) if name in RUNS else ""
        lines += ["", f"Settings: {settings}. graphrec chose `{json.dumps(chosen)}`"]
    return "\n".join(lines) + "\n"


def main(data: Path, only: Annotated[str, typer.Option(help="One of the runs.")] = "") -> None:
    """Run, store, and write the table."""
    results = json.loads(STORE.read_text("utf-8")) if STORE.exists() else {}
    for name, (folder, models, settings) in RUNS.items():
        if only in ("", name) and (data / folder).exists():
            results[name] = measure(data / folder, models, settings)
            STORE.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    TABLE.write_text(table(results), "utf-8")
    print(TABLE.read_text("utf-8"))


if __name__ == "__main__":
    typer.run(main)
