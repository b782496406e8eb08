"""The report of the data: what every file and column is used as, or why not; every row counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphrec.door.html import html_table
from graphrec.door.quarantine import Quarantine


@dataclass(frozen=True)
class FileUse:
    """One file of a source: what it is used as ("events", "items", …), or, with ``used_as`` "", why not.

    ``kind`` is the kind of its events; ``form`` says how it is written down.
    """

    path: str
    used_as: str
    why_not: str = ""
    kind: str = ""
    form: str = ""


@dataclass(frozen=True)
class ColumnUse:
    """One column: its role ("user_id", "attribute", …) and the type of an attribute; with ``role`` "", why not.

    A column that is kept but not learned from (a sensitive one, one that identifies) has both a role and a reason.
    """

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
    """What became of everything that a source holds. ``quarantine`` counts the rows; see ``Quarantine``.

    Args:
        format, why: the format, and what shows it.
        dates: the first and the last time of an event, seconds since 1970.
        strength: kind → how its events were understood. languages: language → share of the texts.
        unread: language → reviews in it that no extractor of names and aspects reads.
        data_toml: the same reading as a ``data.toml``.
    """

    format: str = ""
    why: str = ""
    files: list[FileUse] = field(default_factory=list)
    columns: list[ColumnUse] = field(default_factory=list)
    quarantine: Quarantine = field(default_factory=Quarantine)
    unmatched: list[Unmatched] = field(default_factory=list)
    dates: tuple[int, int] | None = None
    strength: dict[str, Any] = field(default_factory=dict)
    languages: dict[str, float] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    data_toml: str = ""
    root: str = ""

    def use_file(self, path: str | Path, used_as: str, why_not: str = "", *, kind: str = "", form: str = "") -> None:
        """One file, once: what it is used as, or why not. The first word on a file stays."""
        name = self.relative(path)
        if all(f.path != name for f in self.files):
            self.files.append(FileUse(name, used_as, why_not, kind, form))

    def use_columns(
        self,
        path: str | Path,
        columns: Iterable[str],
        roles: Mapping[str, str],
        why_not: Mapping[str, str] | None = None,
        types: Mapping[str, str] | None = None,
    ) -> None:
        """All columns of a file: ``roles`` column → role, ``why_not`` column → reason, ``types`` column → type."""
        name, reasons, known = self.relative(path), why_not or {}, types or {}
        for column in columns:
            role = roles.get(column, "")
            reason = reasons.get(column, "" if role else "no use is known for it")
            self.columns.append(ColumnUse(name, str(column), role, known.get(column, ""), reason))

    def warn(self, text: str) -> None:
        """One warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def moved(self, old: str, new: str) -> None:
        """Name the rows' files as below ``new`` where they were read from ``old``."""
        rows = [replace(row, file=row.file.replace(old, new, 1)) for row in self.quarantine.rows]
        self.quarantine.rows[:] = rows

    def renamed(self, names: Mapping[str, str]) -> None:
        """Files, rows and warnings with other names of files: old → new."""

        def new(text: str) -> str:
            for old, name in names.items():
                text = text.replace(old, name)
            return text

        found = self.quarantine
        self.files[:] = [replace(f, path=names.get(f.path, f.path)) for f in self.files]
        self.columns[:] = [replace(c, file=names.get(c.file, c.file)) for c in self.columns]
        self.unmatched[:] = [replace(u, file=names.get(u.file, u.file)) for u in self.unmatched]
        found.rows[:] = [replace(row, file=names.get(row.file, row.file)) for row in found.rows]
        found.first = {(new(f), why): replace(row, file=new(row.file)) for (f, why), row in found.first.items()}
        found.by_file = Counter({(new(file), why): n for (file, why), n in found.by_file.items()})
        self.warnings[:], found.warnings[:] = map(new, self.warnings), map(new, found.warnings)
        self.data_toml, self.why = new(self.data_toml), new(self.why)

    def all_warnings(self) -> list[str]:
        """What is to be said of the files and of their values."""
        return list(dict.fromkeys((*self.warnings, *self.quarantine.warnings)))

    def relative(self, path: str | Path) -> str:
        """A file's path as the report names it: below the source's folder."""
        return os.path.relpath(path, self.root) if self.root and Path(path).is_absolute() else str(path)

    def rows(self) -> dict[str, int]:
        """Rows read, used, set aside and merged; the first is the sum of the others."""
        q = self.quarantine
        return {
            "read": q.rows_read,
            "used": q.rows_read - len(q) - q.merged,
            "set_aside": len(q),
            "merged": q.merged,
        }

    def days(self) -> dict[str, str] | None:
        """The span of the dates as ISO days, None where there are no times."""
        if self.dates is None:
            return None
        first, last = (datetime.fromtimestamp(t, UTC).date().isoformat() for t in self.dates)
        return {"from": first, "to": last}

    def to_json(self) -> dict[str, Any]:
        """The `inspect` document of the command-line contract."""
        q = self.quarantine
        return {
            "format": self.format,
            "why": self.why,
            "files": [vars(f) for f in self.files],
            "columns": [vars(c) for c in self.columns],
            "rows": self.rows(),
            "set_aside_by_reason": dict(q.counts.most_common()),
            "first_set_aside": [str(row) for row in q.rows[:10]],
            "masked": dict(q.masked),
            "without_letters": dict(q.wordless),
            "unmatched": [vars(u) for u in self.unmatched],
            "dates": self.days(),
            "strength": self.strength,
            "languages": self.languages,
            "unread": self.unread,
            "warnings": self.all_warnings(),
            "how": dict(q.how),
            "data_toml": self.data_toml,
        }

    def summary_lines(self, most: int = 8) -> list[str]:
        """The short form: at most ``most`` lines for the start of every fit and evaluate."""
        used = [f"{f.path} as {f.used_as}" + f" ({f.kind})" * bool(f.kind) for f in self.files if f.used_as]
        lines = [f"read as {self.format}: {_several(used, 6)}"] if used else []
        lines.append(self.quarantine.summary())
        if (days := self.days()) is not None:
            lines.append(f"dates: {days['from']} to {days['to']}")
        if self.strength:
            lines.append("events: " + "; ".join(f"{kind}: {says}" for kind, says in self.strength.items()))
        files = [f.path for f in self.files if not f.used_as]
        columns = [f"{c.column} ({c.file})" for c in self.columns if not c.role]
        unused = [*([f"files {_several(files, 4)}"] if files else [])]
        unused += [f"columns {_several(columns, 6)}"] if columns else []
        if unused:
            lines.append(f"not used: {'; '.join(unused)}; `graphrec inspect` says why")
        room = max(1, most - len(lines))
        warnings = self.all_warnings()
        shown = warnings if len(warnings) <= room else warnings[: room - 1]
        lines += [f"warning: {text}" for text in shown]
        if len(shown) < len(warnings):
            lines.append(f"and {len(warnings) - len(shown)} more warnings; `graphrec inspect` shows them")
        return lines[:most]

    def __repr__(self) -> str:
        rows = self.rows()
        counts = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in rows.items())
        return f"Report({self.format}: {len(self.files)} files, {len(self.columns)} columns; rows: {counts})"

    def _repr_html_(self) -> str:
        """Files, columns, rows and warnings as tables, for notebooks."""
        q = self.quarantine
        files = [(f.path, f.used_as or f"not used: {f.why_not}") for f in self.files]
        ordered = sorted(self.columns, key=lambda c: not c.role)  # the unused ones last
        columns = [(c.file, c.column, c.role or "not used", c.type, c.why_not) for c in ordered]
        rows = [(name.replace("_", " "), f"{n:,}") for name, n in self.rows().items()]
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


def _several(names: list[str], most: int) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
