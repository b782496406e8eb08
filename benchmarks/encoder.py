"""What tuning of the text encoder by LoRA is worth: the block of texts alone, with the frozen encoder and a tuned one.

    python benchmarks/encoder.py ../shared/data
    python benchmarks/encoder.py ../shared/data --dev      # validation figures alone

An adapter is learned from what is in every training part (``tune_encoder``) at each rate; which is best is chosen on
validation users, and the frozen encoder is among the candidates. The test part is looked at once for the frozen encoder
and once for the best adapter. Texts that an earlier run embedded with the frozen encoder are in the cache, so seconds
of embedding are not compared.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.features.lora import Tuning
from graphrec.fit import choose
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from graphrec.tuning import tune_encoder

RUNS: dict[str, tuple[str, str, tuple[float, ...]]] = {  # folder: split, what is relevant, rates
    "musical_instruments": ("temporal", "liked", (1e-4, 5e-4)),
    "ml1m_sequences": ("leave-last", "all", (5e-4,)),
}
STEPS = 100
SETTINGS = ("blocks=semantic", "kg.enabled=false", "content.use=false")
METRICS = ("ndcg@10", "ndcg@20", "recall@20")


def measured(
    data: Dataset, kind: str, relevant: str, rates: tuple[float, ...], folder: Path, dev: bool
) -> dict[str, Any]:
    """Validation figures of every encoder; test figures of the frozen one and of the best adapter."""
    config = Config.load(None, (*SETTINGS, f"split.kind={kind}", f"evaluate.relevant={relevant}"))
    parts, rows = split(data, config.cut, config.seed), []
    for rate in (0.0, *rates):
        start, tuned = time.process_time(), None
        if rate:
            tuned = tune_encoder(data, config, folder / f"{kind}-{rate}", Tuning(learning_rate=rate, steps=STEPS))
        seconds, path = time.process_time() - start, "" if tuned is None else str(tuned.folder)
        own = config.with_(features={"adapter": path})
        chosen = choose(parts.folds, Recommender(own, progress=False)._fitting(parts.fit_data))
        row: dict[str, Any] = {
            "encoder": f"tuned, rate {rate:g}" if rate else "frozen",
            "config": own,
            "seconds": seconds,
        }
        row |= {"valid": chosen["validation"]["ndcg@20"], "chosen": chosen}
        if tuned is not None:
            row["losses"] = [round(float(np.mean(part)), 3) for part in (tuned.losses[:20], tuned.losses[-20:])]
        rows.append(row)
        print(f"  {kind}, {row['encoder']}: validation {row['valid']:.4f}, {seconds:.0f} s", flush=True)
    found: dict[str, Any] = {"folds": len(parts.folds)}
    best = max(rows[1:], key=lambda row: float(row["valid"]))
    per_user = {}
    for row in () if dev else (rows[0], best):
        model = Recommender(row["config"], progress=False)
        model.fit(parts.fit_data, row["chosen"])
        queries, task = Queries.before(Ties(parts.fit_data), parts.test), Task.of(config)
        tested = evaluate(model, queries, task.truth(parts.test), (10, 20), auc=False, task=task)
        row["test"] = {name: tested.metrics[name] for name in METRICS}
        per_user[row["encoder"]] = tested.per_user["ndcg@20"]
    if per_user:
        found |= {"p": paired_p_value(*per_user.values()), "users": len(per_user["frozen"])}
    kept = [{k: v for k, v in row.items() if k not in ("config", "chosen")} for row in rows]
    return {**found, "rows": kept}


def main(
    data: Path,
    only: Annotated[str, typer.Option(help="One of the runs, by its folder.")] = "",
    dev: Annotated[bool, typer.Option(help="Look at no test part, and keep nothing.")] = False,
) -> None:
    for name, (kind, relevant, rates) in RUNS.items():
        if only not in ("", name):
            continue
        source = Dataset.load(data / name)
        with TemporaryDirectory() as folder:
            found = measured(source, kind, relevant, rates, Path(folder), dev)
        run = f"{name}, {kind}"
        print(run, found, flush=True)
        if not dev:
            looks = report.kept("encoder", run).get("looks", 0) + 1
            settings = [*SETTINGS, f"evaluate.relevant={relevant}"]
            report.keep("encoder", run, {**found, "data": source.digest(), "looks": looks, "settings": settings})


if __name__ == "__main__":
    typer.run(main)
