"""A Dataset as people see it: one line, or a small table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from graphrec.door.html import html_table
from graphrec.types import Ints


def text(name: str, counts: Mapping[str, int], times: Ints | None) -> str:
    """Name, counts and span of the dates (seconds since 1970) in one line."""
    return f"Dataset({name}: {', '.join([*facts(counts), *_dates(times)])})"


def facts(counts: Mapping[str, int]) -> list[str]:
    """What there is and how much of it: "1 user", "5 items"."""
    return [counted(n, what) for what, n in counts.items() if n]


def counted(n: int, what: str) -> str:
    """A number of things, of which one is without the s."""
    return f"{n:,} {what.removesuffix('s') if n == 1 else what}"


def as_html(name: str, counts: Mapping[str, int], times: Ints | None, rows: str) -> str:
    """The same as a table; ``rows`` says what became of the rows that were read."""
    rows_of = [(what, f"{n:,}") for what, n in counts.items() if n]
    return html_table(name, (), [*rows_of, *(("dates", days) for days in _dates(times)), ("rows", rows)])


def _dates(times: Ints | None) -> list[str]:
    if times is None or not len(times):
        return []
    first, last = (datetime.fromtimestamp(int(t), UTC).date().isoformat() for t in (times.min(), times.max()))
    return [first if first == last else f"{first} to {last}"]
