"""The heterogeneous graph holds what the training part and its knowledge graph hold, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import kg.graph
from graphrec.data.dataset import build
from graphrec.features.text import TextFeatures
from graphrec.graph.hetero import hetero_graph
from graphrec.graph.names import ENTITY, INTERACTS, ITEM, TRUSTS, USER
from graphrec.knowledge.adapter import sources
from graphrec.linalg.adjacency import degree_normalised, friend_mean
from kg.graph import KnowledgeGraph
from tests import worlds
from tests.conftest import examples
from tests.reference import naive_typed_edges


def _world() -> tuple[pd.DataFrame, KnowledgeGraph]:
    events = pd.DataFrame(
        {
            "user_id": ["a", "a", "b", "b"],
            "item_id": ["x", "y", "x", "y"],
            "timestamp": [1, 2, 3, 4],
            "text": ["one", "two", "three", "held out secret"],
            "part": [0, 0, 0, 2],
        }
    )
    entities = pd.DataFrame(
        {
            "entity": ["aspect:tone", "brand:b", "item:x", "item:y", "user:a"],
            "label": ["tone", "B", "x", "y", "a"],
            "type": ["aspect", "brand", "item", "item", "user"],
        }
    )
    triples = np.array([[2, 0, 0], [2, 1, 1], [3, 1, 1], [4, 2, 0]])
    none = kg.graph.empty()
    graph = KnowledgeGraph(
        entities,
        ("has_aspect", "made_by", "mentions"),
        triples,
        np.array([2, 1, 1, 1], np.float32),
        np.array([0.5, 0, 0, -1], np.float32),
        none.provenance,
        none.mentions,
        {},
    )
    return events, graph


def test_nodes_and_edges() -> None:
    events, graph = _world()
    friends = pd.DataFrame({"user_id": ["a"], "friend_id": ["b"]})
    data = build("w", events, friends=friends)
    assert data.parts is not None
    train = data.subset(data.parts == 0)
    found = hetero_graph(train, graph)
    assert {kind: int(found[kind].num_nodes) for kind in (USER, ITEM, ENTITY)} == {USER: 2, ITEM: 2, ENTITY: 2}
    assert found[ENTITY].num.tolist() == [0, 1]
    assert found[INTERACTS].edge_index.T.tolist() == [[0, 0], [0, 1], [1, 0]]
    assert found[INTERACTS].weight.tolist() == [1.0, 1.0, 1.0]
    assert found[INTERACTS].time.tolist() == [1, 2, 3]
    assert found[ITEM, "rev_interacts", USER].edge_index.T.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert sorted(found[TRUSTS].edge_index.T.tolist()) == [[0, 1], [1, 0]]
    assert found[ITEM, "made_by", ENTITY].edge_index.T.tolist() == [[0, 1], [1, 1]]
    assert found[ENTITY, "rev_made_by", ITEM].edge_index.T.tolist() == [[1, 0], [1, 1]]
    assert found[USER, "mentions", ENTITY].edge_attr.tolist() == [[float(np.log1p(np.float32(1))), -1.0]]
    assert found.validate()


@examples(40)
@given(
    kinds=st.lists(st.sampled_from(["user", "item", "stranger", "aspect"]), min_size=1, max_size=9),
    relations=st.integers(1, 4),
    data=st.data(),
)
def test_edges_of_each_kind_are_those_of_a_naive_twin(kinds: list[str], relations: int, data: st.DataObject) -> None:
    """Relations that join several kinds of nodes, or none; kinds of edges and edges in the same order."""
    ids = [f"{'user' if kind == 'stranger' else kind}:{kind}{n}" for n, kind in enumerate(kinds)]
    numbers = st.integers(0, len(kinds) - 1)
    triple = st.tuples(numbers, st.integers(0, relations - 1), numbers)
    triples = sorted(data.draw(st.sets(triple, max_size=30)))
    random = np.random.default_rng(len(triples))
    none = kg.graph.empty()
    graph = KnowledgeGraph(
        pd.DataFrame({"entity": ids, "label": ids, "type": [i.partition(":")[0] for i in ids]}),
        tuple(f"r{n}" for n in range(relations)),
        np.array(triples, np.int64).reshape(-1, 3),
        random.integers(1, 9, len(triples)).astype(np.float32),
        random.uniform(-1, 1, len(triples)).astype(np.float32),
        none.provenance,
        none.mentions,
        {},
    )
    users, items = ([f"{of}{n}" for n, kind in enumerate(kinds) if kind == of] for of in ("user", "item"))
    events = [(u, i) for u in [*users, "known"] for i in [*items, "known"]]
    train = build("w", pd.DataFrame(events, columns=["user_id", "item_id"]))
    known = [kind if kind in ("user", "item") else "entity" for kind in kinds]
    others = [n for n, kind in enumerate(known) if kind == "entity"]
    place = [
        others.index(n) if kind == "entity" else (train.users if kind == "user" else train.items).number(f"{kind}{n}")
        for n, kind in enumerate(known)
    ]

    found = hetero_graph(train, graph)
    expected = naive_typed_edges(graph, known, place)
    assert [e for e in found.edge_types if e[1] in graph.relations] == list(expected)
    for (head, relation, tail), rows in expected.items():
        for edge, ends in (
            ((head, relation, tail), slice(None)),
            ((tail, f"rev_{relation}", head), slice(None, None, -1)),
        ):
            index, attributes = found[edge].edge_index, found[edge].edge_attr
            assert index.T.tolist() == [[*row[:2]][ends] for row in rows]
            np.testing.assert_allclose(attributes, [row[2:] for row in rows], rtol=1e-6)


def test_held_out_interactions_and_reviews_are_not_in_it() -> None:
    events, _ = _world()
    data = build("w", events)
    assert data.parts is not None
    train = data.subset(data.parts == 0)
    _, reviews = sources(train)
    assert "held out secret" not in {review.text for review in reviews}
    assert len(reviews) == 3
    pairs = hetero_graph(train, kg.graph.empty())[INTERACTS].edge_index.T.tolist()
    assert [data.users.number("b"), data.items.number("y")] not in pairs


def test_normalisation_twins() -> None:
    random = np.random.default_rng(0)
    dense = (random.random((5, 4)) < 0.5).astype(np.float32)
    dense[2] = 0
    degrees = np.sqrt(np.outer(np.maximum(dense.sum(1), 1), np.maximum(dense.sum(0), 1)))
    np.testing.assert_allclose(degree_normalised(sp.csr_matrix(dense)).toarray(), dense / degrees, atol=1e-6)
    halves = np.outer(np.maximum(dense.sum(1), 1) ** 0.3, np.ones(4))
    found = degree_normalised(sp.csr_matrix(dense), rows=0.3, columns=0.0)
    np.testing.assert_allclose(found.toarray(), dense / halves, atol=1e-6)


def test_friend_mean_rows_sum_to_one_or_zero() -> None:
    events = pd.DataFrame({"user_id": ["a", "b", "c"], "item_id": ["x", "x", "x"]})
    friends = pd.DataFrame({"user_id": ["a"], "friend_id": ["b"]})
    found = friend_mean(build("w", events, friends=friends)).toarray()
    np.testing.assert_array_equal(found, [[0, 1, 0], [1, 0, 0], [0, 0, 0]])


def test_text_without_a_single_word_takes_no_room() -> None:
    train = worlds.given(worlds.two_tastes()).train
    nothing = TextFeatures(*(np.zeros((n, 7), np.float32) for n in (train.n_users, train.n_items, 0)))
    assert hetero_graph(train, kg.graph.empty(), nothing)["item"].x.shape == (train.n_items, 0)
