"""The semantic block: text leads to items nobody took, queries take the user's place, no text is no harm."""

from __future__ import annotations

import numpy as np

from graphrec.blocks.api import Folds
from graphrec.blocks.semantic import Semantic
from graphrec.evaluate.validation import Validation
from graphrec.features.encoder import unit
from graphrec.features.text import TextFeatures
from graphrec.testing import BlockContract
from tests import worlds


class TestSemantic(BlockContract):
    block = Semantic
    further = {"ridge": ["centroid"]}  # noqa: RUF012 (read only)


def _text(n_users: int, n_items: int) -> TextFeatures:
    """Items of one taste share a direction in text space."""
    random = np.random.default_rng(0)
    directions = random.normal(size=(2, 16))
    items = random.normal(size=(n_items, 16)) + 3 * directions[np.arange(n_items) % 2]
    nothing = np.zeros((n_users, 16), np.float32)
    return TextFeatures(nothing, unit(items.astype(np.float32)), np.zeros((0, 16), np.float32))


def test_text_leads_to_items_nobody_took() -> None:
    parts = worlds.given(worlds.two_tastes())
    cold = 7
    train = parts.train.subset(parts.train.interactions.item_nums != cold)
    inputs = worlds.inputs(train, text=_text(60, 40))
    (block,), _ = Semantic().tune(Folds.of(inputs, Validation(train, parts.valid)))
    scores = worlds.scores(block, train)
    assert worlds.finds_the_tastes(scores)
    assert scores[1][cold] > scores[0][cold]


def test_users_are_the_sum_of_their_items() -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = Semantic().learn(worlds.inputs(train, text=_text(60, 40)), {"ridge": 10.0})
    assert block.linear
    assert block.history is not None
    sums = train.matrix() @ block.history  # (U, d)
    expected = sums / (sums @ block.items.T).std(axis=1, keepdims=True)
    np.testing.assert_allclose(block.users, expected, rtol=1e-4, atol=1e-5)


def test_a_text_alone_finds_its_place_among_the_items() -> None:
    train = worlds.given(worlds.two_tastes()).train
    text = _text(60, 40)
    block = Semantic().fit(worlds.inputs(train, text=text), {"ridge": "centroid"})
    assert block.places_text
    np.testing.assert_allclose(block.encode_text(text.items[4]), block.items[4], atol=1e-4)


def test_without_text_every_score_is_zero() -> None:
    parts = worlds.given(worlds.two_tastes())
    (block,), _ = Semantic().tune(Folds.of(worlds.inputs(parts.train), Validation(parts.train, parts.valid)))
    assert not worlds.scores(block, parts.train).any()
