"""The graph convolution of LightGCN: propagation without weights, and the mean over layers.

X^(k+1) = D^-½ A D^-½ X^(k)        (He et al., LightGCN, SIGIR 2020, eq. 7)
E = 1/(K+1) Σ_k X^(k)              (eq. 8)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _SymmetricProduct(torch.autograd.Function):
    """A @ X for a symmetric sparse A: the gradient A.T @ G is A @ G, so no transpose is ever made."""

    @staticmethod
    def forward(ctx: Any, adjacency: Tensor, x: Tensor) -> Tensor:
        ctx.adjacency = adjacency
        return adjacency @ x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        return None, ctx.adjacency @ grads[0].contiguous()


def light_gcn(adjacency: Tensor, x: Tensor, layers: int) -> Tensor:
    """Mean of x and its propagations.

    Args:
        adjacency: sparse CSR (N, N), symmetric and already normalised.
        x: (N, d). layers: K ≥ 0.

    Shapes: → (N, d).
    """
    total = x
    for _ in range(layers):
        x = _SymmetricProduct.apply(adjacency, x)  # type: ignore[no-untyped-call]  # (N, d)
        total = total + x
    return total / (layers + 1)


def bipartite_adjacency(edge_index: Tensor, n_users: int, n_items: int) -> Tensor:
    """D^-½ A D^-½ over users then items, sparse CSR float32 (U + I, U + I), from edge_index int64 (2, E)."""
    users, items = edge_index[0], edge_index[1] + n_users
    n = n_users + n_items
    index = torch.stack([torch.cat([users, items]), torch.cat([items, users])])  # (2, 2E)
    degree = torch.bincount(index[0], minlength=n).clamp(min=1).to(torch.float32)
    values = degree[index[0]].rsqrt() * degree[index[1]].rsqrt()
    return torch.sparse_coo_tensor(index, values, (n, n), check_invariants=False).coalesce().to_sparse_csr()
