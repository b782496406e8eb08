"""A planted unfair exposure is mended at the least price that a target takes; answers and figures are of one list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import graphrec as gr
from graphrec.config import Config
from graphrec.errors import ConfigError
from graphrec.evaluate.mending import K, Lists, Mended, least, shares_of
from graphrec.evaluate.ranking import Task
from graphrec.explain.moves import move_said
from graphrec.model import files
from graphrec.model.model import Model
from graphrec.query.query import Queries
from graphrec.rerank.exposure import Exposure, Shares, chosen, prices_of, prices_of_groups, worths
from tests.profile.test_clearing import BLOCKS, CHOSEN, world
from tests.rerank.shop import candidates


def unfair(n: int = 80, n_items: int = 90, seed: int = 0) -> Lists:
    """Everybody likes ten of their own, nearly as well as the same ten that everybody is shown first."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(n, n_items)) + 0.2 * (np.arange(n_items) < K) * 20 * (random.random((n, 1)) + 1)
    order = np.argsort(-scores, axis=1)
    relevant = sp.csr_matrix((np.ones(n), (np.arange(n), order[:, 0])), (n, n_items))
    return Lists(order.astype(np.int64), np.take_along_axis(scores, order, 1).astype(np.float32), relevant)


def test_planted_unfair_exposure_is_mended_at_the_least_price() -> None:
    lists = unfair()
    found = least([lists], "gini:-20%")
    before, after = found["before"], found["after"]
    assert found["met"]
    assert before["gini@10"] > 0.85
    assert after["gini@10"] <= 0.8 * before["gini@10"]
    assert after["ndcg@10"] > 0.9 * before["ndcg@10"], "what is wanted most stays"
    weaker = 0.9 * found["strength"]
    assert lists.measured(lists.shown(weaker, lists.prices(weaker)))["gini@10"] > after["gini@10"], "no less would do"
    assert found["people"] == 80
    further = least([lists], "gini:-40%")
    assert further["strength"] > found["strength"]
    assert further["after"]["gini@10"] < after["gini@10"]
    np.testing.assert_array_equal(lists.shown(0.0, np.ones(1, np.float32)), lists.items[:, :K])
    in_vain = least([unfair(3)], "gini:-99%")
    assert (in_vain["met"], in_vain["strength"], in_vain["after"]) == (False, 0.0, in_vain["before"]), "at no price"
    assert in_vain["curve"][-1]["strength"] > 1, "it was tried"


def owned(lists: Lists) -> Lists:
    """The same, of items of two brands: A owns what everybody is shown, and one in ten of the rest, B the rest."""
    n_items = lists.relevant.shape[1]
    of_a = (np.arange(n_items) < K) | (np.arange(n_items) % 10 == 0)
    member = sp.csr_matrix(np.stack([of_a, ~of_a], axis=1).astype(np.float32))
    return replace(lists, shares=Shares.taken(member, np.ones(n_items)))


def test_a_brand_that_is_shown_too_much_is_held_to_its_share_at_the_least_price() -> None:
    lists = owned(unfair())
    found = least([lists], "exposure:brand:-50%")
    before, after = found["before"], found["after"]
    assert found["met"]
    assert before["exposure_gap@10"] > 0.5
    assert after["exposure_gap@10"] <= 0.5 * before["exposure_gap@10"]
    assert after["ndcg@10"] > 0.9 * before["ndcg@10"]
    weaker = 0.9 * found["strength"]
    shown = lists.shown(weaker, lists.prices(weaker))
    assert lists.measured(shown)["exposure_gap@10"] > after["exposure_gap@10"], "no less would do"


def test_shares_and_prices_of_groups_are_those_of_a_naive_twin() -> None:
    lists = owned(unfair(40, 30))
    assert lists.shares is not None
    of = lists.shares.member.toarray() > 0
    wanted = [of[:, g].sum() / 30 for g in range(2)]
    np.testing.assert_allclose(lists.shares.wanted, wanted)
    price, own = [0.0, 0.0], [0.0] * 30
    for turn in range(5):
        exposed = [0.0, 0.0]
        for items, scores in zip(lists.items.tolist(), lists.scores.astype(float), strict=True):
            fall = [np.exp((s - scores[0]) / (2 * scores.std())) * (r + 1) ** -0.25 for r, s in enumerate(scores)]
            value = [w - 0.3 * own[i] for w, i in zip(fall, items, strict=True)]
            best = sorted(range(30), key=lambda r: (-value[r], r))[:4]
            for rank, place in enumerate(sorted(best)):
                exposed[0 if of[items[place], 0] else 1] += 1 / np.log2(rank + 2)
        shares = [x / sum(exposed) for x in exposed]
        for g in range(2):
            price[g] += (np.log((shares[g] + 1e-4) / (wanted[g] + 1e-4)) - price[g]) * 2 / (turn + 2)
        own = [price[0] if of[i, 0] else price[1] for i in range(30)]
    np.testing.assert_allclose(prices_of_groups(lists.items, lists.scores, lists.shares, 0.3, 4, 5), own, rtol=1e-3)
    shown = lists.items[:, :4]
    ranks = 1 / np.log2(np.arange(4) + 2)
    a = sum(ranks[r] for row in shown for r in range(4) if of[row[r], 0]) / (40 * ranks.sum())
    assert lists.shares.apart(shown) == pytest.approx(abs(a - wanted[0]))


