"""Queries: what is made of a user's events is what is stored of them, and more likes change only what is new."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from graphrec.blocks._whole import WholeBlock
from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.data.kinds import Kind
from graphrec.data.readings import READINGS
from graphrec.errors import DataError, UnknownIdError
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.fading import STEADY, Fading
from graphrec.query.few import FEW, tastes_of
from graphrec.query.hearing import Hearing, as_hearing
from graphrec.query.query import STRANGER, Queries, Query, query_of
from graphrec.query.ties import Ties
from tests.conftest import examples
from tests.explain.world import random_world
from tests.worlds import two_tastes

USERS, ITEMS = 7, 9
KINDS = (
    Kind("review", values="rating", scale=(1, 5)),
    Kind("play", values="count"),
    Kind("view", 0.25),
    Kind("skip", -0.5),
    Kind("like"),
    Kind("dislike", -1.0),
    Kind("shown", 0.0),
    Kind("star", 0.0),  # an opinion that says nothing takes back the one before it
)


@st.composite
def logs(draw: st.DrawFn) -> Dataset:
    """Events of all kinds, many of one pair and of one second; with times and friends, or without."""
    data = random_world(draw(st.integers(0, 10_000)), USERS, ITEMS)
    n, random = draw(st.integers(0, 60)), np.random.default_rng(draw(st.integers(0, 10_000)))
    users, items = random.integers(0, USERS, n), random.integers(0, draw(st.integers(1, ITEMS)), n)
    kinds = random.choice(draw(st.lists(st.integers(0, len(KINDS) - 1), min_size=1, max_size=4)), n)
    values = np.where(kinds == 0, random.integers(1, 6, n), np.where(kinds == 1, random.integers(0, 9, n), np.nan))
    values[random.random(n) < 0.1] = np.nan
    times = random.integers(0, 5, n) if draw(st.booleans()) else None
    order = np.lexsort((*(() if times is None else (times,)), items, users))
    events = Events(
        users[order],
        items[order],
        values[order],
        kinds[order],
        None if times is None else times[order],
        kind_table=KINDS,
        exposure=draw(st.booleans()),
    )
    return replace(data, events=events)


def equal(asked: Queries, stored: Queries) -> None:
    for reading in READINGS:
        for friend_weight in (0.0, 0.7):
            found, expected = (q.taste(reading, friend_weight).toarray() for q in (asked, stored))
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7, err_msg=reading)
    for what in ("liked", "seen"):
        np.testing.assert_array_equal(getattr(asked, what).toarray(), getattr(stored, what).toarray(), err_msg=what)
    np.testing.assert_allclose(asked.friends.toarray(), stored.friends.toarray(), rtol=1e-6)


@examples(150)
@given(logs())
def test_what_is_made_of_events_is_what_is_stored(data: Dataset) -> None:
    ties = Ties(data)
    equal(Queries.of(ties, [query_of(ties, u) for u in range(USERS)]), Queries.stored(ties))


@examples(60)
@given(logs(), st.integers(0, USERS - 1))
def test_likes_that_are_known_change_nothing(data: Dataset, user: int) -> None:
    ties = Ties(data)
    equal(Queries.of(ties, [query_of(ties, user, ties.history(user))]), Queries.stored(ties, np.array([user])))


@examples(60)
@given(logs(), st.integers(0, USERS - 1), st.lists(st.integers(0, ITEMS - 1), min_size=1, max_size=4))
def test_new_likes_count_as_usual_and_leave_the_rest(data: Dataset, user: int, likes: list[int]) -> None:
    """Among them items that were disliked, however often, which are liked now."""
    ties = Ties(data)
    usual = ties.history(user)
    found, before = Queries.of(ties, [query_of(ties, user, np.array(likes))]), Queries.stored(ties, np.array([user]))
    assert found.liked.indices.tolist() == sorted({*usual.tolist(), *likes})
    taste, was = (q.taste("weighted").toarray()[0] for q in (found, before))
    for item in range(ITEMS):
        new = item in likes and item not in usual
        assert taste[item] == pytest.approx(1.0 if new else was[item], rel=1e-5)


@examples(30)
@given(logs(), st.lists(st.integers(0, ITEMS - 1), max_size=4))
def test_strangers(data: Dataset, likes: list[int]) -> None:
    """Nobody's history is a stranger's: an item that comes twice in what they like counts once."""
    ties = Ties(data)
    found = Queries.of(ties, [query_of(ties, STRANGER, np.array([*likes, *likes], np.int64)), Query()])
    assert found.liked[0].indices.tolist() == sorted(set(likes))
    assert found.taste("alike").toarray()[0].tolist() == [float(i in likes) for i in range(ITEMS)]
    assert found.seen[1].nnz == found.friends.nnz == 0


@examples(30)
@given(logs(), st.data())
def test_slices_are_those_of_the_whole(data: Dataset, draw: st.DataObject) -> None:
    ties = Ties(data)
    both = Queries.stored(ties), Queries.of(ties, [query_of(ties, u) for u in range(USERS)])
    ways = st.one_of(
        st.lists(st.integers(0, USERS - 1)).map(lambda n: np.array(n, np.int64)),
        st.lists(st.booleans(), min_size=USERS, max_size=USERS).map(np.array),
        st.slices(USERS),
    )
    rows = draw.draw(ways)
    for whole in both:
        some = whole[rows]
        assert some.user_nums.tolist() == whole.user_nums[rows].tolist()
        assert len(some) == len(some.user_nums)
        for reading in READINGS:
            expected = whole.taste(reading).toarray()[rows]
            np.testing.assert_array_equal(some.taste(reading).toarray(), expected)
        np.testing.assert_array_equal(some.friends.toarray(), whole.friends.toarray()[rows])


@examples(30)
@given(logs(), st.lists(st.sets(st.integers(0, USERS - 1)), max_size=5))
def test_rows_of_friends_sum_to_one_or_to_nothing(data: Dataset, heard: list[set[int]]) -> None:
    ties = Ties(data)
    found = Queries.of(ties, [query_of(ties, 0, friends=np.array(sorted(f), np.int64)) for f in heard])
    sums = np.asarray(found.friends.sum(axis=1)).ravel()
    assert sums == pytest.approx([float(bool(f)) for f in heard])
    mean = [np.mean([ties.matrix[f].toarray()[0] for f in fs] or np.zeros((1, ITEMS)), axis=0) for fs in heard]
    with_friends = found.taste("alike", 0.5) - found.taste("alike")
    if heard and not data.events.exposure:
        np.testing.assert_allclose(with_friends.toarray(), 0.5 * np.array(mean), atol=1e-6)


@examples(12)
@given(
    logs(),
    st.lists(st.integers(0, ITEMS - 1), max_size=4),
    st.sampled_from(READINGS),
    st.sampled_from([0.0, 0.5, as_hearing([2.0, 1.0, 0.5, 0.5, 0.2, 0.1])]),
    st.sampled_from([STEADY, Fading(power=1.0), Fading(power=0.5, half_life=1e-5, last=3), Fading(day=2.0)]),
    st.integers(0, 10_000),
)
def test_one_by_one_they_hold_and_score_what_they_do_together(
    data: Dataset, likes: list[int], reading: str, hearing: Hearing, fading: Fading, seed: int
) -> None:
    ties, random = Ties(data), np.random.default_rng(seed)
    asked = [query_of(ties, n, np.array(likes[: n + 1], np.int64)) for n in (*range(USERS), STRANGER, STRANGER)]
    links = np.where(random.random((ITEMS, ITEMS)) < 0.4, random.random((ITEMS, ITEMS)), 0).astype(np.float32)
    told: dict[str, Any] = {"reading": reading, "friend_weight": hearing, "fading": fading, "spread": seed % 2 * 5}
    block = NeighbourBlock("near", ties.matrix, sp.csr_matrix(links), **told)
    block = replace(block, users=block.computed(Queries.stored(ties)), bands=as_hearing([1.0, 0.9, 0.8, 0.7, 0.6, 0.5]))
    whole = WholeBlock(**{**{f.name: getattr(block, f.name) for f in fields(block)}, "items": links})
    twice = np.arange(2 * USERS) % USERS
    for queries in (Queries.of(ties, asked), Queries.stored(ties, twice), Queries.stored(ties, twice, twice)):
        assert len(queries) > FEW
        tastes = queries.taste(reading, hearing, fading).toarray()
        some = [(n, queries.each[n]) for n in (0, 4, seed % USERS, FEW)]
        for n, one in some:
            items, values = tastes_of(one, reading, hearing, fading)
            assert len(np.unique(items)) == len(items)
            own = np.zeros(ITEMS, np.float32)
            own[items] = values
            np.testing.assert_allclose(own, tastes[n], rtol=1e-6)
        for each in (block, whole):
            scores, score = each.scores(queries), each.score(queries, 3)
            for n, one in some:
                np.testing.assert_allclose(each.scores(one)[0], scores[n], rtol=1e-6, atol=1e-6)
                assert each.score(one, 3)[0] == pytest.approx(score[n], rel=1e-6, abs=1e-6)
                assert each._scale_of(one) == pytest.approx(each._scale(one.taste(reading, hearing, fading), one)[0])


def test_nobody_at_all() -> None:
    ties = Ties(random_world(0))
    for nobody in (Queries.of(ties, []), Queries.stored(ties, np.zeros(0, np.int64)), Queries.stored(ties)[:0]):
        assert len(nobody) == 0
        for matrix in (nobody.liked, nobody.seen, nobody.taste("signed", 0.5)):
            assert matrix.shape == (0, ties.data.n_items)
        assert nobody.friends.shape == (0, ties.data.n_users)


def test_a_stranger_is_nobody_that_is_stored() -> None:
    """Number -1 would be read as the last user's row."""
    ties = Ties(random_world(0))
    for number in (-1, ties.data.n_users):
        with pytest.raises(UnknownIdError, match=f"user number {number}; the data holds users 0 to 6"):
            Queries.stored(ties, np.array([0, number]))


