"""Lists that any system recommended, measured as graphrec's own: a table of users, items and their places.

A list becomes scores (its n-th item gets -n, what is not on it is never recommended), so `ranking.evaluate` measures
it with the same truth, the same handling of what is seen and the same metrics. AUC is left out: lists do not rank the
whole catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from graphrec.data.split import Split
from graphrec.door.values import ids, numbers
from graphrec.errors import DataError, EmptyDataError
from graphrec.evaluate.ranking import Report, Task, evaluate
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.read.forms import whole_table
from graphrec.types import Floats


@dataclass(frozen=True)
class Lists:
    """What was measured. ``counts`` says what became of every row of the table, and of every user of the test part.

    Of rows: rows = ranked + unknown_users + unknown_items + without_place + duplicates + barred, where ``barred`` are
    items that the user has taken already (or, where nothing else is ranked, has not), and ``not_tested`` is the part
    of the ranked rows whose users have nothing in the test part. Of users: ``without_list`` have no ranked row, and
    ``short`` fewer than the longest cut-off.
    """

    report: Report
    counts: dict[str, int]

    def warnings(self) -> list[str]:
        """What was set aside, a line each."""
        told = {
            "unknown_users": "rows of users that the data does not know were set aside",
            "unknown_items": "rows of items that the data does not know were set aside",
            "without_place": "rows without a readable rank or score were set aside",
            "duplicates": "rows repeat an item of the same list; its best place counts",
            "barred": "rows name items that are not to be ranked for their user (seen); those behind them move up",
            "not_tested": "rows are of users without anything to find in the test part",
            "without_list": "users of the test part have no list, or nothing left on it; they count as misses",
            "short": "lists are shorter than the longest cut-off; the places that are missing count as misses",
        }
        return [f"{self.counts[name]:,} {says}" for name, says in told.items() if self.counts[name]]


@dataclass(frozen=True)
class ListScorer:
    """Minus the place of every item on a user's list; ``places`` is CSR int64 (U, I), from 1, best first."""

    places: sp.csr_matrix

    def scores(self, queries: Queries) -> Floats:
        """Scores float32 (B, I), -inf for what is not on the list."""
        out = np.full((len(queries), self.places.shape[1]), -np.inf, np.float32)
        found = self.places[queries.user_nums].tocoo()
        out[found.row, found.col] = -found.data
        return out


def evaluate_lists(parts: Split, table: pd.DataFrame, ks: Sequence[int] = (10, 20), task: Task | None = None) -> Lists:
    """Measure lists on the test part of a split, as ``ranking.evaluate`` measures a model fitted on the rest of it.

    Args:
        table: user_id, item_id, and rank (1 is best) or score (higher is better), one row an item. Of both columns the
            rank counts; rows of equal place are taken in the order of the table.

    Raises DataError where a column is missing, EmptyDataError where no row is of a known user and item.
    """
    task, data = task or Task(), parts.fit_data
    by = next((name for name in ("rank", "score") if name in table), "rank or score")
    if missing := [name for name in ("user_id", "item_id", by) if name not in table]:
        found = ", ".join(map(str, table.columns))
        raise DataError(f"recommendations: no column {', '.join(missing)} but {found}; name them in the first line")
    known = {}
    for column, vocabulary in (("user_id", data.users), ("item_id", data.items)):
        named = ids(table[column], column)
        nums = np.append(vocabulary.numbers(named.names, missing="-1"), -1)
        known[column] = nums[named.codes]  # (R,) numbers, -1 where unknown
    user, item = known["user_id"], known["item_id"]
    place = numbers(table[by], name=by).values * (1 if by == "rank" else -1)  # (R,) lower is better
    of_user, of_item, placed = user >= 0, item >= 0, np.isfinite(place)
    kept = np.flatnonzero(of_user & of_item & placed)
    if not len(kept):
        raise EmptyDataError(
            f"recommendations: none of {len(table):,} rows has a known user, a known item and a {by}; "
            f"the data holds users such as {data.users.ids[0]!r} and items such as {data.items.ids[0]!r}"
        )
    kept = kept[np.lexsort((place[kept], user[kept]))]
    first = np.unique(user[kept] * data.n_items + item[kept], return_index=True)[1]
    repeated, kept = len(kept) - len(first), kept[np.sort(first)]
    user, item = user[kept], item[kept]
    start = np.searchsorted(user, user)  # (R,) where each user's list begins
    shape = (data.n_users, data.n_items)
    places = sp.csr_matrix((np.arange(len(user)) - start + 1, (user, item)), shape=shape)

    # No leakage. What a user has already seen is out of the ranking, whatever the list says.
    queries = Queries.stored(Ties(data))
    report = evaluate(ListScorer(places), queries, task.truth(parts.test), ks, auc=False, task=task)
    barred = np.asarray(task.known(queries.seen)[user, item]).ravel() != 0
    barred = ~barred if task.only else barred
    length = np.bincount(user[~barred], minlength=data.n_users)  # (U,) ranked rows
    counts = {
        "rows": len(table),
        "ranked": int((~barred).sum()),
        "unknown_users": int((~of_user).sum()),
        "unknown_items": int((of_user & ~of_item).sum()),
        "without_place": int((of_user & of_item & ~placed).sum()),
        "duplicates": repeated,
        "barred": int(barred.sum()),
        "not_tested": int(length.sum() - length[report.user_nums].sum()),
        "without_list": int((length[report.user_nums] == 0).sum()),
        "short": int(((length > 0) & (length < max(ks)))[report.user_nums].sum()),
    }
    return Lists(report, counts)


def read_lists(path: Path) -> pd.DataFrame:
    """The table of a file, for ``evaluate_lists``. Raises DataError as ``whole_table``."""
    return whole_table(path, "--recommendations")
