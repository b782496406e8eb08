"""What every block is given and gives back, and how its scores are brought to a common scale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Protocol, TypeAlias

import numpy as np
from torch_geometric.data import HeteroData

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.profile.profiles import FLAT, AnyBlock, ProfileBlock, empty_block
from graphrec.types import Floats, Ints

READING_ERROR = 0.3  # how far two readings differ on one user by chance, as a part of the mean NDCG
FEW = 300  # validation users, up to which no more is asked for: chance is then larger than any difference that matters


def margin(users: int) -> float:
    """How many times as good another reading of the strengths must be on so many validation users."""
    return 1 + READING_ERROR / float(max(users, FEW) ** 0.5)


Chosen: TypeAlias = dict[str, Any]  # the hyper-parameters that validation picked, JSON-ready


def reading_of(chosen: Chosen) -> str:
    """How the strengths of events are read, of ``data.events.READINGS``."""
    return str(chosen.get("reading", "alike"))


@dataclass(frozen=True)
class FitInputs:
    """All that a block may learn from. ``train`` and ``graph`` hold training data only."""

    train: Dataset
    graph: HeteroData
    config: Config
    progress: bool = False


class Validation(Protocol):
    """Held-out users that hyper-parameters are chosen on. Never test users."""

    user_nums: Ints  # (B,)

    def ndcg(self, users: Floats, items: Floats) -> float:
        """NDCG@k of the rankings users @ items.T; users float32 (B, d) for exactly ``user_nums``, items (I, d)."""
        ...

    def ndcg_of(self, scores: Callable[[Ints], Floats]) -> float:
        """NDCG@k of any scorer from user numbers int64 (n,) to float32 (n, I)."""
        ...

    def best(self, scores: Callable[[Ints], Floats], n: int) -> Ints:
        """The n best unseen items of each user by such a scorer, int64 (B, min(n, I)), padded with -1."""
        ...

    def per_user_ndcg_among(self, items: Ints, scores: Floats) -> Floats:
        """NDCG@k of each user, float32 (B,), where only ``items`` (B, C) are ranked, by ``scores`` (B, C)."""
        ...


class Block(Protocol):
    """One way to learn profiles."""

    name: str

    def tune(self, inputs: FitInputs, validation: Validation) -> tuple[AnyBlock, Chosen]:
        """Choose hyper-parameters on validation users; the block fitted with them comes back too."""
        ...

    def fit(self, inputs: FitInputs, chosen: Chosen) -> AnyBlock:
        """Fit with hyper-parameters that are settled."""
        ...


def scaled_block(block: ProfileBlock) -> ProfileBlock:
    """The block with users whose scores have unit deviation over the catalogue; ``scale`` (U,) takes the factors up.

    Blocks then speak the same units, whatever they were made by, and one weight per block is enough. A zero user keeps
    scale 0. Var_i⟨u, i⟩ = uᵀ C u with C the covariance of the item side, so no score is ever computed.
    """
    covariance = block.item_covariance.astype(np.float32)  # (d, d)
    variance = np.einsum("ud,ud->u", block.users @ covariance, block.users, dtype=np.float64)
    deviation = np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)
    scale = np.zeros_like(deviation)
    np.divide(1.0, deviation, out=scale, where=deviation > FLAT)
    remembered = None if block.scale is None else block.scale * scale
    return replace(block, users=block.users * scale[:, None], scale=remembered)


def left_out(name: str, train: Dataset, limit: int) -> tuple[ProfileBlock, Chosen]:
    """What a block comes back as that does not learn from so large a catalogue."""
    return empty_block(name, train.n_users, train.n_items), {"left_out": f"{train.n_items} items, the limit is {limit}"}


def beside(rows: Floats, column: Floats) -> Floats:
    """One more dimension, the last: (n, d) and (n,) → (n, d + 1)."""
    return np.hstack([rows, column[:, None]])


def choose(
    grid: Mapping[str, Iterable[Any]],
    score: Callable[[Chosen], float],
    start: Chosen,
    order: Iterable[tuple[str, ...]],
    users: int = 0,
) -> Chosen:
    """Coordinate search: for each group of names in ``order``, the best combination of their values is kept.

    Scores are remembered, so a repeated group costs only what is new. Ties keep the earlier value. The ``reading`` of
    the strengths is left only for one that is better by a standard error, as it is usual for the number of validation
    ``users`` (the one-standard-error rule: Breiman et al., CART, 1984).
    """
    known: dict[tuple[tuple[str, Any], ...], float] = {}

    def scored(candidate: Chosen) -> float:
        key = tuple(sorted(candidate.items()))
        if key not in known:
            known[key] = score(candidate)
        return known[key]

    best = dict(start)
    for names in order:
        for values in product(*(grid[name] for name in names)):
            candidate = {**best, **dict(zip(names, values, strict=True))}
            least = margin(users) if names == ("reading",) else 1.0
            if scored(candidate) > least * scored(best):
                best = candidate
    return best
