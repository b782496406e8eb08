"""What is new in a log and how far taste moves, where it is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graphrec.data.dataset import Dataset, build
from graphrec.data.drift import drift

DAY = 86_400


def log(moves: bool, seed: int = 0) -> Dataset:
    """400 events on 20 items in 100 days; where taste moves, the second half of the time takes the other ten."""
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(0, 100 * DAY, 400))
    items = random.integers(0, 10 if moves else 20, 400) + (10 * (times >= 50 * DAY) if moves else 0)
    rows = {"user_id": random.integers(0, 50, 400), "item_id": items, "timestamp": 1_600_000_000 + times}
    return build("log", pd.DataFrame(rows))


def test_a_taste_that_moves_once_is_seen_there_and_nowhere_else() -> None:
    rows = drift(log(moves=True), pieces=10)
    assert sum(row["events"] for row in rows) == 400
    moved = [row["moved"] for row in rows[1:]]
    assert moved[4] > 0.4
    assert max(moved[:4] + moved[5:]) < 0.15
    assert rows[5]["new_items"] > 0.9
    assert rows[0]["new_items"] is rows[0]["moved"] is None


def test_a_taste_that_stays_does_not_move() -> None:
    assert max(row["moved"] for row in drift(log(moves=False), pieces=10)[1:]) < 0.15


def test_shares_of_what_is_new_are_counted() -> None:
    rows = {"user_id": [1, 1, 2, 3], "item_id": [1, 2, 1, 3], "timestamp": [DAY * n for n in (10, 10, 20, 20)]}
    first, second = drift(build("few", pd.DataFrame(rows)), pieces=2)
    assert (first["events"], first["users"], first["items"]) == (2, 1, 2)
    assert (second["new_users"], second["new_items"]) == (1.0, 0.5)
    assert second["from"] >= first["to"]


@pytest.mark.parametrize("times", [None, [DAY, DAY + 5, DAY + 9, DAY + 60]])
def test_without_times_there_is_no_drift(times: list[int] | None) -> None:
    rows = {"user_id": [1, 1, 2, 3], "item_id": [1, 2, 1, 3]} | ({} if times is None else {"timestamp": times})
    assert drift(build("few", pd.DataFrame(rows))) == []
