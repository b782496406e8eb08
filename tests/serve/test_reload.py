"""Another model takes over: without a question lost, of one version each; a bad one does not; a trial is of the same
people; and what was heard stays heard."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

import graphrec as gr
from graphrec.errors import ArtifactError
from graphrec.model.model import Model
from graphrec.recommender import Recommender
from graphrec.serve import eraser
from graphrec.serve.loading import Others
from graphrec.serve.service import Service
from graphrec.serve.state import State
from graphrec.serve.trial import share_of
from graphrec.serve.version import Version
from tests.serve.support import ask, fitted, ids, post, said, service_of, serving


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models side by side, and three that are none."""
    out = tmp_path_factory.mktemp("models")
    fitted().save(out / "one")
    other().save(out / "two")
    for name in ("corrupt", "cut"):
        fitted().save(out / name)
    index = out / "corrupt" / "index.faiss"
    index.write_bytes(index.read_bytes()[:-9] + b"corrupted")
    (out / "cut" / "manifest.json").unlink()
    (out / "empty").mkdir()
    return out


def other() -> Recommender:
    """The same people and items, of which others are the best."""
    model = fitted().fitted
    weights = {**model.profiles.weights, "spectral": 0.0, "neighbours": 0.0, "ials": 3.0}
    return Recommender.of(reweighted(model, weights))


def reweighted(model: Model, weights: dict[str, float]) -> Model:
    from dataclasses import replace

    from graphrec.profile.index import Index

    profiles = model.profiles.reweighted(weights)
    return replace(model, profiles=profiles, index=Index.build(profiles.item_matrix()), version="0123456789ab-deadbeef")


