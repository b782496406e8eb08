"""Two models on trial: tests that hold their level, a ratio that is checked, interleaving that favours nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from graphrec.errors import EmptyDataError
from graphrec.evaluate.trial import preference, team_draft, trial, users_needed
from tests.reference_trial import naive_team_draft


def shown(seed: int, rate_b: float = 0.2, n_users: int = 300, share: float = 0.5) -> pd.DataFrame:
    """People who click on .2 of what a shows them, each with a leaning of their own, 5 to 25 impressions each."""
    random = np.random.default_rng(seed)
    on_b = random.random(n_users) < share
    user = np.repeat(np.arange(n_users), random.integers(5, 26, n_users))
    leaning = random.beta(2, 2, n_users)[user] * 2 * np.where(on_b, rate_b, 0.2)[user]
    clicked = (random.random(len(user)) < leaning).astype(int)
    side = np.where(on_b[user], "b", "a")
    ids = [f"u{n}" for n in user]
    return pd.DataFrame({"side": side, "user_id": ids, "answer": np.arange(len(user)), "time": 1.0, "event": clicked})


def test_no_difference_is_found_where_none_is() -> None:
    """5 % of 200 tests between equals; a test over impressions, as if each were a person, would find far more."""
    found = [trial(shown(seed), "a", "b") for seed in range(200)]
    p = np.array([t.rates[0].p_value for t in found])
    assert 2 <= (p < 0.05).sum() <= 21
    naive = []
    for seed in range(200):
        table = shown(seed).groupby("side")["event"].agg(["sum", "count"])
        counts = np.stack([table["sum"], table["count"] - table["sum"]])
        naive.append(scipy.stats.chi2_contingency(counts, correction=False)[1])
    assert (np.array(naive) < 0.05).sum() > 25
    assert all(t.rates[0].a[1] < t.rates[0].a[0] < t.rates[0].a[2] for t in found)
    assert sum(t.rates[0].a[1] <= 0.2 <= t.rates[0].a[2] for t in found) >= 180


def test_a_difference_is_found_and_its_counts_are_right() -> None:
    table = shown(1, rate_b=0.4)
    found = trial(table, "a", "b", share=0.5)
    on_b = table[table["side"] == "b"]
    assert (found.b.users, found.b.impressions) == (on_b["user_id"].nunique(), len(on_b))
    assert found.rates[0].b[0] == pytest.approx(on_b["event"].mean())
    assert found.rates[0].p_value < 0.001
    assert found.rates[0].difference[1] > 0
    assert found.warnings == ()
    clicked = on_b.groupby("user_id")["event"].max()
    assert found.rates[1].b[0] == pytest.approx(clicked.mean())
    wilson = scipy.stats.binomtest(int(clicked.sum()), len(clicked)).proportion_ci(method="wilson")
    assert found.rates[1].b[1:] == pytest.approx((wilson.low, wilson.high), abs=2e-3)


def test_no_rate_is_below_nothing_or_above_all() -> None:
    """Of few people, of none with an event, and of all with one."""
    rows = [("a", f"u{n}", n, 1.0, int(n == 0)) for n in range(12)] + [("b", f"v{n}", n, 1.0, 1) for n in range(12)]
    table = pd.DataFrame(rows, columns=["side", "user_id", "answer", "time", "event"])
    found = trial(table, "a", "b").rates[0]
    assert 0 < found.a[1] < 1 / 12 < found.a[2] < 1
    wilson = scipy.stats.binomtest(12, 12).proportion_ci(method="wilson")
    assert found.b == pytest.approx((1.0, wilson.low, wilson.high))
    none = trial(table.assign(event=0), "a", "b").rates[0]
    assert none.a == pytest.approx((0.0, 1 - wilson.high, 1 - wilson.low))


def test_people_who_are_missing_and_people_on_both_sides_are_told() -> None:
    table = shown(2)
    missing = trial(table[(table["side"] == "a") | (table["user_id"].str[-1] < "4")], "a", "b", share=0.5)
    assert missing.ratio_p is not None
    assert missing.ratio_p < 0.001
    assert missing.warnings[0].startswith("do not trust this")
    both = table.assign(side=np.where(np.arange(len(table)) % 2, "a", "b"))
    assert any("saw both sides" in text for text in trial(both, "a", "b").warnings)
    later = table.assign(time=np.where(table["side"] == "b", 9.0, 1.0))
    assert any("may be the time" in text for text in trial(later, "a", "b").warnings)
    with pytest.raises(EmptyDataError, match="there are a, b"):
        trial(table, "a", "c")


def test_as_many_people_as_are_needed_find_it_four_times_in_five() -> None:
    n = users_needed(0.3, 0.3 * 0.7, 0.2)
    assert n is not None
    random = np.random.default_rng(5)
    a, b = random.binomial(n, 0.3, 4000) / n, random.binomial(n, 0.36, 4000) / n
    z = (b - a) / np.sqrt((a * (1 - a) + b * (1 - b)) / n)
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.8, abs=0.04)
    assert users_needed(0.0, 0.0, 0.2) is None


LISTS = ["i1", "i2", "i3", "i4"], ["i3", "i5", "i1", "i6"]


def test_merged_lists_are_those_of_the_paper() -> None:
    """As often as by a naive twin with another coin, and each team's items in its own order."""
    mine = [tuple(map(tuple, team_draft(*LISTS, 4, seed))) for seed in range(400)]
    naive = [tuple(map(tuple, naive_team_draft(*LISTS, 4, seed))) for seed in range(400)]
    assert set(mine) == set(naive)
    for each in set(mine):
        assert abs(mine.count(each) - naive.count(each)) < 60
    assert team_draft(["x"], ["x"], 5, 0)[0] == ["x"]
    assert sorted(team_draft(["x", "y"], [], 5, 0)[0]) == ["x", "y"]


def test_interleaving_favours_nobody_and_finds_the_better() -> None:
    """Clicks that do not look at teams win as often for both sides; clicks on what one side found do not."""
    random = np.random.default_rng(0)
    blind, better = [], []
    for seed in range(2000):
        merged, teams = team_draft(*LISTS, 4, seed)
        clicks = random.random(4) < 1 / np.arange(1, 5)  # by place alone
        blind.append(sum(int(c) * (1 if team == "b" else -1) for c, team in zip(clicks, teams, strict=True)))
        better.append(sum((1 if t == "b" else -1) for i, t in zip(merged, teams, strict=True) if i in ("i5", "i6")))
    users = [f"u{n}" for n in range(2000)]
    assert abs(np.mean(blind)) < 4 * np.std(blind) / np.sqrt(2000)
    assert preference(users, blind).p_value > 0.01
    found = preference(users, better)
    assert found.value > 0.5
    assert 0.9 < found.low < found.value <= found.high <= 1
    assert found.p_value < 1e-6
    even = preference(["u"] * 3, [1, -1, 0])
    assert (even.value, even.p_value, even.for_neither) == (0.0, 1.0, 1)
    assert even.low < -0.5, "of one person next to nothing is known"


def test_a_preference_is_within_its_interval_as_often_as_it_says() -> None:
    """Of sixty people a third prefer b, a sixth a: true preference 1/6."""
    random = np.random.default_rng(3)
    held = []
    for _ in range(400):
        wins = random.choice([1, -1, 0], 60, p=[1 / 3, 1 / 6, 1 / 2])
        found = preference([f"u{n}" for n in range(60)], wins.tolist())
        held.append(found.low <= 1 / 6 <= found.high)
    assert 0.92 <= np.mean(held) <= 0.98
