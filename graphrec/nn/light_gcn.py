"""The graph convolution of LightGCN: propagation without weights, and the mean over layers.

X_users^(k+1) = R̃ X_items^(k),  X_items^(k+1) = R̃ᵀ X_users^(k)     (He et al., LightGCN, SIGIR 2020, eq. 3)
E = 1/(K+1) Σ_k X^(k)                                              (eq. 4)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

LEAST_DEGREE = 1e-3  # a weak event is no reason for a large weight


class Bipartite(NamedTuple):
    """R̃ sparse CSR (U, I), its transpose (I, U), so that neither product ever transposes, and degrees (U + I,) > 0.

    Two products of half the size are about twice as fast as one of the square matrix: each half fits a cache better.
    """

    users: Tensor
    items: Tensor
    degrees: Tensor

    def to(self, device: torch.device) -> Bipartite:
        """The same on a device."""
        return Bipartite(*(part.to(device) for part in self))

    def step(self, x: Tensor, total: Tensor, sent: Tensor, layer: int | None = None) -> None:
        """``sent`` := x + Ã total, (U + I, d) each. ``layer``: the number of the step forwards; None for gradients."""
        n_users = self.users.shape[0]
        torch.addmm(x[:n_users], self.users, total[n_users:], out=sent[:n_users])
        torch.addmm(x[n_users:], self.items, total[:n_users], out=sent[n_users:])


class _LayerMean(torch.autograd.Function):
    """1/(K+1) Σ_{k ≤ K} Ã^k x. Ã is symmetric, so the gradient is the same mean."""

    @staticmethod
    def forward(ctx: Any, graph: Bipartite, x: Tensor, layers: int) -> Tensor:
        ctx.graph, ctx.layers = graph, layers
        return _layer_mean(graph, x, layers, forwards=True)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, None]:
        return None, _layer_mean(ctx.graph, grads[0].contiguous(), ctx.layers, forwards=False), None


def _layer_mean(graph: Bipartite, x: Tensor, layers: int, forwards: bool) -> Tensor:
    """By Horner's rule, x + Ã(x + Ã(x + …)): each step is one product that adds on the way, nothing else is kept."""
    total = x
    for layer in range(layers):
        sent = torch.empty_like(x)  # (U + I, d)
        graph.step(x, total, sent, layer if forwards else None)
        total = sent
    return total.div_(layers + 1) if layers else x.clone()


def light_gcn(graph: Bipartite, x: Tensor, layers: int, noise: float = 0.0) -> Tensor:
    """Mean of x and its propagations.

    Args:
        graph: normalised adjacency. x: (U + I, d), users first. layers: K ≥ 0.
        noise: of ``perturbed``, after every step.

    Shapes: → (U + I, d).
    """
    if not noise:
        return _LayerMean.apply(graph, x, layers)  # type: ignore[no-untyped-call, no-any-return]
    return light_gcn_layers(graph, x, layers, noise)[0]


def light_gcn_layers(graph: Bipartite, x: Tensor, layers: int, noise: float) -> tuple[Tensor, Tensor]:
    """``light_gcn``, and the first layer alone, (U + I, d) each: the two views of XSimGCL."""
    first, total = x, x
    for layer in range(layers):
        x = perturbed(step(graph, x), noise)  # (U + I, d)
        first, total = x if not layer else first, total + x
    return total / (layers + 1), first


def history_mean(graph: Bipartite, x: Tensor, gamma: float) -> Tensor:
    """Items as they are, users γ x_u + (1−γ) mean of x_i over what they took, (U + I, d); degrees to the power ½.

    Mao et al., SimpleX, CIKM 2021, eq. 4 with its mean pooling, but for the linear map of the mean.
    """
    n_users, root = graph.users.shape[0], graph.degrees.sqrt()[:, None]
    mean = (step(graph, x * root) / root)[:n_users]
    return torch.cat([gamma * x[:n_users] + (1 - gamma) * mean, x[n_users:]])


def step(graph: Bipartite, x: Tensor) -> Tensor:
    """Ã x: what each node's neighbours send it, (U + I, d)."""
    return 2 * _LayerMean.apply(graph, x, 1) - x  # type: ignore[no-untyped-call, no-any-return]


def perturbed(x: Tensor, noise: float) -> Tensor:
    """Each row of x plus a random vector of length ``noise`` in its orthant (Yu et al., XSimGCL, TKDE 2024)."""
    return x + x.sign() * functional.normalize(torch.rand_like(x), dim=1) * noise if noise else x


def bipartite(
    edge_index: Tensor,
    n_users: int,
    n_items: int,
    power: float = 0.5,
    weights: Tensor | None = None,
    taken: Tensor | None = None,
) -> Bipartite:
    """R̃ = D_u^-p R D_i^-p and its transpose in float32, from edge_index int64 (2, E), users over items.

    ``weights``: float32 (E,) > 0, the entries of R; 1 where none are given. ``taken``: float32 (I,), the degrees of
    items where there are more users than these.
    """
    degrees: list[Tensor] = []
    for ends, n in zip(edge_index, (n_users, n_items), strict=True):
        sums = torch.bincount(ends, weights, minlength=n).to(torch.float32)
        sums = taken if taken is not None and degrees else sums
        degrees.append(torch.where(sums > 0, sums.clamp(min=LEAST_DEGREE), 1.0))  # (U,), (I,)
    values = (degrees[0][edge_index[0]] * degrees[1][edge_index[1]]) ** -power  # (E,)
    values = values if weights is None else values * weights
    users, items = edge_index
    return Bipartite(
        _csr(users, items, values, (n_users, n_items)),
        _csr(items, users, values, (n_items, n_users)),
        torch.cat(degrees),
    )


def _csr(rows: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """The matrix with these entries (E,), each once. Places take 32 bits where these do: products convert others."""
    ends = torch.bincount(rows, minlength=shape[0]).cumsum(0)
    if bool(((rows[1:] < rows[:-1]) | ((rows[1:] == rows[:-1]) & (columns[1:] < columns[:-1]))).any()):
        order = torch.argsort(rows * shape[1] + columns)
        columns, values = columns[order], values[order]
    narrow = torch.int32 if max(len(values), *shape) < 2**31 else torch.int64
    ends = torch.cat([ends.new_zeros(1), ends]).to(narrow)
    return torch.sparse_csr_tensor(ends, columns.to(narrow), values, shape, check_invariants=False)
