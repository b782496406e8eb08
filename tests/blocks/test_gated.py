"""Blocks count by what is known of who asks: found where it is planted, left out elsewhere, and exact in reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.blocks import gated as blocks_gated
from graphrec.blocks.blend import blend
from graphrec.blocks.folds import Folds
from graphrec.blocks.gated import Gated, gated
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.evaluate.validation import Validation
from graphrec.explain.shares import shares
from graphrec.model.parts import parts as parts_of
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.gate import FEATURES, Gate, features
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries, Query
from graphrec.query.ties import Ties
from graphrec.types import Floats
from tests import worlds

N_USERS, N_ITEMS, FEW, MANY = 240, 60, 2, 12


def halves(seed: int = 0) -> Dataset:
    """People of whom two events are known, and people of whom twelve are; one thing is held out of each."""
    random, rows = np.random.default_rng(seed), []
    for user in range(N_USERS):
        items = random.permutation(N_ITEMS)[: (FEW if user % 2 else MANY) + 2]
        kinds = [VALID, TEST, *[TRAIN] * (len(items) - 2)]
        rows += [(f"u{user:03d}", f"i{item:02d}", part) for item, part in zip(items, kinds, strict=True)]
    return build("halves", pd.DataFrame(rows, columns=["user_id", "item_id", "part"]))


def told(data: Dataset, by: Callable[[int], int], seed: int = 0) -> tuple[dict[str, list[ProfileBlock]], Folds]:
    """Two blocks that know nothing but what one user in two is held out: which of them it is says ``by`` the user."""
    parts, random = worlds.given(data), np.random.default_rng(seed)
    truth = parts.valid.matrix().toarray()
    sides = random.normal(size=(2, data.n_users, N_ITEMS)).astype(np.float32)
    for user in range(data.n_users):
        sides[by(user), user] += 3 * truth[user]
    eye = np.eye(N_ITEMS, dtype=np.float32)
    blocks = {n: [ProfileBlock(n, s / s.std(axis=1, keepdims=True), eye)] for n, s in zip("ab", sides, strict=True)}
    inputs = worlds.inputs(parts.train)
    return blocks, Folds.of(inputs, Validation(inputs.ties, parts.valid))


def found(data: Dataset, by: Callable[[int], int]) -> tuple[Gated, dict[str, list[ProfileBlock]], Folds]:
    blocks, folds = told(data, by)
    weights, _ = blend(list(blocks.values()), folds, 60)
    return gated(blocks, folds, weights, 60), blocks, folds


def scored(profiles: Profiles, queries: Queries) -> Floats:
    return np.asarray(profiles.encode(queries)[0] @ profiles.item_matrix().T, np.float32)


def test_a_block_that_tells_of_those_with_a_long_history_is_heard_for_them() -> None:
    """The gate ranks better, as it was judged on people by whom it was not learned, and does so as one product."""
    gate, blocks, folds = found(halves(), lambda user: user % 2)
    assert gate.gate is not None
    assert gate.gain > 2 * gate.error > 0
    few, many = (Query(items=np.arange(n), strengths=np.ones(n, np.float32)) for n in (FEW, MANY))
    factor = gate.gate.factors(Queries.of(folds.inputs.ties, [few, many]))
    assert factor["a"][1] > 2 * factor["a"][0], "of the twelve, block a tells"
    assert factor["b"][0] > 2 * factor["b"][1]
    profiles = Profiles(tuple(b[0].reweighted(1.0) for b in blocks.values()), gate.gate)
    validation = folds[0].validation
    plain, swayed = (
        validation.per_user_ndcg_of(partial(scored, p)).mean() for p in (replace(profiles, gate=None), profiles)
    )
    assert swayed > 1.05 * plain


def test_there_is_none_where_it_tells_nothing() -> None:
    random = np.random.default_rng(1).integers(0, 2, N_USERS)
    for by in (lambda user: int(random[user]), lambda user: 0):
        gate, _, _ = found(halves(), by)
        assert gate.gate is None
        assert gate.gain <= 2 * gate.error


def test_nobody_is_judged_by_what_was_learned_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is in several folds is in one part."""
    blocks, folds = told(halves(), lambda user: user % 2)
    twice = Folds([folds[0], folds[0]])
    rows: list[list[np.ndarray[Any, Any]]] = []
    by: list[np.ndarray[Any, Any]] = []
    learned, swayed = blocks_gated._learned, blocks_gated._swayed

    def learning(of: Any, some: Any) -> Any:
        rows.append(some)
        return learned(of, some)

    def judging(fold: Any, slopes: Any, part: Any) -> Any:
        by.append(part)
        return swayed(fold, slopes, part)

    monkeypatch.setattr(blocks_gated, "_learned", learning)
    monkeypatch.setattr(blocks_gated, "_swayed", judging)
    gated({n: [*b, *b] for n, b in blocks.items()}, twice, {"a": 1.0, "b": 1.0}, 60)
    np.testing.assert_array_equal(by[0], by[1])
    for part, learning_rows in enumerate(rows[: blocks_gated.PARTS]):
        for fold in range(2):
            assert learning_rows[fold].any()
            assert not learning_rows[fold][by[fold] == part].any()


def test_there_is_none_with_few_people_or_one_block() -> None:
    blocks, folds = told(halves(), lambda user: user % 2)
    assert gated(blocks, folds, {"a": 1.0, "b": 0.0}, 60) == Gated()
    few = Folds([replace(folds[0], validation=folds[0].validation.few(40))])
    assert gated(blocks, few, {"a": 1.0, "b": 1.0}, 60).gate is None


