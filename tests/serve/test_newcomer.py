"""What somebody new to the service came upon: each fault was there, and is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from graphrec.data.attributes import Column
from graphrec.errors import MissingModelError
from graphrec.evaluate import metrics
from graphrec.model import update
from graphrec.model.worded import MEANINGLESS
from graphrec.serve.journal import Memory
from graphrec.serve.service import surprise
from graphrec.serve.stored import Stored
from graphrec.store import Store
from tests.features.test_encoder import CountingEncoder
from tests.serve.support import ask, fitted, ids, post, service_of, serving


@pytest.fixture
def client() -> Iterator[TestClient]:
    with serving() as client:
        yield client


# --- items that cannot be taken in ------------------------------------------------------------------------------------


def breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No block can grow by an item that is called bad."""
    grown = update._grown_blocks

    def refuses(model: Any, data: Any, touched: Any, of_items: Any, due: bool) -> Any:
        if "bad" in of_items["item_id"].tolist():
            raise RuntimeError("cannot grow")
        return grown(model, data, touched, of_items, due)

    monkeypatch.setattr(update, "_grown_blocks", refuses)


def test_an_item_that_cannot_be_taken_in_is_refused_and_not_kept(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    breaks(monkeypatch)
    found = client.put("/items/bad", json={"title": "Bad"})
    assert found.status_code == 422
    assert "'bad' cannot be taken in" in found.json()["detail"]
    assert service_of(client).state.journal.told(0) == []
    assert [record.told["what"] for record in caplog.records if hasattr(record, "told")] == ["items"]
    assert client.put("/items/good", json={"title": "Good"}).status_code == 200
    assert ask(client, "/recommend", user_id="u0")["degraded"] == []
    assert ask(client, "/items/bad", expect=404)


def test_an_item_of_which_nothing_or_nonsense_is_said_is_refused() -> None:
    model = fitted().fitted
    typed = Column("price", "number"), Column("made", "date"), Column("organic", "boolean")
    data = replace(model.data, item_columns=(*model.data.item_columns, *typed))
    with serving(replace(model, data=data)) as client:
        for body, what in (
            ({"title": ""}, "title: found '', which is empty; leave it out"),
            ({"title": " \n"}, "which is empty; leave it out"),
            ({"attributes": {"brand": [""]}}, "attributes.brand: found '', which is no value; [] says"),
            ({"attributes": {"brand": ["B1", "N/A"]}}, "attributes.brand: found 'N/A', which is no value; [] says"),
            ({"attributes": {"price": "cheap"}}, "attributes.price: 'cheap' is no number, which price is of all"),
            ({"attributes": {"price": ["12", "cheap"]}}, "attributes.price: 'cheap' is no number"),
            ({"attributes": {"price": True}}, "attributes.price: 'true' is no number"),
            ({"attributes": {"price": None}}, "attributes.price: null is no value; give a text, a number"),
            ({"attributes": {"brand": ["B1", {}]}}, "attributes.brand: an object is no value; give a text"),
            ({"attributes": {"made": "long ago"}}, "attributes.made: 'long ago' is no date"),
            ({"attributes": {"organic": "perhaps"}}, "attributes.organic: 'perhaps' is no boolean"),
        ):
            for send in (client.put, client.patch):
                found = send("/items/i3", json=body)
                assert (found.status_code, what in found.json()["detail"]) == (422, True), found.text
        assert service_of(client).state.journal.told(0) == []
        good = {"price": "€ 1,200", "made": "2019-03-01", "organic": True, "brand": "None other", "sizes": [1, 2.5]}
        found = client.patch("/items/i3", json={"attributes": good})
        assert found.json()["attributes"]["organic"] == ["true"]
        assert found.json()["attributes"]["sizes"] == ["1", "2.5"]
        passing = 'organic and price > 1000 and made == "2019"'
        assert ids(ask(client, "/recommend", user_id="u1", seen="allow", filter=passing)) == ["i3"]


def test_what_another_told_and_cannot_be_taken_in_blocks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted().save(tmp_path / "one")
    journal = Memory()
    for name in ("good", "bad", "fine"):
        journal.tell(name, {"title": name})
    breaks(monkeypatch)
    with serving(journal=journal, folder=tmp_path, artifact="one") as client:
        assert ask(client, "/items/good")["title"] == "good"
        assert ask(client, "/items/fine")["title"] == "fine"
        assert ask(client, "/recommend", user_id="u0")["degraded"][0].startswith("items: ")
        assert post(client, "/admin/reload", {})["outcome"] == "taken"
        assert ask(client, "/ready")["items_refused"] == 1
        monkeypatch.undo()
        post(client, "/admin/reload", {})
        assert ask(client, "/recommend", user_id="u0")["degraded"] == []
        assert ask(client, "/items/bad")["title"] == "bad"


def test_an_empty_put_makes_an_item_in_a_store_too(tmp_path: Path) -> None:
    with serving(journal=Stored(Store.open(f"sqlite:///{tmp_path / 's.db'}"))) as client:
        assert client.put("/items/bare", json={}).json()["item_id"] == "bare"


# --- all that is known of somebody ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [False, True])
def test_an_export_holds_all_that_is_known(stored: bool, tmp_path: Path) -> None:
    journal = Stored(Store.open(f"sqlite:///{tmp_path / 's.db'}")) if stored else Memory()
    with serving(journal=journal) as client:
        events = [{"user_id": "u0", "item_id": item, "type": "like"} for item in ("i2", "nobody's")]
        post(client, "/events", {"events": events}, expect=202)
        given = ask(client, "/recommend", user_id="u0", query="tone")["recommendation_id"]
        named = ask(client, "/recommend", user_id="u1", friends="u0")["recommendation_id"]
        found = ask(client, "/users/u0", export=True)
        assert found["events"] == ask(client, "/users/u0")["events"], "a number, as without"
        kept = found["stored"]
        assert {event["item_id"] for event in kept["events"]} == {"i2", "nobody's"}
        (answer,) = kept["answers"]
        assert answer["recommendation_id"] == given
        assert answer["request"]["query"] == "tone"
        assert kept["named_in"] == [named]
        learned, data = found["learned"], fitted().fitted.data
        assert len(learned["events"]) == int((data.events.user_nums == 0).sum()) == len(learned["reviews"])
        assert learned["reviews"][0]["text"].startswith("I bought it in spring")
        assert learned["hears"] == learned["heard_by"] == ["u2"]
        client.delete("/users/u0")
        gone = ask(client, "/users/u0", export=True)
        assert (gone["stored"], gone["learned"]) == ({"events": [], "answers": [], "named_in": []}, None)
        assert "graphrec forget" in gone["remains"][0]


# --- words, counts, ages ----------------------------------------------------------------------------------------------


def test_the_encoder_is_loaded_before_anybody_asks(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    with serving(replace(fitted().fitted, encoder=lambda: encoder)):
        assert set(MEANINGLESS) < set(encoder.asked)  # what every question is compared with is there too
    with serving(replace(fitted().fitted, encoder=lambda: fail())) as client:
        degraded = ask(client, "/recommend", query="tone")["degraded"]
        assert [line for line in degraded if line.startswith("encoder")]


def fail() -> CountingEncoder:
    raise MissingModelError("none")


def counted(client: TestClient, name: str) -> list[str]:
    return [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]


def test_an_event_is_counted_once_by_one_worker_and_not_at_a_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    event = {"events": [{"user_id": "u0", "item_id": "i2", "type": "like", "event_id": "e"}]}
    with serving(journal=Stored(Store.open(url))) as one, serving(journal=Stored(Store.open(url))) as other:
        for _ in range(2):
            post(one, "/events", event, expect=202)
        service_of(other).state.catch_up()
        assert counted(one, "graphrec_events_total{") == ['graphrec_events_total{type="like"} 1.0']
        assert counted(other, "graphrec_events_total{") == []
    with serving(journal=Stored(Store.open(url))) as client:
        assert counted(client, "graphrec_events_total{") == []
        assert counted(client, "graphrec_unseen_events") == ["graphrec_unseen_events 1.0"]


def test_events_of_somebody_erased_are_not_unseen(client: TestClient) -> None:
    events = [{"user_id": user, "item_id": item} for user in ("u0", "u1") for item in ("i2", "nobody's")]
    post(client, "/events", {"events": events}, expect=202)
    assert counted(client, "graphrec_unseen_events") == ["graphrec_unseen_events 4.0"]
    client.delete("/users/u0")
    assert counted(client, "graphrec_unseen_events") == ["graphrec_unseen_events 2.0"]
    post(client, "/events", {"events": events[:1]}, expect=202)
    assert counted(client, "graphrec_unseen_events") == ["graphrec_unseen_events 3.0"]


def test_a_models_age_is_since_it_was_written(tmp_path: Path) -> None:
    """A folder says when it was written, and nothing in it: the same choices give the same bytes."""
    from graphrec.serve.loading import read

    fitted().save(tmp_path / "m")
    assert read(tmp_path / "m").made == pytest.approx((tmp_path / "m" / "manifest.json").stat().st_mtime)


def test_what_is_shown_is_as_novel_as_an_evaluation_says() -> None:
    data = fitted().fitted.data
    taken = np.bincount(data.interactions.item_nums, minlength=data.n_items)
    counts = np.arange(data.n_items)
    served = float(counts @ surprise(fitted().fitted) / counts.sum())
    assert served == pytest.approx(metrics.novelty(counts, taken, data.n_users), rel=1e-6)


# --- refusals that say what is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/recommend?user_id=%FF", "/recommend?us%FFer_id=u0", "/items/%C3", "/users/a%FFb"])
def test_an_id_that_is_no_text_is_refused(path: str, client: TestClient) -> None:
    found = client.get(path)
    assert found.status_code == 422
    assert "UTF-8" in found.json()["detail"]
    assert client.get("/recommend?user_id=%EF%BF%BD").json()["user_id"] == "\ufffd"


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b'{"user_id": "u0"}', "text/plain", "content-type is 'text/plain'"),
        (b'{"user_id": "u0"}', None, "content-type is missing"),
        (b"", "application/json", "there is no body"),
        (b"{", "application/json", "the body is no JSON"),
    ],
)
def test_a_body_of_another_kind_is_told_so(content: bytes, kind: str | None, said: str, client: TestClient) -> None:
    headers = {} if kind is None else {"content-type": kind}
    found = client.post("/recommend", content=content, headers=headers)
    assert (found.status_code, said in found.json()["detail"]) == (422, True), found.text


