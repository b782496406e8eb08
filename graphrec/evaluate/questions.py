"""Who is asked about the test part, knowing what, and what they are to find.

Users are asked as training knows them, about to take what is held out. Where whole users are held out (``cold-user``),
each is asked once for every number of first events in ``KNOWN``: with those alone, to find what came after them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.data.cold import KNOWN
from graphrec.data.dataset import Dataset
from graphrec.data.order import history_order, ranks
from graphrec.data.split import Split
from graphrec.evaluate.ranking import Report, Task
from graphrec.query.query import Queries, Query
from graphrec.query.ties import Ties, row
from graphrec.types import Floats, Ints


@dataclass(frozen=True)
class Questions:
    """B questions. ``truth``: what each is to find, CSR (B, I). ``people``: whose they are, user numbers int64 (B,).

    ``known``: how many events each is asked with, int64 (B,), where whole users are held out; else None.
    """

    queries: Queries
    truth: sp.csr_matrix
    people: Ints
    known: Ints | None = None

    def popularity(self, ties: Ties) -> Floats | None:
        """Takers of each item in training, float32 (I,), of as many people as there are questions, for novelty; None
        where the queries tell it."""
        if self.known is None:
            return None
        return np.asarray(ties.known.sum(axis=0) * (len(self.people) / ties.data.n_users), np.float32).ravel()

    def by_person(self, report: Report, name: str) -> Floats:
        """A metric of every person who was tested, the mean over their questions, float32, by user number."""
        of, values = self.people[report.user_nums], report.per_user[name]
        people, place = np.unique(of, return_inverse=True)
        sums = np.bincount(place, weights=values, minlength=len(people))
        return np.asarray(sums / np.bincount(place), np.float32)

    def rows(self, report: Report) -> list[dict[str, Any]]:
        """For each number of known events: how many were asked, how many ``fewer`` could not be, and the metrics."""
        if self.known is None:
            return []
        out, asked = [], self.known[report.user_nums]
        everybody = len(np.unique(self.people))
        for known in KNOWN:
            of = asked == known
            metrics = {n: float(v[of].mean(dtype=np.float64)) for n, v in report.per_user.items()} if of.any() else {}
            out.append(
                {"events": known, "users": int(of.sum()), "fewer": everybody - int(of.sum()), "metrics": metrics}
            )
        return out


def questions(ties: Ties, parts: Split, task: Task, seed: int = 42) -> Questions:
    """The questions of a split, to a model that learned from its training and validation part (``ties``)."""
    if parts.kind != "cold-user":
        queries = Queries.before(ties, parts.test)
        return Questions(queries, task.truth(parts.test), np.arange(len(queries)))
    return newcomers(ties, parts.test, task, seed)


def newcomers(ties: Ties, test: Dataset, task: Task, seed: int = 42) -> Questions:
    """Users of whom training knows no event, asked with their first 0, 1, 3 and 5.

    They keep what is known of them beside: friends and attributes. Where nothing tells an order it is drawn.
    """
    log = test.events
    drawn = None if log.ordered else np.random.default_rng(seed).permutation(len(log))
    order = history_order(log.user_nums, log.timestamps, log.order if drawn is None else drawn)
    place = ranks(log.user_nums, order)  # (E,) of each event in its user's history
    counts = np.bincount(log.user_nums, minlength=test.n_users)  # (U,)
    people, asked, known, found = [], [], [], []
    for n in KNOWN:
        # No leakage. A question holds the first n events, and what they say is measured against the training part.
        first = replace(log.take(place < n), against=ties.data.events.norms)
        in_order = history_order(first.user_nums, first.timestamps, place[place < n])
        begins = np.concatenate([[0], np.cumsum(np.bincount(first.user_nums, minlength=test.n_users))])
        who = np.flatnonzero(counts > n)
        now = _next(log.user_nums, log.timestamps, place, n, test.n_users)
        for user in who.tolist():
            of = in_order[begins[user] : begins[user + 1]]
            asked.append(
                Query(
                    user,
                    first.item_nums[of],
                    first.strengths[of],
                    None if first.timestamps is None else first.timestamps[of],
                    first.outright[of],
                    now=None if now is None else int(now[user]),
                    friends=row(ties.friend_mean, user),
                )
            )
        people.append(who)
        known.append(np.full(len(who), n))
        found.append(task.truth(test.subset(place >= n))[who])
    truth = sp.csr_matrix(sp.vstack(found))
    return Questions(Queries.of(ties, asked), truth, np.concatenate(people), np.concatenate(known))


def _next(users: Ints, times: Ints | None, place: npt.NDArray[np.int64], n: int, n_users: int) -> Ints | None:
    """The second of each user's event after the first n, int64 (U,); None without times."""
    if times is None:
        return None
    out, there = np.zeros(n_users, np.int64), place == n
    out[users[there]] = times[there]
    return out
