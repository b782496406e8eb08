"""Full ranking of the catalogue for many users, in memory that the batch bounds.

Every item competes: no negatives are sampled (Krichene & Rendle, KDD 2020, on why). Items already seen are left out.
A scorer is always asked for blocks of exactly BLOCK users, the last one padded, since a matrix product may round
differently with its shape: so results do not depend on the batch size, to the last bit. Equal scores are ranked by
item number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from rich.console import Console
from rich.progress import track

from graphrec.cluster.engine import LOCAL, Engine
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError, DataError, EmptyDataError
from graphrec.evaluate import metrics
from graphrec.evaluate.best import nan, top_k
from graphrec.query.query import Queries
from graphrec.types import Floats, Ints

BLOCK = 256  # users in each call of a scorer
HELD = 2**25  # scores held at once, 128 MB, but for those of one block


class Scorer(Protocol):
    """Whatever can score the whole catalogue for given users."""

    def scores(self, queries: Queries) -> Floats:
        """Scores float32 (B, I), higher is better; -inf means never. Queries may repeat. Nobody writes to them."""
        ...


@dataclass(frozen=True)
class EmbeddingScorer:
    """Inner products of users float32 (U, D) and items float32 (I, D)."""

    users: Floats
    items: Floats

    def scores(self, queries: Queries) -> Floats:
        """Inner products float32 (B, I). Queries must be of stored users."""
        out: Floats = self.users[queries.user_nums] @ self.items.T  # (B, I)
        return out


@dataclass(frozen=True)
class Task:
    """What is to be found.

    Args:
        relevant: held-out items that count: what is ``liked``, or ``all`` that was taken, dislikes too.
        seen: what a user already knows is left out of the ranking (``exclude``), ranked with the rest (``allow``:
            re-orders count), or ranked alone (``only``).
    """

    relevant: Literal["liked", "all"] = "liked"
    seen: Literal["exclude", "allow", "only"] = "exclude"

    @classmethod
    def of(cls, config: Config) -> Task:
        """The task that a configuration sets."""
        return cls(config.evaluate.relevant, config.seen)

    def truth(self, held_out: Dataset) -> sp.csr_matrix:
        """Relevant items of every user, CSR (U, I)."""
        return held_out.matrix() if self.relevant == "liked" else held_out.seen()

    @property
    def only(self) -> bool:
        """Whether nothing but what is seen is ranked."""
        return self.seen == "only"

    def known(self, seen: sp.csr_matrix) -> sp.csr_matrix:
        """What the ranking leaves out, or holds alone: CSR int8 (n, I) from what each user knows, CSR (n, I)."""
        return pattern(seen) if self.seen != "allow" else pattern(0 * seen)

    def new(self, truth: sp.csr_matrix, known: sp.csr_matrix) -> sp.csr_matrix:
        """Relevant items that the ranking can hold: the pattern of the truth (U, I), less ``known`` or within it."""
        return pattern(truth.multiply(pattern(known))) if self.only else new_items(truth, known)


@dataclass(frozen=True)
class Ranked:
    """Of n users: lists, int32 (n, K), the items shown, best first, -1 where there were none left; relevant, taken,
    CSR int8 (n, I), what was to be found and what each had taken before; ``task``: which of these could be shown."""

    lists: npt.NDArray[np.int32]
    relevant: sp.csr_matrix
    taken: sp.csr_matrix
    task: Task


@dataclass(frozen=True)
class Report:
    """What ``evaluate`` found.

    Shapes: metrics, means over the evaluated users and the list-level measures; per_user, float32 (n,) by name;
    user_nums int64 (n,), ascending. ``ranked``: what each was shown, and from what.
    """

    metrics: dict[str, float]
    per_user: dict[str, Floats]
    user_nums: Ints
    ranked: Ranked | None = None


def ranked(
    scores: Callable[[Ints], Floats],
    n: int,
    seen: sp.csr_matrix,
    k: int,
    batch_size: int = 1024,
    only: bool = False,
) -> Iterator[tuple[slice, Floats, Ints]]:
    """Rank the catalogue for users, a batch at a time.

    Args:
        scores: gives float32 (BLOCK, I) for the places int64 (BLOCK,) of users among ``n``. seen: CSR (n, I).
        batch_size: users held at once, rounded up to whole blocks; fewer where that were more than ``HELD`` scores.
        only: rank the seen items alone.

    Yields ``rows, masked, items``: the batch's places, its scores (B, I) with -inf at seen items, or at
    all others (overwritten by the next batch), and its best k other items (B, min(k, I)), padded with -1.
    Raises DataError where scores are NaN or of another shape than (BLOCK, I).
    """
    size = seen.shape[1]
    rows_held = _held(batch_size, n, size)
    buffer = np.empty((rows_held, size), np.float32)
    for start in range(0, n, rows_held):
        stop = min(start + rows_held, n)
        for first in range(start, stop, BLOCK):
            block = np.arange(first, min(first + BLOCK, n))
            raw = scores(np.pad(block, (0, BLOCK - len(block)), mode="edge"))
            if raw.shape != (BLOCK, size):
                raise DataError(f"a scorer gave shape {raw.shape} for {BLOCK} users and {size} items")
            buffer[first - start : first - start + len(block)] = raw[: len(block)]
        masked, history = buffer[: stop - start], seen[start:stop].tocoo()
        if np.isnan(masked[history.row, history.col]).any():
            raise nan()
        if only:
            kept = masked[history.row, history.col]
            masked[:] = -np.inf
            masked[history.row, history.col] = kept
        else:
            # No leakage. What a user has already seen is out of the ranking.
            masked[history.row, history.col] = -np.inf
        yield slice(start, stop), masked, top_k(masked, k)


def _held(batch_size: int, n: int, n_items: int) -> int:
    """Of n users as many as are ranked at once."""
    return max(min(-(-batch_size // BLOCK), -(-n // BLOCK), HELD // (BLOCK * max(n_items, 1))), 1) * BLOCK


def hits_of(items: Ints, relevant: sp.csr_matrix) -> metrics.Hits:
    """Which ranked items (B, K) are relevant, bool (B, K); relevant is CSR (B, I), an item of -1 is a miss."""
    size = relevant.shape[1]
    pairs = np.repeat(np.arange(len(items)), np.diff(relevant.indptr)) * size + relevant.indices
    keys = np.arange(len(items))[:, None] * size + items  # (B, K)
    out: metrics.Hits = np.isin(keys, pairs) & (items >= 0)
    return out


def pattern(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Where a matrix is not zero: CSR int8 ones, canonical (sorted, no duplicates, no stored zeros)."""
    out = sp.csr_matrix(matrix.astype(np.bool_))
    out.sum_duplicates()
    out.eliminate_zeros()
    return sp.csr_matrix(out.astype(np.int8))


