"""What the benchmarks measured, kept in results.json, and RESULTS.md made from it. Nothing in it is typed.

    python benchmarks/report.py    # writes the tables anew from what is kept

results.json: {kind of measurement: {name of the run: document}}; a kind is the name of the script that wrote it.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from sections import SECTIONS, table

HERE = Path(__file__).resolve().parent
STORE, TABLE, README = HERE / "results.json", HERE / "RESULTS.md", HERE.parent / "README.md"
BEGIN, END = "<!-- figures: written by benchmarks/report.py -->", "<!-- end of figures -->"
HEAD = """# Results

Written by the scripts in `benchmarks/`; not to be edited. Full ranking over the catalogue, all test users, parameters
chosen on validation data (carved from train where none is given), refitted on train and validation, test used once per
row. Seconds are of the machine named, shared with other work, and cover tuning, fitting and testing.
"""


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def keep(kind: str, name: str, document: dict[str, Any]) -> None:
    """Store one measurement, and write RESULTS.md and the short table of the README anew."""
    results = json.loads(STORE.read_text("utf-8")) if STORE.exists() else {}
    results.setdefault(kind, {})[name] = {**document, "machine": machine()}
    STORE.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    write(results)


def kept(kind: str, name: str = "") -> dict[str, Any]:
    """What is stored of a kind of measurement, or of one of its runs."""
    results = json.loads(STORE.read_text("utf-8")) if STORE.exists() else {}
    of_kind: dict[str, Any] = results.get(kind, {})
    return dict(of_kind.get(name, {})) if name else of_kind


def write(results: dict[str, Any]) -> None:
    """RESULTS.md and the short table of the README, anew."""
    TABLE.write_text(render(results), "utf-8")
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(
        "\n".join([f"{before}{BEGIN}", "", *short(results.get("accuracy", {})), "", END]) + after, "utf-8"
    )


def short(runs: dict[str, Any]) -> list[str]:
    """One row a run: graphrec beside the best baseline that any run tuned on the same split."""
    tuned: dict[str, dict[str, Any]] = {}
    for name, result in runs.items():
        found = {r["model"]: r for r in result["rows"] if r["model"] != "graphrec"}
        tuned[_split(name)] = found | tuned.get(_split(name), {})
    rows = []
    for name, result in runs.items():
        if "," in name:
            continue  # other settings on the same split are in RESULTS.md
        own = next(r for r in result["rows"] if r["model"] == "graphrec")
        others = tuned[_split(name)]
        best = max(others.values(), key=lambda r: r["metrics"]["ndcg@20"])
        beside = any(r["model"] == best["model"] for r in result["rows"])  # else the users were not compared one by one
        figures = [f"{row['metrics'][k]:.4f}" for k in ("ndcg@20", "recall@20") for row in (own, best)]
        ratio = own["metrics"]["ndcg@20"] / best["metrics"]["ndcg@20"]
        p = f"{own['p_value_vs_best_baseline']:.2g}" if beside else ""
        rows.append(
            [name, result.get("relevant", "all"), *figures, f"{best['model']} of {len(others)}", f"{ratio:.2f}", p]
        )
    columns = [
        "data / split",
        "relevant",
        "NDCG@20",
        "of the best baseline",
        "Recall@20",
        "of the best baseline",
        "which",
        "ratio",
    ]
    return table([*columns, "p"], rows)


def _split(name: str) -> str:
    """Of a run's name: what comes before the comma."""
    return name.partition(",")[0]


def render(results: dict[str, Any]) -> str:
    parts = [HEAD]
    for kind, section in SECTIONS.items():
        for name, result in results.get(kind, {}).items():
            parts += section(name, result)
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    write(json.loads(STORE.read_text("utf-8")))
