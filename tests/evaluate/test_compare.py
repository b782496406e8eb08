"""The comparison: same users and code for all, blind models, p values against the best baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from graphrec.blocks.api import Block, FitInputs, Folds
from graphrec.blocks.ease import Ease
from graphrec.config import Config
from graphrec.data.dataset import TEST, TRAIN, VALID, Dataset, build
from graphrec.data.split import Split
from graphrec.errors import ConfigError
from graphrec.evaluate import compare as module
from graphrec.evaluate.compare import Comparison, Fitted, alone, compare, fit_alone, interactions_of
from graphrec.evaluate.ranking import Scorer, Task, evaluate
from graphrec.evaluate.significance import holm, paired_p_value
from graphrec.evaluate.validation import Validation
from graphrec.profile.dense import ProfileBlock
from graphrec.query.query import Queries
from graphrec.runtime import Runtime
from graphrec.types import Floats, Vocabulary
from tests.conftest import shared_data
from tests.worlds import given, two_tastes

OTHERS = ("popularity", "itemknn", "ease")
ALL = (*OTHERS, "graphrec")
MODELS = ("bpr", "ease", "ials", "itemknn", "lightgcn", "popularity", "rp3beta", "slim", "userknn")


@dataclass(frozen=True)
class Oracle:
    """Knows the answers, so it is best by far."""

    answers: Floats

    def scores(self, queries: Queries) -> Floats:
        out: Floats = self.answers[queries.user_nums]
        return out


def constant(items: Floats, n_users: int) -> ProfileBlock:
    """The same item scores (I,) for everybody."""
    return ProfileBlock("constant", np.ones((n_users, 1), np.float32), np.asarray(items, np.float32)[:, None], prior=1)


class Spy(Block[Any]):
    """Constant scores that favour the item numbered ``first``; remembers the data it was fitted on."""

    name = "spy"

    def __init__(self, first: Sequence[int] = (0,)) -> None:
        super().__init__()
        self.first, self.fitted = first, list[FitInputs]()

    def space(self, inputs: FitInputs) -> Mapping[str, Sequence[int]]:
        return {"first": self.first}

    def learn(self, inputs: FitInputs, chosen: dict[str, Any]) -> ProfileBlock:
        self.fitted.append(inputs)
        return constant(np.eye(inputs.train.n_items, dtype=np.float32)[chosen["first"]], inputs.train.n_users)


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
    inputs, truth = interactions_of(split.fit_data, Task(), Runtime()), split.test.matrix()
    scorers: dict[str, Scorer] = {n: alone(Config(), n).fit(inputs, dict(rows[n].chosen)) for n in OTHERS}
    scorers["graphrec"] = Oracle(truth.toarray())
    queries = Queries.stored(inputs.ties)
    found = {name: evaluate(scorer, queries, truth).per_user["ndcg@20"] for name, scorer in scorers.items()}
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
        return Fitted(constant(np.zeros(parts.train.n_items, np.float32), parts.train.n_users))

    compare(split, ["graphrec"], Config(), fit)
    (parts,) = given_to
    assert len(parts.test.interactions) == 0
    assert len(parts.train.interactions) == len(split.train.interactions)
    assert len(parts.valid.interactions) == len(split.valid.interactions)


def test_models_tune_on_train_and_are_refitted_on_train_and_valid(split: Split) -> None:
    spy = Spy((0, 1))
    (row,) = compare(split, [spy, spy], Config(), refuse).rows
    train, valid = len(split.train.interactions), len(split.valid.interactions)
    found = [len(inputs.train.interactions) for inputs in spy.fitted]
    assert found == [train] * (len(found) - 1) + [train + valid]
    assert (row.model, row.p_value) == ("spy", None)


def test_models_learn_from_interactions_alone() -> None:
    spy = Spy()
    friends = given(two_tastes(friends=True))
    assert friends.train.social_edge_index.size
    compare(friends, [spy], Config(), refuse)
    for inputs in spy.fitted:
        assert not inputs.train.social_edge_index.size
        assert not inputs.ties.friend_mean.nnz
        assert inputs.graph is not None
        assert [kind for kind in inputs.graph.edge_types if inputs.graph[kind].edge_index.numel()] == [
            ("user", "interacts", "item"),
            ("item", "rev_interacts", "user"),
        ]


def test_no_more_points_than_trials(split: Split) -> None:
    spy = Spy(range(30))
    compare(split, [spy], Config().with_(evaluate={"trials": 3}), refuse)
    folds = len(split.folds)
    assert len(spy.fitted) <= (3 + 1) * folds + 1  # the best one once more, and on all
    whole = Spy(range(5))
    compare(split, [whole], Config().with_(evaluate={"trials": 5}), refuse)
    assert len(whole.fitted) == (5 + 1) * folds  # on the other folds once more, and on all


def test_tuning_picks_the_best() -> None:
    rows = [(f"u{n}", item, part) for n in range(4) for item, part in (("a", TRAIN), ("b", TRAIN), ("d", VALID))]
    rows += [("v", "c", TRAIN), ("u0", "c", TEST)]
    data = build("planted", pd.DataFrame(rows, columns=["user_id", "item_id", "part"]))
    (row,) = compare(given(data), [Spy((0, 3, 1))], Config().with_(blend={"k": 1}), refuse).rows
    assert row.chosen == {"first": 3}


def refuse(parts: Split, config: Config) -> Fitted:
    raise AssertionError("graphrec was not asked for")


class UpsideDown(Spy):
    """Ranks the least popular first."""

    def learn(self, inputs: FitInputs, chosen: dict[str, Any]) -> ProfileBlock:
        return constant(-np.asarray(inputs.train.matrix().sum(axis=0), np.float32).ravel(), inputs.train.n_users)


def test_cold_users_get_the_same_fallback(split: Split) -> None:
    """A user without any row in train and valid is ranked by popularity in every model, whatever it says."""
    users, cold = split.train.interactions.user_nums, 0
    bare = replace(
        split,
        train=split.train.subset(users != cold),
        valid=split.valid.subset(split.valid.interactions.user_nums != cold),
    )
    found: list[Floats] = []

    def spy(scorer: Scorer, queries: Queries, *args: Any, **options: Any) -> Any:
        found.append(scorer.scores(queries[np.array([cold, 1])]))
        return evaluate(scorer, queries, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "evaluate", spy)
        compare(bare, ["popularity", UpsideDown()], Config().with_(evaluate={"k": [1, 40]}), refuse)
    popular, upside_down = found
    assert np.array_equal(popular[0], upside_down[0])
    assert not np.array_equal(popular[1], upside_down[1])
    taken = np.asarray(bare.fit_data.matrix().sum(axis=0)).ravel()
    assert np.array_equal(np.argsort(-popular[0], kind="stable"), np.argsort(-taken, kind="stable"))


@pytest.mark.parametrize("models", [["itemknn", "nothing"], []])
def test_unknown_models_are_refused(split: Split, models: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"unknown model .* known are .*, itemknn, .*, graphrec") as caught:
        compare(split, models, Config(), refuse)
    assert all(name in str(caught.value) for name in MODELS)


def test_models_of_texts_are_refused(split: Split) -> None:
    with pytest.raises(ConfigError, match=r"semantic: learns from texts.*--set blocks=semantic"):
        compare(split, ["semantic"], Config(), refuse)


def test_too_large_catalogues_are_refused_before_any_work(split: Split) -> None:
    items = Vocabulary(map(str, range(30_001)))
    spy, large = Spy(), replace(split, train=replace(split.train, items=items))
    with pytest.raises(ConfigError, match=r"ease: the catalogue has 30,001 items.*7\.2 GB.*split\.k_core") as caught:
        compare(large, ["graphrec", spy, "ease"], Config(), refuse)
    assert "\n" not in str(caught.value)
    assert not spy.fitted
    with pytest.raises(ConfigError, match="ease: the catalogue has 40 items"):
        compare(split, ["ease"], Config().with_(ease={"max_items": 39}), refuse)


def test_alone_a_block_has_settings_of_its_own_unless_others_are_set() -> None:
    block = alone(Config(), "ease")
    assert (block.settings.n, block.settings.max_items, len(block.settings.regularisation)) == ((0,), 30_000, 15)
    assert set(block.readings) == {"liked", "alike"}
    block = alone(Config().with_(ease={"regularisation": [7.0], "max_items": 50}), "ease")
    assert (block.settings.n, block.settings.max_items, block.settings.regularisation) == ((0,), 50, (7.0,))
    assert Config().block("ease").settings.n == (500,)
    assert set(Ease().readings) > {"liked", "alike"}


@pytest.mark.parametrize("name", MODELS)
def test_alone_it_learns_planted_tastes(name: str, split: Split) -> None:
    """Users take items of one parity only, and so does their ranking; popularity cannot tell."""
    block = alone(Config().with_(lightgcn={"epochs": [50], "dim": 16}), name)
    train, whole = (interactions_of(part, Task(), Runtime()) for part in (split.train, split.fit_data))
    fitted = fit_alone(block, Folds.of(train, Validation(train.ties, split.valid, k=5)), whole, trials=4)
    assert all(fitted.chosen[key] in values for key, values in block.space(train).items())
    scores = fitted.scorer.scores(Queries.stored(whole.ties))
    if name != "popularity":
        even = np.arange(split.train.n_items) % 2 == 0
        assert (scores[::2][:, even].mean(axis=1) > scores[::2][:, ~even].mean(axis=1)).all()
        assert (scores[1::2][:, ~even].mean(axis=1) > scores[1::2][:, even].mean(axis=1)).all()


def test_models_are_as_strong_as_they_were() -> None:
    """NDCG@20 on the planted tastes of 120 users: what implementations of their own had there, tuned by TPE in 20
    trials, within half the width of the interval over users."""
    former = {"bpr": 0.418, "ease": 0.406, "ials": 0.409, "itemknn": 0.411, "popularity": 0.181}
    former |= {"rp3beta": 0.419, "slim": 0.409, "userknn": 0.421}
    for row in compare(given(two_tastes(n_users=120)), [*former], Config(), refuse).rows:
        low, high = row.interval
        assert row.metrics["ndcg@20"] >= former[row.model] - (high - low) / 2, row.model


@pytest.fixture(scope="module")
def lastfm() -> tuple[FitInputs, Dataset]:
    """The published split: what is learned from, and the test part."""
    data = Dataset.load(shared_data("lastfm_social") / "split")
    assert data.parts is not None
    train, test = (data.subset(data.parts == part) for part in (TRAIN, TEST))
    return interactions_of(train, Task(), Runtime()), test


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("ease", {"recall@20": 0.3467, "ndcg@20": 0.3196, "recall@10": 0.2489, "ndcg@10": 0.2714}),
        ("popularity", {"recall@20": 0.1244, "ndcg@20": 0.1066}),
    ],
)
def test_known_figures_on_lastfm(name: str, figures: dict[str, float], lastfm: tuple[FitInputs, Dataset]) -> None:
    """EASE λ=100 and popularity on the published split, as in its notes."""
    inputs, test = lastfm
    block = alone(Config(), name).fit(inputs, {"regularisation": 100.0, "n": 0} if name == "ease" else {})
    report = evaluate(block, Queries.stored(inputs.ties), test.matrix(), auc=False)
    assert len(report.user_nums) == 1859
    assert {metric: report.metrics[metric] for metric in figures} == pytest.approx(figures, abs=2e-4)


def test_table_names_every_model(comparison: Comparison) -> None:
    console = Console(file=StringIO(), width=140)
    console.print(comparison.table())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(name in text for name in (*ALL, "ndcg", "cut-off 20", "60 test users"))
