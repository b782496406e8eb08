"""What `graphrec plan` foretells of the fits that presets.py measured, and what these took.

    python benchmarks/plan.py ../shared/data --only lastfm_social/given --preset fast

The pilots are run here; seconds, memory and settings of the whole fits are those of presets.py (core-seconds, which
other work on the machine does not lengthen, reading and cutting the data among them, and the process's peak).
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import report
import typer
from presets import RUNS

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.plan import Size, planned, sample_of


def foretold(folder: Path, kind: str, relevant: str, preset: str) -> dict[str, Any]:
    """The plan of one data set."""
    config = Config.load(None, (f"split.kind={kind}", f"evaluate.relevant={relevant}"), preset)
    busy = sum(os.times()[:4])
    data = Dataset.load(folder)
    door = sum(os.times()[:4]) - busy
    found = planned(Size.of(data), sample_of(data), config)
    stages = {cost.stage: [round(cost.seconds, 2), round(cost.memory_gb, 3)] for cost in found.stages}
    return {
        "size": vars(found.size),
        "seconds": found.seconds + door,
        "memory_gb": found.memory_gb,
        "pilots": sum(os.times()[:4]) - busy - door,
        "stages": stages,
    }


def main(
    data: Path,
    only: Annotated[list[str], typer.Option(help="folder/split, repeatable.")] = [],  # noqa: B006
    preset: str = "fast",
) -> None:
    """Plan, and keep it beside what was measured."""
    fresh = multiprocessing.get_context("spawn")
    for name, relevant in RUNS.items():
        if only and name not in only:
            continue
        folder, _, kind = name.partition("/")
        was = report.kept("presets", name)[preset]
        with ProcessPoolExecutor(1, fresh) as pool:
            found = pool.submit(foretold, data / folder, kind, relevant, preset).result()
        found |= {"took": was["busy"], "held_gb": was["peak_rss_mb"] / 1024}
        told = f"{found['seconds']:.0f} s of {found['took']:.0f}, {found['memory_gb']:.2f} GB of {found['held_gb']:.2f}"
        print(f"{name} {preset}: {told}; pilots {found['pilots']:.0f} core-s", flush=True)
        runs = {**report.kept("plan", preset).get("runs", {}), name: found}
        report.keep("plan", preset, {"runs": runs})


if __name__ == "__main__":
    typer.run(main)
