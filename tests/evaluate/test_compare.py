"""The comparison: same users and code for all, blind models, p values against the best baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split
from graphrec.errors import ConfigError
from graphrec.evaluate import compare as module
from graphrec.evaluate.baselines import EASE, Baseline, ConstantScorer
from graphrec.evaluate.compare import Comparison, Fitted, compare
from graphrec.evaluate.ranking import Scorer, evaluate
from graphrec.evaluate.significance import holm, paired_p_value
from graphrec.evaluate.trained import BASELINES
from graphrec.types import Floats, Ints, Vocabulary
from tests.worlds import given, two_tastes

OTHERS = ("popularity", "itemknn", "ease")
ALL = (*OTHERS, "graphrec")


@dataclass(frozen=True)
class Oracle:
    """Knows the answers, so it is best by far."""

    answers: Floats

    def scores(self, user_nums: Ints) -> Floats:
        return self.answers[user_nums]


@pytest.fixture(scope="module")
def split() -> Split:
    return given(two_tastes())


@pytest.fixture(scope="module")
def comparison(split: Split) -> Comparison:
    def fit(parts: Split, config: Config) -> Fitted:
        return Fitted(Oracle(split.test.matrix().toarray()), {"answers": "known"}, {"fit": 1.5})

    return compare(split, ALL, Config(), fit)


def test_document(comparison: Comparison) -> None:
    document = json.loads(json.dumps(comparison.to_json()))
    assert (document["split"], document["k"], document["users"]) == ("given", [10, 20], 60)
    assert [row["model"] for row in document["rows"]] == list(ALL)
    for row in document["rows"]:
        assert {"recall@20", "ndcg@20", "auc", "coverage@10"} <= row["metrics"].keys()
        assert row["seconds"]["evaluate"] > 0
        low, high = row["interval"]["ndcg@20"]
        assert low <= row["metrics"]["ndcg@20"] <= high
    own = document["rows"][-1]
    assert own["metrics"]["ndcg@20"] == 1
    assert own["chosen"] == {"answers": "known"}
    assert own["seconds"]["fit"] == 1.5


def test_p_values_are_holm_corrected_against_the_best_baseline(split: Split, comparison: Comparison) -> None:
    rows = {row.model: row for row in comparison.rows}
    best = max(OTHERS, key=lambda name: rows[name].metrics["ndcg@20"])
    assert best != "popularity"
    scorers: dict[str, Scorer] = {name: BASELINES[name].fit(split.fit_data, **rows[name].chosen) for name in OTHERS}
    scorers["graphrec"] = Oracle(split.test.matrix().toarray())
    seen, truth = split.fit_data.matrix(), split.test.matrix()
    found = {name: evaluate(scorer, seen, truth).per_user["ndcg@20"] for name, scorer in scorers.items()}
    others = [name for name in ALL if name != best]
    expected = holm([paired_p_value(found[name], found[best]) for name in others])
    assert rows[best].p_value is None
    assert [rows[name].p_value for name in others] == pytest.approx(expected, rel=1e-6, abs=0)
    assert rows["graphrec"].p_value is not None
    assert rows["graphrec"].p_value < 1e-6


def test_graphrec_never_sees_the_test_part(split: Split) -> None:
    given_to: list[Split] = []

    def fit(parts: Split, config: Config) -> Fitted:
        given_to.append(parts)
        return Fitted(ConstantScorer(np.zeros(parts.train.n_items, np.float32)))

    compare(split, ["graphrec"], Config(), fit)
    (parts,) = given_to
    assert len(parts.test.interactions) == 0
    assert len(parts.train.interactions) == len(split.train.interactions)
    assert len(parts.valid.interactions) == len(split.valid.interactions)


@dataclass(frozen=True)
class Spy(Baseline):
    fitted: list[Dataset]
    name = "spy"

    def space(self, train: Dataset) -> Mapping[str, Sequence[float]]:
        return {"n": (0, 1)}

    def fit(self, train: Dataset, *args: Any, **params: Any) -> Scorer:
        self.fitted.append(train)
        return ConstantScorer(np.zeros(train.n_items, np.float32))


def test_baselines_tune_on_train_and_are_refitted_on_train_and_valid(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy([])
    monkeypatch.setitem(BASELINES, "spy", spy)
    (row,) = compare(split, ["spy", "spy"], Config(), refuse).rows
    train, valid = len(split.train.interactions), len(split.valid.interactions)
    assert [len(data.interactions) for data in spy.fitted] == [train, train, train + valid]
    assert row.p_value is None


def refuse(parts: Split, config: Config) -> Fitted:
    raise AssertionError("graphrec was not asked for")


class UpsideDown(Spy):
    """Ranks the least popular first."""

    def fit(self, train: Dataset, *args: Any, **params: Any) -> Scorer:
        return ConstantScorer(-np.asarray(train.matrix().sum(axis=0), np.float32).ravel())


def test_cold_users_get_the_same_fallback(split: Split) -> None:
    """A user without any row in train and valid is ranked by popularity in every baseline, whatever it says."""
    users, cold = split.train.interactions.user_nums, 0
    bare = replace(
        split,
        train=split.train.subset(users != cold),
        valid=split.valid.subset(split.valid.interactions.user_nums != cold),
    )
    config = Config().with_(evaluate={"k": [1, 40]})
    found: dict[str, Floats] = {}

    def spy(scorer: Scorer, *args: Any, **options: Any) -> Any:
        found[str(len(found))] = scorer.scores(np.array([cold]))
        return evaluate(scorer, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "evaluate", spy)
        patch.setitem(BASELINES, "spy", UpsideDown([]))
        compare(bare, ["popularity", "spy"], config, refuse)
    assert np.array_equal(found["0"], found["1"])


@pytest.mark.parametrize("models", [["itemknn", "nothing"], []])
def test_unknown_models_are_refused(split: Split, models: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"unknown model .* known are popularity, itemknn, .*, graphrec"):
        compare(split, models, Config(), refuse)


def test_too_large_catalogues_are_refused_before_any_work(split: Split) -> None:
    items = Vocabulary(map(str, range(int(EASE.max_items) + 1)))
    with pytest.raises(ConfigError, match="ease: the catalogue has"):
        compare(replace(split, train=replace(split.train, items=items)), ["graphrec", "ease"], Config(), refuse)


def test_table_names_every_model(comparison: Comparison) -> None:
    console = Console(file=StringIO(), width=140)
    console.print(comparison.table())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(name in text for name in (*ALL, "ndcg@20", "60 test users"))
