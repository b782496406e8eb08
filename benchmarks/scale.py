"""How time and memory grow with the data: every stage from the file to the measured lists and the stored model.

    python benchmarks/scale.py --size 1_000_000 --size 3_000_000 --size 10_000_000 --keep
    python benchmarks/scale.py --size 100_000:5_000:2_000 --preset default --keep   # a whole fit, its searches too

A size is EVENTS, or EVENTS:USERS:ITEMS; by default twenty events a person and a hundred an item. People with a few
topics each take items of these, popular ones more often. Every size runs in a process of its own. Without --preset
nothing is searched: choices are given. Seconds are core-seconds, which other work on the machine does not lengthen; the
peak of a stage counts all that the process holds by then. The exponent of a stage is the slope of log seconds over log
events from the first size to the last; 1 is in proportion.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow.csv
import report
import typer

from graphrec.samples.many import generated
from graphrec.stages import BETWEEN, Stages

OUT: dict[str, Any] = {"left_out": "not measured"}
CHOSEN: dict[str, dict[str, Any]] = {
    "popularity": {"half_life": 0.0},
    "spectral": {"rank": 128, "alpha": 0.4, "beta": 0.45, "power": 0.8, "friends": 0.0, "knowledge": 0.0},
    "neighbours": {"n": 200, "alpha": 0.25, "beta": 0.5, "knowledge": 0.0, "friends": 0.0},
    "ials": {"factors": 64, "alpha": 10.0, "regularisation": 10.0, "knowledge": 0.0},
    "transitions": {
        "window": 31,
        "pause": 0.0,
        "session": 0.0,
        "decay": 1.0,
        "backward": 0.0,
        "power": 1.0,
        "last": 100,
        "source": 0.5,
        "target": 0.4,
        "shape": 0.5,
        "half_life": 0.0,
        "n": 5000,
    },
    "graph": {"temperature": 0.1, "epochs": 1, "popularity": 1.0, "half_life": 0.0, "dim": 64},
}
GIVEN = "choices given"
ASKED = 10_000  # people whose lists are measured


def measured(file: Path, preset: str) -> dict[str, Any]:
    """The stages of one file; ``preset``: of a whole fit with it, else with choices that are given."""
    from graphrec.config import Config
    from graphrec.data.dataset import Dataset
    from graphrec.data.split import k_core, split
    from graphrec.evaluate.ranking import Task, evaluate
    from graphrec.fit import Fitting, choose, learn
    from graphrec.model import files
    from graphrec.query.query import Queries
    from graphrec.runtime import Runtime

    stage = Stages()
    config = Config.load(None, ("features.enabled=false", "split.kind=leave-last"), preset or "default")
    runtime = Runtime.of(config.runtime, config.seed)
    with stage("door"):
        data = Dataset.load(file)
    if not preset:
        with stage("k-core"):
            data = k_core(data, 5)
    with stage("split"):
        parts = split(data, config.cut, config.seed)
    fitting = Fitting(config, runtime, _no_texts, watch=stage)
    chosen: dict[str, Any]
    if preset:
        chosen = choose(parts.folds, fitting)
    else:
        chosen = {name: CHOSEN.get(name, OUT) for name in config.blocks}
        chosen["weights"] = {name: float(name in CHOSEN) for name in config.blocks}
    known, held_out = parts.fit_data, parts.test
    del data, parts  # as where the choices of an earlier model are taken: nothing is held but what is learned from
    model = learn(known, chosen, fitting)
    with tempfile.TemporaryDirectory() as folder, stage("save"):
        files.save(Path(folder) / "model", model)
        disk = sum(part.stat().st_size for part in Path(folder).rglob("*") if part.is_file())
    stage.found["save"]["disk_mb"] = round(disk / 2**20, 1)
    queries, task = Queries.before(model.ties, held_out), Task.of(config)
    asked = queries[np.sort(np.random.default_rng(0).permutation(len(queries))[:ASKED])]
    with stage("evaluation"):
        truth = task.truth(held_out)[asked.user_nums]  # (n, I)
        found = evaluate(model, asked, truth, (20,), config.evaluate.batch_size, task=task)
    told: dict[str, Any] = {"users": known.n_users, "items": known.n_items, "events": len(known.interactions)}
    return {
        **told,
        "file_mb": file.stat().st_size / 2**20,
        "stages": {name: dict(took) for name, took in stage.found.items() if name != BETWEEN},
        "ndcg": found.metrics["ndcg@20"],
    }


def _no_texts() -> Any:
    raise AssertionError("generated data holds no texts")


def main(
    size: Annotated[list[str], typer.Option(help="EVENTS or EVENTS:USERS:ITEMS, each in a process of its own.")] = [],  # noqa: B006
    preset: Annotated[str, typer.Option(help="Of whole fits; without one choices are given.")] = "",
    keep: bool = False,
) -> None:
    """Measure, print, and with --keep store."""
    fresh = multiprocessing.get_context("spawn")
    for one in size:
        n_events, *rest = (int(part) for part in one.split(":"))
        n_users, n_items = rest or (n_events // 20, n_events // 100)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "events.csv"
            with ProcessPoolExecutor(1, fresh) as pool:
                pyarrow.csv.write_csv(pool.submit(generated, n_events, n_users, n_items).result(), file)
            print(f"{n_events:,} events of {n_users:,} users and {n_items:,} items {preset}", flush=True)
            with ProcessPoolExecutor(1, fresh) as pool:
                found = pool.submit(measured, file, preset).result()
        for stage, took in found["stages"].items():
            print(f"  {stage:12} {took['s']:8.1f} core-s {took['mb']:8,.0f} MB")
        print(f"  NDCG@20 {found['ndcg']:.4f}", flush=True)
        if keep:
            name = preset or GIVEN
            runs = {**report.kept("scale", name).get("runs", {}), f"{n_events}:{n_users}:{n_items}": found}
            report.keep("scale", name, {"runs": runs})


if __name__ == "__main__":
    typer.run(main)
