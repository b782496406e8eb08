"""Are reasons worth reading? Quotes read by eye, and explanations of two versions side by side.

    python benchmarks/reasons.py draw MODEL --n 60          # quotes of drawn explanations, to be read
    python benchmarks/reasons.py texts MODEL OUT.json       # explanations of drawn pairs, by the code on PYTHONPATH
    python benchmarks/reasons.py blind OLD.json NEW.json    # side by side in random order; which is which into key.json
    python benchmarks/reasons.py keep                       # counts the verdicts in labels/, writes RESULTS.md

What was read is kept as ids, places and verdicts (labels/quotes.csv, labels/pairs.csv), without a word of any review.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import report
import typer

import graphrec
from graphrec.recommender import Recommender

LABELS = Path(__file__).resolve().parent / "labels"
app = typer.Typer(help=__doc__)


def drawn(model: Recommender, n: int, seed: int) -> list[tuple[str, str]]:
    """Pairs of users and one of their five best items."""
    random_, data = np.random.default_rng(seed), model.fitted.data
    active = np.unique(data.interactions.user_nums)
    pairs = []
    for user in random_.choice(active, min(n, len(active)), replace=False).tolist():
        items = model.recommend(data.users.ids[user], 5)["item_id"].tolist()
        pairs.append((data.users.ids[user], str(items[int(random_.integers(len(items)))])))
    return pairs


@app.command()
def draw(model: Path, n: Annotated[int, typer.Option()] = 60, seed: Annotated[int, typer.Option()] = 7) -> None:
    """Print quotes with their places, one of each drawn explanation that has any."""
    known = graphrec.load(model)
    read: set[tuple[str, str]] = set()
    for user, item in drawn(known, known.fitted.data.n_users, seed):
        found = known.explain(user, item)
        quoted = [
            e
            for e in found.evidence
            if e.source and e.source.quote in found.text and (item, e.source.quote) not in read
        ]
        if quoted and len(read) < n and (source := quoted[0].source):
            read.add((item, source.quote))
            print(f"{len(read)}\t{item}\t{quoted[0].path[-1].tail_label}\t{source.quote}")


@app.command()
def texts(model: Path, out: Path, seed: Annotated[int, typer.Option()] = 2024) -> None:
    """Explanations of 150 drawn pairs."""
    known = graphrec.load(model)
    rows = [{"user": u, "item": i, "text": known.explain(u, i).text} for u, i in drawn(known, 150, seed)]
    out.write_text(json.dumps(rows), "utf-8")


@app.command()
def blind(old: Path, new: Path, n: Annotated[int, typer.Option()] = 30, key: Path = Path("key.json")) -> None:
    """Print pairs of texts, A and B."""
    sides = [json.loads(path.read_text("utf-8")) for path in (old, new)]
    random_, first = random.Random(f"blind-{new.stem}"), []
    for number, row in enumerate(random_.sample(range(len(sides[0])), n)):
        first.append((row, random_.random() < 0.5))  # whether A is the new one
        a, b = (sides[i][row]["text"] for i in ((1, 0) if first[-1][1] else (0, 1)))
        print(f"{number}.\n  A {a}\n  B {b}")
    key.write_text(json.dumps(first), "utf-8")


@app.command()
def keep() -> None:
    """Count the verdicts."""
    quotes, pairs = (pd.read_csv(LABELS / f"{name}.csv") for name in ("quotes", "pairs"))
    for name in dict.fromkeys([*quotes["data"], *pairs["data"]]):
        read, compared = quotes[quotes["data"] == name], pairs[pairs["data"] == name]["better"]
        found = {
            "quotes": len(read),
            "judging": int(read["judges"].sum()),
            "pairs": len(compared),
            **{side: int((compared == side).sum()) for side in ("new", "old", "same")},
        }
        print(name, found)
        report.keep("reasons", name, found)


if __name__ == "__main__":
    app()
