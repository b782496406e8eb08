"""Search of the settings that no block can choose by itself, by Optuna, on validation users.

The closed-form blocks choose their own hyper-parameters while they are fitted. Training a network for every point of a
grid would take too long for that, so its settings are searched once, here, and kept in a file for later fits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from rich.console import Console
from rich.progress import Progress

from graphrec.blocks.api import Block, FitInputs, Folds
from graphrec.blocks.blend import blend
from graphrec.budget import within
from graphrec.cluster.engine import LOCAL
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.errors import ConfigError
from graphrec.features import lora
from graphrec.features.encoder import SentenceEncoder, load_encoder
from graphrec.fit import Fitting, carved, folds_of
from graphrec.profile.api import FittedBlock
from graphrec.runtime import Runtime

JOURNAL, SETTINGS, REPORT = "trials.jsonl", "config.toml", "tuned.json"


@dataclass(frozen=True)
class Trying:
    """Work: the NDCG of one point of the space, by ``section.key``, and the weights of the blocks that are searched."""

    config: Config
    searched: tuple[str, ...]
    others: tuple[tuple[FittedBlock, ...], ...]
    folds: Folds

    def __call__(self, chosen: dict[str, Any]) -> tuple[float, dict[str, float]]:
        settings = _with(self.config, chosen)
        tried = [settings.block(name).tune(self.folds)[0] for name in self.searched]
        weights, ndcg = blend([*self.others, *tried], self.folds, self.config.blend.candidates)
        return ndcg, {name: weights[name] for name in self.searched}


@dataclass(frozen=True)
class Tuned:
    """The best configuration, its validation NDCG and that of the settings it started from, and how many were tried."""

    config: Config
    ndcg: float
    before: float
    trials: int


def tune_encoder(
    data: Dataset,
    config: Config,
    folder: Path,
    tuning: lora.Tuning = lora.Tuning(),  # noqa: B008 (frozen)
) -> lora.Tuned:
    """Learn an adapter for the text encoder (``features.lora``) that ``fit`` and ``evaluate`` of this data may use.

    # No leakage. It reads what is in every training part alone: of the split that ``evaluate`` makes with these
    settings, and of the carves that ``fit`` chooses on. Raises as ``lora.tune``.
    """
    parts = [*split(data, config.cut, config.seed).folds, *carved(data, config)[1]]
    first, *others = (part.train for part in parts)
    keys = [part.events.user_nums * part.n_items + part.events.item_nums for part in (first, *others)]
    everywhere = np.ones(len(first.events), bool)
    for other in keys[1:]:
        everywhere &= np.isin(keys[0], other)
    settings = config.features.model_copy(update={"adapter": ""})
    return lora.tune(first.subset(everywhere), SentenceEncoder(settings), folder, tuning)


def tune(
    data: Dataset,
    config: Config,
    folder: Path,
    *,
    trials: int = 30,
    minutes: float = float("inf"),
    progress: bool = False,
) -> Tuned:
    """Search the settings of the blocks that cannot choose them for the highest NDCG@k of the whole blend on validation
    users.

    The first trial is ``config`` itself. Trials are kept in ``folder``: called again with the same data and settings,
    the search goes on where it was, until there are ``trials`` in all or ``minutes`` have passed; the running trial is
    finished. After a kill it tries what one that was not killed would have tried. ``folder/config.toml`` is the best
    configuration so far, for ``fit --config``. An engine with several workers tries as many points at once, which do
    not learn from each other.

    Raises ConfigError where ``blocks`` holds no block with settings to search, ``trials`` is below 1, or
    ``runtime.memory_gb`` does not suffice.
    """
    if trials < 1:
        raise ConfigError(f"trials = {trials}; ask for at least 1")
    start = time.monotonic()
    # No leakage. The test part is cut off first, and nothing here reads it.
    parts = split(data, config.cut, config.seed)
    runtime, config = Runtime.of(config.runtime, config.seed, progress), config.at_home()
    encoder = cache(lambda: load_encoder(config.features, data.report.languages, engine=runtime.engine))
    fitting = Fitting(config, runtime, encoder)
    blocks = fitting.blocks()
    searched = {name: block for name, block in blocks.items() if block.searched}
    if not searched:
        raise ConfigError(f"blocks: {list(config.blocks)} holds no block whose settings are searched; add graph")
    until = start + 60 * minutes
    with within(config.runtime.memory_gb, fitting.watch) as fitting.watch:
        return _search(parts, fitting, blocks, searched, folder, trials, until)


def _search(
    parts: Split,
    fitting: Fitting,
    blocks: Mapping[str, Block[Any]],
    searched: Mapping[str, Block[Any]],
    folder: Path,
    trials: int,
    until: float,
) -> Tuned:
    config, runtime = fitting.config, fitting.runtime
    folds, others = folds_of(parts.folds, fitting), []
    for name, block in blocks.items():
        if name not in searched:
            with fitting.watch(name):
                others.append(block.tune(folds)[0])
    quiet = Folds(replace(fold, inputs=_quiet(fold.inputs)) for fold in folds)
    work = Trying(config, tuple(searched), tuple(others), quiet)

    folder.mkdir(parents=True, exist_ok=True)
    current = {f"{name}.{key}": getattr(b.settings, key) for name, b in searched.items() for key in b.searched}
    space = {
        f"{name}.{key}": tuple(dict.fromkeys([*values, current[f"{name}.{key}"]]))
        for name, b in searched.items()
        for key, values in b.searched.items()
    }
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    name = f"{parts.train.digest()[:16]}-{parts.valid.digest()[:16]}-{config.fingerprint()[:16]}"
    study = optuna.create_study(study_name=name, storage=storage, direction="maximize", load_if_exists=True)
    if not study.trials:
        study.enqueue_trial({name: current[name] for name in space})
    killed = (optuna.trial.TrialState.RUNNING,)  # they are tried again, at the same points
    begun = [optuna.trial.Trial(study, trial._trial_id) for trial in study.get_trials(states=killed)]
    with Progress(console=Console(stderr=True), disable=not runtime.progress, transient=True) as bar:
        task = bar.add_task("tuning", total=trials, completed=_done(study))
        while _done(study) < trials and (not _done(study) or time.monotonic() < until):
            several = []
            for _ in range(min(runtime.engine.workers, trials - _done(study))):
                number = begun[0].number if begun else len(study.trials)
                study.sampler = optuna.samplers.TPESampler(seed=config.seed + number)
                trial = begun.pop(0) if begun else study.ask()
                several.append((trial, {n: trial.suggest_categorical(n, list(values)) for n, values in space.items()}))
            with fitting.watch(" and ".join(searched)):
                found = runtime.engine.map(work, [chosen for _, chosen in several])
                for (trial, _), (ndcg, weights) in zip(several, found, strict=True):
                    trial.set_user_attr("weights", weights)
                    study.tell(trial, ndcg)
                    bar.update(task, completed=_done(study), description=f"tuning: NDCG {study.best_value:.4f}")
    best = _with(config, {name: study.best_params[name] for name in space})
    first = next(t.value for t in study.trials if t.value is not None)
    tuned = Tuned(best, float(study.best_value), float(first), _done(study))
    (folder / SETTINGS).write_text(best.to_toml(), "utf-8")
    report = {"ndcg": tuned.ndcg, "before": tuned.before, "trials": tuned.trials, "chosen": study.best_params}
    (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return tuned


def _with(config: Config, chosen: dict[str, Any]) -> Config:
    """The configuration with settings given as ``section.key``."""
    sections: dict[str, dict[str, Any]] = {}
    for name, value in chosen.items():
        section, _, key = name.partition(".")
        sections.setdefault(section, {})[key] = value
    return config.with_(**sections)


def _quiet(inputs: FitInputs) -> FitInputs:
    return replace(inputs, runtime=replace(inputs.runtime, progress=False, engine=LOCAL))


def _done(study: optuna.Study) -> int:
    return sum(trial.state == optuna.trial.TrialState.COMPLETE for trial in study.trials)
