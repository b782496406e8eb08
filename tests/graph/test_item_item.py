"""Item-item matrices against plain twins."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.graph import item_item
from graphrec.graph.item_item import largest, nearest_neighbours


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
