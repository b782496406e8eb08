"""A block of links between items of which none is left out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.profile.api import Doubles
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints


@dataclass(frozen=True)
class WholeBlock(NeighbourBlock):
    """A ``NeighbourBlock`` with dense weights: items float32 (I, I), held once. Saved as the sparse block it equals."""

    items: Floats  # type: ignore[assignment]

    @property
    def weights(self) -> Floats:  # type: ignore[override]
        """W, float32 (I, I): row j holds what item j in a history adds to each item's score."""
        return self.items.T

    def scores_of_many(self, queries: Queries) -> Floats:
        """The same product without a sparse matrix, float32 (B, I)."""
        return np.asarray(self.encode(queries) @ self.weights, dtype=np.float32)

    def summed(self, items: Ints, values: Floats) -> Floats:
        """See ``NeighbourBlock.summed``, to the bits of the sparse block that it is read back as."""
        out = np.zeros(self.items.shape[0], np.float32)
        for item, value in zip(items.tolist(), values.astype(np.float32), strict=True):
            out += value * self.items[:, item]
        return out

    def score_of_many(self, queries: Queries, item_num: int) -> Doubles:
        """The same product without a sparse matrix, float64 (B,)."""
        return np.asarray(self.encode(queries).astype(np.float64) @ self.likeness(item_num).astype(np.float64))

    def likeness(self, item_num: int) -> Floats:
        """The item's row of the weights, float32 (I,)."""
        return np.asarray(self.items[item_num], np.float32)

    @property
    def size(self) -> str:
        return f"{self.items.size:,} links"

    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> NeighbourBlock:
        """As of the block in CSR."""
        return self._sparse().grown(ties, touched, texts)

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """As of the block in CSR, which is what it is read back as."""
        return self._sparse().arrays()

    def _sparse(self) -> NeighbourBlock:
        """The same block with its weights in CSR."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return NeighbourBlock(**{**held, "items": sp.csr_matrix(self.items)})
