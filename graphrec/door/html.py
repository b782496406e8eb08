"""What notebooks show: small tables in HTML. Whatever stands in a table is text, and escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

MOST = 30  # rows shown of one table


def html_table(caption: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as HTML, without a line of names where ``header`` is empty. Rows after the first MOST are counted."""
    rows = list(rows)
    cells = [f"<tr>{''.join(f'<td>{html.escape(str(v))}</td>' for v in row)}</tr>" for row in rows[:MOST]]
    if len(rows) > MOST:
        cells.append(f"<tr><td colspan={max(1, len(rows[0]))}>and {len(rows) - MOST:,} more</td></tr>")
    head = f"<tr>{''.join(f'<th>{html.escape(name)}</th>' for name in header)}</tr>" if header else ""
    return f"<table><caption>{html.escape(caption)}</caption>{head}{''.join(cells)}</table>"
