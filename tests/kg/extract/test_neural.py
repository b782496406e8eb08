"""Extractors with a model of one's own: a tiny token classifier saved here, and a stand-in for the gliner package."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import types
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphrec.settings import KGConfig
from kg.errors import KGError
from kg.extract import extractors
from kg.extract.neural import WINDOW, type_of, windows
from tests.conftest import examples

WORDS = ["the", "tone", "of", "fender", "is", "great", "##s", ".", "bad"]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT whose label depends on the word alone: its only layer adds nothing, and the head reads the embedding."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("classifier")
    vocabulary = {word: n for n, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    fast = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    fast.normalizer, fast.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=fast, unk_token="[UNK]", pad_token="[PAD]")
    labels = ["O", "B-ASP", "B-ORG"]
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=0, num_attention_heads=1, intermediate_size=8,
        max_position_embeddings=2048, id2label=dict(enumerate(labels)),
        label2id={label: n for n, label in enumerate(labels)},
    )  # fmt: skip
    model = BertForTokenClassification(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1.0)
        table = model.bert.embeddings.word_embeddings.weight
        table[:, 0] = 1.0
        for word, label in (("tone", 1), ("fender", 2)):
            table[tokenizer.convert_tokens_to_ids(word)] = torch.eye(8)[label]
        model.classifier.weight[:, :3] = torch.eye(3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_any_token_classifier(classifier: Path) -> None:
    extractor = extractors.make("transformers", str(classifier))
    texts = ["The tones of Fender is great.", "", "Bad <b>tone</b>. The Fender is great."]
    spans = list(extractor.extract(texts))
    assert [[(t[s.start : s.end], s.type) for s in row] for t, row in zip(texts, spans, strict=True)] == [
        [("tones", "aspect"), ("Fender", "organisation")],
        [],
        [("tone", "aspect"), ("Fender", "organisation")],
    ]
    assert spans[2][0].polarity < 0 < spans[2][1].polarity


def test_a_folder_is_known_by_what_it_holds(classifier: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(classifier, tmp_path / "copy")
    first = extractors.make("transformers", str(classifier)).id
    assert extractors.make("transformers", str(copy)).id == first
    config = copy / "config.json"
    config.write_text(config.read_text().replace("B-ASP", "B-LOC"))  # as many bytes
    assert extractors.make("transformers", str(copy)).id != first


def test_a_long_text_is_read_to_its_end(classifier: Path) -> None:
    (spans,) = extractors.make("transformers", str(classifier)).extract(["the " * 700 + "tone."])
    assert [(s.start, s.end) for s in spans] == [(2800, 2804)]


@given(st.text(alphabet="ab .\n", max_size=5 * WINDOW))
def test_windows_cover_every_word_once(text: str) -> None:
    pieces = list(windows(text))
    assert all(b - a <= WINDOW for a, b in pieces)
    assert "".join(text[a:b] for a, b in pieces).split() == text.split() or max(map(len, text.split())) > WINDOW // 2
    assert sum(len(text[a:b].replace(" ", "").replace("\n", "")) for a, b in pieces) == len("".join(text.split()))


class FakeGLiNER:
    """Finds "tone" and "Fender" with the labels it is asked for."""

    @classmethod
    def from_pretrained(cls, model: str) -> FakeGLiNER:
        if model != "tiny":
            raise OSError(f"{model} is not a local folder")
        return cls()

    def inference(self, texts: list[str], labels: Sequence[str], **_: Any) -> list[list[dict[str, Any]]]:
        def found(text: str) -> list[dict[str, Any]]:
            rows = [(m.start(), m.end(), "product feature", 0.9) for m in re.finditer("tone", text)]
            rows += [(m.start(), m.end(), "brand", 0.8) for m in re.finditer("Fender tone|Fender", text)]
            assert all(label in labels for *_, label, _ in rows)
            return [{"start": a, "end": b, "label": label, "score": score} for a, b, label, score in rows]

        return [found(text) for text in texts]


@pytest.fixture
def gliner(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("gliner")
    module.GLiNER = FakeGLiNER  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gliner", module)


@pytest.mark.usefixtures("gliner")
def test_gliner_by_its_labels() -> None:
    (spans,) = extractors.make("gliner", "tiny").extract(["A Fender with great tone, but overtones. Fender tone!"])
    assert [(s.label, s.type) for s in spans] == [("Fender", "brand"), ("tone", "aspect"), ("tone", "aspect")]
    assert spans[1].polarity > 0


@pytest.mark.usefixtures("gliner")
@examples(50)
@given(
    texts=st.lists(st.lists(st.sampled_from([*"Ftoned <>&;\u200f\x00😀", "tone", "Fender"])).map("".join), max_size=4)
)
def test_spans_are_sorted_apart_and_inside(texts: list[str]) -> None:
    for text, spans in zip(texts, extractors.make("gliner", "tiny").extract(texts), strict=True):
        assert [text[s.start : s.end] for s in spans] == [s.label for s in spans]
        assert all(a.end <= b.start for a, b in pairwise(spans))


def test_what_is_missing_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(KGError, match=r"set kg\.model to a folder or a hub name"):
        extractors.make("gliner")
    with pytest.raises(KGError, match="choose one of spacy, gliner, transformers"):
        extractors.make("bert", "x")
    with pytest.raises(KGError, match=r"kg\.model=.* cannot be loaded .*give a folder that holds the model"):
        extractors.make("transformers", str(tmp_path))
    with pytest.raises(KGError, match="is no spaCy pipeline"):
        extractors.make("spacy", str(tmp_path))
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "gliner" else real(name, *a))
    with pytest.raises(KGError, match="needs the package gliner, which is not installed; pip install gliner"):
        extractors.make("gliner", "tiny")


def test_settings_name_them_all() -> None:
    assert [KGConfig(extractor=name).extractor for name in extractors.NAMES] == list(extractors.NAMES)


@pytest.mark.parametrize(
    ("label", "type_"),
    [("B-PER", "person"), ("ORG", "organisation"), ("product feature", "aspect"), ("Battery Life", "battery_life"),
     ("item", "item_entity"), ("", "other_entity")],
)  # fmt: skip
def test_labels_become_types(label: str, type_: str) -> None:
    assert type_of(label) == type_
