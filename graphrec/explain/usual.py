"""Where somebody usually is, and at which hours: the events of a history by place."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.query.fading import DAY
from graphrec.types import Ints

RADIUS = 1.0  # km around the middle of a place
SHOWN = 5  # places at most
DISTINCT = 2000  # points of somebody that are compared, those where most events are
DEGREE = 111.195  # km of a degree of latitude


def usual_places(points: npt.NDArray[np.float64], times: Ints | None = None) -> list[dict[str, Any]]:
    """The places where somebody was most, the first the one with most events, as JSON; [] where no point is known.

    A place is the point with most events within ``RADIUS``, and these events; then the next of what is left.

    Args:
        points: where each event was, float64 (n, 2) in degrees, NaN where it is not known.
        times: their seconds since 1970, int64 (n,); None where they tell nothing.

    ``at`` is the mean of a place's points, ``share`` its part of the events with a point. ``hours`` counts them in UTC,
    and is told only where the events are not all at one second of the day.
    """
    known = np.flatnonzero(~np.isnan(points).any(axis=1))
    if not len(known):
        return []
    distinct, of, counts = np.unique(points[known], axis=0, return_inverse=True, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:DISTINCT]
    north = (distinct[most, 0][:, None] - distinct[:, 0]) * DEGREE
    turn = (distinct[most, 1][:, None] - distinct[:, 1] + 180) % 360 - 180
    east = turn * DEGREE * np.cos(np.radians(distinct[most, 0]))[:, None]
    near = np.hypot(north, east) <= RADIUS  # (m, distinct)
    left = counts.astype(np.float64)
    out: list[dict[str, Any]] = []
    daily = times is not None and len(np.unique(times % int(DAY))) > 1
    while len(out) < SHOWN and left.any():
        middle = int((near @ left).argmax())
        mine = near[middle] & (left > 0)
        if not mine.any():
            break
        events = known[mine[of.ravel()]]
        place: dict[str, Any] = {
            "at": [round(float(x), 5) for x in points[events].mean(axis=0)],
            "events": len(events),
            "share": round(len(events) / len(known), 6),
        }
        if daily and times is not None:
            place["hours"] = np.bincount(times[events] % int(DAY) // 3600, minlength=24).tolist()
        out.append(place)
        left[mine] = 0.0
    return out
