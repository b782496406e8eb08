"""Newcomers are asked with their first events, and with nothing that came later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.cli.measure import _show
from graphrec.data.dataset import Dataset, build
from graphrec.data.kinds import Kind
from graphrec.data.split import Split, split
from graphrec.errors import ConfigError
from graphrec.evaluate.questions import questions
from graphrec.evaluate.ranking import Report, Task
from graphrec.experiment import _by_necessity, _unheard, compare_models, evaluate_model, measure_lists
from graphrec.query.ties import Ties
from graphrec.settings import SplitConfig
from graphrec.types import Vocabulary


def rated(times: bool = True, n_users: int = 60) -> Dataset:
    """Two tastes by user, of even and of odd items; each user has one to twelve ratings."""
    rng = np.random.default_rng(1)
    rows = []
    for user in range(n_users):
        items = user % 2 + 2 * rng.permutation(20)[: 1 + user % 12]
        for turn, item in enumerate(items):
            rows.append((f"u{user}", f"i{item}", float(rng.integers(2, 6)), 5000 * user + 100 * turn))
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "value", "timestamp"])
    kinds = [Kind("review", values="rating", scale=(1, 5))]
    friends = pd.DataFrame({"user_id": ["u0", "u1"], "friend_id": ["u2", "u3"]})
    return build("rated", events if times else events.drop(columns="timestamp"), kinds=kinds, friends=friends)


def cut(data: Dataset) -> Split:
    return split(data, SplitConfig(kind="cold-user", valid=0.2, test=0.4))


@pytest.mark.parametrize("times", [True, False])
def test_first_events_are_known_and_the_rest_is_to_be_found(times: bool) -> None:
    parts = cut(rated(times))
    found = questions(Ties(parts.fit_data), parts, Task("all"))
    assert found.known is not None
    assert found.queries.asked is not None
    log = parts.test.events
    for n, (user, known) in enumerate(zip(found.people.tolist(), found.known.tolist(), strict=True)):
        query = found.queries.asked[n]
        mine = set(log.item_nums[log.user_nums == user].tolist())
        assert len(query.items) == known < len(mine)
        assert set(query.items.tolist()) | set(found.truth[n].indices.tolist()) == mine
        assert not set(query.items.tolist()) & set(found.truth[n].indices.tolist())
        if times:
            assert log.timestamps is not None
            at = log.timestamps[log.user_nums == user]
            assert query.now == np.sort(at)[known]
            assert query.times is not None
            assert query.times.tolist() == np.sort(at)[:known].tolist()
    counts = np.bincount(log.user_nums)
    assert [(found.known == n).sum() for n in (0, 1, 3, 5)] == [(counts > n).sum() for n in (0, 1, 3, 5)]


def test_what_came_later_is_not_heard() -> None:
    parts = cut(rated())
    log = parts.test.events
    assert log.timestamps is not None
    place = (log.timestamps % 5000) // 100
    later = replace(log, values=np.where(place >= 3, np.float32(1), log.values))
    other = replace(parts, test=replace(parts.test, events=later))
    ties = Ties(parts.fit_data)
    ours, theirs = (questions(ties, p, Task("all")) for p in (parts, other))
    assert ours.queries.asked is not None
    assert theirs.queries.asked is not None
    assert ours.known is not None
    for mine, its, known in zip(ours.queries.asked, theirs.queries.asked, ours.known, strict=True):
        if known <= 3:
            np.testing.assert_array_equal(mine.strengths, its.strengths)


CONFIG = gr.Config().with_(
    blocks="popularity,ease",
    features={"enabled": False},
    kg={"enabled": False},
    split={"kind": "cold-user", "test": 0.4, "valid": 0.2},
    evaluate={"relevant": "all", "k": "3", "trials": 2},
)


def test_evaluate_has_a_row_for_each_number_and_says_who_has_fewer(capsys: pytest.CaptureFixture[str]) -> None:
    document = evaluate_model(rated(), CONFIG)
    rows = {row["events"]: row for row in document["known"]}
    assert list(rows) == [0, 1, 3, 5]
    assert document["users"] == rows[0]["users"] == 24
    assert document["questions"] == sum(row["users"] for row in rows.values())
    assert all(row["users"] + row["fewer"] == 24 for row in rows.values())
    assert rows[3]["metrics"]["ndcg@3"] > 1.5 * rows[0]["metrics"]["ndcg@3"], "one event tells even from odd"
    assert any("nothing left to find after their first 5 events" in line for line in document["warnings"])
    assert any("only 24 test users" in line for line in document["warnings"]), "people, however often they are asked"
    _show(document, [])
    assert f"24 users in {document['questions']} askings" in " ".join(capsys.readouterr().out.split())


def test_compare_asks_all_models_the_same(tmp_path: Path) -> None:
    found = compare_models(rated(), ["popularity", "ease", "graphrec"], CONFIG)
    assert found.users == 24
    assert [len(row.known) for row in found.rows] == [4, 4, 4]
    popular, ease, own = found.rows
    assert ease.known[0]["metrics"] == popular.known[0]["metrics"], "without an event all is popularity"
    assert own.known[2]["metrics"]["ndcg@3"] > popular.known[2]["metrics"]["ndcg@3"]
    lists = tmp_path / "lists.csv"
    lists.write_text("user_id,item_id,rank\nu0,i0,1\n")
    with pytest.raises(ConfigError, match="one answer"):
        measure_lists(rated(), CONFIG, lists)


def test_figures_that_tell_of_no_choice_are_warned_of() -> None:
    def warned(items: int, auc: float) -> str:
        data = replace(rated(), items=Vocabulary([f"i{n}" for n in range(items)]))
        return " ".join(_by_necessity(data, Report({"auc": auc}, {}, np.arange(3))))

    assert "one item, so there is nothing to rank" in warned(1, 1.0)
    assert "AUC is 0.412, below .5" in warned(9, 0.412)
    assert not warned(9, 0.5)


def test_a_held_out_item_that_nothing_heard_could_know_is_warned_of() -> None:
    assert "popularity alone carries weight" in _unheard("cold-item", {"popularity": 1.0, "ease": 0.0})[0]
    assert not _unheard("cold-item", {"popularity": 1.0, "semantic": 0.1})
    assert not _unheard("temporal", {"popularity": 1.0})
