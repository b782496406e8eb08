"""Baselines that are trained: iALS and BPR by the `implicit` library, and LightGCN as its paper has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from torch import Tensor, nn
from torch.nn import functional

from graphrec.data.dataset import Dataset
from graphrec.evaluate.baselines import CLOSED_FORM, Baseline
from graphrec.evaluate.ranking import EmbeddingScorer, Scorer
from graphrec.nn.light_gcn import bipartite, light_gcn

SEED = 42


def _fitted(model: Any, train: Dataset) -> Scorer:
    model.fit(train.matrix(), show_progress=False)
    return EmbeddingScorer(np.asarray(model.user_factors), np.asarray(model.item_factors))


class IALS(Baseline):
    """Implicit alternating least squares (Hu, Koren and Volinsky, ICDM 2008), by `implicit`."""

    name = "ials"

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return {
            "factors": (32, 64, 128, 256),
            "regularization": (0.001, 0.01, 0.1, 1.0, 10.0),
            "alpha": (1.0, 3.0, 10.0, 30.0),
            "iterations": (10, 20),
        }

    def fit(
        self, train: Dataset, factors: int = 64, regularization: float = 0.1, alpha: float = 1.0, iterations: int = 15
    ) -> Scorer:
        model = AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=iterations,
            random_state=SEED,
            use_gpu=False,
        )
        return _fitted(model, train)


class BPR(Baseline):
    """Matrix factorisation on pairs (Rendle et al., BPR, UAI 2009), by `implicit`."""

    name = "bpr"

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return {
            "factors": (32, 64, 128),
            "learning_rate": (0.01, 0.03, 0.1),
            "regularization": (0.001, 0.01, 0.03, 0.1),
            "iterations": (50, 100, 200),
        }

    def fit(
        self,
        train: Dataset,
        factors: int = 64,
        learning_rate: float = 0.03,
        regularization: float = 0.01,
        iterations: int = 100,
    ) -> Scorer:
        model = BayesianPersonalizedRanking(
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            random_state=SEED,
            num_threads=1,  # lock-free updates of several threads differ from run to run
            use_gpu=False,
        )
        return _fitted(model, train)


class LightGCN(Baseline):
    """LightGCN with its paper's pairwise loss, inner products and L2 on the embeddings (He et al., SIGIR 2020)."""

    name = "lightgcn"

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return {
            "layers": (1, 2, 3),
            "learning_rate": (1e-3, 3e-3, 1e-2),
            "regularisation": (1e-5, 1e-4, 1e-3),
            "epochs": (50, 100, 200),
        }

    def fit(
        self,
        train: Dataset,
        layers: int = 3,
        learning_rate: float = 1e-3,
        regularisation: float = 1e-4,
        epochs: int = 100,
        dim: int = 64,
        batch_size: int = 2048,
    ) -> Scorer:
        random = torch.Generator().manual_seed(SEED)
        edges = torch.from_numpy(np.stack([train.interactions.user_nums, train.interactions.item_nums]))  # (2, E)
        n_users, n_items = train.n_users, train.n_items
        graph = bipartite(edges, n_users, n_items)
        embedding = nn.Parameter(0.1 * torch.randn(n_users + n_items, dim, generator=random))
        optimiser = torch.optim.Adam([embedding], lr=learning_rate)
        for _ in range(epochs):
            for batch in torch.split(torch.randperm(edges.shape[1], generator=random), batch_size):
                users, positives = edges[0, batch], n_users + edges[1, batch]
                negatives = n_users + torch.randint(n_items, (len(batch),), generator=random)
                rows = torch.stack([users, positives, negatives])  # (3, B)
                loss = _pairwise(light_gcn(graph, embedding, layers)[rows])
                loss = loss + regularisation * embedding[rows].pow(2).sum() / 2 / len(batch)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
        with torch.no_grad():
            final = light_gcn(graph, embedding, layers).numpy()
        return EmbeddingScorer(final[:n_users], final[n_users:])


def _pairwise(rows: Tensor) -> Tensor:
    """−log σ(⟨u, i⁺⟩ − ⟨u, i⁻⟩), mean over the batch, from (3, B, d): users, positives, negatives."""
    users, positives, negatives = rows
    return functional.softplus((users * (negatives - positives)).sum(dim=1)).mean()


BASELINES: dict[str, Baseline] = {model.name: model for model in (*CLOSED_FORM, IALS(), BPR(), LightGCN())}
