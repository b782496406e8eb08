"""Poisoned reviews: fake people who praise an item in words, how far it moves, without and with them set aside.

    python benchmarks/poisoned.py ../shared/data

One in a hundred people more is made up, all for one item, which few people took: musical_instruments, where all that is
known of an item is what reviews say of it. Choices are those of preset ``fast`` that presets.py kept, with texts and
knowledge; what is learned is learned anew with them.

=======  ========================================================================================================
taken    histories filled with items as often as people take them, and the item; nothing is written
written  the same, and each writes of the item what somebody wrote who praised one of the most popular items
alone    the same words, of people who took nothing else
=======  ========================================================================================================

The text's own part is what "written" moves beyond "taken". Places and NDCG are as in robustness.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import typer
from robustness import MADE_UP, PEOPLE, TARGETS, K, learned, ndcg, places, told

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.robust import trusted
from graphrec.samples.shills import praised, shilled

SET, ATTACKS = "musical_instruments", ("taken", "written", "alone")
ALONE = ("popularity", "spectral", "neighbours", "ease", "semantic")


def pushed(data: Dataset, attack: str, target: int, n: int, seed: int) -> Dataset:
    """The data with ``n`` fake people more."""
    out = shilled(data, "average", target, n, seed)
    if attack == "alone":
        log = out.events
        out = out.subset((log.user_nums < data.n_users) | (log.item_nums == target))
    return out if attack == "taken" else praised(out, target, n, seed)


def main(data: Annotated[Path, typer.Argument()]) -> None:
    config = Config.load(None, ["evaluate.relevant=liked"], "fast")
    careful = config.with_(robust={"set_aside": True})
    (kept,) = (found["fast"] for run, found in report.kept("presets").items() if run == f"{SET}/temporal")
    others = [name for name in config.blocks if name not in kept["chosen"]]  # they have come since
    chosen = kept["chosen"] | {key: {} for key in others}
    chosen["weights"] = dict.fromkeys(others, 0.0) | chosen["weights"]
    parts = split(Dataset.load(data / SET), config.cut, config.seed)
    known = parts.fit_data
    clean = learned(known, chosen, config, ALONE)
    taken = known.seen()
    counts = np.asarray(taken.sum(axis=0)).ravel()
    n, random = round(MADE_UP * known.n_users), np.random.default_rng(0)
    targets = random.choice(np.flatnonzero((counts > 0) & (counts <= np.median(counts[counts > 0]))), TARGETS)
    rows: list[dict[str, Any]] = []
    for attack in ATTACKS:
        for number, target in enumerate(targets.tolist()):
            new_to = np.flatnonzero(np.asarray(taken[:, target].toarray()).ravel() == 0)
            asked = {"place": np.sort(np.random.default_rng(1).permutation(new_to)[:PEOPLE]).astype(np.int64)}
            after = pushed(known, attack, target, n, number)
            cleared = trusted(after, careful)
            left = np.diff(cleared.seen().indptr)
            row = {"attack": attack, "takers": int(counts[target]), "found": float((left[-n:] == 0).mean())}
            row["others"] = int(((left == 0) & (np.diff(after.seen().indptr) > 0))[:-n].sum())
            row["before"] = {name: places(model, target, asked["place"]) for name, model in clean.items()}
            row["without"] = row["with"] = told(learned(after, chosen, config, ALONE), parts, target, asked)
            if cleared is not after:
                row["with"] = told(learned(cleared, chosen, config, ALONE), parts, target, asked)
            rows.append(row)
            print(row, flush=True)
    shape = {
        "users": known.n_users,
        "items": known.n_items,
        "made_up": n,
        "split": parts.kind,
        "people": PEOPLE,
        "k": K,
    }
    plain = {name: ndcg(model, parts) for name, model in clean.items()}
    report.keep("poisoned", SET, {**shape, "rows": rows, "clean": plain})


if __name__ == "__main__":
    typer.run(main)
