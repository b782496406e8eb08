"""Profiles cleared of what tells an attribute of people, such as their gender: least-squares concept erasure, LEACE.

    x' = x − (x − μ) W Q Qᵀ W⁺      W = Σ_xx^{-1/2},  Q an orthonormal basis of the columns of W Σ_xz

(Belrose et al., NeurIPS 2023, theorem 4.3; rows are people). Among all affine maps after which nothing linear tells the
attribute z of the people it was learned from, Cov(x', z) = 0, it moves profiles least. Σ_xx is estimated from few
people for many dimensions, so it is shrunk towards a multiple of one, and only its ``RANK`` largest directions are told
apart: Cov(x', z) = 0 holds for any W.

The map is learned, and applied, for each block apart, as it is before its weight: of a dense block on its rows, of a
sparse one on the scores that it adds. So each block alone is cleared, and with them their sum under any weights. What
it takes from a score is a part of it: ``CLEARED`` in explanations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.profile.api import Doubles, FittedBlock
from graphrec.types import Floats, Ints, frozen

CLEARED = "cleared"  # the part of a score that clearing took away or gave
RANK = 256  # directions whose variance is told apart
SHRUNK = 0.1  # of the variance, that counts as if it were the same in all directions
TINY = 1e-6  # of the largest singular value, below which a direction says nothing


@dataclass(frozen=True)
class Eraser:
    """x' = x − (x read − offset) writeᵀ. Shapes: read, write float32 (d, r); offset float32 (r,), of the mean.

    Of rows with more than d columns, as where items came since, the further ones stay.
    """

    read: Floats
    write: Floats
    offset: Floats

    def __post_init__(self) -> None:
        for name in ("read", "write", "offset"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))

    def told(self, rows: Floats) -> Floats:
        """What rows (n, d) tell of the attribute, float32 (n, r)."""
        out: Floats = rows[:, : len(self.read)] @ self.read - self.offset
        return out

    def __call__(self, rows: Floats) -> Floats:
        """The rows cleared, float32 (n, d)."""
        out = rows.copy()
        out[:, : len(self.write)] -= self.told(rows) @ self.write.T
        return out


@dataclass(frozen=True)
class Clearing:
    """What is taken out of the parts of people in each block, and the ``names`` of the attributes that are cleared."""

    names: tuple[str, ...]
    erasers: Mapping[str, Eraser] = field(default_factory=dict)

    def __call__(self, block: FittedBlock, part: Floats) -> Floats:
        """The part of each person in a block, rows (B, d) of a dense one or scores (B, I), cleared; a row in which
        nothing is their own stays as it is."""
        if block.name not in self.erasers or not len(part):
            return part
        own = part[:, : part.shape[1] - block.prior].any(axis=1, keepdims=True)
        return np.where(own, self.erasers[block.name](part), part)

    def taken(self, block: FittedBlock, part: Floats, item_nums: Ints) -> Doubles:
        """What clearing adds to the unweighted scores of items for one person, whose part (1, d) or (1, I) it is,
        float64 (n,)."""
        if block.name not in self.erasers:
            return np.zeros(len(item_nums))
        away = self(block, part)[0].astype(np.float64) - part[0]  # (d,) or (I,)
        return np.asarray(away[item_nums] if block.sparse else block.items[item_nums].astype(np.float64) @ away)

    def arrays(self) -> dict[str, Floats]:
        """What it is made of, by name, for ``of``."""
        return {
            f"{block}.{part}": getattr(eraser, part)
            for block, eraser in self.erasers.items()
            for part in ("read", "write", "offset")
        }

    @classmethod
    def of(cls, names: Sequence[str], arrays: Mapping[str, Floats]) -> Clearing | None:
        """The clearing that ``arrays`` describes; None where nothing is cleared."""
        if not names:
            return None
        parts: dict[str, dict[str, Any]] = {}
        for key, value in arrays.items():
            block, _, part = key.rpartition(".")
            parts.setdefault(block, {})[part] = value
        return cls(tuple(names), {block: Eraser(**found) for block, found in parts.items()})


def one_hot(labels: npt.NDArray[np.int64]) -> Doubles:
    """Labels int64 (n,), from 0, as columns float64 (n, K)."""
    return np.eye(int(labels.max(initial=0)) + 1)[labels]


def erase(rows: Floats, concept: Doubles, rank: int = RANK, shrunk: float = SHRUNK) -> Eraser | None:
    """The map after which nothing linear in rows (n, d) tells a concept float64 (n, K); None where nothing does.

    Args:
        rank: directions of Σ_xx that are told apart. shrunk: the part of its trace that is dealt out evenly, 0 to 1;
            with 1 the map is the orthogonal projection off the differences of the means.
    """
    from sklearn.utils.extmath import randomized_svd

    n, d = rows.shape
    mean = rows.mean(axis=0, dtype=np.float64)
    x = np.asarray(rows - mean, np.float32)  # (n, d)
    z = concept - concept.mean(axis=0)
    across = x.T.astype(np.float64) @ z / max(n, 1)  # (d, K), Σ_xz
    total = float(np.square(x, dtype=np.float64).sum()) / max(n, 1)  # trace of Σ_xx
    if not np.abs(across).max(initial=0.0) > TINY * np.sqrt(total):
        return None
    if d <= rank:
        values, axes = np.linalg.eigh(x.T.astype(np.float64) @ x / n)
        values, axes = np.maximum(values, 0.0), axes.T
    else:
        _, singular, axes = randomized_svd(x, min(rank, n, d), n_iter=2, random_state=0)
        values = np.square(singular, dtype=np.float64) / n
    even = total / d
    inside = np.sqrt((1 - shrunk) * values + shrunk * even)  # (R,) deviations along the axes
    spare = max(total - float(values.sum()), 0.0) / max(d - len(values), 1)
    outside = np.sqrt((1 - shrunk) * spare + shrunk * even)
    inside, outside = np.maximum(inside, TINY * inside.max()), max(outside, TINY * inside.max())

    def scaled(of: Doubles, power: int) -> Doubles:
        """Σ_xx^{power/2} of columns (d, K)."""
        along = axes @ of  # (R, K)
        rest = of - axes.T @ along if d > len(axes) else 0.0
        return np.asarray(axes.T @ (along * inside[:, None] ** power) + rest * outside**power, np.float64)

    left, size, _ = np.linalg.svd(scaled(across, -1), full_matrices=False)
    basis = left[:, size > TINY * size.max()]  # (d, r)
    read, write = scaled(basis, -1), scaled(basis, 1)
    return Eraser(*(np.asarray(found, np.float32) for found in (read, write, mean @ read)))
