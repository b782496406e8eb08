"""What `graphrec plan` foretells beside what the same fit took: core-seconds and peak memory.

    python benchmarks/plan.py ../shared/data --fit                        # the fits run too, after their plans
    python benchmarks/plan.py ../shared/data --fit --only yelp_places/temporal --preset fast
    python benchmarks/plan.py ../shared/data --fit --caches ~/.cache/graphrec    # with a copy of what is cached there
    python benchmarks/plan.py ../shared/data                              # beside what presets.py and scale.py kept

With --fit a run is one of ``FITTED``, and has caches of its own, which are empty: the plan counts its texts as unread,
and the fit that is foretold, which runs after it in a process of its own, finds those that pilots have read. Without, a
run of presets.py is a fit of all but the test part, its data read and its test users measured (for the memory: they
hold less than a fit), and one of scale.py is a fit of generated data, of whose shape alone the plan is. The runs on
which it was decided what a stage grows with are no test of it: ``sections_scale.SHAPED``.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import report
import typer
from presets import RUNS

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.fitted import of_data
from graphrec.model import files
from graphrec.pilots import START, Shape, fitting_of
from graphrec.planning import Plan, plan_shape, plan_source
from graphrec.stages import Stages, core_seconds

GENERATED = ("features.enabled=false", "split.kind=leave-last")  # of scale.py
AFTER = "evaluation"  # its stage that no fit has
FITTED = (  # the smaller ones first
    "magazine_subscriptions/temporal",
    "musical_instruments/temporal",
    "amazon_beauty/leave-last",
    "ml1m_kg/given",
    "yelp_places/temporal",
)


def settings_of(name: str) -> tuple[str, ...]:
    """Those of a run of a data set."""
    return (f"split.kind={name.split('/')[1]}", f"evaluate.relevant={RUNS[name]}")


def fitted(folder: Path, settings: tuple[str, ...], preset: str) -> dict[str, Any]:
    """Core-seconds and the peak of a fit, up to the saved model, and both of its stages."""
    stage, begun = Stages(), core_seconds()
    config = Config.load(None, settings, preset)
    with stage("door"):
        data = Dataset.load(folder)
    model = of_data(data, fitting_of(data, config, stage))
    with tempfile.TemporaryDirectory() as out, stage("save"):
        files.save(Path(out) / "model", model)
    found = {START: {"s": begun, "mb": 0.0}, **stage.ended(begun)}
    return {"core_s": core_seconds(), "mb": max(one["mb"] for one in found.values()), "from": "this", **_stages(found)}


def _stages(found: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {"stages": {name: [round(one["s"], 2), round(one["mb"])] for name, one in found.items()}}


def foretold(plan: Plan, whole: bool) -> dict[str, Any]:
    """What of a plan is kept; not ``whole``: without the start, which the runs that are kept do not count."""
    stages = {name: [round(one.seconds, 2), round(one.mb)] for name, one in plan.stages.items()}
    seconds = plan.seconds - (0.0 if whole else plan.stages[START].seconds)
    return {"core_s": seconds, "mb": plan.peak[1], "spent": plan.spent, "stages": stages}


def main(
    data: Path,
    only: Annotated[str, typer.Option(help="One of the runs, folder/split, or EVENTS:USERS:ITEMS.")] = "",
    preset: Annotated[str, typer.Option(help="One preset.")] = "",
    fit: Annotated[bool, typer.Option("--fit", help="Run the fits too, with caches that are empty.")] = False,
    caches: Annotated[Path | None, typer.Option(help="With --fit: a copy of these instead of empty ones.")] = None,
) -> None:
    """Foretell, compare, print and store."""
    for how in ("fast", "default"):
        for name in FITTED if fit else RUNS:
            if only in ("", name) and preset in ("", how) and (data / name.split("/")[0]).exists():
                if fit:
                    _beside(name, data / name.split("/")[0], how, caches)
                else:
                    _kept(name, data / name.split("/")[0], how)
    if fit:
        return
    for size, run in report.kept("scale", "fast")["runs"].items():
        if only in ("", size) and preset in ("", "fast"):
            shape = Shape(run["users"], run["items"], run["events"])
            told = foretold(plan_shape(shape, Config.load(None, GENERATED, "fast")), False)
            stages = {stage: took for stage, took in run["stages"].items() if stage != AFTER}
            seconds, mb = sum(one["s"] for one in stages.values()), max(one["mb"] for one in stages.values())
            _keep(f"generated {size}, fast", told, {"core_s": seconds, "mb": mb, "from": "scale.py"})


def _beside(name: str, folder: Path, how: str, caches: Path | None) -> None:
    """A plan, and the fit that it is of, in caches of their own."""
    with tempfile.TemporaryDirectory() as own:
        for file in caches.glob("*.sqlite*") if caches else ():
            shutil.copy(file, own)
        os.environ["GRAPHREC_CACHE"] = own
        told = foretold(plan_source(folder, Config.load(None, settings_of(name), how), say=print), True)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            took = pool.submit(fitted, folder, settings_of(name), how).result()
    cached = ", some texts cached" if caches else ""
    _keep(f"{name}, {how}{cached}", told, took)


def _kept(name: str, folder: Path, how: str) -> None:
    """A plan beside a fit that was measured before."""
    told = foretold(plan_source(folder, Config.load(None, settings_of(name), how)), False)
    kept = report.kept("presets", name)[how]
    _keep(f"{name}, {how}", told, {"core_s": kept["busy"], "mb": kept["peak_rss_mb"], "from": "presets.py"})


def _keep(name: str, told: dict[str, Any], took: dict[str, Any]) -> None:
    runs = report.kept("plan", "pilots").get("runs", {})
    report.keep("plan", "pilots", {"runs": {**runs, name: {"foretold": told, "took": took}}})
    ratios = " ".join(
        f"{what} {told[what]:,.0f} of {took[what]:,.0f}: {told[what] / took[what]:.2f}" for what in ("core_s", "mb")
    )
    print(f"{name}: {ratios}, from {took['from']}", flush=True)


if __name__ == "__main__":
    typer.run(main)
