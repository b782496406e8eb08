"""Measures of explanations: deletion is the model's own fold-in, path quality by hand, planted figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.evaluate.deletion import Known, fold_in_scores
from graphrec.evaluate.explanations import explanation_report, named_entity
from graphrec.evaluate.path_quality import BETA, PathQuality, PopularPaths, smoothed
from graphrec.evaluate.ranking import EmbeddingScorer
from graphrec.explain import Explainer
from graphrec.explain.check import check
from graphrec.profile.api import FittedBlock
from graphrec.profile.dense import ProfileBlock
from graphrec.profile.profiles import Profiles
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.query import NONE
from graphrec.query.ties import Ties
from graphrec.types import Evidence, Floats, Ints, Step
from tests.conftest import examples
from tests.explain.test_shares import random_profiles
from tests.explain.world import Fact, counted, explained, graph_of, knowledge, random_graph, random_world, scales, world


def profiles_of_all_kinds(seed: int, data: Dataset) -> Profiles:
    """A constant block, a linear one with friends, a folded-in one, and a sparse one."""
    rng = np.random.default_rng(seed)

    def normal(n: int) -> Floats:
        return rng.normal(size=(n, 3)).astype(np.float32)

    alike, popular = np.ones((data.n_users, 1), np.float32), rng.random((data.n_items, 1)).astype(np.float32)
    constant = ProfileBlock("popularity", alike, popular)
    dense = ProfileBlock("graph", normal(data.n_users), normal(data.n_items), 0.7)
    dense = replace(dense, history=normal(data.n_items))
    links = sp.csr_matrix(sp.random_array((data.n_items,) * 2, density=0.5, dtype=np.float32, rng=rng))
    sparse = NeighbourBlock("near", data.matrix(), links, weight=0.3).fitted(Ties(data))
    return Profiles((constant, *random_profiles(seed, data).blocks[::2], dense, sparse))


def folded_in(block: FittedBlock, history: Ints) -> npt.NDArray[Any]:
    """Scores (I,) of a stranger with a history, by a loop over it."""
    out: npt.NDArray[Any]
    if isinstance(block, NeighbourBlock):
        scores = sum((block.items.toarray()[:, j] for j in history), np.zeros(block.items.shape[0]))
        out = scores * scales(np.eye(1), scores[:, None])[0]
        return out
    assert isinstance(block, ProfileBlock)
    if block.history is None:
        out = block.items @ block.users.mean(axis=0)
        return out
    raw = sum((block.history[j] for j in history), np.zeros(block.width))
    out = block.items @ raw * scales(raw[None], block.items)[0]
    return out


@examples(30)
@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(0, 8))
def test_deletion_is_the_fold_in_of_what_is_left(seed: int, user: int, item: int) -> None:
    data = random_world(seed)
    profiles, ties = profiles_of_all_kinds(seed, data), Ties(data)
    rng = np.random.default_rng(seed)
    for history in (ties.history(user), np.sort(rng.choice(data.n_items, 4, replace=False)), NONE):
        (found,) = fold_in_scores(profiles, ties, user, item, [Known(history, NONE)])
        by_hand = np.sum([b.weight * folded_in(b, history) for b in profiles.blocks], axis=0)
        assert found == pytest.approx(by_hand[item] - by_hand.mean(), rel=1e-3, abs=1e-3)


def test_friends_are_deleted_too() -> None:
    """dee's capo and pick count half; without her nothing of them is left."""
    data = world()
    profiles, ties = counted(data, {"strings": 3.0, "pick": 2.0}, 0.5), Ties(data)
    (block,) = profiles.blocks
    assert isinstance(block, ProfileBlock)
    profiles = Profiles((replace(block, items=np.arange(data.n_items, dtype=np.float32)[:, None]),))
    eve, dee = data.users.number("eve"), data.users.number("dee")
    whole = Known(NONE, np.array([dee]))
    with_dee, without = fold_in_scores(profiles, ties, eve, 4, [whole, whole.without(whole)])
    every = np.arange(data.n_items)
    assert with_dee == pytest.approx(4 - every.mean())
    assert without == 0.0


def test_smoothed_by_hand() -> None:
    values = [1.0, 3.0, 4.0]
    second = (1 - BETA) * 1.0 + BETA * 3.0
    third = (1 - BETA) * second + BETA * 4.0
    np.testing.assert_allclose(smoothed(np.array(values)), [0.0, (second - 1) / (third - 1), 1.0])
    np.testing.assert_array_equal(smoothed(np.array([2.0, 2.0])), [1.0, 1.0])


def took(user: str, item: str) -> Step:
    return Step(f"user:{user}", "interacted", f"item:{item}")


