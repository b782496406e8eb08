"""Lists in the shares of what somebody took: planted taste is kept, against a naive twin, and what it costs is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graphrec.errors import ConfigError
from graphrec.rerank import Candidates, parse
from graphrec.rerank.calibration import Calibration, divergence
from tests.rerank.shop import candidates

A, B = 0, 3  # items of one brand; item 4 has none, item 2 both


def naive(found: Candidates, brands: list[set[str]], strength: float, k: int) -> list[int]:
    """Greedy, with every list's divergence counted anew."""

    def counts(items: list[int]) -> dict[str, float]:
        return {b: sum((b in brands[i]) / max(len(brands[i]), 1) for i in items) for b in "AB"}

    def off(items: list[int]) -> float:
        q, p = counts(items), counts(found.liked.tolist())
        size, whole = sum(q.values()) or 1.0, sum(p.values())
        told = {b: (p[b] / whole, 0.99 * q[b] / size + 0.01 * p[b] / whole) for b in "AB" if p[b]}
        return float(sum(x * np.log(x / y) for x, y in told.values()))

    low, high = float(found.scores.min()), float(found.scores.max())
    worth = {int(i): (float(s) - low) / (high - low) for i, s in zip(found.item_nums, found.scores, strict=True)}
    out: list[int] = []
    while len(out) < k:
        rest = [i for i in worth if i not in out]
        value = {i: (1 - strength) * sum(worth[j] for j in [*out, i]) - strength * off([*out, i]) for i in rest}
        out.append(max(rest, key=lambda i: (round(value[i], 9), -rest.index(i))))
    return out


def test_a_planted_taste_keeps_its_share() -> None:
    liked = np.array([B, B, A], np.int64)  # two thirds of what they took is of B, and A leads the list
    found = replace(candidates([3, 2.9, 2.8, 2.7, 2.6, 2.5]), liked=liked)
    plain = Calibration("brand", 0.0).rerank(found, 3)
    assert plain.item_nums.tolist() == [0, 1, 2]
    shown = Calibration("brand", 0.9).rerank(found, 3)
    change = shown.changes[0]
    assert change["off"][1] < 0.2 * change["off"][0]
    assert 0 < change["price"] < 1
    assert {3, 5} & set(shown.item_nums.tolist())
    brands = [{"A"}, {"A"}, {"A", "B"}, {"B"}, set(), {"B"}]
    for strength in (0.0, 0.2, 0.5, 0.9, 1.0):
        assert Calibration("brand", strength).rerank(found, 4).item_nums.tolist() == naive(found, brands, strength, 4)


def test_where_nothing_is_known_the_order_stays() -> None:
    found = candidates([3, 2, 1])
    for liked in (np.zeros(0, np.int64), np.array([4])):
        shown = Calibration("brand", 1.0).rerank(replace(found, liked=liked), 2)
        assert shown.item_nums.tolist() == [0, 1]
        assert shown.changes[0]["off"] is None
    assert divergence(np.array([0.5, 0.5]), np.array([[1.0, 1.0]])).tolist() == pytest.approx([0.0])
    assert divergence(np.array([1.0]), np.array([[0.0]]))[0] == pytest.approx(-np.log(0.01))


def test_it_is_written_as_others_are() -> None:
    assert str(parse("calibration=genre:0.5")) == "calibration=genre:0.5"
    for wrong in ("calibration=genre:2", "calibration=0.5"):
        with pytest.raises(ConfigError, match="calibration"):
            parse(wrong)
