"""The HTTP service: every way of asking, every mistake, and many at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import graphrec as gr
from graphrec.recommender import Recommender
from tests.features.test_encoder import CountingEncoder
from tests.model.shop import QUICK, WordExtractor, shop
from tests.serve.support import ask, fitted, ids, post, said, serving


@pytest.fixture(scope="module")
def model() -> Recommender:
    return fitted()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with serving() as client:
        yield client


def test_an_answer_is_the_document(client: TestClient, model: Recommender) -> None:
    assert said(ask(client, "/recommend", user_id="u0", k=4)) == model.recommend_document("u0", 4)
    similar = said(ask(client, "/similar", item_id="i2", k=3))
    assert similar == {**model.similar_document("i2", 3), "model_version": model.fitted.version}


def test_a_history_is_folded_in(client: TestClient, model: Recommender) -> None:
    found = ask(client, "/recommend", user_id="u0", k=30, history=["i1", "i3"])
    assert said(found) == model.recommend_document("u0", 30, history=["i1", "i3"])
    assert said(found) == said(ask(client, "/recommend", user_id="u0", k=30, history="i1,i3"))
    assert not {"i1", "i3"} & set(ids(found))
    assert ids(found) != [i for i in ids(ask(client, "/recommend", user_id="u0", k=30)) if i not in ("i1", "i3")]


def test_a_history_alone_is_answered_and_explained(client: TestClient) -> None:
    found = ask(client, "/recommend", history="i1,i3,i5", k=5)
    assert found["user_id"] is None
    assert {int(i[1:]) % 2 for i in ids(found)} == {1}
    top = found["items"][0]
    why = ask(client, "/explain", history=["i1", "i3", "i5"], item_id=top["item_id"])
    assert why["score"] == pytest.approx(top["score"], abs=1e-4)
    assert ask(client, "/why_not", history="i1,i3,i5", item_id=ids(found)[4], k=2)["rank"] == 5
    gap = found["items"][1]["score"] - top["score"]
    second, first = ids(found)[1], ids(found)[0]
    between = ask(client, "/contrast", history="i1,i3,i5", item_id=second, other_id=first)
    assert between["difference"] == pytest.approx(gap, abs=1e-4)


def test_a_query_changes_the_order(client: TestClient, model: Recommender) -> None:
    found = ask(client, "/recommend", user_id="u0", k=30, query="neck")
    assert said(found) == model.recommend_document("u0", 30, query="neck")
    assert ids(found) != ids(ask(client, "/recommend", user_id="u0", k=30))
    assert ask(client, "/explain", user_id="u0", item_id=ids(found)[0], query="neck")["score"] == pytest.approx(
        found["items"][0]["score"], abs=1e-4
    )


def test_words_that_many_ask_in_are_embedded_once(model: Recommender) -> None:
    before = len(model.encoder.asked)  # type: ignore[attr-defined]
    many = model.recommend(["u0", "u1", "nobody"], 5, query="tone")
    assert model.encoder.asked[before:].count("tone") == 1  # type: ignore[attr-defined]
    one = model.recommend("u1", 5, query="tone")
    assert many[many["user_id"] == "u1"]["item_id"].tolist() == one["item_id"].tolist()


def test_seen_filter_exclude_and_rerank(client: TestClient, model: Recommender) -> None:
    data = model.fitted.data
    taken = {data.items.ids[n] for n in model.fitted.ties.history(data.users.number("u0"))}
    assert set(ids(ask(client, "/recommend", user_id="u0", k=30, seen="only"))) == taken
    assert len(ids(ask(client, "/recommend", user_id="u0", k=30, seen="allow"))) == 30
    assert not taken & set(ids(ask(client, "/recommend", user_id="u0", k=30)))
    brand = ask(client, "/recommend", user_id="u0", k=30, filter='brand == "B1"')
    assert {int(i[1:]) % 2 for i in ids(brand)} == {1}
    assert "fewer_items" in brand["degraded"][0]
    best, second = ids(ask(client, "/recommend", user_id="u0", k=2))
    assert ids(ask(client, "/recommend", user_id="u0", k=1, exclude=best)) == [second]
    pinned = ask(client, "/recommend", user_id="u0", k=2, rerank=f"pin={second}")
    assert ids(pinned) == [second, best]
    assert pinned["changes"][0]["pinned"] == [second]
    none = ask(client, "/recommend", user_id="u0", filter='brand == "none"')
    assert none["items"] == []
    assert "none of 30 items passes the filter" in none["degraded"][0]


def test_words_alone_are_answered(client: TestClient, model: Recommender) -> None:
    assert said(ask(client, "/recommend", query="tone", k=3)) == model.recommend_document(None, 3, query="tone")
    assert "or a query" in ask(client, "/recommend", expect=422, query=" ")["detail"]


def test_somebody_unknown_gets_what_is_popular(client: TestClient) -> None:
    found = ask(client, "/recommend", user_id="nobody", k=3)
    assert ask(client, "/explain", user_id="nobody", item_id="i0")["degraded"] == found["degraded"]
    assert len(found["items"]) == 3
    assert found["degraded"][0].startswith("unknown_user")


def test_a_place_is_told_as_a_parameter_too(client: TestClient) -> None:
    whole = said(post(client, "/recommend", {"user_id": "u0", "k": 3, "place": [48.1, 11.6]}))
    assert said(ask(client, "/recommend", user_id="u0", k=3, place=[48.1, 11.6])) == whole
    assert said(ask(client, "/recommend", user_id="u0", k=3, place="48.1,11.6")) == whole
    assert "not take PUT, but GET" in client.put("/similar").json()["detail"]


@pytest.mark.parametrize(
    ("path", "parameters", "status", "said"),
    [
        ("/recommend", {"user_id": "u0", "history": "absent"}, 404, "'absent'"),
        ("/recommend", {"user_id": "u0", "exclude": "absent"}, 404, "'absent'"),
        ("/similar", {"item_id": "absent"}, 404, "'absent'"),
        ("/explain", {"user_id": "u0", "item_id": "absent"}, 404, "'absent'"),
        ("/explain", {"item_id": "i0"}, 422, "user_id, or history"),
        ("/recommend", {}, 422, "user_id, or history"),
        ("/recommend", {"user_id": "u0", "k": 0}, 422, "k: "),
        ("/recommend", {"user_id": "u0", "k": 1001}, 422, "k: "),
        ("/recommend", {"user_id": "u0", "seen": "maybe"}, 422, "seen: "),
        ("/recommend", {"user_id": "u0", "filter": "colour == 1"}, 422, "'colour'"),
        ("/recommend", {"user_id": "u0", "filter": "__import__('os')"}, 422, "filter"),
        ("/recommend", {"user_id": "u0", "rerank": "magic=1"}, 422, "magic"),
        ("/recommend", {"user_id": "u0", "histroy": "i1"}, 422, "histroy: there is no such parameter"),
        ("/live", {"verbose": "1"}, 422, "no such parameter"),
        ("/nothing", {}, 404, "/docs lists all"),
        ("/recommend", {"user_id": "u0", "place": "48.1"}, 422, "place: "),
        ("/recommend", {"user_id": "u0", "place": "91,0"}, 422, "latitude 91"),
        ("/similar", {}, 422, "item_id: "),
        ("/contrast", {"user_id": "u0", "item_id": "i0", "other_id": "i0"}, 422, "itself"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(
    path: str, parameters: dict[str, Any], status: int, said: str, client: TestClient
) -> None:
    detail = ask(client, path, expect=status, **parameters)["detail"]
    assert said in detail
    assert "\n" not in detail


def test_many_at_once_get_what_they_would_get_alone(model: Recommender) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []
    for n in range(12):
        item = ("i0", "i1")[n % 2]
        asked += [
            ("/recommend", {"user_id": f"u{n}", "k": 5}),
            ("/recommend", {"user_id": f"u{n}", "k": 5, "history": f"i{n},i{n + 7}", "filter": 'brand == "B0"'}),
            ("/recommend", {"history": f"i{n}", "query": "tone", "rerank": "diversity=0.4"}),
            ("/recommend", {"user_id": "nobody", "seen": "allow"}),
            ("/explain", {"user_id": f"u{n}", "item_id": item}),
            ("/why_not", {"user_id": f"u{n}", "item_id": item}),
            ("/similar", {"item_id": item}),
        ]
    with serving() as one:
        alone = [said(ask(one, path, **parameters)) for path, parameters in asked]
    fresh = Recommender(QUICK, encoder=CountingEncoder(), extractor=WordExtractor()).fit(shop(), model.fitted.chosen)
    with serving(fresh.fitted, settings={"limits": {"threads": 4}}) as many, ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda a: said(ask(many, a[0], **a[1])), asked))
    for first, second in zip(alone, together, strict=True):
        first.pop("model_version", None), second.pop("model_version", None)
        assert second == first


def test_what_is_asked_in_a_body_is_what_is_asked_in_parameters(client: TestClient) -> None:
    body: dict[str, Any] = {
        "user_id": "u3",
        "history": ["i1"],
        "query": "tone",
        "k": 4,
        "exclude": ["i5"],
        "diversity": 0.3,
    }
    found = post(client, "/recommend", body)
    assert said(found) == said(ask(client, "/recommend", **body))
    assert "no such parameter" in post(client, "/recommend", {**body, "kk": 1}, expect=422)["detail"]
    assert post(client, "/recommend", {"user_id": "u3", "attributes": {"unheard": "x"}}, expect=422)


def test_every_answer_carries_what_it_is_of(client: TestClient, model: Recommender) -> None:
    seen = set()
    paths = ["/live", "/ready", "/version", "/model", "/similar?item_id=i1", "/recommend?user_id=u0", "/users/u0"]
    paths += ["/explain?user_id=u0&item_id=i1", "/items/i1", "/items", "/users", "/recommend", "/nowhere"]
    for path in paths:
        found = client.get(path).json()
        assert found["model_version"] == model.fitted.version, path
        assert isinstance(found["degraded"], list)
        seen.add(found["recommendation_id"])
    assert len(seen) == len(paths)


def test_the_model_card(model: Recommender, tmp_path: Path) -> None:
    model.save(tmp_path / "m")
    with serving(gr.load(tmp_path / "m").fitted) as client:
        found = ask(client, "/model")
    assert found["model_version"] == model.fitted.version
    assert {**dict(shop().counts()), "reviews": 280}.items() <= found["counts"].items()
    assert {block["name"] for block in found["blocks"]} == set(model.fitted.profiles.weights)
    (brand,) = found["attributes"]
    assert brand["values"] == [{"value": "B0", "items": 15}, {"value": "B1", "items": 15}]
    assert found["cleared"] == []
    assert found["freshness"]["unseen_events"] == 0
