"""BPR: the library's own scores, exact accounts, and how new people are read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from implicit.bpr import BayesianPersonalizedRanking

from graphrec.blocks.bpr import BPR
from graphrec.query.query import Queries, query_of
from graphrec.query.ties import Ties
from tests import worlds
from tests.blocks.alone import at_unit_deviation, check_accounts, check_round_trip, inputs_of

CHOSEN = {"factors": 8, "learning_rate": 0.05, "regularisation": 0.01, "iterations": 100}


def test_users_keep_the_scores_that_the_library_gives_them() -> None:
    ties = Ties(worlds.given(worlds.two_tastes()).train)
    options = {"factors": 8, "learning_rate": 0.05, "regularization": 0.01, "iterations": 100}
    model = BayesianPersonalizedRanking(**options, random_state=42, num_threads=1, use_gpu=False)
    model.fit(ties.matrix, show_progress=False)
    expected = at_unit_deviation(np.asarray(model.user_factors) @ np.asarray(model.item_factors).T)
    block = BPR().fit(inputs_of(ties.data), CHOSEN)
    np.testing.assert_allclose(block.scores(Queries.stored(ties)), expected, atol=1e-3)


def test_accounts_and_round_trip() -> None:
    train = worlds.given(worlds.two_tastes()).train
    block = BPR().fit(inputs_of(train), CHOSEN)
    check_accounts(block, train, whole=False)
    check_round_trip(block, train)


def test_a_stranger_is_read_by_their_history_and_nothing_known_is_zero() -> None:
    train = worlds.given(worlds.two_tastes()).train
    bare = train.subset(train.interactions.user_nums != 0)
    ties = Ties(bare)
    block = BPR().fit(inputs_of(bare), CHOSEN)
    assert not block.users[0].any()
    full = Ties(train)
    scores = block.scores(Queries.of(ties, [replace(query_of(full, u), user_num=-1) for u in (0, 1)]))
    even = np.arange(train.n_items) % 2 == 0
    assert scores[0][even].mean() > scores[0][~even].mean() + 0.5
    assert scores[1][~even].mean() > scores[1][even].mean() + 0.5
