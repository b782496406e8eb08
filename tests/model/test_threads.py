"""One model shared by many threads, and replaced while they ask: every answer is that of one model, asked alone."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import graphrec as gr
from graphrec.data.events import Events
from graphrec.explain.names import Names
from graphrec.model.model import Model
from graphrec.profile.index import Index
from graphrec.query.ties import Ties
from graphrec.recommender import Recommender
from graphrec.rerank.attributes import KEPT, AttributeTable
from tests.model.shop import QUICK, fitted, shop

THREADS = 8
CONFIG = QUICK.with_(blocks="popularity,spectral,neighbours,ials")


@pytest.fixture(scope="module")
def model() -> Model:
    """Every block is heard: dense, sparse, damped."""
    data = shop()
    chosen = fitted(data, CONFIG).fitted.chosen
    weights = dict.fromkeys(CONFIG.blocks, 1.0)
    return Recommender(CONFIG).fit(data, {**chosen, "weights": weights}).fitted


@pytest.fixture(autouse=True)
def _restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def cold(model: Model) -> Model:
    """The same model with nothing remembered: no index is built, nothing cached."""
    blocks = tuple(b.reweighted(b.weight) for b in model.profiles.blocks)
    events = model.data.events.take(np.ones(len(model.data.events), bool))
    index = Index.build(model.profiles.item_matrix(), model.config.retrieve)
    return replace(
        model, profiles=replace(model.profiles, blocks=blocks), data=replace(model.data, events=events), index=index
    )


def asked(model: Model, n: int) -> dict[str, Any]:
    """One of many different calls, as a document."""
    user, item = f"u{n % 40}", f"i{n % 30}"
    other = f"i{(n + 7) % 30}"
    calls: list[Callable[[], Any]] = [
        lambda: model.recommend(user, 5).to_dict("list"),
        lambda: model.recommend([user, "stranger", "u3"], 5, filter=f"brand == 'B{n % 2}'").to_dict("list"),
        lambda: model.recommend(None, 5, history=[item], filter=f"title != '{n}'").to_dict("list"),
        lambda: model.recommend(user, 5, rerank="diversity=0.3").to_dict("list"),
        lambda: model.explain(user, item).to_json(),
        lambda: model.explain(user, item, history=[other]).to_json(),
        lambda: model.similar(item, 5).to_dict("list"),
        lambda: model.why_not(user, item, 3).to_json(),
        lambda: model.contrast(user, item, other).to_json(),
        lambda: (
            model.updated([{"user_id": "somebody new", "item_id": item}]).recommend("somebody new", 5).to_dict("list")
        ),
    ]
    found: dict[str, Any] = calls[n % len(calls)]()
    return found


def same(found: Any, expected: Any) -> bool:
    """Whether two documents are equal, to the rounding of their numbers."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[k], v) for k, v in expected.items())
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    return bool(np.isclose(found, expected, rtol=1e-5)) if isinstance(expected, float) else bool(found == expected)


def together(work: Callable[[int], Any], n: int) -> list[Any]:
    """The results of n pieces of work that THREADS threads begin at once. Raises what any of them raises."""
    start = threading.Barrier(THREADS)

    def worker(first: int) -> list[tuple[int, Any]]:
        start.wait()
        return [(at, work(at)) for at in range(first, n, THREADS)]

    with ThreadPoolExecutor(THREADS) as pool:
        found = [pair for part in pool.map(worker, range(THREADS)) for pair in part]
    return [result for _, result in sorted(found, key=lambda pair: pair[0])]


@pytest.mark.parametrize("stride", [1, 3])
def test_shared_by_threads_it_answers_as_it_does_alone(model: Model, stride: int) -> None:
    """All begin at once on a model that has nothing remembered, so that its caches fill under all of them."""
    alone = [asked(model, stride * n) for n in range(80)]
    shared = cold(model)
    for n, found in enumerate(together(lambda n: asked(shared, stride * n), 80)):
        assert same(found, alone[n]), f"call {n}: {json.dumps([found, alone[n]], default=str)[:500]}"


def test_the_table_of_masks_stays_small_whoever_asks(model: Model) -> None:
    table = AttributeTable(model.data)

    def ask(n: int) -> int:
        return int(table.remembered(n % 50, lambda: np.arange(table.size) < n % 50).sum())

    found = together(ask, 4000)
    assert found == [min(n % 50, table.size) for n in range(4000)]
    assert len(table._masks) <= KEPT


def test_a_model_that_is_replaced_is_never_mixed_with_its_successor(model: Model) -> None:
    """Each update takes away what the user is recommended first: an answer tells which model it is of."""
    versions = [model]
    for _ in range(4):
        best = versions[-1].recommend("u0", 1)["item_id"].iat[0]
        versions.append(versions[-1].updated([{"user_id": "u0", "item_id": best}]))
    expected = {m.version: m.recommend("u0", 5)["item_id"].tolist() for m in versions}
    assert len({tuple(items) for items in expected.values()}) == len(versions)
    face = Recommender.of(model)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for successor in versions:
                face._model = successor

    def ask(_: int) -> dict[str, Any]:
        return face.recommend_document("u0", 5)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        answers = together(ask, 200)
    finally:
        done.set()
        swapping.join()
    for answer in answers:
        assert [row["item_id"] for row in answer["items"]] == expected[answer["model_version"]]
    assert len({answer["model_version"] for answer in answers}) > 1, "nothing was replaced meanwhile"


