"""Faulty rows of one check: the first fault of each, set aside, and refused where they are too many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from graphrec.door.quarantine import Quarantine
from graphrec.door.times import ACCEPTED
from graphrec.door.values import Mask
from graphrec.errors import DataError

WHOLE_FILE = frozenset({"the compressed file breaks off"})  # reasons that are no row's
REMEDIES = {
    "too many fields": 'say how the file is written, e.g. sep = ";" under [[events]] in data.toml, or quote fields',
    "unclosed quote": "say quoted = false under [[events]] in data.toml if quotes are only characters",
    "not ": 'name the encoding in data.toml, e.g. encoding = "cp1252" under [[events]]',
    "latitude": 'name the right column in data.toml ([columns] latitude = "…")',
    "longitude": 'name the right column in data.toml ([columns] longitude = "…")',
}


class Faults:
    """The first fault of each of n rows."""

    def __init__(self, n: int) -> None:
        self._code = np.zeros(n, np.uint8)  # 0: none; else 1 + place in _reasons
        self._reasons: list[tuple[str, pd.Series | None]] = []
        self._totals: dict[str, int] = {}  # rows of each file, those that the reader set aside included

    def mark(self, mask: Mask, reason: str, found: pd.Series | None = None) -> None:
        """Rows under the mask that had no fault so far get this one."""
        if mask.any():
            self._reasons.append((reason, found))
            self._code[mask & (self._code == 0)] = len(self._reasons)

    def settle(self, raw: pd.DataFrame, quarantine: Quarantine) -> Mask:
        """Set the faulty rows aside, in file order; the mask of the good ones."""
        bad = np.flatnonzero(self._code)
        if len(bad) or quarantine.by_file:
            counts = {str(file): int(n) for file, n in raw["file"].value_counts().items() if n}
            self._totals = {file: n + sum(quarantine.of_file(file).values()) for file, n in counts.items()}
        if len(bad):
            files, at = raw["file"].iloc[bad].tolist(), raw["line"].iloc[bad].tolist()
            for row, file, line in zip(bad.tolist(), files, at, strict=True):
                reason, found = self._reasons[self._code[row] - 1]
                quarantine.add(file, line, reason, "" if found is None else found.iat[row])
        good: Mask = self._code == 0
        return good

    def refuse_many(self, quarantine: Quarantine, allow_bad: float | None) -> None:
        """Raise DataError where one reason set aside more than a share of a file's rows (None: the quarantine's)."""
        allow_bad = quarantine.allow_bad if allow_bad is None else allow_bad
        found = [
            (n / total, n, total, file, reason)
            for file, total in self._totals.items()
            for reason, n in quarantine.of_file(file).items()
            if n > allow_bad * total and reason not in WHOLE_FILE
        ]
        if found:  # the worst of them, so that what accepts it accepts the others too
            share, n, total, file, reason = max(found)
            raise DataError(
                f"{file}: {n:,} of {total:,} rows ({share:.0%}) are set aside: {reason}; "
                f"first: {quarantine.first[file, reason]}; {remedy(reason)}, or accept it with --allow-bad "
                f"{np.ceil(100 * share) / 100:g}"
            )


def remedy(reason: str) -> str:
    """What would mend rows that are set aside for a reason, as a line of ``data.toml`` where there is one."""
    column = reason.partition(" ")[0]
    if column == "timestamp":
        return (
            'say how times are written in data.toml, e.g. date_format = "%d.%m.%Y %H:%M" or unit = "ms" under '
            f"[[events]] (without it: {ACCEPTED})"
        )
    if reason.endswith("is not a number"):
        return (
            f'name the right column in data.toml ([columns] {column} = "…"), or its decimal sign '
            '(decimal = "," under [[events]])'
        )
    if reason.startswith("rating out of range"):
        return "say rating_range = [lowest, highest] in data.toml"
    found = next((line for start, line in REMEDIES.items() if reason.startswith(start)), None)
    if reason.endswith("holds several values"):
        return "write a row for each of them, with one id in it"
    if found is None and reason.endswith("is missing"):
        return f'name the right column in data.toml ([columns] {column} = "…")'
    return found or "correct these rows"


def nothing_left(quarantine: Quarantine, source: str | Path) -> str:
    """Why a source without a usable row is refused."""
    if not quarantine:
        return f"{source}: no rows; a source needs at least one interaction of a user with an item"
    reason, count = quarantine.counts.most_common(1)[0]
    example = next((row for row in quarantine if row.reason == reason), quarantine.rows[0])
    return (
        f"{source}: none of {quarantine.rows_read:,} rows can be used; most often: {reason} ({count:,} rows); "
        f"first: {example}; {remedy(reason)}"
    )
