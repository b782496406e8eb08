"""Who is told to be known: figures against naive twins, nothing where nothing is shown, and what is planted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import roc_auc_score

import graphrec as gr
from graphrec import attacks
from graphrec.cli import fairness
from graphrec.cli.output import answer
from graphrec.config import Config
from graphrec.errors import ConfigError, DataError
from graphrec.evaluate import leakage, membership
from graphrec.evaluate.membership import ERASED, IN, OUT, States, answers, artifact, guesses, judged
from graphrec.experiment import measure_model
from graphrec.linalg.sums import SUMS
from graphrec.model.model import Model
from graphrec.query.query import Queries
from graphrec.report import page
from tests.profile.test_clearing import BLOCKS, CHOSEN, world


@pytest.fixture(scope="module")
def model() -> Model:
    return gr.Recommender(Config.load(None, BLOCKS)).fit(world(120), CHOSEN).fitted


@pytest.fixture(autouse=True)
def few_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (membership, leakage):
        monkeypatch.setattr(module, "FOLDS", 2)


def drawn(models: int = 5, people: int = 160, seed: int = 0) -> tuple[Any, States]:
    """Figures (M, P, 2) of people who differ, whatever a model knows of them; and whom each knows."""
    random = np.random.default_rng(seed)
    states = (random.random((models, people)) < 0.5).astype(np.int8)
    return 5 * random.normal(size=(people, 2)) + random.normal(size=(models, people, 2)), states


def test_nothing_shown_is_nothing_told() -> None:
    found = [judged(guesses(list(x), states), states)["auc"] for x, states in (drawn(seed=n) for n in range(4))]
    assert abs(np.mean(found) - 0.5) < 0.03


def test_what_is_planted_is_found_and_an_erasure_hides_it() -> None:
    x, states = drawn()
    states[(states == IN) & (np.random.default_rng(1).random(states.shape) < 0.3)] = ERASED
    x[:, :, 0] += 2.0 * (states == IN)
    guess = guesses(list(x), states)
    known, erased = judged(guess, states), judged(guess, states, ERASED)
    assert known["auc"] > 0.8
    assert known["tpr"] > 0.05
    assert known["interval"][0] < known["auc"] < known["interval"][1]
    assert abs(erased["auc"] - 0.5) < 0.07
    assert (known["pairs"], erased["pairs"]) == ((states == IN).sum(), (states == ERASED).sum())
    x[:, :, 0] += 2.0 * (states == ERASED)  # a subtraction that is none
    assert judged(guesses(list(x), states), states, ERASED)["auc"] > 0.8


def test_figures_are_those_of_the_library_and_by_hand() -> None:
    random = np.random.default_rng(0)
    states = (random.random((3, 50)) < 0.5).astype(np.int8)
    guess = np.round(random.normal(size=states.shape) + states, 1)  # with ties
    found = judged(guess, states)
    assert found["auc"] == pytest.approx(roc_auc_score(states.ravel(), guess.ravel()))
    surest = np.array([[3.0, 2.0, 1.0, 0.0]])
    assert judged(surest, np.array([[IN, IN, OUT, OUT]], np.int8))["tpr"] == 1.0
    assert judged(surest, np.array([[IN, OUT, OUT, IN]], np.int8))["tpr"] == 0.5


def test_how_near_items_are_is_a_sum_over_pairs(model: Model) -> None:
    taken: Any = model.ties.known[:6]
    found = artifact(model.profiles, taken)
    assert set(found) == {block.name for block in model.profiles.heard}
    for name in ("spectral", "neighbours"):
        sides: Any = model.profiles[name].items
        dense = np.asarray(sides.toarray() if hasattr(sides, "toarray") else sides, np.float64)
        unit = dense / np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
        second = (dense != 0).astype(np.float64) if sp.issparse(sides) else unit @ unit.T
        near = (dense if sp.issparse(sides) else dense @ dense.T), second
        for n, row in enumerate(taken):
            pairs = [(i, j) for i in row.indices for j in row.indices if i != j]
            by_hand = [np.mean([table[i, j] for i, j in pairs]) for table in near]
            np.testing.assert_allclose(found[name][n], by_hand, rtol=1e-4, atol=1e-7)


def test_every_item_is_looked_for_once_and_never_asked_with() -> None:
    taken: Any = sp.csr_matrix(np.tri(7, 12, k=1, dtype=np.int8))
    asked, sought, whose = membership._questions(taken, 0)
    for n in range(taken.shape[0]):
        mine = whose == n
        assert mine.sum() == min(membership.ASKED, n + 2)
        np.testing.assert_array_equal(sought[mine].sum(axis=0), taken[n].todense())
    assert asked.multiply(sought).nnz == 0
    np.testing.assert_array_equal((asked + sought).toarray(), taken[whose].toarray())


def test_lists_tell_what_comes_back() -> None:
    class Backwards:
        """Item 3 scores highest, and 0 least."""

        def scores(self, queries: Any) -> Any:
            return np.tile(np.arange(4, dtype=np.float32), (len(queries), 1))

    taken = sp.csr_matrix(np.array([[1, 0, 0, 1], [1, 1, 0, 0]], np.int8))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(membership, "query_of", lambda _ties, user, row: row)
        patched.setattr(Queries, "of", lambda _ties, asked: np.arange(len(asked)))
        found = answers(Backwards(), None, taken, k=2)  # type: ignore[arg-type]
    # 0 is asked for with 3: the list is 2, 1; 3 with 0: the list is 3, 2. And 0 with 1: 3, 2; 1 with 0: 3, 2.
    np.testing.assert_allclose(found, np.array([[0.5, 0.5, 0.5], [0, 0, 0]]))


def test_a_document_has_both_attacks_and_tables_fit(
    model: Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(attacks.attacked, "__defaults__", (3, 100))
    document = measure_model(model, world(120, seed=1), privacy=True)
    assert document["leakage"]["gender"]["answers"]["right"] > 0.6, "8 of 10 are of the gender of their taste"
    found = document["privacy"]["membership"]
    assert (found["models"], found["people"], found["left_out"]) == (3, 100, 20)
    rows = {(row["of"], row["part"]): row["auc"] for row in found["rows"]}
    assert {("both", ""), ("artifact", "neighbours"), ("answers", "")} <= set(rows)
    assert rows["artifact", ""] > 0.6, "models of sixty people know whom they know"
    answer(*fairness.leaks(document["leakage"]), fairness.membership(found))
    shown = capsys.readouterr().out
    assert "members told from others" in shown
    assert max(map(len, shown.splitlines())) <= 80
    written = page(document | {"made": "today", "model_version": "1", "chosen": model.chosen})
    assert "lists that they are shown" in written
    assert f"{rows['artifact', '']:.4f}" in written
    assert 'id="membership"' in written


def test_what_cannot_be_attacked_is_refused(model: Model) -> None:
    with pytest.raises(DataError, match="people took two things"):
        attacks.drawn_of(gr.Recommender(Config.load(None, BLOCKS)).fit(world(12), CHOSEN).fitted, 10)
    with pytest.raises(ConfigError, match="several parties"):
        attacks.learned_of(replace(model, chosen={**model.chosen, SUMS: {}}), np.array([0]))
    names, left = attacks.attributes_of(model.data)
    assert names == ["gender"]
    assert not left
