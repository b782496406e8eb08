"""Search of the settings that no block can choose by itself: those of the graph block, by Optuna, on validation users.

The closed-form blocks choose their own hyper-parameters while they are fitted. Training a network for every point of a
grid would take too long for that, so its settings are searched once, here, and kept in a file for later fits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from rich.console import Console
from rich.progress import Progress

from graphrec.blocks.blend import blend
from graphrec.blocks.graph import Graph
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.errors import ConfigError
from graphrec.evaluate.ranking import Task
from graphrec.evaluate.validation import Validation
from graphrec.recommender import BLOCKS, Recommender

SPACE: dict[str, Sequence[Any]] = {  # of the section `graph`
    "dim": (32, 64, 128),
    "layers": (1, 2, 3),
    "init": ("spectral", "random"),
    "loss": ("softmax", "bsl"),
    "learning_rate": (3e-3, 1e-2, 3e-2),
    "contrast": (0.0, 0.05, 0.2),
}
JOURNAL, SETTINGS, REPORT = "trials.jsonl", "config.toml", "tuned.json"


@dataclass(frozen=True)
class Tuned:
    """The best configuration, its validation NDCG and that of the settings it started from, and how many were tried."""

    config: Config
    ndcg: float
    before: float
    trials: int


def tune(
    data: Dataset,
    config: Config,
    folder: Path,
    *,
    trials: int = 30,
    minutes: float = float("inf"),
    progress: bool = False,
) -> Tuned:
    """Search the graph block's settings for the highest NDCG@k of the whole blend on validation users.

    The first trial is ``config`` itself. Trials are kept in ``folder``: called again with the same data and settings,
    the search goes on where it was, until there are ``trials`` in all or ``minutes`` have passed; the running trial is
    finished. ``folder/config.toml`` is the best configuration so far, for ``fit --config``.

    Raises ConfigError where ``blocks`` lacks the graph block or ``trials`` is below 1.
    """
    if Graph.name not in config.blocks:
        raise ConfigError(f"blocks: {list(config.blocks)} lacks graph, the block whose settings are searched; add it")
    if trials < 1:
        raise ConfigError(f"trials = {trials}; ask for at least 1")
    start = time.monotonic()
    # No leakage. The test part is cut off first, and nothing here reads it.
    parts = split(data, config.cut, config.seed)
    train, valid = parts.train, parts.valid
    model = Recommender(config, progress=progress)
    inputs, _ = model.inputs(model.as_read(train))
    validation = Validation(train, valid, config.blend.k, config.blend.users, config.seed, Task.of(config))
    others = [BLOCKS[name]().tune(inputs, validation)[0] for name in config.blocks if name != Graph.name]

    def objective(trial: optuna.Trial) -> float:
        chosen = {name: trial.suggest_categorical(name, list(values)) for name, values in space.items()}
        settings = config.with_(graph=chosen)
        block, _ = Graph().tune(replace(inputs, config=settings, progress=False), validation)
        weights, ndcg = blend([*others, block], validation, config.blend.candidates)
        trial.set_user_attr("weight", weights[Graph.name])
        return ndcg

    folder.mkdir(parents=True, exist_ok=True)
    current = config.graph.model_dump()
    space = {name: tuple(dict.fromkeys([*values, current[name]])) for name, values in SPACE.items()}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    name = f"{train.fingerprint()[:16]}-{config.fingerprint()[:16]}"
    study = optuna.create_study(study_name=name, storage=storage, direction="maximize", load_if_exists=True)
    if not study.trials:
        study.enqueue_trial({name: current[name] for name in space})
    with Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar:
        task = bar.add_task("tuning", total=trials, completed=_done(study))
        while _done(study) < trials and (not _done(study) or time.monotonic() - start < 60 * minutes):
            study.sampler = optuna.samplers.TPESampler(seed=config.seed + len(study.trials))
            study.optimize(objective, n_trials=1)
            bar.update(task, completed=_done(study), description=f"tuning: NDCG {study.best_value:.4f}")
    best = config.with_(graph={name: study.best_params[name] for name in space})
    first = next(t.value for t in study.trials if t.value is not None)
    tuned = Tuned(best, float(study.best_value), float(first), _done(study))
    (folder / SETTINGS).write_text(best.to_toml(), "utf-8")
    report = {"ndcg": tuned.ndcg, "before": tuned.before, "trials": tuned.trials, "chosen": study.best_params}
    (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return tuned


def _done(study: optuna.Study) -> int:
    return sum(trial.state == optuna.trial.TrialState.COMPLETE for trial in study.trials)
