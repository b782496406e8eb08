"""The best items of many queries at once, by one product over the whole catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from graphrec.types import Floats, Ints

SPARE = 16  # candidates beyond those asked for, scored once more, exactly
MANY = 10_000_000  # scores of one call from which torch, which takes seconds to import, finds the best sooner
CELLS = 40_000_000  # scores held at once


def best_of_many(
    queries: Floats,
    items: Floats,
    sparse: Floats | None,
    k: int,
    exclude: Sequence[Ints],
    allowed: npt.NDArray[np.bool_] | None = None,
) -> Iterator[tuple[Ints, Floats]]:
    """The k best items of each query, best first, ties by item number.

    Args:
        queries: float32 (B, D). items: float32 (I, D). sparse: float32 (B, I), added to the inner products; or None.
        exclude: for each query the item numbers that must not come back. allowed: bool (I,), what may; None: all.

    A result is that of ``Index.search`` and ``search_sum``: candidates are scored once more in float64, in an order
    that does not depend on the other queries.
    """
    n_items = len(items)
    held = max(1, CELLS // max(n_items, 1))
    for start in range(0, len(queries), held):
        rows = slice(start, min(start + held, len(queries)))
        scores = queries[rows] @ items.T  # (b, I)
        if sparse is not None:
            scores += sparse[rows]
        if allowed is not None:
            scores[:, ~allowed] = -np.inf
        for row, barred in enumerate(exclude[rows]):
            scores[row, barred] = -np.inf
        found = largest(scores, min(k + SPARE, n_items), len(queries) * n_items > MANY)
        for row in range(len(scores)):
            nums = np.sort(found[row])
            nums = nums[scores[row, nums] > -np.inf].astype(np.int64)
            exact = (items[nums].astype(np.float64) * queries[start + row]).sum(axis=1).astype(np.float32)
            if sparse is not None:
                exact = exact + sparse[start + row, nums]
            order = np.argsort(-exact, kind="stable")[:k]
            yield nums[order], exact[order]


def largest(scores: Floats, n: int, many: bool = False) -> Ints:
    """The columns of the n largest of each row of scores (b, I), in any order, int64 (b, n)."""
    if many:
        import torch

        return torch.from_numpy(scores).topk(n, dim=1, sorted=False).indices.numpy()
    size = scores.shape[1]
    return (
        np.argpartition(scores, size - n, axis=1)[:, size - n :].astype(np.int64)
        if n
        else np.zeros((len(scores), 0), np.int64)
    )