def test_features_are_those_of_naive_twins() -> None:
    rows = [("ann", "tea", 1), ("ann", "pot", 9), ("bob", "tea", 2), ("cid", "tea", 3), ("cid", "cup", 3)]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    events["timestamp"] *= 86_400
    users = pd.DataFrame({"user_id": ["dee"]})
    friends = pd.DataFrame({"user_id": ["ann", "dee"], "friend_id": ["bob", "ann"]})
    data = build("tea", events, users=users, friends=friends)
    ties, nums = Ties(data), [data.users.number(u) for u in ("ann", "bob", "dee")]
    out = features(Queries.stored(ties, np.array(nums)))
    assert tuple(FEATURES) == ("events", "support", "last", "recency", "friends")
    support = (np.log1p(3) + np.log1p(1)) / 2
    np.testing.assert_allclose(out[0], [np.log(3), support, np.log1p(1), 0.0, np.log(3)])
    np.testing.assert_allclose(out[1], [np.log(2), np.log1p(3), np.log1p(3), np.log1p(7), np.log(2)])
    assert np.isnan(out[2]).all(), "nothing is known of dee but a friend"
    gate = Gate(tuple(FEATURES), (0.5,) * 5, (2.0,) * 5, {"a": (1.0,) * 5})
    factor = gate.factors(Queries.stored(ties, np.array(nums)))["a"]
    assert factor[2] == 1.0
    assert factor[1] == pytest.approx(np.exp(((out[1] - 0.5) / 2).sum()))
    bare = Ties(build("bare", events[["user_id", "item_id"]]))
    assert np.isnan(features(Queries.stored(bare))[:, 3]).all()
    assert Gate.of(gate.told()) == gate
    assert Gate.of(None) is None


SMALL = ("blocks=popularity,spectral,neighbours", "kg.enabled=false", "features.enabled=false")


@pytest.fixture(scope="module")
def recommender() -> gr.Recommender:
    """With a gate as if it had been chosen."""
    data = worlds.two_tastes(friends=True)
    chosen = gr.Recommender(gr.Config.load(None, SMALL), progress=False).fit(data).fitted.chosen
    slopes = {"popularity": (0.9, -0.3), "spectral": (-0.4, 0.5), "neighbours": (0.3, 0.8)}
    gate = Gate(("events", "support"), (1.0, 2.0), (0.5, 0.3), slopes).told()
    weights = {"popularity": 0.3, "spectral": 1.0, "neighbours": 0.6}
    made = gr.Recommender(gr.Config.load(None, SMALL), progress=False)
    return made.fit(data, {**chosen, "weights": weights, "gate": gate})


def test_scores_are_one_product_and_their_parts_sum_to_them(recommender: gr.Recommender) -> None:
    """Of stored people, strangers with a history and people as they are asked; in explanations too."""
    model = recommender.fitted
    profiles, ties, all_items = model.profiles, model.ties, np.arange(model.data.n_items)
    assert profiles.gate is not None
    stranger = Query(items=np.array([1, 3]), strengths=np.ones(2, np.float32))
    for queries in (Queries.stored(ties, np.array([4])), Queries.of(ties, [stranger])):
        profile, sparse, _ = profiles.encode(queries)
        assert sparse is not None
        scores = profile[0] @ model.items.T + sparse[0]
        by_hand: Floats = np.sum(
            [w[:, None] * profiles[n].scores(queries) for n, w in profiles.weights_of(queries).items()], axis=0
        )[0]
        np.testing.assert_allclose(scores, by_hand, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(sum(parts_of(model, queries, all_items).values()), scores, rtol=1e-4, atol=1e-5)
        for item in (0, 7):
            split = shares(profiles, queries, item)
            assert split.score == pytest.approx(float(scores[item]), rel=1e-4, abs=1e-5)
            whole = sum(split.history.values()) + sum(split.friends.values()) + sum(split.rest.values())
            assert whole + sum(split.dislikes.values()) == pytest.approx(split.score, rel=1e-3, abs=1e-5)
    plain = replace(profiles, gate=None).encode(Queries.stored(ties, np.array([4])))[0]
    assert not np.allclose(plain, profiles.encode(Queries.stored(ties, np.array([4])))[0])
    np.testing.assert_allclose(model.users[4], profiles.encode(Queries.stored(ties, np.array([4])))[0][0], rtol=1e-5)


def test_it_is_kept_by_a_file_an_update_and_other_weights(recommender: gr.Recommender, tmp_path: Path) -> None:
    model = recommender.fitted
    recommender.save(tmp_path / "model")
    read = gr.load(tmp_path / "model").fitted
    later = model.updated([{"user_id": "u000", "item_id": "i001"}])
    for other in (read, later):
        assert other.profiles.gate == model.profiles.gate
    assert read.recommend("u004", k=5)["item_id"].tolist() == model.recommend("u004", k=5)["item_id"].tolist()
    from graphrec.model.slid import slid

    query = Queries.stored(model.ties, np.array([4]))
    same, other = slid(model, {}), slid(model, {"popularity": 0.9})
    np.testing.assert_allclose(same.profiles.encode(query)[0], model.profiles.encode(query)[0], rtol=1e-5)
    score = other.profiles.encode(query)
    assert score[1] is not None
    expected = sum(other.profiles.contributions(query, 7).values())
    assert float(score[0][0] @ model.items[7] + score[1][0, 7]) == pytest.approx(expected, rel=1e-4)
