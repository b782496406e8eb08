"""Baselines: popularity, item nearest neighbours, EASE; fitted and tuned through one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.blocks.popularity import decayed_counts
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.evaluate.ranking import Scorer
from graphrec.evaluate.validation import Validation
from graphrec.graph.item_item import cooccurrence, ease, largest
from graphrec.types import Floats, Ints


class Baseline(ABC):
    """A model with a small grid of hyper-parameters."""

    name: ClassVar[str]
    max_items: ClassVar[float] = np.inf

    @abstractmethod
    def grid(self, train: Dataset) -> Sequence[dict[str, float]]:
        """The hyper-parameters worth trying on this data; the first wins a tie."""

    @abstractmethod
    def fit(self, train: Dataset, *args: Any, **params: Any) -> Scorer:
        """Learn from ``train`` alone. Raises ConfigError where ``check`` does."""

    def check(self, data: Dataset) -> None:
        """Raise ConfigError where the catalogue is too large for this model."""
        if data.n_items > self.max_items:
            raise ConfigError(
                f"{self.name}: the catalogue has {data.n_items:,} items, its dense item-item matrices would take"
                f" {8 * data.n_items**2 / 1e9:.1f} GB and the limit is {self.max_items:,} items;"
                f" leave {self.name} out of the models, or shrink the catalogue with --set split.k_core="
            )

    def tune(self, train: Dataset, validation: Validation) -> dict[str, float]:
        """The grid point with the highest NDCG@k on the validation users."""
        grid = self.grid(train)
        if len(grid) == 1:
            return grid[0]
        # No leakage. Only the training part is learned from, never the answers that choose.
        found = [validation.ndcg_of(with_popularity_fallback(self.fit(train, **p), train).scores) for p in grid]
        return grid[int(np.argmax(found))]


@dataclass(frozen=True)
class ConstantScorer:
    """The same item scores (I,) for everybody."""

    items: Floats

    def scores(self, user_nums: Ints) -> Floats:
        return np.broadcast_to(self.items, (len(user_nums), len(self.items)))


@dataclass(frozen=True)
class LinearScorer:
    """Scores are history @ weights: CSR (U, I) by (I, I), sparse or dense float32."""

    history: sp.csr_matrix
    weights: sp.csr_matrix | Floats

    def scores(self, user_nums: Ints) -> Floats:
        out = self.history[user_nums] @ self.weights  # (B, I)
        return np.asarray(out.toarray() if sp.issparse(out) else out, dtype=np.float32)


@dataclass(frozen=True)
class _WithFallback:
    scorer: Scorer
    items: Floats
    cold: npt.NDArray[np.bool_]  # (U,) users without a history

    def scores(self, user_nums: Ints) -> Floats:
        out, cold = self.scorer.scores(user_nums), self.cold[user_nums]
        return np.where(cold[:, None], self.items, out) if cold.any() else out


def with_popularity_fallback(scorer: Scorer, train: Dataset, half_life: float = 0.0) -> Scorer:
    """The scorer, except that users without any interaction in ``train`` get the items by their popularity there.

    ``half_life`` (days) is that of the popularity baseline; 0 does not decay.
    """
    cold = np.bincount(train.interactions.user_nums, minlength=train.n_users) == 0
    return _WithFallback(scorer, decayed_counts(train, half_life), cold)


class Popularity(Baseline):
    """The most taken items, with or without decay in time."""

    name = "popularity"

    def grid(self, train: Dataset) -> list[dict[str, float]]:
        return [{"half_life": days} for days in ((0.0, 90.0, 365.0, 1095.0) if train.has_times else (0.0,))]

    def fit(self, train: Dataset, half_life: float = 0.0) -> Scorer:
        return ConstantScorer(decayed_counts(train, half_life))


class ItemKNN(Baseline):
    """Item-item cosine with shrinkage, the nearest neighbours of each item only (Sarwar et al., WWW 2001).

    s_ij = c_ij / (√(n_i n_j) + shrink), c the co-occurrence counts; score(u, j) = Σ_{i ∈ H_u ∩ N(j)} s_ij.
    """

    name = "itemknn"

    def grid(self, train: Dataset) -> list[dict[str, float]]:
        return [{"neighbours": n, "shrink": h} for h, n in product((0.0, 10.0, 100.0), (20, 100, 400))]

    def fit(self, train: Dataset, neighbours: int = 100, shrink: float = 0.0) -> Scorer:
        history = train.matrix()
        norms = np.sqrt(np.asarray(history.sum(axis=0)).ravel())  # (I,)
        near: list[sp.csr_matrix] = []
        for start, counts in cooccurrence(history):
            pairs = counts.tocoo()
            rows, columns = pairs.row, pairs.col
            values = pairs.data / (norms[start + rows] * norms[columns] + shrink)
            values[columns == start + rows] = 0
            similar: sp.csr_matrix = sp.csr_matrix((values, (rows, columns)), counts.shape)
            similar.eliminate_zeros()
            near.append(largest(similar, neighbours))
        return LinearScorer(history, sp.csr_matrix(sp.vstack(near).T))


class EASE(Baseline):
    """Closed-form linear autoencoder (Steck, WWW 2019): B = I - P · diag(P)^-1 with P = (XᵀX + λI)^-1, diag(B) = 0."""

    name = "ease"
    max_items = 30_000  # two float32 (I, I) matrices: 7.2 GB

    def grid(self, train: Dataset) -> list[dict[str, float]]:
        return [{"regularisation": x} for x in (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)]

    def fit(self, train: Dataset, regularisation: float = 100.0) -> Scorer:
        self.check(train)
        history = train.matrix()
        return LinearScorer(history, ease(history, regularisation))


BASELINES: dict[str, Baseline] = {model.name: model for model in (Popularity(), ItemKNN(), EASE())}
