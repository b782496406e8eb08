"""Metrics: by hand, against ir-measures, and against definitions spelled out."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from graphrec.evaluate import metrics
from tests.reference import naive_list_measures, naive_metrics

LOG3, LOG5 = np.log2(3), np.log2(5)


def test_golden_values_of_one_list() -> None:
    """Relevant items at ranks 2 and 4 of 5, three relevant in all."""
    found = metrics.per_user(np.array([[False, True, False, True, False]]), np.array([3]), [1, 5])
    expected = {
        "recall@5": 2 / 3,
        "precision@5": 2 / 5,
        "f1@5": 0.5,
        "hr@5": 1,
        "mrr@5": 1 / 2,
        "map@5": (1 / 2 + 2 / 4) / 3,
        "ndcg@5": (1 / LOG3 + 1 / LOG5) / (1 + 1 / LOG3 + 1 / 2),
    }
    assert {name: float(found[name][0]) for name in expected} == pytest.approx(expected, abs=1e-6)
    assert all(found[f"{name}@1"][0] == 0 for name in metrics.PER_USER)


def test_ideal_is_truncated_at_k() -> None:
    """Ten relevant items and the two places filled with them: NDCG@2 is 1, not 2 of 10."""
    assert metrics.ndcg(np.array([[True, True]]), np.array([10]), 2) == pytest.approx([1.0])


def test_short_catalogue_counts_missing_places_as_misses() -> None:
    found = metrics.per_user(np.array([[True]]), np.array([1]), [4])
    assert found["precision@4"] == pytest.approx([0.25])
    assert found["ndcg@4"] == pytest.approx([1.0])


def test_user_without_relevant_items_gets_zeros() -> None:
    found = metrics.per_user(np.zeros((1, 3), bool), np.array([0]), [3])
    assert all(values[0] == 0 for values in found.values())


@pytest.fixture(scope="module")
def lists() -> tuple[list[list[int]], list[set[int]]]:
    random = np.random.default_rng(5)
    rankings = [random.permutation(60)[:30].tolist() for _ in range(40)]
    return rankings, [set(random.permutation(60)[: random.integers(1, 45)].tolist()) for _ in rankings]


def test_equal_to_ir_measures(lists: tuple[list[list[int]], list[set[int]]]) -> None:
    rankings, relevant = lists
    measures = {"recall": R, "ndcg": nDCG, "hr": Success, "mrr": RR, "map": AP, "precision": P}
    ks = [1, 5, 10, 20, 30]
    asked = {measure @ k: f"{name}@{k}" for name, measure in measures.items() for k in ks}
    qrels = [ir_measures.Qrel(str(q), str(i), 1) for q, items in enumerate(relevant) for i in items]
    run = [
        ir_measures.ScoredDoc(str(q), str(item), 100.0 - rank)
        for q, items in enumerate(rankings)
        for rank, item in enumerate(items)
    ]
    hits = np.array([[i in own for i in items] for items, own in zip(rankings, relevant, strict=True)])
    found = metrics.per_user(hits, np.array([len(own) for own in relevant]), ks)
    theirs = list(ir_measures.iter_calc(list(asked), qrels, run))
    assert len(theirs) == len(asked) * len(rankings)
    for value in theirs:
        assert found[asked[value.measure]][int(value.query_id)] == pytest.approx(value.value, abs=1e-6)


def test_equal_to_definitions(lists: tuple[list[list[int]], list[set[int]]]) -> None:
    rankings, relevant = lists
    hits = np.array([[i in own for i in items] for items, own in zip(rankings, relevant, strict=True)])
    n_relevant = np.array([len(own) for own in relevant])
    found = metrics.per_user(hits, n_relevant, [3, 50])
    for k in (3, 50):  # fewer and more than a list has
        np.testing.assert_array_equal(metrics.ndcg(hits, n_relevant, k), found[f"ndcg@{k}"])
    for b, (ranking, own) in enumerate(zip(rankings, relevant, strict=True)):
        expected = naive_metrics(ranking, own, 3) | naive_metrics(ranking, own, 50)
        assert {name: float(values[b]) for name, values in found.items()} == pytest.approx(expected, abs=1e-6)


def test_list_measures_by_hand() -> None:
    """Four items, one recommended three times, one once, among 8 users of whom 4 and 2 took them."""
    counts, popularity = np.array([3, 1, 0, 0]), np.array([4, 2, 8, 0])
    assert metrics.coverage(counts) == 0.5
    assert metrics.novelty(counts, popularity, 8) == pytest.approx((3 * 1 + 1 * 2) / 4)
    assert metrics.gini(counts) == pytest.approx(0.625)
    assert metrics.gini(np.array([2, 2, 2])) == pytest.approx(0)
    assert metrics.gini(np.array([0, 0, 7])) == pytest.approx(2 / 3)


def test_measures_without_any_recommendation_are_zero() -> None:
    nothing = np.zeros(3, np.int64)
    assert (metrics.coverage(nothing), metrics.novelty(nothing, nothing, 5), metrics.gini(nothing)) == (0, 0, 0)


def test_unknown_item_is_as_novel_as_one_taken_once() -> None:
    assert metrics.novelty(np.array([1, 0]), np.array([0, 1]), 8) == metrics.novelty(
        np.array([0, 1]), np.array([0, 1]), 8
    )


@given(st.lists(st.lists(st.integers(0, 7), unique=True, max_size=5), min_size=1, max_size=6), st.integers(1, 5))
def test_list_measures_equal_to_definitions(rankings: list[list[int]], k: int) -> None:
    popularity = [0.0, 1, 1, 2, 3, 5, 8, 13]
    counts = np.bincount([i for ranking in rankings for i in ranking[:k]], minlength=8)
    found = {
        f"coverage@{k}": metrics.coverage(counts),
        f"novelty@{k}": metrics.novelty(counts, np.array(popularity), 13),
        f"gini@{k}": metrics.gini(counts),
    }
    assert found == pytest.approx(naive_list_measures(rankings, popularity, 13, k), abs=1e-9)
