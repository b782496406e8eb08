"""Folders whose names are columns are read as one table, and every part goes by its own name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pytest

from graphrec.data.dataset import Dataset
from graphrec.errors import DataError, FormatError
from graphrec.read.partitions import UNREAD

N = 60
ROWS = pd.DataFrame(
    {
        "user_id": [f"u{n % 9}" for n in range(N)],
        "item_id": [f"i{n % 11}" for n in range(N)],
        "day": [f"2026-01-{1 + n % 3:02d}" for n in range(N)],
        "kind": [("view", "purchase")[n % 2] for n in range(N)],
    }
)


def events(data: Dataset) -> list[tuple[str, str, str, int | None]]:
    """User, item, kind and day of each, in order of these."""
    e = data.events
    days = [None] * len(e) if e.timestamps is None else (e.timestamps // 86_400).tolist()
    kinds = [e.kind_table[n].name for n in e.kinds.tolist()]
    users, items = ([ids.ids[n] for n in of] for ids, of in ((data.users, e.user_nums), (data.items, e.item_nums)))
    return sorted(zip(users, items, kinds, days, strict=True))


def written(folder: Path, form: str = "parquet", by: tuple[str, ...] = ("day", "kind")) -> Path:
    """By Arrow, as Spark writes it."""
    kind = pyarrow.dataset.partitioning(pa.schema([(name, pa.string()) for name in by]), flavor="hive")
    pyarrow.dataset.write_dataset(pa.Table.from_pandas(ROWS), folder, format=form, partitioning=kind)
    return folder


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("inside", [False, True])
def test_folders_are_columns(tmp_path: Path, form: str, inside: bool) -> None:
    ROWS.to_csv(tmp_path / "whole.csv", index=False)
    whole = Dataset.load(tmp_path / "whole.csv")
    source = tmp_path / "shop"
    source.mkdir()
    written(source / "log" if inside else source, form)
    if inside:
        (source / "items.csv").write_text("item_id,title\n" + "".join(f"i{n},Thing {n}\n" for n in range(11)))
    data = Dataset.load(source)
    assert events(data) == events(whole)
    assert data.name == "shop"
    assert data.item_titles[0].startswith("Thing") is inside
    above = "log/" if inside else ""
    names = {f"{above}day=2026-01-0{d}/kind={k}/part-0.{form}" for d in (1, 2, 3) for k in ("view", "purchase")}
    assert {f.path for f in data.report.files if f.used_as == "events"} == names
    roles = {(c.column, c.role) for c in data.report.columns if c.file in names}
    assert roles == {("user_id", "user_id"), ("item_id", "item_id"), ("day", "timestamp"), ("kind", "kind")}
    assert data.report.all_warnings() == whole.report.all_warnings()


def test_what_is_no_data_is_named_and_what_cannot_be_used_stands_where_it_is(tmp_path: Path) -> None:
    written(tmp_path / "log", "csv", ("day",))
    part = tmp_path / "log" / "day=2026-01-02" / "part-0.csv"
    part.write_text(part.read_text() + "u1,,view\n" + "u2,i3\n")
    (tmp_path / "log" / "_SUCCESS").write_text("")
    (tmp_path / "log" / "day=2026-01-02" / "_started").write_text("")
    (tmp_path / "log" / "day=2026-01-02" / "old").mkdir()
    (tmp_path / "log" / "day=2026-01-02" / ".part-0.csv.crc").write_text("x")
    data = Dataset.load(tmp_path / "log", allow_bad=0.5)
    bad = {(Path(row.file), row.line) for row in data.report.quarantine}
    assert bad == {(part, 22)}
    told = {f.path: f.why_not for f in data.report.files if not f.used_as}
    assert told.pop("day=2026-01-02/old").startswith("a folder")
    assert told == {"_SUCCESS": UNREAD, "day=2026-01-02/_started": UNREAD}
    assert len(data.events) == N + 1
    with pytest.raises(DataError, match=f"{part}: .*item_id is missing"):
        Dataset.load(tmp_path / "log", allow_bad=0.0)


def test_values_are_as_hive_writes_them_and_a_column_of_the_file_stays(tmp_path: Path) -> None:
    for number, name in enumerate(("user_id=a%20b/kind=view", "user_id=c/kind=__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / name / "day=2020-01-01"
        folder.mkdir(parents=True)
        own = pd.DataFrame({"item_id": ["x", "y"], "day": ["2021-05-05"] * 2})
        own.to_parquet(folder / f"{number}.parquet")
    data = Dataset.load(tmp_path)
    assert {(user, kind) for user, _, kind, _ in events(data)} == {("a b", "view"), ("c", "interaction")}
    assert data.events.timestamps is not None
    assert set(np.asarray(data.events.timestamps).tolist()) == {1_620_172_800}
    assert any(
        "user_id=c/kind=__HIVE_DEFAULT_PARTITION__/day=2020-01-01/1.parquet: has a column 'day' of its own" in w
        for w in data.report.all_warnings()
    )


def test_what_is_written_as_data_toml_reads_the_same(tmp_path: Path) -> None:
    written(tmp_path)
    data = Dataset.load(tmp_path)
    assert 'file = "day=2026-01-01/kind=purchase/part-0.parquet"' in data.report.data_toml
    (tmp_path / "data.toml").write_text(data.report.data_toml)
    assert events(Dataset.load(tmp_path)) == events(data)


def test_an_error_names_the_part(tmp_path: Path) -> None:
    (tmp_path / "day=1").mkdir()
    (tmp_path / "day=1" / "log.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match=str(tmp_path)) as error:
        Dataset.load(tmp_path)
    assert "graphrec-" not in str(error.value)
