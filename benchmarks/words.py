"""What people ask for in their own words: reviews that were held out as queries, and the item that they are of.

    pip install bm25s
    python benchmarks/words.py ../shared/data

Of 400 reviews that are held out with their events, 200 choose the parameters of BM25, and 200 are asked about once.
Documents of an item are its title, what its attributes say in words, and its other reviews; a query is a review's text.
All items are ranked, for nobody in particular. Nothing of graphrec is chosen on these.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.evaluate.significance import paired_p_value
from graphrec.features.text import item_descriptions
from graphrec.model.worded import liking_of
from graphrec.recommender import Recommender
from graphrec.types import Floats, Ints

RUNS = ("musical_instruments", "magazine_subscriptions")
SETTINGS = ("blocks=popularity,semantic", "strength.use=false")
EACH, LENGTH, SEED = 200, 20, 7
SHORTEST = 40  # characters of a review that is asked about
GRID = [(k, b) for k in (0.9, 1.2, 1.5, 2.5) for b in (0.3, 0.5, 0.75, 0.9)]


def places(scores: Floats, items: Ints) -> Ints:
    """The place of each query's item among all by its scores (n, I), from 0; ties count against it."""
    own = scores[np.arange(len(items)), items][:, None]
    return np.asarray((scores > own).sum(axis=1) + (scores == own).sum(axis=1) - 1, np.int64)


def bm25(documents: list[str], queries: list[str], k: float, b: float) -> Floats:
    """Scores of all documents for each query, (n, I), by bm25s."""
    import bm25s

    found = bm25s.BM25(k1=k, b=b)
    found.index(bm25s.tokenize(documents, stopwords="en", show_progress=False), show_progress=False)
    asked = bm25s.tokenize(queries, stopwords="en", return_ids=False, show_progress=False)
    return np.array([found.get_scores(words) for words in asked], np.float32)


def measured(data: Dataset, settings: list[str]) -> dict[str, Any]:
    """Recall of the reviewed item by BM25 and by graphrec, whole and by its parts."""
    reviews = data.reviews
    usable = np.flatnonzero(reviews["text"].str.len().to_numpy() >= SHORTEST)
    held = np.random.default_rng(SEED).choice(usable, 2 * EACH, replace=False)
    events = reviews["event"].to_numpy(np.int64)[held]
    # No leakage. What is asked about goes with its event, before anything is indexed or learned.
    kept = np.ones(len(data.events), bool)
    kept[events] = False
    train = data.subset(kept)
    documents = item_descriptions(train)
    for item, summary, text in train.reviews[["item_num", "summary", "text"]].itertuples(index=False):
        documents[item] += f" {summary} {text}"
    items = reviews["item_num"].to_numpy(np.int64)[held]
    texts = reviews["text"].iloc[held].astype(str).tolist()
    chosen = max(GRID, key=lambda kb: float((places(bm25(documents, texts[:EACH], *kb), items[:EACH]) < LENGTH).mean()))
    asked, truth = texts[EACH:], items[EACH:]
    model = Recommender(Config.load(None, settings), progress=True).fit(train)
    found = {
        "BM25 (k = 1.5, b = .75)": bm25(documents, asked, 1.5, 0.75),
        f"BM25 (k = {chosen[0]}, b = {chosen[1]}, chosen)": bm25(documents, asked, *chosen),
    }
    block, start = model.fitted.profiles.of_texts, time.perf_counter()
    assert block is not None
    found["graphrec"] = np.array([liking_of(model.fitted, text).scores for text in asked])
    seconds = time.perf_counter() - start
    sides = np.array([block.encode_text(side) for side in model.encoder.encode(asked, query=True)])
    found["graphrec before: inner product of embeddings"] = sides @ np.asarray(block.items).T
    lengths = np.maximum(np.linalg.norm(np.asarray(block.items), axis=1), 1e-9)
    found["embeddings alone"] = found["graphrec before: inner product of embeddings"] / lengths
    found["its words alone"] = np.array([model.fitted.lexicon.scores(text) for text in asked])
    ranks = {name: places(np.asarray(scores, np.float32), truth) for name, scores in found.items()}
    listed = model.recommend(["anybody"], LENGTH, query=asked[0])  # what is measured is what is answered
    best = np.argsort(-found["graphrec"][0], kind="stable")[:LENGTH]
    overlap = np.isin(listed["item_id"], [train.items.ids[i] for i in best]).mean()
    hits = {name: (rank < LENGTH).astype(np.float32) for name, rank in ranks.items()}
    base = list(found)[1]
    rows = [
        {
            "model": name,
            "recall@20": float(hits[name].mean()),
            "mrr": float((1 / (1 + rank)).mean()),
            "p": paired_p_value(hits["graphrec"], hits[name]) if name != "graphrec" else None,
        }
        for name, rank in ranks.items()
    ]
    return {
        "rows": rows,
        "queries": EACH,
        "items": data.n_items,
        "chosen": chosen,
        "against": base,
        "overlap": float(overlap),
        "seconds": seconds / EACH,
    }


def main(data: Path, only: Annotated[list[str] | None, typer.Option()] = None) -> None:
    for name in RUNS:
        if only and name not in only:
            continue
        source = Dataset.load(data / name)
        found = measured(source, list(SETTINGS))
        looks = report.kept("words", name).get("looks", 0) + 1
        found |= {"settings": list(SETTINGS), "data": source.digest(), "looks": looks}
        for row in found["rows"]:
            print(name, row, flush=True)
        print(name, {n: v for n, v in found.items() if n != "rows"}, flush=True)
        report.keep("words", name, found)


if __name__ == "__main__":
    typer.run(main)
