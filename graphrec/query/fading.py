"""How what lies further back in a history, or at another hour or season, counts for less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

DAY = 86_400.0
YEAR = 365.2425 * DAY
ROUNDS = {"year": YEAR, "week": 7 * DAY, "day": DAY}  # seconds of each


@dataclass(frozen=True)
class Fading:
    """What an event counts for, n events and t days before the last one of its history:

        (1 + n)^-power · 2^(-t / half_life) · Π exp(κ (cos(2π (s - now) / round) - 1))
                                                    among the ``last`` events, 0 for those before them

    A half-life of 0 does not decay, ``last`` of 0 takes all. Days count from the last event, not from the moment of
    asking: between these lies a factor that is the same for all events, and goes with the scale of a user's scores.
    ``year``, ``week`` and ``day`` are the κ of these rounds: how much an event at second s counts before others where
    it was at this season, weekday or hour (a von Mises kernel on the circle); 0: not at all.
    """

    power: float = 0.0
    half_life: float = 0.0
    last: int = 0
    year: float = 0.0
    week: float = 0.0
    day: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.power or self.half_life or self.last or self.rounds)

    @property
    def rounds(self) -> dict[str, float]:
        """The κ that are not 0, by round: with any a history is read otherwise at another moment."""
        return {name: getattr(self, name) for name in ROUNDS if getattr(self, name)}

    @classmethod
    def of(cls, value: Fading | Mapping[str, Any] | None) -> Fading:
        """As JSON holds it; none where nothing is said."""
        return value if isinstance(value, Fading) else cls(**(value or {}))

    def told(self) -> dict[str, Any]:
        """As JSON can hold it; rounds where there are any."""
        return {name: value for name, value in asdict(self).items() if value or name not in ROUNDS}


STEADY = Fading()
