"""The graph block learns: tastes from interactions, friends from friendships, items from the knowledge graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import kg.graph
from graphrec.blocks._network_run import Run, on_device
from graphrec.blocks._networks import Prior, _Networks
from graphrec.blocks.api import FitInputs, Folds
from graphrec.blocks.graph import Graph, GraphSettings
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.evaluate.validation import Validation
from graphrec.explain.shares import shares
from graphrec.graph.hetero import hetero_graph
from graphrec.graph.tensors import tensors
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries, query_of
from graphrec.query.ties import Ties
from graphrec.samples import generate
from graphrec.settings import KGConfig
from graphrec.testing import BlockContract
from kg.graph import KnowledgeGraph
from tests import worlds

SMALL = GraphSettings(dim=16, layers=2, max_epochs=40, batch_size=128)


class TestGraph(BlockContract):
    block = Graph
    settings = {  # noqa: RUF012 (read only)
        "dim": 8,
        "layers": 1,
        "heads": 1,
        "max_epochs": 15,
        "batch_size": 128,
        "evaluations": 3,
        "popularity": [0.0, 1.0],
        "half_life": [0.0, 30.0],
    }
    telling = {"popularity": [0.0, 5.0]}  # noqa: RUF012 (read only)


@pytest.mark.parametrize("init", ["random", "spectral"])
def test_it_learns_the_planted_tastes(init: str) -> None:
    parts = worlds.given(worlds.two_tastes())
    validation = Validation(parts.train, parts.valid)
    inputs, graph = worlds.inputs(parts.train), Graph(SMALL.model_copy(update={"init": init}))
    before = validation.ndcg_of(graph.fit(inputs, {"epochs": 0}).scores)
    (block,), chosen = graph.tune(Folds.of(inputs, validation))
    after = validation.ndcg_of(block.scores)
    assert (init == "random") <= chosen["epochs"] <= 40
    assert after >= before + (0.1 if init == "random" else 0)
    even = np.arange(parts.train.n_items) % 2 == 0
    assert (block.users[0] @ block.items[even].T).mean() > (block.users[0] @ block.items[~even].T).mean() + 0.5


def test_another_seed_is_another_network() -> None:
    train = worlds.given(worlds.two_tastes(friends=True)).train
    one, other = (Graph(SMALL).fit(worlds.inputs(train, seed=seed), {"epochs": 3}) for seed in (42, 1))
    assert one.users.tobytes() != other.users.tobytes()


def test_same_bytes_with_several_threads() -> None:
    shop = generate(600, 400, 5000)
    shop = replace(shop, reviews=shop.reviews.iloc[:0])
    ready = worlds.inputs(shop, graph=hetero_graph(shop, knowledge_graph(shop, KGConfig())))
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        found = {Graph(GraphSettings(max_epochs=2)).fit(ready, {"epochs": 3}).users.tobytes() for _ in range(3)}
    finally:
        torch.set_num_threads(threads)
    assert len(found) == 1


def test_a_user_of_whom_nothing_is_known_has_no_profile() -> None:
    parts = worlds.given(worlds.two_tastes())
    train = parts.train.subset(parts.train.interactions.user_nums != 5)
    block = Graph(SMALL).fit(worlds.inputs(train), {"epochs": 2})
    assert not block.users[5].any()
    assert block.users[4].any()


def _shop(friends: bool, shuffled: bool = False) -> tuple[FitInputs, np.ndarray]:
    """Newcomers (users 40..59) took nothing; their friends say whether they are of the even or the odd taste."""
    data = worlds.two_tastes(60, 40)
    newcomers = np.arange(40, 60)
    others = np.arange(40)
    rng = np.random.default_rng(1)
    pairs = []
    for user in newcomers:
        alike = others if shuffled else others[others % 2 == user % 2]
        pairs += [(data.users.ids[user], data.users.ids[f]) for f in rng.choice(alike, 6, replace=False)]
    i = data.interactions
    events = pd.DataFrame(
        {"user_id": [data.users.ids[u] for u in i.user_nums], "item_id": [data.items.ids[n] for n in i.item_nums]}
    )
    table = pd.DataFrame(pairs, columns=["user_id", "friend_id"]) if friends else None
    whole = build("newcomers", events, friends=table)
    train = whole.subset(~np.isin(whole.interactions.user_nums, newcomers))
    return worlds.inputs(train), newcomers


def _lift(inputs: FitInputs, newcomers: np.ndarray) -> float:
    """How much higher the newcomers' own taste scores than the other, in deviations."""
    block = Graph(SMALL).fit(inputs, {"epochs": 40})
    scores = block.users[newcomers] @ block.items.T  # (20, I)
    own = (np.arange(inputs.train.n_items) % 2) == (newcomers % 2)[:, None]
    return float((scores[own]).mean() - scores[~own].mean())


def test_a_signal_only_in_friendships_is_found_and_gone_when_they_are_shuffled() -> None:
    found = _lift(*_shop(friends=True))
    assert found > 0.5
    assert abs(_lift(*_shop(friends=True, shuffled=True))) < 0.3 * found  # 20 newcomers: chance is not zero
    assert _lift(*_shop(friends=False)) == 0.0