def test_columns_of_a_query_are_of_one_length() -> None:
    with pytest.raises(DataError, match=r"differ in length: \[2, 1\]"):
        Query(items=np.array([1, 2]), strengths=np.array([1.0], np.float32))


def test_a_query_cannot_be_written_to() -> None:
    query = Query(items=np.array([1, 2]), strengths=np.ones(2, np.float32))
    with pytest.raises(ValueError, match="read-only"):
        query.items[0] = 5


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (Query(user_num=99), "user number 99"),
        (Query(user_num=-2), "user number -2"),
        (Query(friends=np.array([-1])), "user number -1"),
        (Query(items=np.array([0, 999]), strengths=np.ones(2, np.float32)), "item number 999"),
    ],
)
def test_numbers_that_are_nobodys_are_refused(query: Query, says: str) -> None:
    ties = Ties(random_world(0))
    with pytest.raises(UnknownIdError, match=says):
        Queries.of(ties, [Query(), query])


def test_friends_are_heard_by_band_of_what_is_known() -> None:
    """Each row with the weight of its own band: of users as stored, as asked, and of strangers."""
    data = two_tastes(friends=True)
    ties = Ties(data)
    weights = (3.0, 2.0, 1.0, 0.5, 0.25, 0.0)
    items = [np.arange(n) for n in (0, 1, 2, 5, 6, 25)]
    strangers = [Query(items=i, strengths=np.ones(len(i), np.float32), friends=np.array([4, 9])) for i in items]
    for found in (Queries.stored(ties), Queries.of(ties, strangers)):
        taken = np.diff(found.liked.indptr)
        each = [weights[(n >= 1) + (n >= 2) + (n >= 3) + (n >= 6) + (n >= 21)] for n in taken.tolist()]
        expected = found.taste("alike").toarray() + np.array(each)[:, None] * (found.friends @ ties.matrix).toarray()
        np.testing.assert_allclose(found.taste("alike", weights).toarray(), expected, rtol=1e-5)
    assert found.taste("alike", weights)[-1].nnz == 25  # whom friends say nothing has nothing of theirs


def test_dealt_friends_are_somebody_elses() -> None:
    ties = Ties(two_tastes(friends=True))
    dealt = ties.dealt(3)
    lengths = [np.sort(np.diff(t.friend_mean.indptr)) for t in (ties, dealt)]
    np.testing.assert_array_equal(lengths[0], lengths[1])
    same = [u for u in range(ties.data.n_users) if ties.friends(u) and ties.friends(u) == dealt.friends(u)]
    assert not same
    assert ties.matrix is dealt.matrix


@pytest.mark.parametrize("weights", [[0.1], [0.1] * 7])
def test_weights_for_other_bands_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="6 bands"):
        as_hearing(weights)
