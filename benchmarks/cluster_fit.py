"""One process against two workers of a cluster that fit a model together, and two of which one is killed meanwhile.

    OMP_NUM_THREADS=1 python benchmarks/cluster_fit.py [--source SOURCE]    # needs the extra ray

The worker is killed (SIGKILL) once the network has kept a checkpoint. Of each run: seconds from call to end, the start
of the cluster included, exit code, deaths, and NDCG@20 on validation users.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import report
import typer

from graphrec.model import files
from graphrec.samples import write

SETTINGS = ["blocks=popularity,graph", "graph.dim=16", "graph.max_epochs=30", "features.enabled=false"]
SETTINGS += ["kg.enabled=false"]


def run(source: Path, out: Path, options: list[str], kill: bool) -> dict[str, Any]:
    """One call of ``graphrec fit``."""
    given = [part for setting in SETTINGS for part in ("--set", setting)]
    start, deaths = time.perf_counter(), 0
    call = [sys.executable, "-m", "graphrec", "fit", str(source), "--out", str(out), *given, *options]
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            time.sleep(0.02)
            if kill and not deaths and list(out.with_name(f"{out.name}.work").glob("*/training/*.safetensors")):
                workers = [p for p in psutil.Process(process.pid).children(recursive=True) if _trains(p)]
                os.kill(workers[-1].pid, signal.SIGKILL)
                deaths += 1
        said = process.stderr.read() if process.stderr else ""
    if process.returncode:
        return {"rc": process.returncode, "deaths": deaths, "said": said.strip().splitlines()[-1:]}
    ndcg = files.load(out).chosen["validation"]["ndcg@20"]
    return {"rc": 0, "deaths": deaths, "seconds": round(time.perf_counter() - start, 1), "ndcg@20": ndcg}


def _trains(process: psutil.Process) -> bool:
    try:
        return "RayTrainWorker" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def main(source: Path | None = None, only: str = "", keep: bool = False) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = source or write(Path(folder) / "shop", n_users=120, n_items=80, n_reviews=700)
        two, rows = ["--engine", "ray", "--workers", "2"], {}
        for name, options, kill in (("one", [], False), ("two", two, False), ("killed", two, True)):
            if only and name != only:
                continue
            rows[name] = run(source, Path(folder) / name, options, kill)
            print(name, rows[name], flush=True)
    if keep:
        report.keep("cluster_fit", source.name, {"rows": rows, "load": os.getloadavg()[0]})


if __name__ == "__main__":
    typer.run(main)
