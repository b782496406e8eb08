"""Are reasons worth reading? Quotes read by eye, and explanations of two versions side by side.

    python benchmarks/reasons.py draw MODEL --n 60              # quotes of drawn explanations, to be read
    python benchmarks/reasons.py lift MODEL                     # how much the shown entities tell
    python benchmarks/reasons.py texts MODEL OUT.json           # explanations of drawn pairs, by the code on PYTHONPATH
    python benchmarks/reasons.py blind "OLD1.json NEW1.json" …  # side by side, which is which into key.json
    python benchmarks/reasons.py count verdicts.txt             # opens the key
    python benchmarks/reasons.py keep                           # counts the verdicts in labels/, writes RESULTS.md

``--graph`` takes the knowledge graph from another folder than the model's, ``--pairs`` those of an earlier OUT.json.
Blind pairs of all data sets stand in one random order; in both texts an item is called as the newer code calls it.
Pairs are drawn anew whenever the code has changed: of eight draws the newer code was better in 71 to 78 of 100. Since
fewer than five people are not told of, three more were read by who wrote the code, of all data sets but musical
instruments: of 75 pairs the newer better in 55 and the older in 16; with most of what that showed mended, of 75 other
ones in 54 and 18; with the rest mended, of 50 of magazines and coffee in 38 and 10. labels/pairs.csv is the last draw
of all four.

Of films (ml1m_kg) the median lift of what is shown is 1.41. More is hardly there: with the best choice among all that
an item shares with the five history items that add most it would be 1.53, with any of sixty 1.74, and counting two
shared things as one, by the items that have both, 1.91 (75 pairs); people there take 160 items each, by popularity.
What was read is kept as ids, places and verdicts (labels/quotes.csv, labels/pairs.csv), without a word of any review.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import report
import typer

import graphrec
import kg.store
from graphrec.evaluate.explanations import entity_lifts, named_entity
from graphrec.model.model import Model
from graphrec.query.query import Queries
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


def loaded(model: Path, graph: Path | None) -> Model:
    """A model's learned part, with another knowledge graph where one is given."""
    learned = graphrec.load(model).fitted
    return replace(learned, graph=kg.store.load(graph)) if graph else learned


@app.command()
def lift(
    model: Path,
    graph: Annotated[Path | None, typer.Option()] = None,
    users: Annotated[int, typer.Option()] = 100,
    seed: Annotated[int, typer.Option()] = 3,
) -> None:
    """The lift of the shown entities, the part of explanations that name one, and that have a quote."""
    known, learned = graphrec.load(model), loaded(model, graph)
    data, explainer, random_ = learned.data, learned.explainer, np.random.default_rng(seed)
    active, lifts, found = np.unique(data.interactions.user_nums), [], []
    for user in random_.choice(active, min(users, len(active)), replace=False).tolist():
        for item in data.items.numbers(known.recommend(data.users.ids[user], 3)["item_id"].tolist()).tolist():
            query = Queries.stored(learned.ties, np.array([user]))
            found.append(explainer.explain(query, data.users.ids[user], item))
            lifts += entity_lifts(explainer, found[-1], user, item)
    quoted = np.mean([any(e.source for e in f.evidence) for f in found])
    named = np.mean([any(map(named_entity, f.evidence)) for f in found])
    low, median, high = np.quantile(lifts, [0.25, 0.5, 0.75]) if lifts else np.full(3, np.nan)
    print(
        f"{model.name}: {len(found)} explanations, {len(lifts)} lifts, median {median:.2f}, quartiles {low:.2f} and "
        f"{high:.2f}; named {named:.3f}, quoted {quoted:.3f}"
    )


@app.command()
def texts(
    model: Path,
    out: Path,
    seed: Annotated[int, typer.Option()] = 2024,
    pairs: Annotated[Path | None, typer.Option()] = None,
    graph: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Explanations of 150 drawn pairs, and what the items are called."""
    known, learned = graphrec.load(model), loaded(model, graph)
    if pairs:
        both = [(row["user"], row["item"]) for row in json.loads(pairs.read_text("utf-8"))["rows"]]
    else:
        both = drawn(known, 150, seed)
    rows = [{"user": u, "item": i, "text": learned.explain(u, i).text} for u, i in both]
    names = {id_: learned.explainer.links.title(n) for n, id_ in enumerate(learned.data.items.ids)}
    out.write_text(json.dumps({"rows": rows, "names": names}), "utf-8")


@app.command()
def blind(
    both: list[str], n: Annotated[int, typer.Option()] = 100, seed: int = 8, key: Path = Path("key.json")
) -> None:
    """Print n pairs of texts, A and B, of all data sets in one random order. BOTH: "OLD.json NEW.json", repeated."""
    random_, drawn_ = random.Random(f"blind-{seed}"), []
    for number, files in enumerate(map(str.split, both)):
        old, new = (json.loads(Path(file).read_text("utf-8")) for file in files)
        names = sorted(new["names"].items())
        called = {f'"{id_}"': f'"{title}"' for id_, title in names if id_ != title}
        size = n * (number + 1) // len(both) - n * number // len(both)
        for row in random_.sample(range(len(old["rows"])), size):
            text = old["rows"][row]["text"]
            for id_ in set(re.findall(r'"[^"]+"', text)) & set(called):
                text = text.replace(id_, called[id_])
            item = old["rows"][row]["item"]
            drawn_.append((Path(files[1]).stem, row, item, new["names"][item], text, new["rows"][row]["text"]))
    random_.shuffle(drawn_)
    opened = []
    for number, (name, row, item, title, *sides) in enumerate(drawn_):
        first = random_.random() < 0.5  # whether A is the new one
        opened.append([name, row, item, "new" if first else "old"])
        a, b = sides[::-1] if first else sides
        print(f"{number}. {title}\n  A {a}\n  B {b}")
    key.write_text(json.dumps(opened), "utf-8")


@app.command()
def count(verdicts: Path, key: Path = Path("key.json"), out: Annotated[Path | None, typer.Option()] = None) -> None:
    """Open the key: verdicts are the letters A, B and = in order. Into ``out`` as rows of labels/pairs.csv."""
    given, opened = verdicts.read_text("utf-8").split(), json.loads(key.read_text("utf-8"))
    assert len(given) == len(opened), f"{len(given)} verdicts, {len(opened)} pairs"
    other = {"new": "old", "old": "new"}
    better = [{"A": k[3], "B": other[k[3]], "=": "same"}[v] for v, k in zip(given, opened, strict=True)]
    rows = pd.DataFrame(opened, columns=["data", "n", "item_id", "first"]).assign(better=better)
    print(rows.groupby("data")["better"].value_counts().unstack(fill_value=0))
    print(rows["better"].value_counts().to_dict())
    if out:
        rows.sort_values(["data", "n"]).to_csv(out, index=False, lineterminator="\n")


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
