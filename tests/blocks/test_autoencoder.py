"""The denoising autoencoder: the loss that it minimises, what it learns, its exact split, what entities add."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from graphrec.blocks._denoising import Run
from graphrec.blocks.api import FitInputs, Folds
from graphrec.blocks.autoencoder import Autoencoder, AutoencoderSettings
from graphrec.evaluate.validation import Validation
from graphrec.profile.api import FittedBlock
from graphrec.testing import BlockContract
from tests import worlds

CHOSEN = {"hidden": 0.5, "knowledge": 0.0, "epochs": 30}
SMALL = AutoencoderSettings(dim=8, max_epochs=30, batch_size=16, learning_rate=0.02)


class TestAutoencoder(BlockContract):
    block = Autoencoder
    settings = {"dim": 8, "max_epochs": 10, "batch_size": 16, "learning_rate": 0.02, "evaluations": 3}  # noqa: RUF012
    telling = {"hidden": [0.5, 0.99]}  # noqa: RUF012 (read only)
    readings = ("alike", "liked", "graded", "weighted")  # nothing is less likely than not at all


def test_the_loss_by_hand() -> None:
    train = worlds.given(worlds.two_tastes()).train
    run = Run(worlds.inputs(train), SMALL, {**CHOSEN, "hidden": 0.0})
    rows = run.rows[:7]
    e, v, b = (p.detach().double().numpy() for p in (run.model.encoder, run.model.decoder, run.model.bias))
    losses, sizes = [], np.asarray(rows.sum(axis=1)).ravel()
    for row, size in zip(rows.toarray(), sizes, strict=True):
        own = np.flatnonzero(row)
        scores = e[own].mean(axis=0) @ v.T + b
        likely = scores - np.log(np.exp(scores).sum())
        losses.append(-likely[own].mean() * np.sqrt(size / sizes.mean()))
    assert float(run.loss(rows).detach()) == pytest.approx(np.mean(losses), rel=1e-5)


def test_hiding_keeps_the_expected_history() -> None:
    train = worlds.given(worlds.two_tastes()).train
    run = Run(worlds.inputs(train), SMALL, {**CHOSEN, "hidden": 0.8})
    seen: list[torch.Tensor] = []
    forward = run.model.forward

    def watched(history: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(history.to_dense())
        return forward(history)

    run.model.forward = watched  # type: ignore[method-assign]
    for _ in range(400):
        run.loss(run.rows[:5])
    whole = run.rows[:5].toarray() / run.rows[:5].sum(axis=1)
    np.testing.assert_allclose(torch.stack(seen).mean(dim=0).numpy(), whole, atol=0.1)
    assert 0.75 < np.mean([(x.numpy()[whole > 0] == 0).mean() for x in seen]) < 0.85


def test_it_finds_the_planted_tastes() -> None:
    parts = worlds.given(worlds.two_tastes())
    (block,), chosen = Autoencoder(SMALL).tune(
        Folds.of(worlds.inputs(parts.train), Validation(parts.train, parts.valid))
    )
    assert set(chosen) == {*CHOSEN, "reading", "validation_ndcg"}
    assert worlds.finds_the_tastes(worlds.scores(block, parts.train))


def test_a_score_splits_into_the_history_and_what_is_the_same_for_everybody() -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = Autoencoder(SMALL).fit(worlds.inputs(train), CHOSEN)
    for user, item in ((0, 1), (0, 4), (7, 2)):
        query = worlds.stored(train, user)
        effects = block.effects(query, item)
        assert effects is not None
        prior = float(block.users[user, -1]) * float(block.items[item, -1])
        assert effects.rest == pytest.approx(prior, rel=1e-4)
        assert effects.shares.sum() + prior == pytest.approx(block.score(query, item)[0], rel=1e-4, abs=1e-6)


def test_a_shared_entity_links_items_that_nobody_took_together() -> None:
    def fit(inputs: FitInputs, weight: float) -> FittedBlock:
        return Autoencoder(SMALL).fit(inputs, {**CHOSEN, "knowledge": weight})

    assert worlds.brand_lift(fit, 2.0) > 0.1


def test_nothing_known_is_zero() -> None:
    train = worlds.given(worlds.two_tastes()).train
    bare = train.subset(train.interactions.user_nums != 0)
    assert not Autoencoder(SMALL).fit(worlds.inputs(bare), CHOSEN).users[0].any()