def test_twenty_times_under_load_and_no_question_is_lost(folder: Path) -> None:
    lists = {
        model.version: {u: ids(Recommender.of(model).recommend_document(u, 8)) for u in ("u0", "u9", "u20")}
        for model in (fitted().fitted, other().fitted)
    }
    assert len({str(each) for each in lists.values()}) == 2
    stopped, bad, seen = threading.Event(), [], set()

    with serving(gr.load(folder / "one").fitted, folder=folder, artifact="one") as client:

        def asks(user: str) -> int:
            count = 0
            while not stopped.is_set():
                found = client.get("/recommend", params={"user_id": user, "k": 8})
                if found.status_code != 200 or ids(found.json()) != lists[found.json()["model_version"]][user]:
                    bad.append(found.text)
                seen.add(found.json().get("model_version"))
                count += 1
            return count

        with ThreadPoolExecutor(3) as threads:
            counts = [threads.submit(asks, user) for user in ("u0", "u9", "u20")]
            outcomes = []
            for n in range(20):
                name = (
                    ("corrupt", "cut", "empty", "absent", "../models/one")[n // 4]
                    if n % 4 == 3
                    else ("two", "one")[n % 2]
                )
                outcomes.append(client.post("/admin/reload", json={"artifact": name}).status_code)
            stopped.set()
        assert bad == []
        assert seen == set(lists)
        assert sum(each.result() for each in counts) > 20
        assert [n for n, status in enumerate(outcomes) if status != 200] == [3, 7, 11, 15, 19]
        ready = ask(client, "/ready")
        assert ready["refused"] == "what was asked for is no name of a folder"
        assert "0123456789ab" in ready["model_version"]
        for name, why in (("cut", "no model"), ("corrupt", "damaged"), ("gr_a-key-put-there", "no folder beside")):
            detail = post(client, "/admin/reload", {"artifact": name}, expect=422)["detail"]
            refused = ask(client, "/ready")["refused"]
            assert why in refused
            assert "gr_" not in refused, "anybody may read it, and what was sent is nobody's but the sender's"
            assert str(folder) in detail
            assert str(folder) not in refused
        post(client, "/admin/reload", {})
        assert ask(client, "/ready")["refused"] is None


def test_what_was_told_is_told_to_the_next_model(folder: Path) -> None:
    with serving(gr.load(folder / "one").fitted, folder=folder, artifact="one") as client:
        best = ids(ask(client, "/recommend", user_id="u0", k=9))
        post(client, "/events", {"events": [{"user_id": "u0", "item_id": best[0], "type": "like"}]}, expect=202)
        client.delete(f"/items/{best[1]}")
        client.patch(f"/items/{best[2]}", json={"title": "Renamed"})
        client.put("/items/new", json={"title": "New"})
        client.delete("/users/u9")
        page = ask(client, "/recommend", user_id="u1", k=5)
        whole = ids(ask(client, "/recommend", user_id="u1", k=30))
        receipt = ask(client, "/explain", user_id="u1", item_id=whole[0])["receipt"]
        post(client, "/admin/reload", {"artifact": "two"})
        found = ask(client, "/recommend", user_id="u0", k=30)
        assert not {best[0], best[1]} & set(ids(found))
        assert {"Renamed", "New"} <= {item["title"] for item in found["items"]}
        assert ask(client, "/recommend", user_id="u9")["degraded"][0].startswith("unknown_user")
        rest = ask(client, "/recommend", user_id="u1", k=30, cursor=page["next_cursor"])
        assert ids(page) + ids(rest) == whole, "a page is of the model of the first"
        assert rest["model_version"] == page["model_version"] != found["model_version"]
        assert post(client, "/verify", {"receipt": receipt})["verified"] is True
        for _ in range(4):
            post(client, "/admin/reload", {"artifact": "two"})
            client.patch("/items/new", json={"title": f"New {_}"})
        assert (
            client.get("/recommend", params={"user_id": "u1", "k": 30, "cursor": page["next_cursor"]}).status_code
            == 410
        )
        assert post(client, "/verify", {"receipt": receipt})["verified"] is None


def test_a_trial_is_of_the_same_people_and_ends(folder: Path) -> None:
    with serving(gr.load(folder / "one").fitted, folder=folder, artifact="one") as client:
        old = ask(client, "/ready")["model_version"]
        assert "no model to go back to" in post(client, "/admin/rollback", None, expect=422)["detail"]
        new = post(client, "/admin/reload", {"artifact": "two", "canary": 0.4})["model_version"]
        assert ask(client, "/ready")["trial"] == {"model_version": new, "share": 0.4, "interleaved": False}
        people = [f"u{n}" for n in range(40)]
        of = {user: ask(client, "/recommend", user_id=user)["model_version"] for user in people}
        assert of == {user: new if share_of(user, "graphrec") < 0.4 else old for user in people}
        assert {new, old} == set(of.values())
        assert of == {user: ask(client, "/explain", user_id=user, item_id="i1")["model_version"] for user in people}
        assert ask(client, "/recommend", history="i1")["model_version"] == old
        post(client, "/admin/rollback", None)
        assert ask(client, "/recommend", user_id="u0")["model_version"] == old
        post(client, "/admin/reload", {"artifact": "two", "canary": 0.4})
        assert post(client, "/admin/promote", None)["model_version"] == new
        assert {ask(client, "/recommend", user_id=user)["model_version"] for user in people} == {new}
        assert post(client, "/admin/rollback", None)["model_version"] == old
        assert "on trial" in post(client, "/admin/promote", None, expect=422)["detail"]
        assert "a rollback itself cannot be" in post(client, "/admin/rollback", None, expect=422)["detail"]


def test_shares_are_even() -> None:
    found = [share_of(f"user {n}", "salt") for n in range(4000)]
    assert sum(share < 0.25 for share in found) == pytest.approx(1000, abs=110)
    assert share_of("user 1", "salt") != share_of("user 1", "another")


def test_the_other_workers_do_what_one_was_told(folder: Path, tmp_path: Path) -> None:
    with serving(gr.load(folder / "one").fitted, folder=folder, artifact="one") as client:
        service, told, hearer = service_of(client), Others(tmp_path), Others(tmp_path)

        async def hear(name: str) -> None:
            task = asyncio.create_task(hearer.listen(service))
            while service.state.current.artifact != name:
                await asyncio.sleep(0.05)
            task.cancel()

        service.loading = asyncio.Lock()
        told.tell("reload", artifact="two", share=0.0)
        asyncio.run(asyncio.wait_for(hear("two"), 20))
        told.tell("back")
        asyncio.run(asyncio.wait_for(hear("one"), 20))
        assert said(ask(client, "/recommend", user_id="u0"))["items"]


def test_services_of_one_folder_write_models_anew_one_after_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    async def writes(self: Any) -> None:
        written.append(self)

    monkeypatch.setattr(eraser, "SETTLED", 0.0)
    monkeypatch.setattr(eraser.Eraser, "_written", writes)
    with serving(folder=folder, artifact="one") as client:
        one = eraser.Eraser(service_of(client), "sqlite://", print)
        with FileLock(folder / eraser.LOCK), pytest.raises(Timeout):
            asyncio.run(one._alone())
        assert not written
        asyncio.run(one._alone())
        assert written == [one]


def test_a_rewriting_that_fails_tells_nobody_of_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eraser, "LOOK", 0.01)
    monkeypatch.setattr(State, "pending", 1)

    async def fails(self: Any) -> None:
        raise ArtifactError("one: unknown user id 'anna'")

    async def one_try(service: Service) -> None:
        monkeypatch.setattr(eraser.Eraser, "_alone", fails)
        task = asyncio.create_task(eraser.Eraser(service, "sqlite://", print).run())
        while not service.unerased:
            await asyncio.sleep(0.01)
        task.cancel()

    with serving(settings={"erasure": {"after": 0.0}}) as client:
        asyncio.run(asyncio.wait_for(one_try(service_of(client)), 20))
        ready = client.get("/ready").text
        assert "graphrec forget MODEL --store URL" in ready
        assert "anna" not in ready


def test_memory_of_models_is_given_back(folder: Path) -> None:
    with serving(gr.load(folder / "one").fitted, folder=folder, artifact="one") as client:
        service = service_of(client)
        for n in range(7):
            service.alone = n in (0, 6)
            post(client, "/admin/reload", {"artifact": ("two", "one")[n % 2]})
            if n == 0:
                first = weakref.ref(service.state.current)
                assert gc.get_freeze_count() > 1000  # what is there stays, and is not walked through again …
            client.patch("/items/i1", json={"title": f"Title {n}"})
        kept: Any = service.state.versions
        assert len(kept) <= 4
        assert first() is None  # … until another model took over
    gc.unfreeze()


def test_who_is_forgotten_while_an_item_is_taken_in_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as client:
        post(client, "/events", {"events": [{"user_id": "somebody", "item_id": "i1"}]}, expect=202)
        state, grown = service_of(client).state, Version.grown

        def meanwhile(version: Version, items: Any) -> Version:
            out = grown(version, items)
            state.journal.forget("somebody")  # as another request does
            return out

        monkeypatch.setattr(Version, "grown", meanwhile)
        assert client.put("/items/new", json={"title": "a new thing"}).status_code == 200
        assert state.current.live.count("somebody") == 0
