"""Erasers against a naive twin; what is cleared tells nothing of its own people, in any block, however it is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.evaluate.labelled import interactions, surmised
from graphrec.forgetting import ERASERS
from graphrec.model import files
from graphrec.model.model import Model
from graphrec.model.parts import parts
from graphrec.model.slid import slid
from graphrec.profile.clearing import CLEARED, erase, one_hot
from graphrec.query.query import Queries, query_of
from graphrec.types import Floats
from tests.reference import naive_leace


def rows_of(n: int = 200, d: int = 6, seed: int = 0) -> tuple[Floats, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, n)
    mixed = random.normal(size=(n, d)) @ random.normal(size=(d, d))
    return (mixed + labels[:, None] * random.normal(size=d) + 3).astype(np.float32), labels


def across(rows: Floats, labels: np.ndarray) -> float:
    """The largest covariance of a column with a label, over its deviation."""
    x, z = rows - rows.mean(axis=0), one_hot(labels) - one_hot(labels).mean(axis=0)
    return float(np.abs(x.T @ z / len(x)).max() / max(x.std(), 1e-9))


def test_an_eraser_is_leace_and_leaves_no_covariance() -> None:
    rows, labels = rows_of()
    eraser = erase(rows, one_hot(labels), shrunk=0.0)
    assert eraser is not None
    np.testing.assert_allclose(eraser(rows), naive_leace(rows, one_hot(labels)), atol=2e-4)
    assert across(rows, labels) > 0.05
    for shrunk, rank in ((0.0, 256), (0.3, 256), (1.0, 256), (0.3, 3)):  # also where directions are not told apart
        found = erase(rows, one_hot(labels), rank, shrunk)
        assert found is not None
        assert found.read.shape[1] == 2  # of three labels that sum to one
        assert across(found(rows), labels) < 1e-6
    wider = np.hstack([rows, rows])
    np.testing.assert_array_equal(eraser(wider)[:, 6:], rows)  # what came since stays


def test_it_moves_least_where_the_variance_is_told_apart() -> None:
    rows, labels = rows_of(2000)
    moved = []
    for shrunk in (0.0, 0.5, 1.0):
        eraser = erase(rows, one_hot(labels), shrunk=shrunk)
        assert eraser is not None
        moved.append(float(np.square(eraser(rows) - rows).sum()))
    assert moved[0] < moved[1] < moved[2]
    assert erase(np.ones((9, 2), np.float32), one_hot(np.arange(9) % 2)) is None


def world(n: int = 120, seed: int = 0) -> Dataset:
    """Two tastes, each with few of the other gender; items in order, so that all kinds of blocks have something."""
    random, rows = np.random.default_rng(seed), []
    for user in range(n):
        for turn, item in enumerate(random.permutation(np.arange(user % 2, 40, 2))[:8]):
            rows.append((f"u{user:03d}", f"i{item:03d}", 1_600_000_000 + 86_400 * turn + user))
    people = pd.DataFrame({"user_id": [f"u{u:03d}" for u in range(n)]})
    people["gender"] = np.where((np.arange(n) % 2 == 0) ^ (np.arange(n) % 10 < 2), "f", "m")
    return Dataset.from_frames(pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]), users=people)


BLOCKS = ["blocks=popularity,spectral,neighbours", "features.enabled=false", "kg.enabled=false"]
_NOTHING = dict.fromkeys(("friends", "knowledge", "smoothing"), 0.0) | {"reading": "alike"}
CHOSEN = {
    "popularity": {"half_life": 0.0, "reading": "alike"},
    "spectral": _NOTHING | {"rank": 8, "beta": 0.3, "power": 0.8, "alpha": 0.3, "fading": 0.0},
    "neighbours": _NOTHING | {"n": 200, "alpha": 0.25, "beta": 0.0, "fading": 1.0},
    "weights": {"popularity": 0.1, "spectral": 1.0, "neighbours": 0.5},
}


@pytest.fixture(scope="module")
def model() -> Model:
    return gr.Recommender(Config.load(None, [*BLOCKS, "fair.clear=gender"])).fit(world(), CHOSEN).fitted


def genders(model: Model) -> np.ndarray:
    return np.unique(model.data.user_attributes["value"].to_numpy(str), return_inverse=True)[1]


def test_each_block_and_what_answers_are_made_of_tell_nothing(model: Model) -> None:
    queries, labels = Queries.stored(model.ties), genders(model)
    told = {b.name: across(part, labels) for b, part in model.profiles.parts(queries)}
    before = {b.name: across(part, labels) for b, part in replace(model.profiles, clearing=None).parts(queries)}
    assert min(before["spectral"], before["neighbours"]) > 0.05
    assert max(told["spectral"], told["neighbours"]) < 1e-6
    profile, sparse, _ = model.profiles.encode(queries)
    assert sparse is not None
    assert max(across(profile, labels), across(sparse, labels), across(model.users, labels)) < 1e-6
    np.testing.assert_array_equal(profile, model.users)
    other = slid(model, {"spectral": 0.2, "neighbours": 3.0})
    assert across(other.scores(queries), labels) < 1e-6  # whatever each counts for
    np.testing.assert_allclose(slid(model, {}).scores(queries), model.scores(queries), atol=1e-5)


def test_nothing_is_left_of_what_lets_the_attribute_be_surmised_either(model: Model) -> None:
    queries, labels = Queries.stored(model.ties), genders(model)
    guess = surmised(interactions(model.ties.matrix), labels, model.config.seed)[:, 2:]
    guess = (guess - guess.mean(axis=0)) / guess.std(axis=0)
    for part, gone in ((replace(model.profiles, clearing=None), False), (model.profiles, True)):
        rows = {b.name: p for b, p in part.parts(queries)}["spectral"]
        apart = np.abs((rows - rows.mean(axis=0)).T @ guess / len(rows)).max() / rows.std()
        assert (apart < 1e-3) == gone, apart


def test_somebody_new_is_cleared_as_the_same_history_is(model: Model) -> None:
    history = model.ties.history(3)
    known = query_of(model.ties, 3)
    folded = Queries.of(model.ties, [replace(known, user_num=-1)])
    np.testing.assert_allclose(model.scores(folded), model.scores(Queries.of(model.ties, [known])), atol=1e-5)
    uncleared = replace(model, profiles=replace(model.profiles, clearing=None))
    assert np.abs(model.scores(folded) - uncleared.scores(folded)).max() > 1e-3
    nobody = Queries.of(model.ties, [query_of(model.ties, -1)])
    np.testing.assert_array_equal(model.scores(nobody), uncleared.scores(nobody))
    assert len(history)


def test_explanations_say_what_was_taken_out_and_sum_to_the_score(model: Model) -> None:
    top = model.recommend("u003", 3)
    for row in top.itertuples():
        found = model.explain("u003", str(row.item_id))
        assert found.score == pytest.approx(row.score, abs=1e-4)
        assert sum(found.blocks.values()) == pytest.approx(row.score, abs=1e-4)
        assert sum(found.shares.values()) == pytest.approx(row.score, abs=1e-4)
        assert found.shares[f"block:{CLEARED}"] == pytest.approx(found.blocks[CLEARED])
    items = model.data.items.numbers(top["item_id"].tolist())
    added = parts(model, Queries.stored(model.ties, np.array([3])), items)
    assert CLEARED in added
    np.testing.assert_allclose(sum(added.values()), top["score"], atol=1e-4)


def test_it_goes_with_the_model_and_the_attribute_does_not(model: Model, tmp_path: Path) -> None:
    files.save(tmp_path / "m", model)
    again = gr.load(tmp_path / "m").fitted
    queries = Queries.stored(model.ties)
    np.testing.assert_array_equal(again.scores(Queries.stored(again.ties)), model.scores(queries))
    assert not (again.data.user_attributes["key"] == "gender").any()
    later = again.updated([{"user_id": "u003", "item_id": "new"}], users=[{"user_id": "fresh"}])
    assert later.profiles.clearing is not None
    assert np.isfinite(later.scores(Queries.stored(later.ties))).all()
    recommender = gr.load(tmp_path / "m")
    assert ERASERS in recommender.forget(["u000", "u001"]).kept
    left = recommender.fitted
    told = [across(part, genders(model)[2:]) for b, part in left.profiles.parts(Queries.stored(left.ties)) if b.sparse]
    plain = replace(left.profiles, clearing=None).parts(Queries.stored(left.ties))
    before = [across(part, genders(model)[2:]) for b, part in plain if b.sparse]
    assert max(told) < 0.4 * min(before)  # from what the erasers told, without anybody's gender
    with pytest.raises(ConfigError, match="holds no sensitive attributes"):
        gr.Recommender(again.config).fit(again.data, again.chosen)
