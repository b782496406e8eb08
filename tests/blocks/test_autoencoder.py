"""The denoising autoencoder: the loss that it minimises, what it learns, its exact split, what entities add."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from graphrec.blocks.autoencoder import Autoencoder, _Run
from graphrec.blocks.base import FitInputs
from graphrec.config import Config
from graphrec.evaluate.validation import Validation
from graphrec.explain.shares import shares
from graphrec.profile.profiles import ProfileBlock, Profiles
from tests import worlds

CHOSEN = {"hidden": 0.5, "knowledge": 0.0, "epochs": 30}
SMALL = Config().with_(autoencoder={"dim": 8, "max_epochs": 30, "batch_size": 16, "learning_rate": 0.02})


def test_the_loss_by_hand() -> None:
    train = worlds.given(worlds.two_tastes()).train
    run = _Run(worlds.inputs(train, SMALL), {**CHOSEN, "hidden": 0.0})
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
    run = _Run(worlds.inputs(train, SMALL), {**CHOSEN, "hidden": 0.8})
    seen: list[torch.Tensor] = []
    forward = run.model.forward
    run.model.forward = lambda history: (seen.append(history.to_dense()), forward(history))[1]  # type: ignore[method-assign]
    for _ in range(400):
        run.loss(run.rows[:5])
    whole = run.rows[:5].toarray() / run.rows[:5].sum(axis=1)
    np.testing.assert_allclose(torch.stack(seen).mean(dim=0).numpy(), whole, atol=0.1)
    assert 0.75 < np.mean([(x.numpy()[whole > 0] == 0).mean() for x in seen]) < 0.85


def test_it_finds_the_planted_tastes_and_folds_in() -> None:
    parts = worlds.given(worlds.two_tastes())
    block, chosen = Autoencoder().tune(worlds.inputs(parts.train, SMALL), Validation(parts.train, parts.valid))
    assert set(chosen) == {*CHOSEN, "reading", "validation_ndcg"}
    even = np.arange(parts.train.n_items) % 2 == 0
    scores = block.scores(np.array([0, 1]))
    assert scores[0][even].mean() > scores[0][~even].mean() + 1
    assert scores[1][~even].mean() > scores[1][even].mean() + 1
    for user in (0, 3):
        history = parts.train.matrix()[user].indices.astype(np.int64)
        np.testing.assert_allclose(block.encode_user(history), block.users[user], rtol=1e-3, atol=1e-5)


def test_a_score_splits_into_the_history_and_what_is_the_same_for_everybody() -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = Autoencoder().fit(worlds.inputs(train, SMALL), CHOSEN)
    profiles = Profiles((replace(block, weight=0.7),))
    for user, item in ((0, 1), (0, 4), (7, 2)):
        parts = shares(profiles, train, user, item)
        prior = 0.7 * float(block.users[user, -1]) * float(block.items[item, -1])
        assert parts.rest["autoencoder"] == pytest.approx(prior, rel=1e-4)
        assert sum(parts.history.values()) + prior == pytest.approx(parts.score, rel=1e-4, abs=1e-6)


def test_a_shared_entity_links_items_that_nobody_took_together() -> None:
    def fit(inputs: FitInputs, weight: float) -> ProfileBlock:
        return Autoencoder().fit(inputs, {**CHOSEN, "knowledge": weight})

    assert worlds.brand_lift(fit, SMALL, 2.0) > 0.1


def test_same_seed_same_bytes_and_nothing_known_is_zero() -> None:
    first, again = worlds.fitted_twice(lambda inputs: Autoencoder().fit(inputs, CHOSEN), SMALL)
    assert first.users.tobytes() == again.users.tobytes()
    assert first.items.tobytes() == again.items.tobytes()
    assert not first.users[0].any()


def test_it_sits_out_where_the_catalogue_is_large() -> None:
    parts = worlds.given(worlds.two_tastes())
    inputs = worlds.inputs(parts.train, SMALL.with_(autoencoder={"max_items": 39}))
    block, chosen = Autoencoder().tune(inputs, Validation(parts.train, parts.valid))
    assert "40 items" in chosen["left_out"]
    assert not block.users.any()
    assert not Autoencoder().fit(inputs, chosen).users.any()
