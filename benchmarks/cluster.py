"""Every stage that an engine does, by the plain loop, by two workers of a cluster, and by two of which one is killed.

    OMP_NUM_THREADS=1 python benchmarks/cluster.py [--source SOURCE]    # needs the extra ray

Of each stage: seconds, whether the bytes are those of the plain loop, and how many workers were killed (SIGKILL,
in the middle of the second batch). Workers of Ray compute with one thread, and sums of several may round differently.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import report
import typer

from graphrec.cli import people
from graphrec.cluster.engine import LOCAL, Engine
from graphrec.cluster.on_ray import OnRay
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import evaluate
from graphrec.features.cache import ContentCache
from graphrec.features.encoder import load_encoder
from graphrec.features.text import review_text
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.query.query import Queries
from graphrec.recommender import Recommender
from graphrec.runtime import Runtime
from graphrec.samples import generate
from graphrec.tuning import tune

SETTINGS = ["blocks=spectral,popularity", "spectral.rank=16", "features.enabled=false", "kg.enabled=false"]
NETWORK = {"dim": 8, "max_epochs": 2}
A = TypeVar("A")
B = TypeVar("B")


class Dies:
    """Work whose worker is killed in the middle of the second batch, once."""

    def __init__(self, work: Callable[[Any], Any], mark: Path) -> None:
        self.work, self.mark = work, mark

    def __call__(self, numbered: tuple[int, Any]) -> Any:
        number, batch = numbered
        found = self.work(batch)
        if number == 1 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return found


class Struck(OnRay):
    """The engine of the cluster, of which a worker dies; ``killed`` counts them."""

    killed = 0

    def map(self, work: Callable[[A], B], batches: Iterable[A]) -> Iterator[B]:
        """See ``Engine``."""
        with tempfile.TemporaryDirectory() as folder:
            mark = Path(folder) / "died"
            yield from super().map(Dies(work, mark), enumerate(batches))
            self.killed += mark.exists()


@contextmanager
def fresh() -> Iterator[None]:
    """With caches that are empty."""
    before = os.environ.get("GRAPHREC_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GRAPHREC_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("GRAPHREC_CACHE")
            if before is not None:
                os.environ["GRAPHREC_CACHE"] = before


def stages(data: Dataset, many: Dataset, config: Config) -> dict[str, Callable[[Engine], bytes]]:
    """What each stage makes with an engine, as bytes: of the texts of ``data``, and of the people of ``many``."""
    parts = split(many, config.cut, config.seed)
    model = Recommender(config).fit_split(parts).fitted
    texts = [review_text(s, t) for s, t in zip(data.reviews["summary"], data.reviews["text"], strict=True)]
    queries, truth = Queries.before(model.ties, parts.test), parts.test.matrix()

    def extraction(engine: Engine) -> bytes:
        with fresh():
            graph = knowledge_graph(data, Config().kg, runtime=Runtime(engine=engine, processes=1))
        return graph.mentions.to_json().encode() + graph.triples.tobytes()

    def embedding(engine: Engine) -> bytes:
        with fresh():
            vectors = load_encoder(Config().features, engine=engine).encode(texts)
            kept = ContentCache("embeddings")
            assert kept.path.exists()
        return vectors.tobytes()

    def scoring(engine: Engine) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "lists.parquet"
            people.write_all(model, people.People(model.data.users.ids), 10, out, engine)
            return out.read_bytes()

    def evaluation(engine: Engine) -> bytes:
        found = evaluate(model, queries, truth, batch_size=256, engine=engine)
        assert found.ranked is not None
        rows = b"".join(values.tobytes() for values in found.per_user.values())
        return json.dumps(found.metrics).encode() + rows + found.ranked.lists.tobytes()

    def tuning(engine: Engine) -> bytes:
        with tempfile.TemporaryDirectory() as folder, patch("graphrec.runtime.engine_of", lambda _: engine):
            found = tune(data, config.with_(blocks="popularity,graph", graph=NETWORK), Path(folder), trials=4)
        return b"4" if found.trials == 4 else b""

    return {
        "tuning": tuning,
        "extraction": extraction,
        "embedding": embedding,
        "scoring": scoring,
        "evaluation": evaluation,
    }


def main(source: Path | None = None, only: str = "", keep: bool = False) -> None:
    people.AT_ONCE = 256
    data = generate(n_users=300, n_items=200, n_reviews=900) if source is None else Dataset.load(source)
    print(f"{data.name}: {data.n_users:,} users, {data.n_items:,} items, {len(data.reviews):,} reviews", flush=True)
    config = Config.load(None, SETTINGS)
    start = time.perf_counter()
    print(f"{OnRay().workers} workers, {time.perf_counter() - start:.1f} s to begin the cluster", flush=True)
    rows = []
    many = generate(n_users=1500, n_items=300, n_reviews=4500) if source is None else data
    for name, stage in stages(data, many, config).items():
        if only and name not in only:
            continue
        row: dict[str, Any] = {"stage": name}
        digests = {}
        engines: dict[str, Engine] = {"local": LOCAL, "ray": OnRay(), "killed": Struck()}
        for how, engine in engines.items():
            start = time.perf_counter()
            digests[how] = hashlib.sha256(stage(engine)).hexdigest()[:12]
            row[how] = round(time.perf_counter() - start, 2)
            row["deaths"] = getattr(engine, "killed", 0)
        row["same"] = len(set(digests.values())) == 1
        rows.append(row)
        print(row, digests["local"], flush=True)
    if keep:
        report.keep("cluster", data.name, {"rows": rows, "users": data.n_users, "load": os.getloadavg()[0]})


if __name__ == "__main__":
    typer.run(main)
