"""Losses over one positive and many shared negatives.

Shapes of all: users (B, d), positives (B, d), negatives (n, d) shared by the batch, all at unit length → scalar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

BILATERAL = 1.1  # τ of the positives over τ of the negatives, in ``bilateral_softmax``
MARGIN, NEGATIVE_WEIGHT = 0.4, 150.0  # of ``cosine_contrastive``, as its paper sets them on Gowalla


ROWS = 2048  # of a block of logits that stays in a CPU's cache


class _LogSumExp(torch.autograd.Function):
    """log Σ_n exp⟨u, n⟩ for each row u, in blocks; logits become probabilities in place, and are kept as these."""

    @staticmethod
    def forward(ctx: Any, users: Tensor, negatives: Tensor) -> Tensor:
        probabilities = torch.empty(len(users), len(negatives), dtype=users.dtype, device=users.device)  # (B, n)
        out = torch.empty(len(users), dtype=users.dtype, device=users.device)  # (B,)
        for start in range(0, len(users), ROWS):
            rows = slice(start, start + ROWS)
            logits = torch.mm(users[rows], negatives.T, out=probabilities[rows])
            largest = logits.amax(dim=1, keepdim=True)
            total = logits.sub_(largest).exp_().sum(dim=1, keepdim=True)
            logits.div_(total)
            out[rows] = (largest + total.log()).squeeze(1)
        ctx.save_for_backward(users, negatives, probabilities)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        users, negatives, probabilities = ctx.saved_tensors
        grad = grads[0][:, None]  # (B, 1)
        return grad * (probabilities @ negatives), probabilities.T @ (grad * users)


def log_sum_exp(users: Tensor, negatives: Tensor) -> Tensor:
    """log Σ_n exp⟨u, n⟩, (B,) from (B, d) and (n, d): ``torch.logsumexp(users @ negatives.T, 1)`` in half the time."""
    return _LogSumExp.apply(users, negatives)  # type: ignore[no-untyped-call, no-any-return]


def sampled_softmax(users: Tensor, positives: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """−log softmax of the positive among the negatives, mean over the batch.

        L = −s⁺/τ + log(exp(s⁺/τ) + Σ_n exp(s_n/τ))

    Wu et al., On the effectiveness of sampled softmax loss for item recommendation, ACM TOIS 2024.
    """
    positive = (users * positives).sum(dim=1) / temperature  # (B,)
    negative = log_sum_exp(users / temperature, negatives)  # (B,)
    return (torch.logaddexp(negative, positive) - positive).mean()


def bilateral_softmax(users: Tensor, positives: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Softmax on both sides: hard positives weigh less, as hard negatives weigh more.

        L = −τ⁺ log mean_B exp(s⁺/τ⁺ − (τ/τ⁺) log Σ_n exp(s_n/τ)),    τ⁺ = 1.1 τ

    Wu et al., BSL: Understanding and improving softmax loss for recommendation, ICDE 2024; positives over the batch.
    """
    above = temperature * BILATERAL
    positive = (users * positives).sum(dim=1)  # (B,)
    negative = temperature * log_sum_exp(users / temperature, negatives)  # (B,)
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


def away(users: Tensor, items: Tensor, temperature: float) -> Tensor:
    """log(1 + exp(s/τ)), mean over pairs that are to be kept apart, unit rows (D, d) each → scalar."""
    return functional.softplus((users * items).sum(dim=1) / temperature).mean()
