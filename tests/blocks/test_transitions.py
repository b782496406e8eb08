"""Transitions: the contract, a naive twin, an order that is planted, and exact accounts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.blocks.api import FitInputs, Fold, Folds
from graphrec.blocks.neighbours import Neighbours
from graphrec.blocks.transitions import HEARD, PILOT, UNHEARD, UNORDERED, USELESS, Transitions, _Judge, order_tells
from graphrec.data.dataset import Dataset, build
from graphrec.data.split import split
from graphrec.evaluate.validation import Validation
from graphrec.query.query import Queries, Query
from graphrec.query.ties import Ties
from graphrec.settings import SplitConfig
from graphrec.testing import BlockContract
from tests.blocks.alone import at_unit_deviation, check_accounts, check_round_trip
from tests.conftest import examples
from tests.reference import naive_transitions

DAY = 86_400
CHOSEN = {
    "window": 7,
    "decay": 0.5,
    "pause": 0.0,
    "session": 0.0,
    "backward": 0.1,
    "source": 0.5,
    "target": 0.2,
    "shape": 0.7,
    "power": 1.0,
    "half_life": 0.0,
    "last": 5,
    "n": 100,
    "reading": "alike",
}


class TestTransitions(BlockContract):
    block = Transitions
    settings = {  # noqa: RUF012 (read only)
        "window": [7],
        "decay": [0.5],
        "pause": [0.0, 30.0],
        "backward": [0.1],
        "source": [0.5],
        "target": [0.2],
        "shape": [0.5],
        "power": [0.0, 2.0],
        "half_life": [0.0, 30.0],
        "last": [1, 20],
        "pilot": False,
    }


def timed(seed: int, n_users: int = 12, n_items: int = 9, repeats: bool = True) -> Dataset:
    """Random histories with times of their own for each event, some items of which come up again."""
    random = np.random.default_rng(seed)
    rows: list[tuple[str, str, int]] = []
    for user in range(n_users):
        n = int(random.integers(1, 8))
        items = random.integers(0, n_items, n) if repeats else random.permutation(n_items)[:n]
        times = np.sort(random.choice(60 * DAY, n, replace=False))
        rows += [(f"u{user:02d}", f"i{i}", int(t)) for i, t in zip(items, times, strict=True)]
    return build("timed", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))


def scores_of(data: Dataset, **changes: Any) -> np.ndarray:
    ties = Ties(data)
    return Transitions().fit(FitInputs(ties, None), {**CHOSEN, **changes}).scores(Queries.stored(ties))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"window": 1, "backward": 0.0, "shape": 1.0},
        {"window": 3, "decay": 2.0, "source": 1.0, "target": 0.0},
        {"pause": 3.0, "half_life": 5.0, "power": 0.0},
        {"session": 240.0, "decay": 1.0},
        {"last": 1},
        {"last": 2, "power": 2.0, "half_life": 1.0},
    ],
)
def test_it_equals_its_naive_twin(changes: dict[str, Any]) -> None:
    data = timed(3)
    found = Queries.stored(Ties(data)).ordered()
    assert found.times is not None
    known = [items >= 0 for items in found.items]
    histories = [items[k].tolist() for items, k in zip(found.items, known, strict=True)]
    times = [t[k].tolist() for t, k in zip(found.times, known, strict=True)]
    told = {**CHOSEN, **changes}
    for unused in ("n", "reading"):
        del told[unused]
    expected = naive_transitions(histories, times, data.n_items, **told)
    np.testing.assert_allclose(scores_of(data, **changes), at_unit_deviation(expected), atol=1e-4)


def test_the_strongest_links_of_each_item_are_kept() -> None:
    data = timed(1)
    ties = Ties(data)
    whole, few = (Transitions().fit(FitInputs(ties, None), {**CHOSEN, "n": n}).items.T.tocsr() for n in (100, 2))
    assert np.diff(few.indptr).max() == 2
    for item in range(data.n_items):
        values = np.sort(whole[item].data)[::-1]
        np.testing.assert_allclose(np.sort(few[item].data)[::-1], values[:2])


# --- an order that is planted -----------------------------------------------------------------------------------------

LOOP, TAKEN = 12, 6  # items, and how many of them each user takes


def loops(shuffled: bool = False, ordered_only: bool = False) -> Dataset:
    """Everybody takes some items at random, in the order of a circle from wherever they begin: which items come
    together tells nothing, and what comes next is most often the next one."""
    random = np.random.default_rng(0)
    rows = []
    for user in range(400):
        steps = random.choice(LOOP, TAKEN, replace=False)
        walk = (random.integers(LOOP) + (steps if shuffled else np.sort(steps))) % LOOP
        rows += [(f"u{user:03d}", f"i{item:02d}", (user + 10 * step) * DAY) for step, item in enumerate(walk.tolist())]
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    return build("loops", table.drop(columns="timestamp") if ordered_only else table)


def hit_of(block: Any, data: Dataset) -> float:
    """How often the item that a user took last is the first of those that they had not taken."""
    parts = split(data, SplitConfig(kind="leave-last"))
    ties = Ties(parts.train)
    folds = Folds([Fold(FitInputs(ties, None), Validation(ties, parts.valid, k=1))])
    whole = Ties(parts.fit_data)
    fitted = block.fit(FitInputs(whole, None), block.tune(folds)[1])
    queries = Queries.stored(whole)
    scores = fitted.scores(queries) - 1e9 * queries.seen.toarray()
    truth = parts.test.matrix()
    users = np.flatnonzero(np.diff(truth.indptr))
    return float((scores[users].argmax(axis=1) == truth[users].indices).mean())


def test_what_only_the_order_tells_is_found_and_gone_when_shuffled() -> None:
    """Of 7 items left, chance finds one in 7."""
    block = Transitions(Transitions.Settings(half_life=(0.0,), pause=(0.0,)))
    assert hit_of(block, loops()) > 0.4
    assert hit_of(block, loops(shuffled=True)) < 0.25
    assert hit_of(Neighbours(Neighbours.Settings(alpha=(0.25,), beta=(0.5,), n=(50,))), loops()) < 0.25


def outings(shuffled: bool = False, n_users: int = 250, n_items: int = 40) -> Dataset:
    """People go out for two items that mostly follow each other in a circle; days later they surely begin somewhere
    that depends on where they ended. What is held out is the second and third of one last outing."""
    random, rows = np.random.default_rng(0), []
    jump = random.permutation(n_items)
    for user in range(n_users):
        at, time = int(random.integers(n_items)), int(random.integers(30)) * DAY
        for outing in range(5):
            time += int(random.integers(2 * DAY, 9 * DAY))
            for step in range(2 + (outing == 4)):
                if step:
                    at = (at + 1) % n_items if random.random() < 0.7 else int(random.integers(n_items))
                rows.append((f"u{user:03d}", f"i{at:02d}", time + step * int(random.integers(60, 600))))
            at = int(jump[at])
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    if shuffled:
        table["timestamp"] = random.permutation(table["timestamp"].to_numpy())
    return build("outings", table)


def test_an_order_that_holds_within_sessions_only_is_found_and_gone_when_times_are_shuffled() -> None:
    known = {"half_life": (0.0,), "window": (1,), "backward": (0.0,)}

    def tuned(data: Dataset, sessions: bool) -> tuple[float, Any]:
        parts = split(data, SplitConfig(kind="leave-last"))
        ties = Ties(parts.train)
        folds = Folds.of(FitInputs(ties, None), Validation(ties, parts.valid, k=1))
        (block,), chosen = Transitions(Transitions.Settings(sessions=sessions, **known)).tune(folds)
        return folds.value(lambda fold: fold.validation.per_user_ndcg_of(block.scores)), chosen

    (cut, chosen), (whole, _) = (tuned(outings(), sessions) for sessions in (True, False))
    assert 1 < chosen["session"] < 48, "ten minutes within, two days between"
    assert cut > 1.3 * whole, "without the cut the sure way from one outing to the next stands before all"
    assert tuned(outings(shuffled=True), True)[1] == {"left_out": USELESS}


def test_the_order_of_rows_is_enough() -> None:
    timed, untimed = loops(), loops(ordered_only=True)
    assert untimed.events.ordered
    np.testing.assert_allclose(scores_of(untimed), scores_of(timed), atol=1e-5)


def test_without_any_order_it_sits_out_and_says_so() -> None:
    table = pd.DataFrame(
        {"user_id": np.repeat(["a", "b", "c"], 3), "item_id": ["1", "2", "3", "2", "3", "4", "1", "3", "4"]}
    )
    data = build("listed", table)
    assert not data.events.ordered
    ties = Ties(data)
    (block,), chosen = Transitions().tune(Folds([Fold(FitInputs(ties, None), Validation(ties, data))]))
    assert block.empty
    assert chosen == {"left_out": UNORDERED}
    assert Transitions().fit(FitInputs(ties, None), CHOSEN).empty


def test_of_one_second_neither_comes_first() -> None:
    rows = [(f"u{u}", item, u * DAY) for u in range(4) for item in ("a", "b")]
    data = build("tied", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))
    assert data.events.order is None
    ties = Ties(data)
    links = Transitions().fit(FitInputs(ties, None), {**CHOSEN, "backward": 0.0}).items.toarray()
    np.testing.assert_allclose(links, links.T)


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_accounts() -> None:
    data = timed(5, n_users=31, n_items=14, repeats=False)
    fitted = Transitions().fit(FitInputs(Ties(data), None), {**CHOSEN, "last": 20, "half_life": 7.0})
    check_accounts(fitted, data)
    check_round_trip(fitted, data)


@examples(25)
@given(
    st.integers(0, 1000),
    st.lists(st.integers(0, 8), max_size=6),
    st.sampled_from([0.0, 0.5, 2.0]),
    st.sampled_from([0.0, 3.0]),
    st.integers(1, 6),
)
def test_the_effects_sum_to_the_score(seed: int, items: list[int], power: float, half_life: float, last: int) -> None:
    ties = Ties(timed(seed))
    chosen = {**CHOSEN, "power": power, "half_life": half_life, "last": last}
    block = Transitions().fit(FitInputs(ties, None), chosen)
    times = np.cumsum(np.arange(len(items))) * DAY
    query = Queries.of(
        ties, [Query(items=np.array(items, np.int64), strengths=np.ones(len(items), np.float32), times=times)]
    )
    for item in range(ties.data.n_items):
        found = block.effects(query, item)
        assert found is not None
        assert set(found.items.tolist()) <= set(items[-last:])
        assert float(found.shares.sum()) == pytest.approx(float(block.score(query, item)[0]), abs=1e-5)
        assert found.rest == pytest.approx(0.0, abs=1e-5)


def tastes(shuffled: bool = False) -> Dataset:
    """Everybody takes from any of three tastes of fifteen, and 15 in 100 after an item the one that goes with it."""
    random, rows = np.random.default_rng(0), []
    goes_with = random.permutation(15 * 8)
    for user in range(300):
        liked = {int(8 * taste + n) for taste in random.choice(15, 3, replace=False) for n in range(8)}
        taken: list[int] = []
        for _ in range(9):
            following = int(goes_with[taken[-1]]) if taken else -1
            with_it = taken and following not in taken and random.random() < 0.15
            taken.append(following if with_it else int(random.choice(sorted(liked.difference(taken)))))
        shown = random.permutation(taken).tolist() if shuffled else taken
        rows += [(f"u{user:03d}", f"i{item:03d}", (user + 10 * n) * DAY) for n, item in enumerate(shown)]
    return build("tastes", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))


@pytest.mark.parametrize("made", [loops, tastes])
@pytest.mark.parametrize("shuffled", [False, True])
def test_the_order_is_looked_at_before_anything_is_searched(made: Any, shuffled: bool) -> None:
    """What was taken last may tell less than all of a history, and still something else."""
    parts = split(made(shuffled), SplitConfig(kind="leave-last"))
    ties = Ties(parts.train)
    folds = Folds.of(FitInputs(ties, None), Validation(ties, parts.valid))
    heard, unheard = (_Judge(folds).per_user({**CHOSEN, **PILOT, "last": 100, **way}) for way in (HEARD[0], UNHEARD))
    assert folds.prefers(heard, unheard) == (made is loops and not shuffled), "alone"
    assert order_tells(folds) != shuffled
    if made is loops:
        quick = Transitions(Transitions.Settings(decay=(1.0,), source=(0.5,), target=(0.2,), shape=(0.5,)))
        (block,), chosen = quick.tune(folds)
        assert block.empty == shuffled
        assert chosen.get("left_out", "") == (USELESS if shuffled else "")


def test_a_few_of_the_validation_users_are_a_part_of_them() -> None:
    parts = split(loops(), SplitConfig(kind="leave-last"))
    ties = Ties(parts.train)
    whole = Validation(ties, parts.valid)
    some = whole.few(40)
    assert len(some) == len(some.ways) == 40
    assert whole.few(len(whole) + 1) is whole
    random = np.random.default_rng(0).random((ties.data.n_users, ties.data.n_items)).astype(np.float32)
    of = dict(zip(whole.queries.user_nums.tolist(), whole.per_user_ndcg_of(lambda q: random[q.user_nums]), strict=True))
    expected = [of[user] for user in some.queries.user_nums.tolist()]
    np.testing.assert_allclose(some.per_user_ndcg_of(lambda q: random[q.user_nums]), expected)
