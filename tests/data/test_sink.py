"""Tables written piece by piece: the same as at once, and whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from graphrec.data import sink
from graphrec.data.sink import writing
from graphrec.errors import DataError

NAMES = ["a,b", 'say "x"', "[bold]", "漢字", "line\nbreak", ""]
TABLE = pd.DataFrame(
    {
        "user_id": np.array([NAMES[n % 6] for n in range(50)], object),
        "score": np.linspace(-1, 1, 50).astype(np.float32),
        "rank": np.arange(50),
    }
)


def pieces(table: pd.DataFrame) -> list[pd.DataFrame]:
    return [table[:0], table[:7], table[7:7], table[7:30], table[30:]]


def written(path: Path, table: pd.DataFrame) -> Path:
    with writing(path) as out:
        for piece in pieces(table):
            out.write(piece)
    assert out.rows == len(table)
    return path


@pytest.mark.parametrize("rows", [1, 20, 10_000])
@pytest.mark.parametrize("ending", sink.ENDINGS)
def test_pieces_make_the_table(ending: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink, "ROWS", rows)
    path = written(tmp_path / f"t{ending.upper()}", TABLE)
    if ending == ".parquet":
        found = pd.read_parquet(path)
        assert pq.ParquetFile(path).metadata.num_row_groups == {1: 3, 20: 2, 10_000: 1}[rows]
    elif ending == ".jsonl":
        found = pd.read_json(path, lines=True, dtype={"user_id": str})
    else:
        found = pd.read_csv(path, keep_default_na=False)
    pd.testing.assert_frame_equal(found, TABLE, check_dtype=False, rtol=1e-6)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_without_rows_keeps_its_columns(ending: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"t{ending}", TABLE[:0])
    assert list(pd.read_csv(path) if ending == ".csv" else pd.read_parquet(path)) == list(TABLE)


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", TABLE)
    before = path.read_bytes()

    def fails() -> None:
        with writing(path) as out:
            out.write(TABLE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["t.csv"]


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"

    def both(third: bool) -> None:
        with writing(path) as first:
            first.write(TABLE)
            with writing(path) as second:
                second.write(TABLE[: 2 + third])
            if third:
                (tmp_path / ".t.csv.part").write_text("of a third")

    for third, said in ((True, "by another command as well"), (False, "cannot be written")):
        with pytest.raises(DataError, match=said):
            both(third)
        assert len(pd.read_csv(path)) == 2 + third


@pytest.mark.skipif(os.name == "nt", reason="links need rights")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "t.csv").symlink_to(tmp_path / "there" / "real.csv")
    written(tmp_path / "t.csv", TABLE)
    assert (tmp_path / "t.csv").is_symlink()
    assert len(pd.read_csv(tmp_path / "there" / "real.csv")) == 50


@pytest.mark.parametrize("name", ["t.txt", "t", "absent/t.csv", "folder.csv"])
def test_a_place_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"choose \.csv|there is no folder|is a folder"), writing(tmp_path / name):
        pass
