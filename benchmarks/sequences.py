"""What the order of events is worth: transitions beside blocks without it, alone and blended, on four data sets.

    python benchmarks/sequences.py ../shared/data --only amazon_beauty
    python benchmarks/sequences.py ../shared/data --only amazon_beauty --dev     # validation figures alone
    python benchmarks/sequences.py ../shared/data --only ml1m_sequences --network --set sequence.dim=128 \
        --set sequence.minutes=0 --set sequence.max_epochs=60  # the Transformer too: minutes on a card

Everything is chosen on validation users, and the test part is looked at once for each row. Two rows for each model:
``train``, as it was learned on the first fold, without the validation events, which are in the histories that are
read; ``refitted``, learned with them. ``timeless`` blocks read histories without fading, all else as chosen with it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import typer
from presets import reading

from graphrec.blocks.api import FitInputs
from graphrec.blocks.blend import blend
from graphrec.blocks.folds import Fold, Folds
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate.ranking import Scorer, Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.evaluate.validation import Validation
from graphrec.fit import BLENDED
from graphrec.profile.api import FittedBlock
from graphrec.query.fading import STEADY
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.types import Floats

RUNS = {
    "amazon_beauty": "leave-last",
    "ml1m_sequences": "leave-last",
    "ml1m_kg": "given",
    "musical_instruments": "temporal",
}
BLOCKS = ("popularity", "spectral", "neighbours", "ease")
SEARCH = (  # the values of the preset ``fast``
    *("spectral.rank=64,256,512", "spectral.alpha=0.4", "neighbours.alpha=0.25,0.5", "neighbours.beta=0.4,0.5"),
    *("ease.regularisation=30,300,3000", "kg.enabled=false", "features.enabled=false"),
)
BLENDS = {  # name: which blocks, and how
    "blend, timeless": [f"{name}, timeless" for name in BLOCKS],
    "blend, fading": list(BLOCKS),
    "blend, fading, transitions": [*BLOCKS, "transitions"],
}


UNTESTED = [f"{name}, timeless" for name in BLOCKS]  # of these the validation figures are enough


class Sum:
    """Σ w_b s_b."""

    def __init__(self, blocks: Mapping[str, FittedBlock], weights: Mapping[str, float]) -> None:
        self.blocks = [(blocks[name], np.float32(w)) for name, w in weights.items() if w]

    def scores(self, queries: Queries) -> Floats:
        out: Floats = np.sum([w * b.scores(queries) for b, w in self.blocks], axis=0, dtype=np.float32)
        return out


def steady(block: Any, ties: Ties) -> Any:
    """The block without fading, and its rows made anew for it."""
    return replace(block, fading=STEADY).fitted(ties) if getattr(block, "fading", STEADY) else block


def measured(
    data: Dataset, config: Config, dev: bool, network: bool = False, beside: Sequence[str] = ()
) -> dict[str, Any]:
    """Validation figures of all models, and what was chosen; figures of the test part unless it is for ``dev``."""
    parts = split(data, config.cut, config.seed)
    runtime = Runtime.of(config.runtime, config.seed)
    inputs = [FitInputs(Ties(carve.train), None, runtime) for carve in parts.folds]
    folds, judges = (
        Folds(Fold(i, Validation.of(i.ties, carve, config, n)) for i, carve in zip(inputs, parts.folds, strict=True))
        for n in (1, BLENDED)
    )
    ordered, blends = ("transitions", *(("sequence",) if network else ())), dict(BLENDS)
    if network:
        blends["blend, fading, transitions, sequence"] = [*BLOCKS, *ordered]
    if beside:
        blends[", ".join(("blend, fading", *ordered, *beside))] = [*BLOCKS, *ordered, *beside]
    made = {name: config.block(name) for name in (*BLOCKS, *ordered, *beside)}
    tuned: dict[str, Sequence[Any]] = {}
    chosen, seconds = {}, {}
    for name, block in made.items():
        start = time.process_time()
        tuned[name], chosen[name] = block.tune(folds)
        seconds[name] = seconds[f"{name}, timeless"] = time.process_time() - start
        print(f"  {name}: {chosen[name]}, {seconds[name]:.0f} s", flush=True)
    for name in BLOCKS:
        tuned[f"{name}, timeless"] = [steady(b, i.ties) for b, i in zip(tuned[name], inputs, strict=True)]
    weights: dict[str, dict[str, float]] = {name: {name: 1.0} for name in tuned if name != "popularity, timeless"}
    valid = {name: alone(tuned[name], judges) for name in weights}
    for blended, names in blends.items():
        weights[blended], valid[blended] = blend([[replace(b, name=n) for b in tuned[n]] for n in names], judges)
        seconds[blended] = sum(seconds[n] for n in names)
    out = [name for name, choice in chosen.items() if "left_out" in choice]
    models = [name for name in weights if name.partition(",")[0] not in out]
    rows = [{"model": name, "valid": valid[name], "seconds": seconds[name]} for name in models]
    out_of = {"rows": rows, "weights": {n: weights[n] for n in blends}, "chosen": chosen}
    return out_of if dev else out_of | {"per_user": tested(parts, made, tuned, chosen, weights, rows, runtime, config)}


def alone(blocks: Sequence[FittedBlock], judges: Folds) -> float:
    """What a block, as it was fitted on every fold, is worth on the validation users that judge blends."""
    of = iter(blocks)
    return judges.value(lambda fold: fold.validation.per_user_ndcg_of(next(of).scores))


def tested(
    parts: Split,
    made: Mapping[str, Any],
    tuned: Mapping[str, Sequence[Any]],
    chosen: Mapping[str, Any],
    weights: Mapping[str, Mapping[str, float]],
    rows: list[dict[str, Any]],
    runtime: Runtime,
    config: Config,
) -> dict[str, dict[str, Floats]]:
    """Adds the figures of the test part to the rows; NDCG@10 of each user, by how it was learned and by model."""
    ties, task = Ties(parts.fit_data), Task.of(config)
    queries, truth = Queries.before(ties, parts.test), task.truth(parts.test)
    per_user: dict[str, dict[str, Floats]] = {"train": {}, "refitted": {}}
    for how in ("train", "refitted"):
        blocks = {}
        for name, block in made.items():
            fitted = tuned[name][0] if how == "train" else block.fit(FitInputs(ties, None, runtime), chosen[name])
            blocks[name] = reading(fitted, ties) if how == "train" else fitted
            blocks[f"{name}, timeless"] = steady(blocks[name], ties)
        for row in (row for row in rows if row["model"] not in UNTESTED):
            start = time.process_time()
            scorer: Scorer = Sum(blocks, weights[row["model"]])
            found = evaluate(scorer, queries, truth, (10, 20), auc=False, task=task)
            row[how] = {m: found.metrics[m] for m in ("ndcg@10", "recall@10", "ndcg@20", "recall@20")}
            row[how]["seconds"] = time.process_time() - start
            per_user[how][row["model"]] = found.per_user["ndcg@10"]
        rows[-1][how]["p"] = paired_p_value(per_user[how][rows[-1]["model"]], per_user[how]["blend, timeless"])
    return per_user


def main(
    data: Path,
    only: Annotated[list[str] | None, typer.Option()] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Further settings, as on the command line.")] = None,
    dev: Annotated[bool, typer.Option(help="Look at no test part, and keep nothing.")] = False,
    network: Annotated[bool, typer.Option(help="Train the block `sequence` too.")] = False,
    beside: Annotated[list[str] | None, typer.Option(help="A further block of closed form for the last blend.")] = None,
) -> None:
    for name, kind in RUNS.items():
        if only and name not in only:
            continue
        settings = [*SEARCH, f"split.kind={kind}", *(set_ or [])]
        config = Config.load(None, settings)
        start, source = time.perf_counter(), Dataset.load(data / name)
        found = measured(source, config, dev, network, beside or ())
        found.pop("per_user", None)
        looks = report.kept("sequences", f"{name}, {kind}").get("looks", 0) + (not dev)
        found |= {"settings": settings, "data": source.digest(), "looks": looks, "wall": time.perf_counter() - start}
        for row in found["rows"]:
            print(name, row, flush=True)
        print(name, found["weights"], f"{found['wall']:.0f} s", flush=True)
        if not dev:
            report.keep("sequences", f"{name}, {kind}", found)


if __name__ == "__main__":
    typer.run(main)
