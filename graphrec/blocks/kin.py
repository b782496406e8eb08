"""The `kin` block: items that stand beside the same entities of the knowledge graph as what one took."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from graphrec.blocks._beside import WEIGHTS, Beside
from graphrec.blocks.api import Block, FitInputs, Fold, Folds, Size, Space, held, reading_of
from graphrec.blocks.gate import by_band
from graphrec.blocks.search import Chosen, search
from graphrec.linalg.adjacency import degrees, divisors, entity_rows
from graphrec.linalg.item_item import CHUNK, strongest
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import empty_block
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.hearing import BANDS, band_of, weights_of
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.settings import FloatList, IntList, Section
from graphrec.types import Floats

PAIRS = 50_000_000  # of items that share an entity: bounds the time; entities beside more say least


class KinSettings(Section):
    """Items with the same entities. Several values: the best on validation data is taken."""

    n: IntList = (200,)  # neighbours kept per item
    alpha: FloatList = (0.5, 0.0)  # exponent α of how many entities an item has
    gamma: FloatList = (1.0, 0.5)  # exponent γ of how many items an entity has: what many have tells little
    takers: FloatList = (0.0, 10.0, 1.0)  # takers m at which an item is half as much in want of it; 0: all are alike


class Kin(Block[KinSettings]):
    """The `kin` block. It sits out where nothing is known of items, or where that tells nothing beside histories.

        score(u, i) = bands(u) · g_i Σ_j x_j N(Σ_e a_i^-α b_ei d_e^-γ b_ej) / deviation,   g_i = m / (m + takers of i)

    b is 1 where an entity e stands beside an item, d and a are its sums over items and entities, j what somebody took,
    N the n largest for each item. γ = 1, α = 0 counts shared entities by how rare they are (Adamic and Adar, Social
    Networks 2003, has log d). Whom it is for is told by the bands of activity (``gate``), what it is for by m: of what
    few took entities may say all that is known, while of what many took their takers say it better. The control has the
    entities of the item that is next in its number of takers.
    """

    name = "kin"
    words = Words(
        "it has much in common with what you took",
        "what it has in common with what you took",
        "it has much in common with {title}",
    )
    Settings = KinSettings
    Fitted = NeighbourBlock

    def space(self, inputs: FitInputs) -> Space:
        """The neighbours, the exponents, the takers, and the readings."""
        s = self.settings
        read = held(inputs.train.events.readings, self.readings)
        return {"n": s.n, "alpha": s.alpha, "gamma": s.gamma, "takers": s.takers, "reading": read}

    def grows(self, size: Size) -> float:
        """Pairs of items that share an entity."""
        return float(size.items) ** 2

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        """By what shared entities add to histories, and for whom they do."""
        entities = {id(fold): entity_rows(fold.inputs.graph) for fold in folds}
        if not folds.users or not all(rows.nnz for rows in entities.values()):
            return self._silent(folds.inputs, "nothing is known of items that anybody could be asked about")
        judges = {id(fold): Beside(fold) for fold in folds}
        made: dict[tuple[int, bool], tuple[Chosen, sp.csr_matrix]] = {}  # of each fold the last links

        def links(fold: Fold, chosen: Chosen, strange: bool) -> sp.csr_matrix:
            costly, of = {name: chosen[name] for name in ("n", "alpha", "gamma")}, (id(fold), strange)
            if made.get(of, ({},))[0] != costly:
                rows, ties = entities[id(fold)], fold.inputs.ties
                made[of] = costly, alike(_dealt(rows, ties) if strange else rows, ties, chosen)
            return made[of][1]

        def per_user(chosen: Chosen, strange: bool = False) -> Callable[[Fold], Floats]:
            def of(fold: Fold) -> Floats:
                judge, kin = judges[id(fold)], self._block(links(fold, chosen, strange), fold.inputs.ties, chosen)

                def scores(queries: Queries) -> Floats:
                    shared = np.asarray((kin.computed(queries) @ kin.weights).toarray(), np.float32)
                    return judge.scores(queries) + np.float32(chosen["weight"]) * shared

                return fold.validation.per_user_ndcg_of(scores)

            return of

        space: Space = {**self.space(folds.inputs), "weight": WEIGHTS}
        start = {name: values[0] for name, values in space.items()} | {"weight": WEIGHTS[1]}
        order = [("weight",), *((name,) for name in space)] if trials is None else None
        chosen = search(space, lambda c: folds.value(per_user(c)), start, order, folds.users, trials)
        del chosen["weight"]
        bands = band_of(folds.per_user(lambda f: f.validation.queries.activity.astype(np.float32)).astype(np.int64))
        none, *heard = (folds.per_user(per_user({**chosen, "weight": w})) for w in (0.0, *WEIGHTS))
        control = [folds.per_user(per_user({**chosen, "weight": w}, strange=True)) for w in WEIGHTS]
        own, others = (dict(zip(WEIGHTS, ndcg, strict=True)) for ndcg in (heard, control))
        points = sum(map(len, space.values()))
        weights = weights_of(by_band(none, own, others, bands, points), np.array([0, *BANDS]))
        if not weights.any():
            return self._silent(folds.inputs, "shared entities tell nothing that histories do not")
        chosen["bands"] = [round(float(w), 3) for w in weights / weights.max()]
        return self.learn(folds.inputs, chosen), chosen

    def hears_graph(self, chosen: Chosen) -> bool:
        """Of nothing else."""
        return True

    def learn(self, inputs: FitInputs, chosen: Chosen) -> NeighbourBlock:
        """Links are counted; nothing is learned but by the choice."""
        block = self._block(alike(entity_rows(inputs.graph), inputs.ties, chosen), inputs.ties, chosen)
        return block.fitted(inputs.ties)

    def _block(self, links: sp.csr_matrix, ties: Ties, chosen: Chosen) -> NeighbourBlock:
        wanting = np.ones(links.shape[0], np.float32)
        if chosen["takers"]:
            wanting = chosen["takers"] / (chosen["takers"] + degrees(ties.matrix))  # (I,)
        items = sp.csr_matrix(sp.diags(wanting) @ links, dtype=np.float32)
        bands = chosen.get("bands", 1.0)
        return NeighbourBlock(self.name, ties.matrix[:0], items, reading=reading_of(chosen), bands=bands)

    def _silent(self, inputs: FitInputs, why: str) -> tuple[FittedBlock, Chosen]:
        return empty_block(self.name, *self._shape(inputs)), {"left_out": why}


def alike(entities: sp.csr_matrix, ties: Ties, chosen: Chosen) -> sp.csr_matrix:
    """The n items that somebody took which share most with each item, CSR float32 (I, I), from rows of entities (N, I).

    Of the entities those are heard that make up ``PAIRS`` pairs of items, the rarest first.
    """
    n_items = ties.matrix.shape[1]
    many = np.diff(entities.indptr).astype(np.float64)  # (N,)
    order = np.argsort(many, kind="stable")
    rows = np.sort(order[(np.cumsum(many[order] ** 2) <= PAIRS) & (many[order] > 1)])
    heard = sp.csr_matrix(sp.diags(many[rows] ** -chosen["gamma"]) @ entities[rows] @ sp.diags(ties.taken * 1.0))
    heard.eliminate_zeros()
    per_item = divisors(degrees(entities)) ** -chosen["alpha"]
    items = sp.csr_matrix(sp.diags(per_item) @ entities[rows].T)  # (I, N)
    starts = range(0, n_items, CHUNK)
    parts = [strongest(sp.csr_matrix(items[s : s + CHUNK] @ heard), s, chosen["n"]) for s in starts]
    return sp.csr_matrix(sp.vstack(parts), dtype=np.float32)


def _dealt(entities: sp.csr_matrix, ties: Ties) -> sp.csr_matrix:
    """Every item with the entities of the next in its number of takers, so that those say of each how popular it is and
    nothing else, CSR (N, I)."""
    order = np.argsort(degrees(ties.matrix), kind="stable")
    other = np.empty(len(order), np.int64)
    other[order] = np.roll(order, 1)
    return sp.csr_matrix(entities[:, other])