def test_path_quality_by_hand() -> None:
    data = world()
    i = data.interactions
    times = np.where(i.item_nums == data.items.number("tuner"), 300, 100 + i.item_nums)  # ann: cable, strings, tuner
    data = replace(data, events=Events.of(i.user_nums, i.item_nums, times))
    quality = PathQuality(data, knowledge())
    tuning = Step("item:capo", "has_aspect", "aspect:drop-d-tuning")
    known = Evidence(
        1.0, "knowledge", (took("ann", "tuner"), Step("item:tuner", "has_aspect", "aspect:drop-d-tuning"), tuning)
    )
    brand = replace(known, path=(took("ann", "cable"), Step("item:cable", "made_by", "brand:acme"), *known.path[2:]))
    friend = Evidence(1.0, "friend", (Step("user:ann", "friend", "user:dee"), took("dee", "capo")))
    together = Evidence(1.0, "history", (took("ann", "strings"), took("cid", "strings"), took("cid", "capo")))
    assert (quality.lir(known), quality.lir(brand), quality.lir(friend)) == (1.0, 0.0, None)
    assert quality.sep(known) == 1.0  # tuning: 3 triples, padding: 3 triples; all aspects alike
    assert quality.sep(together) == 1.0  # nobody took more than cid
    assert quality.sep(friend) is not None
    assert quality.etd([known, friend, together, known]) == pytest.approx(3 / 4)
    assert PathQuality(world(), knowledge()).lir(known) is None


def test_named_entities() -> None:
    over = (Step("item:a", "r", "m.01", "A", "m.01"), Step("item:b", "r", "m.01", "B", "m.01"))
    assert not named_entity(Evidence(1.0, "knowledge", over))
    assert named_entity(Evidence(1.0, "knowledge", tuple(replace(s, tail_label="Acme") for s in over)))
    assert not named_entity(Evidence(1.0, "history", (replace(took("ann", "tuner"), tail_label="Tuner"),)))


def test_popular_paths_show_the_most_popular() -> None:
    """Everything shares the sound; the spring is rarer and so is not shown, and shares play no part."""
    facts = [Fact(f"item:{i}", "has_aspect", "aspect:sound") for i in world().items.ids]
    facts += [Fact(f"item:{i}", "has_aspect", "aspect:spring") for i in ("strings", "capo")]
    data, graph = world(), graph_of(facts, {})
    explainer = Explainer(counted(data, {"tuner": 3.0}), Ties(data), graph)
    explainer.finder = PopularPaths
    out = explained(explainer, "ann", "capo", 2)
    assert [e.path[1].tail for e in out.evidence] == ["aspect:sound"] * 2
    assert check(out, data, graph) == []


@examples(15)
@given(st.integers(0, 10_000))
def test_reports_of_random_worlds_hold(seed: int) -> None:
    data = random_world(seed)
    profiles = random_profiles(seed, data)
    explainer = Explainer(profiles, Ties(data), random_graph(seed, data))
    scorer = EmbeddingScorer(profiles.user_matrix(), profiles.item_matrix())
    found = explanation_report(explainer, scorer, np.arange(data.n_users), users=3, k=2, seed=seed)
    assert found["pairs"] <= 6
    for side in (found, found["popular_paths"]):
        assert side["valid_steps"] in (1.0, None)
        assert side["verbatim_quotes"] in (1.0, None)
        assert side["lir"] is None
        for name in ("sep", "etd"):
            assert side[name] is None or 0 <= side[name] <= 1


def test_deleting_what_mattered_lowers_the_score_most() -> None:
    """Of eight items in every history one alone speaks for what is recommended, and it is the one that is shown."""
    rng = np.random.default_rng(0)
    n_users, n_items = 16, 40
    taken = [np.r_[u % 4, 4 + rng.permutation(28)[:7]] for u in range(12)]  # item u % 4 matters
    taken += [np.array([g, 32 + 2 * g, 33 + 2 * g]) for g in range(4)]  # somebody took both
    users = np.repeat(np.arange(n_users), [len(items) for items in taken])
    data = replace(
        random_world(0, n_users, n_items),
        events=Events.of(users, np.concatenate(taken)),
        social_edge_index=np.zeros((2, 0), np.int64),
    )
    weights = np.zeros((n_items, n_items), np.float32)
    for item in range(4):
        weights[item, 32 + 2 * item : 34 + 2 * item] = 1.0
    weights[4:32] = 0.05 * rng.random((28, n_items))
    ties = Ties(data)
    none = np.zeros((n_users, n_items), np.float32)
    block = ProfileBlock("linear", none, np.eye(n_items, dtype=np.float32), 1.0, weights, True).fitted(ties)
    explainer = Explainer(Profiles((block,)), ties, knowledge())
    scorer = EmbeddingScorer(block.users, block.items)
    found = explanation_report(explainer, scorer, np.arange(12), k=2)
    first = found["deletion"]["1"]
    assert first["faithfulness"] > 5
    assert first["others_drop"] <= 0
    assert first["against_others"] is None  # they lower nothing; random ones are at times the shown one
    assert first["with_others"] == first["explanations"]
    assert first["pieces"] == 8
    assert first["sufficiency"] > 0.9
    assert first["better_than_random"] == 1.0
