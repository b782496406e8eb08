"""Honest measurement: fit on train, choose on validation, refit on both, test once."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate.compare import Comparison, Fitted, compare
from graphrec.evaluate.explanations import explanation_report
from graphrec.evaluate.ranking import Task, evaluate
from graphrec.recommender import FEW, Recommender


def evaluate_model(
    data: Dataset, config: Config, *, explanations: bool = False, progress: bool = False
) -> dict[str, Any]:
    """The `evaluate` document of the command-line contract, for graphrec with this configuration.

    ``explanations`` adds the measures of ``evaluate.explanations`` on a sample of the test users.
    """
    parts = split(data, config.cut, config.seed)
    task = Task.of(config)
    model = Recommender(config, progress=progress).fit_split(parts)
    start = time.perf_counter()
    report = evaluate(
        model,
        seen=parts.fit_data.seen(),
        truth=task.truth(parts.test),
        ks=config.evaluate.k,
        batch_size=config.evaluate.batch_size,
        progress=progress,
        task=task,
    )
    seconds = {**model.seconds, "evaluate": time.perf_counter() - start}
    explained = {}
    if explanations:
        found = explanation_report(model.fitted.explainer, model, report.user_nums, seed=config.seed, progress=progress)
        explained = {"explanations": found}
    return {
        "data": data.name,
        "split": parts.kind,
        "cut": parts.cut,
        "relevant": config.evaluate.relevant,
        "seen": config.seen,
        "k": list(config.evaluate.k),
        "users": len(report.user_nums),
        "metrics": report.metrics,
        "chosen": model.fitted.chosen,
        "seconds": seconds,
        "peak_rss_mb": peak_rss_mb(),
        "warnings": [*data.report.all_warnings(), *_few(len(report.user_nums))],
        **explained,
    }


def _few(users: int) -> list[str]:
    return [f"only {users:,} test users: the figures would differ much with others"] if users < FEW else []


def peak_rss_mb() -> float:
    """Largest resident size of this process or of one of its finished children, in MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux KiB
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(largest * unit / 2**20, 1)


def compare_models(data: Dataset, models: Sequence[str], config: Config, *, progress: bool = False) -> Comparison:
    """One table: every model on the same split, tuned on the same validation part, tested once."""

    def fit_graphrec(parts: Split, settings: Config) -> Fitted:
        model = Recommender(settings, progress=progress).fit_split(parts)
        return Fitted(model, model.fitted.chosen, dict(model.seconds))

    return compare(split(data, config.cut, config.seed), models, config, fit_graphrec, progress)
