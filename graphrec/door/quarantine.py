"""Rows that could not be used: counted, and kept with file, line and reason. Nothing is dropped silently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from graphrec.door.hidden import UNSEEN
from graphrec.door.privacy import mask

ALLOW_BAD = 0.05  # of a file's rows may be set aside for one reason
MAX_KEPT = 10_000  # rows kept in full; all are counted


@dataclass(frozen=True, slots=True)
class BadRow:
    """One unusable row: ``file:line``, why, and the beginning of what was found."""

    file: str
    line: int
    reason: str
    found: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" + (f" (found {self.found!r})" if self.found else "")


@dataclass
class Quarantine:
    """The report of one load: rows read, rows merged, and every bad row.

    ``masked`` counts the pieces of personal data masked in texts, and of what nobody sees removed, by kind;
    ``wordless`` the texts without a single letter, which are not read as text, by what they are of. ``warnings`` are
    lines for people, and
    ``how`` says how the values of a column were read ("timestamp": "dates, day first, e.g. 02.11.2019"); ``order`` is
    true where its times are no dates but the order of events. ``by_file`` counts the bad rows of a file for a reason,
    ``first`` is the first of them, and ``allow_bad`` the share of a file's rows that one reason may set aside.
    ``rows_read`` counts every interaction row, good or bad, and the bad rows of side files, so that after a load

        rows_read == interactions kept + merged + len(quarantine)
    """

    rows_read: int = 0
    merged: int = 0
    rows: list[BadRow] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    wordless: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    how: dict[str, str] = field(default_factory=dict)
    order: bool = False
    allow_bad: float = field(default_factory=lambda: ALLOW_BAD)
    by_file: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str], BadRow] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[BadRow]:
        return iter(self.rows)

    def add(self, file: str | Path, line: int, reason: str, found: object = "") -> None:
        """Set one row aside, as one more row read. ``reason`` is a fixed phrase, so that reasons can be counted."""
        self.rows_read += 1
        self.counts[reason] += 1
        key = (str(file), reason)
        self.by_file[key] += 1
        if len(self.rows) < MAX_KEPT or key not in self.first:
            row = BadRow(key[0], line, reason, mask(str(found)[:2000])[:80])
            self.first.setdefault(key, row)
            if len(self.rows) < MAX_KEPT:
                self.rows.append(row)

    def warn(self, *texts: str) -> None:
        """Say something about the data, once."""
        self.warnings.extend(text for text in texts if text not in self.warnings)

    def of_file(self, file: str) -> dict[str, int]:
        """The rows of a file that were set aside, by reason."""
        return {reason: n for (name, reason), n in self.by_file.items() if name == file}

    def without_letters(self) -> str:
        """The texts that hold no letter, for people; "" where there are none."""
        found = ", ".join(f"{n:,} × {of}" for of, n in self.wordless.items())
        return f"not read as text, having no letter: {found}" if found else ""

    def summary(self) -> str:
        """One line for people."""
        text = f"{self.rows_read:,} rows read"
        if self.merged:
            text += f", {self.merged:,} equal rows merged"
        for done, those in (("masked in", set(self.masked) - UNSEEN), ("removed from", set(self.masked) & UNSEEN)):
            if those:
                text += f", {done} texts: " + ", ".join(f"{self.masked[kind]:,} × {kind}" for kind in sorted(those))
        if without := self.without_letters():
            text += f", {without}"
        if self.counts:
            why = ", ".join(f"{n:,} × {reason}" for reason, n in self.counts.most_common())
            text += f", {len(self):,} set aside: {why}; first: {self.rows[0]}"
        return text
