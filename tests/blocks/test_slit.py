"""The regression on the past: the contract, a naive twin that makes every row, what is planted far back, its limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graphrec.blocks import slit, transitions
from graphrec.blocks.api import FitInputs, Folds
from graphrec.blocks.slit import Slit, SlitSettings
from graphrec.blocks.transitions import UNORDERED, USELESS
from graphrec.data.dataset import build
from graphrec.data.split import split
from graphrec.evaluate.validation import Validation
from graphrec.linalg import following
from graphrec.linalg.following import regressions
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.settings import SplitConfig
from graphrec.testing import BlockContract
from graphrec.types import Ints
from tests.blocks.alone import check_accounts, check_round_trip
from tests.blocks.test_transitions import timed

CHOSEN = {"decay": 0.5, "regularisation": 0.5, "window": 5, "n": 0, "reading": "alike"}


class TestSlit(BlockContract):
    block = Slit
    settings = {"decay": [0.0, 0.5], "regularisation": [0.5], "window": [3, 20], "pilot": False}  # noqa: RUF012 (read only)


def naive_regressions(
    histories: Ints, items: Ints, n_items: int, decay: float, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Every row of X and of Y, made one by one."""
    x, y = [np.zeros(n_items)], [np.zeros(n_items)]
    for t in range(len(items)):
        past = [s for s in range(t) if histories[s] == histories[t] and t - s <= window]
        if past:
            x.append(sum(float(t - s) ** -decay * np.eye(n_items)[items[s]] for s in past))
            y.append(np.eye(n_items)[items[t]])
    return np.array(x).T @ np.array(x), np.array(x).T @ np.array(y)


@pytest.mark.parametrize(("decay", "window"), [(0.0, 30), (0.3, 4), (1.5, 1)])
def test_the_sums_are_those_of_every_row(decay: float, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "HELD", 10)
    random = np.random.default_rng(0)
    histories = np.repeat(np.arange(6), [1, 9, 2, 0, 12, 5])
    items = random.integers(0, 7, len(histories))
    found, expected = (f(histories, items, 7, decay, window) for f in (regressions, naive_regressions))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_it_is_the_ridge_regression_of_these_rows() -> None:
    data = timed(3, repeats=False)
    ties = Ties(data)
    line = ties.timeline()
    histories = np.repeat(np.arange(data.n_users), line.counts)
    inner, cross = naive_regressions(histories, line.items, data.n_items, 0.5, 5)
    weights = np.linalg.solve(inner + 0.5 * np.diag(inner).mean() * np.eye(data.n_items), cross)
    block = Slit().fit(FitInputs(ties, None), CHOSEN)
    np.testing.assert_allclose(block.items.toarray(), weights.T, atol=1e-5)
    last = data.n_users - 1
    own = line.items[histories == last][::-1][:5]
    scores = sum(float(d) ** -0.5 * weights[item] for d, item in enumerate(own, 1))
    found = block.scores(Queries.stored(ties))[last]
    np.testing.assert_allclose(found / found.std(), scores / scores.std(), atol=1e-4)


def test_it_finds_what_follows_a_long_time_after() -> None:
    """Whoever began with one of two items ends with its own, and six of anything lie between."""
    random, rows = np.random.default_rng(0), []
    for user in range(120):
        first = user % 2
        between = random.permutation(np.arange(4, 16))[:6]
        for time, item in enumerate([first, *between, *([2 + first] if user < 100 else [])]):
            rows.append((f"u{user:03d}", f"i{item:02d}", time))
    data = build("late", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))
    ties = Ties(data)
    block = Slit().fit(FitInputs(ties, None), {**CHOSEN, "decay": 0.3, "window": 50})
    scores = block.scores(Queries.stored(ties))[100:]
    ends = data.items.numbers(["i02", "i03"])
    assert (scores[:, ends].argmax(axis=1) == np.arange(20) % 2).all()


def test_without_an_order_or_with_too_many_items_it_sits_out() -> None:
    plain = build("plain", pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"]}))
    dated = timed(0)
    assert Slit().why_not(FitInputs(Ties(plain), None)) == UNORDERED
    assert "the limit is 3" in Slit(SlitSettings(max_items=3)).why_not(FitInputs(Ties(dated), None))


def test_where_the_order_tells_nothing_it_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = split(timed(2), SplitConfig(kind="leave-last"))
    ties = Ties(parts.train)
    folds = Folds.of(FitInputs(ties, None), Validation(ties, parts.valid))
    monkeypatch.setattr(slit, "order_tells", lambda folds: False)
    assert Slit().choose(folds)[1] == {"left_out": USELESS}
    monkeypatch.setattr(slit, "order_tells", lambda folds: True)
    assert Slit().choose(folds)[1]["decay"] == 0.5


def test_the_order_is_looked_at_once_for_all_blocks_that_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Folds] = []

    def gain(folds: Folds) -> float:
        looked.append(folds)
        return 100.0

    monkeypatch.setattr(transitions, "order_gain", gain)
    parts = split(timed(2), SplitConfig(kind="leave-last"))
    ties = Ties(parts.train)
    folds, others = (Folds.of(FitInputs(ties, None), Validation(ties, parts.valid)) for _ in range(2))
    assert all(transitions.order_tells(asked) for asked in (folds, folds, others))
    assert [one is folds for one in looked] == [True, False]


def test_accounts_are_exact_and_it_is_read_back() -> None:
    data = timed(1, n_users=31, n_items=17)
    block = Slit().fit(FitInputs(Ties(data), None), {**CHOSEN, "window": 50})
    check_accounts(block, data)
    check_round_trip(block, data)
