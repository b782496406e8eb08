"""Sides from content: a planted map is found, sums stay exact, and only what few people took is changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import graphrec as gr
from graphrec.data.dataset import Dataset, build
from graphrec.data.split import split
from graphrec.experiment import evaluate_model
from graphrec.model.model import Model
from graphrec.profile.content import SURE, Content, content_of, informed
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.query import Queries, query_of
from graphrec.query.ties import Ties


def shop(n_users: int = 120, n_items: int = 60, told: bool = True) -> Dataset:
    """Six tastes; each item has the brand of its taste, and somebody takes eight of the ten items of one."""
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", f"i{u % 6 + 6 * i}") for u in range(n_users) for i in rng.permutation(n_items // 6)[:8]]
    events = pd.DataFrame(rows, columns=["user_id", "item_id"])
    brand = [f"b{n % 6 if told else rng.integers(6)}" for n in range(n_items)]
    brands = pd.DataFrame({"item_id": [f"i{n}" for n in range(n_items)], "key": "brand", "value": brand})
    return build("shop", events, item_attributes=brands)


CONFIG = gr.Config().with_(
    blocks="popularity,spectral,ease",
    features={"enabled": False},
    kg={"enabled": False},  # no entity is a row of a matrix
    split={"kind": "cold-item", "test": 0.15, "valid": 0.15},
    spectral={"rank": [8], "beta": [0.5], "power": [0.0], "alpha": [0.5]},
    ease={"regularisation": [10]},
    evaluate={"k": "5"},
)


def test_the_map_is_that_of_weighted_ridge() -> None:
    rng = np.random.default_rng(3)
    features, across = rng.normal(size=(50, 4)), rng.normal(size=(4, 3))
    sides = features @ across + 0.5
    counts = np.where(np.arange(50) < 40, 20.0, 0.0)
    content = Content(features.astype(np.float32), counts.astype(np.float32))
    new = counts == 0
    broken = np.where(new[:, None], 9.0, sides)  # what a block has for items that nobody took says nothing
    np.testing.assert_allclose(content.predicted(broken, new, 1e-9), sides[new], atol=1e-4)
    flat = content.predicted(broken, new, 1e9)
    np.testing.assert_allclose(flat, np.broadcast_to(sides[~new].mean(axis=0), flat.shape), atol=1e-5)
    wide = content.predicted(broken, new, 1.0, spread=1.0) - sides[~new].mean(axis=0)
    near = content.predicted(broken, new, 1.0) - sides[~new].mean(axis=0)
    ratio = wide / near
    np.testing.assert_allclose(ratio, ratio.flat[0], rtol=1e-6)
    assert ratio.flat[0] > 1


def test_the_share_of_the_content_falls_with_events() -> None:
    content = Content(np.eye(4, dtype=np.float32), np.array([0, 1, 3, 500], np.float32))
    np.testing.assert_allclose(content.share(0.0), [1, 0, 0, 0])
    np.testing.assert_allclose(content.share(3.0), [1, 0.75, 0.5, 0])
    untold = Content(np.zeros((4, 2), np.float32), content.counts)
    assert not untold.share(3.0).any()


@pytest.fixture(scope="module")
def model() -> Model:
    data = shop()
    parts = split(data, CONFIG.split)
    return gr.Recommender(CONFIG).fit_split(parts).fitted


def test_new_items_are_found_by_their_brand() -> None:
    config = CONFIG.with_(blocks="popularity,spectral")
    plain = evaluate_model(shop(), config.with_(content={"use": False}))
    told = evaluate_model(shop(), config)
    shuffled = evaluate_model(shop(told=False), config)
    assert told["metrics"]["ndcg@5"] > 0.8, told["chosen"]
    assert plain["metrics"]["ndcg@5"] < 0.2
    assert shuffled["metrics"]["ndcg@5"] < 0.3
    assert told["chosen"]["content"]["spread"] in CONFIG.content.spread


def test_scores_stay_sums_and_stored_rows_are_encoded(model: Model) -> None:
    assert model.chosen["content"]
    new = int(np.flatnonzero(~model.ties.taken)[0])
    for block in model.profiles.heard:
        queries = Queries.of(model.ties, [query_of(model.ties, u) for u in range(20)])
        made, kept = (
            side.toarray() if hasattr(side, "toarray") else side for side in (block.encode(queries), block.users[:20])
        )
        np.testing.assert_allclose(made, kept, atol=1e-5)
        effects = block.effects(queries[np.array([3])], new)
        if effects is not None:
            total = effects.shares.sum() + effects.rest
            assert total == pytest.approx(block.score(queries[np.array([3])], new)[0], abs=1e-4)
    assert any(np.asarray(b.items[new].sum()).any() for b in model.profiles.heard)


def test_what_many_took_keeps_its_side(model: Model) -> None:
    content = content_of(model.ties, None)
    block = model.profiles["spectral"]
    other = informed(block, content, model.ties, 0.3, 0.5)
    many = content.counts > 10
    assert many.any()
    assert (other.items[~many] != block.items[~many]).any()
    np.testing.assert_array_equal(other.items[many], block.items[many])


@pytest.mark.parametrize("name", ["spectral", "near"])
def test_rows_of_some_users_are_those_of_all(model: Model, name: str) -> None:
    content, some, taken = content_of(model.ties, None), np.array([3, 7, 50]), model.ties.matrix
    near = NeighbourBlock("near", taken, sp.csr_matrix(taken.T @ taken, dtype=np.float32)).fitted(model.ties)
    block = near if name == "near" else model.profiles[name]
    whole = informed(block, content, model.ties, 0.3, 0.5)
    part = informed(block, content, model.ties, 0.3, 0.5, users=some)
    asked = Queries.stored(model.ties, some)
    np.testing.assert_allclose(part.scores(asked), whole.scores(asked), rtol=1e-5, atol=1e-6)
    others = Queries.stored(model.ties)  # of which some keep their rows
    assert abs(part.scores(others) - whole.scores(others)).max() > 1e-3


def test_who_took_a_test_item_is_not_counted() -> None:
    data = shop()
    parts = split(data, CONFIG.split)
    content = content_of(Ties(parts.fit_data), None)
    cold = np.unique(parts.test.events.item_nums)
    assert not content.counts[cold].any()
    assert content.told[cold].all()
    other = content_of(Ties(replace(parts.fit_data, item_attributes=data.item_attributes[:0])), None)
    assert not other.told.any()


def test_a_fit_without_a_test_part_tells_new_items_too() -> None:
    data = shop(n_items=120)
    kept = data.subset(~np.isin(data.events.item_nums, [3, 10]))
    model = gr.Recommender(CONFIG.with_(split={"kind": "random"}, content={"cost": 0.02})).fit(kept).fitted
    assert model.chosen.get("content"), model.chosen
    for new in (3, 10):
        name = data.items.ids[new]
        lover = next(u for u in data.users.ids if int(u[1:]) % 6 == int(name[1:]) % 6)
        assert name in set(model.recommend(lover, 12)["item_id"]), (name, lover)


def test_sparse_sides_are_told_as_dense_ones_are() -> None:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(30, 3)).astype(np.float32)
    content = Content(features, rng.integers(0, 6, 30).astype(np.float32))
    sides = rng.random((30, 30)) * (rng.random((30, 30)) < 0.3)
    rows = content.counts == 0
    for spread in (0.0, 1.0):
        dense, sparse = (content.predicted(s, rows, 0.1, spread) for s in (sides, sp.csr_matrix(sides)))
        np.testing.assert_allclose(dense, sparse, atol=1e-9)


def test_features_that_are_all_alike_tell_nothing_and_break_nothing() -> None:
    content = Content(np.ones((4, 3), np.float32), np.array([2, 1, 3, 0], np.float32))
    sides = np.random.default_rng(0).random((4, 5)).astype(np.float32)
    sure = content.counts[:3] / (content.counts[:3] + SURE)
    expected = np.average(sides[:3], axis=0, weights=sure)
    np.testing.assert_allclose(content.predicted(sides, np.array([3]), 1.0)[0], expected, rtol=1e-5)
