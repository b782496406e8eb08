"""What friends took: a naive twin, recency, silence where friends tell nothing, and whom it is for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import graphrec as gr
from graphrec.blocks.circle import Circle, CircleBlock
from graphrec.blocks.folds import FitInputs, Folds
from graphrec.data.dataset import TRAIN, VALID, Dataset, build
from graphrec.evaluate.validation import Validation
from graphrec.profile.attention import attended
from graphrec.query.query import Queries, Query
from graphrec.testing import BlockContract
from graphrec.testing.planted import later, world
from graphrec.types import Floats
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


def test_a_model_that_hears_friends_takes_in_an_item_without_events() -> None:
    data = worlds.given(worlds.heard_by_some()).train
    config = gr.Config().with_(blocks="popularity,circle", kg={"enabled": False}, features={"enabled": False})
    chosen = {"popularity": {"half_life": 0.0, "reading": "alike"}, "weights": {"popularity": 1.0, "circle": 1.0}}
    model = gr.Recommender(config).fit(data, {**chosen, "circle": {**CHOSEN, "reading": "alike"}}).fitted
    assert not model.profiles["circle"].empty
    later = model.updated(items=[{"item_id": "brand new", "title": "New"}])
    assert later.profiles["circle"].shape == (data.n_users, data.n_items + 1)
    now, before = (m.profiles["circle"].users.toarray() for m in (later, model))
    np.testing.assert_allclose(now, before, rtol=0.01)  # scores have unit deviation over one item more


def test_shuffled_friends_and_none_leave_it_out() -> None:
    for data, why in ((worlds.heard_by_some(shuffled=True), "nothing"), (worlds.two_tastes(), "no friends")):
        parts = worlds.given(data)
        inputs = worlds.inputs(parts.train)
        (block,), chosen = Circle().tune(Folds.of(inputs, Validation(inputs.ties, parts.valid)))
        assert why in chosen["left_out"]
        assert block.empty
        assert Circle().fit(inputs, chosen).empty


# --- attention --------------------------------------------------------------------------------------------------------

TASTES, N_ITEMS, N_FRIENDS = 4, 240, 100


def noisy(shuffled: bool = False, n_users: int = 120, seed: int = 0) -> tuple[Dataset, set[str]]:
    """People who took two things at random and one of their taste is held out, whose friends are four of that taste and
    four who take anything; and the ids of these. ``shuffled``: friends are anybody's."""
    random, rows, pairs = np.random.default_rng(seed), [], []
    fond, others = [f"fond{n}" for n in range(N_FRIENDS)], [f"any{n}" for n in range(N_FRIENDS)]
    for n in range(N_FRIENDS):
        mine = random.choice(np.arange(n % TASTES, N_ITEMS, TASTES), 30, replace=False)
        anything = random.choice(N_ITEMS, 90, replace=False)
        rows += [(name, f"i{i:03d}", TRAIN) for name, taken in ((fond[n], mine), (others[n], anything)) for i in taken]
    for n in range(n_users):
        mine = np.arange(n % TASTES, N_ITEMS, TASTES)
        taken = random.choice(N_ITEMS, 2, replace=False)
        held = random.choice(np.setdiff1d(mine, taken), 2, replace=False)
        parts = [TRAIN, TRAIN, VALID, VALID]
        rows += [(f"u{n}", f"i{i:03d}", part) for i, part in zip([*taken, *held], parts, strict=True)]
        alike = np.arange(N_FRIENDS) if shuffled else np.arange(n % TASTES, N_FRIENDS, TASTES)
        pairs += [(f"u{n}", fond[f]) for f in random.choice(alike, 4, replace=False)]
        pairs += [(f"u{n}", others[f]) for f in random.choice(N_FRIENDS, 4, replace=False)]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "part"])
    friends = pd.DataFrame(pairs, columns=["user_id", "friend_id"])
    return build("noisy", events, friends=friends, directed=True), set(others)


