"""How much each block counts for one query: attention over blocks, by what is known of who asks.

    w_b(q) = w_b · exp(⟨θ_b, φ(q)⟩)

φ are a few features of the query, in deviations from their mean over validation users, none beyond ``FAR``: how much
somebody took, how many people took what they took (of which depends how much those people can tell), and took last, how
long ago that was, how many friends they hear. Items' sides stay as they are, so a score is still one inner product, and
its parts are those of the blocks, each times its factor. What is not known of a query has no say, and somebody of whom
no event is known is asked with the weights as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphrec.data.popularity import DAY
from graphrec.profile.api import Doubles
from graphrec.query.query import Queries
from graphrec.types import Floats

GATE = "gate"  # what it is called among the choices of a model
FAR = 3.0  # deviations
MOST = 2.0  # of the exponent, either way


def _events(queries: Queries) -> Doubles:
    return np.log1p(queries.activity.astype(np.float64))


def _support(queries: Queries) -> Doubles:
    takers = np.log1p(queries.ties.takers_of.astype(np.float64))
    return np.asarray(queries.liked @ takers, np.float64) / np.maximum(queries.activity, 1)


def _last(queries: Queries) -> Doubles:
    if not queries.ties.data.events.ordered:
        return np.full(len(queries), np.nan)
    items = queries.ordered(1, liked=True).items[:, 0]  # -1 where there is none
    return np.where(items >= 0, np.log1p(queries.ties.takers_of[items].astype(np.float64)), np.nan)


def _recency(queries: Queries) -> Doubles:
    told = queries.ordered(1)
    if told.times is None:
        return np.full(len(queries), np.nan)
    days = np.maximum(queries.now - told.times[:, 0], 0) / DAY
    return np.where(told.items[:, 0] >= 0, np.log1p(days), np.nan)


def _friends(queries: Queries) -> Doubles:
    return np.log1p(np.diff(queries.friends.indptr).astype(np.float64))


FEATURES: Mapping[str, Callable[[Queries], Doubles]] = {
    "events": _events,
    "support": _support,
    "last": _last,
    "recency": _recency,
    "friends": _friends,
}


def features(queries: Queries, names: Sequence[str] = tuple(FEATURES)) -> Doubles:
    """What is known of each query, float64 (B, f), NaN where it is not; of nothing where no event is known."""
    found = np.stack([FEATURES[name](queries) for name in names], axis=1) if names else np.zeros((len(queries), 0))
    found[queries.activity == 0] = np.nan
    return np.asarray(found, np.float64)


@dataclass(frozen=True)
class Gate:
    """θ of each block by name, each (f,), and which features these are of, with their means and deviations (f,)."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    slopes: Mapping[str, tuple[float, ...]]

    def scaled(self, found: Doubles) -> Doubles:
        """Features (B, f) in deviations from their means, 0 where nothing is known."""
        scaled = (found - np.array(self.means)) / np.array(self.deviations)
        return np.asarray(np.nan_to_num(np.clip(scaled, -FAR, FAR)), np.float64)

    def factors(self, queries: Queries) -> dict[str, Floats]:
        """Block → what its weight is taken times for each query, float32 (B,)."""
        found = self.scaled(features(queries, self.names))
        return {name: factors(found @ np.array(slope)).astype(np.float32) for name, slope in self.slopes.items()}

    def told(self) -> dict[str, Any]:
        """As JSON can hold it."""
        known = {name: [self.means[n], self.deviations[n]] for n, name in enumerate(self.names)}
        return {"features": known, "slopes": {name: list(slope) for name, slope in self.slopes.items()}}

    @classmethod
    def of(cls, value: Mapping[str, Any] | None) -> Gate | None:
        """The gate that ``told`` describes; None where nothing is said."""
        if not value:
            return None
        scales = [tuple(map(float, column)) for column in zip(*value["features"].values(), strict=True)]
        slopes = {name: tuple(map(float, slope)) for name, slope in value["slopes"].items()}
        return cls(tuple(value["features"]), scales[0], scales[1], slopes)


def factors(exponents: Doubles) -> Doubles:
    """exp, of no more than ``MOST`` either way."""
    return np.asarray(np.exp(np.clip(exponents, -MOST, MOST)), np.float64)