def test_knowledge_edges_reach_the_model() -> None:
    train = worlds.given(worlds.two_tastes()).train
    n = train.n_items
    entities = pd.DataFrame(
        {
            "entity": [*(f"item:{i}" for i in train.items.ids), "brand:even", "brand:odd"],
            "label": [*train.items.ids, "Even", "Odd"],
            "type": [*["item"] * n, "brand", "brand"],
        }
    )
    triples = np.array([[i, 0, n + i % 2] for i in range(n)])
    ones = np.ones(n, np.float32)
    none = kg.graph.empty()
    graph = KnowledgeGraph(entities, ("made_by",), triples, ones, 0 * ones, none.provenance, none.mentions, {})
    hetero = hetero_graph(train, graph)
    found = tensors(hetero)
    assert (found.n_entities, found.n_relations) == (2, 3)  # made_by, rev_made_by, trusts
    assert found.edge_index.shape[1] == 2 * n
    with_graph = Graph(SMALL).fit(worlds.inputs(train, graph=hetero), {"epochs": 5})
    without = Graph(SMALL).fit(worlds.inputs(train), {"epochs": 5})
    assert not np.allclose(with_graph.items, without.items)


def test_a_score_splits_into_what_the_items_send_and_the_users_own_part() -> None:
    """With both tastes learned, what a user took speaks for the unseen items of their taste, not for the others."""
    train = worlds.given(worlds.two_tastes()).train
    block = Graph(SMALL).fit(worlds.inputs(train), {"epochs": 20})
    profiles, query, ties = Profiles((block.reweighted(0.7),)), worlds.stored(train, 4), Ties(train)
    found = [shares(profiles, query, item) for item in range(train.n_items)]
    for parts in found:
        assert sum(parts.history.values()) + parts.rest["graph"] == pytest.approx(parts.score, abs=1e-5)
        assert set(parts.history) == set(ties.history(4).tolist())
    spoken = np.array([sum(parts.history.values()) for parts in found])
    unseen = np.setdiff1d(np.arange(train.n_items), ties.history(4))
    assert spoken[unseen[unseen % 2 == 0]].min() > max(0.0, spoken[1::2].mean())
    flat = Graph(SMALL.model_copy(update={"layers": 0})).fit(worlds.inputs(train), {"epochs": 1})
    assert not any(shares(Profiles((flat,)), query, 0).history.values())


def test_a_network_beside_itself_scores_and_splits_as_it_does_alone() -> None:
    train = worlds.given(worlds.two_tastes()).train
    inputs = worlds.inputs(train)
    run = Run(inputs, SMALL, on_device(inputs, SMALL, "alike"), 0.1, "alike")
    run.train(5, None)
    alone, twice = (_Networks(runs).block(Prior(1.0, 0.0, 0.0)) for runs in ([run], [run, run]))
    assert twice.width == 2 * SMALL.dim + 1
    np.testing.assert_allclose(worlds.scores(twice, train), worlds.scores(alone, train), atol=1e-4)
    one, two = (shares(Profiles((block,)), worlds.stored(train, 4), 1).history for block in (alone, twice))
    assert two == pytest.approx(one, abs=1e-4)


def test_members_are_other_networks_trained_for_the_chosen_epochs() -> None:
    parts = worlds.given(worlds.two_tastes())
    three, inputs = Graph(SMALL.model_copy(update={"members": 3, "temperature": (0.1,)})), worlds.inputs(parts.train)
    (block,), chosen = three.tune(Folds.of(inputs, Validation(parts.train, parts.valid)))
    again = three.fit(inputs, chosen)
    np.testing.assert_allclose(again.items, block.items, atol=1e-5)  # as long, and from the same seeds
    members = [torch.from_numpy(part.copy()) for part in np.split(block.items[:, :-1], 3, axis=1)]
    likeness = torch.stack([torch.cosine_similarity(members[0] @ members[0].T, m @ m.T).mean() for m in members[1:]])
    assert (likeness > 0.5).all()  # of one mind …
    assert not any(torch.allclose(members[0], m, atol=1e-2) for m in members[1:])  # … but not the same


