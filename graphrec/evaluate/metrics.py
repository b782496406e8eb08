"""Ranking metrics. Per-user metrics read a hit matrix; list-level ones read how often each item was recommended.

A hit matrix is bool (B, K): is the item at rank r relevant to user b? Rank 1 is column 0. K may be below k where
the catalogue is short; the missing ranks are misses. Relevance is binary, n is the number of relevant items, h_r the
hit at rank r.

=============  ====================================================================================================
recall@k       Σ_{r≤k} h_r / n                                                    (ir-measures R@k)
precision@k    Σ_{r≤k} h_r / k                                                    (P@k)
f1@k           harmonic mean of the two above, 2 Σ h_r / (k + n)
hr@k           1 where any h_r, r ≤ k                                             (Success@k)
mrr@k          1 / rank of the first hit, 0 where it is beyond k                  (RR@k)
map@k          Σ_{r≤k} h_r · precision@r / n: the denominator is n, not min(k, n)  (AP@k, trec_eval map_cut)
ndcg@k         Σ_{r≤k} h_r / log2(r+1), over the same sum for min(k, n) hits at the top  (nDCG@k; LightGCN's code)
auc            share of (relevant, other unseen) pairs that the scores order rightly, a tie counting ½
coverage@k     share of the catalogue that is in any top-k list
novelty@k      mean of -log2(popularity / users) over all recommended places, in bits
gini@k         Gini coefficient of recommendation counts over the catalogue: 0 even, 1 one item only
=============  ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.types import Floats, Ints

Hits = npt.NDArray[np.bool_]
PER_USER = ("recall", "ndcg", "hr", "mrr", "map", "precision", "f1")


def per_user(hits: Hits, relevant: Ints, ks: Sequence[int]) -> dict[str, Floats]:
    """All of PER_USER at every k, ``{"recall@20": float32 (B,), …}``, from hits (B, K) and n = relevant (B,).

    A user without relevant items gets zeros.
    """
    n = np.maximum(relevant, 1)  # (B,)
    ranks = np.arange(1, max(ks) + 1)
    padded = np.zeros((len(hits), max(ks)))  # (B, K)
    padded[:, : hits.shape[1]] = hits[:, : max(ks)]
    found = padded.cumsum(axis=1)  # (B, K) hits up to each rank
    precise = (padded * found / ranks).cumsum(axis=1)
    first = np.where(found[:, -1] > 0, padded.argmax(axis=1) + 1, np.inf)  # (B,) rank of the first hit
    out: dict[str, npt.NDArray[np.floating]] = {}
    for k in ks:
        count = found[:, k - 1]
        out[f"recall@{k}"] = count / n
        out[f"ndcg@{k}"] = ndcg(hits, relevant, k)
        out[f"hr@{k}"] = np.minimum(count, 1)
        out[f"mrr@{k}"] = np.where(first <= k, 1 / first, 0)
        out[f"map@{k}"] = precise[:, k - 1] / n
        out[f"precision@{k}"] = count / k
        out[f"f1@{k}"] = 2 * count / (k + n)
    return {name: values.astype(np.float32) for name, values in out.items()}


def ndcg(hits: Hits, relevant: Ints, k: int) -> Floats:
    """NDCG@k, float32 (B,)."""
    discounts = np.log2(np.arange(2, k + 2))  # (k,)
    shown = hits[:, :k]  # (B, K)
    gained = (shown / discounts[: shown.shape[1]]).cumsum(axis=1)[:, -1:].sum(axis=1)  # (B,)
    ideal = (1 / discounts).cumsum()  # (k,)
    found: Floats = (gained / ideal[np.minimum(np.maximum(relevant, 1), k) - 1]).astype(np.float32)
    return found


def auc(scores: Floats, relevant: sp.csr_matrix, unseen: Ints) -> Floats:
    """AUC of each user over all unseen items, float32 (B,): the Mann-Whitney statistic, ties counting ½.

    Args:
        scores: float32 (B, I), -inf at seen items.
        relevant: CSR (B, I), relevant items, none of them seen.
        unseen: int64 (B,), number of unseen items.

    A user for whom every unseen item is relevant, or none, has no pair to order and gets 0.5.
    """
    out = np.full(len(scores), 0.5)
    for b, (start, stop) in enumerate(zip(relevant.indptr[:-1], relevant.indptr[1:], strict=True)):
        m, total = int(stop - start), int(unseen[b])
        if not 0 < m < total:
            continue
        ordered = np.sort(scores[b])  # (I,) seen items first, at -inf
        own = scores[b, relevant.indices[start:stop]]  # (m,)
        seen = scores.shape[1] - total
        below = np.maximum(np.searchsorted(ordered, own, "left") - seen, 0)  # unseen items with a lower score
        upto = np.searchsorted(ordered, own, "right") - seen  # unseen items with this score or a lower one
        ranks = (below + upto + 1) / 2  # (m,) from 1, worst first
        out[b] = (ranks.sum() - m * (m + 1) / 2) / (m * (total - m))
    return out.astype(np.float32)


def coverage(counts: Ints) -> float:
    """Share of the catalogue recommended at least once; counts int64 (I,) of recommendations per item."""
    return float(np.mean(counts > 0))


def information(popularity: npt.NDArray[Any], users: int) -> npt.NDArray[np.float64]:
    """Self-information of each item in bits, float64 (I,), from how many users took it, (I,); see ``novelty``."""
    found: npt.NDArray[np.float64] = np.log2(max(users, 1)) - np.log2(np.maximum(popularity, 1))
    return found


def novelty(counts: Ints, popularity: npt.NDArray[Any], users: int) -> float:
    """Mean self-information -log2(popularity / users) of the recommended items, in bits.

    Zhou et al., PNAS 107 (2010). ``popularity`` (I,) is the number of users who took the item; an item that nobody
    took counts as taken once, since its information is unbounded.
    """
    return float(counts @ information(popularity, users) / max(int(counts.sum()), 1))


def gini(counts: Ints) -> float:
    """Gini coefficient of recommendation counts (I,): Σ_i (2i - I - 1) c_i / (I Σ c), c ascending; 0 for no counts."""
    size = len(counts)
    weights = 2 * np.arange(1, size + 1) - size - 1
    return float(weights @ np.sort(counts) / (size * max(int(counts.sum()), 1)))
