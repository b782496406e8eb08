"""The section of RESULTS.md on the store."""

from __future__ import annotations

from typing import Any

from sections_table import table as table


def durability(name: str, result: dict[str, Any]) -> list[str]:
    """What kills left behind: every figure but the first two columns and the last two should be 0."""
    columns = ["store", "killed", "during_erasure", "opened", "lost", "twice", "torn", "back", "bytes", "orphans"]
    rows = [[str(row[c]) for c in columns] + [f"{row['events']:,}", f"{row['erased']:,}"] for row in result["rows"]]
    return [
        f"## Durability: {name}",
        "",
        f"{result['machine']}, shared with other work. SIGKILL at random moments to a process that writes with three "
        "threads, sends batches again and erases people; of PostgreSQL the server too, every second time. Columns as in"
        " `benchmarks/durability.py`.",
        "",
        *table([*(c.replace("_", " ") for c in columns), "events acknowledged", "erased"], rows),
        "",
    ]
