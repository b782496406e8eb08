"""The validation users on which everything is chosen: hyper-parameters, early stopping, blend weights."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.blocks.folds import members, worth
from graphrec.config import Config
from graphrec.data.carve import Carve
from graphrec.data.dataset import Dataset
from graphrec.errors import DataError
from graphrec.evaluate import metrics
from graphrec.evaluate.best import top_k
from graphrec.evaluate.ranking import BLOCK, Task, hits_of, ranked
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.stages import JUDGING
from graphrec.types import Floats, Ints

MIN_USERS = 50  # below this many users with a history, users without one count too
ITEMS = 20_000  # above so many, fewer users are drawn, down to ``LEAST``: what is ranked takes time and memory
LEAST = 500


def asked(config: Config, n_items: int) -> int:
    """How many users at most judge what a block tries, over so many items."""
    users = config.blend.users
    return int(np.clip(users * ITEMS // max(n_items, 1), min(LEAST, users), users))


@dataclass(frozen=True)
class Among:
    """Validation users for whom nothing but a short list of items is ranked.

    Attributes:
        users: int64 (A,), the places of those among all B whose list holds a relevant item; all others have 0.
        items: int64 (A, C), ascending in each row, -1 for none; relevant: bool (A, C). n_relevant: int64 (A,), of each
        user, listed or not. none: bool (A, C), where there is no item. of: B. k: cut-off.
    """

    users: Ints
    items: Ints
    relevant: metrics.Hits
    n_relevant: Ints
    none: npt.NDArray[np.bool_]
    of: int
    k: int

    def per_user_ndcg(self, scores: Floats) -> Floats:
        """NDCG@k of each of the B users, float32 (B,), from float32 (A, C), overwritten where there is no item."""
        scores[self.none] = -np.inf
        places = top_k(scores, self.k)  # (A, k)
        hits = np.take_along_axis(self.relevant, places, axis=1) & (places >= 0)
        out = np.zeros(self.of, np.float32)
        out[self.users] = metrics.ndcg(hits, self.n_relevant, self.k)
        return out


class Validation:
    """A seeded sample of users, and NDCG@k on them over the full catalogue.

    Made from the training and validation parts alone: it never sees a test part.

    Args:
        train: gives each user's history, which is left out of the ranking, unless the task has it otherwise.
        valid: gives the relevant items; what a user already has in ``train`` does not count.
        k: cut-off. users: at most this many are drawn. seed: of the draw. task: what is relevant, and what is ranked.
        ways: how the rows of each user were carved out, int64 (U,); by default all alike.

    Attributes:
        queries: of B ≤ users, ascending. ways: int64 (B,), of each. seen, truth: CSR int8 (B, I), row b is queries[b].

    B is 0 where no user qualifies; every NDCG is then 0.0, so that the first of several candidates is kept.
    """

    def __init__(
        self,
        train: Dataset | Ties,
        valid: Dataset,
        k: int = 20,
        users: int = 3000,
        seed: int = 42,
        task: Task | None = None,
        ways: Ints | None = None,
    ) -> None:
        task = task or Task()
        self.k, self.only = k, task.only
        # No leakage. Queries hold what is known of the training part, and nothing of what they are to find.
        ties = train if isinstance(train, Ties) else Ties(train)
        known = ties.matrix
        seen = task.known(ties.known)
        truth = task.new(task.truth(valid), seen)
        wanted = np.diff(truth.indptr) > 0  # (U,)
        eligible = np.flatnonzero(wanted & (np.diff(known.indptr) > 0))
        if len(eligible) < MIN_USERS:
            eligible = np.flatnonzero(wanted)
        drawn = np.random.default_rng(seed).choice(eligible, min(users, len(eligible)), replace=False)
        user_nums = np.sort(drawn).astype(np.int64)
        self.ways: Ints = np.zeros(len(user_nums), np.int64) if ways is None else ways[user_nums]
        self._members = members(self.ways)
        self.queries = Queries.before(ties, valid, user_nums)
        self.seen: sp.csr_matrix = seen[user_nums]
        self.truth: sp.csr_matrix = truth[user_nums]

    @classmethod
    def of(cls, ties: Ties, carve: Carve, config: Config, times: int = 1) -> Validation:
        """The held-out users of a carve, no more than can be ranked in reasonable time; ``ties`` of its training
        part, as it is read; ``times`` as many users as for one of many rankings."""
        users = times * asked(config, ties.data.n_items)
        return cls(ties, carve.valid, config.blend.k, users, config.seed, Task.of(config), carve.ways)

    def __len__(self) -> int:
        return len(self.queries)

    def few(self, n: int) -> Validation:
        """The same with at most n of the users, spread evenly among them."""
        if n >= len(self):
            return self
        rows, out = np.linspace(0, len(self) - 1, n).astype(np.int64), copy.copy(self)
        out.queries, out.ways = self.queries[rows], self.ways[rows]
        out.seen, out.truth, out._members = self.seen[rows], self.truth[rows], members(self.ways[rows])
        return out

    def ndcg(self, users: Floats, items: Floats) -> float:
        """NDCG@k of inner products, over all ways of carving (``blocks.folds.worth``): users float32 (B, d) of exactly
        ``queries``, items float32 (I, d)."""
        return worth(self.per_user_ndcg(users, items), self._members)

    def ndcg_of(self, scores: Callable[[Queries], Floats]) -> float:
        """The same of any scorer: ``scores`` maps queries (n) to float32 (n, I)."""
        return worth(self.per_user_ndcg_of(scores), self._members)

    def per_user_ndcg(self, users: Floats, items: Floats) -> Floats:
        """NDCG@k of each user, float32 (B,), from embeddings as in ``ndcg``. Raises DataError for another B."""
        if len(users) != len(self):
            raise DataError(f"{len(users)} user rows for {len(self)} validation users; give the rows of its queries")
        return self._per_user(lambda rows: users[rows] @ items.T)

    def per_user_ndcg_of(self, scores: Callable[[Queries], Floats]) -> Floats:
        """NDCG@k of each user, float32 (B,), from scores as in ``ndcg_of``."""
        return self._per_user(lambda rows: scores(self.queries[rows]))

    @JUDGING
    def best(self, scores: Callable[[Queries], Floats], n: int) -> Ints:
        """The n best unseen items of each user by scores as in ``ndcg_of``, int64 (B, min(n, I)), padded with -1."""
        found = [
            items
            for _, _, items in ranked(
                lambda rows: scores(self.queries[rows]), len(self), self.seen, n, BLOCK, self.only
            )
        ]
        return np.concatenate([np.zeros((0, min(n, self.seen.shape[1])), np.int64), *found])

    def among(self, items: Ints) -> Among:
        """Short lists, from ``items`` int64 (B, C), ascending in each row; -1 stands for none."""
        relevant = hits_of(items, self.truth)  # (B, C)
        users = np.flatnonzero(relevant.any(axis=1))
        width = int((items[users] >= 0).sum(axis=1).max(initial=1))
        listed = items[users, :width]
        n_relevant = np.diff(self.truth.indptr)[users]
        return Among(users, listed, relevant[users, :width], n_relevant, listed < 0, len(self), self.k)

    @JUDGING
    def _per_user(self, scores: Callable[[Ints], Floats]) -> Floats:
        wanted = np.diff(self.truth.indptr)  # (B,)
        out = np.zeros(len(self), np.float32)
        for rows, _, items in ranked(scores, len(self), self.seen, self.k, BLOCK, self.only):
            out[rows] = metrics.ndcg(hits_of(items, self.truth[rows]), wanted[rows], self.k)
        return out