def test_two_threads_that_update_do_not_disturb_each_other(model: Model) -> None:
    def update(n: int) -> list[str]:
        later = model.updated([{"user_id": f"new{n}", "item_id": f"i{i}"} for i in (n % 2, 2 + n % 2, 4 + n % 2)])
        assert later.data.n_users == model.data.n_users + 1
        found: list[str] = later.recommend(f"new{n}", 4)["item_id"].tolist()
        return found

    before = model.recommend("u0", 5)
    alone = [update(n) for n in range(8)]
    assert together(update, 8) == alone
    assert model.recommend("u0", 5).equals(before)


# --- what an answer touches -------------------------------------------------------------------------------------------


class Wire(np.ndarray[Any, Any]):
    """An array that may be sliced, and searched, but not computed with while it is long."""

    LONG = 80

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*map(self._cut, inputs), **options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.searchsorted:
            assert args[0].flags.c_contiguous, "a search in a column copies it"
            return np.asarray(args[0]).searchsorted(*args[1:], **kwargs)
        plain = [[self._cut(a) for a in x] if isinstance(x, list | tuple) else self._cut(x) for x in args]
        return func(*plain, **kwargs)

    @classmethod
    def _cut(cls, value: Any) -> Any:
        if isinstance(value, Wire):
            assert value.size <= cls.LONG, "an answer went through the whole log"
            return value.view(np.ndarray)
        return value


def test_after_the_first_an_answer_touches_nothing_as_long_as_the_log(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = model.config.with_(explain={"agreed": ""})
    warm = replace(cold(model), config=config)

    def ask(user: str) -> None:
        best = warm.recommend(user, 3)["item_id"].iat[0]
        warm.recommend(user, 3, history=["i3"], filter="brand == 'B0'")
        warm.explain(user, str(best))
        warm.explain(user, str(best), history=["i3"])
        warm.explain(None, str(best), history=["i3"])
        warm.why_not(user, "i1", 3)
        warm.contrast(user, "i1", "i2")
        warm.similar("i1", 3)

    ask("u0")

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("an answer went through the whole log")

    events = warm.data.events
    assert len(events) > Wire.LONG
    for name in ("user_nums", "item_nums", "values", "kinds", "timestamps", "strengths", "outright"):
        events.__dict__[name] = getattr(events, name).view(Wire)
    graph = warm.explainer.links.graph
    assert len(graph) > Wire.LONG
    graph.__dict__["triples"] = graph.triples.view(Wire)
    for owner, names in (
        (Events, ("pairs", "liked", "pair_of", "last_of_pair", "readings", "read", "taste", "learning", "take")),
        (type(warm.data), ("interactions", "matrix", "seen", "taste", "counts", "digest", "fingerprint")),
        (Ties, ("__init__",)),
        (Names, ("of",)),
    ):
        for name in names:
            made = property(refused) if not callable(getattr(owner, name)) else refused
            monkeypatch.setattr(owner, name, made)
    for user in ("u0", "u7", "u39"):
        ask(user)


def test_no_answer_needs_memory_of_the_size_of_the_log() -> None:
    """Whatever is made of a whole log, a mask of it at least, shows in the memory that an answer takes."""
    import tracemalloc

    import pandas as pd

    from graphrec.data.dataset import build

    users, items, each = 1500, 400, 300
    random = np.random.default_rng(0)
    takes = np.concatenate([u + 0 * random.permutation(items)[:each] for u in range(users)])
    took = np.concatenate([random.permutation(items)[:each] for _ in range(users)])
    few = np.flatnonzero((takes != 0) | (took < 6))  # the first user took six at most
    rows = pd.DataFrame({"user_id": [f"u{n:04d}" for n in takes[few]], "item_id": [f"i{n:03d}" for n in took[few]]})
    data = build("long log", rows, friends=pd.DataFrame({"user_id": ["u0000"], "friend_id": ["u0001"]}))
    config = gr.Config().with_(blocks="popularity,spectral", kg={"enabled": False}, features={"enabled": False})
    chosen = {
        "popularity": {"reading": "alike", "half_life": 0.0},
        "spectral": {"reading": "alike", "alpha": 0.4, "rank": 8, "beta": 0.4, "power": 0.4, "friends": 0.3},
    }
    weights = {"weights": {"popularity": 0.1, "spectral": 1.0}}
    model = Recommender(config).fit(data, {**chosen, **weights}).fitted

    def ask(user: str) -> None:
        best = model.recommend(user, 5)["item_id"].iat[0]
        model.recommend(user, 5, history=["i300", "i301"])
        model.explain(user, str(best))
        model.explain(user, str(best), history=["i300"])

    ask("u0001")
    ask("u0000")
    tracemalloc.start()
    try:
        ask("u0000")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < len(data.events), f"{most:,} bytes for an answer over {len(data.events):,} events"
