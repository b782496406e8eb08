"""One log in several files, as what divides work writes it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import EmptyDataError, FormatError
from tests.read.support import events, write

ROWS = pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "x"], "timestamp": [1388534400, 1388534401]})
SPARK = "part-{:05d}-3f2b7a1c-1111-4222-8333-{}-c000.snappy.parquet"
THERE = [("a", "x", 1.0, 1388534400), ("b", "x", 1.0, 1388534401)]


def parts(folder: Path, names: list[str]) -> Path:
    """A part without rows, one with one row, and so on."""
    folder.mkdir(exist_ok=True)
    for n, name in enumerate(names):
        ROWS.iloc[n - 1 : n].to_parquet(folder / name) if n else ROWS.iloc[:0].to_parquet(folder / name)
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ["part-0.parquet", "part-1.parquet", "part-2.parquet"],
        [SPARK.format(n, "abcdefabcdef") for n in range(3)],
        [SPARK.format(n, f"abcdefabcde{n}") for n in range(3)],  # of several writes, each with its own id
    ],
)
def test_parts_without_rows_are_passed_over(tmp_path: Path, names: list[str]) -> None:
    folder = write(parts(tmp_path, names), {"_SUCCESS": ""})
    data = Dataset.load(folder)
    assert events(data) == THERE
    assert {f.path: f.why_not for f in data.report.files if not f.used_as} == {
        names[0]: "no rows",
        "_SUCCESS": "empty",
    }
    said = "".join(f'[[events]]\nfile = "{name}"\nkind = "view"\n' for name in (*names[1:], names[0]))
    data = Dataset.load(write(folder, {"data.toml": said}))  # as an earlier day's inspect wrote it
    assert events(data) == THERE
    assert [f.why_not for f in data.report.files if f.path == names[0]] == ["no rows"]


def test_parts_may_follow_each_other_without_anything_in_common_with_the_first(tmp_path: Path) -> None:
    for n, (user, item) in enumerate([("a", "x"), ("a", "y"), ("b", "y")]):
        pd.DataFrame({"user_id": [user], "item_id": [item]}).to_parquet(tmp_path / f"part-{n}.parquet")
    assert [row[:2] for row in events(Dataset.load(tmp_path))] == [("a", "x"), ("a", "y"), ("b", "y")]


def test_where_all_parts_are_without_rows_it_is_said(tmp_path: Path) -> None:
    for name in ("part-0.parquet", "part-1.parquet"):
        ROWS.iloc[:0].to_parquet(tmp_path / name)
    with pytest.raises(EmptyDataError, match=r"part-1\.parquet: no rows"):
        Dataset.load(tmp_path)


def test_folders_in_a_folder_are_refused_with_what_to_do(tmp_path: Path) -> None:
    for n in (1, 2):
        parts(tmp_path / f"day{n}", ["part-0.parquet", "part-1.parquet", "part-2.parquet"])
    for extra in ({}, {"_SUCCESS": ""}):
        with pytest.raises(FormatError, match=r"found .*day1/, day2/; folders in folders are not read: point at one"):
            Dataset.load(write(tmp_path, extra))
    write(tmp_path, {"data.toml": 'events = [{ file = "day1/part-1.parquet" }]'})
    with pytest.raises(FormatError, match=r"'day1/part-1\.parquet' is in another folder; folders in folders are not"):
        Dataset.load(tmp_path)
    assert events(Dataset.load(tmp_path / "day1")) == THERE
