"""One table of several models: one split, tuned on valid, refitted on train + valid, tested once on the same users.

graphrec itself is handed in as a callable, since imports only go down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np
from rich.table import Table

from graphrec.config import Config
from graphrec.data.split import Split
from graphrec.errors import ConfigError
from graphrec.evaluate.baselines import with_popularity_fallback
from graphrec.evaluate.ranking import Report, Scorer, Task, evaluate
from graphrec.evaluate.significance import bootstrap_interval, holm, paired_p_value
from graphrec.evaluate.trained import BASELINES
from graphrec.evaluate.validation import Validation

OWN = "graphrec"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitted:
    """A model chosen on valid and refitted on train + valid: its scorer, what was chosen, and seconds by stage."""

    scorer: Scorer
    chosen: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One model. ``p_value`` is None for the best baseline itself, and where there is none.

    ``interval`` is the 95 % bootstrap interval of NDCG at the largest k over users.
    """

    model: str
    metrics: Mapping[str, float]
    seconds: Mapping[str, float]
    p_value: float | None
    chosen: Mapping[str, Any]
    interval: tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """How the data was cut, the cut-offs k, the number of test users, one row per model, and what was to be found."""

    split: str
    ks: tuple[int, ...]
    users: int
    rows: tuple[Row, ...]
    task: Task = field(default_factory=Task)

    def to_json(self) -> dict[str, Any]:
        """The `compare` document of the command-line contract."""
        return {
            "split": self.split,
            "k": list(self.ks),
            "users": self.users,
            "relevant": self.task.relevant,
            "seen": self.task.seen,
            "rows": [
                {
                    "model": row.model,
                    "metrics": dict(row.metrics),
                    "seconds": dict(row.seconds),
                    "p_value_vs_best_baseline": row.p_value,
                    "chosen": dict(row.chosen),
                    "interval": {f"ndcg@{max(self.ks)}": list(row.interval)},
                }
                for row in self.rows
            ],
        }

    def table(self) -> Table:
        """The main figures, for people."""
        k = max(self.ks)
        shown = [f"{name}@{k}" for name in ("recall", "ndcg", "hr", "mrr", "coverage")]
        relevant = "liked items" if self.task.relevant == "liked" else "all items taken"
        table = Table(title=f"{self.split} split, {self.users:,} test users, relevant: {relevant}")
        table.add_column("model")
        for heading in (*shown, f"95 % of ndcg@{k}", "p", "seconds"):
            table.add_column(heading, justify="right")
        for row in self.rows:
            figures = [f"{row.metrics[name]:.4f}" for name in shown]
            p_value = "" if row.p_value is None else "< 1e-15" if row.p_value < 1e-15 else f"{row.p_value:.2g}"
            low, high = row.interval
            table.add_row(row.model, *figures, f"{low:.4f}–{high:.4f}", p_value, f"{sum(row.seconds.values()):.1f}")
        return table


def check_models(models: Sequence[str], split: Split) -> tuple[str, ...]:
    """The models without repeats. Raises ConfigError for an unknown name, or a catalogue too large for one of them."""
    known = (*BASELINES, OWN)
    unknown = [name for name in models if name not in known]
    if unknown or not models:
        raise ConfigError(f"unknown model {', '.join(unknown) or '(none given)'}; known are {', '.join(known)}")
    names = tuple(dict.fromkeys(models))
    for name in names:
        if name != OWN:
            BASELINES[name].check(split.train)
    return names


def fit_baseline(name: str, split: Split, validation: Validation, config: Config, progress: bool = False) -> Fitted:
    """A baseline tuned on the validation users, then refitted on train + valid."""
    start = perf_counter()
    chosen = BASELINES[name].tune(split.train, validation, config.evaluate.trials, config.seed, progress)
    tuned = perf_counter()
    scorer = BASELINES[name].learn(split.fit_data, chosen)
    return Fitted(scorer, chosen, {"tune": tuned - start, "fit": perf_counter() - tuned})


def compare(
    split: Split,
    models: Sequence[str],
    config: Config,
    fit_graphrec: Callable[[Split, Config], Fitted],
    progress: bool = False,
) -> Comparison:
    """Tune, refit and test every model, with p values on NDCG at the largest k against the best baseline.

    The best baseline is the one with the highest NDCG@k on the test users; every other row is tested against it with
    a paired t-test over users, Holm-corrected for the number of rows. Users without a history get popular items, at
    the tuned half-life, in every baseline; graphrec answers them itself. It gets the split with an empty test part.
    Raises ConfigError as ``check_models``, before anything is fitted.
    """
    names = check_models(models, split)
    ks, goal = config.evaluate.k, f"ndcg@{max(config.evaluate.k)}"
    # No leakage. Models see a split whose test part is empty; the true one is read by evaluate alone.
    blind = replace(split, test=split.test.subset(np.zeros(len(split.test.events), dtype=bool)))
    task = Task.of(config)
    validation = Validation(blind.train, blind.valid, config.blend.k, config.blend.users, config.seed, task)
    half_life = BASELINES["popularity"].tune(blind.train, validation)["half_life"]
    seen, truth = blind.fit_data.seen(), task.truth(split.test)
    reports: dict[str, Report] = {}
    rows: dict[str, Row] = {}
    for name in names:
        own = name == OWN
        fitted = fit_graphrec(blind, config) if own else fit_baseline(name, blind, validation, config, progress)
        start = perf_counter()
        scorer = fitted.scorer if own else with_popularity_fallback(fitted.scorer, blind.fit_data, half_life)
        report = reports[name] = evaluate(scorer, seen, truth, ks, config.evaluate.batch_size, progress, task=task)
        seconds = {**fitted.seconds, "evaluate": perf_counter() - start}
        interval = bootstrap_interval(report.per_user[goal], seed=config.seed)
        rows[name] = Row(name, report.metrics, seconds, None, fitted.chosen, interval)
        log.info("%s: %s %.4f", name, goal, report.metrics[goal])
    best = max((name for name in names if name != OWN), key=lambda name: reports[name].metrics[goal], default=None)
    if best is not None:
        others = [name for name in names if name != best]
        against = reports[best].per_user[goal]
        adjusted = holm([paired_p_value(reports[name].per_user[goal], against) for name in others])
        rows.update({name: replace(rows[name], p_value=p) for name, p in zip(others, adjusted, strict=True)})
    users = len(next(iter(reports.values())).user_nums)
    return Comparison(split.kind, tuple(ks), users, tuple(rows.values()), task)
