"""Training of the `autoencoder` block. Apart from it, so that who only asks a fitted model need not load torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from graphrec.blocks.api import FitInputs, Validation, beside, reading_of
from graphrec.blocks.search import Chosen
from graphrec.linalg.adjacency import degree_normalised, entity_rows, with_entities
from graphrec.linalg.svd import truncated_svd
from graphrec.profile.dense import ProfileBlock
from graphrec.train.loop import train

SVD_ITERATIONS = 4
WARM_UP = 0.1  # of all steps, in which the learning rate rises


class _Model(nn.Module):
    """E and V float32 (I, d), b float32 (I,)."""

    def __init__(self, rows: sp.csr_matrix, taken: sp.csr_matrix, dim: int, seed: int) -> None:
        super().__init__()
        values, vectors = truncated_svd(degree_normalised(rows), dim, SVD_ITERATIONS, seed)
        vectors /= max(float(np.linalg.norm(vectors, axis=1).mean()), 1e-12)
        counts = 1.0 + np.asarray(taken.sum(axis=0), dtype=np.float64).ravel()  # (I,)
        self.encoder = nn.Parameter(torch.from_numpy(vectors * math.sqrt(rows.sum(axis=1).mean())))
        self.decoder = nn.Parameter(torch.from_numpy(vectors * np.sqrt(values)))
        self.bias = nn.Parameter(torch.from_numpy(np.log(counts / counts.sum()).astype(np.float32)))

    def forward(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """Users (B, d) and scores (B, I) of histories, sparse (B, I), whose rows sum to 1 or, in parts, about 1."""
        users = torch.sparse.mm(history, self.encoder)
        return users, torch.addmm(self.bias, users, self.decoder.T)


class Run:
    """One training run."""

    def __init__(self, inputs: FitInputs, settings: Any, chosen: Chosen) -> None:
        self.inputs, self.settings = inputs, settings
        self.hidden, self.device = float(chosen["hidden"]), inputs.runtime.torch_device()
        self.reading = reading_of(chosen)
        learned = inputs.train.learning(self.reading)
        rows = with_entities(learned, entity_rows(inputs.graph), chosen["knowledge"])  # (U + N, I)
        self.rows = sp.csr_matrix(rows[np.diff(rows.indptr) > 0], dtype=np.float32)  # who took nothing teaches nothing
        self.model = _Model(self.rows, inputs.ties.taste(self.reading), settings.dim, inputs.runtime.seed).to(
            self.device
        )
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=self.settings.learning_rate, fused=True)
        self.batches = max(1, math.ceil(self.rows.shape[0] / self.settings.batch_size))
        steps = self.batches * self.settings.max_epochs
        rate = self.settings.learning_rate
        self.schedule = OneCycleLR(self.optimiser, rate, total_steps=steps + 1, pct_start=WARM_UP)
        self.random = inputs.runtime.generator()

    def train(self, epochs: int, validation: Validation | None) -> tuple[int, float]:
        """Best epoch and its NDCG on the validation users, to which the model is put back; without any, all epochs."""

        def evaluate() -> float:
            assert validation is not None
            block = self.unread()
            return validation.ndcg(block.computed(validation.queries), block.items)

        s = self.settings
        done = train(
            self.model,
            lambda _: self.epoch(),
            max_epochs=epochs,
            evaluate=None if validation is None else evaluate,
            every=max(1, math.ceil(s.max_epochs / s.evaluations)),
            patience=s.patience,
            progress=self.inputs.runtime.progress,
            name="autoencoder block",
        )
        return done.best_epoch, max((score for _, score in done.history), default=0.0)

    def epoch(self) -> float:
        """One pass over the histories in random order; the mean loss."""
        order = torch.randperm(self.rows.shape[0], generator=self.random).numpy()
        losses = []
        for batch in np.array_split(order, self.batches):
            loss = self.loss(self.rows[batch])
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            self.schedule.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def loss(self, rows: sp.csr_matrix) -> Tensor:
        """− log-likelihood of an item drawn from a history (B, I), given a random part of the history."""
        total = np.asarray(rows.sum(axis=1)).ravel()  # (B,)
        whole = sp.csr_matrix(sp.diags(1 / total) @ rows, dtype=np.float32)
        part = whole.copy()
        kept = torch.rand(part.nnz, generator=self.random).numpy() >= self.hidden
        part.data *= kept.astype(np.float32) / np.float32(1 - self.hidden)
        users, scores = self.model(_tensor(part, self.device))
        named = torch.sparse.mm(
            _tensor(whole, self.device), torch.cat([self.model.decoder, self.model.bias[:, None]], dim=1)
        )
        likely = (users * named[:, :-1]).sum(dim=1) + named[:, -1] - torch.logsumexp(scores, dim=1)  # (B,)
        weight = np.sqrt(total / total.mean())  # a long history says more, but not as much more as it is longer
        mean: Tensor = (likely * torch.from_numpy(weight.astype(np.float32)).to(self.device)).mean()
        return -mean

    @torch.no_grad()
    def unread(self) -> ProfileBlock:
        """The block without users. Sides float32 (I, d + 1); the last dimension is b, and 1 for every item taken."""
        encoder, decoder, bias = (p.cpu().numpy() for p in (self.model.encoder, self.model.decoder, self.model.bias))
        items, history = beside(decoder, bias), beside(encoder, np.ones(len(encoder), np.float32))
        return ProfileBlock("autoencoder", items[:0], items, history=history, prior=1, reading=self.reading)

    def block(self) -> ProfileBlock:
        """The block; users who took nothing get a zero row."""
        return self.unread().fitted(self.inputs.ties)


def _tensor(matrix: sp.csr_matrix, device: torch.device) -> Tensor:
    """The same as a sparse COO tensor."""
    coo = matrix.tocoo()
    index = torch.from_numpy(np.stack([coo.row, coo.col]).astype(np.int64))
    return torch.sparse_coo_tensor(index, torch.from_numpy(coo.data), coo.shape, check_invariants=False).to(device)
