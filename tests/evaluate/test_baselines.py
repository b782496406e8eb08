"""Baselines: against naive twins, on real data with known figures, and tuned on the training part alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphrec.blocks.popularity import decayed_counts
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.errors import ConfigError
from graphrec.evaluate.baselines import EASE, SLIM, Baseline, ConstantScorer, with_popularity_fallback
from graphrec.evaluate.ranking import Scorer, evaluate
from graphrec.evaluate.trained import BASELINES
from graphrec.evaluate.validation import Validation
from graphrec.linalg import item_item
from graphrec.types import Vocabulary
from tests.conftest import shared_data
from tests.reference import naive_ease, naive_itemknn, naive_rp3beta
from tests.worlds import given, two_tastes


def part(data: Dataset, number: int) -> Dataset:
    assert data.parts is not None
    return data.subset(data.parts == number)


def random_data(seed: int = 0, n_users: int = 30, n_items: int = 17) -> Dataset:
    """Random histories of 1 to 6 items; the last item is taken by one user only."""
    random = np.random.default_rng(seed)
    rows = [
        (f"u{u:02d}", f"i{i:02d}")
        for u in range(n_users)
        for i in random.permutation(n_items - 1)[: random.integers(1, 7)]
    ]
    return build("random", pd.DataFrame([*rows, ("u00", f"i{n_items - 1:02d}")], columns=["user_id", "item_id"]))


@pytest.mark.parametrize("chunk", [4, 1024])
@pytest.mark.parametrize(("neighbours", "shrink"), [(1, 0.0), (3, 0.0), (3, 10.0), (50, 2.0)])
def test_itemknn_equal_to_naive_twin(
    neighbours: int, shrink: float, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_item, "CHUNK", chunk)
    data = random_data()
    scores = BASELINES["itemknn"].fit(data, neighbours=neighbours, shrink=shrink).scores(np.arange(data.n_users))
    assert scores == pytest.approx(naive_itemknn(data.matrix().toarray(), neighbours, shrink), abs=1e-5)


@pytest.mark.parametrize("double", [0, 10_000])  # float32, float64
@pytest.mark.parametrize("regularisation", [0.5, 20.0])
def test_ease_equal_to_column_regressions(regularisation: float, double: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_item, "DOUBLE", double)
    monkeypatch.setattr(item_item, "CHUNK", 5)
    data = random_data(1)
    scores = BASELINES["ease"].fit(data, regularisation=regularisation).scores(np.arange(data.n_users))
    assert scores.dtype == np.float32
    assert scores == pytest.approx(naive_ease(data.matrix().toarray(), regularisation), abs=1e-4)


def test_ease_refuses_large_catalogues_in_one_line() -> None:
    large = replace(random_data(), items=Vocabulary(map(str, range(EASE.max_items + 1))))
    with pytest.raises(ConfigError, match=r"ease: the catalogue has 30,001 items.*split\.k_core") as caught:
        EASE().fit(large)
    assert "\n" not in str(caught.value)


def test_ease_without_regularisation_says_so() -> None:
    twins = build("twins", pd.DataFrame([("u", "a"), ("u", "b")], columns=["user_id", "item_id"]))
    with pytest.raises(ConfigError, match="regularisation 0 is too small"):
        EASE().fit(twins, regularisation=0.0)


def test_popularity_decays_by_its_half_life() -> None:
    """Two events of ten days ago weigh as much as one half of today's each."""
    day = 86_400
    rows = [("u", "old", 0), ("v", "old", 0), ("u", "new", 10 * day)]
    data = build("timed", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))
    assert data.items.ids == ("new", "old")
    assert decayed_counts(data, half_life=0).tolist() == [1, 2]
    assert decayed_counts(data, half_life=10).tolist() == pytest.approx([1, 1])
    assert decayed_counts(data, half_life=5).tolist() == pytest.approx([1, 0.5])
    assert len(BASELINES["popularity"].space(data)["half_life"]) == 4
    assert BASELINES["popularity"].space(random_data()) == {"half_life": (0.0,)}


@pytest.mark.parametrize("name", sorted({*BASELINES} - {"bpr"}))  # bpr needs items that somebody did not take
def test_users_without_history_get_popular_items(name: str) -> None:
    rows = [("a", "x", TRAIN), ("b", "x", TRAIN), ("b", "y", TRAIN), ("cold", "y", TEST)]
    data = build("cold", pd.DataFrame(rows, columns=["user_id", "item_id", "part"]))
    train = part(data, TRAIN)
    fitted = BASELINES[name].fit(train)
    scores = with_popularity_fallback(fitted, train).scores(np.array([0, 2, 1]))
    assert scores[1].tolist() == [2, 1]
    assert np.array_equal(scores[[0, 2]], fitted.scores(np.array([0, 1])))


