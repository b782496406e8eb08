"""What friends took: a naive twin, recency, silence where friends tell nothing, and whom it is for."""

from __future__ import annotations

import numpy as np

from graphrec.blocks.circle import Circle, CircleBlock
from graphrec.blocks.folds import FitInputs, Folds
from graphrec.evaluate.validation import Validation
from graphrec.query.query import Queries, Query
from graphrec.testing import BlockContract
from graphrec.testing.planted import later, world
from tests import worlds

CHOSEN = {"beta": 0.25, "gamma": 0.5, "half_life": 0.0, "bands": 1.0}


class TestCircle(BlockContract):
    block = Circle
    further = {"bands": [[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]]}  # noqa: RUF012 (read only)

    def test_it_takes_in_new_events_users_and_items(self) -> None:
        """A new user has no friends, and so no row; whoever hears the first user is told what that one took."""
        chosen, (ties, touched) = self.subject.tuned()[1], later(world())
        grown = Circle().fit(FitInputs(ties, None), {**chosen, "bands": 1.0})
        assert grown.shape == (ties.data.n_users, ties.data.n_items)
        new = grown.scores(Queries.stored(ties))[:, -1]
        hearing = np.setdiff1d(touched, [0, ties.data.n_users - 1])
        assert (new[hearing] > 0).all()
        assert not grown.users[[ties.data.n_users - 1]].nnz


def test_it_is_the_sum_over_friends() -> None:
    train = worlds.given(worlds.two_tastes(friends=True)).train
    block = Circle().fit(worlds.inputs(train), CHOSEN)
    taste = train.matrix().toarray()
    source, target = train.social_edge_index
    found = worlds.scores(block, train)
    for user in range(train.n_users):
        friends = target[source == user]
        rows = taste[friends] / np.sqrt(taste[friends].sum(axis=1))[:, None] / np.maximum(taste.sum(axis=0), 1) ** 0.25
        expected = rows.sum(axis=0)
        np.testing.assert_allclose(found[user], expected / (expected.std() or 1.0), atol=1e-4)


def test_whom_it_is_for() -> None:
    """Bands that do not hear friends have no row."""
    parts = worlds.given(worlds.heard_by_some())
    inputs = worlds.inputs(parts.train)
    folds = Folds.of(inputs, Validation(inputs.ties, parts.valid))
    (block,), chosen = Circle().tune(folds)
    assert chosen["bands"] == [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    silent = np.diff(block.users.indptr) == 0
    np.testing.assert_array_equal(~silent, inputs.ties.activity == 2)
    assert isinstance(block, CircleBlock)
    asked = [Query(items=np.arange(n), strengths=np.ones(n, np.float32), friends=np.arange(3)) for n in (1, 2, 3)]
    assert (block.scores(Queries.of(inputs.ties, asked)).std(axis=1) > 0.5).tolist() == [False, True, False]


def test_shuffled_friends_and_none_leave_it_out() -> None:
    for data, why in ((worlds.heard_by_some(shuffled=True), "nothing"), (worlds.two_tastes(), "no friends")):
        parts = worlds.given(data)
        inputs = worlds.inputs(parts.train)
        (block,), chosen = Circle().tune(Folds.of(inputs, Validation(inputs.ties, parts.valid)))
        assert why in chosen["left_out"]
        assert block.empty
        assert Circle().fit(inputs, chosen).empty