def test_there_is_one_bound_of_exploring(client: TestClient) -> None:
    for share in (0.3, 0.6, 7):
        found = ask(client, "/recommend", expect=422, user_id="u0", explore=share)
        assert found["detail"] == f"explore: {share:g} is more than 0.2, which this service allows"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        *(({"time": stamp}, "suppose.1.time: ") for stamp in (True, "2999-01-01", -1)),
        ({"type": "unheard of"}, "suppose.1: 'unheard of' is no kind of event"),
    ],
)
def test_what_is_supposed_has_a_time_and_a_kind_that_can_be(
    event: dict[str, Any], said: str, client: TestClient
) -> None:
    body = {"user_id": "u0", "suppose": [{"item_id": "i4"}, {"item_id": "i2", **event}]}
    assert post(client, "/recommend", body, expect=422)["detail"].startswith(said)


def test_a_short_list_names_what_was_excluded(client: TestClient) -> None:
    found = ask(client, "/recommend", user_id="u0", k=40, exclude="i2,i4")
    assert "`exclude`" in found["degraded"][0]
    client.delete("/items/i4")
    found = ask(client, "/recommend", user_id="u0", k=40)
    assert "fewer_items" in found["degraded"][0]
    assert "`exclude`" not in found["degraded"][0], "what is hidden nobody excluded"
    assert "`exclude`" in fitted().recommend("u0", 40, exclude=ids(found)[:2]).attrs["degraded"][0]


