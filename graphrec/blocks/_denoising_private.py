"""The `autoencoder` block by private steps: sides of items are of sums with noise, and what is trained is a map.

    score(u, i) = ⟨W mean_{j ∈ H_u} V_j, V_i⟩ + b_i        V: of the released Gram matrix; b: of the released counts

W (d, d) is all that is trained, so that noise on its gradient is small: d² numbers, not 2 I d. An example is a person,
their gradient is clipped as a whole (``privacy.steps``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from graphrec.blocks.api import beside
from graphrec.linalg.sums import ItemSums, filtered
from graphrec.linalg.svd import svd_of_gram
from graphrec.privacy.accountant import Sampled
from graphrec.privacy.steps import Training
from graphrec.profile.dense import ProfileBlock, empty_block
from graphrec.types import Floats

DIM = 32
SHARP = 4.0  # of the map that training starts from, times the identity
HIDDEN = 0.5  # part of a history that the rest of it has to name
CLIP = 1.0  # length of one person's gradient at most
RATE = 0.05


def learn(
    sums: ItemSums, rows: sp.csr_matrix, steps: Sampled, people: float, draw: torch.Generator | None = None
) -> ProfileBlock:
    """The block without users.

    Args:
        sums: what was released. rows: CSR (U, I), whoever teaches, over the items of the sums. steps: how often people
            are drawn, and the noise. people: how many there are of them, as that was released. draw: of what noise is
            drawn, by default the operating system's entropy.
    """
    sides, bias = _sides(sums)
    if not sides.shape[1]:
        return empty_block("autoencoder", 0, len(sums.items))
    model = nn.Linear(sides.shape[1], sides.shape[1], bias=False)
    with torch.no_grad():
        model.weight.copy_(SHARP * torch.eye(sides.shape[1]))
    training = Training(model, steps, people, clip=CLIP, rate=RATE, draw=draw)
    persons = Persons(rows, sides, bias, training.draw)
    training.run(rows.shape[0], persons.loss)
    with torch.no_grad():
        sent = model(torch.from_numpy(sides)).numpy()
    items, history = beside(sides, bias), beside(sent, np.ones(len(sent), np.float32))
    return ProfileBlock("autoencoder", items[:0], items, history=history, prior=1, reading=sums.reading)


def _sides(sums: ItemSums) -> tuple[Floats, Floats]:
    """V (I, r) of mean length 1, r ≤ ``DIM``, and b (I,), from nothing but what was released."""
    values, vectors = svd_of_gram(filtered(sums, min(sums.grams)), DIM, max(round(sums.users), 1))
    sides = vectors * np.sqrt(values)
    sides = sides[:, values > 0] / max(float(np.linalg.norm(sides, axis=1).mean()), 1e-12)
    counts = np.maximum(sums.counts, 0.0) + 1
    return sides.astype(np.float32), np.log(counts / counts.sum()).astype(np.float32)


class Persons:
    """What each person's history says of the map: − log-likelihood of an item of it, given a random part of it."""

    def __init__(self, rows: sp.csr_matrix, sides: Floats, bias: Floats, draw: torch.Generator) -> None:
        self.rows, self.draw = sp.csr_matrix(rows, dtype=np.float32), draw
        self.sides, self.bias = torch.from_numpy(sides), torch.from_numpy(bias)
        self.held = sides

    def loss(self, model: Any, batch: Tensor) -> Tensor:
        """Of each person of a batch (B,), float32 (B,)."""
        whole = self.rows[batch.numpy()]
        total = np.maximum(np.asarray(whole.sum(axis=1), np.float32).ravel(), 1)
        part = whole.copy()
        part.data *= (torch.rand(part.nnz, generator=self.draw).numpy() >= HIDDEN).astype(np.float32)
        kept = np.maximum(np.asarray(part.sum(axis=1), np.float32).ravel(), 1)
        users = model(torch.from_numpy((part @ self.held) / kept[:, None]))  # (B, d)
        named = torch.from_numpy((whole @ np.column_stack([self.held, self.bias.numpy()])) / total[:, None])
        likely = (users * named[:, :-1]).sum(dim=1) + named[:, -1]
        out: Tensor = torch.logsumexp(torch.addmm(self.bias, users, self.sides.T), dim=1) - likely
        return out
