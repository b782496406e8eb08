"""Profiles that live: what an event costs, and what is lost where events are folded in and nothing is fitted anew.

    python benchmarks/living.py DATA [--only lfm1m] [--dev]

The last tenth of the log, by time, is the test part. Of what lies before it the model is fitted on the first four
fifths; the last fifth is taken in by ``Model.updated``. Beside it stand the model as it was, one fitted on all with
the same choices, and one that chooses anew: same users, same test part, NDCG, and seconds. Blocks that are sums are
compared with the refit entry by entry. An event into a served profile (``Live.hear``) is timed for as many users as are
asked for. A network alone goes on from where it ended (``refit``), beside one that starts anew. With ``--dev`` the last
tenth of what may be fitted stands for the test part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import report
import scipy.sparse as sp
import typer

from graphrec.blocks.api import FitInputs
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import Task, evaluate
from graphrec.model.live import Live
from graphrec.model.model import Model
from graphrec.prequential import prequential, table_of
from graphrec.query.query import Queries
from graphrec.recommender import Recommender
from graphrec.types import Floats

SETS = ("lfm1m", "yelp_places", "musical_instruments")
SETTINGS = [
    "blocks=popularity,spectral,neighbours,ease,transitions",
    "features.enabled=false",
    "kg.enabled=false",
    "spectral.rank=64,256",
    "split.kind=temporal",
    "split.repeats=true",
]
NETWORK = {"blocks": "graph", "graph": {"minutes": 0.5, "temperature": "0.1"}}  # for the warm start
SUMS = ("popularity", "transitions")  # learned from sums over users
FOLDED, EVENTS = 0.2, 500
METRICS = ("ndcg@10", "recall@10", "ndcg@20", "recall@20")


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return run(), time.process_time() - start


def compared(data: Dataset, config: Config, dev: bool) -> dict[str, Any]:
    """Figures of the frozen, the updated and the refitted model on one test part."""
    parts = split(data, config.split, config.seed)
    if dev:
        parts = split(parts.fit_data, config.split, config.seed)
    before = parts.fit_data
    assert before.events.timestamps is not None
    cut = np.quantile(before.events.timestamps, 1 - FOLDED, method="nearest")
    late = before.events.timestamps >= cut
    known, new = before.subset(~late), before.subset(late)
    first, seconds = timed(lambda: Recommender(config).fit(known))
    frozen: Model = first.fitted
    updated, of_update = timed(lambda: frozen.updated(table_of(new)))
    further = table_of(known).tail(100).assign(timestamp=updated.ties.latest)
    _, of_next = timed(lambda: updated.updated(further))
    refit, of_refit = timed(lambda: Recommender(config).fit(before, frozen.chosen).fitted)
    anew, of_choosing = timed(lambda: Recommender(config).fit(before).fitted)
    told = {"fit": seconds, "update": of_update, "update, 100 events more": of_next, "refit": of_refit}
    exact = sums(known, new, config, frozen.chosen)
    out: dict[str, Any] = {"folded": int(late.sum()), "kept": int((~late).sum()), "exact": exact}
    out["latency"] = latency(updated, data)
    out["weights"] = frozen.chosen["weights"]
    network = config.with_(**NETWORK)
    start, of_start = timed(lambda: Recommender(network).fit(known).fitted)
    cold, of_cold = timed(lambda: Recommender(network).fit(before, like=start).fitted)
    warm, of_warm = timed(lambda: Recommender(network).fit(before, like=start, resume=True).fitted)
    told |= {"refit, chosen anew": of_choosing}
    told |= {"network": of_start, "network, from nothing": of_cold, "network, from where it ended": of_warm}
    out["seconds"] = told
    models = {"frozen": frozen, "updated": updated, "refitted": refit, "refitted, chosen anew": anew}
    models |= {"network, from nothing": cold, "network, from where it ended": warm}
    rows, task = [], Task.of(config)
    for name, model in models.items():
        queries = Queries.before(model.ties, parts.test)
        truth = task.new(task.truth(parts.test), task.known(Queries.stored(refit.ties).seen))
        found = evaluate(model, queries, truth, (10, 20), auc=False, task=task)
        rows.append({"model": name, "users": len(found.user_nums), **{m: found.metrics[m] for m in METRICS}})
    return out | {"rows": rows}


def sums(known: Dataset, new: Dataset, config: Config, chosen: Mapping[str, Any]) -> dict[str, float]:
    """The largest difference of items' sides, as updated and as fitted on the same log, of blocks that are sums."""
    names = [name for name in SUMS if "left_out" not in chosen[name]]
    alone = config.with_(blocks=names)
    choices = {**{name: chosen[name] for name in names}, "weights": dict.fromkeys(names, 1.0)}
    model = Recommender(alone).fit(known, choices).fitted
    for half in (slice(None, None, 2), slice(1, None, 2)):
        model = model.updated(table_of(new).iloc[half])
    inputs = FitInputs(model.ties, None)
    pairs = [(model.profiles[name], config.block(name).fit(inputs, chosen[name])) for name in names]
    return {ours.name: float(np.abs(_dense(ours.items) - _dense(refit.items)).max()) for ours, refit in pairs}


def latency(model: Model, data: Dataset) -> dict[str, float]:
    """Milliseconds of a core for one event into a served profile, and for ten recommendations after it; waiting for
    other work on the machine does not count."""
    rng, live = np.random.default_rng(0), Live(model)
    latest = model.ties.latest
    hear, answer = [], []
    for n in range(EVENTS + 20):
        user = data.users.ids[int(rng.integers(data.n_users))]
        item = data.items.ids[int(rng.integers(data.n_items))]
        begin = time.process_time()
        live.hear(user, item, timestamp=latest + n)
        queries = Queries.of(model.ties, [live.query(user)])
        for block in model.profiles.heard:
            block.encode(queries)
        heard = time.process_time()
        live.recommend(user)
        hear.append(heard - begin)
        answer.append(time.process_time() - heard)
    took = {}
    for name, values in (("event", hear), ("ten items", answer)):
        for q in (50, 99):
            took[f"{name} p{q}"] = 1000 * float(np.percentile(values[20:], q))
    return took


def _dense(side: Any) -> Floats:
    return np.asarray(side.toarray() if isinstance(side, sp.csr_matrix) else side, np.float32)


def main(
    data: Path,
    only: Annotated[list[str] | None, typer.Option()] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Further settings, as on the command line.")] = None,
    dev: Annotated[bool, typer.Option(help="Look at no test part, and keep nothing.")] = False,
    short: Annotated[bool, typer.Option(help="Without test, then learn: what is kept of that stays.")] = False,
) -> None:
    for name in only or SETS:
        settings = [*SETTINGS, *(set_ or [])]
        config = Config.load(None, settings)
        start, source = time.perf_counter(), Dataset.load(data / name)
        found = compared(source, config, dev)
        for row in found["rows"]:
            print(name, row, flush=True)
        print(name, {what: value for what, value in found.items() if what != "rows"}, flush=True)
        if dev:
            continue
        looks = report.kept("living", name).get("looks", 0) + (1 if short else 2)
        found |= {"settings": settings, "data": source.digest(), "looks": looks, "wall": time.perf_counter() - start}
        if short:
            found["prequential"] = report.kept("living", name)["prequential"]
        else:
            steps = prequential(source, config, "10")
            told = ("steps", "metrics", "frozen", "popular", "p_value", "forgetting", "refit")
            found["prequential"] = {what: steps[what] for what in told}
            print(name, found["prequential"], flush=True)
        report.keep("living", name, found)


if __name__ == "__main__":
    typer.run(main)
