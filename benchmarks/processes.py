"""One process against two under torchrun, on the same data with the same seed: quality, seconds, and how busy each is.

    python benchmarks/processes.py ../shared/data/lastfm_social --preset fast --set blocks=... --keep

Each process says how many core-seconds it used from before the fit to its end, and how long that took; the share is how
busy it was, one core each. Where other work is on the machine, shares of both are lower, and seconds are longer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import Task, evaluate
from graphrec.evaluate.significance import standard_error
from graphrec.presets import Preset
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.ranks import joined
from graphrec.recommender import Recommender


def worker(source: Path, settings: list[str], preset: Preset, out: Path) -> None:
    """What one process does; it writes its share, and the first one what the model is worth on the test users."""
    with joined() as ranks:
        config = Config.load(None, settings, preset)
        data = Dataset.load(source)
        parts = split(data, config.split)
        model = Recommender(config, ranks=ranks)
        start, cores = time.perf_counter(), time.process_time()
        model.fit_split(parts)
        wall, busy = time.perf_counter() - start, time.process_time() - cores
        told: dict[str, Any] = {"wall": round(wall, 1), "cpu": round(busy, 1), "data": data.fingerprint()}
        if ranks is None or ranks.first:
            queries, task = Queries.before(Ties(parts.fit_data), parts.test), Task.of(config)
            found = evaluate(model, queries, task.truth(parts.test), (20,), config.evaluate.batch_size, task=task)
            told["ndcg@20"], told["users"] = found.metrics["ndcg@20"], len(found.user_nums)
            told["error"] = standard_error(found.per_user["ndcg@20"], found.user_nums)
            told["weights"] = model.fitted.chosen["weights"]
        (out / f"{0 if ranks is None else ranks.rank}.json").write_text(json.dumps(told), "utf-8")


def run(source: Path, settings: list[str], preset: str, n: int) -> dict[str, Any]:
    """A fit by n processes."""
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n)]
        given = [part for each in settings for part in ("--set", each)]
        of = [str(source), "--preset", preset, *given, "--worker", folder]
        subprocess.run([*call, __file__, *of], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        ranks = [json.loads((Path(folder) / f"{rank}.json").read_text("utf-8")) for rank in range(n)]
    return {**ranks[0], "ranks": [{k: rank[k] for k in ("wall", "cpu")} for rank in ranks]}


def main(
    source: Path,
    settings: Annotated[list[str], typer.Option("--set")] = [],  # noqa: B006
    preset: Preset = "default",
    worker_of: Annotated[Path | None, typer.Option("--worker", hidden=True)] = None,
    keep: Annotated[bool, typer.Option("--keep")] = False,
) -> None:
    """Fit by one process, then by two."""
    if worker_of is not None:
        worker(source, settings, preset, worker_of)
        return
    found = {str(n): run(source, settings, preset, n) for n in (1, 2)}
    print(json.dumps(found, indent=1))
    if keep:
        report.keep("processes", source.name, {"settings": [f"preset={preset}", *settings], "runs": found})


if __name__ == "__main__":
    typer.run(main)
