"""Losses over one positive and many shared negatives.

Shapes of all: users (B, d), positives (B, d), negatives (n, d) shared by the batch, all at unit length → scalar.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

BILATERAL = 1.1  # τ of the positives over τ of the negatives, in ``bilateral_softmax``
MARGIN, NEGATIVE_WEIGHT = 0.4, 150.0  # of ``cosine_contrastive``, as its paper sets them on Gowalla


def sampled_softmax(users: Tensor, positives: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """−log softmax of the positive among the negatives, mean over the batch.

        L = −s⁺/τ + log(exp(s⁺/τ) + Σ_n exp(s_n/τ))

    Wu et al., On the effectiveness of sampled softmax loss for item recommendation, ACM TOIS 2024.
    """
    positive = (users * positives).sum(dim=1) / temperature  # (B,)
    negative = torch.logsumexp((users / temperature) @ negatives.T, dim=1)  # (B,)
    return (torch.logaddexp(negative, positive) - positive).mean()


def bilateral_softmax(users: Tensor, positives: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Softmax on both sides: hard positives weigh less, as hard negatives weigh more.

        L = −τ⁺ log mean_B exp(s⁺/τ⁺ − (τ/τ⁺) log Σ_n exp(s_n/τ)),    τ⁺ = 1.1 τ

    Wu et al., BSL: Understanding and improving softmax loss for recommendation, ICDE 2024; positives over the batch.
    """
    above = temperature * BILATERAL
    positive = (users * positives).sum(dim=1)  # (B,)
    negative = temperature * torch.logsumexp((users / temperature) @ negatives.T, dim=1)  # (B,)
    return -BILATERAL * (torch.logsumexp((positive - negative) / above, dim=0) - torch.tensor(len(users)).log())


def cosine_contrastive(users: Tensor, positives: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """CCL: pull positives to cosine 1, push only the negatives above a margin.

        L = (1 − s⁺) + w · mean_n max(0, s_n − m)

    Mao et al., SimpleX, CIKM 2021. ``temperature`` plays no part.
    """
    positive = (users * positives).sum(dim=1)  # (B,)
    negative = functional.relu(users @ negatives.T - MARGIN).mean(dim=1)  # (B,)
    return (1 - positive + NEGATIVE_WEIGHT * negative).mean()


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor, float], Tensor]] = {
    "softmax": sampled_softmax,
    "bsl": bilateral_softmax,
    "ccl": cosine_contrastive,
}


def agreement(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """InfoNCE between two views of the same nodes (van den Oord et al., 2018), unit rows (B, d) each → scalar."""
    return functional.cross_entropy(first @ second.T / temperature, torch.arange(len(first), device=first.device))
