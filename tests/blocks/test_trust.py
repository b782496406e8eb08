"""Whom people hear where ties are directed: found where one direction alone predicts, and left as it is elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import graphrec as gr
from graphrec.blocks import trust
from graphrec.blocks.folds import Folds
from graphrec.data.dataset import Dataset
from graphrec.evaluate.validation import Validation
from graphrec.explain.check import check
from graphrec.query.hearing import BOTH, TRUSTED, TRUSTING
from graphrec.query.ties import Ties
from tests import worlds

SMALL = (
    *("blocks=popularity,spectral,neighbours,circle", "kg.enabled=false", "features.enabled=false"),
    *("spectral.rank=16", "spectral.alpha=0.4", "spectral.power=0.4", "neighbours.alpha=0.25", "neighbours.beta=0.4"),
)


def folds_of(data: Dataset) -> Folds:
    parts = worlds.given(data)
    inputs = worlds.inputs(parts.train)
    return Folds.of(inputs, Validation(inputs.ties, parts.valid))


@pytest.mark.parametrize(
    ("predicts", "expected"), [("trusting", TRUSTING), ("trusted", TRUSTED), ("both", BOTH), ("nobody", TRUSTED)]
)
def test_the_direction_that_predicts_is_found(predicts: str, expected: str) -> None:
    assert trust.heard(folds_of(worlds.trusted_by_some(predicts))) == expected


def test_nothing_is_chosen_where_friendships_are_mutual_or_none() -> None:
    data = worlds.trusted_by_some()
    edges = np.unique(np.hstack([data.social_edge_index, data.social_edge_index[::-1]]), axis=1)
    mutual = replace(data, directed=False, social_edge_index=edges)
    for other in (mutual, replace(data, social_edge_index=edges[:, :0])):
        assert trust.heard(folds_of(other)) == TRUSTED
    ties = Ties(mutual)
    for way in (TRUSTING, BOTH):
        assert abs(ties.hearing(way).friend_mean - ties.friend_mean).nnz == 0


def test_who_is_heard_is_that_of_a_naive_twin() -> None:
    data = worlds.trusted_by_some(each=12)
    source, target = data.social_edge_index
    for user in range(data.n_users):
        trusted, trusting = set(target[source == user].tolist()), set(source[target == user].tolist())
        for way, expected in ((TRUSTED, trusted), (TRUSTING, trusting), (BOTH, trusted | trusting)):
            assert Ties(data, way).friends(user) == pytest.approx(dict.fromkeys(expected, 1 / max(len(expected), 1)))


@pytest.fixture(scope="module")
def recommender() -> gr.Recommender:
    """Fitted where those who trust one alone tell anything."""
    parts = worlds.given(worlds.trusted_by_some())
    return gr.Recommender(gr.Config.load(None, SMALL), progress=False).fit_split(parts)


def test_a_model_hears_in_the_direction_that_was_chosen(recommender: gr.Recommender, tmp_path: Path) -> None:
    """Also when it is read back, updated or fitted like an earlier one."""
    model, data = recommender.fitted, worlds.trusted_by_some()
    assert model.chosen["heard"] == TRUSTING
    assert model.chosen["weights"]["circle"] > 0
    recommender.save(tmp_path / "model")
    read = gr.load(tmp_path / "model").fitted
    later = read.updated([{"user_id": "new0", "item_id": "i000"}])
    like = gr.Recommender(model.config, progress=False).fit(data, like=model).fitted
    for other in (read, later, like):
        assert other.ties.heard == TRUSTING
        assert abs(other.ties.friend_mean - model.ties.friend_mean).nnz == 0
    user = data.users.number("new1")
    fans = data.social_edge_index[0][data.social_edge_index[1] == user]
    assert set(model.profiles["circle"].users[user].indices.tolist()) == set(fans.tolist())


def test_what_is_mutual_has_no_direction_among_the_choices() -> None:
    data = replace(worlds.two_tastes(friends=True), directed=False)
    config = gr.Config.load(None, ["blocks=popularity", "kg.enabled=false", "features.enabled=false"])
    assert "heard" not in gr.Recommender(config, progress=False).fit_split(worlds.given(data)).fitted.chosen


def test_reasons_name_those_who_are_heard(recommender: gr.Recommender) -> None:
    model, told = recommender.fitted, 0
    for n in range(8):
        best = model.recommend(f"new{n}", k=1)["item_id"][0]
        explanation = model.explain(f"new{n}", best)
        assert not check(explanation, model.data, model.graph)
        told += any(step.relation == "friend" for e in explanation.evidence for step in e.path)
    assert told
