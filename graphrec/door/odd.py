"""Events that can be used and are odd: it is said, since it may not be meant."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.door.quarantine import Quarantine

TIRELESS = 50_000  # events of one user, from which on they are named
DAY = 86_400


def warn_of_one_day(seconds: npt.NDArray[np.int64], quarantine: Quarantine, source: str | Path) -> None:
    """Say so where all times, int64 (R,), lie within one day."""
    if not quarantine.order and len(seconds) > 1 and int(seconds.max()) - int(seconds.min()) < DAY:
        day = pd.Timestamp(int(seconds.min()), unit="s")
        quarantine.warn(
            f"{source}: all times lie within one day ({day:%Y-%m-%d}); if they are no dates, say unit or date_format "
            "in data.toml"
        )


def warn_of_the_future(seconds: npt.NDArray[np.int64], quarantine: Quarantine, source: str | Path) -> None:
    """Say so where times, int64 (R,), are still to come."""
    late = int((seconds > time.time() + DAY).sum())
    if late and not quarantine.order:
        latest = pd.Timestamp(int(seconds.max()), unit="s")
        quarantine.warn(
            f"{source}: {late:,} events lie in the future (the latest on {latest:%Y-%m-%d}); they count as the newest. "
            "If that is no date of an event, name another column, or say unit or date_format in data.toml"
        )


def warn_of_the_tireless(users: pd.Series, quarantine: Quarantine, source: str | Path) -> None:
    """Say so where a user, of the categories of each event, has more events than people make."""
    if int(np.bincount(users.cat.codes).max(initial=0)) >= TIRELESS:
        counts = users.value_counts()
        many = int((counts >= TIRELESS).sum())
        quarantine.warn(
            f"{source}: user {counts.index[0]!r} has {int(counts.iloc[0]):,} events, which no person makes"
            f"{f' ({many:,} users have {TIRELESS:,} or more)' if many > 1 else ''}; each item counts once for them. "
            "Leave them out if it is a machine"
        )
