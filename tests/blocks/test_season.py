"""The season block: planted seasons, hours and drift are found, and gone when times are shuffled; sums are exact."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.blocks.api import FitInputs, Folds
from graphrec.blocks.season import TIMELESS, USELESS, Season, SeasonSettings, late_counts, lifts
from graphrec.data.dataset import TRAIN, VALID, Dataset, build
from graphrec.evaluate.validation import Validation
from graphrec.profile.moments import MomentBlock, part_of
from graphrec.query.fading import YEAR
from graphrec.query.query import Queries, Query
from graphrec.query.ties import Ties
from graphrec.testing import BlockContract
from graphrec.testing.planted import world
from graphrec.types import Ints

HOUR, DAY = 3_600, 86_400
KINDS, N_ITEMS = 4, 80


class TestContract(BlockContract):
    block = Season
    settings: ClassVar = {"late": [30.0, 10_000.0], "year": [0.0], "week": [0.0], "day": [0.0], "pilot": False}
    telling: ClassVar = {"late": [30.0, 10_000.0]}


def turning(clock: str, shuffled: bool = False, n_users: int = 300, seed: int = 0) -> Dataset:
    """Items of four kinds, and people who take those of one kind at a time, as ``clock`` has it: by the quarter of the
    ``year``, by the ``week``day, by the hour of the ``day``, or ``late``: one kind after the other, and never again.
    The last of each is for validation. ``shuffled``: the times are dealt anew."""
    random, rows = np.random.default_rng(seed), []
    for user in range(n_users):
        first = int(random.integers(5 * 360))
        for turn in range(8):
            time = int((first + 10 * turn) * DAY + random.integers(24) * HOUR)
            kind = {
                "year": int(time / YEAR % 1 * KINDS),
                "week": int(part_of("week", np.array([time]))[0] // 2),
                "day": time % DAY // (6 * HOUR),
                "late": time // (470 * DAY) % KINDS,
            }[clock]
            item = int(random.integers(N_ITEMS // KINDS)) * KINDS + kind
            rows.append((f"u{user:03d}", f"i{item:03d}", time, VALID if turn == 7 else TRAIN))
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "part"])
    if shuffled:
        table["timestamp"] = random.permutation(table["timestamp"].to_numpy())
    return build("turning", table.drop_duplicates(["user_id", "item_id"]))


def folds_of(data: Dataset) -> Folds:
    assert data.parts is not None
    ties = Ties(data.subset(np.equal(data.parts, TRAIN)))
    return Folds.of(FitInputs(ties, None), Validation(ties, data.subset(np.equal(data.parts, VALID)), k=10))


@pytest.mark.parametrize("clock", ["late", "year", "week", "day"])
def test_a_planted_clock_is_found_and_gone_when_times_are_shuffled(clock: str) -> None:
    folds = folds_of(turning(clock))
    (block,), chosen = Season().tune(folds)
    assert chosen[clock] > 0
    assert [other for other in ("year", "week", "day") if chosen[other]] == [clock] * (clock != "late")
    plain = folds.value(lambda fold: fold.validation.per_user_ndcg_of(lambda q: np.zeros((len(q), N_ITEMS), "f4")))
    assert folds.value(lambda fold: fold.validation.per_user_ndcg_of(block.scores)) > 2 * plain
    _, chosen = Season().tune(folds_of(turning(clock, shuffled=True)))
    assert chosen == {"left_out": USELESS}


def test_without_times_it_sits_out() -> None:
    (block,), chosen = Season().tune(world(bare=True).folds)
    assert chosen == {"left_out": TIMELESS}
    assert block.empty


ALL: dict[str, Any] = {"late": 60.0, "year": 4.0, "week": 1.0, "day": 4.0, "few": 3.0, "reading": "alike"}


def test_scores_are_those_of_a_naive_twin() -> None:
    data = turning("year", n_users=20)
    assert data.parts is not None
    ties = Ties(data.subset(np.equal(data.parts, TRAIN)))
    block = Season().fit(FitInputs(ties, None), ALL)
    assert isinstance(block, MomentBlock)
    log = ties.data.interactions
    assert log.timestamps is not None
    now = int(block.late[100])  # a moment at which all that was late is counted
    rounds = {"year": YEAR, "week": 7.0 * DAY, "day": float(DAY)}
    parts = {"year": 52, "week": 7, "day": 24}

    def part(clock: str, time: int) -> int:
        shifted = time + 3 * DAY if clock == "week" else time  # the first of January 1970 was a Thursday
        return int(shifted % rounds[clock] / rounds[clock] * parts[clock])

    twin = np.zeros(data.n_items)
    events = list(zip(log.item_nums.tolist(), log.timestamps.tolist(), strict=True))
    for item in range(data.n_items):
        late = sum(2.0 ** (-(now - t) / (60 * DAY)) for i, t in events if i == item and t <= now)
        twin[item] = np.log1p(late)
        for clock in parts:
            near = []
            for i, t in events:
                angle = 2 * np.pi * (part(clock, now) - part(clock, t)) / parts[clock]
                near.append((i, np.exp(ALL[clock] * (np.cos(angle) - 1))))
            mine = sum(k for i, k in near if i == item)
            expected = sum(i == item for i, _ in events) * sum(k for _, k in near) / len(events)
            twin[item] += np.log((mine + 3) / (expected + 3))
    found = block.scores(Queries.of(ties, [Query(now=now)]))[0]
    np.testing.assert_allclose(found, twin / twin.std(), rtol=1e-3, atol=1e-4)


def test_the_clock_that_adds_most_is_said() -> None:
    data = turning("year")
    block, ties = Season().fit(FitInputs(Ties(data), None), {**ALL, "late": 0.0, "week": 0.0, "day": 0.0}), Ties(data)
    query = Queries.of(ties, [Query(now=int(2.1 * YEAR))])  # in the first quarter
    assert block.said(query, data.items.number("i000")).because == "people take it at this time of the year"
    assert block.said(query, data.items.number("i001")) == block.words, "nobody does"


def test_what_comes_after_the_question_counts_for_nothing_that_was_late() -> None:
    # No leakage. Without the search for the last moment that is not after now this fails.
    data = turning("late", n_users=60)
    times = data.events.timestamps
    assert times is not None
    chosen = {**ALL, "year": 0.0, "week": 0.0, "day": 0.0}
    block = Season().fit(FitInputs(Ties(data), None), chosen)
    assert isinstance(block, MomentBlock)
    now = int(np.quantile(times, 0.5))
    scores = block.scores(Queries.of(Ties(data), [Query(now=now), Query(now=int(times.min()) - 1)]))
    known = np.unique(data.events.item_nums[times <= now])
    later = np.setdiff1d(np.arange(data.n_items), known)
    assert len(later) > 0
    assert np.ptp(scores[0, later]) < 1e-6, "items taken later are alike"
    assert scores[0, later].max() <= scores[0, known].min() + 1e-6
    assert not scores[1].any(), "before the first event nothing is known"


def test_stored_users_ask_at_the_end_and_others_at_their_moment() -> None:
    ties = folds_of(turning("year")).inputs.ties
    block = Season().fit(FitInputs(ties, None), {**ALL, "late": 0.0})
    stored = block.scores(Queries.stored(ties, np.array([0, 1])))
    np.testing.assert_array_equal(stored[0], stored[1])
    summer = Queries.stored(ties, np.array([0]), np.array([ties.latest - 180 * DAY]))
    assert np.abs(block.scores(summer)[0] - stored[0]).max() > 0.5


def test_parts_of_rounds() -> None:
    def at(text: str) -> Ints:
        return np.array([int(pd.Timestamp(text).timestamp())])

    assert part_of("week", at("2026-11-23 00:00")) == 0, "a Monday"
    assert part_of("week", at("2026-11-29 23:59")) == 6
    assert part_of("day", at("2026-11-29 23:59")) == 23
    assert part_of("year", at("2026-01-02")) == 0
    assert part_of("year", at("2026-12-30")) == 51


def test_lifts_and_decays_by_hand() -> None:
    times, items = np.array([0, DAY, DAY]), np.array([0, 0, 1])
    late = late_counts(times, items, 2, np.array([0, DAY]), 1.0)
    np.testing.assert_allclose(late, np.array([[1, 1.5], [0, 1]]))
    found = lifts(np.array([0, 0, 1]), np.array([0, 0, 1]), 2, 2, 1e9, 1.0)
    twin = np.array([[3 / (1 + 4 / 3), 1 / (1 + 2 / 3)], [1 / (1 + 2 / 3), 2 / (1 + 1 / 3)]])
    np.testing.assert_allclose(found, np.log(twin))


def test_settings_hold() -> None:
    _, chosen = Season(SeasonSettings(year=(4.0,), pilot=False)).tune(folds_of(turning("week")))
    assert chosen["year"] == 4.0


def test_somebody_of_whom_nothing_is_known_is_asked_by_the_season_too() -> None:
    config = gr.Config().with_(blocks="popularity,season", kg={"enabled": False}, features={"enabled": False})
    kind = {
        "popularity": {"half_life": 0.0},
        "season": {"late": 0.0, "year": 16.0, "week": 0.0, "day": 0.0, "few": 10.0},
    }
    model = gr.Recommender(config).fit(turning("year"), {**kind, "weights": {"popularity": 0.5, "season": 1.0}})
    for month, of in (("2000-02-10", 0), ("2000-08-10", 2)):
        found = model.recommend("nobody", k=5, context={"now": month})["item_id"]
        assert {int(item[1:]) % KINDS for item in found} == {of}
