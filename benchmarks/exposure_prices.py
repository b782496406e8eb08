"""Other prices of what is shown often: what Gini -30 % costs of NDCG, on validation users of ml1m_sequences.

    python benchmarks/exposure_prices.py ../shared/data --models /tmp/models    # models as fairness.py keeps them

A way is what a candidate is worth, and what an item costs. Worth: the formula of ``rerank/exposure.py``, or how likely
it is a hit, by logistic regression on the other half of the people: of place and distance from the first score in the
person's own deviations; of how sharply the scores fall beside; of how popular the item is beside. Price: the log of how
often an item is shown, or its place among all items by that, which is the slope of the Gini coefficient.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import report
import typer
from fairness import RUNS, K, fitted, lists_of
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.mending import Lists
from graphrec.evaluate.ranking import hits_of
from graphrec.rerank.exposure import chosen, worths
from graphrec.types import Floats, Ints

NAME, FALL, EVERY, ROUNDS, STEPS = "ml1m_sequences", 0.3, 2, 12, 5
WORTHS = {"place and distance": 4, "and sharpness": 6, "and popularity": 8}  # how many features each has
Doubles = npt.NDArray[np.float64]


def features(lists: Lists, taken: Doubles) -> Floats:
    """Of each candidate, float32 (U, n, 8)."""
    scores, n = lists.scores, lists.scores.shape[1]
    deviation = scores.std(axis=1, keepdims=True)
    gap = (scores[:, :1] - scores) / deviation
    place = np.broadcast_to(np.log1p(np.arange(n)), gap.shape)
    sharp = np.broadcast_to(np.log(np.exp(-gap).sum(axis=1, keepdims=True)), gap.shape)
    popular = np.log1p(taken[lists.items])
    told = [gap, place, np.sqrt(gap), gap * place, sharp, sharp * place, popular, popular * place]
    return np.stack(told, axis=-1).astype(np.float32)


def learned(told: Floats, hits: npt.NDArray[np.bool_], half: npt.NDArray[np.bool_]) -> Floats:
    """How likely each candidate is a hit, float32 (U, n), by the people of the other half; a tenth of the misses."""
    out, random = np.zeros(hits.shape, np.float32), np.random.default_rng(1)
    for part in (half, ~half):
        rows, right = told[~part].reshape(-1, told.shape[-1]), hits[~part].ravel()
        some = np.flatnonzero(right | (random.random(len(right)) < 0.1))
        mean, spread = rows.mean(axis=0), rows.std(axis=0)
        model = LogisticRegression(max_iter=200)
        model.fit((rows[some] - mean) / spread, right[some], sample_weight=np.where(right[some], 1.0, 10.0))
        logits = ((told[part] - mean) / spread) @ model.coef_[0].astype(np.float32) + model.intercept_[0]
        out[part] = 1 / (1 + np.exp(-logits))
    return out


def shown(lists: Lists, worth: Floats, by_place: bool, strength: float) -> Ints:
    """What is shown once prices have settled, int64 (U, K)."""
    size = lists.relevant.shape[1]
    price = np.zeros(size)
    for turn in range(ROUNDS + 1):
        bonus = -strength * price[lists.items].astype(np.float32)
        out = np.take_along_axis(lists.items, chosen(worth, bonus, K), axis=1)
        counts = np.bincount(out.ravel(), minlength=size)
        now = (rankdata(counts) - 0.5) / size if by_place else np.log1p(counts) / np.log1p(counts.mean())
        price += (now - price) * (2 / (turn + 2))
    return out


def priced(lists: Lists, worth: Floats, by_place: bool) -> dict[str, float]:
    """NDCG and Gini at the least strength at which Gini has fallen by ``FALL``."""
    goal = lists.measured(lists.items[:, :K])[f"gini@{K}"] * (1 - FALL)

    def of(strength: float) -> dict[str, float]:
        return lists.measured(shown(lists, worth, by_place, strength)) | {"strength": strength}

    low, high = 0.0, 0.01
    found = of(high)
    while found[f"gini@{K}"] > goal:
        low, high = high, 2 * high
        found = of(high)
    for _ in range(STEPS):
        tried = of((low + high) / 2)
        if tried[f"gini@{K}"] <= goal:
            high, found = tried["strength"], tried
        else:
            low = tried["strength"]
    return found


def main(
    data: Annotated[Path, typer.Argument()],
    models: Annotated[Path | None, typer.Option(help="Where fitted models are kept, or found.")] = None,
) -> None:
    source = Dataset.load(data / NAME)
    config = Config.load(None, [f"split.kind={RUNS[NAME]}"], "fast")
    parts = split(source, config.cut, config.seed)
    train, held = parts.folds[0].train, parts.folds[0].valid
    whole = lists_of(fitted(NAME, parts, config, models)[0], held, config)
    lists = Lists(whole.items[::EVERY], whole.scores[::EVERY], whole.relevant[::EVERY])
    hits = hits_of(lists.items, lists.relevant)
    half = np.random.default_rng(0).random(len(hits)) < 0.5
    told = features(lists, np.asarray(train.seen().sum(axis=0), np.float64).ravel())
    ways = {"the formula": worths(lists.scores)}
    ways |= {f"likely hit: {what}": learned(told[..., :n], hits, half) for what, n in WORTHS.items()}
    before = lists.measured(lists.items[:, :K])
    rows: list[dict[str, Any]] = []
    for name, worth in ways.items():
        for by_place in (False, True):
            found = priced(lists, worth, by_place)
            rows.append({"worth": name, "price": "place" if by_place else "log count", **found})
            print(rows[-1], f"{found[f'ndcg@{K}'] / before[f'ndcg@{K}'] - 1:+.2%}", flush=True)
    report.keep("exposure_prices", NAME, {"people": len(hits), "before": before, "rows": rows, "data": source.digest()})


if __name__ == "__main__":
    typer.run(main)
