"""How what lies further back in a history counts for less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

DAY = 86_400.0


@dataclass(frozen=True)
class Fading:
    """What an event counts for, n events and t days before the last one of its history:

        (1 + n)^-power · 2^(-t / half_life)        among the ``last`` events, 0 for those before them

    A half-life of 0 does not decay, ``last`` of 0 takes all. Days count from the last event, not from the moment of
    asking: between these lies a factor that is the same for all events, and goes with the scale of a user's scores.
    """

    power: float = 0.0
    half_life: float = 0.0
    last: int = 0

    def __bool__(self) -> bool:
        return bool(self.power or self.half_life or self.last)

    @classmethod
    def of(cls, value: Fading | Mapping[str, Any] | None) -> Fading:
        """As JSON holds it; none where nothing is said."""
        return value if isinstance(value, Fading) else cls(**(value or {}))

    def told(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


STEADY = Fading()
