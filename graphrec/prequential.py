"""Test, then learn: a model goes through the last part of a log in steps, and is asked before it hears (Dawid, 1984).

Each step is a day, or one of so many equal parts of the events. Everybody who took something in it is asked at their
first event of the step, first; then the events are taken in by ``Model.updated``. Beside the model that learns stand
the one that was fitted, as it was, and what was popular in the step before.

A refit is due at the first step where one of these holds:

- over ``WINDOW`` steps NDCG is less than ``DUE`` of what it was over the first ones, each as a multiple of that of
  recent popularity, which knows no past and so tells how hard a step is (drift);
- of the events of ``WINDOW`` steps more than ``NEW`` are of items of which no event was known at the fit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.progress import track

from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.events import Events
from graphrec.data.split import split
from graphrec.door.times import EPOCH_FROM
from graphrec.errors import ConfigError, DataError, EmptyDataError
from graphrec.evaluate.ranking import Report, Scorer, Task, evaluate
from graphrec.evaluate.significance import paired_p_value
from graphrec.experiment import peak_rss_mb
from graphrec.fit import as_read
from graphrec.model.model import Model
from graphrec.query.query import Queries, query_of
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from graphrec.types import Floats

DAY = 86_400
WINDOW, DUE, NEW = 3, 0.9, 0.2
TINY = 1e-9
MODELS = ("updated", "frozen", "popular")
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Popular:
    """The same scores for everybody, float32 (I,)."""

    items: Floats

    def scores(self, queries: Queries) -> Floats:
        """Scores float32 (B, I)."""
        return np.broadcast_to(self.items, (len(queries), len(self.items))).astype(np.float32)


def prequential(data: Dataset, config: Config, steps: str = "10", progress: bool = False) -> dict[str, Any]:
    """The document of `evaluate --prequential`: the model is fitted on all but the test part of a temporal split.

    Args:
        steps: into how many equal parts the events of the test part are cut, or ``day``: one for each day.

    Raises ConfigError for other steps or another split, DataError without dates.
    """
    count = checked(config, steps)
    config = config.with_(split={"kind": "temporal"})
    # No leakage. Single events are cut: of a pair that comes up again the earlier ones are known by then.
    parts = split(data, config.split.model_copy(update={"repeats": True}), config.seed)
    recommender = Recommender(config, progress=progress).fit_split(parts)
    frozen = current = recommender.fitted
    stream = as_read(parts.test, config)
    known, task, ks = frozen.ties.taken, Task.of(config), config.evaluate.k
    rows: list[dict[str, Any]] = []
    per_user: dict[str, list[Floats]] = {name: [] for name in MODELS}
    goal, first = f"ndcg@{max(ks)}", None
    before = frozen.data.events
    begin, learning = time.perf_counter(), 0.0
    windows = list(windows_of(stream.events, count))
    console = Console(stderr=True)
    for mask in track(windows, "steps", console=console, transient=True, disable=not progress):
        part = stream.subset(mask)
        # No leakage. Both are asked before they hear of anything of this step.
        asked = {name: Queries.before(model.ties, part) for name, model in (("updated", current), ("frozen", frozen))}
        asked["popular"] = asked["updated"]
        truth = task.new(task.truth(part), task.known(asked["updated"].seen))  # the same is to be found by all
        scorers: dict[str, Scorer] = {
            "updated": current,
            "frozen": frozen,
            "popular": Popular(_counts(before, current)),
        }
        try:
            found = {n: evaluate(scorers[n], asked[n], truth, ks, auc=False, task=task) for n in MODELS}
        except EmptyDataError:
            found = {}
        if found and first is None:
            users = found["updated"].user_nums
            first = _again(current.ties, asked["updated"], users), truth[users], found["updated"].metrics[goal]
        for name, report in found.items():
            per_user[name].append(report.per_user[goal])
        start = time.perf_counter()
        current = current.updated(table_of(part))
        seconds = time.perf_counter() - start
        learning += seconds
        before = part.events
        rows.append(_row(part, found, ks, float(1 - known[part.events.item_nums].mean()), seconds))
    if first is None:
        raise EmptyDataError(f"{data.name}: nobody takes anything new in the test part; make split.test larger")
    _judge(rows, goal)
    together = {name: np.concatenate(values) for name, values in per_user.items()}
    means = {name: float(values.mean(dtype=np.float64)) for name, values in together.items()}
    asked_again, truth, then = first
    again = evaluate(current, Queries.of(current.ties, asked_again), truth, ks, auc=False, task=task).metrics[goal]
    due = next((n for n, row in enumerate(rows) if row["due"]), None)
    took = recommender.seconds | {"update": learning, "evaluate": time.perf_counter() - begin - learning}
    return {
        "data": data.name,
        "split": "prequential",
        "cut": parts.cut | {"steps": steps},
        "relevant": config.evaluate.relevant,
        "k": list(ks),
        "users": len(together["updated"]),
        "steps": rows,
        "metrics": {goal: means["updated"]},
        "frozen": {goal: means["frozen"]},
        "popular": {goal: means["popular"]},
        "p_value": paired_p_value(together["updated"], together["frozen"]),
        "forgetting": {"then": then, "again": again},
        "refit": {"due": due is not None, "step": due, "why": "" if due is None else rows[due]["due"], "rule": RULE},
        "chosen": frozen.chosen,
        "seconds": took,
        "peak_rss_mb": peak_rss_mb(),
        "warnings": list(data.report.all_warnings()),
    }


RULE = (
    f"over {WINDOW} steps NDCG is below {DUE:.0%} of the first {WINDOW}'s, both over that of recent popularity; or more"
    f" than {NEW:.0%} of the events are of items without an event at the fit"
)


def windows_of(events: Events, count: int) -> Iterator[Mask]:
    """The steps as masks (E,), in order of time: equal parts as nearly as ties in time allow, or days where ``count``
    is 0. Raises DataError without times, or where they are the order of events alone."""
    times = events.timestamps
    if times is None:
        raise DataError("--prequential goes through time, and the source has none; evaluate with --split random")
    if len(times) and times.max() < EPOCH_FROM:
        raise DataError(
            f"--prequential goes through time, and the source tells the order of events alone: numbers up to "
            f"{times.max()} are no dates; evaluate with --split leave-last"
        )
    if count == 0:
        for day in np.unique(times // DAY):
            yield times // DAY == day
        return
    rank = np.searchsorted(np.sort(times), times, side="left")  # events that are earlier
    step = np.minimum(rank * count // max(len(times), 1), count - 1)
    for number in np.unique(step):
        yield step == number


def table_of(part: Dataset) -> pd.DataFrame:
    """The events of a part as ``Model.updated`` takes them, in order of time."""
    e = part.events
    users, items = np.array(part.users.ids, object), np.array(part.items.ids, object)
    kinds = np.array([kind.name for kind in e.kind_table], object)
    table = {"user_id": users[e.user_nums], "item_id": items[e.item_nums], "value": e.values, "kind": kinds[e.kinds]}
    if e.timestamps is None:
        return pd.DataFrame(table)
    order = np.lexsort((*(() if e.order is None else (e.order,)), e.timestamps))
    return pd.DataFrame({**table, "timestamp": e.timestamps}).iloc[order].reset_index(drop=True)


def checked(config: Config, steps: str) -> int:
    """How many steps, 0 for days; needs no data. Raises ConfigError for other steps or another split."""
    if config.split.kind not in ("auto", "temporal"):
        raise ConfigError(f"--prequential goes through time; leave --split {config.split.kind} out, or say temporal")
    if steps == "day":
        return 0
    if not steps.isdecimal() or int(steps) < 1:
        raise ConfigError(f"--steps {steps}: give a number of equal steps, 1 or more, or day")
    return int(steps)


def _counts(events: Events, model: Model) -> Floats:
    """How often each item was taken of late, float32 (I,); what was not, by how often ever."""
    late, ever = (
        np.bincount(e.item_nums, minlength=model.data.n_items).astype(np.float64) for e in (events, model.data.events)
    )
    return np.asarray(late + ever / (1 + ever.max(initial=0)), np.float32)


def _again(ties: Ties, queries: Queries, users: npt.NDArray[np.int64]) -> list[Any]:
    """The questions of these users with all that is known now, to be asked again when more is known."""
    now = queries.now
    return [query_of(ties, user, now=int(now[user])) for user in users.tolist()]


def _row(part: Dataset, found: dict[str, Report], ks: Sequence[int], new: float, seconds: float) -> dict[str, Any]:
    assert part.events.timestamps is not None
    names = [f"{what}@{k}" for what in ("ndcg", "recall") for k in ks]
    return {
        "from": int(part.events.timestamps.min()),
        "to": int(part.events.timestamps.max()),
        "events": len(part.events),
        "users": len(found["updated"].user_nums) if found else 0,
        **{name: {metric: report.metrics[metric] for metric in names} for name, report in found.items()},
        "new_items": new,
        "seconds": seconds,
        "due": "",
    }


def _judge(rows: list[dict[str, Any]], goal: str) -> None:
    """Says in each row why a refit is due there, by the rule of this file; "" where it is not."""
    measured = [n for n, row in enumerate(rows) if row["users"]]

    def over(places: Sequence[int]) -> float:
        """NDCG as a multiple of that of recent popularity, by all users of these steps."""
        of = [sum(rows[n][name][goal] * rows[n]["users"] for n in places) for name in ("updated", "popular")]
        return float(of[0] / max(of[1], TINY))

    for end in range(2 * WINDOW, len(measured) + 1):
        last, start = measured[end - WINDOW : end], over(measured[:WINDOW])
        if over(last) < DUE * start:
            rows[last[-1]]["due"] = (
                f"NDCG is {over(last):.2f} times that of recent popularity, it was {start:.2f} times"
            )
    for end in range(WINDOW, len(rows) + 1):
        last = list(range(end - WINDOW, end))
        events = sum(rows[n]["events"] for n in last)
        share = sum(rows[n]["new_items"] * rows[n]["events"] for n in last) / events
        if share > NEW and not rows[last[-1]]["due"]:
            rows[last[-1]]["due"] = f"{share:.0%} of the events are of items of which the fit knew no event"
