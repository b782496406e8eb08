"""The `ease` block: item-item regression in closed form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pydantic import Field

from graphrec.blocks.api import ANEW, SUBTRACTED, FitInputs, Forgotten, Gone, Size, Space
from graphrec.blocks.links import LinkBlock, LinkSettings, stacked_rows
from graphrec.blocks.search import Chosen
from graphrec.data.dataset import Dataset
from graphrec.linalg.item_item import (
    ease,
    ease_inverse,
    ease_weights,
    inverse_of_gram,
    largest,
    moved_inverse,
)
from graphrec.linalg.sums import ItemSums
from graphrec.profile.api import FittedBlock, Side, Words
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.ties import Ties
from graphrec.settings import CountList, FloatList
from graphrec.types import Floats, Ints

PICKING = 2_800  # items; measured at 2,000, 3,915 and 8,000 (benchmarks/scale.py --preset fast)
HELD = 4_000  # items up to which a fit keeps its inverse, 128 MB, so that users are subtracted from it
NONE: Mapping[str, Any] = {"inverse": None, "stacked": None, "of": None}
FEW = 8  # part of the items up to which so many rows are subtracted, and no inverse is taken anew


@dataclass(frozen=True)
class EaseBlock(NeighbourBlock):
    """A ``NeighbourBlock`` that keeps what takes longest: ``inverse`` float64 (I, I), of the rows ``stacked`` CSR
    (U + N, I), of the data ``of``. None of them is saved; it is read back without."""

    inverse: npt.NDArray[np.floating] | None = None
    stacked: sp.csr_matrix | None = None
    of: Dataset | None = None

    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> NeighbourBlock:
        """As a block that keeps nothing: what an update takes in is in no inverse."""
        return replace(super().grown(ties, touched, texts), **NONE)


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
    summed = True
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

    def grows(self, size: Size) -> float:
        """The inverse, I³, and the largest of I² weights, which take as long as it up to ``PICKING`` items."""
        return float(size.items) ** 2 * (PICKING + size.items)

    def holds(self, items: int) -> float:
        """Two matrices of float64."""
        return 16.0 * items**2

    def forgotten(self, block: FittedBlock, inputs: FitInputs, chosen: Chosen, gone: Gone) -> Forgotten | None:
        """The rows that go, and those that their friends' smoothing changes, are subtracted from the inverse."""
        rows, n_items = stacked_rows(inputs, chosen), inputs.train.n_items
        if not chosen["n"] or n_items > HELD:
            return None
        inverse = _moved(block, rows, gone) if isinstance(block, EaseBlock) else None
        if inverse is None:
            return Forgotten(self.learn(inputs, chosen), ANEW)
        return Forgotten(self._keeping(inverse, rows, inputs, chosen), SUBTRACTED)

    def learn(self, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        """A block of the links, dense (``WholeBlock``) where these are; with its inverse where that is small."""
        if not chosen["n"] or inputs.train.n_items > HELD:
            return super().learn(inputs, chosen)
        rows = stacked_rows(inputs, chosen)
        return self._keeping(ease_inverse(rows, chosen["regularisation"]), rows, inputs, chosen)

    def _keeping(
        self, inverse: npt.NDArray[np.floating], rows: sp.csr_matrix, inputs: FitInputs, chosen: Chosen
    ) -> EaseBlock:
        held: Any = self.made(largest(ease_weights(inverse).T, chosen["n"]), inputs, chosen)
        told = {field.name: getattr(held, field.name) for field in fields(held)}
        return EaseBlock(**told, inverse=inverse, stacked=rows, of=inputs.train)

    def space_of_sums(self, sums: ItemSums) -> Space:
        """λ, and how many weights an item keeps."""
        return {"regularisation": self.settings.regularisation, "n": self.settings.n}

    def links_of_sums(self, sums: ItemSums, chosen: Chosen) -> Side:
        """Bᵀ of EASE of the Gram matrix with the least exponent that there is.

        λ stands beside rows of zeros and ones. Where those of the sums are divided by d^α it is taken times
        tr G_α / tr G_0, by which their squares are shorter in all; tr G_0 is the sum of the counts. Of zeros alone,
        as noise may leave them, nothing follows, whatever λ is.
        """
        gram = sums.gram(min(sums.grams)).copy()
        scale = float(np.trace(gram)) / max(float(np.maximum(sums.counts, 0.0).sum()), 1.0)
        dense = ease_weights(inverse_of_gram(gram, chosen["regularisation"] * (scale or 1.0))).T
        return largest(dense, chosen["n"]) if chosen["n"] else dense

    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> Side:
        """Bᵀ of EASE: dense float32 (I, I), or CSR with the n largest weights of each row."""
        dense = ease(stacked, chosen["regularisation"]).T
        return largest(dense, chosen["n"]) if chosen["n"] else dense


def _moved(block: EaseBlock, rows: sp.csr_matrix, gone: Gone) -> npt.NDArray[np.floating] | None:
    """The inverse for these rows, CSR (U' + N', I), from the one that the block has; None where it has none, or most
    rows are others. Rows count, not whose they are: what is in both stays."""
    before = block.stacked
    if block.inverse is None or before is None or block.of is not gone.before.data:
        return None
    old, new = _keys(before), _keys(rows)
    fewer, more = Counter(old) - Counter(new), Counter(new) - Counter(old)
    if (fewer.total() + more.total()) * FEW > rows.shape[1]:
        return None
    return moved_inverse(block.inverse, before[_among(old, fewer)], rows[_among(new, more)])


def _keys(rows: sp.csr_matrix) -> list[bytes]:
    """What each row holds, as bytes."""
    rows.sort_indices()
    ends = rows.indptr
    return [rows.indices[a:b].tobytes() + rows.data[a:b].tobytes() for a, b in pairwise(ends)]


def _among(keys: list[bytes], wanted: Counter[bytes]) -> list[int]:
    """The places of so many of each key."""
    left, out = wanted.copy(), []
    for number, key in enumerate(keys):
        if left[key] > 0:
            left[key] -= 1
            out.append(number)
    return out
