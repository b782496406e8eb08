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
BATCH = 1024  # queries encoded at once
FAR = 100.0  # km to the next item, from which nothing is near to where somebody is
LEAST = 0.01  # of what a cell counts for, below which it is none
SETTINGS = ("name", "weight", "reading", "spread", "scale", "power", "far", "hours")
FURTHER = ("week", "near")  # settings that are told where they say anything
BACK = 20  # events looked through for the last whose place is known
ARRAYS = ("centres", "cell_of")
HERE = Words("it is near where you are", "where you are, and the places where you usually go")
Points = npt.NDArray[np.float64]


def apart(centres: Points) -> Floats:
    """Kilometres between centres of cells (C, 2) in degrees, float32 (C, C)."""
    from sklearn.metrics.pairwise import haversine_distances

    return np.asarray(EARTH * haversine_distances(np.radians(centres)), np.float32)


def placed(cell_of: Ints, counts: Floats | Points, n_cells: int) -> sp.csr_matrix:
    """What each item counts for (I,) at its cell (I,), -1 for none: CSR float32 (I, C)."""
    known = np.flatnonzero(cell_of >= 0)
    return sp.csr_matrix((counts[known].astype(np.float32), (known, cell_of[known])), (len(cell_of), n_cells))


def next_cell(points: Points, centres: Points) -> Ints:
    """The nearest of the centres (C, 2) to each point (N, 2) in degrees, int64 (N,); -1 where the point is not known,
    or nothing is near."""
    from sklearn.neighbors import BallTree

    out = np.full(len(points), -1, np.int64)
    known = np.flatnonzero(~np.isnan(points).any(axis=1))
    if len(known) and len(centres):
        distance, cell = BallTree(np.radians(centres), metric="haversine").query(np.radians(points[known]), k=1)
        out[known] = np.where(EARTH * distance[:, 0] <= FAR, cell[:, 0], -1)
    return out


