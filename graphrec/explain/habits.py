"""When somebody does what they do: recency, frequency, hours, weekdays, months, as far as times tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from graphrec.explain.say import marked
from graphrec.query.fading import DAY
from graphrec.types import Ints

MONTH = 365.2425 / 12  # days
WEEK = (
    *(marked("Mondays"), marked("Tuesdays"), marked("Wednesdays"), marked("Thursdays"), marked("Fridays")),
    *(marked("Saturdays"), marked("Sundays")),
)


def day_of(seconds: int) -> str:
    """A time as a date in UTC: "2026-01-31"."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def sessions(times: Ints | None, pause: float) -> dict[str, Any]:
    """How somebody's events fall into sessions, as JSON; {} where no pause is known.

    Args:
        times: seconds since 1970, int64 (n,), ascending, or None. pause: seconds between two events, from which another
            session begins; 0 where that is not known.
    """
    if times is None or not len(times) or not pause:
        return {}
    begins = np.flatnonzero(np.diff(times, prepend=times[0] - pause - 1) > pause)
    ends = [datetime.fromtimestamp(int(times[at]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (begins[-1], -1)]
    return {
        "count": len(begins),
        "pause_hours": round(pause / 3600, 2),
        "usual_events": float(np.median(np.diff(begins, append=len(times)))),
        "last": {"from": ends[0], "to": ends[1], "events": len(times) - int(begins[-1])},
    }


def habits(times: Ints | None, now: int, spans_days: bool) -> dict[str, Any]:
    """What the times of somebody's events tell, as JSON; {} where there are none, or where they are no real times.

    Args:
        times: seconds since 1970, int64 (n,), or None. now: the second of the question.
        spans_days: whether the log's times are such: places in a sequence are not.

    ``per_month`` is over the time from the first event to the last, of a month at least; ``hours``, ``weekdays``
    (Monday first) and ``months`` count events in UTC. Hours are told only where the events are not all at
    one second of the day, as dates without a time are.
    """
    if times is None or not len(times) or not spans_days:
        return {}
    first, last = int(times.min()), int(times.max())
    index = pd.DatetimeIndex(pd.to_datetime(times, unit="s", utc=True))
    out: dict[str, Any] = {
        "first": day_of(first),
        "last": day_of(last),
        "days_since_last": round(max(now - last, 0) / DAY, 1),
        "days_active": len(np.unique(times // DAY)),
        "per_month": round(len(times) / max((last - first) / DAY / MONTH, 1.0), 2),
        "weekdays": np.bincount(index.day_of_week, minlength=7).tolist(),
        "months": np.bincount(index.month - 1, minlength=12).tolist(),
    }
    if len(np.unique(times % DAY)) > 1:
        out["hours"] = np.bincount(index.hour, minlength=24).tolist()
    return out
