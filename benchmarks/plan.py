"""What `graphrec plan` foretells beside what the same fit took: core-seconds and peak memory.

    python benchmarks/plan.py ../shared/data                              # beside what presets.py and scale.py kept
    python benchmarks/plan.py ../shared/data --only lastfm_social/given --preset fast --fit    # the fit runs here too

A run of presets.py is a fit of all but the test part, its data read and its test users measured (for the memory: they
hold less than a fit); one of scale.py is a fit of generated data, of whose shape alone the plan is. With --fit the fit
that is foretold runs here: the source is read, fitted and saved in a process of its own. What a stage
grows with was decided on lastfm_social, gowalla and generated data with preset fast: these are no test of it.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import report
import typer
from presets import RUNS

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.pilots import START, Shape, Stages, core_seconds
from graphrec.planning import Plan, plan_shape, plan_source
from graphrec.recommender import Recommender

GENERATED = ("features.enabled=false", "split.kind=leave-last")  # of scale.py
AFTER = "evaluation"  # its stage that no fit has


def settings_of(name: str) -> tuple[str, ...]:
    """Those of a run of a data set."""
    return (f"split.kind={name.split('/')[1]}", f"evaluate.relevant={RUNS[name]}")


def fitted(folder: Path, settings: tuple[str, ...], preset: str) -> dict[str, Any]:
    """Core-seconds and the peak of a fit, up to the saved model."""
    stage = Stages()
    model = Recommender(Config.load(None, settings, preset))
    with stage("door"):
        data = Dataset.load(folder)
    model.fit(data)
    with tempfile.TemporaryDirectory() as out, stage("save"):
        model.save(Path(out) / "model")
    found = stage.ended()
    return {"core_s": core_seconds(), "mb": max(one["mb"] for one in found.values()), "from": "this"}


def foretold(plan: Plan, whole: bool) -> dict[str, Any]:
    """What of a plan is kept; not ``whole``: without the start, which the runs that are kept do not count."""
    stages = {name: [round(one.seconds, 2), round(one.mb)] for name, one in plan.stages.items()}
    seconds = plan.seconds - (0.0 if whole else plan.stages[START].seconds)
    return {"core_s": seconds, "mb": plan.peak[1], "spent": plan.spent, "stages": stages}


def main(
    data: Path,
    only: Annotated[str, typer.Option(help="One of the runs, folder/split, or EVENTS:USERS:ITEMS.")] = "",
    preset: Annotated[str, typer.Option(help="One preset.")] = "",
    fit: Annotated[bool, typer.Option("--fit", help="Run the fit too.")] = False,
) -> None:
    """Foretell, compare, print and store."""
    spawned = multiprocessing.get_context("spawn")
    for name in RUNS:
        for how in ("fast", "default"):
            if only in ("", name) and preset in ("", how) and (data / name.split("/")[0]).exists():
                folder = data / name.split("/")[0]
                told = foretold(plan_source(folder, Config.load(None, settings_of(name), how)), fit)
                if fit:
                    with ProcessPoolExecutor(1, spawned) as pool:
                        took = pool.submit(fitted, folder, settings_of(name), how).result()
                else:
                    kept = report.kept("presets", name)[how]
                    took = {"core_s": kept["busy"], "mb": kept["peak_rss_mb"], "from": "presets.py"}
                _keep(f"{name}, {how}", told, took)
    for size, run in report.kept("scale", "fast")["runs"].items():
        if only in ("", size) and preset in ("", "fast"):
            shape = Shape(run["users"], run["items"], run["events"])
            told = foretold(plan_shape(shape, Config.load(None, GENERATED, "fast")), False)
            stages = {stage: took for stage, took in run["stages"].items() if stage != AFTER}
            seconds, mb = sum(one["s"] for one in stages.values()), max(one["mb"] for one in stages.values())
            _keep(f"generated {size}, fast", told, {"core_s": seconds, "mb": mb, "from": "scale.py"})


def _keep(name: str, told: dict[str, Any], took: dict[str, Any]) -> None:
    runs = report.kept("plan", "pilots").get("runs", {})
    report.keep("plan", "pilots", {"runs": {**runs, name: {"foretold": told, "took": took}}})
    ratios = " ".join(
        f"{what} {told[what]:,.0f} of {took[what]:,.0f}: {told[what] / took[what]:.2f}" for what in ("core_s", "mb")
    )
    print(f"{name}: {ratios}, from {took['from']}", flush=True)


if __name__ == "__main__":
    typer.run(main)
