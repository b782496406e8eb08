"""Off-policy estimates: equal to Open Bandit Pipeline's, to naive twins, and right about generated people."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from graphrec.errors import DataError
from graphrec.evaluate.offpolicy import Estimate, How, Logged, estimate, overlap, rewards_of
from graphrec.evaluate.standing import standing
from graphrec.samples.explored import World
from tests.conftest import examples
from tests.reference_trial import Place, naive_standing, naive_value

HOWS: tuple[How, ...] = ("ips", "snips", "dr")


def of(rows: list[Place]) -> Logged:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Logged(*columns[:3], *(column.astype(np.float64) for column in columns[3:]))


def arithmetic(lists: bool) -> Logged:
    """A log by arithmetic, which anybody can make again; golden values below are obp's on it."""
    n, n_actions, places = 200, 5, 3 if lists else 1
    i = np.arange(n)
    base = np.abs(np.sin(1.0 + i[:, None] * 0.7 + np.arange(n_actions) * 1.3)) + 0.2
    pi = base / base.sum(axis=1, keepdims=True)
    tau = np.roll(pi, 1, axis=1) ** 2
    tau /= tau.sum(axis=1, keepdims=True)
    q = np.abs(np.cos(i[:, None] * 0.3 + np.arange(n_actions)))
    answer, place = np.repeat(i, places), np.tile(np.arange(places), n)
    action = ((answer * 7 + answer // 5) % n_actions + place) % n_actions
    rewards = ((answer * 13 + action * 5 + place) % 7 < 3).astype(np.float64)
    expected = (tau * q).sum(axis=1)[answer]
    taken = answer, action
    return Logged(answer, answer, place + 1, rewards, pi[taken], tau[taken], q[taken], expected)


@pytest.mark.parametrize(
    ("how", "clip", "golden"),
    [  # obp 0.5.5: InverseProbabilityWeighting, SelfNormalizedInverseProbabilityWeighting, DoublyRobust; lambda_ = clip
        ("ips", None, 0.6952846268245841),
        ("ips", 1.5, 0.3954427934170149),
        ("snips", None, 0.45272493905552885),
        ("dr", None, 0.37256461179252326),
        ("dr", 1.5, 0.4906569860584156),
    ],
)
def test_single_places_are_as_obp_has_them(how: How, clip: float | None, golden: float) -> None:
    assert estimate(arithmetic(lists=False), how, clip).value == pytest.approx(golden, abs=1e-12)


def test_lists_are_as_obp_has_them() -> None:
    """obp 0.5.5: SlateIndependentIPS."""
    assert estimate(arithmetic(lists=True), "ips").value == pytest.approx(1.9197843767390583, abs=1e-12)


@pytest.mark.parametrize(
    ("lists", "how", "low", "high"),
    [  # obp 0.5.5: estimate_interval, 20,000 samples, random_state=1; two bootstraps differ by some thousandths
        (False, "ips", 0.5197106839829964, 0.8854249542753908),
        (False, "dr", 0.19646305323727284, 0.5434802753499804),
        (True, "ips", 1.6423684065063922, 2.198968364787513),
    ],
)
def test_bootstrap_intervals_are_as_obp_has_them(lists: bool, how: How, low: float, high: float) -> None:
    found = estimate(arithmetic(lists), how, resamples=4000)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.015)


PLACES = st.lists(
    st.builds(
        Place,
        st.integers(0, 6),
        st.just(0),
        st.integers(1, 3),
        st.floats(0, 2),
        st.floats(0.05, 1),
        *[st.floats(0, 1, width=16)] * 3,
    ).map(lambda row: row._replace(user=row.answer % 4)),
    min_size=2,
    max_size=20,
    unique_by=lambda row: (row.answer, row.place),
).filter(lambda rows: len({row.user for row in rows}) > 1)


@given(rows=PLACES, clip=st.sampled_from([None, 1.0, 5.0]))
@examples(60)
def test_estimates_equal_their_naive_twins(rows: list[Place], clip: float | None) -> None:
    log = of(rows)
    for how in HOWS:
        found = estimate(log, how, clip)
        assert found.value == pytest.approx(naive_value(rows, how, clip or np.inf), abs=1e-9)
        assert found.by_place.sum() == pytest.approx(found.value)
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize(("n", "k", "share"), [(5, 3, 0.4), (4, 4, 0.2), (3, 3, 1.0), (6, 1, 0.1), (2, 2, 0.0)])
def test_where_items_stand_is_counted_out(n: int, k: int, share: float) -> None:
    found, naive = standing(n, k, share), np.array(naive_standing(n, k, share))
    np.testing.assert_allclose(found[:k], naive[:k], atol=1e-12)
    for rank in range(k, n):
        np.testing.assert_allclose(found[k], naive[rank], atol=1e-12)
    assert standing(2, 9, share).shape == (3, 2)


def logged(world: World, n_users: int, seed: int) -> Logged:
    """What a service would have logged of a world, with the model of rewards that goes with it."""
    a = world.answers(n_users, seed)
    propensities = standing(world.n_items, world.k, world.share)[np.minimum(a.ranks, world.k), a.places - 1]
    predicted, expected = rewards_of(a.items, a.places, a.clicks, a.users, [a.items, a.wanted])
    targets = (a.items == a.wanted).astype(np.float64)
    return Logged(a.answers, a.users, a.places, a.clicks, propensities, targets, predicted, expected)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """60 logs: of 95 % intervals 53 hold it or more, but once in a hundred times."""
    world = World(noise=1.0)
    logs = [logged(world, 400, seed) for seed in range(60)]
    for how in HOWS:
        found = [estimate(log, how) for log in logs]
        assert sum(e.low <= world.truth <= e.high for e in found) >= 53
        values = np.array([e.value for e in found])
        assert abs(values.mean() - world.truth) < 4 * values.std() / np.sqrt(len(values))  # unbiased
    assert np.std([estimate(log, "snips").value for log in logs]) < np.std([estimate(log, "ips").value for log in logs])


def test_chances_after_those_before_would_be_wrong() -> None:
    """What a place's propensity is: with chances that take the items before as given, IPS misses what stood before."""
    world = World(noise=1.0, share=0.5)
    marginal, chained = [], []
    for seed in range(40):
        a, log = world.answers(400, seed), logged(world, 400, seed)
        best = np.zeros(len(a.ranks), bool)
        for answer in np.flatnonzero(a.places == 1):
            ranks = a.ranks[answer : answer + world.k]
            left = list(range(world.n_items))
            for at, rank in enumerate(ranks):
                best[answer + at] = rank == left[0]
                left.remove(rank)
        size = world.n_items + 1 - a.places
        given_those_before = world.share / size + np.where(best, 1 - world.share, 0.0)
        marginal.append(estimate(log, "ips").value)
        chained.append(estimate(replace(log, propensities=given_those_before), "ips").value)
    off = np.std(marginal) / np.sqrt(len(marginal))
    assert abs(np.mean(marginal) - world.truth) < 4 * off
    assert np.mean(chained) < world.truth - 4 * off


def test_what_one_person_does_is_one_observation() -> None:
    """Each answer ten times over, of the same user, is no more certain."""
    log = arithmetic(lists=False)
    many = {name: np.tile(values, 10) for name, values in vars(log).items()}
    many["answers"] = np.arange(2000)
    for how in HOWS:
        once, often = estimate(log, how, cautious=False), estimate(Logged(**many), how, cautious=False)
        assert often.value == pytest.approx(once.value)
        assert often.high - often.low == pytest.approx(once.high - once.low)


def test_the_diagnostics_say_why_not_to_trust() -> None:
    n = 2000
    flat = Logged(np.arange(n), np.arange(n), np.ones(n, int), np.ones(n), np.full(n, 0.5), np.full(n, 0.5))
    assert overlap(flat).warnings() == []
    assert overlap(flat).effective == pytest.approx(n)
    unseen = overlap(replace(flat, targets=np.where(np.arange(n) % 2, 0.5, 0.0)))
    assert unseen.short
    assert "mean weight is 0.50" in " ".join(unseen.warnings())
    one = np.zeros(n)
    one[7] = 1.0
    text = " ".join(overlap(replace(flat, targets=one)).warnings())
    assert "worth 1 places" in text
    assert "100% of all weight" in text
    cut = overlap(replace(flat, propensities=np.full(n, 0.1)), clip=2.0)
    assert cut.clipped == n
    assert "2,000 weights were cut" in " ".join(cut.warnings())


def test_rewards_are_learned_of_other_people() -> None:
    """No leakage: what a person did is in no prediction for them, so that it cannot cancel out."""
    random = np.random.default_rng(3)
    items, users = random.integers(0, 5, 300), np.repeat(np.arange(60), 5)
    places, rewards = np.tile(np.arange(1, 6), 60), random.random(300)
    (before,) = rewards_of(items, places, rewards, users, [items])
    for user in (0, 17):
        mine = users == user
        (after,) = rewards_of(items, places, np.where(mine, 50.0, rewards), users, [items])
        np.testing.assert_array_equal(after[mine], before[mine])
        assert (after[~mine] != before[~mine]).any()
    (none,) = rewards_of(items, places, rewards, users, [np.full(300, -1)])
    assert not none.any()


def test_what_cannot_be_estimated_is_refused() -> None:
    log = arithmetic(lists=False)
    with pytest.raises(DataError, match="above 0"):
        replace(log, propensities=np.zeros(200))
    with pytest.raises(DataError, match="one value a row"):
        replace(log, rewards=np.ones(3))
    with pytest.raises(DataError, match="nothing was logged"):
        replace(log, **{name: values[:0] for name, values in vars(log).items()})
    with pytest.raises(DataError, match="predicted and expected"):
        estimate(replace(log, predicted=None), "dr")
    with pytest.raises(DataError, match="two users"):
        estimate(replace(log, users=np.zeros(200, int)))
    nothing: Estimate = estimate(replace(log, targets=np.zeros(200)), "snips")
    assert nothing.value == 0.0
