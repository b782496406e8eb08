"""Losses of users over what each of them took and over negatives that all of a batch share.

Shapes of all: users (B, d), items (n, d), both at unit length; ``taken`` int64 (2, E), pairs of a row of the users and
one of the items → scalar, a mean over the pairs. Negatives are the whole catalogue or drawn rows of it: a user's sum
over them is one however much the user took, so the whole catalogue costs no more than n / (E/B) negatives a pair would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

MARGIN, NEGATIVE_WEIGHT = 0.4, 150.0  # of ``cosine_contrastive``, as its paper sets them on Gowalla
ROWS = 256  # of a block of logits that stays in a CPU's cache
HELD = 2**25  # probabilities that are held at once


@dataclass(frozen=True)
class Negatives:
    """What is pushed away.

    Args:
        rows: unit vectors (n, d).
        offset: of the logits, (n,), where the rows are the whole catalogue: log of the weight that each has, 0 for
            weight 1. None: drawn rows, to which each pair adds its own positive.
        half: products in bfloat16, added up in float32.
    """

    rows: Tensor
    offset: Tensor | None = None
    half: bool = False


class _CrossEntropy(torch.autograd.Function):
    """See ``cross_entropy``. The gradient is made beside the value, some rows at a time, so that their probabilities
    are gone before those of the next are made."""

    @staticmethod
    def forward(
        ctx: Any,
        users: Tensor,
        negatives: Tensor,
        positive: Tensor,
        whose: Tensor,
        offset: Tensor,
        told: tuple[bool, bool],
    ) -> Tensor:
        among, half = told
        kind = torch.bfloat16 if half else users.dtype
        u, n, c = users.to(kind), negatives.to(kind), offset.to(kind)
        of_users, of_items = torch.empty_like(users), torch.zeros_like(negatives)
        total = torch.empty(len(u), dtype=users.dtype, device=u.device)  # log Σ of each row, (B,)
        counts = torch.bincount(whose, minlength=len(u))  # pairs of each row, (B,)
        order = torch.argsort(whose, stable=True) if among else whose
        ends = counts.cumsum(0).tolist() if among else []
        size = max(HELD // max(len(n), 1) // ROWS * ROWS, ROWS)
        for start in range(0, len(u), size):
            some = slice(start, start + size)
            probabilities = torch.empty(len(u[some]), len(n), dtype=kind, device=u.device)
            for first in range(0, len(probabilities), ROWS):
                rows = slice(first, first + ROWS)
                logits = torch.addmm(c, u[some][rows], n.T)
                largest, where = logits.max(dim=1, keepdim=True)
                probabilities[rows] = torch.softmax(logits, dim=1)
                share = probabilities[rows].gather(1, where)  # ≥ 1 / n
                total[some][rows] = (largest.to(total.dtype) - share.to(total.dtype).log()).squeeze(1)
            grad = counts[some].to(users.dtype) / len(whose)
            if among:
                pairs = order[ends[start - 1] if start else 0 : ends[min(start + size, len(u)) - 1]]
                part = torch.sigmoid(total[whose[pairs]] - positive[pairs]) / len(whose)
                grad = torch.zeros_like(grad).index_add_(0, whose[pairs] - start, part)
            grad = grad[:, None]  # (b, 1)
            of_users[some] = grad * (probabilities @ n).to(grad.dtype)
            of_items += (probabilities.T @ (grad * u[some]).to(kind)).to(grad.dtype)
        each = total[whose]  # (E,)
        loss = (torch.logaddexp(each, positive) if among else each) - positive
        of_positive = (torch.sigmoid(positive - each) if among else torch.zeros_like(each)) - 1
        ctx.save_for_backward(of_users, of_items, of_positive / len(whose))
        return loss.mean()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None, None]:
        of_users, of_items, of_positive = ctx.saved_tensors
        return grads[0] * of_users, grads[0] * of_items, grads[0] * of_positive, None, None, None


def cross_entropy(
    users: Tensor,
    positive: Tensor,
    whose: Tensor,
    negatives: Tensor,
    offset: Tensor | None = None,
    among: bool = False,
    half: bool = False,
) -> Tensor:
    """Mean over pairs of log Σ_n exp(⟨u, n⟩ + c_n) − s⁺, a scalar, sooner than ``torch.logsumexp`` and in memory that
    does not grow with B times n.

    Args:
        users: (B, d). negatives: (n, d), with the offsets c, (n,), 0 by default. positive: s⁺ of each pair, (E,).
        whose: the row of the users that each pair is of, int64 (E,). among: the pair's own exp(s⁺) is in its sum too.
        half: products in bfloat16, added up in float32.
    """
    offset = users.new_zeros(len(negatives)) if offset is None else offset
    how = (among, half)
    return _CrossEntropy.apply(users, negatives, positive, whose, offset, how)  # type: ignore[no-untyped-call, no-any-return]


class _Products(torch.autograd.Function):
    """⟨u_a, i_b⟩ of pairs (a, b); the gradients are products with the sparse matrix of the pairs, in a fixed order."""

    @staticmethod
    def forward(ctx: Any, users: Tensor, items: Tensor, taken: Tensor) -> Tensor:
        ctx.save_for_backward(users, items, taken)
        parts = torch.split(taken, ROWS * ROWS, dim=1)
        return torch.cat([(users[a] * items[b]).sum(dim=1) for a, b in parts])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        users, items, taken = ctx.saved_tensors
        of_users = _csr(taken, grads[0], (len(users), len(items))) @ items
        of_items = _csr(taken.flip(0), grads[0], (len(items), len(users))) @ users
        return of_users, of_items, None


def _csr(index: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    return torch.sparse_coo_tensor(index, values, shape, check_invariants=False).coalesce().to_sparse_csr()


def products(users: Tensor, items: Tensor, taken: Tensor) -> Tensor:
    """⟨u_a, i_b⟩ of pairs (a, b), (E,) from (B, d), (n, d) and int64 (2, E)."""
    return _Products.apply(users, items, taken)  # type: ignore[no-untyped-call, no-any-return]


def softmax(users: Tensor, items: Tensor, taken: Tensor, negatives: Negatives, temperature: float) -> Tensor:
    """−log softmax of what was taken among the negatives.

        L = −s⁺/τ + log(exp(s⁺/τ) + Σ_n exp(s_n/τ))             negatives that were drawn
        L = −s⁺/τ + log Σ_n w_n exp(s_n/τ)                       the whole catalogue, weights w

    Wu et al., On the effectiveness of sampled softmax loss for item recommendation, ACM TOIS 2024. With n drawn as
    often as w says, the first is an estimate of the second.
    """
    positive = products(users, items, taken) / temperature  # (E,)
    n = negatives
    return cross_entropy(users / temperature, positive, taken[0], n.rows, n.offset, n.offset is None, n.half)


def bilateral_softmax(users: Tensor, items: Tensor, taken: Tensor, negatives: Negatives, temperature: float) -> Tensor:
    """Softmax of what was taken, which is not among the negatives.

        L = mean over pairs of log Σ_n exp(s_n/τ) − s⁺/τ

    Wu et al., BSL: Understanding and improving softmax loss for recommendation, ICDE 2024. Its second temperature is
    that of a mean over what one user took; where pairs are drawn one by one, as there, that is of a single pair, and
    the temperature a factor of the whole. Over all that a user took at once the loss stops hearing of what fits them
    ill, and does worse (Gowalla, 64 wide: NDCG@20 .081).
    """
    positive = products(users, items, taken) / temperature  # (E,)
    n = negatives
    return cross_entropy(users / temperature, positive, taken[0], n.rows, n.offset, half=n.half)


def cosine_contrastive(users: Tensor, items: Tensor, taken: Tensor, negatives: Negatives, temperature: float) -> Tensor:
    """CCL: pull positives to cosine 1, push only the negatives above a margin.

        L = (1 − s⁺) + w · mean_n max(0, s_n − m)

    Mao et al., SimpleX, CIKM 2021. ``temperature`` plays no part; the mean is weighted by ``negatives.offset``.
    """
    above = functional.relu(users @ negatives.rows.T - MARGIN)  # (B, n)
    offset = torch.zeros_like(above[0]) if negatives.offset is None else negatives.offset
    pushed = above @ torch.softmax(offset, dim=0)  # (B,)
    return (1 - products(users, items, taken) + NEGATIVE_WEIGHT * pushed[taken[0]]).mean()


Loss = Callable[[Tensor, Tensor, Tensor, Negatives, float], Tensor]
LOSSES: dict[str, Loss] = {"softmax": softmax, "bsl": bilateral_softmax, "ccl": cosine_contrastive}


def agreement(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """InfoNCE between two views of the same nodes (van den Oord et al., 2018), unit rows (B, d) each → scalar."""
    return functional.cross_entropy(first @ second.T / temperature, torch.arange(len(first), device=first.device))


def away(users: Tensor, items: Tensor, temperature: float) -> Tensor:
    """log(1 + exp(s/τ)), mean over pairs that are to be kept apart, unit rows (D, d) each → scalar."""
    return functional.softplus((users * items).sum(dim=1) / temperature).mean()
