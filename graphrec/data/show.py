"""A Dataset as people see it: one or two lines, or a small table in a notebook."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from graphrec.door.show import html_table

if TYPE_CHECKING:
    from graphrec.data.dataset import Dataset


def text(data: Dataset) -> str:
    """Name, counts and span of the dates in one line."""
    facts = [f"{n:,} {what}" for what, n in data.counts().items() if n]
    return f"Dataset({data.name}: {', '.join([*facts, *_dates(data)])})"


def as_html(data: Dataset) -> str:
    """The same as a table, with what became of the rows below it."""
    rows = [(what, f"{n:,}") for what, n in data.counts().items() if n]
    rows += [("dates", days) for days in _dates(data)]
    return html_table(data.name, (), [*rows, ("rows", data.quarantine.summary())])


def _dates(data: Dataset) -> list[str]:
    times = data.events.timestamps
    if times is None or not len(times):
        return []
    first, last = (datetime.fromtimestamp(int(t), UTC).date().isoformat() for t in (times.min(), times.max()))
    return [first if first == last else f"{first} to {last}"]
