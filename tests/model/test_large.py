"""Lists and graph through ``recommend``: what exact search answers, nearly always; filters and exclusions always."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.data.dataset import build
from graphrec.model.model import Model
from graphrec.profile.index import Index

USERS, ITEMS, TASTES = 150, 3000, 12
CHOSEN: dict[str, Any] = {
    "popularity": {"half_life": 0.0, "reading": "alike"},
    "spectral": {"reading": "alike", "alpha": 0.4, "rank": 32, "beta": 0.4, "power": 0.4, "friends": 0.0},
    "neighbours": {"reading": "alike", "n": 20, "alpha": 0.5, "beta": 0.4, "friends": 0.0},
}


@pytest.fixture(
    scope="module",
    params=[
        ("popularity,spectral", "lists"),
        ("popularity,spectral", "graph"),
        ("popularity,spectral,neighbours", "lists"),
    ],
)
def graph(request: pytest.FixtureRequest) -> Model:
    """A model over lists or HNSW: twelve tastes of 250 items, 60 events each; one item in 100 costs less than 1."""
    random = np.random.default_rng(0)
    rows = []
    for user in range(USERS):
        near = np.flatnonzero(np.arange(ITEMS) % TASTES == user % TASTES)
        rows += [(f"u{user}", f"i{item}") for item in random.permutation(near)[:50]]
        rows += [(f"u{user}", f"i{item}") for item in random.integers(0, ITEMS, 10)]
    prices = pd.DataFrame({"item_id": [f"i{n}" for n in range(ITEMS)], "key": "price", "value": "1.5"})
    prices.loc[random.permutation(ITEMS)[: ITEMS // 100], "value"] = "0.5"
    data = build("many items", pd.DataFrame(rows, columns=["user_id", "item_id"]), item_attributes=prices)
    blocks, large = request.param
    config = gr.Config().with_(
        blocks=blocks, kg={"enabled": False}, features={"enabled": False}, retrieve={"exact_below": 0, "large": large}
    )
    weights = dict.fromkeys(config.blocks, 1.0)
    chosen = {name: CHOSEN[name] for name in config.blocks}
    return gr.Recommender(config).fit(data, {**chosen, "weights": weights}).fitted


@pytest.fixture(scope="module")
def exact(graph: Model) -> Model:
    """The same profiles, all of them scored."""
    config = graph.config.with_(retrieve={"exact_below": ITEMS})
    index = Index.build(graph.profiles.item_matrix(), config.retrieve)
    return replace(graph, config=config, index=index)


def lists(table: pd.DataFrame) -> dict[str, list[str]]:
    return {str(user): rows["item_id"].tolist() for user, rows in table.groupby("user_id", sort=False)}


def recall(found: pd.DataFrame, true: pd.DataFrame) -> float:
    mine, theirs = lists(found), lists(true)
    return float(np.mean([len({*mine[user]} & {*items}) / len(items) for user, items in theirs.items()]))


@pytest.mark.parametrize("options", [{}, {"seen": "allow"}, {"filter": "price < 1"}, {"filter": "price > 1"}], ids=str)
def test_the_graph_answers_what_exact_search_does(graph: Model, exact: Model, options: dict[str, Any]) -> None:
    users = list(graph.data.users.ids)
    found, true = graph.recommend(users, 10, **options), exact.recommend(users, 10, **options)
    assert len(found) == len(true) == 10 * USERS, "k items, whatever the filter leaves"
    assert recall(found, true) >= 0.97
    both = found.merge(true, on=["user_id", "item_id"])
    np.testing.assert_allclose(both["score_x"], both["score_y"], rtol=1e-5)


def test_a_filter_that_leaves_one_in_a_hundred_brings_k_of_them(graph: Model) -> None:
    cheap = graph.attributes["price"]
    allowed = {graph.data.items.ids[n] for n in cheap.item_nums[cheap.values < 1]}
    assert len(allowed) == ITEMS // 100
    for user in ("u0", "u7", "stranger"):
        found = graph.recommend(user, 10, filter="price < 1")
        assert len(set(found["item_id"]) & allowed) == 10
    everything = graph.recommend("u0", 100, filter="price < 1", seen="allow")
    assert set(everything["item_id"]) == allowed


@pytest.mark.parametrize("options", [{}, {"filter": "price < 1"}, {"exclude": ["i12", "i24"]}], ids=str)
def test_a_batch_is_its_users_one_by_one(graph: Model, options: dict[str, Any]) -> None:
    users = ["u0", "u1", "u2", "u33", "stranger", "u149"]
    batch = graph.recommend(users, 10, **options)
    single = pd.concat([graph.recommend(user, 10, **options) for user in users], ignore_index=True)
    assert batch["item_id"].tolist() == single["item_id"].tolist()
    np.testing.assert_allclose(batch["score"], single["score"], rtol=1e-5)


def test_exclusions_hold(graph: Model, exact: Model) -> None:
    users = list(graph.data.users.ids)
    out = sorted({item for items in lists(graph.recommend(users, 3)).values() for item in items})
    found = graph.recommend(users, 10, exclude=out)
    assert not {*found["item_id"]} & {*out}
    assert recall(found, exact.recommend(users, 10, exclude=out)) >= 0.97
    seen = graph.ties.known
    pairs = graph.data.users.numbers(found["user_id"].tolist()), graph.data.items.numbers(found["item_id"].tolist())
    assert not np.asarray(seen[pairs]).any()
