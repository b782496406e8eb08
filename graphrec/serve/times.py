"""The time of an event, as it is told to the service: seconds since 1970, or ISO 8601."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

from graphrec.errors import DataError
from graphrec.model.asked import LATEST
from graphrec.model.told import AHEAD

HOW = "give seconds since 1970, or ISO 8601 such as 2026-01-31T12:00:00Z"
UNITS = ((1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds"))


def seconds_of(when: float | str | None, called: str = "time") -> float:
    """Seconds since 1970 of a time; now where none is told. Raises DataError for what is none, for one before 1970, and
    for one that has not come yet, by a day that clocks may differ."""
    now = time.time()
    if when is None:
        return now
    if isinstance(when, bool):
        raise DataError(f"{called}: {str(when).lower()} is no time; {HOW}")
    if isinstance(when, str):
        try:
            found = datetime.fromisoformat(when.strip())
            seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise DataError(f"{called}: {when!r} is none; {HOW}") from None
    else:
        if not math.isfinite(when):
            raise DataError(f"{called}: {when} is no time; {HOW}")
        seconds = float(when)
    if seconds < 0:
        raise DataError(f"{called}: {when!r} is before 1970; {HOW}, or leave it out where it is not known")
    if seconds <= now + AHEAD:
        return seconds
    if not isinstance(when, str):
        for unit, name in UNITS:
            if AHEAD * 365 < seconds / unit <= now + AHEAD:
                raise DataError(f"{called}: {when:g} is no second, but {name}; give it divided by {unit:.0f}")
        if seconds > LATEST:
            raise DataError(f"{called}: {when:g} is no second since 1970; {HOW}")
    raise DataError(f"{called}: {when!r} has not come yet; correct the clock, or leave it out where it is not known")
