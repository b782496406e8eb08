"""Other weights for the blocks at the moment of asking, exactly, over the index as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from graphrec.errors import ConfigError
from graphrec.explain.explainer import Explainer
from graphrec.model.learned import Learned
from graphrec.profile.api import FittedBlock
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries
from graphrec.types import Floats

MOST = 1000.0  # times what a block counts for usually
M = TypeVar("M", bound=Learned)


@dataclass(frozen=True)
class Slid(Profiles):
    """Profiles under other weights than those folded into the items' sides.

    An inner product with the sides as they are, √w folded in, is one under weights w' where each part of the query is
    taken times w'/√w. What has no weight in the index is added as what is sparse is. ``usual``: as they are.
    """

    usual: Profiles | None = None

    @property
    def _as_is(self) -> Profiles:
        assert self.usual is not None
        return self.usual

    @property
    def dense(self) -> tuple[FittedBlock, ...]:
        """The dense blocks whose sides the index holds, whatever they count for now."""
        return self._as_is.dense

    def encode(self, queries: Queries) -> tuple[Floats, Floats | None, npt.NDArray[np.bool_]]:
        """See ``Profiles.encode``; the product with the items' sides is the score under the weights of now."""
        parts, personal = [], np.zeros(len(queries), bool)
        weights, factors = self.weights, self._factors(queries)
        for block in self.dense:
            part = np.asarray(block.encode(queries))
            now = np.float32(weights.get(block.name, block.weight))
            if now:
                personal |= part[:, : part.shape[1] - block.prior].any(axis=1)
            usual = np.float32(block.weight**0.5 if block.weight else np.inf)
            parts.append(self._answering(block, part, factors) * (now / usual))
        held = {block.name for block in self.dense}
        sparse: Floats | None = None
        for block in self.heard:
            if block.name not in held:
                found = self._scored(block, queries, factors) * np.float32(block.weight)
                sparse = found if sparse is None else sparse + found
                personal |= found.any(axis=1)
        return np.hstack(parts), sparse, personal

    def _scored(self, block: FittedBlock, queries: Queries, factors: Mapping[str, Floats]) -> Floats:
        """Scores (B, I) of a block that the index does not hold; a dense one is cleared on its rows."""
        if block.sparse:
            return self._answering(block, block.scores(queries), factors)
        found: Floats = self._answering(block, np.asarray(block.encode(queries)), factors) @ block.items.T
        return found


def slid(model: M, weights: Mapping[str, float]) -> M:
    """The model with other weights for some of its blocks; what it knows, and its index, are shared.

    Raises ConfigError for a block that there is not, a weight below 0 or far above its own, and for no weight at all.
    """
    own = model.profiles.weights
    most = MOST * max(1.0, *own.values())
    for name, weight in weights.items():
        if name not in own:
            raise ConfigError(f"weights: there is no block {name!r}; there are {', '.join(own)}")
        if not 0 <= weight <= most:
            raise ConfigError(f"weights: {name} = {weight:g}; a weight is a number from 0 to {most:g}")
    now = own | {name: float(weight) for name, weight in weights.items()}
    if not any(weight for name, weight in now.items() if not model.profiles[name].empty):
        raise ConfigError("weights: no block counts for anything; leave one above 0")
    whole = model.profiles
    profiles = Slid(whole.reweighted(now).blocks, whole.gate, whole.clearing, whole)
    out = replace(model, profiles=profiles)
    shared = ("ties", "lexicon", "labels", "spoken", "names", "attributes", "likeness", "described", "item_ids")
    for name in (*shared, "popular"):
        out.__dict__[name] = getattr(model, name)
    explainer = Explainer(profiles, model.ties, model.graph)
    for name in ("links", "lifts"):
        explainer.__dict__[name] = getattr(model.explainer, name)
    explainer.finder = model.explainer.finder
    out.__dict__["explainer"] = explainer
    return out


def unmoved(model: Learned, weights: Mapping[str, float]) -> tuple[str, ...]:
    """Which of these weights change nothing, a line each: those of blocks that say nothing in this model."""
    silent = {block.name for block in model.profiles.blocks if block.empty}
    return tuple(
        model.reason("weights", "{block} sits out in this model, so its weight changes nothing", block=name)
        for name, weight in weights.items()
        if weight and name in silent
    )