@dataclass(frozen=True)
class Spy(Baseline):
    """Constant scores that favour the item numbered ``first``; remembers the data it was fitted on."""

    fitted: list[Dataset]
    name = "spy"

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return {"first": (0, 3, 1)}

    def fit(self, train: Dataset, *args: Any, **params: Any) -> Scorer:
        self.fitted.append(train)
        return ConstantScorer(np.eye(train.n_items, dtype=np.float32)[params["first"]])


def test_tuning_picks_the_best_and_learns_from_train_alone() -> None:
    rows = [(f"u{n}", item, part) for n in range(4) for item, part in (("a", TRAIN), ("b", TRAIN), ("d", VALID))]
    data = build("planted", pd.DataFrame([*rows, ("v", "c", TRAIN)], columns=["user_id", "item_id", "part"]))
    train, valid = part(data, TRAIN), part(data, VALID)
    spy = Spy([])
    assert spy.tune(train, Validation(train, valid, k=1)) == {"first": 3}
    assert all(seen is train for seen in spy.fitted)


def test_no_more_trials_than_allowed() -> None:
    parts = given(two_tastes())
    spy = Spy([])
    spy.tune(parts.train, Validation(parts.train, parts.valid), trials=2)
    assert len(spy.fitted) <= 2


@pytest.mark.parametrize("name", sorted({*BASELINES} - {"popularity"}))
def test_learns_planted_tastes(name: str) -> None:
    """Users take items of one parity only, and so does their ranking; popularity cannot tell."""
    split = given(two_tastes())
    validation = Validation(split.train, split.valid, k=5)
    chosen = BASELINES[name].tune(split.train, validation, trials=4)
    assert all(chosen[key] in values for key, values in BASELINES[name].space(split.train).items())
    scores = BASELINES[name].fit(split.fit_data, **chosen).scores(np.arange(split.train.n_users))
    even = np.arange(split.train.n_items) % 2 == 0
    assert (scores[::2][:, even].mean(axis=1) > scores[::2][:, ~even].mean(axis=1)).all()
    assert (scores[1::2][:, ~even].mean(axis=1) > scores[1::2][:, even].mean(axis=1)).all()


def test_known_figures_on_lastfm() -> None:
    """EASE λ=100 and popularity on the published split, as in its notes."""
    data = Dataset.load(shared_data("lastfm_social") / "split")
    train, test = part(data, TRAIN), part(data, TEST)
    expected = {
        "ease": {"recall@20": 0.3467, "ndcg@20": 0.3196, "recall@10": 0.2489, "ndcg@10": 0.2714},
        "popularity": {"recall@20": 0.1244, "ndcg@20": 0.1066},
    }
    for name, figures in expected.items():
        params = {"regularisation": 100.0} if name == "ease" else {}
        report = evaluate(BASELINES[name].fit(train, **params), train.matrix(), test.matrix(), auc=False)
        assert len(report.user_nums) == 1859
        assert {metric: report.metrics[metric] for metric in figures} == pytest.approx(figures, abs=2e-4)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.7, 0.5)])
def test_rp3beta_equal_to_loops(alpha: float, beta: float) -> None:
    data = random_data(1)
    scores = BASELINES["rp3beta"].fit(data, alpha=alpha, beta=beta, neighbours=10**6).scores(np.arange(data.n_users))
    assert scores == pytest.approx(naive_rp3beta(data.matrix().toarray(), alpha, beta), abs=1e-5)


@pytest.mark.parametrize("neighbours", [2, 1000])
def test_userknn_equal_to_a_dense_twin(neighbours: int) -> None:
    data = random_data(1)
    taste = data.matrix().toarray()
    found = BASELINES["userknn"].fit(data, neighbours=neighbours, shrink=1.0).scores(np.arange(data.n_users))
    norms = np.sqrt(taste.sum(1))
    alike = (taste @ taste.T) / (np.outer(norms, norms) + 1.0)
    np.fill_diagonal(alike, 0)
    for row in alike:
        keep = np.argsort(-row, kind="stable")[:neighbours]
        row[np.setdiff1d(np.arange(len(row)), keep)] = 0
    assert found == pytest.approx(alike @ taste, abs=1e-5)


def test_slim_minimises_the_elastic_net() -> None:
    """No small change of a weight, up or down to zero, lowers the objective of its column."""
    data = random_data(1)
    taste = data.matrix().toarray().astype(np.float64)
    weights = np.asarray(SLIM().fit(data, l1=0.002, l2=0.01).weights.toarray(), np.float64)
    assert weights.min() >= 0
    assert not np.diag(weights).any()
    assert weights.any()

    def cost(column: np.ndarray, item: int) -> float:  # type: ignore[type-arg]
        missed = taste[:, item] - taste @ column
        return float(missed @ missed / 2 / len(taste) + 0.002 * column.sum() + 0.005 * column @ column)

    for item in range(data.n_items):
        best = cost(weights[:, item], item)
        for other in np.setdiff1d(np.arange(data.n_items), [item]):
            for change in (0.02, -0.02):
                moved = weights[:, item].copy()
                moved[other] = max(0.0, moved[other] + change)
                assert cost(moved, item) >= best - 1e-4
