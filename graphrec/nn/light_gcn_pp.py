"""The graph convolution of LightGCN++: unit messages, unequal exponents of the degrees, a weight for the node itself.

x_u^(k+1) = 1/|N_u|^α Σ_{i ∈ N_u} 1/|N_i|^β · x_i^(k) / ‖x_i^(k)‖
E = γ x^(0) + (1−γ)/K Σ_{k ≥ 1} x^(k)

Lee et al., Revisiting LightGCN: Unexpected inflexibility, inconsistency, and a remedy towards improved recommendation,
RecSys 2024, eqs. 6 and 7. With α = β = ½, messages as they are and γ = 1/(K+1) it is LightGCN.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from graphrec.nn.light_gcn import Bipartite, perturbed, step


def light_gcn_pp(graph: Bipartite, x: Tensor, layers: int, gather: float, gamma: float, noise: float = 0.0) -> Tensor:
    """Weighted sum of x and its propagations.

    Args:
        graph: adjacency with both degrees to the power (α+β)/2, symmetric. x: (U + I, d), users first. layers: K ≥ 1.
        gather: (α−β)/2, by which the node that gathers counts more than the one that sends:
            D^-α A D^-β = D^-g S D^g with S the symmetric one.
        gamma: γ in [0, 1]. noise: of ``perturbed``, after every step.

    Shapes: → (U + I, d).
    """
    power = graph.degrees[:, None] ** gather  # (U + I, 1)
    start, total = x, torch.zeros_like(x)
    for _ in range(layers):
        x = perturbed(step(graph, functional.normalize(x, dim=1) * power) / power, noise)  # (U + I, d)
        total = total + x
    return gamma * start + (1 - gamma) / layers * total
