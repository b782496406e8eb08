"""How time and memory grow with the data: every stage from the file to the measured lists, each by itself.

    python benchmarks/scale.py --events 1_000_000 --events 3_000_000 --events 10_000_000

People with a few topics each take items of these, popular ones more often; twenty events a person, a hundred an item.
Every size runs in a process of its own. Nothing is searched: choices are given, since a search repeats the same stages.
Seconds are core-seconds, which other work on the machine does not lengthen; the peak of a stage counts all that the
process holds by then. The exponent is the slope of log seconds over log events; 1 is in proportion.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import report
import typer

TOPICS, TASTES, LIKED = 400, 3, 0.85  # topics of a catalogue, of a person, and the share of events that are of these
CHOSEN: dict[str, dict[str, Any]] = {
    "popularity": {"half_life": 0.0},
    "spectral": {"rank": 128, "alpha": 0.4, "beta": 0.45, "power": 0.8, "friends": 0.0, "knowledge": 0.0},
    "neighbours": {"n": 200, "alpha": 0.25, "beta": 0.5, "knowledge": 0.0, "friends": 0.0},
    "ials": {"factors": 64, "alpha": 10.0, "regularisation": 10.0, "knowledge": 0.0},
    "transitions": {
        **{"window": 31, "pause": 0.0, "session": 0.0, "decay": 1.0, "backward": 0.0, "power": 1.0, "last": 100},
        **{"source": 0.5, "target": 0.4, "shape": 0.5, "half_life": 0.0, "n": 5000},
    },
    "graph": {"temperature": 0.1, "epochs": 1, "popularity": 1.0, "half_life": 0.0, "dim": 64},
}
ASKED = 10_000  # people whose lists are measured


def generated(n_events: int, seed: int = 0) -> pa.Table:
    """A table of user_id, item_id, timestamp, with planted topics: n_events / 20 users, n_events / 100 items."""
    rng = np.random.default_rng(seed)
    n_users, n_items = n_events // 20, n_events // 100
    active = rng.lognormal(0.0, 0.8, n_users)
    counts = rng.multinomial(n_events, active / active.sum())
    users = np.repeat(np.arange(n_users, dtype=np.int32), counts)
    topic = np.sort(rng.integers(0, TOPICS, n_items))  # of each item, which stand in order of their topics
    first = np.searchsorted(topic, np.arange(TOPICS + 1))
    tastes = rng.integers(0, TOPICS, (n_users, TASTES), dtype=np.int32)
    wanted = tastes[users, rng.integers(0, TASTES, n_events)]
    wanted = np.where(rng.random(n_events) < LIKED, wanted, rng.integers(0, TOPICS, n_events))
    among = first[wanted + 1] - first[wanted]
    place = (among * rng.random(n_events) ** 3).astype(np.int32)  # the first of a topic are taken most
    items = np.minimum(first[wanted] + place, n_items - 1)
    times = rng.integers(1_500_000_000, 1_600_000_000, n_events)
    order = rng.permutation(n_events)
    named = {"user_id": users[order], "item_id": items[order], "timestamp": times[order]}
    return pa.table({name: pa.array(value) for name, value in named.items()})


class Stages:
    """Core-seconds and the peak of memory of each, by name."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        busy = sum(os.times()[:4])
        yield
        status = Path("/proc/self/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
        self.found[name] = {"s": round(sum(os.times()[:4]) - busy, 2), "peak_mb": round(peak)}
        print(f"  {name:12} {self.found[name]['s']:8.1f} core-s {peak:8,.0f} MB", flush=True)


class Joined:
    """Scores by the profiles of several blocks."""

    def __init__(self, profiles: Any) -> None:
        self.profiles, self.items = profiles, profiles.item_matrix()

    def scores(self, queries: Any) -> Any:
        """Float32 (B, I)."""
        profile, sparse, _ = self.profiles.encode(queries)
        found = profile @ self.items.T  # (B, I)
        return found if sparse is None else found + sparse


def measured(file: Path, only: tuple[str, ...]) -> dict[str, Any]:
    """The stages of one file."""
    from graphrec.config import Config
    from graphrec.data.dataset import Dataset
    from graphrec.data.split import k_core, split
    from graphrec.evaluate.ranking import Task, evaluate
    from graphrec.fit import Fitting, learn_from
    from graphrec.profile.index import Index
    from graphrec.profile.profiles import Profiles
    from graphrec.query.query import Queries
    from graphrec.query.ties import Ties
    from graphrec.runtime import Runtime

    stage = Stages()
    config = Config.load(None, ("features.enabled=false", "graph.max_epochs=1", "split.kind=leave-last"))
    with stage("door"):
        data = Dataset.load(file)
    with stage("k-core"):
        data = k_core(data, 5)
    with stage("split"):
        parts = split(data, config.cut, config.seed)
    fitting = Fitting(config, Runtime.of(config.runtime, config.seed), lambda: None)  # type: ignore[arg-type,return-value]
    with stage("graph"):
        inputs, _ = learn_from(parts.fit_data, fitting)
    blocks = []
    for name, chosen in CHOSEN.items():
        if not only or name in only:
            with stage(name):
                blocks.append(config.block(name).fit(inputs, chosen))
    profiles = Profiles(tuple(blocks)).reweighted({block.name: 1.0 for block in blocks})
    with stage("index"):
        Index.build(profiles.item_matrix(), config.retrieve)
    queries, task = Queries.before(Ties(parts.fit_data), parts.test), Task.of(config)
    some = np.sort(np.random.default_rng(0).permutation(len(queries))[:ASKED])
    with stage("evaluation"):
        asked = queries[some]
        truth = task.truth(parts.test)[asked.user_nums]  # (n, I)
        found = evaluate(Joined(profiles), asked, truth, (20,), config.evaluate.batch_size, task=task)
    return {"counts": dict(data.counts()), "stages": stage.found, "ndcg@20": found.metrics["ndcg@20"]}


def main(
    events: Annotated[list[int], typer.Option(help="Sizes, each in a process of its own.")],
    only: Annotated[str, typer.Option(help="Blocks, with commas; all by default.")] = "",
    keep: bool = False,
) -> None:
    """Measure, print, and with --keep store."""
    fresh = multiprocessing.get_context("spawn")
    for size in events:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "events.csv"
            with ProcessPoolExecutor(1, fresh) as pool:
                table = pool.submit(generated, size).result()
                pyarrow.csv.write_csv(table, file)
                del table
            print(f"{size:,} events, {file.stat().st_size / 2**20:,.0f} MB", flush=True)
            with ProcessPoolExecutor(1, fresh) as pool:
                found = pool.submit(measured, file, tuple(filter(None, only.split(",")))).result()
        print(f"  NDCG@20 {found['ndcg@20']:.4f}", flush=True)
        if keep:
            report.keep("scale", str(size), found)


if __name__ == "__main__":
    typer.run(main)
