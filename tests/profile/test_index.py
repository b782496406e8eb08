"""The index against a naive twin: same items, same scores, same order, whatever is asked along with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graphrec.errors import ArtifactError, CorruptArtifactError
from graphrec.profile.index import Index
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats, Ints
from tests.conftest import examples

EXACT = RetrieveConfig()
LISTS = RetrieveConfig(exact_below=0)
HNSW = RetrieveConfig(exact_below=0, large="graph")


def naive(items: Floats, query: Floats, k: int, out: Ints) -> tuple[Ints, Floats]:
    """One query at a time, over everything, without any index."""
    scores = np.array([np.sum(row.astype(np.float64) * query) for row in items], dtype=np.float32)
    left = [i for i in range(len(items)) if i not in out]
    best = sorted(left, key=lambda i: (-scores[i], i))[:k]
    nums, values = np.full(k, -1, np.int64), np.full(k, -np.inf, np.float32)
    nums[: len(best)], values[: len(best)] = best, scores[best]
    return nums, values


def matrices(rows: st.SearchStrategy[int], width: int) -> st.SearchStrategy[Floats]:
    """Small numbers that repeat often, so that ties are common, among them numbers that float32 sums inexactly."""
    values = st.sampled_from([-1.0, -0.1, 0.0, 0.1, 0.3, 1.0, 3.0])
    return rows.flatmap(lambda n: hnp.arrays(np.float32, (n, width), elements=values.map(np.float32)))


@examples(60)
@given(data=st.data(), width=st.integers(1, 4), k=st.integers(0, 40), config=st.sampled_from([EXACT, LISTS, HNSW]))
def test_agrees_with_the_naive_twin(data: st.DataObject, width: int, k: int, config: RetrieveConfig) -> None:
    items = data.draw(matrices(st.integers(1, 60), width), label="items")
    queries = data.draw(matrices(st.integers(0, 4), width), label="queries")
    numbers = st.lists(st.integers(0, len(items) - 1), max_size=len(items) + 3)
    exclude = [np.array(data.draw(numbers, label="exclude"), dtype=np.int64) for _ in queries]
    index = Index.build(items, config)
    nums, scores = index.search(queries, k, exclude)
    assert nums.dtype == np.int64
    assert scores.dtype == np.float32
    assert nums.shape == scores.shape == (len(queries), k)
    for row, (query, out) in enumerate(zip(queries, exclude, strict=True)):
        expected_nums, expected_scores = naive(items, query, k, out)
        if config is not EXACT:  # approximate, but never wrong about what it returns
            assert not set(nums[row].tolist()) & set(out.tolist())
            assert (nums[row] >= 0).sum() == (expected_nums >= 0).sum()
            found = nums[row][nums[row] >= 0]
            again = naive(items, query, len(items), np.setdiff1d(np.arange(len(items)), found))
            np.testing.assert_array_equal(nums[row][: len(found)], again[0][: len(found)])
            np.testing.assert_array_equal(scores[row][: len(found)], again[1][: len(found)])
        else:
            np.testing.assert_array_equal(nums[row], expected_nums)
            np.testing.assert_array_equal(scores[row], expected_scores)


def test_hnsw_finds_nearly_everything(clustered: tuple[Floats, Floats], graph: Index) -> None:
    items, queries = clustered
    true, best = Index.build(items, EXACT).search(queries, 20)
    found, scores = graph.search(queries, 20)
    assert np.mean([len(np.intersect1d(a, b)) / 20 for a, b in zip(true, found, strict=True)]) >= 0.95
    np.testing.assert_allclose(scores[:, 0].mean(), best[:, 0].mean(), rtol=1e-2)
    products = np.einsum("bd,bkd->bk", queries.astype(np.float64), items[found].astype(np.float64))
    np.testing.assert_array_equal(scores, products.astype(np.float32))


@pytest.mark.parametrize("large", ["lists", "graph"])
def test_few_long_items_leave_the_others_their_neighbours(large: str) -> None:
    random = np.random.default_rng(2)
    items = random.standard_normal((4000, 32)).astype(np.float32)
    items[::100] *= 6
    queries, long = random.standard_normal((100, 32)).astype(np.float32), np.arange(4000)[::100]
    config = RetrieveConfig.model_validate({"exact_below": 0, "large": large, "ef_search": 64})
    exact, graph = Index.build(items), Index.build(items, config)
    for without in (None, [long] * 100):
        both = zip(exact.search(queries, 10, without)[0], graph.search(queries, 10, without)[0], strict=True)
        assert np.mean([len(np.intersect1d(true, found)) / 10 for true, found in both]) >= 0.97


@pytest.mark.parametrize("kind", ["exact", "lists", "hnsw"])
def test_a_result_does_not_depend_on_the_other_queries(
    clustered: tuple[Floats, Floats], graph: Index, kind: str
) -> None:
    items, queries = clustered
    index = graph if kind == "hnsw" else Index.build(items, LISTS if kind == "lists" else EXACT)
    rng = np.random.default_rng(2)
    exclude = [rng.integers(0, len(items), size) for size in rng.integers(0, 300, len(queries))]
    nums, scores = index.search(queries, 50, exclude)
    for row in range(0, len(queries), 20):
        alone = index.search(queries[row : row + 1], 50, exclude[row : row + 1])
        np.testing.assert_array_equal(alone[0][0], nums[row])
        np.testing.assert_array_equal(alone[1][0], scores[row])
        assert not np.isin(nums[row], exclude[row]).any()


def test_ties_that_reach_past_the_candidates_are_broken_by_number() -> None:
    items = np.ones((5000, 3), np.float32)
    items[4000] = 2
    nums, scores = Index.build(items).search(np.array([[1, 0, 0], [0, 0, 0], [-1, 0, 0]], np.float32), 4)
    assert nums.tolist() == [[4000, 0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3]]
    assert scores[0].tolist() == [2, 1, 1, 1]
    out = [np.arange(10, dtype=np.int64)]
    assert Index.build(items).search(np.zeros((1, 3), np.float32), 3, out)[0].tolist() == [[10, 11, 12]]


def test_equal_items_get_equal_scores_wherever_they_stand() -> None:
    rng = np.random.default_rng(3)
    items = np.repeat(rng.standard_normal((1, 129)).astype(np.float32), 1000, axis=0)
    nums, scores = Index.build(items).search(rng.standard_normal((25, 129)).astype(np.float32), 100)
    np.testing.assert_array_equal(nums, np.tile(np.arange(100), (25, 1)))
    assert (scores == scores[:, :1]).all()


@pytest.mark.parametrize("config", [EXACT, LISTS, HNSW])
def test_one_item_and_no_queries(config: RetrieveConfig) -> None:
    index = Index.build(np.array([[1.0, 2.0]], np.float32), config)
    nums, scores = index.search(np.array([[3.0, 4.0]], np.float32), 3)
    assert nums.tolist() == [[0, -1, -1]]
    assert scores.tolist() == [[11.0, -np.inf, -np.inf]]
    assert index.search(np.array([[3.0, 4.0]], np.float32), 1, [np.array([0])])[0].tolist() == [[-1]]
    assert index.search(np.zeros((0, 2), np.float32), 3)[0].shape == (0, 3)
    empty = Index.build(np.zeros((0, 2), np.float32), config)
    assert empty.search(np.ones((1, 2), np.float32), 2)[0].tolist() == [[-1, -1]]


def test_exact_up_to_the_limit_and_lists_or_hnsw_above() -> None:
    items, above = np.eye(5, dtype=np.float32), RetrieveConfig(exact_below=4)
    for config, kind in (
        (RetrieveConfig(exact_below=5), faiss.IndexFlatIP),
        (above, faiss.IndexRefine),
        (above.model_copy(update={"large": "graph"}), faiss.IndexHNSWFlat),
    ):
        assert isinstance(Index.build(items, config)._index, kind)


def test_lists_look_at_more_where_more_is_wanted_and_say_where_they_end() -> None:
    items = np.random.default_rng(8).standard_normal((4000, 8)).astype(np.float32)
    found = Index.build(items, LISTS)._propose._walk(items[:3], 300)
    assert found.shape == (3, 300)
    assert (found >= 0).all()
    assert [len(set(row)) for row in found.tolist()] == [300] * 3
    few = Index.build(items[:5], LISTS)._propose._walk(items[:1], 8)
    assert sorted(few[0].tolist()) == [-1, -1, -1, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("config", [EXACT, LISTS, HNSW])
def test_saved_and_loaded_it_answers_the_same(tmp_path: Path, config: RetrieveConfig) -> None:
    rng = np.random.default_rng(4)
    items = rng.standard_normal((300, 8)).astype(np.float32)
    index = Index.build(items, config)
    index.save(tmp_path / "index.faiss")
    loaded = Index.load(tmp_path / "index.faiss", config, shape=(300, 8))
    assert (len(loaded), loaded.width) == (300, 8)
    for one, other in zip(index.search(items[:40], 7), loaded.search(items[:40], 7), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_index_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.faiss"
    Index.build(np.eye(6, dtype=np.float32)).save(path)
    for shape in ((5, 6), (6, 5)):
        with pytest.raises(CorruptArtifactError, match=r"expected \d items of width \d, found 6 of width 6"):
            Index.load(path, shape=shape)
    for kept in (0, 3, 20, 60):
        (tmp_path / "cut").write_bytes(path.read_bytes()[:kept])
        with pytest.raises(CorruptArtifactError, match="expected a FAISS index"):
            Index.load(tmp_path / "cut")
    with pytest.raises(CorruptArtifactError, match="expected a FAISS index"):
        Index.load(tmp_path / "absent")
    flat = faiss.IndexFlatIP(6)
    for other in (faiss.IndexFlatL2(6), faiss.IndexLSH(6, 8), faiss.IndexRefine(flat, flat)):
        faiss.write_index(other, str(path))
        with pytest.raises(CorruptArtifactError, match="expected an inner product index, found Index"):
            Index.load(path)
    with pytest.raises(ArtifactError, match="cannot be written"):
        Index.build(np.eye(6, dtype=np.float32)).save(tmp_path / "no" / "folder")


def test_where_the_graph_does_not_reach_enough_items_all_are_scored() -> None:
    """Items far apart in length leave HNSW with parts that no edge leads to."""
    rng = np.random.default_rng(5)
    items = (rng.standard_normal((3000, 4)) * rng.lognormal(0, 8, (3000, 1))).astype(np.float32)
    index = Index.build(items, RetrieveConfig(exact_below=0, large="graph", hnsw_links=4, ef_search=16))
    reached = index._propose._walk(items[:5], 1000)
    assert (reached < 0).any(axis=1).all(), "the graph reaches everything: this test needs another example"
    nums, scores = index.search(items[:5], 2500)
    exact = Index.build(items).search(items[:5], 2500)
    np.testing.assert_array_equal(nums, exact[0])
    np.testing.assert_array_equal(scores, exact[1])


@examples(60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.floats(0, 1))
def test_dense_and_sparse_search_as_one_equals_scoring_everything(seed: int, k: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    items, query = rng.integers(-3, 4, (60, 4)).astype(np.float32), rng.integers(-3, 4, 4).astype(np.float32)
    sparse = np.where(rng.random(60) < density, rng.integers(-4, 5, 60), 0).astype(np.float32)
    exclude = rng.choice(60, rng.integers(0, 61), replace=False)
    allowed = rng.random(60) < rng.choice([0.05, 0.5, 1]) if rng.random() < 0.7 else None
    nums, found = Index.build(items).search_sum(query, sparse, k, exclude, allowed)
    scores = items @ query + sparse
    scores[exclude] = -np.inf
    scores[~allowed if allowed is not None else []] = -np.inf
    expected = np.argsort(-scores, kind="stable")[: min(k, np.isfinite(scores).sum())]
    np.testing.assert_array_equal(nums, expected)
    np.testing.assert_allclose(found, scores[expected], atol=1e-5)


def test_a_graph_over_items_as_they_are_is_still_read(tmp_path: Path) -> None:
    """Graphs were written so before items were brought to one length."""
    items = np.random.default_rng(6).standard_normal((300, 8)).astype(np.float32)
    older: Any = faiss.IndexHNSWFlat(8, 32, faiss.METRIC_INNER_PRODUCT)
    older.add(items)
    faiss.write_index(older, str(tmp_path / "index.faiss"))
    loaded = Index.load(tmp_path / "index.faiss", HNSW, shape=(300, 8))
    assert loaded.width == 8
    np.testing.assert_array_equal(loaded.search(items[:20], 5)[0], Index.build(items, HNSW).search(items[:20], 5)[0])


@pytest.mark.parametrize("config", [EXACT, LISTS, HNSW])
def test_the_items_are_a_view_that_outlives_its_index(config: RetrieveConfig) -> None:
    items = np.random.default_rng(7).standard_normal((500, 8)).astype(np.float32)
    index = Index.build(items, config)
    held = index.items
    assert np.shares_memory(held, Index(index._index, config, 8).items), "one copy, FAISS's own"
    assert not held.flags.writeable
    del index
    others = [Index.build(-items, config) for _ in range(5)]  # would be given memory that was freed
    np.testing.assert_array_equal(held, items)
    assert len(others) == 5
