"""A rewritten text adds nothing: whatever a model writes, names, figures, quotes and opinions are the template's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.errors import MissingModelError
from graphrec.explain.rewrite import ALLOWED, LocalWriter, adds_nothing, rewritten

TEMPLATE = (
    'Recommended mostly because you took "Slinky & Co" (80 % of the score). '
    'You praised "drop-D tuning", but reviewers of this item criticise it; a reviewer of it writes: '
    '"In drop-D it buzzes."'
)


@pytest.mark.parametrize(
    "text",
    [
        TEMPLATE,
        'We recommend this mostly because you took "Slinky & Co" (80 % of the score). You praised "drop-D tuning", but '
        'the reviewers criticise it, a reviewer writes: "In drop-D it buzzes."',
        'This is recommended mostly since you took "Slinky & Co". You praised "drop-D tuning", but reviewers criticise '
        'it: "In drop-D it buzzes."',
    ],
)
def test_other_words_for_the_same_are_kept(text: str) -> None:
    assert rewritten(TEMPLATE, lambda _: text) == text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Slinky & Co"', '"Slinky & Co" by Fender'),
        ('"Slinky & Co"', '"Fender"'),
        ('"Slinky & Co"', "Slinky & Co"),
        ("80 %", "90 %"),
        ("80 %", "80 % or 80"),
        ("In drop-D it buzzes", "In drop-D it never buzzes"),
        ("it buzzes", "buzzes"),
        ("criticise", "praise"),
        ("but reviewers of this item criticise it", "and so do reviewers of this item"),
        ("You praised", "You took"),
        ("mostly ", ""),
        ("of this item", "of this great item"),
        ("you took", "you never took"),
        (TEMPLATE, ""),
    ],
)
def test_what_adds_or_turns_something_is_not(old: str, new: str) -> None:
    text = TEMPLATE.replace(old, new)
    assert text != TEMPLATE
    assert rewritten(TEMPLATE, lambda _: text) == TEMPLATE


def test_sides_are_not_swapped() -> None:
    text = TEMPLATE.replace("You praised", "You criticise").replace("item criticise", "item praised")
    assert rewritten(TEMPLATE, lambda _: text) == TEMPLATE


@given(st.lists(st.sampled_from([*TEMPLATE.split(), *sorted(ALLOWED), "Fender", "hinge", "42", "awful"]), max_size=30))
def test_no_foreign_word_ever_passes(words: list[str]) -> None:
    text = " ".join(words)
    if adds_nothing(text, TEMPLATE):
        known = set(re.findall(r"\w+", TEMPLATE.lower())) | ALLOWED
        assert set(re.findall(r"\w+", text.lower())) <= known
        assert not {"Fender", "hinge", "42", "awful"} & set(words)


def test_a_model_on_this_machine(tmp_path: Path) -> None:
    """A tiny untrained model writes nonsense, and the template stays."""
    with pytest.raises(MissingModelError, match="no model"):
        LocalWriter(tmp_path)
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    words = {word: n for n, word in enumerate(["<eos>", "<unk>", "hinge", "you", "took"])}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<eos>", unk_token="<unk>")
    fast.save_pretrained(tmp_path)
    size = {"vocab_size": len(words), "n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 512}
    config = transformers.GPT2Config(**size, bos_token_id=0, eos_token_id=0, pad_token_id=0)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    writer = LocalWriter(tmp_path)
    assert isinstance(writer(TEMPLATE), str)
    assert rewritten(TEMPLATE, writer) == TEMPLATE
