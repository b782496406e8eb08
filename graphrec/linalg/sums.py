"""What closed-form blocks need of people, as sums over them: whoever has the sums needs no row of anybody.

    n = Σ_u 1,   c = Σ_u r_u,   G_α = Σ_u x_u x_uᵀ with x_u = d_u^-α r_u          r_u: what u took, 0 or 1; d_u = |r_u|

Sums of several parties add up to those of everybody, what somebody added can be subtracted, and noise on them is noise
on all that is made of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.errors import ConfigError, DataError
from graphrec.linalg.item_item import cooccurrence
from graphrec.types import frozen

Doubles = npt.NDArray[np.float64]
HALF = 0.5  # α at which everybody's part of a Gram matrix has length 1, whatever they took
EXPONENTS = (0.0, HALF)
READINGS = ("alike", "liked")  # of strengths, under which a row is of zeros and ones
SUMS = "sums"  # among the choices of a model: that its blocks are of sums, and of which
MAX_ITEMS = 8000  # of a dense Gram matrix, 0.5 GB in float64


@dataclass(frozen=True)
class Sensitivity:
    """By how much one person can move each sum at most, who took ``events`` items at most: in Euclidean length, of a
    Gram matrix in that of all its entries (Frobenius). ``grams``: by exponent."""

    users: float
    counts: float
    grams: Mapping[float, float]


@dataclass(frozen=True, eq=False)
class ItemSums:
    """Sums over people who took something.

    Shapes: items, ids (I,), ascending. users: how many people, n. counts float64 (I,): c. grams: α → G_α float64
    (I, I). reading: of the strengths that rows are made of, of ``READINGS``. Raises DataError where shapes disagree.

    Sums with noise in them are sums as well: numbers of people need be no whole numbers.
    """

    items: tuple[str, ...]
    users: float
    counts: Doubles
    grams: Mapping[float, Doubles]
    reading: str = "alike"

    def __post_init__(self) -> None:
        size = len(self.items)
        object.__setattr__(self, "counts", frozen(self.counts, np.float64))
        object.__setattr__(self, "grams", {float(a): frozen(g, np.float64) for a, g in sorted(self.grams.items())})
        found = [self.counts.shape, *(gram.shape for gram in self.grams.values())]
        if found != [(size,), *[(size, size)] * len(self.grams)]:
            raise DataError(f"sums over {size} items of shapes {found}; each has a place for every item")
        if list(self.items) != sorted(set(self.items)):
            raise DataError("the items of sums must be ascending, each once, so that all parties number them alike")

    @classmethod
    def of(
        cls,
        rows: sp.csr_matrix,
        items: Sequence[str],
        exponents: Collection[float] = EXPONENTS,
        reading: str = "alike",
        max_items: int = MAX_ITEMS,
    ) -> ItemSums:
        """The sums of rows CSR (U, I) of zeros and ones, whose columns have these ids.

        Raises ConfigError for more than ``max_items`` items, since a Gram matrix is dense, and for a reading that
        weighs; DataError for rows that are not of zeros and ones.
        """
        if len(items) > max_items:
            raise ConfigError(
                f"{len(items):,} items, and sums are dense up to {max_items:,}; keep fewer (split.k_core)"
            )
        if reading not in READINGS:
            raise ConfigError(f"reading {reading!r} weighs events; sums are of {' or '.join(READINGS)}")
        if rows.nnz and not (rows.data == 1).all():
            raise DataError(f"sums are of rows of zeros and ones; found {float(rows.data[rows.data != 1][0]):g}")
        order = np.argsort(np.array(items, object), kind="stable")
        rows = sp.csr_matrix(rows[:, order], dtype=np.float64)
        taken = np.diff(rows.indptr)
        grams = {}
        for alpha in exponents:
            scale = np.maximum(taken, 1).astype(np.float64) ** -alpha
            grams[alpha] = gram_of(sp.csr_matrix(sp.diags(scale) @ rows))
        counts = np.asarray(rows.sum(axis=0), np.float64).ravel()
        return cls(tuple(np.array(items, object)[order].tolist()), float((taken > 0).sum()), counts, grams, reading)

    @classmethod
    def added(cls, parts: Sequence[ItemSums]) -> ItemSums:
        """The sums of all parties together, over the items that any of them has. Raises DataError for none, and where
        they are of other exponents or another reading."""
        if not parts:
            raise DataError("there are no sums to add; give those of one party at least")
        everything = sorted(set().union(*(part.items for part in parts)))
        return reduce(ItemSums.__add__, (part.over(everything) for part in parts))

    def over(self, items: Sequence[str]) -> ItemSums:
        """The same over these items, ascending ids, with 0 for what nobody here took. Raises DataError where one of
        those here is not among them."""
        if tuple(items) == self.items:
            return self
        place = {id_: n for n, id_ in enumerate(items)}
        if lacking := [id_ for id_ in self.items if id_ not in place]:
            raise DataError(f"sums hold {len(lacking)} items that are not asked for, for example {lacking[0]!r}")
        at = np.array([place[id_] for id_ in self.items], np.int64)
        counts = np.zeros(len(items))
        counts[at] = self.counts
        grams = {}
        for alpha, gram in self.grams.items():
            grams[alpha] = np.zeros((len(items), len(items)))
            grams[alpha][np.ix_(at, at)] = gram
        return replace(self, items=tuple(items), counts=counts, grams=grams)

    def __add__(self, other: ItemSums) -> ItemSums:
        return self._with(other, 1.0)

    def __sub__(self, other: ItemSums) -> ItemSums:
        return self._with(other, -1.0)

    def _with(self, other: ItemSums, sign: float) -> ItemSums:
        if self.items != other.items:
            raise DataError("sums are over different items; bring them over the same with over(), or ItemSums.added")
        if set(self.grams) != set(other.grams) or self.reading != other.reading:
            told = [f"{s.reading}, exponents {', '.join(map(str, s.grams))}" for s in (self, other)]
            raise DataError(f"sums are made differently ({told[0]}; {told[1]}); make both in one way")
        grams = {alpha: gram + sign * other.grams[alpha] for alpha, gram in self.grams.items()}
        counts = self.counts + sign * other.counts
        return replace(self, users=self.users + sign * other.users, counts=counts, grams=grams)

    def sensitivity(self, events: int) -> Sensitivity:
        """What one person, who took ``events`` items at most, can move by joining or leaving.

        Their part of c is r_u, of length √d_u ≤ √events. Their part of G_α is x_u x_uᵀ, whose length is
        ‖x_u‖² = d_u^(1 − 2α): 1 at α = ½ whatever they took, and events at α = 0.
        """
        most = float(max(events, 1))
        return Sensitivity(1.0, most**0.5, {alpha: max(1.0, most ** (1 - 2 * alpha)) for alpha in self.grams})

    def gram(self, alpha: float) -> Doubles:
        """G_α (I, I). Raises ConfigError where these sums have none with this exponent."""
        if alpha not in self.grams:
            there = ", ".join(f"{a:g}" for a in self.grams)
            raise ConfigError(f"the sums hold no Gram matrix with user rows divided by d^{alpha:g}; there are {there}")
        return self.grams[alpha]

    @property
    def size(self) -> int:
        """Bytes that travel: a number of people, counts, the upper half of each Gram matrix; 8 each."""
        n = len(self.items)
        return 8 * (1 + n + len(self.grams) * n * (n + 1) // 2)

    def save(self, path: Path) -> None:
        """Write them as a compressed npz; ``load`` reads them back to the last bit."""
        upper = np.triu_indices(len(self.items))
        told: dict[str, Any] = {"items": np.array(self.items, np.str_), "reading": np.array(self.reading, np.str_)}
        told |= {f"gram.{alpha!r}": gram[upper] for alpha, gram in self.grams.items()}
        with path.open("wb") as file:  # savez would add an ending to the name
            np.savez_compressed(file, users=np.float64(self.users), counts=self.counts, **told)

    @classmethod
    def load(cls, path: Path) -> ItemSums:
        """Read what ``save`` wrote. Raises DataError for what is no such file."""
        try:
            with np.load(path, allow_pickle=False) as held:
                items = tuple(held["items"].tolist())
                upper, grams = np.triu_indices(len(items)), {}
                for name in (n for n in held.files if n.startswith("gram.")):
                    gram = np.zeros((len(items), len(items)))
                    gram[upper] = held[name]
                    gram.T[upper] = held[name]
                    grams[float(name.removeprefix("gram."))] = gram
                return cls(items, float(held["users"]), held["counts"], grams, str(held["reading"]))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise DataError(f"{path}: no file of sums ({error}); write one with graphrec federate --sums") from None


def gram_of(rows: sp.csr_matrix) -> Doubles:
    """XᵀX of rows CSR float64 (U, I), dense float64 (I, I)."""
    out = np.zeros((rows.shape[1], rows.shape[1]))
    for start, product in cooccurrence(rows):
        out[start : start + product.shape[0]] = product.toarray()
    return out


def filtered(sums: ItemSums, alpha: float) -> Doubles:
    """R̃ᵀR̃ float64 (I, I) of the filter R̃ = D_u^-α R D_i^-½: G_α with both sides divided by √c; 0 where nobody took."""
    counts = sums.counts
    power = np.where(counts > 0, np.maximum(counts, 1e-12) ** -0.5, 0.0)
    out: Doubles = sums.gram(alpha) * power * power[:, None]
    return out
