"""Cold start: items that nobody took, and people of whom the first 0, 1, 3 and 5 events are known.

    python benchmarks/cold.py DATA [--only lastfm_social] [--dev]

Items: a tenth of them without any event in training; everybody's later choices among them are to be found, ranked among
all items. Beside graphrec with and without sides from content stand popularity of what an item has in common with
others (brand, genre or tag), the nearest text, the ridge map of texts alone, and each block alone. People: a tenth of
them whole, against EASE, ItemKNN and popularity tuned on the same split. What is chosen is chosen once, on validation.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import Report, Scorer, Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.experiment import compare_models
from graphrec.graph.nodes import nodes
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from graphrec.types import Floats

SETS = ("lastfm_social", "musical_instruments", "ml1m_sequences")
MODELS: Mapping[str, tuple[str, ...]] = {  # name: what is set
    "graphrec": (),
    "graphrec without sides from content": ("content.use=false",),
    "ridge alone": ("blocks=semantic", "content.use=false"),
    "nearest text": ("blocks=semantic", "content.use=false", "semantic.ridge=1e12"),  # the plain centroid
}
METRICS = ("ndcg@10", "recall@10", "ndcg@20", "recall@20")


@dataclass(frozen=True)
class Shared:
    """Scores of the catalogue that are the same for everybody, float32 (I,)."""

    items: Floats

    def scores(self, queries: Queries) -> Floats:
        return np.broadcast_to(self.items, (len(queries), len(self.items))).astype(np.float32)


def of_labels(parts: Split) -> Mapping[str, Scorer]:
    """Popularity of an item's labels: of all items that share them together, and of such an item on average."""
    data = parts.fit_data
    table = nodes(data.item_attributes, data.item_columns)
    if table.empty:
        return {}
    labels = table["key"].astype(str) + "\0" + table["value"].astype(str)
    place = {label: n for n, label in enumerate(dict.fromkeys(labels))}
    has = np.zeros((data.n_items, len(place)), np.float32)
    has[table["item_num"].to_numpy(np.int64), [place[label] for label in labels]] = 1.0
    taken = np.asarray(data.matrix().sum(axis=0), np.float64).ravel()  # (I,)
    total, warm = has.T @ taken, has.T @ (taken > 0)
    mean = total / np.maximum(warm, 1)
    of = np.maximum(has.sum(axis=1), 1)
    return {
        "popularity of labels, all their items": Shared(np.asarray(has @ total, np.float32)),
        "popularity of labels, mean of an item": Shared(np.asarray(has @ mean / of, np.float32)),
    }


def of_items(data: Dataset, settings: list[str], dev: bool) -> dict[str, Any]:
    """Figures of all models on items that nobody took."""
    config = Config.load(None, [*settings, "split.kind=cold-item"], "fast")
    parts = split(data, config.cut, config.seed)
    ties, task = Ties(parts.fit_data), Task.of(config)
    queries, truth = Queries.before(ties, parts.test), task.truth(parts.test)
    scorers: dict[str, tuple[Scorer, float]] = {name: (one, 0.0) for name, one in of_labels(parts).items()}
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        for name, own in MODELS.items():
            start = time.process_time()
            model = Recommender(config_of(config, own), work=Path(work)).fit_split(parts)
            scorers[name] = (model, time.process_time() - start)
            told[name] = model.fitted.chosen
            print(f"  {name}: {told[name]['validation']} {told[name].get('content')}", flush=True)
            if name == "graphrec":
                for block in model.fitted.profiles.blocks:
                    if not block.empty:
                        scorers[f"{block.name} alone, sides from content"] = (block, 0.0)
    if dev:
        return {"chosen": told}
    found: dict[str, Report] = {}
    for name, (scorer, _) in scorers.items():
        found[name] = evaluate(scorer, queries, truth, (10, 20), auc=False, task=task)
    own_ndcg = found["graphrec"].per_user["ndcg@10"]
    rows = [
        {
            "model": name,
            **{metric: one.metrics[metric] for metric in METRICS},
            "seconds": scorers[name][1],
            "p": None if name == "graphrec" else paired_p_value(own_ndcg, one.per_user["ndcg@10"]),
        }
        for name, one in found.items()
    ]
    sizes = {"items": parts.cut["test_items"], "users": len(own_ndcg), "catalogue": data.n_items}
    return {"rows": rows, "chosen": told, **sizes}


def config_of(config: Config, own: tuple[str, ...]) -> Config:
    """The configuration with settings as on the command line."""
    changes: dict[str, Any] = {}
    for setting in own:
        key, _, value = setting.partition("=")
        section, _, leaf = key.partition(".")
        changes[section] = {leaf: value} if leaf else value
    return config.with_(**changes)


def of_people(data: Dataset, settings: list[str]) -> dict[str, Any]:
    """The comparison on people held out whole, a row for each model and number of known events."""
    config = Config.load(None, [*settings, "split.kind=cold-user", "evaluate.k=10,20"], "fast")
    found = compare_models(data, ["popularity", "itemknn", "ease", "graphrec"], config)
    rows = [
        {
            "model": row.model,
            "known": known["events"],
            "users": known["users"],
            "fewer": known["fewer"],
            **known["metrics"],
        }
        for row in found.rows
        for known in row.known
    ]
    return {
        "people": rows,
        "people_users": found.users,
        "seconds": {r.model: sum(r.seconds.values()) for r in found.rows},
    }


def main(
    data: Path,
    only: Annotated[list[str] | None, typer.Option()] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Further settings, as on the command line.")] = None,
    dev: Annotated[bool, typer.Option(help="Look at no test part, and keep nothing.")] = False,
) -> None:
    for name in only or SETS:
        start, source, settings = time.perf_counter(), Dataset.load(data / name), list(set_ or [])
        found = of_items(source, settings, dev)
        if dev:
            continue
        found |= of_people(source, settings)
        looks = report.kept("cold", name).get("looks", 0) + 1
        found |= {"settings": settings, "data": source.digest(), "looks": looks, "wall": time.perf_counter() - start}
        for row in (*found["rows"], *found["people"]):
            print(name, row, flush=True)
        report.keep("cold", name, found)


if __name__ == "__main__":
    typer.run(main)
