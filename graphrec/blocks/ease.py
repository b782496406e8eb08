"""The `ease` block: item-item regression in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import scipy.sparse as sp
from pydantic import Field

from graphrec.blocks.api import FitInputs, Space
from graphrec.blocks.links import LinkBlock, LinkSettings
from graphrec.blocks.search import Chosen
from graphrec.linalg.item_item import ease, largest
from graphrec.profile.api import Side, Words
from graphrec.settings import CountList, FloatList


class EaseSettings(LinkSettings):
    """Item-item regression. Several values: the best on validation data is taken."""

    regularisation: FloatList = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
    n: CountList = (500,)  # weights kept per item; 0: all, which takes a dense matrix
    max_items: int = Field(default=8000, ge=0)  # above, the block is left out: its matrices are dense


class Ease(LinkBlock[EaseSettings]):
    """The `ease` block: the item-item regression of Steck (WWW 2019), truncated to the n largest weights per item.

    Its matrices are dense while it is fitted, so it sits out above ``max_items`` items.
    """

    name = "ease"
    words = Words("it often goes with what you took", "what often goes with what you took")
    Settings = EaseSettings
    follows = 8e9
    alone: ClassVar[Mapping[str, Any]] = {
        "regularisation": (3, 10, 30, 60, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000),
        "n": 0,
        "max_items": 30_000,  # 7.2 GB
    }

    def grid(self, inputs: FitInputs) -> Space:
        """λ, and how many weights an item keeps (0: all)."""
        settings = self.settings
        return {"regularisation": settings.regularisation, "n": settings.n}

    def price(self, stacked: sp.csr_matrix) -> float:
        """The inverse: I³."""
        return float(stacked.shape[1]) ** 3

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> Side:
        """Bᵀ of EASE: dense float32 (I, I), or CSR with the n largest weights of each row."""
        dense = ease(stacked, chosen["regularisation"]).T
        return largest(dense, chosen["n"]) if chosen["n"] else dense
