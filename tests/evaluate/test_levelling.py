"""A planted group that is served worse is served better at the least price; chance is left alone, nobody is asked."""

from __future__ import annotations

import numpy as np
import pytest

import graphrec as gr
from graphrec.blocks.blend import likeliest
from graphrec.config import Config
from graphrec.errors import ConfigError
from graphrec.evaluate.levelling import Served, large, levelled, meets, price_of
from graphrec.evaluate.validation import Among
from tests.profile.test_clearing import BLOCKS, world

N, ITEMS, K = 600, 30, 10
EVEN = np.array([0.5, 0.5])


def unfair(shares: tuple[float, float] = (0.75, 0.25), told: float = 2.0, seed: int = 0) -> Served:
    """The first block tells what the many want, the second what the few want; either disturbs the others."""
    random = np.random.default_rng(seed)
    place = random.choice(2, N, p=shares)
    relevant = np.zeros((N, ITEMS), bool)
    relevant[np.arange(N), random.integers(0, ITEMS, N)] = True
    parts = random.normal(size=(2, N, ITEMS)).astype(np.float32)
    for group, signal in enumerate((told, 0.7 * told)):
        parts[group] += signal * (relevant & (place == group)[:, None])
    items = np.tile(np.arange(ITEMS), (N, 1))
    lists = [
        Among(
            np.arange(len(r)),
            items[r],
            relevant[r],
            np.ones(len(r), np.int64),
            np.zeros((len(r), ITEMS), bool),
            len(r),
            K,
        )
        for r in (np.arange(400), np.arange(400, N))
    ]
    return Served(lists, [parts[:, :400], parts[:, 400:]], place.astype(np.int64), ("many", "few"), K)


def test_a_planted_gap_is_found_and_closed_from_below() -> None:
    served = unfair()
    start = served.tilted(0, 0.0)  # by all people alike
    assert start[0] > start[1]
    weights, told = levelled(served, start, "gap:who:-50%")
    assert weights is not None
    assert (told["met"], told["sure"], told["group"]) == (True, True, "few")
    before, after = told["before"], told["after"]
    assert before["gap"] > 0.1
    assert after["gap"] <= 0.5 * before["gap"]
    assert after["worst"] > before["worst"]
    assert weights[1] / weights[0] > start[1] / start[0]
    cheaper = [p for p in told["curve"] if p[f"ndcg@{K}"] > after[f"ndcg@{K}"]]
    assert not any(meets(point, before, "gap:who:-50%") for point in cheaper), "the least price"
    assert price_of(told) == pytest.approx(1 - after[f"ndcg@{K}"] / before[f"ndcg@{K}"])
    _, further = levelled(served, start, "worst:who:+1%")
    assert price_of(further) <= price_of(told), "less is asked for"


def test_a_gap_of_chance_is_not_mended_and_no_price_is_paid_in_vain() -> None:
    same = unfair()
    shuffled = Served(same.lists, same.parts, np.random.default_rng(1).permutation(same.place), same.labels, K)
    found, told = levelled(shuffled, EVEN, "gap:who:-50%")
    assert found is None
    assert (told["sure"], told["met"], told["after"]) == (False, False, told["before"])
    found, told = levelled(same, same.tilted(0, 0.0), "worst:who:+99%")
    assert found is None
    assert told["sure"]
    assert len(told["curve"]) > 2
    assert price_of(told) == 0
    worse = {"worst": 0.1, "gap": 0.0, f"ndcg@{K}": 0.1}
    assert not meets(worse, {"worst": 0.2, "gap": 0.2}, "gap:who:-50%"), "nobody is levelled down"


def test_means_and_says_are_those_of_naive_twins() -> None:
    served = unfair()
    ndcg = served.ndcg(EVEN)
    scores = np.concatenate([0.5 * part.sum(axis=0) for part in served.parts])
    relevant = np.concatenate([one.relevant for one in served.lists])
    for user in range(0, N, 7):
        rank = 1 + int((scores[user] > scores[user][relevant[user]]).sum())
        assert ndcg[user] == pytest.approx(1 / np.log2(rank + 1) if rank <= K else 0.0)
    point = served.point(ndcg)
    few = [x for x, group in zip(ndcg.tolist(), served.place.tolist(), strict=True) if group == 1]
    many = [x for x, group in zip(ndcg.tolist(), served.place.tolist(), strict=True) if group == 0]
    means = [sum(many) / len(many), sum(few) / len(few)]
    assert list(point["groups"].values()) == pytest.approx(means, abs=1e-5)
    assert point["gap"] == pytest.approx(max(means) - min(means), abs=1e-5)
    twice = [1.0 + (served.place[:400] == 1), 1.0 + (served.place[400:] == 1)]  # as if each of the few were there twice
    doubled = []
    for one, part in zip(served.lists, served.parts, strict=True):
        again = np.concatenate([np.arange(len(one.users)), np.flatnonzero(served.place[: len(one.users)] == 1)])
        if part.shape[1] != 400:
            again = np.concatenate([np.arange(N - 400), np.flatnonzero(served.place[400:] == 1)])
        rows = one.relevant[again]
        n = len(again)
        whole = Among(np.arange(n), one.items[again], rows, np.ones(n, np.int64), np.zeros(rows.shape, bool), n, K)
        doubled.append((whole, part[:, again]))
    lists, parts = zip(*doubled, strict=True)
    np.testing.assert_allclose(
        likeliest(served.lists, served.parts, says=twice)[0], likeliest(lists, parts)[0], rtol=1e-3
    )
    alone = served.tilted(1, 1.0)
    assert alone[1] > alone[0], "the few alone have a say"


def test_groups_are_counted_over_all_folds() -> None:
    place, labels = large(np.array([0] * 12 + [2] * 9 + [-1] + [1] * 10), ("a", "b", "few"))
    assert labels == ("a", "b")
    assert place.tolist() == [0] * 12 + [-1] * 10 + [1] * 10


def test_it_is_chosen_in_a_fit_by_an_attribute_that_the_model_does_not_hold() -> None:
    config = Config.load(None, [*BLOCKS, "fair.target=gap:gender:-10%", "blocks=popularity"])
    model = gr.Recommender(config).fit(world(60)).fitted
    fair = model.chosen["fair"]
    assert fair["target"] == "gap:gender:-10%"
    assert set(fair["before"]["groups"]) == {"f", "m"}
    assert not model.mends
    with pytest.raises(ConfigError, match="no such group"):
        gr.Recommender(Config.load(None, [*BLOCKS, "fair.target=gap:height:-10%", "blocks=popularity"])).fit(world(60))
    with pytest.raises(ConfigError, match="fair"):
        Config.load(None, ["fair.target=worst:gender:-10%"])