def test_prices_and_choice_are_those_of_a_naive_twin() -> None:
    lists = unfair(40, 30)
    price = np.zeros(30)
    for turn in range(5):
        counts = np.zeros(30)
        for items, scores in zip(lists.items.tolist(), lists.scores.astype(float), strict=True):
            fall = [np.exp((s - scores[0]) / (2 * scores.std())) * (r + 1) ** -0.25 for r, s in enumerate(scores)]
            value = [w - 0.3 * price[i] for w, i in zip(fall, items, strict=True)]
            for place in sorted(range(30), key=lambda r: (-value[r], r))[:4]:
                counts[items[place]] += 1
        price += (np.log1p(counts) / np.log1p(counts.mean()) - price) * 2 / (turn + 2)
    np.testing.assert_allclose(prices_of(lists.items, lists.scores, 30, 0.3, 4, 5), price, rtol=1e-3)
    worth = worths(np.array([[2.0, 1.0, -np.inf]], np.float32))
    assert worth[0].tolist() == pytest.approx([1.0, np.exp(-1.0) * 2**-0.25, 0.0])
    assert chosen(worth, np.array([[0.0, 0.0, 3.0]], np.float32), 2).tolist() == [[0, 2]]


def test_a_candidate_list_says_what_it_gave_up() -> None:
    prices = np.array([5, 0, 0, 0, 0, 0], np.float32)
    plain = replace(candidates([3, 2.9, 2.8, 2.7]), prices=prices)
    found = Exposure(1.0).rerank(plain, 2)
    assert found.item_nums.tolist() == [1, 2]
    assert found.scores.tolist() == pytest.approx([2.9, 2.8])
    change = found.changes[0]
    assert (change["came"], change["went"], change["raised"]) == ([2], [0], 1)
    assert 0 < change["price"] < 1
    assert Exposure(0.0).rerank(plain, 2).item_nums.tolist() == [0, 1]
    with pytest.raises(ConfigError, match=r"fair\.target"):
        Exposure(1.0).rerank(candidates([3, 2]), 2)
    with pytest.raises(ConfigError, match="fair"):
        Config.load(None, ["fair.target=gini:-120%"])


@pytest.fixture(scope="module")
def mended() -> Model:
    config = Config.load(None, [*BLOCKS, "fair.target=gini:-10%"])
    return gr.Recommender(config).fit(world(), CHOSEN | {"fair": {"strength": 0.5}}).fitted


def test_answers_are_mended_and_measured_as_they_are(mended: Model, tmp_path: Path) -> None:
    scorer = Mended(mended, mended.prices, 0.5, Task()) if mended.prices is not None else None
    assert scorer is not None
    queries = Queries.stored(mended.ties)
    scores = scorer.scores(queries)
    scores[queries.seen.toarray() > 0] = -np.inf
    lists = np.argsort(-scores, axis=1, kind="stable")[:, :K]
    plain = mended.scores(queries)
    assert not np.array_equal(np.argsort(-plain, axis=1)[:, :K], lists)
    answers = mended.recommend(list(mended.data.users.ids[:20]), K)
    for user in range(20):
        own = answers[answers["user_id"] == mended.data.users.ids[user]]
        assert mended.data.items.numbers(own["item_id"].tolist()).tolist() == lists[user].tolist()
    assert answers.attrs["changes"][mended.data.users.ids[0]][0]["reranker"] == "exposure=0.5"
    listed: list[str] = answers[answers["user_id"] == mended.data.users.ids[0]]["item_id"].astype(str).tolist()
    order = np.argsort(-np.where(queries.seen[0].toarray()[0] > 0, -np.inf, plain[0]), kind="stable")
    ranks = {mended.data.items.ids[n]: rank for rank, n in enumerate(order.tolist(), 1)}
    for rank, item in enumerate(listed, 1):
        found = mended.explain(mended.data.users.ids[0], item)
        assert [m.to_json()["from"] for m in found.moved] == [ranks[item]] * (rank != ranks[item])
        assert sum(found.shares.values()) == pytest.approx(found.score, abs=1e-4)
        if moved := found.moved:
            stood = float(plain[0][order[rank - 1]] - plain[0][mended.data.items.number(item)])
            assert moved[0].after == rank
            assert moved[0].price == pytest.approx(stood, abs=1e-4)
            assert found.text.endswith(move_said(moved[0]))
            assert found.to_json()["moved"][0]["reranker"] == "exposure=0.5"
    assert any(ranks[item] > K for item in listed), "something came from below the list"
    assert mended.explain(mended.data.users.ids[0], listed[0], rerank="pin=" + listed[-1]).moved[-1].after == 2
    files.save(tmp_path / "m", mended)
    again = gr.load(tmp_path / "m")
    assert again.recommend("u003", 5)["item_id"].tolist() == mended.recommend("u003", 5)["item_id"].tolist()


def test_bands_of_popularity_are_held_to_their_shares_in_a_fit() -> None:
    config = Config.load(None, [*BLOCKS, "fair.target=exposure:popularity:-30%", "blocks=popularity"])
    model = gr.Recommender(config).fit(world(60)).fitted
    fair = model.chosen["fair"]
    assert fair["after"]["exposure_gap@10"] <= 0.7 * fair["before"]["exposure_gap@10"] or not fair["met"]
    assert fair["curve"][0]["exposure_gap@10"] > 0
    assert model.prices is not None
    assert len(np.unique(model.prices)) <= 3, "one for each band"
    with pytest.raises(ConfigError, match="no such group"):
        shares_of("exposure:brand:-30%", world(60))


def test_the_strength_is_chosen_in_a_fit() -> None:
    config = Config.load(None, [*BLOCKS, "fair.target=gini:-10%", "blocks=popularity"])
    found = gr.Recommender(config).fit(world(60)).fitted.chosen["fair"]
    assert found["after"]["gini@10"] <= 0.9 * found["before"]["gini@10"] or not found["met"]
