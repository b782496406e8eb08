"""Item-item matrices against plain twins."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.linalg import item_item
from graphrec.linalg.adjacency import degree_normalised
from graphrec.linalg.item_item import chebyshev_filter, largest, nearest_neighbours
from tests.reference import naive_chebyshev


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_largest_keeps_what_sorting_by_size_and_column_keeps(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.integers(-4, 5, (6, 12)).astype(np.float32)
    found = largest(sp.csr_matrix(dense), n).toarray()
    for row, kept in zip(dense, found, strict=True):
        order = np.lexsort((np.arange(12), -np.abs(row)))[:n]
        expected = np.zeros(12, np.float32)
        expected[order] = row[order]
        np.testing.assert_array_equal(kept, expected)


def test_neighbours_leave_the_item_itself_out_whatever_the_chunk(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    taste = sp.random(30, 20, 0.3, "csr", np.float32, random_state=np.random.default_rng(0))
    whole = nearest_neighbours(taste, 4)
    monkeypatch.setattr(item_item, "CHUNK", 7)
    np.testing.assert_array_equal(nearest_neighbours(taste, 4).toarray(), whole.toarray())
    assert not whole.diagonal().any()
    assert np.diff(whole.indptr).max() <= 4


def test_the_chebyshev_filter_equals_its_polynomial_on_the_eigenvalues() -> None:
    taste = sp.random(30, 20, 0.3, "csr", np.float32, random_state=np.random.default_rng(0), data_rvs=np.ones)
    for flatness, order in ((1.0, 1), (1.5, 8), (3.0, 5)):
        found = chebyshev_filter(degree_normalised(taste, rows=0.3, columns=0.5), flatness, order)
        np.fill_diagonal(found, 0)
        np.testing.assert_allclose(found, naive_chebyshev(taste.toarray(), 0.3, flatness, order), atol=1e-5)


def test_a_flat_response_lifts_the_weak_frequencies() -> None:
    taste = sp.random(40, 12, 0.5, "csr", np.float32, random_state=np.random.default_rng(1), data_rvs=np.ones)
    values = np.linalg.eigvalsh(taste.T @ taste.toarray())
    flat, linear = (np.linalg.eigvalsh(chebyshev_filter(taste, flatness, 8)) for flatness in (3.0, 1.0))
    np.testing.assert_allclose(linear, values / values[-1], atol=1e-5)
    weak = (linear > 0.05) & (linear < 0.4)
    assert weak.any()
    assert (flat[weak] > linear[weak]).all()
