"""The training of the `lightgcn` block."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.nn import functional

from graphrec.blocks.search import Chosen
from graphrec.nn.light_gcn import bipartite, light_gcn
from graphrec.runtime import Runtime
from graphrec.types import Floats


class Trained(NamedTuple):
    """Users (U, d), items (I, d) and what a history adds to a user, (I, d), all float32; see ``lightgcn``."""

    users: Floats
    items: Floats
    history: Floats


def trained(rows: sp.csr_matrix, chosen: Chosen, dim: int, batch_size: int, runtime: Runtime) -> Trained:
    """LightGCN over the pattern of R, CSR (U, I), by Adam on random triples of user, taken and random item."""
    (n_users, n_items), layers = rows.shape, chosen["layers"]
    random, device = runtime.generator(), runtime.torch_device()
    pairs = rows.tocoo()
    edges = torch.from_numpy(np.stack([pairs.row, pairs.col]).astype(np.int64))  # (2, E)
    graph = bipartite(edges, n_users, n_items).to(device)
    embedding = nn.Parameter((0.1 * torch.randn(n_users + n_items, dim, generator=random)).to(device))
    optimiser = torch.optim.Adam([embedding], lr=chosen["learning_rate"])
    for _ in range(chosen["epochs"]):
        for batch in torch.split(torch.randperm(edges.shape[1], generator=random), batch_size):
            users, positives = edges[0, batch], n_users + edges[1, batch]
            negatives = n_users + torch.randint(n_items, (len(batch),), generator=random)
            triples = torch.stack([users, positives, negatives]).to(device)  # (3, B)
            loss = pairwise(light_gcn(graph, embedding, layers)[triples])
            loss = loss + chosen["regularisation"] * embedding[triples].pow(2).sum() / 2 / len(batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        final = light_gcn(graph, embedding, layers)
        sent = layers * light_gcn(graph, embedding, layers - 1)[n_users:]  # (I, d)
        root = graph.degrees.sqrt()[:, None]  # (U + I, 1)
        users = (layers + 1) * root[:n_users] * final[:n_users]
        return Trained(*(part.cpu().numpy() for part in (users, final[n_users:], sent / root[n_users:])))


def pairwise(rows: Tensor) -> Tensor:
    """−log σ(⟨u, i⁺⟩ − ⟨u, i⁻⟩), mean over the batch, from (3, B, d): users, positives, negatives."""
    users, positives, negatives = rows
    return functional.softplus((users * (negatives - positives)).sum(dim=1)).mean()
