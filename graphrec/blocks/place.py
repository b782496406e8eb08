"""The `place` block: items near where somebody usually goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.blocks._beside import Beside
from graphrec.blocks.api import Block, FitInputs, Fold, Folds, Space, held, reading_of
from graphrec.blocks.search import Chosen, search
from graphrec.blocks.transitions import spans_days
from graphrec.data.dataset import Dataset
from graphrec.data.points import item_points
from graphrec.data.popularity import decayed_counts
from graphrec.profile.api import FittedBlock, Words
from graphrec.profile.dense import empty_block
from graphrec.profile.places import PlaceBlock, Points, placed
from graphrec.query.fading import Fading
from graphrec.query.query import Queries
from graphrec.settings import FloatList, IntList, Section
from graphrec.types import Floats, Ints

NOWHERE = "no item has coordinates"
TELLS_NOTHING = "coordinates tell nothing that shuffled ones do not"
WEIGHTS = (0.3, 1.0, 3.0)  # of places beside the others
RECENT = 365.0  # half-life in days of the popularity beside them
KEPT = 50_000_000  # scores of the others that are kept from one candidate to the next, 200 MB
DEALS = 4  # in how many ways places are dealt anew, to see what they tell
FINEST = 9  # resolution of the cells at most: 350 m across


class PlaceSettings(Section):
    """Cells of the map. Several values: the best on validation data is taken."""

    scale: FloatList = (10.0, 1.0, 3.0, 30.0)  # km, at which nearness begins to fall
    power: FloatList = (2.0, 4.0)  # and its exponent: (1 + d / scale)^-power
    far: FloatList = (0.1, 0.01)  # a nearness below which places are alike
    popular: FloatList = (0.25, 0.0, 0.5)  # exponent of how many took an item, as of now
    recent: FloatList = (90.0, 365.0)  # half-life in days of that; 0: all times count
    fade: FloatList = (0.0, 0.5)  # exponent of the place of an event from the end of a history
    half_life: FloatList = (90.0, 0.0, 365.0)  # in days, of the time from it to the last event; 0: none
    hours: FloatList = (0.0, 1.0, 4.0)  # how much events at this hour of the day count before others
    week: FloatList = (0.0, 1.0)  # and on this weekday
    near: FloatList = (0.0, 3.0, 30.0)  # km from where one is, or was last, at which an event counts 1/e; 0: all do
    cells: IntList = (1500,)  # at most; they are as fine as so many can be


class Place(Block[PlaceSettings]):
    """The `place` block: kernel density of where somebody went, over hexagonal cells (H3).

        score(u, i) = (1 + takers of i)^popular log(1 + D_u(i) / far) / deviation
        D_u(i) = Σ_j a_j (1 + d(cell of j, cell of i) / scale)^-power / Σ_j a_j

    a_j is the attention to an event: a product of how long ago it was, how near to this hour of the day and to this
    weekday, and how near to where somebody is or was last (``profile.places``). The tail of a power holds both the
    neighbourhood and the town (Brockmann et al., Nature 2006; kernel densities of places: Zhang and Chow, SIGSPATIAL
    2013). The logarithm makes of the density what adds to other scores as evidence does: without it somebody's one
    street counts for everything, and what is chosen on few validation users does not hold. It sits out where no
    coordinates are known, and where items that change places with each other do as well.
    """

    name = "place"
    words = Words("it is near where you usually go", "the places where you usually go", "it is near {title}")
    Settings = PlaceSettings
    Fitted = PlaceBlock
    ordered = True
    beside = True  # chosen by what it adds to histories and popularity, not by what it is worth alone

    def tune(self, folds: Folds, trials: int | None = None) -> tuple[tuple[FittedBlock, ...], Chosen]:
        """As of any block, and what was chosen must be worth more than with the places dealt anew."""
        blocks, chosen = super().tune(folds, trials)
        if not folds.users or "left_out" in chosen:
            return blocks, chosen
        judges = {id(fold): Judge(fold, self.beside) for fold in folds}

        def per_user(deal: int | None) -> Floats:
            def of(fold: Fold) -> Floats:
                points = self.points(fold.inputs.train)
                laid = Map.of(points if deal is None else shuffled(points, deal), chosen["cells"])
                return judges[id(fold)].ndcg(made(fold.inputs, chosen, laid, self.name), 1.0)

            return folds.per_user(of)

        own = per_user(None)
        other = np.asarray(sum(per_user(deal) for deal in range(DEALS)) / np.float32(DEALS), np.float32)
        gain = np.log(max(float(own.mean()), 1e-9) / max(float(other.mean()), 1e-9))
        # the best of so many by chance lies so many standard errors above the rest
        chance = np.sqrt(2 * np.log(sum(map(len, self.space(folds.inputs).values()))))
        if gain > chance * folds.doubt(own, other):
            return blocks, chosen
        return tuple(empty_block(self.name, *self._shape(fold.inputs)) for fold in folds), {"left_out": TELLS_NOTHING}

    def points(self, data: Dataset) -> Points:
        """Where items are, float64 (I, 2) in degrees, NaN where it is not known."""
        return item_points(data)

    def why_not(self, inputs: FitInputs) -> str:
        """Data without coordinates tells nothing."""
        if why := super().why_not(inputs):
            return why
        known = ~np.isnan(self.points(inputs.train)).any(axis=1)
        if len(np.unique(self.points(inputs.train)[known], axis=0)) < 2:
            return NOWHERE
        try:
            import h3  # noqa: F401
        except ImportError:
            return "the package h3 is not installed; pip install graphrec[place]"
        return ""

    def space(self, inputs: FitInputs) -> Space:
        """All settings; half-lives where times span a day, hours where they differ."""
        s, times = self.settings, inputs.train.events.timestamps
        aged = spans_days(inputs.train)
        daily = aged and times is not None and len(np.unique(times // 3600 % 24)) > 1
        return {
            **{name: getattr(s, name) for name in ("scale", "power", "far", "popular", "fade", "cells")},
            **{name: getattr(s, name) if aged else (0.0,) for name in ("recent", "half_life")},
            "hours": s.hours if daily else (0.0,),
            "week": s.week if aged else (0.0,),
            "near": s.near if inputs.train.events.ordered else (0.0,),
            "reading": held(inputs.train.events.readings, self.readings),
        }

    def choose(self, folds: Folds, trials: int | None = None) -> tuple[FittedBlock, Chosen]:
        """By what places add to histories and to popularity: what these tell already need not be told again."""
        space = self.space(folds.inputs)
        points = {id(fold): self.points(fold.inputs.train) for fold in folds}
        laid: dict[tuple[int, int], Map] = {}

        judges = {id(fold): Judge(fold, self.beside) for fold in folds if folds.users}

        def per_user(fold: Fold, candidate: Chosen) -> Floats:
            of = id(fold), candidate["cells"]
            laid[of] = laid.get(of) or Map.of(points[id(fold)], candidate["cells"])
            block = made(fold.inputs, candidate, laid[of], self.name)
            return judges[id(fold)].ndcg(block, candidate["weight"])

        def score(candidate: Chosen) -> float:
            return folds.value(lambda fold: per_user(fold, candidate)) if folds.users else 0.0

        space = {**space, "weight": WEIGHTS if self.beside else (1.0,)}
        start = {name: values[0] for name, values in space.items()}
        pairs = (("weight",), ("scale", "far"), ("popular", "recent"), ("fade", "half_life"), ("near", "week"))
        order = [*pairs, *((name,) for name in space), *pairs[:3]] if trials is None else None
        chosen = search(space, score, start, order, folds.users, trials)
        del chosen["weight"]
        return self.learn(folds.inputs, chosen), chosen

    def learn(self, inputs: FitInputs, chosen: Chosen) -> PlaceBlock:
        """Cells, nearness and counts; nothing is learned but by the choice."""
        laid = Map.of(self.points(inputs.train), chosen["cells"])
        return made(inputs, chosen, laid, self.name).fitted(inputs.ties)


class Judge:
    """What a block is worth on the validation users of a fold: alone, or beside item neighbours, a low-rank filter and
    popularity, each at unit deviation."""

    def __init__(self, fold: Fold, beside: bool) -> None:
        self._fold, self._history = fold, Beside(fold) if beside else None
        counts = np.log1p(decayed_counts(fold.inputs.train, RECENT).astype(np.float64))
        self._popular = np.asarray((counts - counts.mean()) / (counts.std() or 1.0), np.float32)
        self._known: dict[bytes, Floats] = {}

    def ndcg(self, block: PlaceBlock, weight: float) -> Floats:
        """NDCG of each user, float32 (B,), where the block counts for so much."""
        sent = sp.csr_matrix(block.items.T)

        def scores(queries: Queries) -> Floats:
            found = np.asarray((block.raw(queries) @ sent).toarray(), np.float32)
            if self._history is None:
                return found
            deviation = found.std(axis=1, keepdims=True)
            unit = np.divide(found, deviation, out=np.zeros_like(found), where=deviation > 0)
            return np.asarray(self._others(queries) + np.float32(weight) * unit, np.float32)

        return self._fold.validation.per_user_ndcg_of(scores)

    def _others(self, queries: Queries) -> Floats:
        key = queries.user_nums.tobytes()
        if key in self._known:
            return self._known[key]
        assert self._history is not None
        found = np.asarray(self._history.scores(queries) + self._popular, np.float32)
        if len(found) * len(self._popular) * (1 + len(self._known)) <= KEPT:
            self._known[key] = found
        return found


@dataclass(frozen=True)
class Map:
    """Where items lie: the cell of each, int64 (I,), -1 for none; the centres of cells, float64 (C, 2)."""

    cell_of: Ints
    centres: npt.NDArray[np.float64]

    @classmethod
    def of(cls, points: Points, most: int) -> Map:
        """Of items at these points (I, 2), with so many cells at most."""
        return cls(*cells(points, most))


def made(inputs: FitInputs, chosen: Chosen, laid: Map, name: str) -> PlaceBlock:
    """The block with these hyper-parameters, without rows of users."""
    # No leakage. Takers are counted in the training part.
    taken = decayed_counts(inputs.train, chosen["recent"], reading_of(chosen)).astype(np.float64)
    items = placed(laid.cell_of, (1 + taken) ** chosen["popular"], len(laid.centres))
    return PlaceBlock(
        name,
        items[:0],
        items,
        laid.centres,
        laid.cell_of,
        reading=reading_of(chosen),
        scale=chosen["scale"],
        power=chosen["power"],
        far=chosen["far"],
        hours=chosen["hours"],
        week=chosen.get("week", 0.0),
        near=chosen.get("near", 0.0),
        fading=Fading(chosen["fade"], chosen["half_life"]),
    )


def cells(points: Points, most: int) -> tuple[Ints, npt.NDArray[np.float64]]:
    """The cell of each point (I, 2) in degrees, int64 (I,), -1 for none, and the centres of cells, float64 (C, 2).

    They are hexagons of H3 at the finest resolution, up to ``FINEST``, at which there are no more than ``most``.
    """
    import h3

    known = np.flatnonzero(~np.isnan(points).any(axis=1))
    found: list[str] = []
    for resolution in range(FINEST, -1, -1):
        found = [h3.latlng_to_cell(lat, lng, resolution) for lat, lng in points[known].tolist()]
        if len(set(found)) <= most:
            break
    names = sorted(set(found))
    number = {name: n for n, name in enumerate(names)}
    out = np.full(len(points), -1, np.int64)
    out[known] = [number[name] for name in found]
    return out, np.array([h3.cell_to_latlng(name) for name in names], np.float64).reshape(-1, 2)


def shuffled(points: Points, seed: int = 0) -> Points:
    """The same points, dealt anew to the items that have one: what is left is no geography."""
    out, known = points.copy(), np.flatnonzero(~np.isnan(points).any(axis=1))
    out[known] = points[np.random.default_rng(seed).permutation(known)]
    return out
