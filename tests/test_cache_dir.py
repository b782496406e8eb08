"""Where the caches are, and how large they may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrec.cache_dir import LIMIT, cache_limit, graphrec_cache
from graphrec.errors import ConfigError


def test_the_folder_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path))
    assert graphrec_cache() == tmp_path
    monkeypatch.delenv("GRAPHREC_CACHE")
    assert graphrec_cache() == Path.home() / ".cache" / "graphrec"


@pytest.mark.parametrize(("given", "bytes_"), [("", LIMIT), ("0", 0), (" 1000000 ", 1_000_000)])
def test_the_limit_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch, given: str, bytes_: int) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE_BYTES", given)
    assert cache_limit() == bytes_


@pytest.mark.parametrize("given", ["2 GB", "-1", "1e9", "²"])
def test_a_limit_that_is_no_number_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE_BYTES", given)
    with pytest.raises(ConfigError, match=r"GRAPHREC_CACHE_BYTES=.*bytes"):
        cache_limit()
