"""What `evaluate --prequential` found, for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from graphrec.cli.output import Sheet, answer, note, warn, warn_anew, weights_table


def show_steps(document: dict[str, Any], told: list[str]) -> None:
    """A row for each step, what holds of all, and whether a refit is due."""
    goal = f"ndcg@{max(document['k'])}"
    title = f"{document['data']}: tested, then learned; {goal}"
    columns = ("events", "users", "updated", "frozen", "popular", "new")  # 80 columns wide with a million events
    table = Sheet("from", *columns, "refit", title=title, figures=list(columns))
    for row in document["steps"]:
        figures = [f"{row[name][goal]:.4f}" if row["users"] else "" for name in ("updated", "frozen", "popular")]
        day = datetime.fromtimestamp(row["from"], UTC).strftime("%Y-%m-%d")
        sizes = (f"{row['events']:,}", f"{row['users']:,}")
        table.row(day, *sizes, *figures, f"{row['new_items']:.0%}", "due" if row["due"] else "")
    answer(table)
    note("new: the share of the events that are of items which the model had not learned from")
    slowest = max((row["seconds"] for row in document["steps"]), default=0.0)
    note(f"a step was taken in within {slowest:.2f} s")
    means = [document["metrics"][goal], document["frozen"][goal], document["popular"][goal]]
    updated, frozen, popular = (f"{value:.4f}" for value in means)
    note(
        f"{goal} over all: {updated} updated, {frozen} frozen, {popular} recent popularity; p {document['p_value']:.2g}"
    )
    forgot = document["forgetting"]
    note(f"the first step's questions, asked again at the end: {forgot['again']:.4f}; they were {forgot['then']:.4f}")
    refit = document["refit"]
    if refit["due"]:
        warn(f"a refit is due from step {refit['step'] + 1} on: {refit['why']}")
    else:
        note(f"no refit is due ({refit['rule']})")
    answer(weights_table(document["chosen"]["weights"]))
    warn_anew(document["warnings"], told)
    seconds = ", ".join(f"{what} {value:.1f} s" for what, value in document["seconds"].items())
    note(f"{seconds}; peak {document['peak_rss_mb']:,.0f} MB")
