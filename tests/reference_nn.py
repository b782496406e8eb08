"""Naive twins of losses and propagation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from graphrec.nn.losses import LOSSES, Negatives

Rows: TypeAlias = list[list[float]]
Matrix: TypeAlias = npt.NDArray[np.float64]


def _dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def naive_loss(name: str, users: Rows, positives: Rows, negatives: Rows, temperature: float) -> float:
    """The losses of ``graphrec.nn.losses.LOSSES`` from their formulas, one user and one negative at a time."""
    t, n = temperature, len(users)
    good = [_dot(u, p) for u, p in zip(users, positives, strict=True)]
    bad = [[_dot(u, other) for other in negatives] for u in users]
    if name == "softmax":
        total = 0.0
        for s, row in zip(good, bad, strict=True):
            total -= math.log(math.exp(s / t) / (math.exp(s / t) + sum(math.exp(b / t) for b in row)))
        return total / n
    if name == "bsl":
        return sum(math.log(sum(math.exp(b / t) for b in row)) - s / t for s, row in zip(good, bad, strict=True)) / n
    assert name == "ccl"
    pushed = [sum(max(0.0, b - 0.4) for b in row) / len(row) for row in bad]
    return sum(1 - s + 150 * p for s, p in zip(good, pushed, strict=True)) / n


def paired(name: str) -> Callable[[Tensor, Tensor, Tensor, float], Tensor]:
    """A loss of users (B, d), one positive (B, d) of each, and negatives (n, d) that were drawn."""

    def loss(users: Tensor, positives: Tensor, negatives: Tensor, temperature: float) -> Tensor:
        pairs = torch.arange(len(users)).repeat(2, 1)
        return LOSSES[name](users, positives, pairs, Negatives(negatives), temperature)

    return loss


def naive_agreement(first: Rows, second: Rows, temperature: float) -> float:
    """InfoNCE: −log of the share that each row's twin has among all rows of the other view."""
    total = 0.0
    for i, row in enumerate(first):
        among = [math.exp(_dot(row, other) / temperature) for other in second]
        total -= math.log(among[i] / sum(among))
    return total / len(first)


def naive_away(users: Rows, items: Rows, temperature: float) -> float:
    """The mean of log(1 + exp(s/τ))."""
    pairs = zip(users, items, strict=True)
    return sum(math.log(1 + math.exp(_dot(u, i) / temperature)) for u, i in pairs) / len(users)


def naive_adjacency(taken: Matrix, gather: float, send: float, least: float) -> Matrix:
    """A_ij / (d_i^gather d_j^send) of users and items in one square matrix; degrees are at least ``least``."""
    n_users, n = len(taken), sum(taken.shape)
    linked = np.zeros((n, n))
    linked[:n_users, n_users:], linked[n_users:, :n_users] = taken, taken.T
    degree = [max(sum(row), least) for row in linked]
    for i in range(n):
        for j in range(n):
            linked[i, j] /= degree[i] ** gather * degree[j] ** send
    return linked


def naive_light_gcn(adjacency: Matrix, x: npt.NDArray[np.float32], layers: int) -> Matrix:
    """The mean of x and its propagations, each node summing over all others."""
    steps = [x.astype(np.float64)]
    for _ in range(layers):
        steps.append(
            np.array([sum(w * row for w, row in zip(weights, steps[-1], strict=True)) for weights in adjacency])
        )
    return np.asarray(sum(steps) / len(steps))


def naive_light_gcn_pp(adjacency: Matrix, x: npt.NDArray[np.float32], layers: int, gamma: float) -> Matrix:
    """γ x + (1−γ)/K Σ of the propagations, whose messages have length 1."""
    now, total = x.astype(np.float64), np.zeros(x.shape)
    for _ in range(layers):
        sent = [row / max(math.sqrt(sum(row**2)), 1e-12) for row in now]
        now = np.array([sum(w * row for w, row in zip(weights, sent, strict=True)) for weights in adjacency])
        total = total + now
    return np.asarray(gamma * x + (1 - gamma) / layers * total)


def naive_attention(
    x: npt.NDArray[np.float32],
    edges: list[list[int]],
    features: npt.NDArray[np.float32],
    att: npt.NDArray[np.float32],
    *,
    lin_l: npt.NDArray[np.float32],
    lin_r: npt.NDArray[np.float32],
    lin_edge: npt.NDArray[np.float32],
) -> Matrix:
    """GATv2 over edges (source, target): what each node hears, one node and one head at a time, (N, d).

    e = a · LeakyReLU(W_l x_source + W_r x_target + W_e features), a softmax over the edges that end in one node
    (Brody et al., ICLR 2022, eq. 7). att: (heads, d / heads).
    """
    heads, width = att.shape
    out = np.zeros((len(x), heads * width))
    for node in range(len(x)):
        ending = [n for n, (_, target) in enumerate(edges) if target == node]
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            scores, messages = [], []
            for n in ending:
                source = edges[n][0]
                z = (lin_l @ x[source] + lin_r @ x[node] + lin_edge @ features[n])[part]
                scores.append(math.exp(att[head] @ np.where(z > 0, z, 0.2 * z)))
                messages.append((lin_l @ x[source])[part])
            for score, message in zip(scores, messages, strict=True):
                out[node, part] += score / sum(scores) * message
    return out
