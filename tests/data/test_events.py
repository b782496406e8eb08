from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphrec.data import readings
from graphrec.data.dataset import build
from graphrec.data.events import MIN_RATINGS, Events, limits
from graphrec.data.kinds import Kind, usual_kind, weight_of
from graphrec.data.order import sorted_by
from graphrec.data.readings import LEAST_GRADE
from graphrec.errors import DataError
from graphrec.query.ties import Ties

ORDER, VIEW = Kind("order", values="count"), Kind("view", 0.25)
STARS = Kind("review", values="rating", scale=(1, 5))
DISLIKE, SHOWN = Kind("dislike", -1.0), Kind("shown", 0.0)
KINDS = (ORDER, VIEW, STARS, DISLIKE, SHOWN)


def log(*rows: tuple[int, int, int, float], kinds: tuple[Kind, ...] = KINDS) -> Events:
    """Events of (user, item, kind, value), one after another."""
    order = sorted(range(len(rows)), key=lambda n: (rows[n][0], rows[n][1], n))
    users, items, of, values = (np.array([rows[n][c] for n in order]) for c in range(4))
    none = np.array(values, np.float32)
    return Events(users, items, none, of.astype(np.uint8), np.array(order, np.int64), kind_table=kinds)


def pairs(events: Events) -> dict[tuple[int, int], float]:
    p = events.pairs
    return {(u, i): round(w, 6) for u, i, w in zip(p.user_nums.tolist(), p.item_nums.tolist(), p.weights.tolist())}  # noqa: B905


NONE = float("nan")
KS = (4, 3, 2, 1, 0)  # what counts most comes last


def test_counts_grow_as_a_logarithm_and_repeats_as_counts() -> None:
    """One order of three pieces, three orders of one, and the other way round of a single one."""
    found = pairs(log((0, 0, 0, 1), (0, 1, 0, 3), (0, 2, 0, 1), (0, 2, 0, 1), (0, 2, 0, 1)))
    assert found == {(0, 0): 1.0, (0, 1): 2.0, (0, 2): 2.0}


def test_purchases_weigh_more_than_views_and_repeats_more_than_once() -> None:
    found = pairs(log((0, 0, 0, 1), (0, 1, 1, NONE), (0, 2, 1, NONE), (0, 2, 1, NONE)))
    assert found[0, 0] > found[0, 2] > found[0, 1] > 0


def test_a_dislike_outweighs_what_was_bought_before() -> None:
    found = pairs(log((0, 0, 0, 3), (0, 0, 2, 1), (1, 0, 0, 3), (1, 0, 3, NONE), (2, 0, 2, 1), (2, 0, 2, 5)))
    assert found[0, 0] == found[1, 0] == -1.0
    assert found[2, 0] == 1.0  # the later opinion counts


def test_what_was_shown_and_not_taken_is_no_pair() -> None:
    events = log((0, 0, 4, NONE), (0, 1, 4, NONE), (0, 1, 0, 1))
    assert pairs(events) == {(0, 1): 1.0}
    assert len(events) == 3  # and yet it is kept


@pytest.mark.parametrize(
    ("scale", "disliked"),
    [((1, 5), [1, 2]), ((1, 10), [1, 2, 3, 4]), ((0.5, 5), [0.5, 1, 1.5, 2]), ((0, 1), [0]), ((-10, 10), [-10, -3])],
)
def test_the_lower_two_of_five_are_dislikes(scale: tuple[float, float], disliked: list[float]) -> None:
    kind = Kind("rating", values="rating", scale=scale)
    low, high, disliked_to = limits(kind)
    assert max(disliked) <= disliked_to < (low + high) / 2
    events = log(*((0, n, 0, value) for n, value in enumerate([*disliked, high])), kinds=(kind,))
    assert (events.pairs.weights[:-1] < 0).all()
    assert events.pairs.weights[-1] == 1.0
    assert limits(replace(kind, disliked_to=low))[2] == low


def test_a_rating_is_read_against_the_persons_own_mean() -> None:
    """Somebody who mostly gives five stars means less by three; somebody who mostly gives one does not mean ill by two.
    Who rated little is taken at their word."""
    kind = replace(STARS)
    rows = [(0, n, 0, 5.0) for n in range(MIN_RATINGS)] + [(0, 90, 0, 3.0)]
    rows += [(1, n, 0, 1.0) for n in range(MIN_RATINGS)] + [(1, 90, 0, 2.0)]
    rows += [(2, 89, 0, 3.0), (2, 90, 0, 2.0)]
    found = pairs(log(*rows, kinds=(kind,)))
    assert found[0, 90] < 0 < found[2, 89]
    assert found[1, 90] == 0.0
    assert found[2, 90] < 0


def test_held_out_ratings_shape_no_strength() -> None:
    # No leakage. What a training event says is made out from training events alone.
    rows = [(0, n, 0, 5.0) for n in range(MIN_RATINGS)] + [(0, 80, 0, 3.0), *((1, n, 0, 1.0) for n in range(5))]
    events = log(*rows, kinds=(STARS,))
    few = events.take(np.isin(events.item_nums, [0, 80]))
    assert events.strengths[events.item_nums == 80] < 0  # beside ten fives
    assert few.strengths[few.item_nums == 80] > 0


