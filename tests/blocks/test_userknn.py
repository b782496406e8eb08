"""User nearest neighbours: a dense twin, exact accounts, strangers, and what is saved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.blocks import userknn
from graphrec.blocks.userknn import UserKNN
from graphrec.query.query import Queries, Query, query_of
from graphrec.query.ties import Ties
from tests import worlds
from tests.blocks.alone import (
    at_unit_deviation,
    check_accounts,
    check_round_trip,
    inputs_of,
    random_data,
    scores_of,
)

CHOSEN = {"n": 5, "shrink": 1.0}


@pytest.mark.parametrize("batch", [7, 1024])
@pytest.mark.parametrize("n", [2, 1000])
def test_it_equals_a_dense_twin(n: int, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userknn, "BATCH", batch)
    data = random_data(1)
    taste = data.matrix().toarray()
    norms = np.sqrt(taste.sum(1))
    alike = (taste @ taste.T) / (np.outer(norms, norms) + 1.0)
    np.fill_diagonal(alike, 0)
    for row in alike:
        row[np.argsort(-row, kind="stable")[n:]] = 0
    expected = at_unit_deviation(alike @ taste)
    assert scores_of(UserKNN(), data, n=n, shrink=1.0) == pytest.approx(expected, abs=1e-4)


def test_accounts_and_round_trip() -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = UserKNN().fit(inputs_of(train), CHOSEN)
    check_accounts(block, train)
    check_round_trip(block, train)


def test_nobody_listens_to_themselves_and_a_stranger_does_to_their_twin() -> None:
    ties = Ties(worlds.given(worlds.two_tastes()).train)
    block = UserKNN().fit(inputs_of(ties.data), CHOSEN)
    assert not block.users.diagonal().any()
    own = query_of(ties, 3)
    twin = sp.csr_matrix(block.encode(Queries.of(ties, [replace(own, user_num=-1)]))).toarray()[0]
    assert twin.argmax() == 3
    nothing = Queries.of(ties, [Query()])
    assert not block.scores(nothing).any()
    assert block.score(nothing, 2).tolist() == [0.0]


def test_new_events_change_the_rows_of_those_they_are_of_alone() -> None:
    data = worlds.given(worlds.two_tastes()).train
    bare = data.subset(data.events.user_nums != 4)
    block = UserKNN().fit(inputs_of(bare), CHOSEN)
    assert not block.users[4].nnz
    grown = block.grown(Ties(data), np.array([4]), None)
    assert grown.scores(Queries.stored(Ties(data), np.array([4]))).any()
    others = np.delete(np.arange(data.n_users), 4)
    np.testing.assert_array_equal(grown.users[others].toarray(), block.users[others].toarray())


def test_items_are_alike_that_the_same_people_took() -> None:
    train = worlds.given(worlds.two_tastes()).train
    found = UserKNN().fit(inputs_of(train), CHOSEN).likeness(0)
    assert found.shape == (train.n_items,)
    assert found[2::2].mean() > found[1::2].mean() + 0.5
