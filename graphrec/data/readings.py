"""Readings of strengths: what a pair of user and item weighs in a taste, and in what is learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from graphrec.types import Floats, Ints

PAIRS = 2**20  # that are weighed at a time
LEAST_GRADE = 0.2  # of what is disliked most, of 1, under the ``graded`` reading

Reading: TypeAlias = Literal["alike", "liked", "graded", "weighted", "signed"]
READINGS: tuple[Reading, ...] = ("alike", "liked", "graded", "weighted", "signed")


@dataclass(frozen=True)
class Norms:
    """What one strength is measured against: the log that a model learned from.

    Args:
        ratings: mean rating of each kind of event, NaN where a kind has none.
        liked: mean strength of what is liked; highest: the highest of them. Both 1 where nothing is liked.
        exposure: whatever people take is to be found, liked or not, so that dislikes belong to a taste too.
    """

    ratings: tuple[float, ...] = ()
    liked: float = 1.0
    highest: float = 1.0
    exposure: bool = False


def holds_dislikes(reading: str, learning: bool, exposure: bool) -> bool:
    """Whether a reading holds all pairs of which anything is said, and not only what is liked."""
    return reading == "signed" or (reading in ("alike", "graded") and (learning or exposure))


def weigh(strengths: Floats, reading: str, norms: Norms) -> Floats:
    """What pairs of these strengths (P,) weigh, float32 (P,): 1 on average for what is liked; see ``Events.read``."""
    if reading in ("alike", "liked"):
        return np.ones(len(strengths), np.float32)
    if reading == "graded":
        grades = np.sqrt(np.maximum(1 + strengths / np.float32(norms.highest), 2 * LEAST_GRADE) / 2)
        return np.asarray(grades, np.float32)
    return np.asarray(strengths / np.float32(norms.liked), np.float32)


def said_of_pairs(
    last: Ints, strengths: Floats, outright: npt.NDArray[np.bool_], valued: npt.NDArray[np.bool_]
) -> tuple[Ints, Floats]:
    """The pairs of which anything is said, by the place int64 (P,) of the ``last`` event of each, and their strengths
    float32 (P,), from those of events (E,) in order of pair and time; ``valued``: events with a value, bool (E,)."""
    weights, said = np.empty(len(last), np.float32), np.empty(len(last), np.bool_)
    for first in range(0, len(last), PAIRS):
        here = slice(first, min(first + PAIRS, len(last)))
        rows = slice(int(last[first - 1]) + 1 if first else 0, int(last[here.stop - 1]) + 1)
        n = here.stop - first
        pair = np.repeat(np.arange(n), np.diff(last[here], prepend=rows.start - 1))
        says = strengths[rows].astype(np.float64)
        weights[here] = combined(pair, says, outright[rows], n)
        said[here] = np.bincount(pair, weights=(says != 0) | valued[rows], minlength=n) > 0
    return (last, weights) if said.all() else (last[said], weights[said])


def combined(
    pair: Ints, says: npt.NDArray[np.float64], outright: npt.NDArray[np.bool_], n: int
) -> npt.NDArray[np.float64]:
    """Signed strengths (n,) of pairs from those of their events (E,), which belong to ``pair`` (E,) in order of time.

    s = sign(t) log₂(1 + |t|), t = Σ_e sign(s_e) (2^|s_e| - 1). Of what is said ``outright`` the latest counts, and
    where that is a dislike nothing else does.
    """
    amount = np.sign(says) * (np.exp2(np.abs(says)) - 1)
    opinions = np.flatnonzero(outright)
    latest = np.full(n, -1, np.int64)
    latest[pair[opinions]] = opinions  # the last one stays
    total = np.bincount(pair, weights=np.where(outright, 0.0, amount), minlength=n)
    opinion = np.where(latest >= 0, amount[latest], 0.0) if len(amount) else np.zeros(n)
    total = np.where(opinion < 0, opinion, total + opinion)
    out: npt.NDArray[np.float64] = np.sign(total) * np.log2(1 + np.abs(total))
    return out
