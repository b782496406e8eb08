"""Two models on trial whose lists are interleaved: whose each item is, the same draw again, and whom people prefer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import graphrec as gr
from graphrec.evaluate.trial import team_draft
from graphrec.serve.stored import Stored
from graphrec.serve.trial import seed_of, share_of
from graphrec.store import Store
from tests.cli.support import document, printed, run
from tests.serve.support import ask, fitted, ids, post, service_of, serving
from tests.serve.test_reload import other

PEOPLE = [f"u{n}" for n in range(40)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models")
    fitted().save(out / "one")
    other().save(out / "two")
    return out


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def client(models: Path, url: str) -> Iterator[TestClient]:
    journal = Stored(Store.open(url))
    with serving(gr.load(models / "one").fitted, journal, folder=models, artifact="one") as client:
        yield client


def test_lists_of_a_share_of_people_are_of_two(client: TestClient, models: Path, url: str) -> None:
    single = {user: ids(ask(client, "/recommend", user_id=user, k=6)) for user in PEOPLE[:8]}
    old = ask(client, "/ready")["model_version"]
    new = post(client, "/admin/reload", {"artifact": "two", "interleave": 0.5})["model_version"]
    assert ask(client, "/ready")["trial"] == {"model_version": new, "share": 0.5, "interleaved": True}
    loaded = gr.load(models / "two")
    for user in PEOPLE[:8]:
        found = ask(client, "/recommend", user_id=user, k=6, blocks=True)
        if share_of(user, "graphrec") >= 0.5:
            assert ids(found) == single[user]
            assert "interleaved" not in found
            continue
        theirs = loaded.recommend_document(user, 6)
        merged, teams = team_draft(single[user], ids(theirs), 6, seed_of(found["recommendation_id"]))
        assert (ids(found), [item["team"] for item in found["items"]]) == (merged, teams)
        assert [item["rank"] for item in found["items"]] == [1, 2, 3, 4, 5, 6]
        scores = {item["item_id"]: item["score"] for item in theirs["items"]}
        for item in found["items"]:
            assert item["model_version"] == (old if item["team"] == "a" else new)
            assert item["team"] == "a" or item["score"] == pytest.approx(scores[item["item_id"]], abs=1e-5)
            assert sum(item["blocks"].values()) == pytest.approx(item["score"], abs=1e-4)
        assert found["interleaved"] == {"a": old, "b": new}
        assert (found["model_version"], found["next_cursor"], found["degraded"]) == (old, None, [])
        assert post(client, "/verify", {"recommendation_id": found["recommendation_id"]})["verified"] is True
        service_of(client).recorder.flush()
        with Store.open(url) as store:
            kept = store.impressions(found["recommendation_id"])
        assert [i.model_version for i in kept] == [item["model_version"] for item in found["items"]]
    assert ask(client, "/recommend", history="i1")["model_version"] == old


def test_what_has_two_pages_or_is_explored_is_of_one(client: TestClient) -> None:
    page = ask(client, "/recommend", user_id="u0", k=3)
    post(client, "/admin/reload", {"artifact": "two", "interleave": 1})
    rest = ask(client, "/recommend", user_id="u0", k=3, cursor=page["next_cursor"])
    assert (rest["model_version"], "interleaved" in rest) == (page["model_version"], False)
    assert "interleaved" not in ask(client, "/recommend", user_id="u0", explore=0.2)
    assert "interleaved" in ask(client, "/recommend", user_id="u0", rerank="diversity=0.3")
    weights = post(client, "/recommend", {"user_id": "u0", "weights": {"nothing": 1}}, expect=422)
    assert "no block" in weights["detail"]
    assert "one way" in post(client, "/admin/reload", {"canary": 0.1, "interleave": 0.1}, expect=422)["detail"]


def test_a_verified_list_is_of_whom_it_says(client: TestClient) -> None:
    post(client, "/admin/reload", {"artifact": "two", "interleave": 1})
    found = ask(client, "/recommend", user_id="u0", k=6)
    answering, recorder = service_of(client).answering, service_of(client).recorder
    kept: Any = recorder.find(found["recommendation_id"])
    items = [{**item, "team": "b"} for item in kept["items"]]
    verified, why = answering.verify(found["recommendation_id"], {**kept, "items": items})
    assert (verified, why) == (False, ["items are of another model"])
    event = {"user_id": "u0", "item_id": found["items"][0]["item_id"], "type": "like"}
    post(client, "/events", {"events": [event | {"recommendation_id": found["recommendation_id"]}]}, 202)
    assert post(client, "/verify", {"recommendation_id": found["recommendation_id"]})["verified"] is True
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith("graphrec_funnel_total")]
    assert len(lines) == 1
    assert f'version="{found["items"][0]["model_version"]}"' in lines[0]


def test_the_model_on_trial_may_fail(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    post(client, "/admin/reload", {"artifact": "two", "interleave": 1})
    answering = service_of(client).answering
    trial = service_of(client).state.trial
    assert trial is not None
    whole = answering.document

    def fails(question: Any, found: Any) -> Any:
        if question.version is trial.version:
            raise RuntimeError
        return whole(question, found)

    monkeypatch.setattr(answering, "document", fails)
    found = ask(client, "/recommend", user_id="u0")
    assert "interleaved" not in found
    assert found["degraded"] == ["interleave: the model on trial fails, so this list is of the other one alone"]


def test_what_people_prefer_is_reported(client: TestClient, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody likes what the new model put first, where its first is no item of the other's."""
    run("experiment", "report", "--store", url, "--interleaved", expect=2)
    assert "interleave" in capsys.readouterr().err
    post(client, "/admin/reload", {"artifact": "two", "interleave": 1})
    for user in PEOPLE:
        found = ask(client, "/recommend", user_id=user, k=6)
        liked = next(item["item_id"] for item in found["items"] if item["team"] == ("a" if user == "u7" else "b"))
        event = {"user_id": user, "item_id": liked, "recommendation_id": found["recommendation_id"]}
        disliked = {**event, "item_id": found["items"][-1]["item_id"], "type": "dislike"}
        post(client, "/events", {"events": [event, disliked]}, 202)
    service_of(client).recorder.flush()
    found = document(capsys, "experiment", "report", "--store", url)
    assert (found["people"], found["for_a"], found["for_b"], found["for_neither"]) == (40, 1, 39, 0)
    assert found["value"] == pytest.approx(38 / 40)
    assert found["low"] < found["value"] <= found["high"] <= 1
    assert found["p_value"] < 1e-9
    assert "preference" in printed(capsys, "experiment", "report", "--store", url, "--interleaved")
    run("experiment", "report", "--store", url, "--share", "0.5")
    assert "--share is not checked here" in capsys.readouterr().err
    post(client, "/admin/rollback", None)
    for user in PEOPLE[:4]:
        ask(client, "/recommend", user_id=user)
    post(client, "/admin/reload", {"artifact": "two"})
    for n, user in enumerate(PEOPLE[4:8]):
        client.put("/items/told", json={"title": f"Told {n}"})
        ask(client, "/recommend", user_id=user)
    service_of(client).recorder.flush()
    report = document(capsys, "experiment", "report", "--store", url)
    assert (report["a"]["answers"], report["b"]["answers"]) == (4, 4), "what was interleaved is not among them"
    version, base = ask(client, "/ready")["model_version"], service_of(client).state.current.base
    assert version.startswith(f"{base}."), "of other items, and the same model"
    (other,) = {report["a"]["name"], report["b"]["name"]} - {base}
    named = document(capsys, "experiment", "report", "--store", url, "--a", version, "--b", other)
    assert (named["a"]["name"], named["a"]["answers"]) == (base, 4)
    assert version not in client.get("/metrics").text
    printed(capsys, "experiment", "report", "--store", url)


def test_an_item_told_of_meanwhile_is_known_to_the_model_before(client: TestClient) -> None:
    """After a rollback, and where it was told of while another model was made ready."""
    state = service_of(client).state
    post(client, "/admin/reload", {"artifact": "two"})
    client.put("/items/later", json={"title": "Later"})
    post(client, "/admin/rollback", None)
    assert ask(client, "/items/later")["title"] == "Later"
    from graphrec.serve.loading import read

    version = state.ready(read(service_of(client).folder / "two"))  # type: ignore[operator]
    client.put("/items/latest", json={"title": "Latest"})
    client.delete("/users/u3")
    state.take_over(version)
    assert ask(client, "/items/latest")["title"] == "Latest"
    assert state.current.live.count("u3") == 0
