"""A network that several processes train on the same batches, each on its share, all with the same weights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from graphrec.nn.light_gcn import Bipartite
from graphrec.ranks import Ranks
from graphrec.train.checkpoint import Checkpoint


class _Summed(torch.autograd.Function):
    """The tensors as they are; their gradients are the sums of those of all processes."""

    @staticmethod
    def forward(ctx: Any, ranks: Ranks, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.ranks = ranks
        return tuple(tensor.view_as(tensor) for tensor in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        total = [grad.clone(memory_format=torch.contiguous_format) for grad in grads]
        ctx.ranks.sum(*total)
        return None, *total


def summed(ranks: Ranks | None, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors that every process has alike, of which each makes a share of the loss: whatever they were made of gets
    the gradient of the whole loss, in every process the same."""
    return tensors if ranks is None else _Summed.apply(ranks, *tensors)  # type: ignore[no-untyped-call]


def add_gradients(ranks: Ranks | None, parameters: Iterable[Tensor]) -> None:
    """Gradients of shares of the loss become those of the whole."""
    if ranks is not None:
        ranks.sum(*(p.grad for p in parameters if p.grad is not None))


def mine(ranks: Ranks | None, batch: Any) -> Any:
    """Every size-th row of a batch, from that of the own number on."""
    return batch if ranks is None else batch[ranks.rank :: ranks.size]


def means(ranks: Ranks | None, shares: Sequence[float]) -> float:
    """The mean over steps of a loss, of which this process has these shares."""
    total = torch.tensor(shares, dtype=torch.float64)
    if ranks is not None:
        ranks.sum(total)
    return float(total.mean()) if len(total) else 0.0


class Divided(Bipartite):
    """An adjacency of which each process propagates over the rows of its own users and items, and hands them to the
    others. Every process holds all edges; rows are divided so that each has about as many of them."""

    ranks: Ranks

    @classmethod
    def among(cls, ranks: Ranks | None, graph: Bipartite) -> Bipartite:
        """The graph as it is where there is one process."""
        if ranks is None:
            return graph
        out = cls(*graph)
        out.ranks = ranks
        return out

    def step(self, x: Tensor, total: Tensor, sent: Tensor, layer: int | None = None) -> None:
        """As in one process."""
        n_users, rank = self.users.shape[0], self.ranks.rank
        for matrix, of, to in (
            (self.users, slice(None, n_users), slice(n_users, None)),
            (self.items, slice(n_users, None), slice(None, n_users)),
        ):
            ends = self._ends(matrix)
            some = slice(ends[rank], ends[rank + 1])
            rows = sent[of]
            if some.start < some.stop:
                torch.addmm(x[of][some], _rows(matrix, some), total[to], out=rows[some])
            self.ranks.gather_rows(rows, ends)

    def _ends(self, matrix: Tensor) -> list[int]:
        edges = matrix.crow_indices()
        share = torch.arange(1, self.ranks.size, device=edges.device) * int(edges[-1]) // self.ranks.size
        return [0, *torch.searchsorted(edges[:-1], share.to(edges.dtype)).tolist(), matrix.shape[0]]


def _rows(matrix: Tensor, some: slice) -> Tensor:
    """Rows of a CSR tensor, which shares its memory."""
    edges = matrix.crow_indices()[some.start : some.stop + 1]
    first, last = int(edges[0]), int(edges[-1])
    shape = (some.stop - some.start, matrix.shape[1])
    within = (edges - first, matrix.col_indices()[first:last], matrix.values()[first:last])
    return torch.sparse_csr_tensor(*within, shape, check_invariants=False)


def loaded(kept: Checkpoint | None, ranks: Ranks | None) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """What the first process kept, in every process; None where there is nothing."""
    if kept is None:
        return None
    if ranks is None:
        return kept.load()
    found = kept.load() if ranks.first else None
    tensors, told = found or ({}, None)
    forms = [[name, list(t.shape), str(t.dtype).partition(".")[2]] for name, t in tensors.items()]
    forms, told = json.loads(ranks.data(json.dumps([forms, told]).encode()))
    for name, shape, kind in forms:
        held = tensors[name] if ranks.first else torch.empty(shape, dtype=getattr(torch, kind))
        ranks.share(held)
        tensors[name] = held
    return None if told is None else (tensors, told)
