"""A Dataset without some of its users: nothing that came from them is left in it.

The others move up to the numbers that are free, so that no row says that somebody was there. Numbers are of the inside
alone; whoever keeps them outside (nobody should) has to look them up anew.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.data.dataset import Dataset
from graphrec.door.report import Report
from graphrec.types import Ints, Vocabulary, frozen


def without(data: Dataset, users: Ints) -> Dataset:
    """The data without the events, reviews, texts, attributes and friendships of ``users`` int64 (n,), and without
    their ids, in the report too. Items stay, and so do the norms that strengths are measured against.

    What others wrote of them stays as it is: it is the others'.
    """
    if not len(users):
        return data
    stays = np.ones(data.n_users, bool)
    stays[users] = False
    number = np.cumsum(stays) - 1  # old → new
    kept = data.subset(stays[data.events.user_nums])
    reviews, told = kept.reviews, data.user_attributes
    edges = data.social_edge_index[:, stays[data.social_edge_index].all(axis=0)]
    ids = np.array(data.users.ids, object)
    return replace(
        kept,
        users=Vocabulary(ids[stays].tolist(), "user", ordered=True),
        events=replace(kept.events, user_nums=number[kept.events.user_nums], against=data.events.norms),
        reviews=reviews.assign(user_num=number[reviews["user_num"].to_numpy(np.int64)]),
        social_edge_index=frozen(number[edges], np.int64),
        user_text=data.user_text[stays],
        user_attributes=_of_others(told, stays, number),
        report=_silent(data.report, set(ids[~stays].tolist())),
    )


def _of_others(table: pd.DataFrame, stays: npt.NDArray[np.bool_], number: Ints) -> pd.DataFrame:
    """The long table of users' attributes without those of who goes."""
    of = table["user_num"].to_numpy(np.int64)
    found: pd.DataFrame = table[stays[of]].assign(user_num=number[of[stays[of]]])
    return found.reset_index(drop=True)


def _silent(report: Report, ids: set[str]) -> Report:
    """The report with the same counts, without any row that was set aside (it may be theirs without naming them) and
    without the warnings that name one of these ids."""
    rows = report.quarantine
    quiet = replace(rows, rows=[], first={}, warnings=_not_of(rows.warnings, ids))
    return replace(report, quarantine=quiet, warnings=_not_of(report.warnings, ids))


def _not_of(lines: list[str], ids: set[str]) -> list[str]:
    return [line for line in lines if not any(id_ in line for id_ in ids)]
