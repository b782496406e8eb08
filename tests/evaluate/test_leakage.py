"""What profiles tell of people: a planted leak is found, and gone after clearing; where none is, none is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import graphrec as gr
from graphrec import experiment
from graphrec.cli.fairness import leaks
from graphrec.cli.output import answer
from graphrec.config import Config
from graphrec.errors import ConfigError, DataError
from graphrec.evaluate import leakage as module
from graphrec.evaluate.leakage import ALL, balanced, leakage
from graphrec.experiment import evaluate_model
from graphrec.model.model import Model
from graphrec.query.ties import Ties
from graphrec.report import page
from tests.profile.test_clearing import BLOCKS, CHOSEN, world


@pytest.fixture(scope="module")
def model() -> Model:
    return gr.Recommender(Config.load(None, BLOCKS)).fit(world(300), CHOSEN).fitted


@pytest.fixture(scope="module")
def found(model: Model) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "FOLDS", 2)
        return leakage(model.profiles, model.ties, "gender", allow=["gender"])


def test_a_planted_leak_is_found_and_gone_after_clearing(found: dict[str, Any]) -> None:
    rows = {row["part"]: row for row in found["rows"]}
    assert set(rows) == {ALL, "spectral", "neighbours"}, "what says the same of everybody tells nothing"
    for row in rows.values():
        assert row["before"]["right"] > 0.75, "8 of 10 are of the gender of their taste"
        assert abs(row["after"]["right"] - 0.5) < 0.12
        assert row["held"]["right"] < 0.55
        assert row["after"]["interval"][0] < row["after"]["right"] < row["after"]["interval"][1]
    assert found["raw"]["right"] > 0.75
    assert (found["people"], found["left_out"], found["chance"], found["majority"]) == (300, 0, 0.5, 0.5)


def test_where_nothing_leaks_nothing_is_told(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    table = model.data.user_attributes.copy()
    table["value"] = np.random.default_rng(3).permutation(table["value"].to_numpy())
    dealt, bare = (replace(model.data, user_attributes=rows) for rows in (table, table[:0]))
    monkeypatch.setattr(module, "FOLDS", 2)
    own = leakage(model.profiles, Ties(bare), "gender", dealt, ["gender"])  # told elsewhere, by id
    assert own["people"] == 300
    assert all(abs(row["before"]["right"] - 0.5) < 0.12 for row in own["rows"])


def test_figures_by_hand_and_what_may_not_be_told(model: Model) -> None:
    told = balanced(np.array([0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, 1]))
    assert told["right"] == pytest.approx(0.75)
    assert told["interval"][1] - 0.75 == pytest.approx(1.96 * (0.25 / 4) ** 0.5 / 2)
    with pytest.raises(ConfigError, match="sensitive"):
        leakage(model.profiles, model.ties, "gender")
    with pytest.raises(DataError, match="no attribute of people"):
        evaluate_model(world(60), Config(), probe=["shoe size"])


def test_it_is_in_the_document_and_the_report(
    model: Model, found: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "leakage", lambda *_: found)
    later = replace(world(300, seed=1), name="later")
    document = experiment.measure_model(model, later, probe=["gender"])
    assert document["leakage"]["gender"] == found | {"cleared": False}
    written = page(document | {"made": "today"})
    assert 'id="leakage"' in written
    assert f"{found['rows'][0]['before']['right']:.4f}" in written
    answer(*leaks(document["leakage"]))
    shown = capsys.readouterr().out
    assert f"{found['raw']['right']:.3f}" in shown
    assert found["rows"][0]["part"] in shown
    assert "leakage" not in experiment.measure_model(model, later)
