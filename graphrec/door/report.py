"""The report of the data: what every file and column is used as, or why not; every row counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphrec.door.html import html_table
from graphrec.door.quarantine import Quarantine


@dataclass(frozen=True)
class FileUse:
    """One file of a source: what it is used as ("events", "items", …), or, with ``used_as`` "", why not."""

    path: str
    used_as: str
    why_not: str = ""


@dataclass(frozen=True)
class ColumnUse:
    """One column: its role ("user_id", "attribute", …) and the type of an attribute; with ``role`` "", why not."""

    file: str
    column: str
    role: str
    type: str = ""
    why_not: str = ""


@dataclass(frozen=True)
class Unmatched:
    """``ids`` of the ``of`` ids of a side file that nothing else knows."""

    file: str
    ids: int
    of: int


@dataclass
class Report:
    """What became of everything that a source holds. ``quarantine`` counts the rows; see ``Quarantine``."""

    format: str = ""
    why: str = ""
    files: list[FileUse] = field(default_factory=list)
    columns: list[ColumnUse] = field(default_factory=list)
    quarantine: Quarantine = field(default_factory=Quarantine)
    unmatched: list[Unmatched] = field(default_factory=list)
    dates: tuple[int, int] | None = None
    strength: dict[str, Any] = field(default_factory=dict)
    languages: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def _repr_html_(self) -> str:
        """Files, columns, rows and warnings as tables, for notebooks."""
        q = self.quarantine
        files = [(f.path, f.used_as or f"not used: {f.why_not}") for f in self.files]
        ordered = sorted(self.columns, key=lambda c: not c.role)  # the unused ones last
        columns = [(c.file, c.column, c.role or "not used", c.type, c.why_not) for c in ordered]
        rows = [
            ("read", f"{q.rows_read:,}"),
            ("used", f"{q.rows_read - len(q) - q.merged:,}"),
            ("merged", f"{q.merged:,}"),
        ]
        rows += [(f"set aside: {reason}", f"{n:,}") for reason, n in q.counts.most_common()]
        rows += [(f"ids of {u.file} that nothing else knows", f"{u.ids:,} of {u.of:,}") for u in self.unmatched]
        rows += [("warning", text) for text in self.warnings]
        return "".join(
            (
                html_table(f"read as {self.format}", ("file", "used as"), files),
                html_table("columns", ("file", "column", "role", "type", "why not"), columns),
                html_table("rows", (), rows),
            )
        )
