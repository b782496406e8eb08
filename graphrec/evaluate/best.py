"""The best of many scores, by torch."""

from __future__ import annotations

import numpy as np
import torch

from graphrec.errors import DataError
from graphrec.types import Floats, Ints


def top_k(scores: Floats, k: int) -> Ints:
    """The k best items of each row of scores (B, I), int64 (B, min(k, I)), best first, ties by item number.

    A score of -inf is never recommended: such places, always the last ones, hold -1. Raises DataError for NaN.
    """
    size = scores.shape[1]
    table = torch.from_numpy(scores)
    values, items = (found.numpy() for found in table.topk(min(k + 1, size), dim=1))  # NaN would come first
    if np.isnan(values[:, 0]).any():
        raise nan()
    if k < size:
        # topk keeps any of the items tied at the last place; take the lowest numbers among them instead
        tied = np.flatnonzero((values[:, k - 1] == values[:, k]) & (values[:, k] > -np.inf))
        values, items = values[:, :k], items[:, :k]
        for row in tied:
            above = np.flatnonzero(scores[row] > values[row, -1])
            level = np.flatnonzero(scores[row] == values[row, -1])
            items[row] = np.concatenate([above, level[: k - len(above)]])
    rows, items = np.arange(len(scores))[:, None], np.sort(items, axis=1)
    values = scores[rows, items]
    order = np.argsort(-values, axis=1, kind="stable")
    items, values = items[rows, order], values[rows, order]
    return np.where(values > -np.inf, items, -1)


def nan() -> DataError:
    """What is raised where a scorer gives no number."""
    return DataError("scores are NaN, so nothing can be ranked; the model did not fit, look for zero norms or overflow")
