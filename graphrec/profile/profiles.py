"""Profiles: the blocks that every user and item is described by, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.clearing import CLEARED, Clearing
from graphrec.profile.dense import empty_block
from graphrec.profile.engines import ASKED
from graphrec.profile.gate import Gate
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints


def weighted(blocks: Sequence[FittedBlock], parts: Sequence[Floats]) -> Floats:
    """Each block's part (…, d_b) times √weight, side by side, float32 (…, D)."""
    return np.hstack([part * np.float32(b.weight**0.5) for b, part in zip(blocks, parts, strict=True)])


@dataclass(frozen=True)
class Profiles:
    """The blocks side by side: score(u, i) = Σ_b weight_b ⟨u_b, i_b⟩, one inner product over the whole profile.

    ``gate``: what weights are taken times for each query; they are as they are without it. ``clearing``: what is then
    taken out of each user's side, so that it tells nothing of some attributes.
    """

    blocks: tuple[FittedBlock, ...]
    gate: Gate | None = None
    clearing: Clearing | None = None

    def __post_init__(self) -> None:
        shapes = {b.shape for b in self.blocks}
        if len(shapes) != 1:
            raise DataError(f"blocks disagree on the number of users and items: {sorted(shapes)}")

    def __getitem__(self, name: str) -> FittedBlock:
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(name)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of users and of items (U, I)."""
        return self.blocks[0].shape

    @property
    def weights(self) -> dict[str, float]:
        """Block name → its weight in the blend."""
        return {b.name: b.weight for b in self.blocks}

    def reweighted(self, weights: Mapping[str, float]) -> Profiles:
        """The same blocks with other weights."""
        return replace(self, blocks=tuple(b.reweighted(float(weights[b.name])) for b in self.blocks))

    def weights_of(self, queries: Queries) -> dict[str, Floats]:
        """Block name → what it counts for in the score of each query, float32 (B,)."""
        factors, one = self._factors(queries), np.ones(len(queries), np.float32)
        return {b.name: np.float32(b.weight) * factors.get(b.name, one) for b in self.blocks}

    @cached_property
    def heard(self) -> tuple[FittedBlock, ...]:
        """The blocks with a weight above zero."""
        return tuple(b for b in self.blocks if b.weight > 0)

    @cached_property
    def dense(self) -> tuple[FittedBlock, ...]:
        """Those of them whose sides the index holds. One of zeros where there is none."""
        return tuple(b for b in self.heard if not b.sparse) or (empty_block("none", *self.shape),)

    @cached_property
    def sparse(self) -> tuple[FittedBlock, ...]:
        """Those of them that are sparse."""
        return tuple(b for b in self.heard if b.sparse)

    @cached_property
    def of_texts(self) -> FittedBlock | None:
        """The block in which a text alone has a place, whatever its weight."""
        return next((b for b in self.blocks if b.places_text), None)

    @cached_property
    def of_everybody(self) -> FittedBlock | None:
        """The block that says the same of everybody, whatever its weight."""
        return next((b for b in self.blocks if b.prior and b.prior == b.items.shape[1]), None)

    def user_matrix(self, ties: Ties | None = None) -> Floats:
        """Stored profiles of the dense blocks, float32 (U, D), √weight folded in; as the gate has them where the data
        is given."""
        factors = {} if ties is None else self._factors(Queries.stored(ties))
        return weighted(self.dense, [self._answering(b, b.users, factors) for b in self.dense])

    def parts(self, queries: Queries) -> Iterator[tuple[FittedBlock, Floats]]:
        """Each block with a weight, and what queries are answered from in it, before its weight: of a dense one the
        user's side float32 (B, d), of a sparse one its scores float32 (B, I)."""
        factors = self._factors(queries)
        for block in self.heard:
            yield block, self._answering(block, self._part(block, queries), factors)

    @property
    def width(self) -> int:
        """Dimensions D of the dense blocks, which the index holds."""
        return sum(int(b.items.shape[1]) for b in self.dense)

    def item_matrix(self) -> Floats:
        """Item profiles of the dense blocks, float32 (I, D), √weight folded in."""
        return weighted(self.dense, [b.items for b in self.dense])

    def people(self, n: int = ASKED) -> Floats:
        """Stored profiles of some users, spread over all, without those of whom nothing is known, float32 (≤ n, D)."""
        some = np.unique(np.linspace(0, max(self.shape[0] - 1, 0), 4 * n).astype(np.int64))[: self.shape[0]]
        rows = weighted(self.dense, [b.users[some] for b in self.dense])
        known = np.flatnonzero(rows.any(axis=1))
        picked: Floats = rows[known[np.linspace(0, len(known) - 1, min(n, len(known))).astype(np.int64)]]
        return picked

    def encode(self, queries: Queries) -> tuple[Floats, Floats | None, npt.NDArray[np.bool_]]:
        """What queries are answered from.

        Returns the profile of the dense blocks float32 (B, D), √weight folded in; the scores of the sparse blocks
        float32 (B, I), or None where there is none; and whether anything personal is in it, bool (B,): more than what
        is said of everybody.
        """
        parts = [np.asarray(b.encode(queries)) for b in self.dense]
        personal = np.zeros(len(queries), bool)
        for block, part in zip(self.dense, parts, strict=True):
            personal |= part[:, : part.shape[1] - block.prior].any(axis=1)
        factors = self._factors(queries)
        sparse: Floats | None = None
        for block in self.sparse:
            found = np.float32(block.weight) * self._answering(block, block.scores(queries), factors)
            sparse = found if sparse is None else sparse + found
            personal |= found.any(axis=1)
        heard = [self._answering(block, part, factors) for block, part in zip(self.dense, parts, strict=True)]
        return weighted(self.dense, heard), sparse, personal

    def _factors(self, queries: Queries) -> dict[str, Floats]:
        return {} if self.gate is None else self.gate.factors(queries)

    def _part(self, block: FittedBlock, queries: Queries) -> Floats:
        return block.scores(queries) if block.sparse else np.asarray(block.encode(queries))

    def _answering(self, block: FittedBlock, part: Floats, factors: Mapping[str, Floats]) -> Floats:
        """The part (B, d) or (B, I) of a block times what its weight is taken times, and cleared."""
        swayed = part * factors[block.name][:, None] if block.name in factors else part
        return swayed if self.clearing is None else self.clearing(block, swayed)

    @property
    def words(self) -> dict[str, Words]:
        """How each block is put into sentences."""
        return {b.name: b.words for b in self.blocks}

    def said(self, query: Queries, item_num: int) -> dict[str, Words]:
        """How each block's part of one query's score (B = 1) is put into sentences."""
        return {b.name: b.said(query, item_num) for b in self.blocks}

    def contributions(self, query: Queries, item_num: int) -> dict[str, float]:
        """Each block's part of one query's score (B = 1), and that of the clearing; the parts sum to it."""
        weights = self.weights_of(query)
        out = {b.name: float(weights[b.name][0]) * float(b.score(query, item_num)[0]) for b in self.blocks}
        if self.clearing is not None:
            out[CLEARED] = float(self.cleared(query, np.array([item_num]))[0])
        return out

    def cleared(self, query: Queries, item_nums: Ints) -> Floats:
        """What the clearing adds to one query's scores (B = 1) of items, float32 (n,)."""
        out = np.zeros(len(item_nums))
        if self.clearing is not None:
            factors, plain = self._factors(query), replace(self, clearing=None)
            for block in self.heard:
                swayed = plain._answering(block, self._part(block, query), factors)
                out += block.weight * self.clearing.taken(block, swayed, item_nums)
        return out.astype(np.float32)
