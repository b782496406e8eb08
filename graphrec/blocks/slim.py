"""The `slim` block: sparse item-item regression without negative weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import scipy.sparse as sp
from pydantic import Field

from graphrec.blocks.api import FitInputs, Space
from graphrec.blocks.links import LinkBlock, LinkSettings
from graphrec.blocks.search import Chosen
from graphrec.linalg.item_item import largest, slim
from graphrec.profile.api import Words
from graphrec.settings import CountList, PositiveList


class SlimSettings(LinkSettings):
    """Sparse item-item regression. Several values: the best on validation data is taken."""

    l1: PositiveList = (1e-4, 3e-4, 1e-3)
    l2: PositiveList = (1e-3, 1e-2, 1e-1)
    n: CountList = (500,)  # weights kept per item; 0: all
    max_items: int = Field(default=5000, ge=0)  # above, the block is left out: a regression for each item


class Slim(LinkBlock[SlimSettings]):
    """The `slim` block: sparse item-item regression without negative weights (Ning and Karypis, ICDM 2011).

    A regression for each item takes far longer than the closed form of `ease`, so it is not among the default blocks.
    """

    name = "slim"
    words = Words("it goes with some of what you took", "what goes with some of what you took")
    Settings = SlimSettings
    alone: ClassVar[Mapping[str, Any]] = {"l1": (1e-5, 1e-4, 3e-4, 1e-3, 3e-3), "l2": (1e-4, 1e-3, 1e-2, 1e-1), "n": 0}
    readings = ("alike", "liked", "graded", "weighted")  # it has no negative weights, so dislikes would say nothing

    def grid(self, inputs: FitInputs) -> Space:
        """The penalties l1 and l2, and how many weights an item keeps (0: all)."""
        settings = self.settings
        return {"l1": settings.l1, "l2": settings.l2, "n": settings.n}

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> sp.csr_matrix:
        """Wᵀ of SLIM, with the n largest weights of each row where n is not 0, CSR float32 (I, I)."""
        weights = sp.csr_matrix(slim(stacked, chosen["l1"], chosen["l2"]).T)
        return largest(weights, chosen["n"]) if chosen["n"] else weights