# --- what is kept, and for how long -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [False, True])
def test_old_answers_go_and_events_stay(stored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Stored(Store.open(f"sqlite:///{tmp_path / 's.db'}")) if stored else Memory()
    with serving(journal=journal, settings={"store": {"keep_days": 2}}) as client:
        service = service_of(client)
        post(client, "/events", {"events": [{"user_id": "u0", "item_id": "i2", "time": 5}]}, expect=202)
        with service.recorder._writing:
            old, new = (ask(client, "/recommend", user_id="u0", k=3)["recommendation_id"] for _ in range(2))
            first = service.recorder._waiting[0]
            service.recorder._waiting[0] = {**first, "time": time.time() - 3 * 86_400}
        service.recorder.flush()
        service.tending.once()
        assert post(client, "/verify", {"recommendation_id": old})["verified"] is None
        assert post(client, "/verify", {"recommendation_id": new})["verified"] is True
        assert len(ask(client, "/users/u0", export=True)["stored"]["events"]) == 1
        assert 'graphrec_dropped_total{table="answers"} 1.0' in counted(client, "graphrec_dropped_total")


def test_bytes_that_a_reader_held_are_gone_when_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Stored(Store.open(f"sqlite:///{tmp_path / 's.db'}"))
    with serving(journal=journal) as client:
        post(client, "/events", {"events": [{"user_id": "a rare name", "item_id": "i2"}]}, expect=202)
        journal.store.forget("a rare name", scrub=False)
        assert journal.store.erased_since(0, unscrubbed=True)
        for _ in range(50):
            service_of(client).tending.once()
            if not journal.store.erased_since(0, unscrubbed=True):
                break
            time.sleep(0.05)  # a reader was in the way
        assert not journal.store.erased_since(0, unscrubbed=True)
        assert all(b"a rare name" not in file.read_bytes() for file in tmp_path.iterdir())
