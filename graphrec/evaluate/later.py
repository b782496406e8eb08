"""What people took after a model was fitted, under the numbers of the model: the truth that it is measured against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.errors import EmptyDataError
from graphrec.evaluate.ranking import Task
from graphrec.query.timeline import asked_at
from graphrec.types import Ints


@dataclass(frozen=True)
class Later:
    """``truth``: relevant items of every user of the model, CSR (U, I). ``counts``: what became of events and pairs.
    ``moments``: when each user asks, int64 (U,): at their first new event; None where that is not known.

    events = unknown_users + unknown_items (of known users) + known + new; ``earlier`` are those of the new ones that
    are older than the latest event that the model knows. pairs (of the new events) = not_liked + barred + answers,
    where ``barred`` are those that the ranking does not hold: what a user had taken before, unless that is ranked too.
    """

    truth: sp.csr_matrix
    counts: dict[str, int]
    moments: Ints | None = None

    def warnings(self) -> list[str]:
        """What was left out, a line each."""
        told = {
            "unknown_users": "events are of users that the model does not know; nobody asks in their name",
            "unknown_items": "events are of items that the model does not know, and cannot recommend",
            "known": "events are known to the model; they are no answers",
            "earlier": "events are older than the latest that the model knows: it may know what came after",
            "not_liked": "pairs are not liked, and no answers",
            "barred": "pairs of a user and an item are not to be ranked (seen), and no answers",
        }
        return [f"{self.counts[name]:,} {says}" for name, says in told.items() if self.counts[name]]


def later(known: Dataset, new: Dataset, task: Task | None = None) -> Later:
    """What of ``new`` a model of ``known`` can be asked for: ids are matched, known events dropped.

    An event of the same user, item and second is the same; where either side has no times, one of a known pair is.
    What the others say is made out from them alone, as of a test part.

    Raises EmptyDataError where no event is left, or none that is relevant and may be ranked.
    """
    task, e = task or Task(), new.events
    user = known.users.numbers(new.users.ids, missing="-1")  # number there → number in the model
    item = known.items.numbers(new.items.ids, missing="-1")
    user_nums, item_nums = user[e.user_nums], item[e.item_nums]  # (E,)
    of_both = (user_nums >= 0) & (item_nums >= 0)
    held = of_both & _holds(known, user_nums, item_nums, e.timestamps)
    kept = of_both & ~held
    part = new.subset(kept)
    here = (len(known.users), len(known.items))

    def numbered(matrix: sp.csr_matrix) -> sp.csr_matrix:
        found = matrix.tocoo()
        return sp.csr_matrix((found.data, (user[found.row], item[found.col])), shape=here)

    truth, seen = numbered(task.truth(part)), known.seen()
    answers = task.new(truth, task.known(seen)).nnz
    latest = known.events.timestamps
    old = 0 if e.timestamps is None or latest is None or not len(latest) else e.timestamps[kept] < latest.max()
    counts = {
        "events": len(e),
        "unknown_users": int((user_nums < 0).sum()),
        "unknown_items": int(((user_nums >= 0) & (item_nums < 0)).sum()),
        "known": int(held.sum()),
        "new": int(kept.sum()),
        "earlier": int(np.sum(old)),
        "pairs": len(np.unique(user_nums[kept] * here[1] + item_nums[kept])),
    }
    counts |= {"not_liked": counts["pairs"] - truth.nnz, "barred": truth.nnz - answers, "answers": answers}
    counts |= _ids(e, user, item)
    if not answers:
        raise EmptyDataError(_nothing(new.name, counts))
    times = None if e.timestamps is None else e.timestamps[kept]
    return Later(truth, counts, asked_at(known.events, user_nums[kept], times, here[0]))


def _holds(known: Dataset, user_nums: Ints, item_nums: Ints, times: Ints | None) -> npt.NDArray[np.bool_]:
    """Which events (E,) are in the log of ``known``, bool (E,)."""
    log, n = known.events, known.n_items
    asked, there = user_nums * n + item_nums, log.user_nums * n + log.item_nums
    if times is None or log.timestamps is None:
        same: npt.NDArray[np.bool_] = np.isin(asked, there)
        return same
    left = pd.DataFrame({"pair": asked, "time": times})
    right = pd.DataFrame({"pair": there, "time": log.timestamps}).drop_duplicates()
    return (left.merge(right, how="left", indicator=True)["_merge"] == "both").to_numpy(np.bool_)


def _ids(events: Events, user: Ints, item: Ints) -> dict[str, int]:
    """How many users and items have events, and how many of them the model does not know."""
    users, items = np.unique(events.user_nums), np.unique(events.item_nums)
    return {
        "users": len(users),
        "users_not_known": int((user[users] < 0).sum()),
        "items": len(items),
        "items_not_known": int((item[items] < 0).sum()),
    }


def _nothing(name: str, counts: dict[str, int]) -> str:
    why = {
        "unknown_users": "of users that the model does not know",
        "unknown_items": "of items that it does not know",
        "known": "known to it already",
    }
    parts = [f"{counts[what]:,} {says}" for what, says in why.items() if counts[what]]
    parts += [f"{counts['not_liked'] + counts['barred']:,} pairs not liked or not new"] if counts["new"] else []
    return (
        f"{name}: nothing to find in {counts['events']:,} events ({'; '.join(parts)}); bring later events of the same "
        "users and items, with ids written as in the data of the model"
    )
