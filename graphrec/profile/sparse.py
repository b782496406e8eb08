"""A sparse block: item by item, for what no low rank can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.errors import DataError
from graphrec.linalg.item_item import largest
from graphrec.profile.api import FLAT, NO_WORDS, Doubles, Effects, FittedBlock, Side, Words, account, with_rows
from graphrec.query.fading import STEADY, Fading
from graphrec.query.few import FEW, summed, tastes_of
from graphrec.query.hearing import Hearing, as_hearing, weights_of
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.types import Floats, Ints

BATCH = 1024  # users whose deviation is measured at once
FILLED, CELLS = (
    10,
    30_000_000,
)  # cells for each entry, and in all, up to which a product with the dense matrix is sooner
PARTS = ("data", "indices", "indptr")
SETTINGS = ("name", "weight", "friend_weight", "reading", "linear", "spread")
FURTHER = ("bands", "fading")  # settings that are told where they say anything


@dataclass(frozen=True)
class NeighbourBlock(FittedBlock):
    """An item's score is the sum of its neighbours' weights in the history.

        encode(u) = bands(u) · (x + friend_weight · mean_{f ∈ friends} x_f) / deviation       x: taste under ``reading``
                                                                                         and ``fading``

    Shapes: users CSR float32 (U, I), items CSR float32 (I, I), whose row i holds the weights of item i's neighbours.
    The deviation is that over the first ``spread`` items, 0 for all; ``bands`` is what it counts for in each band, 1 at
    most (``query.hearing``). Always linear: a score splits exactly into history items and friends.
    """

    name: str
    users: sp.csr_matrix
    items: sp.csr_matrix
    weight: float = 1.0
    friend_weight: Hearing = 0.0
    reading: str = "alike"
    linear: bool = True
    prior: int = 0
    spread: int = 0
    bands: Hearing = 1.0
    fading: Fading = STEADY
    words: Words = NO_WORDS
    sparse: ClassVar[bool] = True
    tabled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "friend_weight", as_hearing(self.friend_weight))
        object.__setattr__(self, "bands", as_hearing(self.bands))
        object.__setattr__(self, "fading", Fading.of(self.fading))
        if self.items.shape[0] != self.items.shape[1] or self.users.shape[1] != self.items.shape[1]:
            raise DataError(f"block {self.name}: users {self.users.shape} and items {self.items.shape} do not fit")
        if self.weight < 0:
            raise DataError(f"block {self.name}: weight {self.weight} is negative")

    def encode(self, queries: Queries) -> sp.csr_matrix:
        """The user's side of each query, CSR float32 (B, I)."""
        momentary = queries.moments is not None and self.fading.rounds
        return self.users[queries.user_nums] if queries.asked is None and not momentary else self.computed(queries)

    def computed(self, queries: Queries) -> sp.csr_matrix:
        """The same, made from the histories even where rows are stored, CSR float32 (B, I)."""
        if 0 < len(queries) <= FEW:
            sides = [self._read_out(one) for one in queries.each]
            ends = np.cumsum([0, *(len(items) for items, _ in sides)])
            items, values = (np.concatenate(parts) for parts in zip(*sides, strict=True))
            out = sp.csr_matrix((values, items, ends), shape=(len(queries), self.weights.shape[0]), dtype=np.float32)
        else:
            out = sp.csr_matrix(queries.taste(self.reading, self.friend_weight, self.fading), copy=True)
            out.data *= np.repeat(self._scale(out, queries), np.diff(out.indptr))
        out.eliminate_zeros()
        return out

    def with_sides(self, rows: npt.NDArray[np.bool_], sides: Floats) -> NeighbourBlock:
        """Users stay as they are. Of each side as many entries are kept as nine tenths of the others have at most."""
        links: Any = self.items
        if not isinstance(links, sp.csr_matrix):
            items = links.copy()
            items[rows] = sides
            return replace(self, items=items)
        usual = np.diff(links.indptr)[~rows]
        kept = max(1, int(np.quantile(usual[usual > 0], 0.9))) if usual.any() else 1
        return replace(self, items=with_rows(links, np.flatnonzero(rows), largest(sides, kept)))

    def _scale(self, taste: sp.csr_matrix, queries: Queries) -> Floats:
        """What bands count for / deviation of the scores of tastes (B, I), float32 (B,)."""
        return unit_scale(taste, self._measured) * weights_of(self.bands, queries.activity)

    @cached_property
    def _measured(self) -> sp.csr_matrix:
        """W of the items that the deviation is over, CSR (I, spread)."""
        return self.weights[:, : self.spread] if self.spread else self.weights

    @cached_property
    def weights(self) -> sp.csr_matrix:
        """W, CSR (I, I): row j holds what item j in a history adds to each item's score."""
        return sp.csr_matrix(self.items.T)

    def scores(self, queries: Queries) -> Floats:
        if 0 < len(queries) <= FEW:
            return np.stack([self.summed(*self._side(one)) for one in queries.each])
        return self.scores_of_many(queries)

    def scores_of_many(self, queries: Queries) -> Floats:
        """``scores`` as one product, float32 (B, I)."""
        return np.asarray((self.encode(queries) @ self.weights).toarray(), dtype=np.float32)

    def summed(self, items: Ints, values: Floats) -> Floats:
        """What so much of some items adds to each item's score, float32 (I,)."""
        return summed(self.weights, items, values)

    def _side(self, one: Queries) -> tuple[Ints, Floats]:
        """``encode`` of one query (B = 1): items int64 (n,), each once, and values float32 (n,)."""
        if one.asked is None and (one.moments is None or not self.fading.rounds):
            own = slice(*self.users.indptr[int(one.user_nums[0]) :][:2])
            return self.users.indices[own].astype(np.int64), self.users.data[own]
        return self._read_out(one)

    def _read_out(self, one: Queries) -> tuple[Ints, Floats]:
        """``computed`` of one query (B = 1), as ``_side``."""
        items, values = tastes_of(one, self.reading, self.friend_weight, self.fading)
        return items, self._scale_of(one) * values

    def _scale_of(self, one: Queries) -> np.float32:
        """``_scale`` of one query (B = 1)."""
        if (found := one.memo.get(id(self))) is None or found[0] is not self:
            scores = self.summed(*tastes_of(one, self.reading, self.friend_weight, self.fading))
            deviation = float(scores[: self.spread or None].std(dtype=np.float64))
            unit = np.float32(1 / deviation if deviation > FLAT else 0.0)
            found = one.memo[id(self)] = self, unit * weights_of(self.bands, one.activity)[0]
        return np.float32(found[1])

    def score(self, queries: Queries, item_num: int) -> Doubles:
        if 0 < len(queries) <= FEW:
            link = self.likeness(item_num).astype(np.float64)
            sides = (self._side(one) for one in queries.each)
            return np.array([float(values.astype(np.float64) @ link[items]) for items, values in sides])
        return self.score_of_many(queries, item_num)

    def score_of_many(self, queries: Queries, item_num: int) -> Doubles:
        """``score`` as one product, float64 (B,)."""
        item = self.items[item_num].astype(np.float64)
        return np.asarray((self.encode(queries).astype(np.float64) @ item.T).toarray()).ravel()

    def likeness(self, item_num: int) -> Floats:
        """The weights of an item's neighbours, float32 (I,)."""
        return np.asarray(self.items[item_num].toarray(), np.float32).ravel()

    def compared(self) -> Side:
        """Each item's neighbours, CSR float32 (I, I), and itself as the nearest: alike are items that are neighbours of
        each other, or have the same ones."""
        links = sp.csr_matrix(self.items)
        nearest = np.asarray(abs(links).max(axis=1).toarray(), np.float32).ravel()
        return sp.csr_matrix(links + sp.diags(nearest), dtype=np.float32)

    def effects(self, query: Queries, item_num: int) -> Effects:
        """The parts of one score: the weight of each neighbour in a history."""
        link = self.likeness(item_num).astype(np.float64)
        scale = float(self._scale_of(query))

        def each(items: Ints, weights: Doubles) -> Doubles:
            return scale * weights * link[items]

        score = float(self.score(query, item_num)[0])
        return account(query, self.reading, self.friend_weight, each, score, self.fading)

    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> NeighbourBlock:
        """New items have no neighbours."""
        n_users, n_items = ties.data.n_users, ties.data.n_items
        items, users = resized(self.items, (n_items, n_items)), resized(self.users, (n_users, n_items))
        out = replace(self, users=users, items=items, spread=self.spread or self.items.shape[0])
        return out.fitted(ties, touched)

    @property
    def size(self) -> str:
        return f"{self.items.nnz:,} links"

    def reweighted(self, weight: float) -> NeighbourBlock:
        return replace(self, weight=weight)

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        found, shapes = stored(users=self.users, items=self.items)
        told = {name: getattr(self, name) for name in SETTINGS}
        told |= {"bands": self.bands} if self.bands != 1.0 else {}
        told |= {"fading": self.fading.told()} if self.fading else {}
        return found, told | {"shapes": shapes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> NeighbourBlock:
        sides = read_back(arrays, settings["shapes"])
        told = {name: settings[name] for name in SETTINGS}
        told |= {name: settings[name] for name in FURTHER if name in settings}
        return cls(users=sides["users"], items=sides["items"], **told)


def stored(**sides: sp.csr_matrix) -> tuple[dict[str, npt.NDArray[Any]], dict[str, list[int]]]:
    """CSR matrices as arrays by name, and their shapes; ``read_back`` reads them."""
    found = {f"{side}.{part}": getattr(matrix, part) for side, matrix in sides.items() for part in PARTS}
    return found, {side: list(matrix.shape) for side, matrix in sides.items()}


def read_back(arrays: Mapping[str, npt.NDArray[Any]], shapes: Mapping[str, Any]) -> dict[str, sp.csr_matrix]:
    """The CSR matrices that ``stored`` took apart. Raises KeyError where an array is missing."""
    parts: dict[str, Any] = {side: tuple(arrays[f"{side}.{part}"] for part in PARTS) for side in shapes}
    return {side: sp.csr_matrix(parts[side], shape=tuple(shape)) for side, shape in shapes.items()}


def resized(matrix: sp.csr_matrix, shape: tuple[int, int]) -> sp.csr_matrix:
    """The same entries in a larger matrix."""
    ends = np.pad(matrix.indptr, (0, shape[0] - matrix.shape[0]), mode="edge")
    return sp.csr_matrix((matrix.data, matrix.indices, ends), shape=shape)


def kept(sides: Any, before: Any, ties: Ties) -> Any:
    """Sides of all items, CSR or float32 (I, d), with those ``before``, of as many or fewer, that still nobody took:
    where they are not zero they are from content, and stay."""
    taken = np.bincount(ties.known.indices, minlength=before.shape[0])[: before.shape[0]]
    rows = np.flatnonzero(taken == 0)
    rows = rows[np.asarray(abs(before[rows]).sum(axis=1)).ravel() > 0]
    if not len(rows) or (not sp.issparse(sides) and sides.shape[1] != before.shape[1]):
        return sides
    held = resized(before, sides.shape) if isinstance(sides, sp.csr_matrix) else before
    return with_rows(sides, rows, held[rows])


def unit_scale(users: sp.csr_matrix, weights: Side) -> Floats:
    """1 / deviation over the catalogue of each user's scores users @ weights, float32 (B,); 0 for a constant user."""
    n_items = weights.shape[1]
    if isinstance(weights, sp.csr_matrix) and weights.shape[0] * n_items <= min(FILLED * weights.nnz, CELLS):
        weights = weights.toarray()
    out = np.zeros(users.shape[0], np.float64)
    for start in range(0, len(out), BATCH):
        scores = users[start : start + BATCH] @ weights
        if not sp.issparse(scores):
            out[start : start + BATCH] = scores.std(axis=1, dtype=np.float64)
            continue
        told = np.flatnonzero(np.diff(scores.indptr))
        if not len(told):
            continue
        values, firsts = scores.data.astype(np.float64), scores.indptr[told]
        mean, square = (np.add.reduceat(of, firsts) / n_items for of in (values, np.square(values)))
        out[start + told] = np.sqrt(np.maximum(square - mean**2, 0.0))
    return np.divide(1.0, out, out=np.zeros_like(out), where=out > FLAT).astype(np.float32)