def new_items(truth: sp.csr_matrix, seen: sp.csr_matrix) -> sp.csr_matrix:
    """Relevant items: the pattern of the truth (U, I) less that of the seen, which no ranking can hold."""
    if truth.shape != seen.shape:
        raise DataError(f"truth has shape {truth.shape} and seen {seen.shape}; they must be over the same vocabularies")
    truth = pattern(truth)
    out = sp.csr_matrix(truth - truth.multiply(pattern(seen)))
    out.eliminate_zeros()
    return out


@dataclass(frozen=True)
class Measures:
    """Work: what is measured of some of n askings, from a place that is a multiple of BLOCK to another one."""

    scorer: Scorer
    asked: Queries
    seen: sp.csr_matrix  # (n, I), what is left out, or ranked alone
    relevant: sp.csr_matrix  # (n, I)
    unseen: Ints  # (n,), how many items are ranked
    ks: Sequence[int]
    auc: bool
    only: bool

    def __call__(self, places: tuple[int, int]) -> tuple[Ints, dict[str, Floats]]:
        """The lists, int64 (B, K), and per-user metrics, float32 (B,) by name."""
        rows = slice(*places)
        asked, seen, relevant = self.asked[np.arange(*places)], self.seen[rows], self.relevant[rows]
        size = places[1] - places[0]
        ((_, masked, items),) = ranked(
            lambda n: self.scorer.scores(asked[n]), size, seen, max(self.ks), size, self.only
        )
        found = metrics.per_user(hits_of(items, relevant), np.diff(relevant.indptr), self.ks)
        if self.auc:
            found["auc"] = metrics.auc(masked, relevant, self.unseen[rows])
        return items, found


