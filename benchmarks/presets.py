"""What each preset costs and gives: accuracy, seconds and memory on all shared sets, drawn as a curve.

    python benchmarks/presets.py ../shared/data --only "instruments, temporal"
    python benchmarks/presets.py ../shared/data --preset fast

Each is one `graphrec evaluate --preset` in a process of its own: chosen on validation users, learned from all but the
test part, tested once.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import report
import typer

from graphrec.presets import PRESETS

RUNS: dict[str, tuple[str, tuple[str, ...]]] = {  # name: folder, further arguments
    "instruments, temporal": ("musical_instruments", ("--split", "temporal")),
    "magazines, temporal": ("magazine_subscriptions", ("--split", "temporal")),
    "artists, given": ("lastfm_social", ("--split", "given", "--set", "evaluate.relevant=all")),
    "films, given": ("ml1m_kg", ("--split", "given", "--set", "evaluate.relevant=all")),
    "films, leave-last": ("ml1m_sequences", ("--split", "leave-last", "--set", "evaluate.relevant=all")),
    "beauty, leave-last": ("amazon_beauty", ("--split", "leave-last", "--set", "evaluate.relevant=all")),
    "places, temporal": (
        "yelp_places",
        (
            "--split",
            "temporal",
        ),
    ),
    "songs, temporal": ("lfm1m", ("--split", "temporal", "--set", "evaluate.relevant=all")),
    "check-ins, given": ("gowalla", ("--split", "given", "--set", "evaluate.relevant=all")),
}
PICTURE = report.HERE.parent / "docs" / "presets.svg"


def measure(folder: Path, arguments: tuple[str, ...], preset: str) -> dict[str, Any]:
    """The `evaluate` document, less what a table has no use for."""
    command = [sys.executable, "-W", "ignore", "-m", "graphrec", "evaluate", str(folder), "--preset", preset, "--json"]
    found = json.loads(subprocess.run([*command, *arguments], check=True, stdout=subprocess.PIPE).stdout)
    kept = {name: found[name] for name in ("users", "seconds", "peak_rss_mb", "split")}
    metrics = {name: found["metrics"][name] for name in ("ndcg@10", "ndcg@20", "recall@20")}
    return {**kept, "metrics": metrics, "weights": found["chosen"]["weights"]}


def draw(results: dict[str, Any], picture: Path) -> None:
    """NDCG@20 against that of ``fast``, over the seconds of the whole run; a line for each data set."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.add_subplot()
    for name, found in sorted(results.items()):
        there = [found[preset] for preset in PRESETS if preset in found]
        if "fast" in found:
            seconds = [sum(one["seconds"].values()) for one in there]
            gains = [one["metrics"]["ndcg@20"] / found["fast"]["metrics"]["ndcg@20"] for one in there]
            axes.plot(seconds, gains, marker="o", label=name)
    axes.set(xscale="log", xlabel="seconds: choosing, learning and testing", ylabel="NDCG@20, preset fast = 1")
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(picture, metadata={"Date": None})


def main(
    data: Path,
    only: Annotated[str, typer.Option(help="One of the runs.")] = "",
    preset: Annotated[str, typer.Option(help="One of the presets.")] = "",
) -> None:
    """Run, store, draw, and print."""
    for name, (folder, arguments) in RUNS.items():
        for how in PRESETS:
            if only in ("", name) and preset in ("", how) and (data / folder).exists():
                found = measure(data / folder, arguments, how)
                report.keep("presets", name, {**report.kept("presets", name), how: found})
                seconds = sum(found["seconds"].values())
                told = " ".join(f"{metric} {value:.4f}" for metric, value in found["metrics"].items())
                print(f"{name}, {how}: {told} {seconds:.0f} s {found['peak_rss_mb']:.0f} MB", flush=True)
    draw(report.kept("presets"), PICTURE)


if __name__ == "__main__":
    typer.run(main)
