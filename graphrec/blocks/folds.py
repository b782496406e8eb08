"""What is chosen on: training parts, each with the held-out users that go with it, and how good a choice is on all.

Held-out rows are carved out in several ways, and small data in several folds (``data.carve``). A choice that is good on
one kind of carve alone holds there alone, so it is judged by all of them: the value of per-user NDCG is

    exp Σ_c s_c log (mean NDCG of the users carved in way c)         s_c: the share of these users in all

A gain of one per cent counts the same for as many users wherever it is made, however hard a carve is. How sure a
difference is follows from the users and, since there could have been other ways, from how far the ways differ: see
``Folds.doubt``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.types import Floats, Ints

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

    from graphrec.data.dataset import Dataset
    from graphrec.profile.api import FittedBlock

FEW = 30  # users of one way of carving, below which it is no judge of its own
FLOOR = 1e-9  # of a mean NDCG, which may be 0


@dataclass(frozen=True)
class FitInputs:
    """All that a block may learn from. ``ties`` and ``graph`` hold training data only.

    There is no graph where a block that ``refits`` is fitted in an update. ``before``: the same block of an earlier
    model, whose users and items come first, for whatever starts from there.
    """

    ties: Ties
    graph: HeteroData | None
    runtime: Runtime = field(default_factory=Runtime)
    before: FittedBlock | None = None

    @property
    def train(self) -> Dataset:
        """The training data."""
        return self.ties.data


class Among(Protocol):
    """Validation users for whom nothing but a short list of items is ranked."""

    @property
    def users(self) -> Ints:
        """int64 (A,), the places of those among all B who can find something in their list."""
        ...

    @property
    def items(self) -> Ints:
        """Their lists, int64 (A, C), ascending; -1 stands for none."""
        ...

    @property
    def of(self) -> int:
        """B."""
        ...

    @property
    def none(self) -> npt.NDArray[np.bool_]:
        """Where there is no item, bool (A, C)."""
        ...

    @property
    def relevant(self) -> npt.NDArray[np.bool_]:
        """What they are to find, bool (A, C)."""
        ...

    def per_user_ndcg(self, scores: Floats) -> Floats:
        """NDCG@k of each of the B users, float32 (B,), from float32 (A, C), which is overwritten."""
        ...


class Validation(Protocol):
    """Held-out users that hyper-parameters are chosen on. Never test users."""

    queries: Queries  # B of them
    truth: sp.csr_matrix  # (B, I), what they are to find
    ways: Ints  # int64 (B,): how the rows of each were carved out

    def few(self, n: int) -> Validation:
        """The same with at most n of the users."""
        ...

    def ndcg(self, users: Floats, items: Floats) -> float:
        """``worth`` of ``per_user_ndcg``."""
        ...

    def per_user_ndcg(self, users: Floats, items: Floats) -> Floats:
        """NDCG@k of each user, float32 (B,), of the rankings users @ items.T; users float32 (B, d) for exactly
        ``queries``, items (I, d)."""
        ...

    def per_user_ndcg_of(self, scores: Callable[[Queries], Floats]) -> Floats:
        """NDCG@k of each user, float32 (B,), by any scorer from queries (n) to float32 (n, I)."""
        ...

    def best(self, scores: Callable[[Queries], Floats], n: int) -> Ints:
        """The n best unseen items of each user by such a scorer, int64 (B, min(n, I)), padded with -1."""
        ...

    def among(self, items: Ints) -> Among:
        """The users with short lists of items int64 (B, C), ascending in each row; -1 stands for none."""
        ...


def members(ways: Ints) -> list[Ints]:
    """The users of each way of carving, from the way of each, int64 (N,); ways of too few users are one."""
    counts = np.bincount(ways, minlength=1)
    if not (counts >= FEW).any():
        return [np.arange(len(ways))] if len(ways) else []
    merged = np.where((counts < FEW)[ways], len(counts), ways)
    return [np.flatnonzero(merged == way) for way in np.unique(merged)]


def worth(ndcg: Floats, of: list[Ints]) -> float:
    """How good a choice is, from NDCG@k of each user, float32 (N,), and the users of each way. 0.0 of nobody."""
    means = [float(ndcg[way].mean(dtype=np.float64)) for way in of]
    if len(means) == 1:
        return means[0]
    shares = [len(way) for way in of]
    return float(np.exp(np.average(np.log(np.maximum(means, FLOOR)), weights=shares))) if any(means) else 0.0


@dataclass(frozen=True)
class Fold:
    """A training part, and the users held out of it."""

    inputs: FitInputs
    validation: Validation


class Folds(tuple[Fold, ...]):
    """All that one choice is made on."""

    @staticmethod
    def of(inputs: FitInputs, validation: Validation) -> Folds:
        """A single fold."""
        return Folds([Fold(inputs, validation)])

    @property
    def inputs(self) -> FitInputs:
        """Of the first fold, which says what there is to choose."""
        return self[0].inputs

    @cached_property
    def found(self) -> dict[str, bool]:
        """What one block has found out of these users, by its name, for others that ask the same."""
        return {}

    @cached_property
    def users(self) -> int:
        """How many held-out users there are in all folds, N."""
        return sum(len(fold.validation.queries) for fold in self)

    @cached_property
    def members(self) -> list[Ints]:
        """Of each way of carving its users, of the N of all folds."""
        return members(np.concatenate([np.zeros(0, np.int64), *(fold.validation.ways for fold in self)]))

    def per_user(self, found: Callable[[Fold], Floats]) -> Floats:
        """Something of the users of every fold, fold after fold, float32 (N,)."""
        return np.concatenate([np.zeros(0, np.float32), *(found(fold) for fold in self)])

    def value(self, found: Callable[[Fold], Floats]) -> float:
        """How good a choice is, from its NDCG on the users of each fold, float32 (B,). 0.0 where there is nobody."""
        return worth(self.per_user(found), self.members)

    def prefers(self, first: Floats, second: Floats) -> bool:
        """Whether the first, NDCG of the same users as the second, float32 (N,) each, is better by a standard error."""
        ahead, behind = (max(worth(found, self.members), FLOOR) for found in (first, second))
        return bool(np.log(ahead / behind) > self.doubt(first, second))

    def doubt(self, first: Floats, second: Floats) -> float:
        """Standard error of log value(first) − log value(second), from NDCG of the same users, float32 (N,) each.

        Each way c says d_c = (mean first − mean second) / mean, with the error of its users. The ways are a sample too:
        the error of Σ s_c d_c is that of the users, or that of the ways among each other where it is more.
        """
        told, errors, shares = [], [], []
        for way in self.members:
            difference = (first[way] - second[way]).astype(np.float64)
            scale = max(float(first[way].mean() + second[way].mean()) / 2, FLOOR)
            told.append(difference.mean() / scale)
            errors.append(difference.std() / scale / len(difference) ** 0.5)
            shares.append(len(way) / self.users)
        if not told:
            return 0.0
        part = np.square(shares)
        among = np.sum(part * np.square(told - np.dot(shares, told))) * len(told) / max(len(told) - 1, 1)
        return float(np.sqrt(max(among, np.sum(part * np.square(errors)))))
