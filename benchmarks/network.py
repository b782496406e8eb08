"""The network alone against its literature on LightGCN's Gowalla split, with its learning curve.

    python benchmarks/network.py ../shared/data/gowalla --work /tmp/network
    python benchmarks/network.py ../shared/data/gowalla --set graph.dim=512 --set graph.minutes=60 --work /tmp/network

Epochs, temperature and weight of popularity are chosen on validation users carved from train, the network is then
trained on all of train, and the test part is looked at once for each row. ``--work`` is where a run that was killed
goes on.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import report
import typer

import kg.graph
from graphrec.blocks.api import FitInputs, Folds
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import evaluate
from graphrec.evaluate.validation import Validation
from graphrec.graph.hetero import hetero_graph
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime

PUBLISHED = {  # Recall@20, NDCG@20
    "LightGCN (SIGIR 2020)": (0.1823, 0.1555),
    "SimpleX (CIKM 2021)": (0.1872, 0.1557),
    "LightGCN with BSL (ICDE 2024)": (0.1892, 0.1590),
    "NESCL (2023)": (0.1917, 0.1617),
    "BSPM (SIGIR 2023)": (0.1920, 0.1597),
    "ChebyCF (highest published)": (0.1941, 0.1616),
}


def trained(parts: Split, config: Config, work: Path | None, test: bool = True) -> dict[str, Any]:
    """What was chosen on validation users, the learning curve, and the figures on the test part, looked at once."""
    runtime = Runtime.of(config.runtime, config.seed, progress=True, work=work)
    runtime.set_threads()
    block = config.block("graph")

    def inputs(data: Dataset) -> FitInputs:
        return FitInputs(Ties(data), hetero_graph(data, kg.graph.empty(), None), runtime)

    start, busy = time.perf_counter(), time.process_time()
    given = inputs(parts.train)
    validation = Validation(given.ties, parts.valid, config.blend.k, config.blend.users, config.seed)
    chosen = block.tune(Folds.of(given, validation))[1]
    print(chosen, flush=True)
    found: dict[str, Any] = {"settings": config.graph.model_dump(mode="json"), "chosen": chosen}
    if test:
        whole = inputs(parts.fit_data)
        fitted = block.fit(whole, chosen)
        measured = evaluate(fitted, Queries.stored(whole.ties), parts.test.seen(), (20,), auc=False, progress=True)
        found["metrics"] = {k: measured.metrics[k] for k in ("recall@20", "ndcg@20")}
    return {**found, "seconds": time.perf_counter() - start, "busy": time.process_time() - busy}


def main(
    folder: Path,
    name: Annotated[str, typer.Option(help="What the row is called.")] = "graphrec, default",
    set_: Annotated[list[str], typer.Option("--set", help="section.key=value")] = [],  # noqa: B006 (typer reads it)
    work: Annotated[Path | None, typer.Option(help="Where a run that is killed goes on.")] = None,
    test: Annotated[bool, typer.Option(help="Look at the test part.")] = True,
) -> None:
    """Train one configuration, keep its figures, and write the table."""
    data, config = Dataset.load(folder), Config.load(None, set_)
    parts = split(data, config.split.model_copy(update={"kind": "given"}))
    found = trained(parts, config, work, test)
    print(found, flush=True)
    if test:
        published = {title: list(figures) for title, figures in PUBLISHED.items()}
        report.keep("network", f"{data.name}, {name}", {"data": data.fingerprint(), "published": published, **found})


if __name__ == "__main__":
    typer.run(main)
