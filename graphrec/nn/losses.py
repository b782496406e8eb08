"""Losses of the softmax family, over one positive and many shared negatives."""

from __future__ import annotations

import torch
from torch import Tensor


def sampled_softmax(users: Tensor, positives: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """−log softmax of the positive among the negatives, mean over the batch.

        L = −s⁺/τ + log(exp(s⁺/τ) + Σ_n exp(s_n/τ))

    Wu et al., On the effectiveness of sampled softmax loss for item recommendation, ACM TOIS 2024.

    Shapes: users (B, d), positives (B, d), negatives (n, d) shared by the batch, all at unit length → scalar.
    """
    positive = (users * positives).sum(dim=1, keepdim=True) / temperature  # (B, 1)
    negative = users @ negatives.T / temperature  # (B, n)
    return (torch.logsumexp(torch.cat([positive, negative], dim=1), dim=1) - positive.squeeze(1)).mean()
