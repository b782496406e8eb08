"""Parquet and npz: the same graph comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.build import build
from kg.errors import KGError
from kg.graph import empty
from kg.store import load, save
from tests.kg.planted import EXTERNAL, ITEMS, REVIEWS, WordExtractor


def test_round_trip(tmp_path: Path) -> None:
    graph = build(ITEMS, REVIEWS, EXTERNAL, extractor=WordExtractor())
    save(graph, tmp_path / "kg")
    assert load(tmp_path / "kg") == graph
    assert not [p for p in (tmp_path / "kg").iterdir() if p.suffix not in {".parquet", ".npz"}]


def test_empty_round_trip(tmp_path: Path) -> None:
    save(empty(), tmp_path)
    assert load(tmp_path) == empty()
    assert load(tmp_path).mentions.dtypes.to_dict() == empty().mentions.dtypes.to_dict()


@pytest.mark.parametrize("name", ["entities.parquet", "texts.parquet", "triples.npz"])
def test_missing_and_damaged_files(tmp_path: Path, name: str) -> None:
    save(empty(), tmp_path)
    (tmp_path / name).write_bytes(b"not this")
    with pytest.raises(KGError, match="damaged"):
        load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(KGError, match="missing"):
        load(tmp_path)
