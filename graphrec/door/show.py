"""What notebooks show: small tables in HTML, escaped, and the report of the data as such a table."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from graphrec.door.report import Report

MOST = 30  # rows of one table


def html_table(caption: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as HTML; everything in it is text. Rows after the first MOST are counted, not shown."""
    rows = list(rows)
    cells = [f"<tr>{''.join(f'<td>{html.escape(str(v))}</td>' for v in row)}</tr>" for row in rows[:MOST]]
    if len(rows) > MOST:
        cells.append(f"<tr><td colspan={max(1, len(rows[0]))}>and {len(rows) - MOST:,} more</td></tr>")
    head = f"<tr>{''.join(f'<th>{html.escape(name)}</th>' for name in header)}</tr>" if header else ""
    return f"<table><caption>{html.escape(caption)}</caption>{head}{''.join(cells)}</table>"


def report_html(report: Report) -> str:
    """The report as HTML: files, columns, rows and warnings."""
    q = report.quarantine
    files = [(f.path, f.used_as or f"not used: {f.why_not}") for f in report.files]
    columns = [
        (c.file, c.column, c.role or "not used", c.type, c.why_not)
        for c in sorted(report.columns, key=lambda c: not c.role)
    ]
    reasons = [(f"set aside: {reason}", f"{n:,}") for reason, n in q.counts.most_common()]
    rows = [("read", f"{q.rows_read:,}"), ("used", f"{q.rows_read - len(q) - q.merged:,}")]
    rows += [*reasons, ("merged", f"{q.merged:,}")]
    rows += [(f"ids of {u.file} that nothing else knows", f"{u.ids:,} of {u.of:,}") for u in report.unmatched]
    parts = [
        html_table(f"read as {report.format}" if report.format else "files", ("file", "used as"), files),
        html_table("columns", ("file", "column", "role", "type", "why not"), columns),
        html_table("rows", (), rows),
    ]
    parts += [f"<p>warning: {html.escape(text)}</p>" for text in report.warnings]
    return "".join(parts)
