"""A block that says the same of everybody at one moment, and something else at another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from graphrec.profile.api import Words
from graphrec.profile.dense import ProfileBlock
from graphrec.query.fading import DAY, YEAR
from graphrec.query.query import Queries
from graphrec.types import Floats, Ints, frozen

HANDS = {"year": 52, "week": 7, "day": 24}  # how many parts each round has: weeks, weekdays, hours
SAID = {  # how what is said of an item at one moment is put into sentences
    "late": Words("people took it of late", "what people took of late"),
    "year": Words("people take it at this time of the year", "what people take at this time of the year"),
    "week": Words("people take it on this day of the week", "what people take on this day of the week"),
    "day": Words("people take it at this hour", "what people take at this hour"),
}
NO_TIMES: Ints = np.zeros(0, np.int64)


def part_of(hand: str, times: Ints) -> Ints:
    """The part of a round in which times (n,) in seconds fall, in UTC, int64 (n,): weekdays from Monday on."""
    if hand == "year":
        return np.floor(times / YEAR % 1 * HANDS[hand]).astype(np.int64)
    days: Ints = times // int(DAY)
    return (days + 3) % 7 if hand == "week" else times % int(DAY) // 3600


@dataclass(frozen=True)
class MomentBlock(ProfileBlock):
    """Items float32 (I, C): what is said of an item at each of C moments; the user's side has a 1 for those of now.

        score(q, i) = (items[i, late at now] + Σ_hand items[i, part of now]) / deviation

    ``late`` int64 (K,) are seconds, ascending, of the first K columns: the last that is not after now counts, and none
    before the first. Then follow the parts of each of ``hands``, of ``HANDS``.
    """

    late: Ints = field(default_factory=lambda: NO_TIMES)
    hands: tuple[str, ...] = ()
    momentary: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "late", frozen(self.late, np.int64))
        object.__setattr__(self, "hands", tuple(self.hands))

    def encode(self, queries: Queries) -> Floats:
        """Stored rows, but for users who ask at a moment of their own."""
        plain = queries.asked is None and queries.moments is None
        return super().encode(queries) if plain else self.computed(queries)

    def computed(self, queries: Queries) -> Floats:
        """The moments of the questions at unit deviation of scores, float32 (B, C)."""
        rows = np.zeros((len(queries), self.width), np.float32)
        for column in columns(queries.now, self.late, self.hands):
            there = np.flatnonzero(column >= 0)
            rows[there, column[there]] = 1.0
        return self.scaled(rows)

    def said(self, query: Queries, item_num: int) -> Words:
        """By the clock that adds most."""
        clocks = (*(("late",) if len(self.late) else ()), *self.hands)
        found = zip(clocks, columns(query.now, self.late, self.hands), strict=True)
        parts = {clock: float(self.items[item_num, column[0]]) for clock, column in found if column[0] >= 0}
        most = max(parts, key=parts.__getitem__, default="")
        return SAID[most] if parts.get(most, 0.0) > 0 else self.words

    def arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        arrays, settings = super().arrays()
        return {**arrays, "late": self.late}, {**settings, "hands": list(self.hands)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> MomentBlock:
        found: Any = super().from_arrays({name: v for name, v in arrays.items() if name != "late"}, settings)
        out: MomentBlock = replace(found, late=arrays.get("late", NO_TIMES), hands=tuple(settings.get("hands", ())))
        return out


def columns(now: Ints, late: Ints, hands: tuple[str, ...]) -> list[Ints]:
    """The columns of ``MomentBlock`` that stand for moments (B,), one of each kind, -1 for none: int64 (B,) each."""
    # No leakage. What was late is as it was known at the moment of asking: never of a later one.
    out: list[Ints] = [np.searchsorted(late, now, "right").astype(np.int64) - 1] if len(late) else []
    first = len(late)
    for hand in hands:
        out.append(first + part_of(hand, now))
        first += HANDS[hand]
    return out
