"""What a service is told: events show in the next answer, hidden items are nowhere, people are forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from graphrec.forgetting import forgotten
from graphrec.model.live import Live
from graphrec.serve.stored import Stored
from graphrec.serve.version import Version
from graphrec.store import Store
from tests.serve.support import ask, fitted, ids, post, said, service_of, serving


@pytest.fixture
def client() -> Iterator[TestClient]:
    with serving() as client:
        yield client


def like(user: str, item: str, kind: str = "like", **more: Any) -> dict[str, Any]:
    return {"events": [{"user_id": user, "item_id": item, "type": kind, **more}]}


def test_an_event_shows_in_the_next_answer(client: TestClient) -> None:
    before = ask(client, "/recommend", user_id="u0", k=30)
    best = ids(before)[0]
    found = post(client, "/events", like("u0", best), expect=202)
    assert (found["accepted"], found["duplicates"]) == (1, 0)
    after = ask(client, "/recommend", user_id="u0", k=30)
    assert best not in ids(after)
    folded = fitted().recommend_document("u0", 30, history=[best])
    assert ids(after) == ids(folded)
    top = after["items"][0]
    why = ask(client, "/explain", user_id="u0", item_id=top["item_id"])
    assert why["score"] == pytest.approx(top["score"], abs=1e-4)
    assert ask(client, "/why_not", user_id="u0", item_id=best, k=3)["taken"]
    assert ask(client, "/users/u0")["events"] == 8


def test_somebody_new_is_known_by_what_they_do(client: TestClient) -> None:
    assert ask(client, "/recommend", user_id="new")["degraded"]
    events = [{"user_id": "new", "item_id": f"i{n}", "time": f"2021-05-0{n}T12:00"} for n in (1, 3, 5)]
    post(client, "/events", {"events": events}, expect=202)
    behaviour = ask(client, "/users/new")["behaviour"]
    assert (behaviour["days_active"], behaviour["days_since_last"] > 1000) == (3, True), "since 2021, from now"
    found = ask(client, "/recommend", user_id="new", k=5)
    assert found["degraded"] == []
    assert {int(i[1:]) % 2 for i in ids(found)} == {1}


def test_a_dislike_is_heard_although_the_model_knows_none(client: TestClient) -> None:
    best = ids(ask(client, "/recommend", user_id="u0", k=1))[0]
    post(client, "/events", like("u0", best, "dislike"), expect=202)
    assert best not in ids(ask(client, "/recommend", user_id="u0", k=30))
    assert best in ids(ask(client, "/recommend", user_id="u0", k=30, seen="only"))
    assert ask(client, "/users/u0", export=True)["history"][-1]["strength"] < 0


def test_what_is_supposed_is_answered_and_not_kept(client: TestClient) -> None:
    before = ask(client, "/recommend", user_id="u0", k=30)
    best = ids(before)[0]
    body = {"user_id": "u0", "k": 30, "suppose": [{"item_id": best, "type": "like"}]}
    supposed = post(client, "/recommend", body)
    assert said(ask(client, "/recommend", user_id="u0", k=30)) == said(before)
    post(client, "/events", like("u0", best), expect=202)
    assert ids(ask(client, "/recommend", user_id="u0", k=30)) == ids(supposed)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"user_id": "u0"}, "item_id"),
        ({"user_id": "u0", "item_id": "i1", "type": "unheard of"}, "no kind of event"),
        ({"user_id": "u0", "item_id": "i1", "time": 4e12}, "no second"),
        (
            {"user_id": "u0", "item_id": "i1", "time": 1_700_000_000_000},
            "events.1.time: 1.7e+12 is no second, but milliseconds",
        ),
        ({"user_id": "u0", "item_id": "i1", "time": True}, "events.1.time: true is no time"),
        ({"user_id": "u0", "item_id": "i1", "time": -5}, "is before 1970"),
        ({"user_id": "u0", "item_id": "i1", "time": "1969-07-20"}, "is before 1970"),
        ({"user_id": "u0", "item_id": "i1", "time": "2999-01-01"}, "'2999-01-01' has not come yet"),
        ({"user_id": "u0", "item_id": "i1", "type": "unheard of"}, "events.1: 'unheard of'"),
        ({"user_id": "u0", "item_id": "i1", "time": "yesterday"}, "ISO 8601"),
        ({"user_id": "u0", "item_id": "i1", "valu": 1}, "no such parameter"),
        ({"user_id": "u0", "item_id": "i1", "place": [200, 1]}, "place: [200.0, 1.0]: the latitude 200"),
        ({"user_id": "", "item_id": "i1"}, "user_id"),
        ({"user_id": "u\0", "item_id": "i1"}, "character 0"),
    ],
)
def test_an_event_that_cannot_be_is_refused_with_all_beside_it(
    event: dict[str, Any], said: str, client: TestClient
) -> None:
    both = {"events": [{"user_id": "u0", "item_id": "i2"}, event]}
    assert said in post(client, "/events", both, expect=422)["detail"]
    assert service_of(client).state.head == 0


def test_events_outlive_the_service_and_are_counted_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'events.sqlite'}"
    event = like("u0", "i2", event_id="e1", source="shop", time="2026-01-31T12:00:00+01:00", place=[48.1, 11.6])
    with serving(journal=Stored(Store.open(url))) as client:
        assert post(client, "/events", event, expect=202)["accepted"] == 1
        assert post(client, "/events", event, expect=202)["duplicates"] == 1
        shown = said(ask(client, "/recommend", user_id="u0", k=30, blocks=True))
        client.delete("/items/i4")
        ask(client, "/recommend", user_id="u1", friends="u3,u5")
        service_of(client).recorder.flush()
        assert client.delete("/users/u3").json()["removed"]["answers"] == 1, "it names somebody who is forgotten"
    with serving(journal=Stored(Store.open(url))) as client:
        now = ask(client, "/recommend", user_id="u0", k=30, blocks=True)
        assert "i2" not in ids(now)
        assert [i for i in ids(shown) if i != "i4"] == ids(now)
        assert ask(client, "/recommend", user_id="u3")["degraded"][0].startswith("unknown_user")


def test_workers_hear_each_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'events.sqlite'}"
    with serving(journal=Stored(Store.open(url))) as one, serving(journal=Stored(Store.open(url))) as other:
        best = ids(ask(one, "/recommend", user_id="u0", k=1))[0]
        post(other, "/events", like("u0", best), expect=202)
        other.delete("/items/i4")
        state = service_of(one).state
        for _ in range(200):
            if state.head and state.shown.hidden:
                break
            state._stopped.wait(0.05)
        now = ids(ask(one, "/recommend", user_id="u0", k=30))
        assert best not in now
        assert "i4" not in now


# --- items ------------------------------------------------------------------------------------------------------------


def test_a_hidden_item_is_in_no_answer(client: TestClient) -> None:
    page = ask(client, "/recommend", user_id="u0", k=3)
    rest = ids(ask(client, "/recommend", user_id="u0", k=30))[3:]
    out = next(item for item in rest[1:] if len(item) > 2)  # so that no other id begins with it
    taken = "i0"
    assert client.delete(f"/items/{out}").json()["hidden"] is True
    client.delete(f"/items/{taken}")
    further = ask(client, "/recommend", user_id="u0", k=30, cursor=page["next_cursor"])
    assert ids(further) == [i for i in rest if i != out]
    assert out not in ids(ask(client, "/recommend", user_id="u0", k=30))
    assert out not in ids(ask(client, "/similar", item_id=rest[0], k=30))
    assert out not in ids(ask(client, "/recommend", query="tone", k=30))
    assert out not in ids(ask(client, "/recommend", user_id="u0", k=5, rerank=f"pin={out}"))
    assert out not in str(ask(client, "/items", k=1000)["items"])
    for path, more in (("/explain", {}), ("/why_not", {}), ("/contrast", {"other_id": "i4"}), ("/similar", {})):
        who = {} if path == "/similar" else {"user_id": "u0"}
        assert "hidden" in ask(client, path, expect=404, item_id=out, **who, **more)["detail"]
    for item in ids(further):
        why = str(ask(client, "/explain", user_id="u0", item_id=item, limit=50))
        assert "'item:i0'" not in why
        assert "Thing 0'" not in why
        assert ask(client, "/why_not", user_id="u0", item_id=item, k=1)["needed_by"] not in (out, taken)
    client.put(f"/items/{out}", json={})
    assert out in ids(ask(client, "/recommend", user_id="u0", k=30))


def test_a_hidden_item_counts_for_what_it_counted(client: TestClient) -> None:
    taken = [row["item_id"] for row in ask(client, "/users/u0", export=True)["history"]]
    first = ask(client, "/explain", user_id="u0", item_id="i2", limit=50)
    client.delete(f"/items/{taken[0]}")
    second = ask(client, "/explain", user_id="u0", item_id="i2", limit=50)
    assert second["score"] == pytest.approx(first["score"])
    assert second["blocks"] == pytest.approx(first["blocks"])
    assert f"'item:{taken[0]}'" in str(first["evidence"])
    assert f"'item:{taken[0]}'" not in str(second["evidence"])
    names = re.compile(rf"\b{first['title'].rpartition(' ')[0]} {taken[0][1:]}\b")
    told = [second["text"]]
    others = [i for i in ids(ask(client, "/recommend", user_id="u0", k=30)) if i != "i2"]
    for other in others:
        told.append(ask(client, "/contrast", user_id="u0", item_id="i2", other_id=other)["text"])
        told.append(ask(client, "/why_not", user_id="u0", item_id=other, k=1)["text"])
    assert not [text for text in told if names.search(text)]


def test_an_item_is_added_and_changed(client: TestClient) -> None:
    new = {"title": "A new thing", "text": "The tone of it is good.", "attributes": {"brand": "B9", "price": 12.5}}
    client.put("/items/new%2F1%20%C3%A4", json=new)
    item = ask(client, "/items/new%2F1%20%C3%A4")
    assert (item["item_id"], item["title"]) == ("new/1 ä", "A new thing")
    assert item["attributes"] == {"brand": ["B9"], "price": ["12.5"]}
    assert ids(ask(client, "/recommend", user_id="u0", filter='brand == "B9"')) == ["new/1 ä"]
    path = "/items/new%2F1%20%C3%A4"
    base, *_ = item["model_version"].split(".")
    client.patch(path, json={"attributes": {"colour": "red"}})
    assert ask(client, path)["attributes"] == {"brand": ["B9"], "price": ["12.5"], "colour": ["red"]}
    client.patch(path, json={"attributes": {"price": []}})
    assert ask(client, path)["attributes"] == {"brand": ["B9"], "colour": ["red"]}
    client.put(path, json={"title": "Newer"})
    assert ask(client, path)["attributes"] == {"brand": ["B9"], "colour": ["red"]}, "what is not told stays"
    client.put(path, json={"attributes": {"brand": "B8", "price": 3}})
    client.patch("/items/i2", json={"attributes": {"colour": "blue"}})
    item = ask(client, path)
    assert (item["title"], item["attributes"]) == ("Newer", {"brand": ["B8"], "price": ["3"]}), "and no colour"
    state = service_of(client).state
    again = state.ready(Version(Live(fitted().fitted), "again"))
    number = again.model.data.items.number("new/1 ä")
    rows = again.model.data.item_attributes
    rows = rows[rows["item_num"] == number]
    assert sorted(zip(rows["key"], rows["value"], strict=True)) == [("brand", "B8"), ("price", "3")]
    assert {base, again.base} == {fitted().fitted.version}
    assert again.name.partition(".")[0] == state.current.name.partition(".")[0] == base
    assert again.name != base
    client.patch("/items/i2", json={"title": "Renamed"})
    titles = {row["item_id"]: row["title"] for row in ask(client, "/recommend", user_id="u0", k=30)["items"]}
    assert titles["i2"] == "Renamed"
    assert client.patch("/items/absent", json={"title": "x"}).status_code == 404
    assert client.delete("/items/absent").status_code == 404
    assert client.patch("/items/i2", json={}).status_code == 422
    post(client, "/events", like("u0", "new/1 ä"), expect=202)
    assert "new/1 ä" not in ids(ask(client, "/recommend", user_id="u0", k=40))


def test_an_event_of_an_item_that_comes_later_counts_then(client: TestClient) -> None:
    post(client, "/events", like("u0", "later"), expect=202)
    client.put("/items/later", json={"title": "Later"})
    assert "later" in ids(ask(client, "/recommend", user_id="u0", k=40, seen="only"))


# --- people -----------------------------------------------------------------------------------------------------------


def test_somebody_forgotten_is_nobody(client: TestClient) -> None:
    client.patch("/items/i3", json={"title": "Renamed"})  # another version of one folder
    post(client, "/events", like("u0", "i2"), expect=202)
    service = service_of(client)
    ask(client, "/recommend", user_id="u0")
    receipt = ask(client, "/explain", user_id="u0", item_id="i4")["receipt"]
    found = client.delete("/users/u0").json()
    (pending,) = found["pending"]
    assert found["removed"]["events"] == 1
    assert all(told in pending for told in ("graphrec forget", service.state.current.base))
    assert client.get("/ready").json()["erasures_pending"] == 1
    assert "graphrec_erasures_pending 1" in client.get("/metrics").text
    assert client.delete("/users/of-whom-nothing-is-known").json()["pending"] == []
    assert client.get("/ready").json()["erasures_pending"] == 1
    nobody = ask(client, "/recommend", user_id="nobody")
    assert {**said(ask(client, "/recommend", user_id="u0")), "user_id": "nobody"} == said(nobody)
    assert ask(client, "/users/u0")["events"] == 0
    assert "u0" not in ask(client, "/users", k=1000)["users"]
    assert ask(client, "/recommend", friends="u0")["degraded"][-1].startswith("unknown_friends")
    assert ask(client, "/explain", user_id="u0", item_id="i4")["degraded"][0].startswith("unknown_user")
    assert post(client, "/verify", {"receipt": receipt})["verified"] is None
    assert service.recorder.find(receipt["recommendation_id"]) is None
    post(client, "/events", {"events": [{"user_id": "u0", "item_id": i} for i in ("i1", "i3", "i5")]}, expect=202)
    again = ask(client, "/recommend", user_id="u0", k=5)
    assert {int(i[1:]) % 2 for i in ids(again)} == {1}, "what they do from now on counts, and nothing from before"


def test_a_model_that_knows_them_no_more_takes_over_and_none_that_does_is_kept(client: TestClient) -> None:
    service, old = service_of(client), fitted().fitted
    state = service.state
    ready = state.ready(Version(Live(old), "meanwhile"))
    post(client, "/events", like("u0", "i2"), expect=202)
    client.delete("/users/u0")
    post(client, "/events", like("u0", "i4"), expect=202)
    state.take_over(ready)
    assert (ready.held, state.pending, ready.live.count("u0")) == (frozenset(["u0"]), 1, 1), (
        "erased while it was made ready"
    )
    without, _ = forgotten(old, ["u0"], "quick", caches=False)
    state.take_over(state.ready(Version(Live(without), "without")))
    assert (state.pending, state.previous, [v.name for v in state.versions]) == (0, None, [without.version])
    assert state.current.live.count("u0") == 1, "what they did since"


def test_who_came_back_and_was_learned_of_is_known(client: TestClient) -> None:
    client.delete("/users/u0")
    post(client, "/events", like("u0", "i2"), expect=202)
    state = service_of(client).state
    nobody = ids(ask(client, "/recommend", user_id="nobody", k=5))
    assert state.is_gone("u0")
    state.take_over(state.ready(Version(Live(fitted().fitted), "anew", learned=state.head)))
    assert not state.is_gone("u0")
    assert state.pending == 0
    assert ids(ask(client, "/recommend", user_id="u0", k=5)) != nobody


@pytest.mark.parametrize(
    "name", ["ä/ö ü", "..%", "a b?c#d", "日本", "\U0001f600", "'; DROP TABLE", "<script>", "x" * 512, "a\nb\n", ".."]
)
def test_any_id_round_trips(name: str, client: TestClient) -> None:
    post(client, "/events", like(name, "i1", event_id=name), expect=202)
    found = client.get("/recommend", params={"user_id": name, "k": 3}).json()
    assert (found["user_id"], "i1" in ids(found)) == (name, False)
    path = f"/users/{quote(name, safe='').replace('.', '%2E')}"
    assert client.get(path).json()["user_id"] == name
    assert client.delete(path).json()["removed"]["events"] == 1
