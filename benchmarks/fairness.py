"""What fairness costs: profiles cleared of gender, and exposure made more even, with preset ``fast``.

    python benchmarks/fairness.py ../shared/data --models /tmp/models    # models are kept there between runs
    python benchmarks/fairness.py ../shared/data --only lfm1m --dev      # validation users alone, nothing kept

Strengths are chosen on validation users, with a model of the training part alone; the test part is looked at once, with
what was chosen. Gender is sensitive: it is named here, and read for measuring and clearing only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import typer

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import Split, split
from graphrec.evaluate import mending
from graphrec.evaluate.clearing import cleared
from graphrec.evaluate.fairness import of_users
from graphrec.evaluate.groups import grouping
from graphrec.evaluate.leakage import leakage
from graphrec.evaluate.mending import Lists
from graphrec.evaluate.ranking import Scorer, Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.fit import learn
from graphrec.model import files
from graphrec.model.model import Model
from graphrec.query.query import Queries
from graphrec.recommender import Recommender

RUNS = {"ml1m_sequences": "leave-last", "lfm1m": "temporal"}
KEY, K = "gender", 10
GOAL = "gini:-30%"


def fitted(name: str, parts: Split, config: Config, kept: Path | None) -> tuple[Model, Model]:
    """A model of the training part with what validation users chose, and one of training and validation part; with the
    attributes of the source, which an artifact does not hold."""
    found: list[Model] = []
    paths = [None if kept is None else kept / f"{name}_{which}" for which in ("final", "valid")]
    known = (parts.fit_data, parts.folds[0].train)
    for path, data in zip(paths, known, strict=True):
        if path is not None and path.is_dir():
            model = files.load(path)
        else:
            recommender = Recommender(config)
            if not found:
                model = recommender.fit_split(parts).fitted
            else:
                model = learn(data, found[0].chosen, recommender._fitting(data))
            if path is not None:
                files.save(path, model)
        told: dict[str, Any] = {"user_attributes": data.user_attributes, "user_columns": data.user_columns}
        found.append(replace(model, data=replace(model.data, **told)))
    return found[1], found[0]


def measured(scorer: Scorer, model: Model, held: Dataset, data: Dataset, config: Config) -> dict[str, Any]:
    """NDCG and Gini at ``K``, of each person too, and how far NDCG of the genders is apart."""
    task = Task.of(config)
    found = evaluate(scorer, Queries.before(model.ties, held), task.truth(held), (K,), auc=False, task=task)
    groups = grouping(f"users.{KEY}", model.data, data, found.user_nums)
    gap = of_users(found, groups, found.user_nums, (K,))["gaps"][f"ndcg@{K}"]
    metrics = {name: found.metrics[f"{name}@{K}"] for name in ("ndcg", "recall", "gini", "coverage")}
    return {**metrics, "gap": gap, "users": len(found.user_nums), "each": found.per_user[f"ndcg@{K}"]}


def lists_of(model: Model, held: Dataset, config: Config) -> Lists:
    """Candidates of everybody who is to find something."""
    task, queries = Task.of(config), Queries.before(model.ties, held)
    seen = task.known(queries.seen)
    truth = task.new(task.truth(held), seen)
    users = np.flatnonzero(np.diff(truth.indptr))
    return Lists.of(model.scores, queries[users], seen[users], truth[users], task.only)


def runs(data: Path, only: Sequence[str] | None) -> Iterator[tuple[str, Dataset, Config, Split]]:
    """Each set that is asked for: its name, the data, the settings, and the parts by its usual split."""
    for name, kind in RUNS.items():
        if not only or name in only:
            source, config = Dataset.load(data / name), Config.load(None, [f"split.kind={kind}"], "fast")
            yield name, source, config, split(source, config.cut, config.seed)


def main(
    data: Annotated[Path, typer.Argument()],
    only: Annotated[list[str] | None, typer.Option()] = None,
    models: Annotated[Path | None, typer.Option(help="Where fitted models are kept, or found.")] = None,
    dev: Annotated[bool, typer.Option(help="Validation users alone; nothing is kept.")] = False,
) -> None:
    for name, source, config, parts in runs(data, only):
        first, final = fitted(name, parts, config, models)
        told = leakage(final.profiles, final.ties, KEY, source, (KEY,))
        for row in told["rows"]:
            print(
                name,
                row["part"],
                {side: round(row[side]["right"], 4) for side in ("before", "after", "held")},
                flush=True,
            )
        lists = lists_of(first, parts.folds[0].valid, config)
        chosen = mending.least([lists], GOAL)
        for point in chosen["curve"]:
            print(name, point, flush=True)
        out: dict[str, Any] = {"leakage": told, "exposure": chosen, "split": parts.kind}
        parts_of = {"validation": (first, parts.folds[0].valid)} | ({} if dev else {"test": (final, parts.test)})
        for which, (model, held) in parts_of.items():
            plain = measured(model, model, held, source, config)
            clear = replace(model, profiles=cleared(model.profiles, model.ties, (KEY,)))
            everybody, task = Queries.stored(model.ties), Task.of(config)
            prices = mending.prices(model.profiles, everybody, task, chosen["strength"], chosen["people"])
            even = mending.Mended(model, prices, chosen["strength"], task)
            rows = {
                "as it is": plain,
                f"cleared of {KEY}": measured(clear, model, held, source, config),
                f"exposure, {GOAL}": measured(even, model, held, source, config),
            }
            for row in rows.values():
                row["p"] = paired_p_value(row["each"], plain["each"])
            out[which] = {what: {k: v for k, v in row.items() if k != "each"} for what, row in rows.items()}
            for what, row in out[which].items():
                print(name, which, what, row, flush=True)
        if not dev:
            looks = report.kept("fairness", name).get("looks", 0) + 1
            report.keep("fairness", name, out | {"data": source.digest(), "looks": looks})


if __name__ == "__main__":
    typer.run(main)
