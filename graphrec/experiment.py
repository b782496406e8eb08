"""Honest measurement: fit on train, choose on validation, refit on both, test once."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphrec import attacks
from graphrec.ablation import ablations
from graphrec.blocks.api import Block
from graphrec.blocks.registry import registered
from graphrec.cluster.engine import LOCAL, Engine
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.show import counted
from graphrec.data.split import Split, split
from graphrec.errors import ConfigError
from graphrec.evaluate import per_user as users
from graphrec.evaluate.compare import Comparison, Fitted, compare
from graphrec.evaluate.explanations import explanation_report
from graphrec.evaluate.fairness import by_group, told_apart
from graphrec.evaluate.groups import check
from graphrec.evaluate.later import later
from graphrec.evaluate.leakage import leaks, probed_of
from graphrec.evaluate.lists import evaluate_lists, read_lists
from graphrec.evaluate.mending import Mended, strength_of
from graphrec.evaluate.questions import Questions, questions
from graphrec.evaluate.ranking import Report, Scorer, Task, evaluate
from graphrec.evaluate.significance import intervals
from graphrec.fit import FEW
from graphrec.model.model import Model
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from graphrec.types import Ints


def evaluate_model(
    data: Dataset,
    config: Config,
    *,
    explanations: bool = False,
    progress: bool = False,
    per_user: Path | None = None,
    by: Sequence[str] = (),
    probe: Sequence[str] = (),
    each_block: bool = False,
    privacy: bool = False,
    work: Path | None = None,
) -> dict[str, Any]:
    """The `evaluate` document of the command-line contract, for graphrec with this configuration.

    Args:
        each_block: add what each block adds (``ablation``).
        explanations: add the measures of ``evaluate.explanations`` on a sample of the test users.
        per_user: a file for every metric of every test user, by its ending .csv, .parquet or .jsonl.
        by: groups of people and of items, as ``evaluate.groups.grouping`` names them, that are measured beside.
        probe: attributes of people that a probe tries to tell, beside those of ``fair.probe`` and ``fair.clear``.
        privacy: add what attacks tell of people (``attacks``): every attribute is probed, and membership guessed.
        work: a folder where what is learned is kept, from which the same call goes on after a kill.
    """
    if per_user is not None:
        users.check(per_user)
    parts = split(data, config.cut, config.seed)
    check(by, parts.fit_data)
    probed = probed_of(probe, config.fair, parts.fit_data)
    task = Task.of(config)
    if explanations and parts.kind == "cold-user":
        raise ConfigError("--explanations are of people whom the model knows; leave them out with --split cold-user")
    model = Recommender(config, progress=progress, work=work).fit_split(parts)
    start = time.perf_counter()
    ties = model.fitted.ties
    ties = ties if ties.data.events is parts.fit_data.events else Ties(parts.fit_data, ties.heard)
    asked = questions(ties, parts, task, config.seed)

    def measured(scorer: Scorer, auc: bool = False) -> Report:
        told, engine = asked.popularity(ties), model.runtime.engine
        ks, size = config.evaluate.k, config.evaluate.batch_size
        return evaluate(scorer, asked.queries, asked.truth, ks, size, progress, told, auc=auc, task=task, engine=engine)

    scorer = _answering(model.fitted, task)
    report = measured(scorer, auc=True)
    seconds = {**model.seconds, "evaluate": time.perf_counter() - start}
    if per_user is not None:
        users.write(users.of_questions(report, asked, parts.test.users.ids), per_user)
    out = _document(data, config, parts, report, asked)
    _apart(out, report, by, asked.people[report.user_nums], config, parts.fit_data)
    out |= {"chosen": model.fitted.chosen, "seconds": seconds, "peak_rss_mb": peak_rss_mb()}
    out["warnings"] += _unheard(parts.kind, model.fitted.chosen["weights"])
    if each_block:
        out["ablations"] = ablations(model.fitted, report, measured, asked.people[report.user_nums])
    if privacy:
        out |= attacks.privacy(model.fitted, scorer, parts.fit_data, probed)
    else:
        out |= leaks(model.fitted.profiles, ties, probed, parts.fit_data, config.seed)
    if explanations:
        found = explanation_report(model.fitted.explainer, model, report.user_nums, seed=config.seed, progress=progress)
        out["explanations"] = found
    return out


def measure_lists(
    data: Dataset, config: Config, file: Path, *, per_user: Path | None = None, by: Sequence[str] = ()
) -> dict[str, Any]:
    """The `evaluate` document of the lists in ``file``, of whatever system, on the test part that graphrec would get.

    Raises DataError where the file is no table of users, items and places.
    """
    if per_user is not None:
        users.check(per_user)
    table = read_lists(file)
    start = time.perf_counter()
    parts = split(data, config.cut, config.seed)
    check(by, parts.fit_data)
    if parts.kind == "cold-user":
        raise ConfigError("--split cold-user asks each user several times, and a list is one answer; use another split")
    found = evaluate_lists(parts, table, config.evaluate.k, Task.of(config))
    if per_user is not None:
        users.write(users.rows(found.report, parts.test.users.ids), per_user)
    out = _document(data, config, parts, found.report)
    _apart(out, found.report, by, found.report.user_nums, config, parts.fit_data)
    out["warnings"] += [f"{file}: {text}" for text in found.warnings()]
    seconds = {"evaluate": time.perf_counter() - start}
    return out | {"recommendations": str(file), "rows": found.counts, "seconds": seconds, "peak_rss_mb": peak_rss_mb()}


def measure_model(
    model: Model,
    new: Dataset,
    config: Config | None = None,
    *,
    explanations: bool = False,
    progress: bool = False,
    per_user: Path | None = None,
    by: Sequence[str] = (),
    probe: Sequence[str] = (),
    privacy: bool = False,
    engine: Engine = LOCAL,
) -> dict[str, Any]:
    """The `evaluate` document of a fitted model on data that it was not fitted on: what the users whom it knows took.

    Each is asked about as the model knows them; what they took since is the truth. What is left out, and why, is in
    ``counts`` (``evaluate.later``).

    Args:
        config: for other cut-offs (``evaluate.k``) than those of the model. engine: ranks and measures.

    Raises EmptyDataError where ``new`` holds nothing that the model could be asked for.
    """
    config = config or model.config
    if per_user is not None:
        users.check(per_user)
    start, task = time.perf_counter(), Task.of(config)
    check(by, model.data, new)
    probed = probed_of(probe, config.fair, model.data, new)
    found = later(model.data, new, task)
    # No leakage. People ask as the model knows them: nothing of ``new`` is in a query.
    queries = Queries.stored(model.ties, moments=found.moments)
    scorer = _answering(model, task)
    ks, size = config.evaluate.k, config.evaluate.batch_size
    report = evaluate(scorer, queries, found.truth, ks, size, progress, task=task, engine=engine)
    seconds = {"evaluate": time.perf_counter() - start}
    if per_user is not None:
        users.write(users.rows(report, model.data.users.ids), per_user)
    cold = int(model.ties.cold[report.user_nums].sum())
    out = {
        "data": new.name,
        "model": model.data.name,
        "model_version": model.version,
        "split": "later",
        **_measured(new, config, report, report.user_nums),
        "counts": {**found.counts, "without_history": cold},
        "seconds": seconds,
        "peak_rss_mb": peak_rss_mb(),
    }
    out["warnings"] += [f"{new.name}: {text}" for text in found.warnings()]
    _apart(out, report, by, report.user_nums, config, model.data, new)
    if privacy:
        out |= attacks.privacy(model, scorer, model.data, probed, new)
    else:
        out |= leaks(model.profiles, model.ties, probed, new, config.seed)
    if explanations:
        seed = config.seed
        out["explanations"] = explanation_report(model.explainer, model, report.user_nums, seed=seed, progress=progress)
    return out


def _document(
    data: Dataset, config: Config, parts: Split, report: Report, asked: Questions | None = None
) -> dict[str, Any]:
    """What every `evaluate` document holds; ``known`` has a row for each number of events that users are asked with."""
    people = report.user_nums if asked is None else asked.people[report.user_nums]
    out = {"data": data.name, "split": parts.kind, "cut": parts.cut, **_measured(data, config, report, people)}
    if asked is not None and (rows := asked.rows(report)):
        out |= {"questions": len(report.user_nums), "known": rows}
        out["warnings"] += [
            f"{row['fewer']:,} test users have nothing left to find after their first {row['events']} events"
            for row in rows
            if row["fewer"]
        ]
    return out


def _apart(
    out: dict[str, Any],
    report: Report,
    by: Sequence[str],
    people: Ints,
    config: Config,
    known: Dataset,
    told: Dataset | None = None,
) -> None:
    """Into the document: the measures by group. ``people``: whose each row of the report is; ``known``, ``told``: as in
    ``grouping``."""
    apart, lines = told_apart(by, people, known, told)
    if apart:
        out["by"] = by_group(report, apart, people, config.evaluate.k, config.seed)
    out["warnings"] += lines


def _answering(model: Model, task: Task) -> Scorer:
    """Scores in the order of the model's answers: with what meets ``fair.target``."""
    if not model.mends or model.prices is None:
        return model
    return Mended(model, model.prices, strength_of(model.chosen), task)


