"""What lies further back counts for less: in a query, and in the blocks that read one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.blocks.api import Block, FitInputs, Fold, Folds
from graphrec.blocks.neighbours import Neighbours
from graphrec.blocks.spectral import Spectral
from graphrec.data.dataset import Dataset, build
from graphrec.data.readings import READINGS
from graphrec.evaluate.validation import Validation
from graphrec.graph.hetero import hetero_graph
from graphrec.query import timeline
from graphrec.query.fading import DAY, STEADY, Fading
from graphrec.query.query import Queries, Query, query_of
from graphrec.query.ties import Ties
from kg.graph import empty
from tests.blocks.alone import check_accounts, check_round_trip
from tests.conftest import examples
from tests.query.test_query import USERS, logs

FADINGS = (Fading(1.0), Fading(0.5, 2.0), Fading(0.0, 1e-5), Fading(0.0, 0.0, 2), Fading(2.0, 0.0, 1))


def test_weights_by_hand() -> None:
    rows = [("a", "x", 0), ("a", "y", 2 * DAY), ("a", "x", 3 * DAY), ("a", "z", 4 * DAY), ("b", "x", 9 * DAY)]
    ties = Ties(
        build("rows", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]).astype({"timestamp": int}))
    )
    queries = Queries.stored(ties)
    assert queries.taste("alike", fading=Fading(1.0)).toarray()[0].tolist() == pytest.approx([1 / 2, 1 / 3, 1])
    assert queries.taste("alike", fading=Fading(0.0, 2.0)).toarray()[0].tolist() == pytest.approx([0.5**0.5, 0.5, 1])
    assert queries.taste("alike", fading=Fading(last=2)).toarray().tolist() == [[1, 0, 1], [1, 0, 0]]
    assert not Fading(0.0, 0.0, 0)
    assert Fading.of({"power": 1.0}) == Fading.of(Fading(1.0)) == Fading(**Fading(1.0).told())


@examples(60)
@given(logs(), st.sampled_from(FADINGS), st.sampled_from(READINGS), st.sampled_from([0.0, 0.7]))
def test_a_user_asked_and_a_user_stored_fade_alike(data: Dataset, fading: Fading, reading: Any, friends: float) -> None:
    ties = Ties(data)
    asked = Queries.of(ties, [query_of(ties, u) for u in range(USERS)])
    found, expected = (q.taste(reading, friends, fading).toarray() for q in (asked, Queries.stored(ties)))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    if not friends:
        whole = Queries.stored(ties).taste(reading).toarray()
        assert (np.abs(found) <= np.abs(whole) + 1e-7).all()


def test_one_event_is_told_as_ever() -> None:
    """Whatever the moment of asking, the last event counts 1."""
    ties = Ties(build("one", pd.DataFrame({"user_id": ["a"], "item_id": ["x"], "timestamp": [5]})))
    for fading in FADINGS:
        assert Queries.stored(ties).taste("alike", fading=fading).toarray().tolist() == [[1.0]]
    stranger = Query(items=np.array([0]), strengths=np.ones(1, np.float32), now=10**9)
    assert Queries.of(ties, [stranger, Query()]).taste("alike", fading=FADINGS[1]).toarray().tolist() == [[1.0], [0.0]]


def test_histories_are_weighed_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ties = Ties(drift()[0])
    expected = Queries.stored(ties).taste("alike", fading=FADINGS[1])
    monkeypatch.setattr(timeline, "HELD", 7)
    found = Queries.stored(ties).taste("alike", fading=FADINGS[1])
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))


def drift(shuffled: bool = False) -> tuple[Dataset, Dataset]:
    """People who go from one of six groups of items to another: training and validation part."""
    random = np.random.default_rng(1)
    rows = []
    for user in range(150):
        groups = random.choice(6, 3, replace=False)
        items = np.concatenate([10 * g + random.choice(10, 4, replace=False) for g in groups])
        items = random.permutation(items) if shuffled else items
        rows += [(f"u{user:03d}", f"i{item:02d}", int(n * DAY)) for n, item in enumerate(items.tolist())]
    data = build("drift", pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]))
    times = data.events.timestamps
    assert times is not None
    held = times >= 10 * DAY
    return data.subset(~held), data.subset(held)


@pytest.mark.parametrize(
    "block",
    [
        Neighbours(Neighbours.Settings(alpha=(0.25,), beta=(0.5,), n=(50,), fading=(0.0, 1.0))),
        Spectral(Spectral.Settings(rank=(16,), alpha=(0.4,), power=(0.4,), beta=(0.4,), fading=(0.0, 1.0))),
    ],
)
def test_a_drift_is_found_by_validation_and_gone_when_shuffled(block: Block[Any]) -> None:
    gains = []
    for shuffled in (False, True):
        train, valid = drift(shuffled)
        inputs = FitInputs(Ties(train), hetero_graph(train, empty()))
        validation = Validation(inputs.ties, valid, k=5)
        (fitted,), chosen = block.tune(Folds([Fold(inputs, validation)]))
        steady = block.fit(inputs, {**chosen, "fading": 0.0})
        gains.append(validation.ndcg_of(fitted.scores) - validation.ndcg_of(steady.scores))
        assert (chosen["fading"] > 0) == (gains[-1] > 0)
    assert gains[0] > 0.1
    assert gains[1] < 0.02


@pytest.mark.parametrize("block", [Neighbours(), Spectral()])
def test_accounts_and_artifacts_hold_the_fading(block: Block[Any]) -> None:
    train, _ = drift()
    inputs = FitInputs(Ties(train), hetero_graph(train, empty()))
    chosen = {"n": 50, "alpha": 0.4, "beta": 0.4, "rank": 16, "power": 0.4, "friends": 0.0}
    fitted = block.fit(inputs, {**chosen, "fading": 1.0})
    check_accounts(fitted, train)
    check_round_trip(fitted, train)
    plain = block.fit(inputs, {**chosen, "fading": 0.0})
    assert "fading" not in plain.arrays()[1]
    assert getattr(plain, "fading", None) == STEADY
    assert not np.allclose(plain.scores(Queries.stored(inputs.ties)), fitted.scores(Queries.stored(inputs.ties)))