def naive_pairs(events: Events) -> dict[tuple[int, int], float]:
    """The same by a loop over events, without the means of persons."""
    implicit: defaultdict[tuple[int, int], float] = defaultdict(float)
    opinion: dict[tuple[int, int], float] = {}
    says: set[tuple[int, int]] = set()
    for u, i, value, k in zip(events.user_nums, events.item_nums, events.values, events.kinds, strict=True):
        kind = events.kind_table[k]
        strength = kind.weight
        if kind.values == "count" and not math.isnan(value):
            strength *= math.log2(1 + value)
        if kind.values == "rating" and not math.isnan(value):
            low, high, cut = limits(kind)
            above = 0.5 + 0.5 * (value - cut) / (high - cut)
            strength = above if value > cut else -0.5 - 0.5 * (cut - value) / (cut - low)
        amount = math.copysign(2 ** abs(strength) - 1, strength)
        pair = (int(u), int(i))
        if strength or not math.isnan(value):
            says.add(pair)
        if kind.outright:
            opinion[pair] = amount
        else:
            implicit[pair] += amount
    out = {}
    for pair in says:
        total = implicit[pair] + opinion.get(pair, 0.0)
        total = opinion[pair] if opinion.get(pair, 0.0) < 0 else total
        out[pair] = math.copysign(math.log2(1 + abs(total)), total) if total else 0.0
    return out


ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 4), st.sampled_from([1.0, 2.0, 3.0, 5.0])),
    max_size=MIN_RATINGS - 1,
)


@given(ROWS)
def test_pairs_are_those_of_the_naive_twin(rows: list[tuple[int, int, int, float]]) -> None:
    events = log(*((u, i, k, v if k in (0, 2) else NONE) for u, i, k, v in rows))
    expected = naive_pairs(events)
    found = pairs(events)
    assert found.keys() == expected.keys()
    assert all(found[pair] == pytest.approx(expected[pair], abs=1e-5) for pair in found)
    assert set(zip(events.liked.user_nums.tolist(), events.liked.item_nums.tolist(), strict=True)) == {
        pair for pair, weight in expected.items() if weight > 1e-9
    }


@pytest.mark.parametrize("held", [1, 2, 3])
def test_pairs_are_the_same_however_many_are_weighed_at_a_time(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [(u, i, k, 1.0 + (u + i + k) % 5) for u in range(3) for i in range(4) for k in KS if (u + i + k) % 3]
    expected = log(*told).pairs
    monkeypatch.setattr(readings, "PAIRS", held)
    found = log(*told).pairs
    for name in ("user_nums", "item_nums", "weights", "timestamps"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_what_was_taken_once_and_liked_is_held_once() -> None:
    once, twice = log((0, 0, 1, NONE), (0, 1, 1, NONE)), log((0, 0, 1, NONE), (0, 0, 1, NONE))
    assert np.shares_memory(once.pairs.user_nums, once.user_nums)
    assert len(twice.pairs) == 1
    data = build(
        "once", pd.DataFrame({"user_id": ["a", "a", "b"], "item_id": ["x", "y", "x"], "value": [5.0, 5.0, 5.0]})
    )
    ties = Ties(data)
    assert ties.known is ties.matrix is ties.taste("alike")
    assert ties.timeline(True) is ties.timeline()
    mixed = Ties(build("mixed", pd.DataFrame({"user_id": ["a", "a"], "item_id": ["x", "y"], "value": [5.0, 1.0]})))
    assert (mixed.matrix.nnz, mixed.known.nnz) == (1, 2)
    assert mixed.timeline(True).items.tolist() == [0]
    assert mixed.timeline().items.tolist() == [0, 1]


@given(ROWS, st.data())
def test_parts_join_to_the_whole(rows: list[tuple[int, int, int, float]], data: st.DataObject) -> None:
    events = log(*rows)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events))), bool)
    both, _ = events.take(mask).joined(events.take(~mask))
    for name in ("user_nums", "item_nums", "values", "kinds", "timestamps"):
        np.testing.assert_array_equal(getattr(both, name), getattr(events, name))


def test_readings_are_those_that_differ() -> None:
    assert log((0, 0, 0, 1), (1, 0, 0, 1)).readings == ("alike",)
    assert log((0, 0, 0, 1), (1, 0, 0, 5)).readings == ("alike", "weighted")
    assert log((0, 0, 0, 1), (1, 0, 3, NONE)).readings == ("liked", "alike", "graded", "signed")
    assert log((0, 0, 2, 5), (1, 0, 2, 4), (2, 0, 2, 1)).readings == ("liked", "alike", "graded", "weighted", "signed")


