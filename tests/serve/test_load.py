"""Under load, and where parts fail: refused at once or answered with less, and said so."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from graphrec.model import answers
from graphrec.model.model import Model
from graphrec.profile.index import Index
from graphrec.serve.journal import Memory
from graphrec.serve.pool import Pool
from tests.serve.support import ask, fitted, ids, post, said, service_of, serving


@pytest.fixture
def client() -> Iterator[TestClient]:
    with serving() as client:
        yield client


def copied() -> Model:
    """The model once more, of which parts may be broken."""
    return replace(fitted().fitted)


def breaks(*_: Any, **__: Any) -> Any:
    raise RuntimeError("broken on purpose")


def slowly(seconds: float, together: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same after some time."""

    def later(asks: Any) -> Any:
        time.sleep(seconds)
        return together(asks)

    return later


def test_questions_that_wait_are_answered_by_one_search(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    gate, found_of = threading.Event(), answers.found_of

    def counted(model: Any, asked: Any, rows: Any) -> Any:
        sizes.append(len(rows))
        return found_of(model, asked, rows)

    with serving(settings={"limits": {"threads": 1}}) as client, ThreadPoolExecutor(21) as threads:
        service = service_of(client)
        alone = [said(ask(client, "/recommend", user_id=f"u{n}", k=3 + n % 4)) for n in range(20)]
        service.state.current.lists.clear()
        monkeypatch.setattr(answers, "found_of", counted)
        together = service.pool.together
        service.pool.together = lambda asks: (gate.wait(30), together(asks))[1]
        first = threads.submit(ask, client, "/recommend", user_id="u30")
        until(lambda: service.pool.busy == 1)
        coming = [threads.submit(ask, client, "/recommend", user_id=f"u{n}", k=3 + n % 4) for n in range(20)]
        until(lambda: len(service.pool) == 20)
        gate.set()
        assert [said(each.result()) for each in coming] == alone
        assert first.result()["items"]
    assert sizes == [1, 20]


def test_what_is_beyond_the_queue_is_refused_at_once_and_the_rest_answered() -> None:
    gate = threading.Event()
    limits = {"queue": 4, "threads": 1, "seconds": 60, "ready": 0}
    with serving(settings={"limits": limits}) as client:
        service = service_of(client)
        together = service.pool.together
        service.pool.together = lambda asks: (gate.wait(30), together(asks))[1]
        with ThreadPoolExecutor(16) as threads:
            first = threads.submit(client.get, "/recommend?user_id=u0")
            until(lambda: service.pool.busy == 1)
            coming = [threads.submit(client.get, f"/recommend?user_id=u{n}") for n in range(12)]
            until(lambda: sum(each.done() for each in coming) == 8)
            assert client.get("/recommend?no=such").status_code == 503, "before it is read"
            assert client.get("/ready").json()["waiting"] == 4
            gate.set()
            found = [each.result() for each in coming]
        refused = [each for each in found if each.status_code == 503]
        assert len(refused) == 8
        assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
        assert "too much" in refused[0].json()["detail"]
        assert first.result().status_code == 200
        assert [each.status_code for each in found if each not in refused] == [200] * 4
        assert ask(client, "/recommend", user_id="u0")["items"]
        assert 'graphrec_refused_total{why="queue"} 9' in client.get("/metrics").text


def test_a_list_that_is_ready_waits_for_no_thread() -> None:
    gate = threading.Event()
    with serving(settings={"limits": {"threads": 1}}) as client, ThreadPoolExecutor(1) as threads:
        service = service_of(client)
        usual = ask(client, "/recommend", user_id="u0", k=5, seen="exclude")
        together = service.pool.together
        service.pool.together = lambda asks: (asks[0][0].history and gate.wait(30), together(asks))[1]
        first = threads.submit(client.get, "/recommend?history=i1")
        until(lambda: service.pool.busy == 1)
        found = ask(client, "/recommend", user_id="u0", k=5)
        assert service.pool.busy == 1
        assert said(found) == said(usual)
        gate.set()
        assert first.result().status_code == 200
        assert service.recorder.find(found["recommendation_id"])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only processes have a priority")
def test_who_takes_requests_comes_before_who_answers_them() -> None:
    async def asked() -> int:
        pool = Pool(1, 1, 1, lambda asks: [])
        try:
            return int(await pool.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
        finally:
            pool.close()

    assert asyncio.run(asked()) > os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    with serving(settings={"limits": {"seconds": 0.2, "ready": 0}}) as client:
        service = service_of(client)
        together = service.pool.together
        service.pool.together = slowly(0.6, together)
        found = client.get("/recommend?user_id=u0")
        assert found.status_code == 503
        assert found.headers["retry-after"] == "1"
        service.pool.together = together
        until(lambda: client.get("/recommend?user_id=u0").status_code == 200)


def test_what_waits_is_answered_before_the_service_ends() -> None:
    with serving(settings={"limits": {"threads": 1, "ready": 0}}) as client:
        service = service_of(client)
        together = service.pool.together
        service.pool.together = slowly(0.3, together)
        threads = ThreadPoolExecutor(4)
        coming = [threads.submit(client.get, f"/recommend?user_id=u{n}") for n in range(4)]
        until(lambda: service.pool.busy == 1)
        service.pool.close()
        assert [each.result().status_code for each in coming].count(200) >= 1
        service.recorder.flush()
        threads.shutdown()


# --- parts that fail --------------------------------------------------------------------------------------------------


def test_without_the_index_everything_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as client:
        usual = ask(client, "/recommend", user_id="u0", k=8)
        monkeypatch.setattr(Index, "best", breaks)
        service_of(client).state.current.lists.clear()
        less = ask(client, "/recommend", user_id="u0", k=8)
        assert ids(less) == ids(usual)
        assert less["degraded"][0].startswith("index: ")
        assert 'graphrec_degraded_total{why="index"} 1' in client.get("/metrics").text


def test_without_profiles_there_is_what_is_popular(monkeypatch: pytest.MonkeyPatch) -> None:
    model = copied()
    with serving(model) as client:
        popular = ids(ask(client, "/recommend", user_id="nobody", k=30))
        seen = {model.data.items.ids[n] for n in model.ties.seen(0)}
        monkeypatch.setattr(type(model.profiles), "encode", breaks)
        service_of(client).state.current.lists.clear()
        less = ask(client, "/recommend", user_id="u0", k=30)
        assert ids(less) == [i for i in popular if i not in seen]
        assert less["degraded"][0].startswith("popularity: ")


def test_without_the_encoder_words_are_not_heard() -> None:
    model = replace(fitted().fitted, encoder=breaks)
    with serving(model) as client:
        less = ask(client, "/recommend", user_id="u0", query="tone", k=5)
        assert ids(less) == ids(ask(client, "/recommend", user_id="u0", k=5))
        assert less["degraded"][0].startswith("encoder: ")
        assert ask(client, "/recommend", query="tone", k=5)["items"]
        why = ask(client, "/explain", user_id="u0", item_id=ids(less)[0], query="tone")
        assert why["degraded"][0].startswith("encoder: ")
        assert why["evidence"]


def test_without_the_knowledge_graph_there_are_reasons_still(monkeypatch: pytest.MonkeyPatch) -> None:
    model = copied()
    with serving(model) as client:
        usual = ask(client, "/explain", user_id="u0", item_id="i2")
        monkeypatch.setattr(model.explainer.links, "between", breaks)
        less = ask(client, "/explain", user_id="u0", item_id="i2")
        assert less["degraded"][0].startswith("knowledge: ")
        assert less["blocks"] == pytest.approx(usual["blocks"])
        assert less["text"]
        monkeypatch.setattr("graphrec.serve.reasons.Explainer", breaks)
        least = ask(client, "/explain", user_id="u0", item_id="i2")
        assert least["degraded"][0].startswith("evidence: ")
        assert least["score"] == pytest.approx(usual["score"], abs=1e-4)


def test_without_the_store_lists_are_given_and_events_refused() -> None:
    journal = Memory()
    with serving(journal=journal) as client:
        usual = ask(client, "/recommend", user_id="u0")
        for name in ("append", "since", "told", "gone", "record", "wait"):
            setattr(journal, name, breaks)
        service_of(client).state.catch_up()
        less = ask(client, "/recommend", user_id="u0")
        assert ids(less) == ids(usual)
        assert any(line.startswith("store: ") for line in less["degraded"])
        event = {"events": [{"user_id": "u0", "item_id": "i2"}]}
        assert client.post("/events", json=event).status_code in (500, 503)
        assert client.get("/live").status_code == 200
        for name in ("append", "since", "told", "gone", "record", "wait"):
            delattr(journal, name)
        until(lambda: not ask(client, "/recommend", user_id="u1")["degraded"])
        assert post(client, "/events", event, expect=202)["accepted"] == 1
        assert ask(client, "/recommend", user_id="u0")["degraded"] == []


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Until something holds. Raises AssertionError where it takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about")


def test_metrics_count_what_is_shown_and_what_comes_of_it(client: TestClient) -> None:
    pytest.importorskip("prometheus_client")
    found = ask(client, "/recommend", user_id="u0", k=6)
    event = {"user_id": "u0", "item_id": ids(found)[0], "recommendation_id": found["recommendation_id"], "position": 1}
    post(client, "/events", {"events": [{**event, "type": "like"}]}, expect=202)
    text = client.get("/metrics").text
    version = found["model_version"]
    of = f'scenario="",version="{version}"'
    assert f"graphrec_impressions_total{{{of}}} 6" in text
    assert f'graphrec_funnel_total{{scenario="",type="like",version="{version}"}} 1' in text
    assert 'graphrec_requests_total{method="GET",route="/recommend",status="200"} 1' in text
    assert "graphrec_unseen_events 1" in text
    assert f'graphrec_coverage{{version="{version}"}} 0.2' in text
    taken = np.bincount(fitted().fitted.data.interactions.item_nums, minlength=30)
    nums = fitted().fitted.data.items.numbers(ids(found))
    bits = float(-np.log2(np.maximum(taken[nums], 1) / fitted().fitted.data.n_users).sum())
    line = next(line for line in text.splitlines() if line.startswith("graphrec_novelty_bits_total"))
    assert float(line.split()[1]) == pytest.approx(bits, rel=1e-5)
