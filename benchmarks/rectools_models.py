"""SASRec and BERT4Rec of RecTools, learned and asked in an environment of its own; ``peer_sequences.py`` calls it.

    ENV/bin/python benchmarks/rectools_models.py learn.csv known.csv asked.json settings.json found.csv

``learn``: user, item, time of what is learned from. ``known``: the same of what is known when users ask, in which the
histories end. ``asked``: users. ``found``: user, item and rank of the 20 best that a user does not know. RecTools wants
numpy below 2, which graphrec does not run on.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

K = 20
SEED = 42


def main(learn: str, known: str, asked: str, settings: str, found: str) -> None:
    """Train one model, and write what it recommends, and the seconds of each."""
    import pandas as pd
    from pytorch_lightning import seed_everything
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import BERT4RecModel, SASRecModel

    def read(path: str) -> Any:
        table = pd.read_csv(path)
        table.columns = pd.Index([Columns.User, Columns.Item, Columns.Datetime])
        table[Columns.Datetime] = pd.to_datetime(table[Columns.Datetime], unit="s")
        table[Columns.Weight] = 1.0
        return Dataset.construct(table)

    told = json.loads(Path(settings).read_text())
    kind = {"sasrec": SASRecModel, "bert4rec": BERT4RecModel}[told.pop("model")]
    seed_everything(SEED)
    start = time.process_time()
    model = kind(**told, deterministic=True, verbose=0)
    model.fit(read(learn))
    fitted = time.process_time()
    source, users = read(known), json.loads(Path(asked).read_text())
    table = model.recommend(users=users, dataset=source, k=K, filter_viewed=True, on_unsupported_targets="warn")
    table = table.rename(columns={Columns.User: "user", Columns.Item: "item", Columns.Rank: "rank"})
    table[["user", "item", "rank"]].to_csv(found, index=False)
    print(json.dumps({"fit": fitted - start, "recommend": time.process_time() - fitted}))


if __name__ == "__main__":
    main(*sys.argv[1:])