def _measured(data: Dataset, config: Config, report: Report, people: Ints) -> dict[str, Any]:
    """What was measured, on whom (``people``: whose each row is), and what has to be said of it."""
    n = len(np.unique(people))
    return {
        "relevant": config.evaluate.relevant,
        "seen": config.seen,
        "k": list(config.evaluate.k),
        "users": n,
        "metrics": report.metrics,
        "intervals": intervals(report, people),
        "warnings": [*data.report.all_warnings(), *_few(n), *_by_necessity(data, report)],
    }


def _by_necessity(data: Dataset, report: Report) -> list[str]:
    """Where the figures tell of no choice, or of one that is worse than none."""
    if data.n_items == 1:
        return ["there is one item, so there is nothing to rank: every figure is what it has to be; bring more items"]
    auc = report.metrics.get("auc", 1.0)
    if auc >= 0.5:
        return []
    return [f"AUC is {auc:.3f}, below .5: chance would rank better; do not rely on these rankings"]


def _unheard(kind: str, weights: dict[str, float]) -> list[str]:
    """Where items are held out of training, and nothing is heard that could know them."""
    heard = {name for name, weight in weights.items() if weight}
    if kind != "cold-item" or heard - {name for name, block in registered().items() if block.fallback}:
        return []
    only = ", ".join(sorted(heard)) or "nothing"
    return [f"{only} alone carries weight, and knows nothing of held-out items; bring texts or attributes of items"]


def _few(users: int) -> list[str]:
    who = counted(users, "test users")
    return [f"only {who}: the figures would differ much with others"] if users < FEW else []


def peak_rss_mb() -> float:
    """Largest resident size of this process or of one of its finished children, in MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux KiB
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(largest * unit / 2**20, 1)


def compare_models(
    data: Dataset,
    models: Sequence[str | Block[Any]],
    config: Config,
    *,
    progress: bool = False,
    by: Sequence[str] = (),
    work: Path | None = None,
) -> Comparison:
    """One table: every model on the same split, tuned on the same validation part, tested once; ``by`` and ``work`` as
    in ``evaluate_model``."""

    def fit_graphrec(parts: Split, settings: Config) -> Fitted:
        model = Recommender(settings, progress=progress, work=work).fit_split(parts)
        return Fitted(_answering(model.fitted, Task.of(settings)), model.fitted.chosen, dict(model.seconds))

    parts, alone = split(data, config.cut, config.seed), work and work / "alone"
    return compare(parts, models, config, fit_graphrec, progress, by, alone)
