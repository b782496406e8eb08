"""Shards of a catalogue answer as one index does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.errors import ConfigError, CorruptArtifactError, DataError
from graphrec.profile.index import Index
from graphrec.profile.shards import Shards, built, check, read, write
from graphrec.settings import RetrieveConfig
from tests.conftest import examples


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 12), st.integers(1, 30), st.booleans())
@examples(30)
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


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 12), st.integers(1, 30), st.booleans())
@examples(30)
def test_a_model_asks_shards_as_it_asks_one_index(seed: int, n: int, size: int, k: int, whole: bool) -> None:
    """Whatever a model asks of an index, with items that have scores of their own beside."""
    random = np.random.default_rng(seed)
    items = random.integers(-2, 3, (n, 3)).astype(np.float32)
    queries = random.integers(-2, 3, (4, 3)).astype(np.float32)
    beside = np.where(random.random((4, n)) < 0.3, random.integers(-3, 4, (4, n)), 0).astype(np.float32)
    exclude = [np.flatnonzero(random.random(n) < 0.3) for _ in queries]
    allowed = None if whole else random.random(n) < 0.5
    shards, one = built(items, RetrieveConfig(shard=size)), built(items)
    assert isinstance(shards, Shards) == (size < n)
    for sparse in (None, beside):
        for some in (slice(0, 4), slice(0, 1)):
            own = None if sparse is None else sparse[some]
            found, true = (list(x.best(queries[some], own, k, exclude[some], allowed)) for x in (shards, one))
            for (nums, scores), (wanted, products) in zip(found, true, strict=True):
                np.testing.assert_array_equal(nums, wanted)
                np.testing.assert_array_equal(scores, products)
    asked = random.permutation(n)[: n // 2]
    np.testing.assert_array_equal(shards.rows(asked), items[asked])
    np.testing.assert_array_equal(shards.exact(queries[0], asked), one.exact(queries[0], asked))
    np.testing.assert_array_equal(shards.products(queries), one.products(queries))
    np.testing.assert_array_equal(shards.products(queries[0]), one.products(queries[0]))
    rounded = random.uniform(-1e-7, 1e-7, n).astype(np.float32)
    scores = one.products(queries[0]) + beside[0] + rounded
    settled = [x.settled(queries[0], scores, n // 2, beside[0]) for x in (shards, one)]
    np.testing.assert_array_equal(settled[0], settled[1])
    assert (shards.longest, len(shards), shards.width) == (one.longest, n, 3)
    assert shards.holds(items)
    assert not shards.holds(items + 1)
    assert not shards.holds(items[1:])


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


def test_shards_of_a_model_are_read_again(tmp_path: Path) -> None:
    """Mapped where the whole index is larger than it may be."""
    random = np.random.default_rng(0)
    items, queries = (random.standard_normal((n, 8)).astype(np.float32) for n in (1000, 5))
    config = RetrieveConfig(shard=300, exact_below=0, large="codes", memory_gb=1.0)
    written = built(items, config)
    write(tmp_path, written)
    for memory_gb in (1.0, 1e-6):
        again = read(tmp_path, config.model_copy(update={"memory_gb": memory_gb}), items.shape)
        for a, b in zip(written.search(queries, 9), again.search(queries, 9), strict=True):
            np.testing.assert_array_equal(a, b)
    (tmp_path / "index" / "00004.faiss").unlink()
    with pytest.raises(CorruptArtifactError, match="3 shards of 300 items are not 1,000 items"):
        read(tmp_path, config, items.shape)


def test_what_no_memory_holds_is_known_beforehand() -> None:
    """Of each shard, and of the last one, which is too small for codes."""
    config = RetrieveConfig(shard=300, exact_below=0, large="codes", memory_gb=11 * 13e3 / 2**30)
    check(300 * 11, config, 128)
    with pytest.raises(ConfigError, match="hold no index of 250 items in 128 dimensions"):
        check(300 * 10 + 250, config, 128)
    with pytest.raises(ConfigError, match=r"hold no index of 1,000,000 items in 1280 dimensions"):
        check(10**6, RetrieveConfig(exact_below=0, memory_gb=0.04), 1280)
    check(0, RetrieveConfig(memory_gb=1e-9))


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
