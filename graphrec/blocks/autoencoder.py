"""A denoising autoencoder as a block: histories, with most of their items hidden, learn to name all of them.

A history is the mean of what its items send, and a score adds what makes an item likely for anybody:

    score(u, i) = ⟨1/n_u Σ_{j ∈ H_u} E_j, V_i⟩ + b_i

The loss is the multinomial likelihood of Mult-DAE (Liang et al., WWW 2018) over the whole catalogue; its hidden layer
is linear here (as in EDLAE: Steck, NeurIPS 2020), so a score splits exactly into history items, and an unseen history
needs no training. E and V start from singular vectors; entities of the knowledge graph are further histories.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from graphrec.blocks.base import Chosen, FitInputs, Validation, beside, choose, left_out, reading_of, scaled_block
from graphrec.linalg.adjacency import degree_normalised, entity_rows, with_entities
from graphrec.linalg.svd import truncated_svd
from graphrec.profile.profiles import ProfileBlock, empty_block
from graphrec.train.loop import train
from graphrec.types import Floats

SVD_ITERATIONS = 4
WARM_UP = 0.1  # of all steps, in which the learning rate rises


class Autoencoder:
    """The `autoencoder` block. Hidden share, weight of entities and epochs are chosen on validation users.

    A softmax over everything is dense, so it sits out above ``config.autoencoder.max_items`` items.
    """

    name = "autoencoder"

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[ProfileBlock, Chosen]:
        settings, found = inputs.config.autoencoder, inputs.train.n_items
        if found > settings.max_items:
            return left_out(self.name, inputs.train, settings.max_items)
        knowledge = settings.knowledge if entity_rows(inputs.graph).shape[0] else settings.knowledge[:1]
        readings = [r for r in inputs.train.events.readings if r != "signed"]  # nothing is less likely than not at all
        tried: dict[tuple[Any, ...], tuple[ProfileBlock, int, float]] = {}  # block, epochs, NDCG

        def score(candidate: Chosen) -> float:
            run = _Run(inputs, candidate)
            epochs, ndcg = run.train(settings.max_epochs, validation)
            tried[tuple(candidate.values())] = run.block(), epochs, ndcg
            return ndcg

        grid = {"hidden": settings.hidden, "knowledge": knowledge, "reading": readings}
        start = {"hidden": settings.hidden[-1], "knowledge": knowledge[-1], "reading": readings[0]}
        chosen = choose(grid, score, start, [("knowledge",), ("hidden",), ("reading",)], len(validation.user_nums))
        block, epochs, ndcg = tried[tuple(chosen.values())]
        return block, {**chosen, "epochs": epochs, "validation_ndcg": round(ndcg, 6)}

    def fit(self, inputs: FitInputs, chosen: Chosen) -> ProfileBlock:
        if "left_out" in chosen:
            return empty_block(self.name, inputs.train.n_users, inputs.train.n_items)
        run = _Run(inputs, chosen)
        run.train(int(chosen["epochs"]), None)
        return run.block()


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


class _Run:
    """One training run."""

    def __init__(self, inputs: FitInputs, chosen: Chosen) -> None:
        self.inputs, self.settings = inputs, inputs.config.autoencoder
        self.hidden = float(chosen["hidden"])
        torch.manual_seed(inputs.config.seed)
        self.reading = reading_of(chosen)
        self.taken = inputs.train.taste(self.reading)  # (U, I)
        learned = inputs.train.learning(self.reading)
        rows = with_entities(learned, entity_rows(inputs.graph), chosen["knowledge"])  # (U + N, I)
        self.rows = sp.csr_matrix(rows[np.diff(rows.indptr) > 0], dtype=np.float32)  # who took nothing teaches nothing
        self.model = _Model(self.rows, self.taken, self.settings.dim, inputs.config.seed)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=self.settings.learning_rate, fused=True)
        self.batches = max(1, math.ceil(self.rows.shape[0] / self.settings.batch_size))
        steps = self.batches * self.settings.max_epochs
        rate = self.settings.learning_rate
        self.schedule = OneCycleLR(self.optimiser, rate, total_steps=steps + 1, pct_start=WARM_UP)
        self.random = torch.Generator().manual_seed(inputs.config.seed)

    def train(self, epochs: int, validation: Validation | None) -> tuple[int, float]:
        """Best epoch and its NDCG on the validation users, to which the model is put back; without any, all epochs."""

        def evaluate() -> float:
            assert validation is not None
            users, items, _ = self.sides(self.taken[validation.user_nums])
            return validation.ndcg(users, items)

        s = self.settings
        done = train(
            self.model,
            lambda _: self.epoch(),
            max_epochs=epochs,
            evaluate=None if validation is None else evaluate,
            every=max(1, math.ceil(s.max_epochs / s.evaluations)),
            patience=s.patience,
            progress=self.inputs.progress,
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
        users, scores = self.model(_tensor(part))
        named = torch.sparse.mm(_tensor(whole), torch.cat([self.model.decoder, self.model.bias[:, None]], dim=1))
        likely = (users * named[:, :-1]).sum(dim=1) + named[:, -1] - torch.logsumexp(scores, dim=1)  # (B,)
        weight = np.sqrt(total / total.mean())  # a long history says more, but not as much more as it is longer
        mean: Tensor = (likely * torch.from_numpy(weight.astype(np.float32))).mean()
        return -mean

    @torch.no_grad()
    def sides(self, taken: sp.csr_matrix) -> tuple[Floats, Floats, Floats]:
        """Users (B, d + 1), items (I, d + 1) and the history table (I, d + 1); the last dimension is b."""
        history = beside(self.model.encoder.numpy(), np.ones(taken.shape[1], np.float32))
        users = np.asarray(sp.diags(_shares(taken)) @ (taken @ history), dtype=np.float32)
        return users, beside(self.model.decoder.numpy(), self.model.bias.numpy()), history

    def block(self) -> ProfileBlock:
        """Users who took nothing get a zero row."""
        users, items, history = self.sides(self.taken)
        scale, name = _shares(self.taken).astype(np.float32), Autoencoder.name
        block = ProfileBlock(name, users, items, history=history, scale=scale, prior=1, reading=self.reading)
        return scaled_block(block)


def _shares(taken: sp.csr_matrix) -> npt.NDArray[np.float64]:
    """1 / sum of each row (B, I), float64 (B,); 0 for an empty one."""
    sums = np.asarray(taken.sum(axis=1), np.float64).ravel()
    return np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)


def _tensor(matrix: sp.csr_matrix) -> Tensor:
    """The same as a sparse COO tensor."""
    coo = matrix.tocoo()
    index = torch.from_numpy(np.stack([coo.row, coo.col]).astype(np.int64))
    return torch.sparse_coo_tensor(index, torch.from_numpy(coo.data), coo.shape, check_invariants=False)
