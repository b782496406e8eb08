"""How long until LightGCN's quality: graphrec's closed form against LightGCN itself, in one run on one machine.

    python benchmarks/time_to_quality.py ../shared/data/gowalla

LightGCN takes hours on a laptop, so it is given ``TIMES`` times the time that graphrec took, in whole epochs; what it
has reached by then is shown beside its published, converged figure (He et al., SIGIR 2020). Where it is still below,
the ratio of times is larger than the one printed.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import report
import typer
from torch_geometric.data import HeteroData

from graphrec.blocks.base import FitInputs
from graphrec.blocks.spectral import Spectral
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import EmbeddingScorer, Scorer, evaluate
from graphrec.evaluate.trained import LightGCN

PUBLISHED = 0.1554  # NDCG@20 of LightGCN on its Gowalla split
TIMES = 20
CHOSEN = {"rank": 1000, "beta": 0.45, "power": 0.8, "friends": 0.0, "alpha": 0.4}  # by `evaluate`, on validation users


def main(folder: Path, seconds_at_most: float = 1500.0) -> None:
    """Measure both and keep the result."""
    data, config = Dataset.load(folder), Config()
    parts = split(data, config.split.model_copy(update={"kind": "given"}))
    train, seen, truth = parts.fit_data, parts.fit_data.matrix(), parts.test.matrix()
    graph = HeteroData()
    graph["entity"].num_nodes, graph["item"].num_nodes = 0, train.n_items

    def ndcg(scorer: Scorer) -> float:
        return evaluate(scorer, seen, truth, (20,), auc=False, progress=True).metrics["ndcg@20"]

    start = time.perf_counter()
    block = Spectral().fit(FitInputs(train, graph, config), CHOSEN)
    ours = time.perf_counter() - start
    rows = [row("graphrec, spectral block", ndcg(EmbeddingScorer(block.users, block.items)), ours, ours)]

    start = time.perf_counter()
    LightGCN().fit(train, epochs=1)
    epochs = math.ceil(min(TIMES * ours, seconds_at_most) / (time.perf_counter() - start))
    start = time.perf_counter()
    scorer = LightGCN().fit(train, epochs=epochs)
    theirs = time.perf_counter() - start
    rows.append(row(f"LightGCN, {epochs} epochs", ndcg(scorer), theirs, ours))
    note = f"LightGCN's published, converged NDCG@20 on this split is {PUBLISHED}."
    report.keep("time_to_quality", data.name, {"data": data.fingerprint(), "note": note, "rows": rows})
    print(report.TABLE.read_text("utf-8"))


def row(what: str, ndcg: float, seconds: float, ours: float) -> dict[str, Any]:
    return {"what": what, "ndcg@20": ndcg, "seconds": seconds, "ratio": seconds / ours}


if __name__ == "__main__":
    typer.run(main)
