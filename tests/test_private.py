"""Private models: what is learned is sums with noise, nothing else is, and what it cost is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import graphrec
from graphrec.config import Config
from graphrec.data.dataset import Dataset, build
from graphrec.errors import ConfigError
from graphrec.fit import Fitting, learn
from graphrec.forgetting import forgotten
from graphrec.linalg.sums import ItemSums
from graphrec.model.card import card
from graphrec.model.model import Model
from graphrec.pooled import Judge
from graphrec.privacy.accountant import Sampled, epsilon_of, epsilon_of_sampled, mu_of
from graphrec.privacy.mechanism import Gaussian, released_sums
from graphrec.private import PRIVATE, Spent, bare, checked, fitted, unjudged
from graphrec.query.query import Queries
from graphrec.recommender import Recommender
from graphrec.runtime import Runtime

SETTINGS = ("blocks=popularity,neighbours", "features.enabled=false", "neighbours.n=20", "neighbours.beta=0.0,0.4")


def tastes(n_users: int = 1500, n_items: int = 40) -> Dataset:
    """Even people take even items, odd people odd ones; friends and attributes beside, which must not count."""
    random, rows = np.random.default_rng(0), []
    for user in range(n_users):
        for time, item in enumerate(random.permutation(np.arange(user % 2, n_items, 2))[: random.integers(2, 9)]):
            rows.append((f"u{user:04d}", f"i{item:02d}", time))
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    friends = pd.DataFrame({"user_id": ["u0000", "u0001"], "friend_id": ["u0002", "u0003"]})
    told = pd.DataFrame({"user_id": ["u0000", "u0001"], "key": "city", "value": ["Graz", "Linz"]})
    return build("tastes", events, friends=friends, user_attributes=told)


def fitting(*settings: str) -> Fitting:
    config = Config.load(None, [*SETTINGS, *settings])
    return Fitting(config, Runtime(device="cpu"), lambda: pytest.fail("no texts"))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return tastes()


@pytest.fixture(scope="module")
def model(data: Dataset) -> Iterator[Model]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graphrec.private.LEAST", 50)  # judges
        patch.setattr("graphrec.private.TOLERATED", 0.02)
        yield fitted(data, fitting("privacy.epsilon=8"), noise=Gaussian(np.random.default_rng(0)))


def test_it_finds_what_is_planted(model: Model, data: Dataset) -> None:
    found = model.recommend(data.users.ids[:200], k=5)
    same = found["item_id"].str[1:].astype(int) % 2 == found["user_id"].str[1:].astype(int) % 2
    assert same.mean() > 0.95


@pytest.mark.parametrize(("directions", "first"), [(1, "popularity"), (2, "neighbours")])
def test_what_tells_people_apart_comes_first_where_enough_is_above_the_noise(directions: int, first: str) -> None:
    sides = np.random.default_rng(0).normal(size=(20, directions))
    ids = tuple(f"i{n:02d}" for n in range(20))
    sums = ItemSums(ids, 100.0, np.full(20, 9.0), {0.5: sides @ sides.T})
    weights = unjudged(checked(Config.load(None, [*SETTINGS, "privacy.epsilon=1"]), 20), sums).weights
    assert max(weights, key=weights.__getitem__) == first


def test_what_it_cost_is_said_and_adds_up(model: Model, data: Dataset, tmp_path: Path) -> None:
    spent = model.chosen[PRIVATE]
    assert (spent["epsilon"], spent["delta"], spent["fits"]) == (8.0, 1e-6, [8.0])
    assert spent["judges"] > 50
    assert spent["candidates"] > 1
    assert "ε = 8 at δ = 1e-06" in card(model)
    again = fitted(data, fitting("privacy.epsilon=8"), like=model)
    both = again.chosen[PRIVATE]
    assert both["fits"] == [8.0, 8.0]
    assert both["epsilon"] == pytest.approx(epsilon_of(mu_of(8.0, 1e-6) * 2**0.5, 1e-6), abs=1e-3)
    Recommender.of(again).save(tmp_path / "model")
    assert graphrec.load(tmp_path / "model").fitted.chosen[PRIVATE] == both


def test_a_block_by_private_steps_is_in_the_budget(data: Dataset, tmp_path: Path) -> None:
    """Steps beside sums cost no more than was allowed, they add up over fits, and what is learned is kept."""
    pytest.importorskip("opacus", reason="private steps need the extra privacy")
    ways = fitting("privacy.epsilon=8", "blocks=popularity,neighbours,autoencoder", "privacy.judges=0")
    first = fitted(data, ways)
    one = first.chosen[PRIVATE]
    twice = Spent.of(1e-6, one) + Spent.of(1e-6, one)
    ((noise, rate, _),) = one["steps"][0]
    assert noise > 0.3
    assert 0 < rate < 1
    assert 7.5 < one["epsilon"] <= 8.0
    steps = [Sampled(*each) for each in one["steps"][0]] * 2
    assert twice.epsilon == epsilon_of_sampled(one["mus"] * 2, steps, 1e-6)
    assert 11 < twice.epsilon < 16
    assert "autoencoder" in first.profiles.weights
    scores = first.profiles["autoencoder"].scores(Queries.stored(first.ties, np.arange(100)))
    best = np.argsort(-scores, axis=1)[:, :10]
    assert (best % 2 == np.arange(100)[:, None] % 2).mean() > 0.9
    Recommender.of(first).save(tmp_path / "model")
    assert graphrec.load(tmp_path / "model").fitted.chosen[PRIVATE] == one


def test_noise_is_drawn_anew_and_the_version_is_not_of_the_data(data: Dataset) -> None:
    first, second = (fitted(data, fitting("privacy.epsilon=8", "privacy.judges=0")) for _ in range(2))
    assert np.abs(first.items - second.items).max() > 0
    assert first.version.partition("-")[0] != second.version.partition("-")[0]
    assert first.chosen["weights"] == second.chosen["weights"]  # nobody judged


def test_nothing_else_of_people_is_in_it(model: Model, data: Dataset) -> None:
    """No friends, no attributes; no count of people and nobody else is told of."""
    assert not model.data.social_edge_index.size
    assert not len(model.data.user_attributes)
    item = model.recommend("u0000", k=1)["item_id"].iloc[0]
    why = model.explain("u0000", item)
    assert sum(why.shares.values()) == pytest.approx(why.score, abs=1e-5)
    assert len([share for share in why.shares if share.startswith("item:")]) > 1
    steps = [step for evidence in why.evidence for step in evidence.path]
    assert {end for step in steps for end in (step.head, step.tail) if end.startswith("user:")} == {"user:u0000"}
    assert "because of what you took" in why.text
    stranger = model.explain("nobody", item)
    assert "took this" not in stranger.text, "nor whether anybody did"
    assert model.profile("u0000")["neighbours"] == []
    assert model.why_not("u0000", "i01", 3)
    told = bare(data, ["ials"]).report.all_warnings()
    assert any("friendships are not learned from" in line for line in told)
    assert any("ials" in line for line in told)


def test_nothing_that_one_person_did_changes_an_answer_to_others(model: Model) -> None:
    """An item that one person took, or nobody: only what was released may tell, and that is the same."""
    events = model.data.events
    item = model.data.items.number("i00")
    one = int(events.user_nums[events.item_nums == item][0])
    nobody = model.data.subset(events.item_nums != item)
    alone = model.data.subset((events.item_nums != item) | (events.user_nums == one))
    whose, asker = model.data.users.ids[one], "u0003"
    answers = []
    for data in (alone, nobody):
        asked = replace(model, data=data)
        found = [asked.recommend(who, 5, context={"friends": [whose]}) for who in (asker, "a stranger")]
        found.append(asked.similar("i00", 5))
        told = [f.to_json(orient="values") + str(f.attrs) for f in found]
        for who in (asker, "a stranger"):
            told.append(asked.explain(who, "i00", friends=[whose]).text)
            told += asked.why_not(who, "i00", 3, friends=[whose]).missing
            told.append(str(asked.profile(who, friends=[whose])["friends"]))
        answers.append(told)
    assert answers[0] == answers[1]
    assert "friends are not heard" in answers[0][0]
    assert not any("took this" in text for text in answers[0])


def test_an_update_and_an_erasure_learn_nothing_of_items(model: Model) -> None:
    later = model.updated([{"user_id": f"new{n}", "item_id": "i00", "timestamp": 9} for n in range(300)])
    np.testing.assert_array_equal(later.items, model.items)
    less, _ = forgotten(model, ["u0001"])
    np.testing.assert_array_equal(less.items, model.items)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (["blocks=popularity,ials,neighbours"], "ials cannot be learned from sums"),
        (["blocks=neighbours"], "answers strangers without counting people anew; add popularity"),
        (["fair.target=gini:-20%"], r"fair\.target learns from people without noise"),
        (["split.k_core=2"], r"split\.k_core learns from people without noise"),
    ],
)
def test_what_would_not_be_private_is_refused(settings: list[str], why: str, data: Dataset) -> None:
    with pytest.raises(ConfigError, match=why):
        fitted(data, fitting("privacy.epsilon=1", *settings))


def test_no_other_way_of_fitting_passes_it_by(data: Dataset) -> None:
    private = fitting("privacy.epsilon=1")
    links = {"n": 20, "alpha": 0.5, "beta": 0.4, "friends": 0.0, "smoothing": 0.0, "knowledge": 0.0, "fading": 0.0}
    weights = {"popularity": 0.1, "neighbours": 1.0}
    chosen: dict[str, Any] = {"popularity": {}, "neighbours": links, "weights": weights, "validation": {}}
    with pytest.raises(ConfigError, match="sums here"):
        learn(data, chosen, private)
    plain = Recommender(fitting().config).fit(data, chosen).fitted
    with pytest.raises(ConfigError, match="chosen with people and no noise"):
        Recommender(private.config).fit(data, like=plain)
    with pytest.raises(ConfigError, match="give like=MODEL"):
        Recommender(private.config).fit(data, chosen)


def test_a_card_says_that_nothing_was_chosen_where_nobody_judged() -> None:
    made = fitted(tastes(60), fitting("privacy.epsilon=8"), noise=Gaussian(np.random.default_rng(0)))
    assert "Nothing was chosen or measured" in card(made)
    assert "()" not in card(made)


def test_who_judges_does_not_teach(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parallel composition holds for people who are in one of the two alone."""
    taught, judged = [0], set[int]()

    def released(rows: sp.csr_matrix, *rest: Any) -> ItemSums:
        taught[0] = rows.shape[0]
        return released_sums(rows, *rest)

    def judge(train: Dataset, *rest: Any) -> Judge:
        judged.update(train.events.user_nums.tolist())
        return Judge(train, *rest)

    for name, value in {"released_sums": released, "Judge": judge, "LEAST": 50, "TOLERATED": 0.02}.items():
        monkeypatch.setattr(f"graphrec.private.{name}", value)
    fitted(data, fitting("privacy.epsilon=8"), noise=Gaussian(np.random.default_rng(0)))
    assert 100 < len(judged) < 200
    assert taught[0] + len(judged) == data.n_users
