"""Shards of a catalogue answer as one index does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.errors import CorruptArtifactError, DataError
from graphrec.profile.index import Index
from graphrec.profile.shards import Shards
from graphrec.settings import RetrieveConfig
from tests.conftest import examples


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 12), st.integers(1, 30), st.booleans())
@examples(60)
def test_exact_shards_answer_as_one_index(seed: int, n: int, size: int, k: int, whole: bool) -> None:
    """Few distinct rows, so that scores tie within shards and between them."""
    random = np.random.default_rng(seed)
    items = random.integers(-2, 3, (n, 3)).astype(np.float32)
    queries = random.integers(-2, 3, (4, 3)).astype(np.float32)
    exclude = [np.flatnonzero(random.random(n) < 0.3) for _ in queries]
    allowed = None if whole else random.random(n) < 0.5
    parts = Shards([Index.build(items[start : start + size]) for start in range(0, n, size)])
    (nums, scores), (true, products) = (x.search(queries, k, exclude, allowed) for x in (parts, Index.build(items)))
    np.testing.assert_array_equal(nums, true)
    np.testing.assert_array_equal(scores, products)


def test_shards_are_written_from_a_stream_and_mapped(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    items = random.standard_normal((1000, 8)).astype(np.float32)
    queries = random.standard_normal((5, 8)).astype(np.float32)
    blocks = (items[start : start + 70] for start in range(0, 1000, 70))
    written = Shards.write(tmp_path / "shards", blocks, 300)
    assert [len(part) for part in written.parts] == [300, 300, 300, 100]
    true = Index.build(items).search(queries, 20)
    for shards in (written, Shards.open(tmp_path / "shards")):
        assert len(shards) == 1000
        np.testing.assert_array_equal(shards.search(queries, 20)[0], true[0])
        np.testing.assert_array_equal(shards.search(queries, 20)[1], true[1])
    lists = Shards.write(tmp_path / "lists", iter([items]), 500, RetrieveConfig(exact_below=0, large="halves"))
    found = lists.search(queries, 20)[0]
    assert np.mean([len(np.intersect1d(a, b)) / 20 for a, b in zip(true[0], found, strict=True)]) > 0.5


def test_what_are_no_shards(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows"):
        Shards.write(tmp_path / "none", iter(()), 10)
    Shards.write(tmp_path / "two", iter([np.ones((20, 2), np.float32)]), 10)
    with pytest.raises(DataError, match="not empty"):
        Shards.write(tmp_path / "two", iter([np.ones((20, 2), np.float32)]), 10)
    with pytest.raises(DataError, match="one bool for each item"):
        Shards.open(tmp_path / "two").search(np.ones((1, 2), np.float32), 3, allowed=np.ones(7, np.bool_))
    (tmp_path / "two" / "00001.faiss").unlink()
    with pytest.raises(CorruptArtifactError, match="missing"):
        Shards.open(tmp_path / "two")
