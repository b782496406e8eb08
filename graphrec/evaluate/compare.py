"""One table of several models: one split, tuned on valid, refitted on train + valid, tested once on the same users.

A model is a block on its own, with the settings that make it strong there, and learns from interactions alone: no
friends, no knowledge graph, no texts. graphrec itself is handed in as a callable, since imports only go down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

import kg.graph
from graphrec.blocks import kept
from graphrec.blocks.api import Block, FitInputs, Fold, Folds
from graphrec.blocks.registry import find, registered
from graphrec.budget import Watch, within
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.readings import Reading
from graphrec.data.show import counted
from graphrec.data.split import Split
from graphrec.errors import ConfigError
from graphrec.evaluate.fairness import by_group, told_apart
from graphrec.evaluate.groups import check
from graphrec.evaluate.questions import questions
from graphrec.evaluate.ranking import Scorer, Task, evaluate
from graphrec.evaluate.significance import bootstrap_interval, holm, paired_p_value
from graphrec.evaluate.validation import Validation
from graphrec.graph.hetero import hetero_graph
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.types import Floats
from kg.types import ExternalTriples

OWN = "graphrec"
ALIKE: tuple[Reading, ...] = ("liked", "alike")  # readings of the strengths in which every event is as good as any

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

    ``interval`` is the 95 % bootstrap interval of NDCG at the largest k over users. ``known``: ``Questions.rows``.
    ``by``: its measures by group (``fairness.by_group``).
    """

    model: str
    metrics: Mapping[str, float]
    seconds: Mapping[str, float]
    p_value: float | None
    chosen: Mapping[str, Any]
    interval: tuple[float, float]
    known: tuple[dict[str, Any], ...] = ()
    by: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """How the data was cut, the cut-offs k, the number of test users, one row per model, and what was to be found."""

    split: str
    ks: tuple[int, ...]
    users: int
    rows: tuple[Row, ...]
    task: Task = field(default_factory=Task)
    warnings: tuple[str, ...] = ()

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
                    **({"known": list(row.known)} if row.known else {}),
                    **({"by": dict(row.by)} if row.by else {}),
                }
                for row in self.rows
            ],
            **({"warnings": list(self.warnings)} if self.warnings else {}),
        }

    def table(self) -> Table:
        """The main figures at the largest k, for people, in 80 columns."""
        k = max(self.ks)
        shown = ("recall", "ndcg", "hr", "mrr", "coverage")
        relevant = "liked items" if self.task.relevant == "liked" else "all items taken"
        title = Text(f"{self.split} split, {counted(self.users, 'test users')}, relevant: {relevant}; cut-off {k}")
        table = Table(title=title, box=SIMPLE_HEAD, padding=0, show_edge=False)
        table.add_column("model", overflow="fold")
        for heading in (*shown, "95 % of ndcg", "p", "seconds"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in self.rows:
            figures = [f"{row.metrics[f'{name}@{k}']:.4f}" for name in shown]
            p_value = "" if row.p_value is None else "< 1e-15" if row.p_value < 1e-15 else f"{row.p_value:.2g}"
            low, high = row.interval
            interval, seconds = f"{low:.4f}–{high:.4f}", f"{sum(row.seconds.values()):.1f}"
            table.add_row(Text(row.model), *figures, interval, p_value, seconds)
        return table


@dataclass(frozen=True)
class WithFallback:
    """A scorer, except that users who like nothing that is known get the item scores (I,)."""

    scorer: Scorer
    items: Floats

    def scores(self, queries: Queries) -> Floats:
        """Scores float32 (B, I), by popularity for those who like nothing that is known."""
        out, cold = self.scorer.scores(queries), np.diff(queries.liked.indptr) == 0  # (B, I), (B,)
        return np.where(cold[:, None], self.items, out) if cold.any() else out


def alone(config: Config, name: str) -> Block[Any]:
    """A block as a model of its own: with the settings of ``Block.alone``, unless the configuration says other than the
    defaults, and no strengths but, where that differs, what is ``liked`` or all that was taken."""
    kind = find(name)
    default = kind.Settings()
    said = {key: value for key, value in getattr(config, name) if value != getattr(default, key)}
    block = kind(kind.Settings.model_validate({**kind.alone, **said}))
    block.readings = tuple(reading for reading in block.readings if reading in ALIKE)
    return block


def check_models(models: Sequence[str | Block[Any]], n_items: int, config: Config) -> dict[str, Block[Any] | None]:
    """The models by name without repeats; None stands for graphrec. Raises ConfigError for an unknown name, one that
    learns from texts, and a catalogue too large for one of them."""
    unknown = [name for name in models if isinstance(name, str) and name not in (*registered(), OWN)]
    if unknown or not models:
        known = [name for name, block in registered().items() if not block.uses_text]
        raise ConfigError(f"unknown model {', '.join(unknown) or '(none given)'}; known are {', '.join(known)}, {OWN}")
    found: dict[str, Block[Any] | None] = {}
    for model in models:
        if model == OWN:
            found[OWN] = None
            continue
        block = alone(config, model) if isinstance(model, str) else model
        if block.uses_text:
            raise ConfigError(
                f"{block.name}: learns from texts, and models are compared on interactions alone; compare {OWN} with"
                f" --set blocks={block.name}"
            )
        if block.too_large(n_items):
            raise ConfigError(
                f"{block.name}: the catalogue has {n_items:,} items, its dense item-item matrices would take"
                f" {8 * n_items**2 / 1e9:.1f} GB and the limit is {block.settings.max_items:,} items; leave"
                f" {block.name} out of the models, shrink the catalogue with --set split.k_core=, or raise the limit"
                f" with --set {block.name}.max_items="
            )
        found[block.name] = block
    return found


def interactions_of(data: Dataset, task: Task, runtime: Runtime) -> FitInputs:
    """A part of the data to learn from with nothing known but who took what."""
    known = replace(
        data,
        events=replace(data.events, exposure=task.relevant == "all"),
        social_edge_index=np.zeros((2, 0), np.int64),
        item_attributes=data.item_attributes[:0],
        user_attributes=data.user_attributes[:0],
        item_columns=(),
        user_columns=(),
        external=ExternalTriples(),
    )
    return FitInputs(Ties(known), hetero_graph(known, kg.graph.empty()), runtime)


def fit_alone(block: Block[Any], folds: Folds, whole: FitInputs, trials: int, progress: bool = False) -> Fitted:
    """A block tuned on the validation users, then refitted on ``whole``, which is train + valid."""
    start = perf_counter()
    with Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar:
        bar.add_task(f"tuning {block.name}", total=None)
        # No leakage. Only the training part is learned from while it is chosen, never the answers that choose.
        _, chosen = kept.tuned(block, folds, trials)
        tuned = perf_counter()
        scorer = block.fit(whole, chosen)
    return Fitted(scorer, chosen, {"tune": tuned - start, "fit": perf_counter() - tuned})


def compare(
    split: Split,
    models: Sequence[str | Block[Any]],
    config: Config,
    fit_graphrec: Callable[[Split, Config], Fitted],
    progress: bool = False,
    by: Sequence[str] = (),
    work: Path | None = None,
) -> Comparison:
    """Tune, refit and test every model, with p values on NDCG at the largest k against the best baseline.

    The best baseline is the one with the highest NDCG@k on the test users; every other row is tested against it with
    a paired t-test over users, Holm-corrected for the number of rows. Users without a history get popular items, at
    the tuned half-life, in every baseline; graphrec answers them itself. It gets the split with an empty test part.
    Raises ConfigError as ``check_models``, before anything is fitted, and where ``runtime.memory_gb`` does not suffice.

    Args:
        models: names of blocks and ``graphrec``, or blocks with the settings that they shall have.
        by: groups of people and of items, as ``groups.grouping`` names them, that each is measured by too.
        work: a folder where what baselines learn is kept, from which the same call goes on after a kill.
    """
    with within(config.runtime.memory_gb, nullcontext) as watch:
        return _compared(split, models, config, fit_graphrec, progress, watch, by, work)


def _compared(
    split: Split,
    models: Sequence[str | Block[Any]],
    config: Config,
    fit_graphrec: Callable[[Split, Config], Fitted],
    progress: bool,
    watch: Watch,
    by: Sequence[str],
    work: Path | None,
) -> Comparison:
    check(by, split.fit_data)
    chosen = check_models(models, split.train.n_items, config)
    ks, goal = config.evaluate.k, f"ndcg@{max(config.evaluate.k)}"
    # No leakage. Models see a split whose test part is empty; the true one is read by evaluate alone.
    blind = replace(split, test=split.test.subset(np.zeros(len(split.test.events), dtype=bool)))
    task, trials = Task.of(config), config.evaluate.trials
    runtime = Runtime.of(config.runtime, config.seed, work=work)
    whole = interactions_of(blind.fit_data, task, runtime)
    learned = [(interactions_of(carve.train, task, runtime), carve) for carve in blind.folds]
    folds = Folds(Fold(inputs, Validation.of(inputs.ties, carve, config)) for inputs, carve in learned)
    fallback = next(name for name, block in registered().items() if block.fallback)
    popular = fit_alone(alone(config, fallback), folds, whole, trials).scorer
    persons: dict[str, Floats] = {}  # the goal of each person who was tested
    rows: dict[str, Row] = {}
    lines: list[str] = []
    for name, block in chosen.items():
        if block is None:
            fitted = fit_graphrec(blind, config)
            scorer, asked = fitted.scorer, questions(Ties(blind.fit_data), split, task, config.seed)
        else:
            with watch(name):
                fitted = fit_alone(block, folds, whole, trials, progress)
            asked = questions(whole.ties, split, task, config.seed)
            scorer = WithFallback(fitted.scorer, popular.scores(Queries.stored(whole.ties, np.zeros(1, np.int64)))[0])
        start, size = perf_counter(), config.evaluate.batch_size
        told = asked.popularity(asked.queries.ties)
        report = evaluate(scorer, asked.queries, asked.truth, ks, size, progress, told, task=task)
        seconds = {**fitted.seconds, "evaluate": perf_counter() - start}
        persons[name] = asked.by_person(report, goal)
        interval = bootstrap_interval(persons[name], seed=config.seed)
        people = asked.people[report.user_nums]
        apart, lines = told_apart(by, people, split.fit_data)
        groups, known = by_group(report, apart, people, ks, config.seed), tuple(asked.rows(report))
        rows[name] = Row(name, report.metrics, seconds, None, fitted.chosen, interval, known, groups)
        log.info("%s: %s %.4f", name, goal, report.metrics[goal])
    best = max((name for name in rows if name != OWN), key=lambda name: rows[name].metrics[goal], default=None)
    if best is not None:
        others = [name for name in rows if name != best]
        against = persons[best]
        adjusted = holm([paired_p_value(persons[name], against) for name in others])
        rows.update({name: replace(rows[name], p_value=p) for name, p in zip(others, adjusted, strict=True)})
    users = len(next(iter(persons.values())))
    return Comparison(split.kind, tuple(ks), users, tuple(rows.values()), task, tuple(lines))
