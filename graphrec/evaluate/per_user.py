"""The metrics of every user who was tested, as a table in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from graphrec.data.sink import check, writing
from graphrec.evaluate.questions import Questions
from graphrec.evaluate.ranking import Report

__all__ = ["check", "rows", "write"]


def rows(report: Report, user_ids: Sequence[str]) -> pd.DataFrame:
    """user_id and every per-user metric (float32), a row for each user who was tested; ``user_ids`` by number."""
    return pd.DataFrame({"user_id": [user_ids[n] for n in report.user_nums.tolist()], **report.per_user})


def of_questions(report: Report, asked: Questions, user_ids: Sequence[str]) -> pd.DataFrame:
    """The same, a row for each question; the column ``known`` says with how many events it was asked."""
    out = rows(report, [user_ids[n] for n in asked.people.tolist()])
    if asked.known is not None:
        out.insert(1, "known", asked.known[report.user_nums])
    return out


def write(table: pd.DataFrame, path: Path) -> None:
    """A table as CSV, Parquet or JSON lines, by the ending. Raises DataError where it cannot be written."""
    with writing(path) as sink:
        sink.write(table)
