"""Re-rankers by hand and against naive twins, and in a chain."""

from __future__ import annotations

from collections import Counter
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graphrec.errors import ConfigError, DataError, UnknownIdError
from graphrec.rerank import AttributeTable, Candidates, answer, apply, moves, parse_all, wanted
from graphrec.rerank.boosts import Boost, Pin
from graphrec.rerank.caps import Cap
from graphrec.rerank.diversity import Diversity
from graphrec.types import Floats, Ints
from tests.conftest import examples
from tests.rerank.shop import Item, candidates, dataset, shown

# --- diversity --------------------------------------------------------------------------------------------------------


def naive_mmr(scores: list[float], profiles: Floats, strength: float, k: int) -> list[int]:
    low, high = min(scores), max(scores)
    relevance = [(s - low) / (high - low) if high > low else 0.0 for s in scores]

    def cosine(i: int, j: int) -> float:
        a, b = profiles[i].astype(float), profiles[j].astype(float)
        length = float(np.linalg.norm(a) * np.linalg.norm(b))
        return float(a @ b) / length if length else 0.0

    chosen: list[int] = []
    while len(chosen) < min(k, len(scores)):
        left = [i for i in range(len(scores)) if i not in chosen]
        value = {
            i: (1 - strength) * relevance[i] - (strength * max(cosine(i, j) for j in chosen) if chosen else 0)
            for i in left
        }
        ordered = sorted(value.values(), reverse=True)
        assume(len(ordered) < 2 or ordered[0] - ordered[1] > 1e-5 or strength == 0)  # rounding decides no tie
        chosen.append(max(left, key=lambda i: (value[i], -i)))
    return chosen