def folds_of(data: Dataset) -> Folds:
    assert data.parts is not None
    train, valid = (data.subset(np.equal(data.parts, part)) for part in (TRAIN, VALID))
    inputs = worlds.inputs(train)
    return Folds.of(inputs, Validation(inputs.ties, valid, k=10))


def test_friends_who_do_not_predict_count_for_next_to_nothing() -> None:
    data, others = noisy()
    folds = folds_of(data)
    ties = folds.inputs.ties
    (block,), chosen = Circle().tune(folds)
    assert chosen["attention"] > 0
    assert isinstance(block, CircleBlock)
    hearing = Queries.stored(ties, np.flatnonzero(np.diff(ties.friend_mean.indptr)))
    noise = np.isin(data.users.ids, list(others))
    weights = np.abs(block.encode(hearing).toarray())
    assert weights[:, noise].sum() < 0.1 * weights.sum(), "half of the friends"
    assert hearing.friends.toarray()[:, noise].sum() == pytest.approx(len(hearing) / 2)
    _, chosen = Circle().tune(folds_of(noisy(shuffled=True)[0]))
    assert "nothing" in chosen["left_out"]


def test_newcomers_with_friends_alone_are_served_by_those_who_agree() -> None:
    data, _ = noisy()
    ties = folds_of(data).inputs.ties
    heard = [np.flatnonzero(ties.friend_mean[data.users.number(f"u{n}")].toarray().ravel()) for n in range(8)]
    asked = Queries.of(ties, [Query(friends=friends) for friends in heard])
    found = {}
    for sharp in (0.0, 4.0):
        block = Circle().fit(FitInputs(ties, None), {**CHOSEN, "gamma": 0.0, "attention": sharp})
        best = np.argsort(-block.scores(asked), axis=1)[:, :50]
        kind = np.array([int(name[1:]) % TASTES for name in data.items.ids])
        found[sharp] = (kind[best] == np.arange(8)[:, None] % TASTES).mean()
    assert found[4.0] > 0.9
    assert found[4.0] > found[0.0]


def test_attention_is_that_of_a_naive_twin() -> None:
    rng = np.random.default_rng(0)
    rows = (rng.random((6, 40)) < 0.3).astype(np.float32)
    rows[2, :30], rows[4, :30] = rows[0, :30], rows[1, :30]
    taken = sp.csr_matrix(rows)
    own = sp.csr_matrix(np.stack([taken[1].toarray()[0] * (np.arange(40) < 20), np.zeros(40, np.float32)]))
    friends = sp.csr_matrix(np.array([[0, 0.25, 0.25, 0, 0.25, 0.25], [0.4, 0, 0.4, 0.2, 0, 0]], np.float32))
    shares = taken.toarray().sum(axis=0) / taken.sum()

    def beyond(x: Floats, y: Floats) -> float:
        size = np.linalg.norm(x) * np.linalg.norm(y)
        return float((x @ y - x.sum() * y.sum() * (shares**2).sum()) / size) if size else 0.0

    found = attended(friends, own, taken, 2.0).toarray()
    x = taken.toarray()
    for row in range(2):
        heard = np.flatnonzero(friends.toarray()[row])
        agreed = []
        for f in heard:
            voters = [x[g] for g in heard if g != f] + [own.toarray()[row]]
            votes = [beyond(x[f], voter) * voter.sum() for voter in voters]
            agreed.append(max(sum(votes) / sum(voter.sum() for voter in voters), 0))
        assert max(agreed) > 0
        ratio = (np.array(agreed) / max(agreed)) ** 2
        twin = ratio / (ratio + 0.25)
        twin *= friends.toarray()[row, heard]
        np.testing.assert_allclose(found[row, heard], twin / twin.sum(), rtol=1e-5)
    np.testing.assert_array_equal(attended(friends, own, taken, 0.0).toarray(), friends.toarray())
    nothing = sp.csr_matrix(np.zeros((6, 40), np.float32))
    np.testing.assert_allclose(attended(friends, own, nothing, 2.0).toarray(), friends.toarray())
