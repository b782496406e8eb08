"""Reading a log, item-based neighbours, and lists for everybody, beside LensKit's own code, in one run.

    pip install lenskit      # where it and this repository's requirements do not agree: --no-deps --target FOLDER
    python benchmarks/lenskit_scale.py --size 1_000_000

LensKit (Ekstrand, CIKM 2020) reads by pandas and keeps twenty neighbours of an item, the nearest with a cosine above
its least; graphrec's `itemknn` keeps as many. Both list twenty unseen items for all people. What either imports is
imported before. Core-seconds, which other work on the machine does not lengthen much; what graphrec reads it also
checks, and copies of a pair and faults are counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow.csv
import report
import typer

from graphrec.blocks.api import FitInputs
from graphrec.blocks.itemknn import ItemKNN
from graphrec.config import Config
from graphrec.evaluate.ranking import ranked
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.read.detect import load
from graphrec.runtime import Runtime
from graphrec.samples.many import generated
from graphrec.stages import core_seconds

NEIGHBOURS, K = 20, 20
Found = dict[str, float]


@contextmanager
def timed(out: Found, stage: str) -> Iterator[None]:
    """Core-seconds of a stage."""
    start = core_seconds()
    yield
    out[stage] = round(core_seconds() - start, 2)
    print(f"  {stage:10} {out[stage]:8.2f} core-s", flush=True)


def ours(file: Path) -> tuple[Found, dict[str, set[str]]]:
    """The stages of graphrec, and the lists by user."""
    out, config = Found(), Config()
    with timed(out, "reading"):
        data = load(file)
    with timed(out, "neighbours"):
        ties = Ties(data)
        chosen = {"n": NEIGHBOURS, "shrink": 0.0, "knowledge": 0.0, "reading": "alike"}
        block = ItemKNN().fit(FitInputs(ties, None, Runtime.of(config.runtime, config.seed)), chosen)
    lists, asked = {}, Queries.stored(ties, np.arange(data.n_users))
    with timed(out, "lists"):
        for rows, _, items in ranked(lambda rows: block.scores(asked[rows]), data.n_users, ties.known, K):
            for user, best in zip(range(rows.start, rows.stop), items.tolist(), strict=True):
                lists[data.users.ids[user]] = {data.items.ids[item] for item in best if item >= 0}
    return out, lists


def theirs(file: Path) -> tuple[Found, dict[str, set[str]]]:
    """The stages of LensKit, and the lists by user."""
    from lenskit.batch import recommend
    from lenskit.data import from_interactions_df
    from lenskit.knn import ItemKNNScorer
    from lenskit.pipeline import topn_pipeline

    out = Found()
    with timed(out, "reading"):
        data = from_interactions_df(pd.read_csv(file).drop_duplicates(["user_id", "item_id"]))
    pipeline = topn_pipeline(ItemKNNScorer(max_nbrs=NEIGHBOURS, save_nbrs=NEIGHBOURS, feedback="implicit"), n=K)
    with timed(out, "neighbours"):
        pipeline.train(data)
    with timed(out, "lists"):
        found = recommend(pipeline, data.users.ids().tolist(), n_jobs=1)
        lists = {str(key.user_id): set(map(str, best.ids().tolist())) for key, best in found}
    return out, lists


def main(
    size: Annotated[int, typer.Option(help="Events; twenty a person, and a hundred an item.")] = 1_000_000,
    keep: bool = False,
) -> None:
    """Measure, print, and with --keep store."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.csv"
        pyarrow.csv.write_csv(generated(size, size // 20, size // 100), file)
        print("graphrec", flush=True)
        mine, lists = ours(file)
        print("LensKit", flush=True)
        other, peers = theirs(file)
    ratios = {stage: round(mine[stage] / other[stage], 2) for stage in mine}
    both = [user for user in lists if user in peers]
    alike = float(np.mean([len(lists[user] & peers[user]) / K for user in both]))
    print(f"ratio {ratios}, of the lists in common {alike:.2f}")
    told: dict[str, Any] = {"graphrec": mine, "lenskit": other, "ratio": ratios, "alike": alike, "people": len(both)}
    if keep:
        report.keep("lenskit", f"{size:,} events", told)


if __name__ == "__main__":
    typer.run(main)