@dataclass(frozen=True)
class PlaceBlock(FittedBlock):
    """An item's score is how near it is to where somebody went, and to where they are:

        score = items[i] · (g(D_u) + g(K_here)) [cell of i] / deviation,   g(x) = log(1 + x / far)
        D_u = Σ_j a_j K[cell of j] / Σ_j a_j,   K[c, d] = (1 + km between c and d / scale)^-power
        a_j = x_j exp(hours (cos 2π (t_j - now) / 24 h - 1) + week (cos 2π (t_j - now) / 7 d - 1) - km from here / near)

    Attention a over time and place together: x is the taste under ``reading`` and ``fading``, which tells how long ago
    j was, the cosines how near to this hour and weekday; here is where somebody is, or else was last, and a ``near`` of
    0 does not ask how far from there j is. A cell of which g is below ``LEAST`` counts for none. An event has the share
    of g that it has of D_u, so a score splits exactly into events and what is near to where somebody is now, the rest.

    Shapes: users CSR float32 (U, C), g of each cell over the deviation; items CSR float32 (I, C): what an item counts
    for at its cell. centres float64 (C, 2) in degrees; cell_of int64 (I,), -1 for an item whose place is not known.
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
    far: float = 0.1
    hours: float = 0.0
    week: float = 0.0
    near: float = 0.0
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
        if queries.asked is None and (queries.moments is None or not (self.hours or self.week)):
            return self.users[queries.user_nums]
        return self.computed(queries)

    def computed(self, queries: Queries) -> sp.csr_matrix:
        """The same, made from the histories even where rows are stored, CSR float32 (B, C)."""
        return self._sides(queries)[0]

    def _sides(self, queries: Queries) -> tuple[sp.csr_matrix, Floats, sp.csr_matrix]:
        """The user's sides, what a taste is scaled by in them, float32 (B,), and the part of where they are now."""
        raw = self.raw(queries)
        own = unit_scale(raw, self._measured)
        here = self._heard(self._here(queries))
        here = sp.csr_matrix(sp.diags(unit_scale(here, self._measured)) @ here)
        both = sp.csr_matrix(sp.diags(own) @ raw + here)
        whole = unit_scale(both, self._measured)
        sides = sp.csr_matrix(sp.diags(whole) @ both, dtype=np.float32)
        sides.eliminate_zeros()
        return sides, own * whole, sp.csr_matrix(sp.diags(whole) @ here)

    def raw(self, queries: Queries) -> sp.csr_matrix:
        """What each cell counts for by the histories, before the deviation, CSR float32 (B, C)."""
        went = sp.csr_matrix(self.taste(queries) @ self._cells)
        if self.near:
            went = sp.csr_matrix(went.multiply(self._attention(queries)), dtype=np.float32)
        return self._heard(self._parts(went))

    def _attention(self, queries: Queries) -> Floats:
        """What each cell counts for by how far it is from where people are, or were last, float32 (B, C)."""
        said, found = self._said(queries), queries.ordered(BACK).items  # (B,), (B, L)
        were = np.where(found >= 0, self.cell_of[np.maximum(found, 0)], -1)
        cells = said
        for column in were.T:  # from the oldest to the newest
            cells = np.where((column >= 0) & (said < 0), column, cells)
        out: Floats = np.exp(-self._apart[np.maximum(cells, 0)] / np.float32(self.near))
        return np.where((cells < 0)[:, None], np.float32(1), out)

    def _parts(self, went: sp.csr_matrix) -> sp.csr_matrix:
        """Which part of somebody's taste is of each cell, CSR float32 (B, C)."""
        whole = np.asarray(abs(went).sum(axis=1), np.float64).ravel()
        return sp.csr_matrix(sp.diags(1 / np.where(whole > 0, whole, 1)) @ went)

    def _heard(self, went: sp.csr_matrix) -> sp.csr_matrix:
        """g of the nearness to cells (B, C), CSR float32 (B, C)."""
        parts = []
        for start in range(0, went.shape[0], BATCH):
            near = np.asarray(went[start : start + BATCH] @ self.kernel, np.float32)
            heard = np.log1p(np.maximum(near, 0) / np.float32(self.far))
            parts.append(sp.csr_matrix(np.where(heard < LEAST, np.float32(0), heard)))
        return sp.csr_matrix(sp.vstack(parts) if parts else went, dtype=np.float32)

    @cached_property
    def kernel(self) -> Floats:
        """K, float32 (C, C)."""
        return np.asarray((1 + self._apart / self.scale) ** -self.power, np.float32)

    @cached_property
    def _apart(self) -> Floats:
        """Kilometres between cells, float32 (C, C)."""
        return apart(self.centres)

    def taste(self, queries: Queries) -> sp.csr_matrix:
        """What each item of the histories counts for at this hour, CSR float32 (B, I)."""
        rounds: Any = {"day": self.hours, "week": self.week}
        return queries.taste(self.reading, fading=replace(self.fading, **rounds))

    def _here(self, queries: Queries) -> sp.csr_matrix:
        """The cell next to where people are now, CSR float32 (B, C); nothing where it is not said, or all is far."""
        cell = self._said(queries)
        there = np.flatnonzero(cell >= 0)
        ones, shape = np.ones(len(there), np.float32), (len(queries), len(self.centres))
        return sp.csr_matrix((ones, (there, cell[there])), shape=shape)

    def _said(self, queries: Queries) -> Ints:
        """The cell next to where people say they are now, int64 (B,), -1 for none."""
        if queries.asked is None:
            return np.full(len(queries), -1, np.int64)
        points = [(np.nan, np.nan) if q.place is None else q.place for q in queries.asked]
        return next_cell(np.array(points, np.float64).reshape(-1, 2), self.centres)

    @cached_property
    def _cells(self) -> sp.csr_matrix:
        """The cell of each item, CSR float32 (I, C)."""
        return placed(self.cell_of, np.ones(len(self.cell_of)), self.items.shape[1])

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
        return self._heard(self._cells)

    def likeness(self, item_num: int) -> Floats:
        """How near every item is to one, float32 (I,)."""
        cell = int(self.cell_of[item_num])
        near = self.kernel[cell][self.cell_of] if cell >= 0 else np.zeros(len(self.cell_of), np.float32)
        return np.where(self.cell_of >= 0, near, np.float32(0))

    def effects(self, query: Queries, item_num: int) -> Effects:
        """What the events of a history have of how near the item is to all; the rest is how near it is to where
        somebody is now."""
        taste = self.taste(query)
        _, scale, here = self._sides(query)
        items, weights = row(taste, 0), taste.data[slice(*taste.indptr[:2])].astype(np.float64)
        cell, cells = int(self.cell_of[item_num]), self.cell_of[items]
        there = (cells >= 0) & (cell >= 0)
        if self.near:
            weights = weights * self._attention(query)[0, np.maximum(cells, 0)]
        parts = np.where(there, weights * self.kernel[np.maximum(cells, 0), max(cell, 0)], 0.0)  # of D, unscaled
        side, total = np.asarray(self.items[item_num].toarray(), np.float64).ravel(), float(parts.sum())
        own = float(scale[0]) * float((self.raw(query).astype(np.float64) @ side)[0])
        shares = parts * (own / total if total > 0 else 0.0)
        rest = float(self.score(query, item_num)[0] - shares.sum()) if here.nnz else 0.0
        return Effects(items, shares, rest=rest)

    # --- the block itself ---------------------------------------------------------------------------------------------

    def grown(self, ties: Ties, touched: Ints, texts: Floats | None) -> PlaceBlock:
        """New items lie among the cells that there are, and count for as much as one that nobody took."""
        n_users, n_items = ties.data.n_users, ties.data.n_items
        first = self.items.shape[0]
        items, cells, users = self.items, self.cell_of, resized(self.users, (n_users, self.users.shape[1]))
        if n_items > first:
            new = next_cell(item_points(ties.data)[first:], self.centres)
            sides = placed(new, np.ones(len(new)), len(self.centres))
            items = sp.csr_matrix(sp.vstack([items, sides], format="csr"), dtype=np.float32)
            cells = np.concatenate([cells, new])
        out = replace(self, users=users, items=items, cell_of=cells, spread=self.spread or first)
        made = out.computed(Queries.of(ties, [query_of(ties, u) for u in touched.tolist()]))
        return replace(out, users=with_rows(users, touched, made))

    def hears_place(self, place: tuple[float, float] | None = None) -> bool:
        return place is None or bool(next_cell(np.array([place], np.float64), self.centres)[0] >= 0)

    def said(self, query: Queries, item_num: int) -> Words:
        """Where somebody is now is not where they usually go."""
        return replace(self.words, cause=HERE.cause, rest=HERE.because) if self._said(query)[0] >= 0 else self.words

    @property
    def size(self) -> str:
        return f"{len(self.centres):,} cells"

    def reweighted(self, weight: float) -> PlaceBlock:
        return replace(self, weight=weight)

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        found, shapes = stored(users=self.users, items=self.items)
        told = {name: getattr(self, name) for name in SETTINGS} | {"fading": self.fading.told()}
        told |= {name: getattr(self, name) for name in FURTHER if getattr(self, name)}
        return {**found, **{name: np.asarray(getattr(self, name)) for name in ARRAYS}}, told | {"shapes": shapes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> PlaceBlock:
        sides = read_back(arrays, settings["shapes"])
        told: dict[str, Any] = {name: settings[name] for name in SETTINGS}
        told |= {name: settings[name] for name in FURTHER if name in settings}
        told |= {name: arrays[name] for name in ARRAYS}
        return cls(users=sides["users"], items=sides["items"], fading=settings["fading"], **told)
