"""What an engine gives does not depend on it, to the byte, where work and batches go to another process."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec import doctor
from graphrec.cli import people
from graphrec.cli.app import fit
from graphrec.cli.serve import serve
from graphrec.cluster import on_ray
from graphrec.cluster.engine import LOCAL, Engine, Made, engine_of
from graphrec.data.dataset import build
from graphrec.errors import ConfigError, EmptyDataError
from graphrec.evaluate.ranking import Report, evaluate
from graphrec.features.cache import ContentCache
from graphrec.features.encoder import CachedEncoder
from graphrec.knowledge.adapter import knowledge_graph
from graphrec.query.query import Queries
from graphrec.runtime import Runtime
from graphrec.settings import KGConfig
from tests.features.test_encoder import CountingEncoder
from tests.serve.support import fitted

A = TypeVar("A")
B = TypeVar("B")


class Shipped:
    """Does as a cluster does: all that it gets goes to another process, and each batch is done twice, once in vain."""

    workers = 2

    def __init__(self) -> None:
        self.batches = 0

    def map(self, work: Callable[[A], B], batches: Iterable[A]) -> Iterator[B]:
        there = pickle.dumps(work)
        for batch in batches:
            self.batches += 1
            pickle.loads(there)(pickle.loads(pickle.dumps(batch)))
            found: B = pickle.loads(pickle.dumps(pickle.loads(there)(pickle.loads(pickle.dumps(batch)))))
            yield found


def _report(engine: Engine) -> Report:
    model = fitted().fitted
    queries = Queries.stored(model.ties)
    truth = 1 - model.ties.known.toarray()
    return evaluate(model, queries, model.ties.known.__class__(truth), (5,), 256, engine=engine)


def test_lists_of_everybody_are_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "AT_ONCE", 16)
    model, engine = fitted().fitted, Shipped()
    for name, by in (("here", LOCAL), ("there", engine)):
        out = tmp_path / f"{name}.parquet"
        told = people.write_all(model, people.People(model.data.users.ids), 3, out, by, rerank=["diversity=0.3"])
        assert told["users"] == model.data.n_users > 32
    assert (tmp_path / "here.parquet").read_bytes() == (tmp_path / "there.parquet").read_bytes()
    assert engine.batches == -(-model.data.n_users // 16)


def test_measures_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = _report(LOCAL), _report(Shipped())
    assert here.metrics == there.metrics
    assert {name: values.tobytes() for name, values in here.per_user.items()} == {
        name: values.tobytes() for name, values in there.per_user.items()
    }


def test_texts_are_embedded_by_the_engine_once_and_kept_here(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(600)]
    engine, cache = Shipped(), ContentCache("embeddings", tmp_path)
    made: Made[Any] = Made(CountingEncoder)
    never = CountingEncoder()
    found = CachedEncoder(never, cache, made, engine).encode(texts)
    assert engine.batches == 3
    assert never.asked == []
    here = CachedEncoder(CountingEncoder(), ContentCache("other", tmp_path)).encode(texts)
    assert found.tobytes() == here.tobytes()
    again = CachedEncoder(never, cache, made, engine).encode(texts)
    assert (again.tobytes(), engine.batches) == (found.tobytes(), 3)


def test_texts_are_read_by_the_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [
        (f"u{n}", f"i{n % 2}", f"The long battery life is great for {n} days, and the screen is bright.")
        for n in range(40)
    ]
    data = build("r", pd.DataFrame(rows, columns=["user_id", "item_id", "text"]))
    engine, graphs = Shipped(), []
    for name, by in (("here", LOCAL), ("there", engine)):
        monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path / name))
        graphs.append(knowledge_graph(data, KGConfig(), runtime=Runtime(processes=1, engine=by)))
    assert engine.batches == 2
    assert graphs[0].stats()["mentions"] > 40
    assert graphs[0].mentions.equals(graphs[1].mentions)
    assert np.array_equal(graphs[0].triples, graphs[1].triples)


def test_a_worker_makes_what_it_needs_once() -> None:
    assert Made(list, ((1,),))() is Made(list, ((1,),))()
    assert Made(list, ((2,),))() == [2]


def test_where_work_is_done_is_no_part_of_a_model() -> None:
    there = gr.Config().with_(runtime={"engine": "ray"})
    assert there.fingerprint() == gr.Config().fingerprint()
    assert there.at_home() == gr.Config() != there


def test_without_ray_one_line_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray, "installed", lambda: False)
    with pytest.raises(ConfigError, match=r"ray is not installed; pip install 'graphrec\[ray\]', or leave"):
        gr.Config().with_(runtime={"engine": "ray"}).checked()
    found = {finding.what: finding for finding in doctor.examine()}["ray"]
    assert found.ok
    assert "pip install 'graphrec[ray]'" in found.found


def test_several_workers_are_asked_of_a_cluster_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--workers 2 is of --engine ray; add that, or call it by torchrun"):
        fit(tmp_path, tmp_path / "model", workers=2)
    monkeypatch.setattr(on_ray, "installed", lambda: False)
    with pytest.raises(ConfigError, match="ray is not installed"):
        fit(tmp_path, tmp_path / "model", engine="ray", workers=2)
    with pytest.raises(ConfigError, match="ray is not installed"):
        serve(tmp_path, engine="ray")


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    if not on_ray.installed():
        pytest.skip(f"ray is not installed; {on_ray.REMEDY}")
    ray = on_ray.connected(num_cpus=2)
    yield ray
    ray.shutdown()


class Mortal:
    """Twice the number; whoever is asked first for 3 is killed, and of 7 there is nothing."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __call__(self, number: int) -> int:
        if number == 3 and not self.mark.exists():
            self.mark.write_text("dies", "utf-8")
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 7:
            raise EmptyDataError("nothing is left of 7; take 8")
        time.sleep(0.01)
        return 2 * number


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_goes_on_where_a_worker_dies_in_order_and_each_once(ray: Any, tmp_path: Path) -> None:
    work, engine = Mortal(tmp_path / "mark"), engine_of("ray")
    assert list(engine.map(work, range(7))) == [0, 2, 4, 6, 8, 10, 12]
    assert work.mark.exists()
    found = engine.map(work, [1, 7, 2])
    assert next(found) == 2
    with pytest.raises(EmptyDataError, match="nothing is left of 7; take 8"):
        next(found)