def test_tastes_hold_no_dislikes_and_learning_tells_them_apart() -> None:
    events = log((0, 0, 2, 5), (0, 1, 2, 1), (0, 2, 2, 4))
    taste = {r: events.taste(r, 1, 3).toarray()[0].round(3).tolist() for r in ("alike", "liked", "weighted", "signed")}
    assert taste["alike"] == taste["liked"] == [1.0, 0.0, 1.0]
    assert taste["weighted"][1] == 0.0
    assert taste["weighted"][0] > 1 > taste["weighted"][2] > 0
    assert taste["signed"][1] < 0
    assert events.learning("alike", 1, 3).toarray()[0].tolist() == [1.0, 1.0, 1.0]
    assert events.learning("liked", 1, 3).toarray()[0].tolist() == [1.0, 0.0, 1.0]
    graded = events.learning("graded", 1, 3).toarray()[0]
    assert graded[0] == 1.0 > graded[2] > graded[1] >= LEAST_GRADE**0.5
    np.testing.assert_allclose(events.taste("graded", 1, 3).toarray()[0], graded * [1, 0, 1])


def test_where_all_that_is_taken_is_to_be_found_dislikes_belong_to_a_taste() -> None:
    events = replace(log((0, 0, 2, 5), (0, 1, 2, 1), (0, 2, 2, 4)), exposure=True)
    assert events.readings[0] == "alike"
    assert events.taste("alike", 1, 3).toarray()[0].tolist() == [1.0, 1.0, 1.0]
    assert (events.taste("graded", 1, 3).toarray() > 0).all()
    assert events.taste("liked", 1, 3).toarray()[0, 1] == 0.0
    assert events.take(np.array([0, 1])).exposure


def test_alike_forgets_what_events_say() -> None:
    events = log((0, 0, 2, 1), (0, 1, 0, 9)).alike()
    assert events.liked.weights.tolist() == [1.0, 1.0]
    assert events.readings == ("alike",)


def test_what_cannot_be_a_log_is_refused() -> None:
    good = log((0, 0, 0, 1), (1, 0, 0, 1))
    with pytest.raises(DataError, match="order of user and item"):
        replace(good, user_nums=good.user_nums[::-1])
    with pytest.raises(DataError, match="finite"):
        replace(good, values=np.array([1, np.inf]))
    with pytest.raises(DataError, match="kind 7"):
        replace(good, kinds=np.array([0, 7]))
    with pytest.raises(DataError, match="differ in length"):
        replace(good, values=np.array([1.0]))
    with pytest.raises(DataError, match=r"scale = \[1, 5\]"):
        log((0, 0, 0, 1), kinds=(Kind("stars", values="rating"),)).strengths  # noqa: B018


@pytest.mark.parametrize(
    ("values", "meaning", "scale"),
    [
        ([1, 3, 5], "rating", (1, 5)),
        ([0.5, 3, 5], "rating", (0.5, 5)),
        ([1, 7, 10], "rating", (1, 10)),
        ([1, 250, 13], "count", None),
        ([-3, 2.5, 40], "rating", (-3, 40)),
        ([1, 1, 1], "none", None),
    ],
)
def test_values_that_nobody_described(values: list[float], meaning: str, scale: tuple[float, float] | None) -> None:
    kind = usual_kind(np.array(values, np.float32))
    assert (kind.values, kind.scale) == (meaning, scale)


def test_usual_names_have_weights() -> None:
    assert weight_of("Add to cart") == weight_of("addtocart") == 0.5
    assert weight_of("remove_from_cart") == -0.5
    assert weight_of("no such thing") is None


def test_dislikes_stay_below_zero_where_nothing_is_liked() -> None:
    none = np.full(2, np.nan, np.float32)
    kinds = np.array([0, 0], np.uint8)
    events = Events(np.array([0, 0]), np.array([0, 1]), none, kinds, kind_table=(Kind("dislike", -1.0),))
    assert (events.taste("signed", 1, 2).toarray() < 0).all()
    assert (events.learning("signed", 1, 2).toarray() < 0).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from((1, 3, 1 << 20, 1 << 40, 1 << 62)), st.integers(1, 60))
@example(0, 1 << 62, 60)
def test_rows_are_sorted_as_lexsort_sorts_them(seed: int, most: int, n: int) -> None:
    random = np.random.default_rng(seed)
    keys = [random.integers(-most, most, n) for _ in range(2)] + [random.integers(0, 4, n)]
    assert sorted_by(*keys).tolist() == np.lexsort(keys).tolist()
    assert sorted_by(*reversed(keys)).tolist() == np.lexsort(keys[::-1]).tolist()
    keys[2].sort()  # rows that come by the last key, as events do by user
    assert sorted_by(*keys).tolist() == np.lexsort(keys).tolist()
    keys[0] = np.concatenate([np.sort(keys[0][keys[2] == group]) for group in range(4)])  # and by the first within it
    assert sorted_by(*keys).tolist() == np.lexsort(keys).tolist()
    assert sorted_by(keys[0], keys[2]).tolist() == np.lexsort((keys[0], keys[2])).tolist()
