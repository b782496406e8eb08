"""Baselines in closed form, fitted and tuned through one interface; those that are trained are in ``trained``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import optuna
import scipy.sparse as sp
from rich.console import Console
from rich.progress import Progress

from graphrec.blocks.popularity import decayed_counts
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.evaluate.ranking import Scorer
from graphrec.evaluate.validation import Validation
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.item_item import CHUNK, cooccurrence, ease, slim, strongest
from graphrec.types import Floats, Ints

HISTORY = "history"


class Baseline(ABC):
    """A model with a space of hyper-parameters, searched by Optuna with as many trials as every other baseline."""

    name: ClassVar[str]
    max_items: ClassVar[float] = np.inf

    @abstractmethod
    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        """The values worth trying of each hyper-parameter on this data."""

    @abstractmethod
    def fit(self, train: Dataset, *args: Any, **params: Any) -> Scorer:
        """Learn from ``train`` alone. Raises ConfigError where ``check`` does."""

    def learn(self, train: Dataset, chosen: Mapping[str, Any]) -> Scorer:
        """``fit`` with what ``tune`` chose: from what is liked, or from all that was taken."""
        params = {name: value for name, value in chosen.items() if name != HISTORY}
        return self.fit(train.alike() if chosen.get(HISTORY) == "all" else train, **params)

    def check(self, data: Dataset) -> None:
        """Raise ConfigError where the catalogue is too large for this model."""
        if data.n_items > self.max_items:
            raise ConfigError(
                f"{self.name}: the catalogue has {data.n_items:,} items, its dense item-item matrices would take"
                f" {8 * data.n_items**2 / 1e9:.1f} GB and the limit is {self.max_items:,} items;"
                f" leave {self.name} out of the models, or shrink the catalogue with --set split.k_core="
            )

    def tune(
        self, train: Dataset, validation: Validation, trials: int = 20, seed: int = 42, progress: bool = False
    ) -> dict[str, Any]:
        """The hyper-parameters with the highest NDCG@k on the validation users, the first of equals. Where the data
        holds dislikes, ``history`` is one of them: whether the model learns from what is ``liked`` or from ``all``.

        Every point of the space where it has no more than ``trials``, else ``trials`` points by TPE (Bergstra et al.,
        NeurIPS 2011).
        """
        space: dict[str, list[Any]] = {name: list(values) for name, values in self.space(train).items()}
        if "liked" in train.events.readings:
            space[HISTORY] = ["liked", "all"]
        size = int(np.prod([len(values) for values in space.values()]))
        if size == 1:
            return {name: values[0] for name, values in space.items()}

        def objective(trial: optuna.Trial) -> float:
            params = {name: trial.suggest_categorical(name, values) for name, values in space.items()}
            known = [t.value for t in trial.study.trials if t.params == params and t.value is not None]
            if known:
                return known[0]
            # No leakage. Only the training part is learned from, never the answers that choose.
            scorer = self.learn(train, params)
            return validation.ndcg_of(with_popularity_fallback(scorer, train).scores)

        sampler: optuna.samplers.BaseSampler = optuna.samplers.TPESampler(seed=seed)
        if size <= trials:
            sampler = optuna.samplers.GridSampler(space, seed=seed)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        with Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar:
            task = bar.add_task(self.name, total=min(trials, size))
            study.optimize(objective, n_trials=trials, callbacks=[lambda *_: bar.advance(task)])
        return dict(study.best_params)


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


KNN = {"neighbours": (10, 20, 50, 100, 200, 400, 800), "shrink": (0.0, 1.0, 10.0, 100.0, 1000.0)}


class Popularity(Baseline):
    """The most taken items, with or without decay in time."""

    name = "popularity"

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return {"half_life": (0.0, 90.0, 365.0, 1095.0) if train.has_times else (0.0,)}

    def fit(self, train: Dataset, half_life: float = 0.0) -> Scorer:
        return ConstantScorer(decayed_counts(train, half_life))


class ItemKNN(Baseline):
    """Item-item cosine with shrinkage, the nearest neighbours of each item only (Sarwar et al., WWW 2001).

    s_ij = c_ij / (√(n_i n_j) + shrink), c the co-occurrence counts; score(u, j) = Σ_{i ∈ H_u ∩ N(j)} s_ij.
    """

    name = "itemknn"

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return KNN

    def fit(self, train: Dataset, neighbours: int = 100, shrink: float = 0.0) -> Scorer:
        history = train.matrix()
        return LinearScorer(history, sp.csr_matrix(_cosine_neighbours(history, neighbours, shrink).T))


class UserKNN(Baseline):
    """User-user cosine with shrinkage, the nearest users only (Resnick et al., CSCW 1994, on cosine)."""

    name = "userknn"

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return KNN

    def fit(self, train: Dataset, neighbours: int = 100, shrink: float = 0.0) -> Scorer:
        history = train.matrix()
        return LinearScorer(_cosine_neighbours(sp.csr_matrix(history.T), neighbours, shrink), history)


class RP3Beta(Baseline):
    """Random walk of three steps, popular ends discounted (Paudel et al., ACM TiiS 2017).

    w_ij = (Σ_u p_iu^α p_uj^α) / n_j^β, p the transition probabilities; the strongest of each i only.
    """

    name = "rp3beta"

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return {"alpha": (0.4, 0.7, 1.0, 1.3), "beta": (0.0, 0.2, 0.4, 0.6, 0.8), "neighbours": (50, 100, 200, 500)}

    def fit(self, train: Dataset, alpha: float = 1.0, beta: float = 0.5, neighbours: int = 200) -> Scorer:
        history = train.matrix()
        walk = degree_normalised(history, rows=1.0, columns=0.0)  # u → i
        back = degree_normalised(sp.csr_matrix(history.T), rows=1.0, columns=0.0)  # i → u
        walk.data, back.data = walk.data**alpha, back.data**alpha
        counts = np.maximum(np.asarray(history.sum(axis=0)).ravel(), 1.0)  # (I,)
        parts = []
        for start in range(0, train.n_items, CHUNK):
            part = sp.csr_matrix(back[start : start + CHUNK] @ walk @ sp.diags(counts**-beta))
            parts.append(strongest(part, start, neighbours))
        return LinearScorer(history, sp.csr_matrix(sp.vstack(parts), dtype=np.float32))


class EASE(Baseline):
    """Closed-form linear autoencoder (Steck, WWW 2019): B = I - P · diag(P)^-1 with P = (XᵀX + λI)^-1, diag(B) = 0."""

    name = "ease"
    max_items = 30_000  # two float32 (I, I) matrices: 7.2 GB

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return {"regularisation": (3, 10, 30, 60, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000)}

    def fit(self, train: Dataset, regularisation: float = 100.0) -> Scorer:
        self.check(train)
        history = train.matrix()
        return LinearScorer(history, ease(history, regularisation))


class SLIM(Baseline):
    """Sparse non-negative item-item regression with an elastic net (Ning and Karypis, ICDM 2011)."""

    name = "slim"
    max_items = 5_000  # a dense Gram matrix, and a regression for each item

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return {"l1": (1e-5, 1e-4, 3e-4, 1e-3, 3e-3), "l2": (1e-4, 1e-3, 1e-2, 1e-1)}

    def fit(self, train: Dataset, l1: float = 1e-3, l2: float = 1e-3) -> Scorer:
        self.check(train)
        history = train.matrix()
        return LinearScorer(history, slim(history, l1, l2))


def _cosine_neighbours(history: sp.csr_matrix, neighbours: int, shrink: float) -> sp.csr_matrix:
    """For each column of X CSR (N, M) its most similar columns by c_ij / (√(n_i n_j) + shrink), CSR float32 (M, M)."""
    norms = np.sqrt(np.asarray(history.sum(axis=0)).ravel())  # (M,)
    near: list[sp.csr_matrix] = []
    for start, counts in cooccurrence(history):
        pairs = counts.tocoo()
        rows, columns = pairs.row, pairs.col
        values = pairs.data / (norms[start + rows] * norms[columns] + shrink)
        near.append(strongest(sp.csr_matrix((values, (rows, columns)), counts.shape), start, neighbours))
    return sp.csr_matrix(sp.vstack(near), dtype=np.float32)


CLOSED_FORM: tuple[Baseline, ...] = (Popularity(), ItemKNN(), UserKNN(), RP3Beta(), EASE(), SLIM())
