"""How long reading takes, and how much memory: a made-up CSV of users, items, ratings and times, through the door.

    python benchmarks/reading.py                    # 10 million rows
    python benchmarks/reading.py --rows 1000000 --quotes

The file is made in a temporary folder and removed. Times are found out, not declared; the file is read twice, once to
find out how it is written down. ``--quotes`` adds a review to each row, some with a lone quote or over two lines.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import report
import typer

from graphrec.door.check import check_events
from graphrec.door.quarantine import Quarantine
from graphrec.experiment import peak_rss_mb
from graphrec.read.forms import find_form, read_table

CHUNK = 500_000
REVIEWS = np.array(["fine", '"several, ""great"" ones"', '5"', '"first line\nsecond line"'])


def make(path: Path, rows: int, quotes: bool) -> None:
    """user_id,item_id,rating,timestamp, and a review where there are quotes."""
    random = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        file.write("user_id,item_id,rating,timestamp" + ",review" * quotes + "\n")
        for start in range(0, rows, CHUNK):
            n = min(CHUNK, rows - start)
            columns = (
                random.integers(0, 500_000, n),
                random.integers(0, 100_000, n),
                random.integers(1, 6, n),
                random.integers(1_400_000_000, 1_700_000_000, n),
                random.choice(REVIEWS, n, p=[0.6, 0.38, 0.01, 0.01]) if quotes else [""] * n,
            )
            end = "," if quotes else ""
            file.writelines(
                f"u{u},i{i},{r},{t}{end}{text}\n"
                for u, i, r, t, text in zip(
                    *(c.tolist() if isinstance(c, np.ndarray) else c for c in columns), strict=True
                )
            )


def main(
    rows: Annotated[int, typer.Option(help="Rows of the file.")] = 10_000_000,
    quotes: Annotated[bool, typer.Option(help="With reviews in quotes.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep the result in results.json.")] = False,
) -> None:
    """Make the file, read it, print seconds and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        make(path, rows, quotes)
        megabytes = path.stat().st_size / 1e6
        quarantine, seconds = Quarantine(), {}
        start = time.perf_counter()
        form = find_form(path)
        seconds["find the form"] = time.perf_counter() - start
        raw = read_table(path, form, quarantine, ["user_id", "item_id", "rating", "timestamp"])
        seconds["read"] = time.perf_counter() - start - sum(seconds.values())
        events = check_events(raw, quarantine, path)
        seconds["check"] = time.perf_counter() - start - sum(seconds.values())
    total = sum(seconds.values())
    print(f"{len(events):,} rows of {megabytes:,.0f} MB in {total:.1f} s, at most {peak_rss_mb():,.0f} MB")
    print(", ".join(f"{name} {value:.1f} s" for name, value in seconds.items()))
    print(quarantine.summary())
    if keep:
        found = {"rows": rows, "kept": len(events), "megabytes": megabytes, "seconds": seconds, "total": total}
        report.keep("reading", f"{rows} rows" + " with quotes" * quotes, {**found, "peak_rss_mb": peak_rss_mb()})


if __name__ == "__main__":
    typer.run(main)
