"""How long until LightGCN's quality: graphrec's closed form against LightGCN itself, in one run on one machine.

LightGCN twice: graphrec's own plain one, and PyTorch Geometric's ``LightGCN`` with its ``recommendation_loss``.

    python benchmarks/time_to_quality.py ../shared/data/gowalla

LightGCN takes hours on a laptop, so it is given ``TIMES`` times the time that graphrec took; what it has reached by
then is shown beside its published, converged figure (He et al., SIGIR 2020). Where it is still below, the ratio of
times is larger than the one printed.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import report
import torch
import typer
from torch_geometric.data import HeteroData
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.nn.models import LightGCN as PyGLightGCN
from torch_geometric.utils import to_torch_csr_tensor

from graphrec.blocks.api import FitInputs
from graphrec.blocks.lightgcn import LightGCN
from graphrec.blocks.spectral import Spectral
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import EmbeddingScorer, Scorer, evaluate
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime

PUBLISHED = 0.1554  # NDCG@20 of LightGCN on its Gowalla split
TIMES = 20
CHOSEN = {"rank": 1000, "beta": 0.45, "power": 0.8, "friends": 0.0, "alpha": 0.4}  # by `evaluate`, on validation users

PLAIN = {"layers": 3, "learning_rate": 1e-3, "regularisation": 1e-4}  # of LightGCN, as in its paper


def main(folder: Path, seconds_at_most: float = 1500.0) -> None:
    """Measure both and keep the result."""
    data, config = Dataset.load(folder), Config()
    parts = split(data, config.split.model_copy(update={"kind": "given"}))
    train, truth = parts.fit_data, parts.test.seen()
    graph = HeteroData()
    graph["entity"].num_nodes, graph["item"].num_nodes = 0, train.n_items
    inputs = FitInputs(Ties(train), graph, Runtime.of(config.runtime, config.seed))
    queries = Queries.stored(inputs.ties)

    def ndcg(scorer: Scorer) -> float:
        return evaluate(scorer, queries, truth, (20,), auc=False, progress=True).metrics["ndcg@20"]

    start = time.perf_counter()
    block = Spectral().fit(inputs, CHOSEN)
    ours = time.perf_counter() - start
    rows = [row("graphrec, spectral block", ndcg(block), ours, ours)]

    limit = min(TIMES * ours, seconds_at_most)
    start = time.perf_counter()
    LightGCN().fit(inputs, {**PLAIN, "epochs": 1})
    epochs = math.ceil(limit / (time.perf_counter() - start))
    start = time.perf_counter()
    light = LightGCN().fit(inputs, {**PLAIN, "epochs": epochs})
    theirs = time.perf_counter() - start
    rows.append(row(f"LightGCN, graphrec's plain configuration, {epochs} epochs", ndcg(light), theirs, ours))
    start = time.perf_counter()
    scorer, passed = pyg(train, limit)
    theirs = time.perf_counter() - start
    rows.append(row(f"LightGCN of PyTorch Geometric, {passed:.2f} epochs", ndcg(scorer), theirs, ours))
    note = f"LightGCN's published, converged NDCG@20 on this split is {PUBLISHED}."
    report.keep("time_to_quality", data.name, {"data": data.fingerprint(), "note": note, "rows": rows})
    print(report.TABLE.read_text("utf-8"))


def pyg(train: Dataset, seconds: float, dim: int = 64, layers: int = 3, batch_size: int = 2048) -> tuple[Scorer, float]:
    """PyG's LightGCN over the adjacency in CSR, BPR, Adam at 1e-3, until the time is up; and the epochs it came to."""
    start, steps = time.perf_counter(), 0
    torch.manual_seed(42)
    n_users, edges = (
        train.n_users,
        torch.from_numpy(np.stack([train.interactions.user_nums, train.interactions.item_nums])),
    )
    edges = edges + torch.tensor([[0], [n_users]])  # (2, E), items after users
    both = torch.cat([edges, edges.flip(0)], dim=1)
    adjacency = gcn_norm(to_torch_csr_tensor(both, size=(n_users + train.n_items,) * 2), add_self_loops=False)
    if isinstance(adjacency, tuple):
        adjacency = adjacency[0]
    model = PyGLightGCN(n_users + train.n_items, dim, layers)
    for convolution in model.convs:
        convolution.normalize = False  # done once, above
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    while time.perf_counter() - start < seconds:
        for batch in torch.split(torch.randperm(edges.shape[1]), batch_size):
            if time.perf_counter() - start >= seconds:
                break
            steps += 1
            users, positives = edges[:, batch]
            negatives = torch.randint(n_users, n_users + train.n_items, (len(batch),))
            profiles = model.get_embedding(adjacency)
            better, worse = ((profiles[users] * profiles[other]).sum(dim=1) for other in (positives, negatives))
            loss = model.recommendation_loss(better, worse, torch.cat([users, positives, negatives]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        final = model.get_embedding(adjacency).numpy()
    return EmbeddingScorer(final[:n_users], final[n_users:]), steps * batch_size / edges.shape[1]


def row(what: str, ndcg: float, seconds: float, ours: float) -> dict[str, Any]:
    return {"what": what, "ndcg@20": ndcg, "seconds": seconds, "ratio": seconds / ours}


if __name__ == "__main__":
    typer.run(main)
