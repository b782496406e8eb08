"""Every case is inspected, and public tables are counted as published."""

from __future__ import annotations

import pytest

from graphrec.cli.app import app
from graphrec.data.dataset import Dataset
from graphrec.errors import DataError
from tests.conftest import shared_data
from tests.test_inspect import CASES, assert_complete, inspected, run


@pytest.mark.skipif(not CASES.exists(), reason=f"the cases are not at {CASES}")
@pytest.mark.parametrize("case", sorted(p.name for p in CASES.glob("*/")) if CASES.exists() else [])
def test_every_case_is_inspected(case: str) -> None:
    folder = CASES / case
    for path in [folder, *folder.rglob("*")]:
        if path.suffix != ".py":
            result = run(app, ["inspect", str(path), "--json"])
            assert result.exit_code == 0 or isinstance(result.exception, DataError), (path, result.exception)


def test_the_shop_of_the_cases() -> None:
    if not (CASES / "shop").exists():
        pytest.skip(f"the cases are not at {CASES}")
    report = inspected(CASES / "shop")
    assert_complete(CASES / "shop", report)
    data = Dataset.load(CASES / "shop")
    assert (data.n_users, data.n_items, len(data.events)) == (500, 240, 7830)
    assert data.directed
    assert data.report.strength.keys() == {"order", "review"}


@pytest.mark.parametrize(
    ("name", "counts", "used"),
    [
        ("lfm1m", (4817, 12492, 438436), {"events", "items", "users", "triples"}),
        ("yelp_places", (1000, 5255, 35571), {"events", "items", "friends"}),
        ("ml1m_sequences", (6040, 3416, 999611), {"events", "items", "users"}),
        ("amazon_beauty", (22363, 12101, 198502), {"events", "items"}),
    ],
)
def test_public_tables(name: str, counts: tuple[int, int, int], used: set[str]) -> None:
    data = Dataset.load(shared_data(name))
    assert (data.n_users, data.n_items, data.quarantine.rows_read) == counts
    assert {f.used_as for f in data.report.files} == used
    assert len(data.report.summary_lines()) <= 8
