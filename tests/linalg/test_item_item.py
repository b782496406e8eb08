"""Item-item matrices against plain twins."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import enet_path

from graphrec.linalg import item_item
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.item_item import chebyshev_filter, ease_weights, largest, nearest_neighbours, slim
from tests.conftest import examples
from tests.reference import naive_chebyshev, naive_slim


@examples(80)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_largest_keeps_what_sorting_by_size_and_column_keeps(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.integers(-4, 5, (6, 12)).astype(np.float32)
    found = largest(sp.csr_matrix(dense), n).toarray()
    np.testing.assert_array_equal(largest(dense, n).toarray(), found)
    for row, kept in zip(dense, found, strict=True):
        order = np.lexsort((np.arange(12), -np.abs(row)))[:n]
        expected = np.zeros(12, np.float32)
        expected[order] = row[order]
        np.testing.assert_array_equal(kept, expected)


def scattered(rows: int, columns: int, density: float, seed: int, ones: bool = False) -> sp.csr_matrix:
    """A random CSR float32 matrix, its entries uniform or all one."""
    rng = np.random.default_rng(seed)
    found = sp.random_array(
        (rows, columns), density=density, dtype=np.float32, rng=rng, data_sampler=_ones if ones else None
    )
    return sp.csr_matrix(found)


def _ones(size: int) -> npt.NDArray[np.float32]:
    return np.ones(size, np.float32)


def test_neighbours_leave_the_item_itself_out_whatever_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    taste = scattered(30, 20, 0.3, 0)
    whole = nearest_neighbours(taste, 4)
    monkeypatch.setattr(item_item, "CHUNK", 7)
    np.testing.assert_array_equal(nearest_neighbours(taste, 4).toarray(), whole.toarray())
    assert not whole.diagonal().any()
    assert np.diff(whole.indptr).max() <= 4


def test_the_chebyshev_filter_equals_its_polynomial_on_the_eigenvalues() -> None:
    taste = scattered(30, 20, 0.3, 0, ones=True)
    for flatness, order in ((1.0, 1), (1.5, 8), (3.0, 5)):
        found = chebyshev_filter(degree_normalised(taste, rows=0.3, columns=0.5), flatness, order)
        np.fill_diagonal(found, 0)
        np.testing.assert_allclose(found, naive_chebyshev(taste.toarray(), 0.3, flatness, order), atol=1e-5)


def test_a_flat_response_lifts_the_weak_frequencies() -> None:
    taste = scattered(40, 12, 0.5, 1, ones=True)
    values = np.linalg.eigvalsh(taste.T @ taste.toarray())
    flat, linear = (np.linalg.eigvalsh(chebyshev_filter(taste, flatness, 8)) for flatness in (3.0, 1.0))
    np.testing.assert_allclose(linear, values / values[-1], atol=1e-5)
    weak = (linear > 0.05) & (linear < 0.4)
    assert weak.any()
    assert (flat[weak] > linear[weak]).all()


def _skewed(n_users: int, n_items: int, taken: int) -> sp.csr_matrix:
    """Histories of ``taken`` draws from a catalogue in which few items are popular, ones."""
    rng = np.random.default_rng(0)
    odds = 1 / np.arange(1, n_items + 1) ** 0.8
    items = rng.choice(n_items, (n_users, taken), p=odds / odds.sum())
    out = sp.csr_matrix((np.ones(items.size, np.float32), (np.repeat(np.arange(n_users), taken), items.ravel())))
    out.data[:] = 1
    return sp.csr_matrix(out, shape=(n_users, n_items))


def _dense_slim(history: sp.csr_matrix, l1: float, l2: float) -> npt.NDArray[np.float32]:
    """As it was done on the whole matrix, every item taken along with another being tried."""
    taken = history.toarray()
    gram = taken.T @ taken
    out: npt.NDArray[np.float32] = np.zeros_like(gram)
    for item in np.flatnonzero(gram.diagonal()):
        near = np.setdiff1d(np.flatnonzero(gram[:, item]), item)
        if len(near):
            x, y, inner, outer = np.asfortranarray(taken[:, near]), taken[:, item], gram[np.ix_(near, near)], gram[near]
            more = {"precompute": inner, "Xy": outer[:, item].copy(), "positive": True, "max_iter": 30, "tol": 1e-3}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out[near, item] = enet_path(x, y, l1_ratio=l1 / (l1 + l2), alphas=[l1 + l2], **more)[1][:, 0]
    return out


@pytest.mark.parametrize(("l1", "l2"), [(1e-3, 1e-2), (1e-5, 1e-3), (2e-2, 1e-1)])
@pytest.mark.parametrize("weighted", [False, True])
def test_slim_from_its_gram_matrix_is_slim_from_the_whole_matrix(l1: float, l2: float, weighted: bool) -> None:
    history = _skewed(200, 60, 8)
    if weighted:
        history.data[:] = np.random.default_rng(1).uniform(0.1, 2, history.nnz)
    found = slim(history, l1, l2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.toarray(), _dense_slim(history, l1, l2), atol=1e-5)


def test_slim_of_signed_entries_leaves_no_item_out() -> None:
    """A negative weight product can lift another item above the threshold, so that nothing may be screened away."""
    history = _skewed(120, 25, 6)
    history.data[:] = np.random.default_rng(2).choice([-1.0, 1.0], history.nnz)
    np.testing.assert_allclose(slim(history, 2e-2, 1e-2).toarray(), _dense_slim(history, 2e-2, 1e-2), atol=1e-5)


def test_slim_solves_its_regressions() -> None:
    history = _skewed(80, 12, 4)
    np.testing.assert_allclose(
        slim(history, 5e-3, 2e-2).toarray(), naive_slim(history.toarray(), 5e-3, 2e-2), atol=0.01
    )


def test_slim_makes_neither_histories_nor_weights_dense() -> None:
    """Dense histories take 480 MB, a matrix over the items 36."""
    history = _skewed(40_000, 3_000, 3)
    tracemalloc.start()
    try:
        found = slim(history, 1e-3, 1e-2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.nnz
    assert peak < 15e6


def test_slim_without_an_event_has_no_weight() -> None:
    assert slim(sp.csr_matrix(np.zeros((5, 4), np.float32)), 1e-3, 1e-2).nnz == 0


def test_the_chebyshev_filter_is_the_same_whatever_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    history = _skewed(60, 25, 6)
    whole = chebyshev_filter(history, 1.5, 6)
    monkeypatch.setattr(item_item, "CHUNK", 7)
    np.testing.assert_allclose(chebyshev_filter(history, 1.5, 6), whole, atol=1e-6)


def test_what_an_inverse_is_short_of_zeros_is_no_weight() -> None:
    inverse = np.diag([0.5, 0.25, 0.1]) + np.array([[0, 1e-11, 0], [1e-11, 0, -0.02], [0, -0.02, 0]])
    found = ease_weights(inverse)
    assert found[0, 1] == found[1, 0] == 0
    np.testing.assert_allclose(found[[1, 2], [2, 1]], [0.2, 0.08], rtol=1e-6)