@examples(150)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 12),
    k=st.integers(1, 8),
    strength=st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]),
)
def test_diversity_is_maximal_marginal_relevance(seed: int, n: int, k: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    table = AttributeTable(dataset([{}] * n))
    profiles = rng.standard_normal((n, 3)).astype(np.float32)
    profiles[rng.random(n) < 0.1] = 0
    scores = -np.sort(-rng.standard_normal(n)).astype(np.float32)
    found = Diversity(strength).rerank(candidates(scores.tolist(), profiles, table=table), k)
    expected = naive_mmr(scores.tolist(), profiles, strength, k)
    assert shown(found) == expected
    np.testing.assert_array_equal(found.scores, scores[expected])
    change = found.changes[-1]
    total = np.abs(scores[:k]).sum()
    assert change["price"] == pytest.approx((scores[:k].sum() - scores[expected].sum()) / total, abs=1e-5)
    assert change["price"] >= -1e-6
    assert sorted({*range(n)[:k], *change["came"]} - {*change["went"]}) == sorted(expected)


def test_one_of_two_twins_makes_room_and_the_price_is_said() -> None:
    profiles = np.zeros((6, 2), np.float32)
    profiles[:3], profiles[3:] = [1, 0], [0, 1]
    found = Diversity(0.5).rerank(candidates([10, 9, 8, 6, 1, 0], profiles), 2)
    assert shown(found) == [0, 3]
    (change,) = found.changes
    assert change["reranker"] == "diversity=0.5"
    assert (change["came"], change["went"]) == ([3], [1])
    assert change["price"] == pytest.approx(3 / 19)
    assert change["likeness"] == [1, 0]


def test_diversity_of_nothing_one_and_all_alike() -> None:
    assert shown(Diversity(0.5).rerank(candidates([]), 3)) == []
    one = Diversity(0.5).rerank(candidates([0]), 3)
    assert shown(one) == [0]
    assert one.changes[0]["price"] is None
    assert shown(Diversity(1).rerank(candidates([1, 1, 1], np.ones((6, 2), np.float32)), 2)) == [0, 1]
    none = Diversity(0.9).rerank(candidates([3, 2, 1], np.zeros((6, 0), np.float32)), 2)
    assert shown(none) == [0, 1]
    assert none.changes[0]["price"] == 0


# --- caps -------------------------------------------------------------------------------------------------------------


@examples(100)
@given(
    brands=st.lists(st.lists(st.sampled_from("ABC"), max_size=2, unique=True), min_size=1, max_size=12),
    most=st.integers(1, 3),
    k=st.integers(1, 8),
)
def test_no_value_comes_more_often_than_the_cap(brands: list[list[str]], most: int, k: int) -> None:
    table = AttributeTable(dataset([{"brand": b} for b in brands]))
    found = shown(Cap("brand", most).rerank(candidates([-n for n in range(len(brands))], table=table), k))
    expected: list[int] = []
    for n, own in enumerate(brands):
        counts = Counter(b for i in expected for b in brands[i])
        if len(expected) < k and all(counts[b] < most for b in own):
            expected.append(n)
    assert found == expected


def test_a_cap_says_what_it_cost_whom() -> None:
    found = Cap("brand", 1).rerank(candidates([6, 5, 4, 3, 2, 1]), 4)
    assert shown(found) == [0, 3, 4]
    assert found.changes[0] == {
        "reranker": "cap=brand:1",
        "came": [4],
        "went": [1, 2],
        "dropped": {"A": 2},
    }
    with pytest.raises(ConfigError, match="'brnad' is no attribute of the items; did you mean brand"):
        Cap("brnad", 1).rerank(candidates([1]), 1)


# --- boosts and pins --------------------------------------------------------------------------------------------------


def test_a_boost_adds_deviations_or_multiplies() -> None:
    scores = [6.0, 5, 4, 3, -1, -2]
    added = Boost("price < 10", 1).rerank(candidates(scores), 3)
    deviation = float(np.std(scores))
    assert shown(added) == [0, 3, 1]
    np.testing.assert_allclose(added.scores, [6 + deviation, 3 + deviation, 5], rtol=1e-6)
    assert added.changes[0] == {"reranker": "boost=price < 10:1", "came": [3], "went": [2], "boosted": 3}
    times = Boost("price < 10", factor=2).rerank(candidates(scores), 6)
    assert dict(zip(shown(times), times.scores.tolist(), strict=True)) == {0: 12, 1: 5, 2: 4, 3: 6, 4: -1, 5: -1}
    assert shown(Boost("price < 10", -2).rerank(candidates(scores), 2)) == [1, 2]
    assert shown(Boost("price < 10", 1).rerank(candidates([1.0] * 6), 3)) == [0, 3, 5], "alike: a deviation is 1"


def test_pins_stand_at_the_top_in_their_order() -> None:
    found = Pin(("i03", "i01", "i05")).rerank(candidates([9, 8, 7, 6, 5]), 4)
    assert shown(found) == [3, 1, 0, 2]
    assert found.scores.tolist() == [6, 8, 9, 7]
    assert found.changes[0]["pinned"] == ["i03", "i01"]
    assert found.changes[0]["left_out"] == ["i05"], "no candidate, and nobody knows its score"

    def score(nums: Ints) -> Floats:
        return np.where(nums == 4, -np.inf, 0.5).astype(np.float32)

    scored = Pin(("i05", "i04")).rerank(candidates([9, 8], score=score), 2)
    assert (shown(scored), scored.scores.tolist()) == ([5, 0], [0.5, 9])
    assert scored.changes[0]["left_out"] == ["i04"], "what must not come back is not pinned"
    assert shown(Pin(("i05", "i04", "i03")).rerank(candidates([9, 8, 7, 6, 5, 4]), 2)) == [5, 4]
    with pytest.raises(UnknownIdError, match="unknown item id 'nobody'"):
        Pin(("nobody",)).rerank(candidates([1]), 1)


# --- chains -----------------------------------------------------------------------------------------------------------


def test_a_chain_is_applied_in_order_and_gets_what_each_needs() -> None:
    chain = parse_all(["boost=price < 10:0.5", "cap=brand:2", "diversity=0.3", "pin=i05"])
    need = 10
    for reranker in reversed(chain):
        need += reranker.beyond(need)
    assert wanted(chain, 10) == need > 100
    assert wanted([], 10) == 10
    six = candidates([6, 5, 4, 3, 2, 1], score=lambda nums: np.zeros(len(nums), np.float32))
    found = apply(parse_all(["cap=brand:1", "pin=i05"]), six, 2)
    assert shown(found) == [5, 0]
    assert shown(apply(parse_all(["pin=i05", "cap=brand:1"]), six, 3)) == [5, 0, 4]
    assert [c["reranker"] for c in found.changes] == ["cap=brand:1", "pin=i05"]
    assert shown(apply((), candidates([3, 2, 1]), 2)) == [0, 1]


def test_more_is_retrieved_where_too_few_are_left() -> None:
    items: list[Item] = [{"brand": ["A" if n < 300 else "B"]} for n in range(305)]
    table = AttributeTable(dataset(items))
    asked: list[int] = []

    def retrieve(n: int) -> Candidates:
        asked.append(n)
        return candidates([float(-i) for i in range(min(n, len(items)))], np.zeros((305, 1), np.float32), table=table)

    assert shown(answer([Cap("brand", 2)], retrieve, 4)) == [0, 1, 300, 301]
    assert asked == [54, 216, 864]
    asked.clear()
    assert shown(answer([Cap("brand", 1)], retrieve, 4)) == [0, 300], "there are no more"
    assert len(asked) == 3


def test_candidates_are_read_only_and_of_one_length() -> None:
    found = candidates([2, 1])
    with pytest.raises(ValueError, match="read-only"):
        found.item_nums[0] = 3
    with pytest.raises(FrozenInstanceError):
        found.item_nums = np.zeros(1, np.int64)  # type: ignore[misc]
    with pytest.raises(DataError, match="one for each is needed"):
        candidates([2, 1], nums=[1])


def test_moves_tell_from_which_rank_by_whom_and_at_what_price() -> None:
    chain = parse_all(["cap=brand:1", "pin=i03"])
    whole = candidates([6, 5, 4, 3, 2, 1])
    listed = [shown(apply(chain[:n], whole, 3)) for n in range(3)]
    assert listed == [[0, 1, 2], [0, 3, 4], [3, 0, 4]]
    told = {
        n: [(m.reranker, m.before, m.after, m.price) for m in moves(chain, lambda _: whole, 3, n)] for n in range(6)
    }
    assert told == {
        0: [("pin=i03", 1, 2, 3 - 6)],
        1: [("cap=brand:1", 2, 0, 0)],
        2: [("cap=brand:1", 3, 0, 0)],
        3: [("cap=brand:1", 4, 2, 5 - 3), ("pin=i03", 2, 1, 6 - 3)],
        4: [("cap=brand:1", 5, 3, 4 - 2)],
        5: [],
    }
    assert moves((), lambda _: whole, 3, 0) == ()
