"""Search under a filter against the naive twin: k items come back, and the right ones, whatever is filtered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graphrec.errors import DataError
from graphrec.profile import proposals
from graphrec.profile.index import Index
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats, Ints
from tests.conftest import examples
from tests.profile.test_index import EXACT, HNSW, LISTS, matrices, naive


@examples(150)
@given(data=st.data(), k=st.integers(0, 40), config=st.sampled_from([EXACT, LISTS, HNSW]), many=st.booleans())
def test_under_a_filter_the_best_allowed_items_come_back(
    data: st.DataObject, k: int, config: RetrieveConfig, many: bool
) -> None:
    """Small catalogues are scored, along a graph or not, so that both agree with the twin in everything."""
    items = data.draw(matrices(st.integers(1, 60), 3), label="items")
    queries = data.draw(matrices(st.integers(20, 24) if many else st.integers(0, 3), 3), label="queries")
    allowed = data.draw(hnp.arrays(np.bool_, len(items)), label="allowed")
    numbers = st.lists(st.integers(0, len(items) - 1), max_size=len(items) + 3)
    exclude = [np.array(data.draw(numbers, label="exclude"), dtype=np.int64) for _ in queries]
    nums, scores = Index.build(items, config).search(queries, k, exclude, allowed)
    for row, (query, out) in enumerate(zip(queries, exclude, strict=True)):
        expected = naive(items, query, k, np.union1d(out, np.flatnonzero(~allowed)))
        if config is not EXACT and allowed.all():
            assert (nums[row] >= 0).sum() == (expected[0] >= 0).sum()
            continue
        np.testing.assert_array_equal(nums[row], expected[0])
        np.testing.assert_array_equal(scores[row], expected[1])


def recall(found: Ints, true: Ints) -> float:
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, true, strict=True)]))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7])
@pytest.mark.parametrize("of", ["any", "near", "far"])
def test_a_filter_takes_nothing_from_recall(
    clustered: tuple[Floats, Floats], graph: Index, share: float, of: str
) -> None:
    """Whether it lets pass any items, those that the queries are near to, or those that they are far from."""
    items, queries = clustered
    likes = {"any": np.random.default_rng(7).random(len(items)), "near": items @ queries[0]}
    rank = np.argsort(np.argsort(-likes.get(of, -likes["near"])))
    allowed = rank < share * len(items)
    if of != "any":  # queries that lean one way
        queries = queries[np.argsort(-(queries @ queries[0]))[:60]]
    exclude = [np.random.default_rng(row).integers(0, len(items), 40) for row in range(len(queries))]
    true = Index.build(items, EXACT).search(queries, 10, exclude, allowed)[0]
    found, scores = graph.search(queries, 10, exclude, allowed)
    assert (found >= 0).all()
    assert allowed[found].all()
    assert recall(found, true) >= 0.97
    for row in (0, len(queries) - 1):
        alone = graph.search(queries[row : row + 1], 10, exclude[row : row + 1], allowed)
        np.testing.assert_array_equal(alone[0][0], found[row])
        np.testing.assert_array_equal(alone[1][0], scores[row])


def test_a_filtered_graph_is_walked_and_not_believed_where_it_finds_too_few(
    clustered: tuple[Floats, Floats], graph: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    items, queries = clustered
    walks, scored = list[int](), list[int]()

    def counted(name: str, counts: list[int]) -> None:
        own = getattr(proposals.Proposals, name)

        def call(self: proposals.Proposals, queries: Floats, *rest: object) -> object:
            counts.append(len(queries))
            return own(self, queries, *rest)

        monkeypatch.setattr(proposals.Proposals, name, call)

    counted("_walk", walks)
    counted("_scored", scored)
    graph.search(queries, 10, allowed=np.arange(len(items)) % 4 > 0)
    assert (walks, scored) == ([300], [])
    far = items @ queries[0] < 0
    graph.search(np.stack([queries[0], -queries[0]]), 10, allowed=far)
    assert (walks, scored) == ([300, 2], [1]), "the far query alone is scored anew"
    graph.search(queries, 10, allowed=np.arange(len(items)) < 100)
    assert (walks, scored) == ([300, 2], [1, 300]), "few allowed items: the graph is not walked"


@pytest.mark.parametrize("many", [1, 25])
def test_ties_that_reach_past_the_candidates_are_broken_by_number(many: int) -> None:
    items = np.ones((5000, 3), np.float32)
    items[4000] = 2
    allowed = np.arange(5000) % 2 == 0
    queries = np.tile(np.array([[1, 0, 0]], np.float32), (many, 1))
    for config in (EXACT, LISTS, RetrieveConfig(exact_below=0, large="graph", hnsw_links=4)):
        index = Index.build(items, config)
        few = allowed & (np.arange(5000) < 200) | (np.arange(5000) == 4000)
        assert index.search(queries, 4, allowed=few)[0].tolist() == [[4000, 0, 2, 4]] * many
    out = [np.array([2, 3])] * many
    assert Index.build(items).search(queries, 4, out, allowed)[0].tolist() == [[4000, 0, 4, 6]] * many


@examples(60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([0.01, 0.3, 0.9]))
def test_a_few_items_with_scores_of_their_own_are_filtered_too(seed: int, k: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    items, query = rng.integers(-3, 4, (400, 4)).astype(np.float32), rng.integers(-3, 4, 4).astype(np.float32)
    sparse = np.where(rng.random(400) < 0.03, 30, 0).astype(np.float32)
    allowed, exclude = rng.random(400) < share, rng.choice(400, 8, replace=False)
    scores = items @ query + sparse
    scores[exclude] = scores[~allowed] = -np.inf
    expected = np.argsort(-scores, kind="stable")[: min(k, int(np.isfinite(scores).sum()))]
    nums, found = Index.build(items).search_sum(query, sparse, k, exclude, allowed)
    np.testing.assert_array_equal(nums, expected)
    np.testing.assert_array_equal(found, scores[expected])


def test_rows_are_picked_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    items, queries = rng.integers(-2, 3, (500, 3)).astype(np.float32), rng.integers(-2, 3, (25, 3)).astype(np.float32)
    allowed = rng.random(500) < 0.8
    whole = Index.build(items).search(queries, 5, allowed=allowed)
    monkeypatch.setattr(proposals, "ROWS", 90)
    for one, other in zip(whole, Index.build(items).search(queries, 5, allowed=allowed), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_filter_that_nothing_passes_and_one_of_another_catalogue() -> None:
    index = Index.build(np.eye(4, dtype=np.float32))
    none, query = np.zeros(4, bool), np.ones((2, 4), np.float32)
    assert index.search(query, 2, allowed=none)[0].tolist() == [[-1, -1], [-1, -1]]
    assert index.search_sum(query[0], np.ones(4, np.float32), 2, np.zeros(0, np.int64), none)[0].tolist() == []
    says = r"a mask of shape \([35],\) for 4 items; give one bool for each item"
    with pytest.raises(DataError, match=says):
        index.search(query, 2, allowed=np.ones(3, bool))
    with pytest.raises(DataError, match=says):
        index.search_sum(query[0], np.ones(4, np.float32), 2, np.zeros(0, np.int64), np.ones(5, bool))
