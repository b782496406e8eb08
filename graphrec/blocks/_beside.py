"""What a source has to help: the history alone, as item neighbours and a low-rank filter read it together.

Beside either alone a source may seem to tell what the other already does: friends live in one town, and so do the
places that a filter finds for somebody, while item neighbours know few of them.
"""

from __future__ import annotations

import numpy as np

from graphrec.blocks.api import Size
from graphrec.blocks.folds import Fold
from graphrec.blocks.spectral import PILOT_ITERATIONS, Factors, feasible_ranks
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.item_item import nearest_neighbours
from graphrec.linalg.svd import work
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.query import Queries
from graphrec.types import Floats

WEIGHTS = (0.1, 0.3, 1.0, 3.0)  # of a source beside the two; the last where hardly anything is known of anybody
NEIGHBOURS, ALPHA = 100, 0.25
FILTER = {"rank": 128, "alpha": 0.4, "beta": 0.4, "power": 0.8, "friends": 0.0}
MEMORY = 1.0  # GiB, bounds the rank


def takes(size: Size) -> float:
    """What the filter takes, as ``linalg.svd.work`` counts."""
    return work(size.users, size.items, size.pairs, int(FILTER["rank"]), PILOT_ITERATIONS)


class Beside:
    """Both, each at unit deviation."""

    def __init__(self, fold: Fold) -> None:
        inputs, taken = fold.inputs, fold.inputs.ties.matrix
        links = nearest_neighbours(degree_normalised(taken, rows=ALPHA), NEIGHBOURS)
        rank = feasible_ranks(inputs.train, [int(FILTER["rank"])], MEMORY)[0]
        self._near = NeighbourBlock("beside", taken[:0], links)
        self._filter = Factors(inputs, rank, FILTER, PILOT_ITERATIONS).block(FILTER)

    def scores(self, queries: Queries) -> Floats:
        """The sum of the two, float32 (B, I)."""
        near = (self._near.computed(queries) @ self._near.weights).toarray()
        out: Floats = self._filter.computed(queries) @ self._filter.items.T + near.astype(np.float32)
        return out
