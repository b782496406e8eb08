"""Naive twins of off-policy estimates and of trials."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """One place of one answer; predicted is of what stood there, expected of what the other policy would show."""

    answer: int
    user: int
    place: int
    reward: float
    propensity: float
    target: float
    predicted: float = 0.0
    expected: float = 0.0


def naive_value(rows: Sequence[Place], how: str, clip: float = float("inf")) -> float:
    """IPS, SNIPS or DR, place by place and row by row."""
    n = len({row.answer for row in rows})
    total = 0.0
    for place in {row.place for row in rows}:
        here = [row for row in rows if row.place == place]
        weights = [min(row.target / row.propensity, clip) for row in here]
        if how == "ips":
            total += sum(w * row.reward for w, row in zip(weights, here, strict=True)) / n
        elif how == "snips" and sum(weights) > 0:
            mean = sum(w * row.reward for w, row in zip(weights, here, strict=True)) / sum(weights)
            total += mean * len(here) / n
        elif how == "dr":
            total += sum(r.expected + w * (r.reward - r.predicted) for w, r in zip(weights, here, strict=True)) / n
    return total


def naive_standing(n: int, k: int, share: float) -> list[list[float]]:
    """P(rank at place) by every way in which places can be filled."""
    out = [[0.0] * k for _ in range(n)]

    def fill(left: tuple[int, ...], place: int, probability: float) -> None:
        if place == k:
            return
        for at, rank in enumerate(left):
            p = probability * (share / len(left) + (1 - share if at == 0 else 0.0))
            out[rank][place] += p
            fill(left[:at] + left[at + 1 :], place + 1, p)

    fill(tuple(range(n)), 0, 1.0)
    return out


def naive_team_draft(a: Sequence[str], b: Sequence[str], k: int, seed: int) -> tuple[list[str], list[str]]:
    """Radlinski, Kurup & Joachims, CIKM 2008, algorithm 2, with Python's own random numbers."""
    coin, merged, teams = random.Random(seed), list[str](), list[str]()
    while len(merged) < k and (set(a) | set(b)) - set(merged):
        turn_a = teams.count("a") < teams.count("b") or (teams.count("a") == teams.count("b") and coin.random() < 0.5)
        for team in ("a", "b") if turn_a else ("b", "a"):
            rest = [item for item in (a if team == "a" else b) if item not in merged]
            if rest:
                merged.append(rest[0])
                teams.append(team)
                break
    return merged, teams