def _skewed(n_users: int = 120, n_items: int = 60) -> Dataset:
    """Even users take even items, odd users odd ones; of both, the first far more often than the last."""
    rng = np.random.default_rng(0)
    popularity = 1 / (1 + np.arange(n_items) // 2)
    pairs = []
    for user in range(n_users):
        mine = np.arange(user % 2, n_items, 2)
        taken = rng.choice(mine, 10, replace=False, p=popularity[mine] / popularity[mine].sum())
        parts = rng.permutation([TEST, VALID, VALID, *[TRAIN] * 7])
        pairs += [(f"u{user:03}", f"i{item:02}", part) for item, part in zip(taken, parts, strict=True)]
    return build("skewed", pd.DataFrame(pairs, columns=["user_id", "item_id", "part"]))


def test_popularity_is_added_back_to_what_the_cosine_leaves_out() -> None:
    parts = worlds.given(_skewed())
    validation = Validation(parts.train, parts.valid)
    inputs = worlds.inputs(parts.train)
    (block,), chosen = Graph(SMALL).tune(Folds.of(inputs, validation))
    assert chosen["popularity"] > 0
    without = Graph(SMALL).fit(inputs, {**chosen, "popularity": 0.0})
    assert validation.ndcg_of(block.scores) > validation.ndcg_of(without.scores) + 0.05
    taken = parts.train.matrix()
    favourite = int(np.argmax(np.asarray(taken.sum(axis=0)).ravel()))
    other = next(u for u in range(parts.train.n_users) if u % 2 != favourite % 2)
    found = shares(Profiles((block,)), worlds.stored(parts.train, other), favourite)
    assert sum(found.history.values()) < 0  # not their taste, however popular


def test_a_new_user_scores_as_one_of_the_same_history() -> None:
    train = worlds.given(_skewed()).train
    inputs = worlds.inputs(train)
    block = Graph(SMALL).fit(inputs, {"epochs": 20})
    strangers = Queries.of(inputs.ties, [query_of(inputs.ties, -1, inputs.ties.history(u)) for u in range(20)])
    folded, known = block.scores(strangers), worlds.scores(block, train)
    assert np.mean([np.corrcoef(folded[u], known[u])[0, 1] for u in range(20)]) > 0.9


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "bsl", "negatives": 64, "drawn": "uniform", "batches": "pairs"},
        {"contrast": 0.2, "views": "two"},
        {"contrast": 0.2, "views": "layers"},
        {"propagation": "history", "loss": "ccl", "negatives": 64, "drawn": "uniform"},
        {"propagation": "lightgcn++"},
        {"precision": "half"},
    ],
    ids=str,
)
def test_the_configurations_of_papers_find_the_planted_tastes(settings: dict[str, object]) -> None:
    train = worlds.given(worlds.two_tastes()).train
    given = {**SMALL.model_dump(), "learning_rate": 1e-2, "max_epochs": 20, **settings}
    block = Graph(GraphSettings.model_validate(given)).fit(worlds.inputs(train), {"epochs": 20, "popularity": 0.0})
    even = np.arange(train.n_items) % 2 == 0
    found = worlds.scores(block, train)  # (U, I)
    assert (found[::2, even].mean() - found[::2, ~even].mean()) > 0.2
    assert (found[1::2, ~even].mean() - found[1::2, even].mean()) > 0.2


def test_the_curve_is_that_of_the_popularity_that_is_set() -> None:
    """Where none is added, none is while training: the best of the curve is what was chosen by."""
    parts = worlds.given(worlds.two_tastes())
    folds = Folds.of(worlds.inputs(parts.train), Validation(parts.train, parts.valid))
    for weight in (0.0, 0.5):
        settings = SMALL.model_copy(update={"popularity": (weight,), "half_life": (0.0,)})
        chosen = Graph(settings).tune(folds)[1]
        assert max(score for _, score in chosen["curve"]) == pytest.approx(chosen["validation_ndcg"], abs=2e-6)


def test_the_length_makes_an_inner_product_of_the_cosine() -> None:
    train = worlds.given(_skewed()).train
    inputs = worlds.inputs(train)
    run = Run(inputs, SMALL, on_device(inputs, SMALL, "alike"), 0.1, "alike")
    networks = _Networks([run])
    users, items = run.model(networks.graph)
    unit = (users / users.norm(dim=1, keepdim=True)).detach().numpy()
    lengths = items.detach().norm(dim=1).numpy()
    for length in (0.0, 0.5, 1.0):
        ours, theirs = networks.scored(*networks.cosines(), Prior(0.0, 0.0, length))
        expected = unit @ items.detach().numpy().T * lengths ** (length - 1) * lengths.mean() ** -length
        np.testing.assert_allclose(ours @ theirs.T, expected, rtol=1e-4, atol=1e-5)


def test_a_step_takes_pairs_where_that_is_set_and_an_epoch_each_of_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = worlds.inputs(worlds.given(worlds.two_tastes()).train)
    settings = SMALL.model_copy(update={"batches": "pairs", "batch_size": 100, "steps": 0})
    run = Run(inputs, settings, on_device(inputs, settings, "alike"), 0.1, "alike")
    seen: list[np.ndarray] = []
    taken = Run._taken

    def heard(self: Run, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        users, pairs = taken(self, batch)
        seen.append(torch.stack([users[pairs[0]], pairs[1]]).numpy())
        return users, pairs

    monkeypatch.setattr(Run, "_taken", heard)
    run.most = 1
    run.epoch(1, 1.0)
    sizes = [each.shape[1] for each in seen]
    assert max(sizes) <= 100 + 100 // 10
    assert len(sizes) > 3
    users, items = inputs.train.learning("alike").nonzero()
    assert sorted(zip(*np.concatenate(seen, axis=1), strict=True)) == sorted(zip(users, items, strict=True))
