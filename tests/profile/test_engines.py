"""Which index is built: by items, memory and measured recall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from graphrec.errors import ConfigError
from graphrec.profile import engines, lists
from graphrec.profile.index import Index
from graphrec.settings import RetrieveConfig
from graphrec.types import Floats

N, D = 3_000, 13  # so wide that codes have zeros behind


def config(**settings: Any) -> RetrieveConfig:
    return RetrieveConfig.model_validate({"exact_below": 0, **settings})


@pytest.fixture(scope="module")
def items() -> Floats:
    random = np.random.default_rng(0)
    centres = random.standard_normal((60, D)).astype(np.float32)
    found: Floats = centres[random.integers(0, 60, N)] + 0.5 * random.standard_normal((N, D)).astype(np.float32)
    return found


def test_the_largest_kind_that_memory_holds_is_taken() -> None:
    sizes = {kind: engines.gigabytes(kind, 10**6, 128) for kind in ("lists", "graph", "halves", "codes", "exact")}
    assert sizes["lists"] > sizes["halves"] > sizes["exact"] > sizes["codes"]
    assert sizes["exact"] == 4 * 10**6 * 128 / 2**30
    for kind in ("lists", "halves", "codes"):
        assert engines.chosen(10**6, 128, config(memory_gb=sizes[kind] * 1.01)) == kind
    assert engines.chosen(10**6, 128, config(large="graph", memory_gb=sizes["graph"] * 1.01)) == "graph"
    assert engines.chosen(10**6, 128, config(large="codes", memory_gb=100)) == "codes"
    assert engines.chosen(10**6, 128, config()) == "lists"
    assert engines.chosen(20, 128, config(large="codes")) == "halves"
    assert engines.chosen(1000, 128, RetrieveConfig(memory_gb=1)) == "exact"
    with pytest.raises(ConfigError, match=r"memory_gb: 0.01 GB hold no index of 1,000,000 items in 128 .* 0.037 GB"):
        engines.chosen(10**6, 128, config(memory_gb=0.01))


@pytest.mark.parametrize(("kind", "least"), [("halves", 0.99), ("codes", 0.9)])
def test_halves_and_codes_find_nearly_everything_and_score_exactly(
    kind: str, least: float, items: Floats, tmp_path: Path
) -> None:
    index, exact = Index.build(items, config(large=kind)), Index.build(items)
    queries = items[:50] + items[50:100]
    true, (found, scores) = exact.search(queries, 10)[0], index.search(queries, 10)
    assert np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(true, found, strict=True)]) >= least
    products = np.einsum("bd,bkd->bk", queries.astype(np.float64), items[found].astype(np.float64))
    np.testing.assert_array_equal(scores, products.astype(np.float32))
    assert index.width == D
    index.save(tmp_path / "index.faiss")
    for memory_gb in (0.0, 1e-6):  # read, and mapped
        again = Index.load(tmp_path / "index.faiss", config(memory_gb=memory_gb), (N, D))
        np.testing.assert_array_equal(again.search(queries, 10)[0], found)
        np.testing.assert_array_equal(again.items, items)


def test_a_mapped_index_lies_in_no_memory_of_its_own(items: Floats, tmp_path: Path, monkeypatch: Any) -> None:
    flags: list[int] = []
    read = faiss.read_index

    def noted(path: str, flag: int = 0) -> Any:
        flags.append(flag)
        return read(path, flag)

    monkeypatch.setattr(faiss, "read_index", noted)
    Index.build(items, config(large="codes")).save(tmp_path / "index.faiss")
    for memory_gb in (0.0, 1.0, 1e-6):
        Index.load(tmp_path / "index.faiss", config(memory_gb=memory_gb))
    assert flags == [0, 0, faiss.IO_FLAG_MMAP_IFC]


def test_lists_look_into_more_until_the_recall_is_there(items: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "MEASURED", 1_000)
    monkeypatch.setattr(lists, "ROOM", 1)
    few, many = (Index.build(items, config(recall=recall)) for recall in (0.01, 0.97))
    assert few.recall is not None
    assert many.recall is not None
    assert few.recall < 0.97 <= many.recall
    one, other = (lists.probes(lists.parts(index._index)[0], 10) for index in (few, many))
    assert one < other


def test_recall_is_measured_on_who_will_ask(items: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "MEASURED", 1_000)
    monkeypatch.setattr(lists, "ROOM", 1)
    some = np.random.default_rng(0).integers(0, len(items), (engines.ASKED, 40))
    people = items[some].mean(axis=1)  # of everything something
    few, all_ = (Index.build(items, config(recall=0.94), who) for who in (people[:3], people))
    true = np.argsort(-(people @ items.T), axis=1)[:, :10]
    found = all_.search(people, 10)[0]
    recall = np.mean([len(np.intersect1d(*pair)) / 10 for pair in zip(found, true, strict=True)])
    assert all_.recall is not None
    assert recall >= all_.recall >= 0.94
    probes = [lists.probes(lists.parts(index._index)[0], 10) for index in (few, all_)]
    assert probes[0] < probes[1], "made-up people are easier"
