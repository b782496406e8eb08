"""A block of places: people by the cells of the map where they go, items by how near they are to each cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.data.points import item_points
from graphrec.errors import DataError
from graphrec.profile.api import NO_WORDS, Doubles, Effects, FittedBlock, Words, with_rows
from graphrec.profile.sparse import read_back, resized, stored, unit_scale
from graphrec.query.fading import STEADY, Fading
from graphrec.query.query import Queries, query_of
from graphrec.query.ties import Ties, row
from graphrec.types import Floats, Ints, frozen

EARTH = 6371.0088  # km
FAR = 100.0  # km to the next item, from which nothing is near to where somebody is
SETTINGS = ("name", "weight", "reading", "spread", "scale", "power", "nearest", "hours")
ARRAYS = ("centres", "cell_of")
Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Away:
    """How far points are from their nearest cells: known int64 (n,) of N points, distance float64 (n, k) in km, cell
    int64 (n, k) of C cells."""

    known: Ints
    distance: Points
    cell: Ints
    shape: tuple[int, int]

    @classmethod
    def of(cls, points: Points, centres: Points, nearest: int) -> Away:
        """Of points (N, 2) and centres (C, 2) in degrees, NaN where unknown; at most so many cells of each."""
        from sklearn.neighbors import BallTree

        known = np.flatnonzero(~np.isnan(points).any(axis=1)).astype(np.int64)
        kept = min(nearest, len(centres)) if len(known) else 0
        if not kept:
            return cls(known[:0], np.zeros((0, 0)), np.zeros((0, 0), np.int64), (len(points), len(centres)))
        tree = BallTree(np.radians(centres), metric="haversine")
        distance, cell = tree.query(np.radians(points[known]), k=kept)
        return cls(known, EARTH * distance, np.asarray(cell, np.int64), (len(points), len(centres)))

    def nearness(self, scale: float, power: float) -> sp.csr_matrix:
        """(1 + distance / scale)^-power, CSR float32 (N, C)."""
        near = ((1 + self.distance / scale) ** -power).astype(np.float32)
        rows = np.repeat(self.known, self.cell.shape[1])
        out = sp.csr_matrix((near.ravel(), (rows, self.cell.ravel())), shape=self.shape, dtype=np.float32)
        out.sort_indices()
        return out

    def next_cell(self) -> Ints:
        """The nearest cell of each point, int64 (N,), -1 where the point is not known or nothing is near."""
        out = np.full(self.shape[0], -1, np.int64)
        if self.cell.size:
            out[self.known] = np.where(self.distance[:, 0] <= FAR, self.cell[:, 0], -1)
        return out


@dataclass(frozen=True)
class PlaceBlock(FittedBlock):
    """An item's score is how near it is to where somebody went, and to where they are:

        u = Σ_j x_j h_j e(cell of j) / deviation + e(cell of here) / deviation,   score = ⟨u, items[i]⟩ / deviation

    x is the taste under ``reading`` and ``fading``, h_j = exp(hours (cos 2π (t_j - now) / 24 h - 1)) how near to this
    hour of the day j was taken, e a unit vector. So a score splits exactly into the events of a history, and what is
    near to where somebody is now, which is the rest.

    Shapes: users CSR float32 (U, C), items CSR float32 (I, C): nearness times what an item counts for. centres float64
    (C, 2) in degrees; cell_of int64 (I,), -1 for an item whose place is not known. ``scale`` and ``power`` of
    ``Away.nearness``, of at most ``nearest`` cells.
    """

    name: str
    users: sp.csr_matrix
    items: sp.csr_matrix
    centres: Points
    cell_of: Ints
    weight: float = 1.0
    reading: str = "alike"
    linear: bool = True
    prior: int = 0
    spread: int = 0
    scale: float = 1.0
    power: float = 1.0
    nearest: int = 1
    hours: float = 0.0
    fading: Fading = STEADY
    words: Words = NO_WORDS
    sparse: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "centres", frozen(self.centres, np.float64))
        object.__setattr__(self, "cell_of", frozen(self.cell_of, np.int64))
        object.__setattr__(self, "fading", Fading.of(self.fading))
        if self.users.shape[1] != self.items.shape[1] or len(self.cell_of) != self.items.shape[0]:
            raise DataError(f"block {self.name}: users {self.users.shape} and items {self.items.shape} do not fit")
        if self.weight < 0:
            raise DataError(f"block {self.name}: weight {self.weight} is negative")

    # --- encoding -----------------------------------------------------------------------------------------------------

    def encode(self, queries: Queries) -> sp.csr_matrix:
        """The user's side of each query, CSR float32 (B, C)."""
        if queries.asked is None and (queries.moments is None or not self.hours):
            return self.users[queries.user_nums]
        return self.computed(queries)

    def computed(self, queries: Queries) -> sp.csr_matrix:
        """The same, made from the histories even where rows are stored, CSR float32 (B, C)."""
        return self._sides(queries)[0]

    def _sides(self, queries: Queries) -> tuple[sp.csr_matrix, Floats, sp.csr_matrix]:
        """The user's sides, what a taste is scaled by in them, float32 (B,), and the part of where they are now."""
        raw = self.raw(queries)
        own = unit_scale(raw, self._measured)
        here = self._here(queries)
        here = sp.csr_matrix(sp.diags(unit_scale(here, self._measured)) @ here)
        both = sp.csr_matrix(sp.diags(own) @ raw + here)
        whole = unit_scale(both, self._measured)
        sides = sp.csr_matrix(sp.diags(whole) @ both, dtype=np.float32)
        sides.eliminate_zeros()
        return sides, own * whole, sp.csr_matrix(sp.diags(whole) @ here)

    def raw(self, queries: Queries) -> sp.csr_matrix:
        """What each cell counts for by the histories, before the deviation, CSR float32 (B, C)."""
        return sp.csr_matrix(self.taste(queries) @ self._cells)

    def taste(self, queries: Queries) -> sp.csr_matrix:
        """What each item of the histories counts for at this hour, CSR float32 (B, I)."""
        taste = queries.taste(self.reading, fading=self.fading)
        if not self.hours:
            return taste
        told = queries.ordered()
        if told.times is None:
            return taste
        known = told.items >= 0
        turn = 2 * np.pi * (told.times - queries.now[:, None]) / 86_400
        near = np.exp(self.hours * (np.cos(turn) - 1))
        rows, places = np.nonzero(known)
        latest = sp.lil_matrix(taste.shape, dtype=np.float32)
        latest[rows, told.items[known]] = near[rows, places]  # of several events the last one
        return sp.csr_matrix(taste.multiply(latest.tocsr()), dtype=np.float32)

    def _here(self, queries: Queries) -> sp.csr_matrix:
        """The cell next to where people are now, CSR float32 (B, C); nothing where it is not said, or all is far."""
        said = [q.place for q in queries.asked or ()] if queries.asked is not None else [None] * len(queries)
        points = np.array([(np.nan, np.nan) if place is None else place for place in said]).reshape(-1, 2)
        cell = Away.of(points, self.centres, 1).next_cell()
        there = np.flatnonzero(cell >= 0)
        ones, shape = np.ones(len(there), np.float32), (len(queries), len(self.centres))
        return sp.csr_matrix((ones, (there, cell[there])), shape=shape)

    @cached_property
    def _cells(self) -> sp.csr_matrix:
        """The cell of each item, CSR float32 (I, C)."""
        known = np.flatnonzero(self.cell_of >= 0)
        shape = (len(self.cell_of), self.items.shape[1])
        return sp.csr_matrix((np.ones(len(known), np.float32), (known, self.cell_of[known])), shape=shape)

    @cached_property
    def _sent(self) -> sp.csr_matrix:
        """What a cell adds to each item, CSR (C, I)."""
        return sp.csr_matrix(self.items.T)

    @cached_property
    def _measured(self) -> sp.csr_matrix:
        """The same of the items that the deviation is over."""
        return self._sent[:, : self.spread] if self.spread else self._sent

    # --- scores -------------------------------------------------------------------------------------------------------

    def scores(self, queries: Queries) -> Floats:
        return np.asarray((self.encode(queries) @ self._sent).toarray(), np.float32)

    def score(self, queries: Queries, item_num: int) -> Doubles:
        item = self.items[item_num].astype(np.float64)
        return np.asarray((self.encode(queries).astype(np.float64) @ item.T).toarray()).ravel()

    def compared(self) -> sp.csr_matrix:
        """Items are alike that are near to the same cells; what they count for drops out at unit length."""
        return self.items

    def effects(self, query: Queries, item_num: int) -> Effects:
        """How near the item is to each event of a history; the rest is how near it is to where somebody is now."""
        taste = self.taste(query)
        _, scale, here = self._sides(query)
        items, weights = row(taste, 0), taste.data[slice(*taste.indptr[:2])].astype(np.float64)
        near = np.asarray(self.items[item_num].toarray(), np.float64).ravel()  # (C,)
        cells = self.cell_of[items]
        shares = np.where(cells >= 0, float(scale[0]) * weights * near[cells], 0.0)
        rest = float(self.score(query, item_num)[0] - shares.sum()) if here.nnz else 0.0
        return Effects(items, shares, rest=rest)

    # --- the block itself ---------------------------------------------------------------------------------------------

    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> PlaceBlock:
        """New items lie among the cells that there are, and count for as much as one that nobody took."""
        n_users, n_items = ties.data.n_users, ties.data.n_items
        first = self.items.shape[0]
        items, cells, users = self.items, self.cell_of, resized(self.users, (n_users, self.users.shape[1]))
        if n_items > first:
            away = Away.of(item_points(ties.data)[first:], self.centres, self.nearest)
            sides = away.nearness(self.scale, self.power)
            items = sp.csr_matrix(sp.vstack([items, sides], format="csr"), dtype=np.float32)
            cells = np.concatenate([cells, away.next_cell()])
        out = replace(self, users=users, items=items, cell_of=cells, spread=self.spread or first)
        made = out.computed(Queries.of(ties, [query_of(ties, u) for u in touched.tolist()]))
        return replace(out, users=with_rows(users, touched, made))

    @property
    def hears_places(self) -> bool:
        return True

    @property
    def size(self) -> str:
        return f"{len(self.centres):,} cells"

    def reweighted(self, weight: float) -> PlaceBlock:
        return replace(self, weight=weight)

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        found, shapes = stored(users=self.users, items=self.items)
        told = {name: getattr(self, name) for name in SETTINGS} | {"fading": self.fading.told()}
        return {**found, **{name: np.asarray(getattr(self, name)) for name in ARRAYS}}, told | {"shapes": shapes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> PlaceBlock:
        sides = read_back(arrays, settings["shapes"])
        told: dict[str, Any] = {name: settings[name] for name in SETTINGS}
        told |= {name: arrays[name] for name in ARRAYS}
        return cls(users=sides["users"], items=sides["items"], fading=settings["fading"], **told)
