"""Interests: a planted one is found, shares are sums over events, and nothing is claimed that is not so."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

import kg.graph
from graphrec.data.dataset import Dataset, build
from graphrec.explain.habits import habits
from graphrec.explain.interests import EACH, EVERYWHERE, Labels, over_time
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.query.ties import Ties
from graphrec.settings import KGConfig

DAY = 86_400


def brands(n_users: int = 60, n_items: int = 40, fans: int = 1) -> Dataset:
    """Users take 8 items at random, but the first ``fans``, who take brand 0 alone. Of 4 brands, 7 tags, one shop."""
    random = np.random.default_rng(0)
    rows = []
    for user in range(n_users):
        among = np.arange(0, n_items, 4) if user < fans else np.arange(n_items)
        taken = random.choice(among, 8, replace=False).tolist()
        rows += [(f"u{user:02d}", f"i{item:02d}", DAY * turn) for turn, item in enumerate(taken)]
    told = [(f"i{i:02d}", key, value) for i in range(n_items) for key, value in labels_of(i)]
    return build(
        "brands",
        pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]),
        item_attributes=pd.DataFrame(told, columns=["item_id", "key", "value"]),
    )


def labels_of(item: int) -> list[tuple[str, str]]:
    own = [("brand", f"Brand {item % 4}"), ("shop", "The shop")]
    return [*own, *(("tag", f"tag {n}") for n in {item % 7, (item * 3) % 7})]


def labelled(data: Dataset, graph: bool = True) -> Labels:
    found = knowledge_graph(data, KGConfig()) if graph else kg.graph.empty()
    return Labels(found, Ties(data))


@pytest.mark.parametrize("graph", [True, False])
def test_a_planted_interest_is_the_first_and_sure(graph: bool) -> None:
    data = brands()
    labels, ties = labelled(data, graph), Ties(data)
    first = labels.interests(ties.history(0))[0]
    assert (first.label, first.kind, first.taken) == ("Brand 0", "brand", 8)
    assert first.share == pytest.approx(0.5)
    assert first.sure > 0.95
    sure = [next(iter(labels.interests(ties.history(u)))).sure for u in range(1, 60)]
    assert np.mean(sure) < 0.9, "who takes at random has no sure interest"


def test_shares_are_those_of_a_naive_twin() -> None:
    data = brands()
    labels, ties = labelled(data), Ties(data)
    reach: dict[tuple[str, str], int] = defaultdict(int)
    for item in range(40):
        for pair in labels_of(item):
            reach[pair] += 1
    for user in (0, 7, 31):
        mine = [int(data.items.ids[i][1:]) for i in ties.history(user)]
        twin: dict[tuple[str, str], float] = defaultdict(float)
        for item in mine:
            kinds = defaultdict(list)
            for kind, label in labels_of(item):
                if reach[kind, label] <= EVERYWHERE * 40:
                    kinds[kind].append(label)
            for kind, names in kinds.items():
                idf = {name: np.log(41 / reach[kind, name]) for name in names}
                for name in names:
                    twin[kind, name] += idf[name] / sum(idf.values()) / len(kinds) / len(mine)
        found = labels.interests(ties.history(user))
        assert {(i.kind, i.label): i.share for i in found} == pytest.approx(dict(twin))
        assert sum(i.share for i in found) == pytest.approx(1)
        for i in found:
            assert sum(part for _, part in i.parts) == pytest.approx(i.share)
            assert {item for item, _ in i.parts} <= set(ties.history(user).tolist())


def test_what_every_item_has_is_no_interest_and_what_is_unknown_has_no_share() -> None:
    data = brands()
    labels = labelled(data)
    assert all(i.label != "The shop" for i in labels.interests(np.arange(40)))
    bare = build("bare", pd.DataFrame([("u", "i"), ("v", "i")], columns=["user_id", "item_id"]))
    assert labelled(bare).interests(np.array([0])) == []
    assert labels.interests(np.zeros(0, np.int64)) == []


def test_an_item_counts_for_few_labels_of_a_kind() -> None:
    rows = [(f"u{u}", f"i{i}") for u in range(6) for i in range(3)]
    tags = [(f"i{i}", "tag", f"word {n}") for i in range(2) for n in range(20)]
    data = build(
        "many",
        pd.DataFrame(rows, columns=["user_id", "item_id"]),
        item_attributes=pd.DataFrame([*tags, ("i2", "tag", "other")], columns=["item_id", "key", "value"]),
    )
    assert np.diff(labelled(data).parts.indptr).max() <= EACH


def test_more_events_make_surer() -> None:
    data = brands()
    labels = labelled(data)
    number = np.array([labels.names.index("Brand 0")])
    sure = [float(labels.sure(number, np.array([k]), n)[0]) for k, n in ((1, 2), (4, 8), (16, 32))]
    assert sure == sorted(sure)
    assert float(labels.sure(number, np.array([0.0]), 20)[0]) < 0.2


def test_what_is_disliked_is_told_by_its_label() -> None:
    labels = labelled(brands())
    known = np.arange(24)
    disliked = np.arange(0, 24, 4)
    first, *_ = [i for i in labels.disliked(known, disliked) if i.sure > 0.9]
    assert (first.label, first.taken) == ("Brand 0", 6)
    assert labels.disliked(known, known[:0]) == []


def test_drift_is_seen_over_time() -> None:
    labels = labelled(brands())
    items = np.concatenate([np.arange(0, 40, 4), np.arange(1, 40, 4)])
    top = [labels.names.index(f"Brand {n}") for n in (0, 1)]
    begins, shares = over_time(labels, items, np.arange(20) * DAY, top, 4)
    assert begins.tolist() == [0, 5 * DAY, 10 * DAY, 15 * DAY]
    np.testing.assert_allclose(shares, [[0.5, 0], [0.5, 0], [0, 0.5], [0, 0.5]])


def test_habits() -> None:
    saturday = 1_600_473_600  # 2020-09-19, midnight in UTC
    found = habits(saturday + DAY * 7 * np.arange(10) + 3600 * 9, saturday + 100 * DAY, spans_days=True)
    assert (found["first"], found["days_active"], found["weekdays"][5]) == ("2020-09-19", 10, 10)
    assert "hours" not in found, "events at one second of the day are dates"
    assert found["days_since_last"] == pytest.approx(100 - 63 - 9 / 24, abs=0.1)
    assert found["per_month"] == pytest.approx(10 / (63 / 30.44), abs=0.01)
    mixed = habits(saturday + DAY * np.arange(4) + np.array([0, 3600, 3600, 3600]), saturday, spans_days=True)
    assert mixed["hours"][:2] == [1, 3]
    assert habits(None, 0, True) == habits(np.zeros(0, np.int64), 0, True) == habits(np.arange(3), 3, False) == {}
