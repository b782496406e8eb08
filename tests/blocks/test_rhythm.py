"""The rhythm block: somebody's own hours and weekdays are found, gone when times are dealt anew, and accounted for."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from graphrec.blocks.api import FitInputs, Folds
from graphrec.blocks.rhythm import USELESS, Rhythm
from graphrec.blocks.season import TIMELESS
from graphrec.data.dataset import TRAIN, VALID, Dataset, build
from graphrec.evaluate.validation import Validation
from graphrec.query.fading import ROUNDS, YEAR, Fading
from graphrec.query.query import Queries, Query, query_of
from graphrec.query.ties import Ties
from graphrec.testing import BlockContract
from graphrec.testing.planted import world
from tests.blocks.alone import check_accounts, check_round_trip

HOUR, DAY = 3_600, 86_400
KINDS, EACH = 6, 12
CHOSEN: dict[str, Any] = {"day": 4.0, "week": 0.0, "year": 0.0, "half_life": 0.0, "n": 100, "reading": "alike"}


class TestContract(BlockContract):
    block = Rhythm
    settings: ClassVar = {"day": [1.0], "week": [0.0], "year": [0.0], "half_life": [0.0], "n": [1, 50], "pilot": False}


def of_two(clock: str = "day", shuffled: bool = False, n_users: int = 120) -> Dataset:
    """Everybody takes one kind of item in the mornings (or on Mondays) and another in the evenings (on Thursdays), each
    kinds of their own, so that nothing is popular at any time; the last is for validation. ``shuffled``: the hours are
    dealt anew to the events of each."""
    random, rows = np.random.default_rng(0), []
    for user in range(n_users):
        kinds = random.choice(KINDS, 2, replace=False)
        left = {int(k): random.permutation(EACH).tolist() for k in kinds}
        turns = [int(t) for t in random.integers(2, size=10)]
        days, hours = 7 * np.arange(10), [8 + 12 * t for t in turns]
        if clock == "week":
            days, hours = days + 3 * np.array(turns), [12] * 10
        when = (days * DAY + np.array(hours) * HOUR + random.integers(HOUR, size=10)).tolist()
        items = [f"i{kinds[t]}{left[int(kinds[t])].pop()}" for t in turns]
        items = random.permutation(items).tolist() if shuffled else items
        rows += [
            (f"u{user:03d}", item, t, VALID if n == 9 else TRAIN)
            for n, (item, t) in enumerate(zip(items, when, strict=True))
        ]
    return build("of two", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "part"]))


def folds_of(data: Dataset) -> Folds:
    assert data.parts is not None
    ties = Ties(data.subset(np.equal(data.parts, TRAIN)))
    return Folds.of(FitInputs(ties, None), Validation(ties, data.subset(np.equal(data.parts, VALID)), k=5))


@pytest.mark.parametrize("clock", ["day", "week"])
def test_ones_own_hours_are_found_and_gone_when_they_are_dealt_anew(clock: str) -> None:
    folds = folds_of(of_two(clock))
    (block,), chosen = Rhythm().tune(folds)
    assert [name for name in ROUNDS if chosen[name]] == [clock]
    steady = Rhythm().fit(folds.inputs, {**chosen, clock: 0.0})
    with_it, without = (folds[0].validation.ndcg_of(b.scores) for b in (block, steady))  # type: ignore[attr-defined]
    assert with_it > 1.3 * without
    assert Rhythm().tune(folds_of(of_two(clock, shuffled=True)))[1] == {"left_out": USELESS}


def test_without_times_it_sits_out() -> None:
    (block,), chosen = Rhythm().tune(world(bare=True).folds)
    assert chosen == {"left_out": TIMELESS}
    assert block.empty


def test_accounts() -> None:
    data = of_two(n_users=31)
    fitted = Rhythm().fit(FitInputs(Ties(data), None), CHOSEN)
    check_accounts(fitted, data)
    check_round_trip(fitted, data)


def test_stored_users_ask_at_their_moment_as_queries_do() -> None:
    ties = Ties(of_two(n_users=20))
    block = Rhythm().fit(FitInputs(ties, None), CHOSEN)
    users, evening = np.arange(20), (ties.latest // DAY + 1) * DAY + 20 * HOUR
    stored = Queries.stored(ties, users, np.full(20, evening))
    asked = Queries.of(ties, [query_of(ties, int(u), now=evening) for u in users])
    np.testing.assert_allclose(block.scores(stored), block.scores(asked), atol=1e-4)
    morning = Queries.stored(ties, users, np.full(20, evening + 12 * HOUR))
    assert np.abs(block.scores(morning) - block.scores(stored)).max() > 0.5


def test_weights_by_hand() -> None:
    rows = [("a", "x", 0), ("a", "y", 6 * HOUR), ("a", "x", 12 * HOUR), ("a", "z", int(YEAR) // 2 // DAY * DAY)]
    ties = Ties(build("rows", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])))
    midnight = ties.latest // DAY * DAY + DAY
    queries = Queries.of(ties, [query_of(ties, 0, now=midnight)])
    found = queries.taste("alike", fading=Fading(day=1.0)).toarray()[0]
    np.testing.assert_allclose(found, [1, np.exp(-1), 1], rtol=1e-5)  # x counts by what counts most of it
    found = queries.taste("alike", fading=Fading(year=1.0)).toarray()[0]
    np.testing.assert_allclose(found, [np.exp(-2), np.exp(-2), 1], rtol=0.05)
    assert Queries.of(ties, [Query()]).taste("alike", fading=Fading(day=1.0)).nnz == 0
    assert Fading(1.0).told() == {"power": 1.0, "half_life": 0.0, "last": 0}, "models say no more than they did"
