"""What the sparse item-item blocks share: how much each item of a history speaks for each other item.

The strongest of these links are kept per item, for what no low rank can hold.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import numpy as np
import scipy.sparse as sp

from graphrec.blocks._whole import WholeBlock
from graphrec.blocks.api import Block, FitInputs, Fold, Folds, Space, held, reading_of
from graphrec.blocks.search import Chosen, search
from graphrec.linalg.adjacency import degrees, divisors, entity_rows, smoothed, with_entities
from graphrec.linalg.sums import ItemSums
from graphrec.profile.api import FittedBlock, Side
from graphrec.profile.sparse import NeighbourBlock, kept
from graphrec.query.fading import Fading
from graphrec.query.query import Queries
from graphrec.settings import FloatList, Section
from graphrec.types import Floats


class LinkSettings(Section):
    """What all sparse blocks can be told. Several values: the best on validation data is taken."""

    friends: FloatList = (0.0, 0.1, 0.3, 1.0)  # weight φ of the friends' mean in x_u
    smoothing: FloatList = (0.0, 0.1, 0.3)  # weight ψ of the friends' mean in the rows of R that are learned from
    knowledge: FloatList = (0.0, 0.3, 1.0, 2.0)  # weight κ of entities as further rows of R
    fading: FloatList = (0.0, 0.3, 1.0)  # exponent of an event's place from the end of a history, in x_u


L = TypeVar("L", bound=LinkSettings)
NO_LINKS = ("friends", "beta", "fading")  # hyper-parameters that the links do not depend on


class LinkBlock(Block[L]):
    """A block of links between items: subclasses say which values to try, and make the links."""

    Fitted = NeighbourBlock
    ordered = True
    follows: ClassVar[float] = 0  # the price of links, up to which an update makes them anew; see ``price``

    @abstractmethod
    def grid(self, inputs: FitInputs) -> Space:
        """Values to try of each hyper-parameter but the reading and the weights of friends and entities."""

    @abstractmethod
    def links(self, stacked: sp.csr_matrix, chosen: Chosen) -> Side:
        """Row i holds item i's neighbours and their strength, CSR float32 (I, I), dense where all are kept; ``stacked``
        is R over entity rows."""

    def read(self, links: Side, matrix: sp.csr_matrix, chosen: Chosen) -> Side:
        """The links as the item side of the block, float32 (I, I); ``matrix`` is R, CSR (U, I).

        Where there is a β among the hyper-parameters, D_i^β N D_i^-β: below ½ popular items are discounted.
        """
        return self.read_by(links, degrees(matrix), chosen)

    def read_by(self, links: Side, taken: Floats, chosen: Chosen) -> Side:
        """``read``, from how often each item was taken, float32 (I,)."""
        if "beta" not in chosen:
            return links
        power = divisors(taken) ** chosen["beta"]  # (I,)
        return sp.csr_matrix(sp.diags(power) @ links @ sp.diags(1.0 / power), dtype=np.float32)

    def space(self, inputs: FitInputs) -> Space:
        """The grid, and the weights of entities and friends where the data has any."""
        s, train = self.settings, inputs.train
        return {
            **self.grid(inputs),
            "knowledge": s.knowledge if entity_rows(inputs.graph).shape[0] else (0.0,),
            "smoothing": s.smoothing if train.social_edge_index.shape[1] else (0.0,),
            "friends": s.friends if train.social_edge_index.shape[1] else (0.0,),
            "fading": s.fading if train.events.ordered else (0.0,),
            "reading": held(train.events.readings, self.readings),
        }

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[NeighbourBlock, Chosen]:
        """Links are made once for all candidates that differ in ``NO_LINKS`` alone."""
        space = self.space(folds.inputs)
        made: dict[int, tuple[Any, Side]] = {}  # of each fold the last links, and what they were made with

        def links(fold: Fold, chosen: Chosen) -> Side:
            costly = {k: v for k, v in chosen.items() if k not in NO_LINKS}
            if made.get(id(fold), (None,))[0] != costly:
                made[id(fold)] = costly, self.links(stacked_rows(fold.inputs, chosen), chosen)
            return made[id(fold)][1]

        def score(candidate: Chosen) -> float:
            def per_user(fold: Fold) -> Floats:
                learned = fold.inputs.train.learning(candidate["reading"])
                items = self.read(links(fold, candidate), learned, candidate)
                weights = sp.csr_matrix(items.T) if sp.issparse(items) else items.T

                def scores(queries: Queries) -> Floats:
                    fading = Fading(candidate["fading"])
                    found = queries.taste(candidate["reading"], candidate["friends"], fading) @ weights
                    return np.asarray(found.toarray() if sp.issparse(found) else found, dtype=np.float32)

                return fold.validation.per_user_ndcg_of(scores)

            return folds.value(per_user)

        start = {name: space[name][0] for name in (*self.simplest, "fading")}
        order = [(name,) for name in space] if trials is None else None
        chosen = search(space, score, start, order, folds.users, trials)
        return self.learn(folds.inputs, chosen), chosen

    def price(self, stacked: sp.csr_matrix) -> float:
        """What making the links costs: how many pairs of items are in the rows of R, or of its like."""
        return float(np.square(np.diff(stacked.indptr), dtype=np.float64).sum())

    def followed(self, block: FittedBlock, inputs: FitInputs, chosen: Chosen) -> FittedBlock | None:
        """With links made anew where they are sparse and cost ``follows`` at most."""
        held: Any = block
        stacked = stacked_rows(inputs, chosen)
        if not isinstance(held.items, sp.csr_matrix) or self.price(stacked) > self.follows:
            return None
        learned = inputs.train.learning(reading_of(chosen))
        links: Any = self.read(self.links(stacked, chosen), learned, chosen)
        out: FittedBlock = replace(held, users=learned[:0], items=kept(links, held.items, inputs.ties), spread=0)
        return out.fitted(inputs.ties)

    def learn(self, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        """A block of the links, dense (``WholeBlock``) where these are."""
        return self.made(self.links(stacked_rows(inputs, chosen), chosen), inputs, chosen)

    def made(self, links: Side, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        """The block of these links."""
        return self._with(self.read(links, inputs.train.learning(reading_of(chosen)), chosen), inputs, chosen)

    def links_of_sums(self, sums: ItemSums, chosen: Chosen) -> Side:
        """``links`` from sums, where the block is ``summed``."""
        raise NotImplementedError(f"block {self.name} makes no links of sums; ask summed first")

    def from_sums(self, sums: ItemSums, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        """The links of the sums; a taste is read as they were, and friends are not heard."""
        if not self.summed:
            super().from_sums(sums, inputs, chosen)  # which refuses
        told = {**chosen, "reading": sums.reading, "friends": 0.0}
        taken = np.maximum(sums.counts, 0.0).astype(np.float32)
        return self._with(self.read_by(self.links_of_sums(sums, chosen), taken, told), inputs, told)

    def _with(self, items: Side, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        """The block with this item side."""
        reading = reading_of(chosen)
        kind: Any = NeighbourBlock if sp.issparse(items) else WholeBlock
        fading = Fading(chosen.get("fading", 0.0))
        block: NeighbourBlock = kind(
            self.name,
            inputs.ties.matrix[:0],
            items,
            friend_weight=chosen.get("friends", 0.0),
            reading=reading,
            fading=fading,
        )
        return block.fitted(inputs.ties)


def stacked_rows(inputs: FitInputs, chosen: Chosen) -> sp.csr_matrix:
    """R smoothed over friends, and entity rows below it, CSR (U + N, I)."""
    learned = inputs.train.learning(reading_of(chosen))
    learned = smoothed(learned, inputs.ties.friend_mean, chosen.get("smoothing", 0.0))
    return with_entities(learned, entity_rows(inputs.graph), chosen.get("knowledge", 0.0))