def evaluate(
    scorer: Scorer,
    queries: Queries,
    truth: sp.csr_matrix,
    ks: Sequence[int] = (10, 20),
    batch_size: int = 1024,
    progress: bool = False,
    popularity: npt.NDArray[np.number] | None = None,
    auc: bool = True,
    task: Task | None = None,
    engine: Engine = LOCAL,
) -> Report:
    """Rank all unseen items for every user with at least one relevant item, and measure.

    Args:
        queries: of U users, with what each has already taken. truth: CSR (U, I), what they took later; truth that must
            not be ranked does not count.
        ks: cut-offs; one ranking to the largest serves all.
        batch_size: users held at once, rounded up to whole blocks of 256: bounds the memory at about
            4 · batch_size · I bytes, in large catalogues at 128 MB (``HELD``), and never changes a result.
        progress: show a bar on standard error.
        popularity: users who took each item (I,), for novelty; from the queries unless given.
        auc: also compute AUC, which sorts the whole row.
        task: what is done with what is seen; by default it is left out.
        engine: ranks and measures the batches.

    Raises EmptyDataError where no user has a relevant item, DataError for NaN scores or shapes that do not fit,
    ConfigError for cut-offs below 1.
    """
    if not ks or min(ks) < 1 or batch_size < 1:
        raise ConfigError(f"evaluate: k {tuple(ks)} and batch size {batch_size} must be at least 1")
    task, taken = task or Task(), pattern(queries.seen)
    seen = task.known(taken)
    relevant = task.new(truth, seen)
    user_nums = np.flatnonzero(np.diff(relevant.indptr)).astype(np.int64)
    if not len(user_nums):
        raise EmptyDataError("no user has a held-out item that is new to them; hold out more of the data")
    if popularity is None:
        popularity = np.bincount(taken.indices, minlength=seen.shape[1])
    n_users, n_items = seen.shape
    seen, relevant = seen[user_nums], relevant[user_nums]
    known = np.diff(seen.indptr)  # (n,)
    counts = {k: np.zeros(n_items, np.int64) for k in ks}  # recommendations of each item
    lists = np.empty((len(user_nums), min(max(ks), n_items)), np.int32)
    parts: dict[str, list[Floats]] = {}
    unseen = known if task.only else n_items - known
    work = Measures(scorer, queries[user_nums], seen, relevant, unseen, ks, auc, task.only)
    held, n = _held(batch_size, len(user_nums), n_items), len(user_nums)
    batches = [(at, min(at + held, n)) for at in range(0, n, held)]
    for (at, stop), (items, found) in track(
        zip(batches, engine.map(work, batches), strict=True),
        "ranking",
        total=len(batches),
        console=Console(stderr=True),
        transient=True,
        disable=not progress,
    ):
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
        lists[at:stop] = items
        for k in ks:
            shown = items[:, :k]
            counts[k] += np.bincount(shown[shown >= 0], minlength=n_items)
    per_user = {name: np.concatenate(values) for name, values in parts.items()}
    means = {name: float(values.mean(dtype=np.float64)) for name, values in per_user.items()}
    for k in ks:
        means[f"coverage@{k}"] = metrics.coverage(counts[k])
        means[f"novelty@{k}"] = metrics.novelty(counts[k], popularity, n_users)
        means[f"gini@{k}"] = metrics.gini(counts[k])
    return Report(means, per_user, user_nums, Ranked(lists, relevant, sp.csr_matrix(taken[user_nums]), task or Task()))
