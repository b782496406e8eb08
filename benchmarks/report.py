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
        "\n".join([f"{before}{BEGIN}", "", *short(results.get("presets", {}), results.get("accuracy", {})), "", END])
        + after,
        "utf-8",
    )


def short(runs: dict[str, Any], compared: dict[str, Any]) -> list[str]:
    """One row a data set: what preset ``default`` gives, its own best block, and the best baseline tuned on the split.

    Args:
        runs: the measurements of presets.py, by folder/split. compared: those of accuracy.py.
    """
    baselines: dict[tuple[str, str], dict[str, float]] = {}
    for name, result in compared.items():
        tuned = baselines.setdefault((_split(name), result.get("relevant", "all")), {})
        tuned |= {r["model"]: r["metrics"]["ndcg@20"] for r in result["rows"] if r["model"] != "graphrec"}
    rows = []
    for name, result in runs.items():
        if found := result.get("default"):
            metrics, alone = found["metrics"], found["alone"]
            block = max(alone, key=lambda one: alone[one]["ndcg@20"])
            others = baselines.get((name, found["relevant"]), {})
            best = max(others, key=others.__getitem__, default="")
            row = [name, found["relevant"], *(f"{metrics[k]:.4f}" for k in ("ndcg@10", "ndcg@20", "recall@20"))]
            row += [
                f"{alone[block]['ndcg@20']:.4f} {block}",
                f"{others[best]:.4f} {best} of {len(others)}" if best else "",
            ]
            rows.append([*row, f"{found['busy'] / 60:.1f}", f"{found['peak_rss_mb'] / 1024:.1f}"])
    own = "its best block alone, NDCG@20"
    columns = [
        "data / split",
        "relevant",
        "NDCG@10",
        "NDCG@20",
        "Recall@20",
        own,
        "best baseline",
        "core-minutes",
        "GiB",
    ]
    return table(columns, rows)


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
