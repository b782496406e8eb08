"""Lists: pages join to the exact top, weights re-rank exactly, parts sum to scores, what is explored is stated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from graphrec.model.retrieve import Found
from graphrec.query.query import Queries
from graphrec.serve.answering import explored
from graphrec.serve.version import Shown
from tests.conftest import examples
from tests.serve.support import ask, fitted, ids, post, said, service_of, serving


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with serving(settings={"scenarios": {"home": {"k": 3, "filter": 'brand == "B1"', "diversity": 0.2}}}) as client:
        yield client


def pages(client: TestClient, k: int, **asked: Any) -> Iterator[Any]:
    page = ask(client, "/recommend", k=k, **asked)
    yield page
    while page["next_cursor"]:
        page = ask(client, "/recommend", k=k, cursor=page["next_cursor"], **asked)
        yield page


@examples(25)
@given(k=st.integers(1, 12), user=st.integers(8, 39), how=st.sampled_from(["", "B0", "B1"]), words=st.booleans())
def test_pages_join_to_the_exact_top(client: TestClient, k: int, user: int, how: str, words: bool) -> None:
    asked: dict[str, Any] = {"user_id": f"u{user}"} | ({"filter": f'brand == "{how}"'} if how else {})
    asked |= {"query": "tone"} if words else {}
    whole = ask(client, "/recommend", k=1000, **asked)["items"]
    joined = [item for page in pages(client, k, **asked) for item in page["items"]]
    assert joined == whole
    assert len({item["item_id"] for item in joined}) == len(joined)


def test_pages_are_of_one_moment_whatever_comes_between(client: TestClient) -> None:
    whole = ids(ask(client, "/recommend", user_id="u5", k=1000))
    first = ask(client, "/recommend", user_id="u5", k=4)
    event = {"user_id": "u5", "item_id": whole[6], "type": "like"}
    post(client, "/events", {"events": [event]}, expect=202)
    rest = ask(client, "/recommend", user_id="u5", k=1000, cursor=first["next_cursor"])
    assert ids(first) + ids(rest) == whole
    assert whole[6] not in ids(ask(client, "/recommend", user_id="u5", k=1000))


@pytest.fixture(scope="module")
def ready() -> Iterator[TestClient]:
    with serving() as client:
        yield client


@examples(15)
@given(user=st.integers(8, 39), k=st.integers(1, 40), hidden=st.sets(st.integers(0, 29), max_size=6))
def test_a_list_that_is_ready_is_what_would_be_searched(ready: TestClient, user: int, k: int, hidden: set[int]) -> None:
    version = service_of(ready).state.current
    version.fill(40)
    assert len(version.lists) == 40
    for item in sorted(hidden):
        ready.delete(f"/items/i{item}")
    soon = ask(ready, "/recommend", user_id=f"u{user}", k=k)
    version.lists.clear()
    assert said(ask(ready, "/recommend", user_id=f"u{user}", k=k)) == said(soon)
    assert not {f"i{item}" for item in hidden} & set(ids(soon))
    for item in sorted(hidden):
        ready.put(f"/items/i{item}", json={})


@pytest.mark.parametrize("cursor", ["x", "%00", "bm9uc2Vuc2U", "WzEsMiwzLDQsNSw2XQ", "W10"])
def test_what_is_no_cursor_is_refused(cursor: str, client: TestClient) -> None:
    assert "cursor: it is none" in ask(client, "/recommend", expect=422, user_id="u0", cursor=cursor)["detail"]


def test_a_cursor_is_of_its_question(client: TestClient) -> None:
    cursor = ask(client, "/recommend", user_id="u0", k=2)["next_cursor"]
    assert "another question" in ask(client, "/recommend", expect=422, user_id="u1", cursor=cursor)["detail"]
    assert ask(client, "/recommend", user_id="u0", k=2, diversity=0.5)["next_cursor"] is None


@examples(15)
@given(
    user=st.integers(8, 39),
    weights=st.dictionaries(st.sampled_from(["spectral", "ials", "ease", "popularity", "graph"]), st.floats(0, 3)),
)
def test_weights_rank_as_a_model_of_these_weights(client: TestClient, user: int, weights: dict[str, float]) -> None:
    model = fitted().fitted
    own, number_of = model.profiles.weights, model.data.users.number(f"u{user}")
    found = post(client, "/recommend", {"user_id": f"u{user}", "k": 30, "weights": weights, "blocks": True})
    dense = {name: np.zeros(model.data.n_items) for name in own}
    query = Queries.stored(model.ties, np.array([number_of]))
    for block in model.profiles.blocks:
        dense[block.name] = {**own, **weights}[block.name] * block.scores(query)[0].astype(np.float64)
    total = np.sum(list(dense.values()), axis=0)
    for item in found["items"]:
        number = model.data.items.number(item["item_id"])
        assert item["score"] == pytest.approx(total[number], rel=1e-4, abs=1e-4)
        for name, part in item["blocks"].items():
            assert part == pytest.approx(dense[name][number], rel=1e-4, abs=1e-4)
    scores = [item["score"] for item in found["items"]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 30 - len(model.ties.seen(number_of))


def test_weights_that_cannot_be_are_refused(client: TestClient) -> None:
    for weights, why in (({"nonsense": 1}, "no block"), ({"ials": -1}, "from 0"), ({"ials": 1e9}, "from 0")):
        assert why in post(client, "/recommend", {"user_id": "u0", "weights": weights}, expect=422)["detail"]
    none = dict.fromkeys(fitted().fitted.profiles.weights, 0)
    assert "no block counts" in post(client, "/recommend", {"user_id": "u0", "weights": none}, expect=422)["detail"]
    both = ask(client, "/recommend", user_id="u0", weights="ials:2,spectral:0.1", k=30)
    body = {"user_id": "u0", "weights": {"ials": 2, "spectral": 0.1}, "k": 30}
    assert said(both)["items"] == said(post(client, "/recommend", body))["items"]
    assert "BLOCK:WEIGHT" in ask(client, "/recommend", expect=422, user_id="u0", weights="ials")["detail"]


def test_what_is_told_twice_or_is_no_number_is_refused(client: TestClient) -> None:
    for weights in ("ials:2,ials:0.1", ["ials:2", "ials:2"]):
        found = ask(client, "/recommend", expect=422, user_id="u0", weights=weights)
        assert found["detail"].startswith("weights: ials is told twice, 2 and ")
    assert "k: it is told 2 times" in ask(client, "/recommend", expect=422, user_id="u0", k=[3, 4])["detail"]
    assert "user_id: it is told 2 times" in client.get("/similar?item_id=i1&user_id=u0&user_id=u1").json()["detail"]
    for path in ("/recommend", "/explain", "/admin/reload"):
        twice = '{"user_id": "u0", "item_id": "i1", "weights": {"ials": 2, "ials": 0.1}}'
        found = client.post(path, content=twice, headers={"content-type": "application/json"})
        said_ = "the body tells 'ials' more than once in one object; tell it once"
        assert (found.status_code, found.json()["detail"]) == (422, said_)
    true: list[dict[str, Any]] = [{"weights": {"ials": True}}, {"k": True}, {"diversity": True}, {"place": [True, 2]}]
    for body in true:
        found = post(client, "/recommend", {"user_id": "u0", **body}, expect=422)
        assert found["detail"].startswith(next(iter(body)))
        assert "true is no number" in found["detail"]


def test_a_weight_of_what_sits_out_is_said_to_change_nothing(client: TestClient) -> None:
    profiles = fitted().fitted.profiles
    of, (out, *_) = profiles.weights, [b.name for b in profiles.blocks if b.empty and b.name != "season"]
    heard = max(of, key=of.__getitem__)
    note = f"weights: {out} sits out in this model, so its weight changes nothing"
    asked: dict[str, Any] = {"user_id": "u9", "item_id": "i2", "weights": f"{out}:1,season:0,{heard}:2"}
    assert ask(client, "/recommend", user_id="u9", weights=asked["weights"])["degraded"] == [note]
    for path in ("/explain", "/why_not", "/contrast"):
        whole = asked | ({"other_id": "i4"} if path == "/contrast" else {})
        assert note in ask(client, path, **whole)["degraded"]
    alone = dict.fromkeys(of, 0) | {out: 1}
    assert "no block counts" in post(client, "/recommend", {"user_id": "u0", "weights": alone}, expect=422)["detail"]


SUPPOSED: dict[str, Any] = {"suppose": [{"item_id": "i2"}, {"item_id": "i4", "type": "like"}]}


@pytest.mark.parametrize(
    "asked",
    [
        {"user_id": "u0"},
        {"user_id": "nobody"},
        {"query": "tone"},
        {"history": ["i1", "i3"], "weights": {"popularity": 3.0}},
        {"user_id": "u0", "weights": {"ials": 2.0, "spectral": 0.0}, **SUPPOSED},
        {"user_id": "nobody", **SUPPOSED},
    ],
)
def test_reasons_are_of_the_score_that_was_given(asked: dict[str, Any], client: TestClient) -> None:
    """Under whatever weights, and whatever is supposed; and receipts of it hold."""
    items = post(client, "/recommend", {"blocks": True, "k": 30, **asked})["items"]
    for item in items:
        why = post(client, "/explain", {"item_id": item["item_id"], **asked})
        assert sum(item["blocks"].values()) == pytest.approx(item["score"], abs=1e-4)
        assert why["score"] == pytest.approx(item["score"], abs=1e-4)
        for name, part in why["blocks"].items():
            assert item["blocks"].get(name, 0.0) == pytest.approx(part, abs=1e-4)
    first, last = items[0], items[-1]
    receipt = post(client, "/explain", {"item_id": first["item_id"], **asked})["receipt"]
    assert post(client, "/verify", {"receipt": receipt})["verified"] is True
    assert post(client, "/why_not", {"item_id": last["item_id"], "k": 3, **asked})["rank"] == len(items)
    rather = post(client, "/contrast", {"item_id": first["item_id"], "other_id": last["item_id"], **asked})
    assert rather["difference"] == pytest.approx(first["score"] - last["score"], abs=1e-4)
    for moved in ("weights", "suppose"):
        if moved in asked:
            without = {name: said for name, said in receipt["asked"].items() if name != moved}
            lie = {**receipt, "asked": without}
            assert post(client, "/verify", {"receipt": lie})["verified"] is False, moved


def test_weights_of_parameters_are_those_of_a_body(client: TestClient) -> None:
    weights = {"ials": 2.0, "spectral": 0.1}
    for path, about in (
        ("/explain", {"item_id": "i1"}),
        ("/why_not", {"item_id": "i1", "k": 2}),
        ("/contrast", {"item_id": "i1", "other_id": "i2"}),
    ):
        known: dict[str, Any] = {"user_id": "u0", **about}
        usual, moved = ask(client, path, **known), ask(client, path, **known, weights="ials:2,spectral:0.1")
        assert said(moved) == said(post(client, path, {**known, "weights": weights})) != said(usual)
        assert "no block" in ask(client, path, expect=422, **known, weights="nonsense:1")["detail"]
    view = service_of(client).state.current.view(Shown(), weights)
    found = view.explain("u0", "i1")
    assert sum(found.shares.values()) == pytest.approx(found.score, abs=1e-4), "each item's and each friend's too"


def test_a_scenario_is_what_it_names(client: TestClient) -> None:
    plain: dict[str, Any] = {"k": 3, "filter": 'brand == "B1"', "diversity": 0.2}
    named = ask(client, "/recommend", user_id="u0", scenario="home")
    assert named["scenario"] == "home"
    assert ids(named) == ids(ask(client, "/recommend", user_id="u0", **plain))
    assert len(ids(ask(client, "/recommend", user_id="u0", scenario="home", k=5))) == 5
    assert "home" in ask(client, "/recommend", expect=422, user_id="u0", scenario="away")["detail"]


# --- exploration ------------------------------------------------------------------------------------------------------


def test_propensities_are_how_often_items_come() -> None:
    found = Found(np.arange(5, dtype=np.int64), np.arange(5, 0, -1).astype(np.float32))
    counts: dict[tuple[int, int], int] = {}
    stated: dict[tuple[int, int], float] = {}
    runs = 4000
    for n in range(runs):
        nums, _, propensities = explored(found, 2, 0.4, f"{n:08d}")
        for place, (num, propensity) in enumerate(zip(nums.tolist(), propensities.tolist(), strict=True)):
            counts[num, place] = counts.get((num, place), 0) + 1
            stated[num, place] = propensity
    assert sum(stated.values()) == pytest.approx(2)  # of each place they sum to 1
    for where, share in stated.items():
        assert counts[where] / runs == pytest.approx(share, abs=5 * (share * (1 - share) / runs) ** 0.5 + 1e-9)


def test_what_is_explored_is_stated_and_verified(client: TestClient) -> None:
    found = ask(client, "/recommend", user_id="u0", k=8, explore=0.2)
    assert all(0 < item["propensity"] <= 1 for item in found["items"])
    assert found["next_cursor"] is None
    assert post(client, "/verify", {"recommendation_id": found["recommendation_id"]})["verified"] is True
    assert "more than 0.2" in ask(client, "/recommend", expect=422, user_id="u0", explore=0.4)["detail"]
    assert "up to 100" in ask(client, "/recommend", expect=422, user_id="u0", k=101, explore=0.2)["detail"]


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_a_receipt_holds_and_one_that_was_changed_does_not(client: TestClient) -> None:
    event = {"user_id": "u7", "item_id": "i1", "type": "like"}
    receipts = [ask(client, "/explain", user_id="u7", item_id="i3", history="i11", limit=9)["receipt"]]
    post(client, "/events", {"events": [event]}, expect=202)
    receipts.append(ask(client, "/explain", user_id="u7", item_id="i3")["receipt"])
    receipts.append(ask(client, "/explain", history="i1,i5", item_id="i3", query="tone")["receipt"])
    for receipt in receipts:
        assert receipt["evidence"]
        found = post(client, "/verify", {"receipt": receipt})
        assert (found["verified"], found["why"]) == (True, [])
    block = max(receipts[0]["blocks"], key=receipts[0]["blocks"].get)
    evidence = receipts[0]["evidence"]
    told = (ask(client, "/explain", user_id="u9", item_id=f"i{n}", limit=9)["receipt"] for n in range(30))
    quoting = next(receipt for receipt in told if any(e["source"] for e in receipt["evidence"]))
    assert post(client, "/verify", {"receipt": quoting})["verified"] is True
    (quote, *_) = (e for e in quoting["evidence"] if e["source"])
    lies = [
        {**quoting, "evidence": [{**quote, "source": {**quote["source"], "quote": "I did not say so."}}]},
        {**receipts[0], "score": receipts[0]["score"] + 0.1},
        {**receipts[0], "blocks": {**receipts[0]["blocks"], block: 9.0}},
        {**receipts[0], "evidence": [{**evidence[0], "path": evidence[0]["path"][:-1]}]},
        {**receipts[0], "asked": {**receipts[0]["asked"], "item_id": "i5"}},
    ]
    for lie in lies:
        assert post(client, "/verify", {"receipt": lie})["verified"] is False
    unknown = {**receipts[0], "model_version": "another"}
    assert post(client, "/verify", {"receipt": unknown})["verified"] is None
    nonsenses: list[Any] = [{}, {"asked": {}}, {**receipts[0], "evidence": 3}, {**receipts[0], "heard": "x"}]
    for nonsense in nonsenses:
        assert "receipt" in post(client, "/verify", {"receipt": nonsense}, expect=422)["detail"]


def test_an_explanation_is_a_graph(client: TestClient) -> None:
    found = ask(client, "/explain", user_id="u0", item_id="i2", limit=20)
    nodes = {node["id"] for node in found["graph"]["nodes"]}
    steps = {(s["head"], s["relation"], s["tail"]) for e in found["evidence"] for s in e["path"]}
    assert {(e["source"], e["relation"], e["target"]) for e in found["graph"]["edges"]} == steps
    assert nodes == {node for head, _, tail in steps for node in (head, tail)}
    assert {"user:u0", "item:i2"} <= nodes


def test_documents_of_many_are_those_of_each(client: TestClient) -> None:
    body = {"user_ids": [f"u{n}" for n in range(40)] + ["nobody"], "k": 3}
    found = client.post("/recommend/batch", json=body)
    lines = [json.loads(line) for line in found.text.splitlines()]
    assert [line["user_id"] for line in lines] == body["user_ids"]
    for line in (lines[0], lines[17], lines[40]):
        assert said(line) == said(ask(client, "/recommend", user_id=line["user_id"], k=3))
    assert client.post("/recommend/batch", json={**body, "filter": "nonsense == 1"}).status_code == 422
