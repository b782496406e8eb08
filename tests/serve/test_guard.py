"""The door: keys and their scopes, limits, headers, and logs that name nobody."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from graphrec.serve.guard import JsonLines, scope_of
from graphrec.serve.journal import Memory
from tests.serve.support import ask, post, service_of, serving

KEYS = {name: (name, frozenset([name])) for name in ("read", "events", "admin")}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the service writes into its log, as it is started by the command."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("graphrec.serve")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield out
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


@pytest.fixture
def keyed() -> Iterator[TestClient]:
    with serving(journal=Memory(keys=dict(KEYS)), keyed=True) as client:
        yield client


def test_without_a_key_nothing_is_told(keyed: TestClient) -> None:
    paths = [path for path in keyed.get("/openapi.json").json()["paths"] if path not in ("/live", "/ready")]
    assert len(paths) > 12
    for path in paths:
        for method in keyed.get("/openapi.json").json()["paths"][path]:
            found = keyed.request(method, path)
            assert found.status_code == 401, (method, path)
            assert found.headers["www-authenticate"] == "Bearer"
            assert "u0" not in found.text
    for path in ("/live", "/ready", "/docs", "/openapi.json", "/static/swagger/swagger-ui.css"):
        assert keyed.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [
        ("GET", "/recommend?user_id=u0", None, "read"),
        ("GET", "/metrics", None, "read"),
        ("GET", "/users/u0", None, "read"),
        ("GET", "/users", None, "admin"),
        ("POST", "/events", {"events": [{"user_id": "u0", "item_id": "i1"}]}, "events"),
        ("PUT", "/items/x", {}, "admin"),
        ("PATCH", "/items/i1", {"title": "x"}, "admin"),
        ("DELETE", "/items/i1", None, "admin"),
        ("DELETE", "/users/u0", None, "admin"),
        ("POST", "/admin/rollback", None, "admin"),
    ],
)
def test_a_key_opens_what_its_scope_says(method: str, path: str, body: Any, scope: str, keyed: TestClient) -> None:
    for key in KEYS:
        headers = {"authorization": f"Bearer {key}"} if key != "events" else {"x-api-key": key}
        status = keyed.request(method, path, json=body, headers=headers).status_code
        assert (status == 403) == (key not in (scope, "admin")), (key, status)
    assert keyed.request(method, path, json=body, headers={"authorization": "Bearer wrong"}).status_code == 401


def test_paths_that_look_alike_open_nothing() -> None:
    for path in ("/live/", "/liver", "/docsx", "/static", "/openapi.json/x"):
        assert scope_of("GET", path)
    for path in ("//admin/reload", "/admin/reload", "/admin/"):
        assert scope_of("POST", path) in ("admin", "read")


def test_no_user_query_or_key_is_in_the_log(logged: io.StringIO) -> None:
    secret = "gr_secret_key"
    with serving(journal=Memory(keys={secret: ("k", frozenset(["read", "admin"]))}), keyed=True) as client:
        good, bad = {"authorization": f"Bearer {secret}"}, {"authorization": "Bearer gr_wrong_secret"}
        client.get("/recommend?user_id=u0whoever&query=myillness", headers=good)
        client.get("/recommend?user_id=u0whoever&query=myillness&x=myillness", headers=bad)
        client.get("/users/u0whoever", headers=good)
        client.post("/events", json={"events": [{"user_id": "u0whoever", "item_id": 7}]}, headers=good)
        client.post("/recommend", content=b'{"user_id": "u0whoever', headers=good)
        service_of(client).answering.together = broken  # type: ignore[assignment,method-assign]
        service_of(client).pool.together = broken
        failed = client.get("/recommend?user_id=u0whoever", headers=good)
        service_of(client).reasons.explain = broken  # type: ignore[assignment,method-assign]
        client.get("/explain?user_id=u0whoever&item_id=i1", headers=good)
    text = logged.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["event"] for line in lines} >= {"request", "failed"}
    assert failed.status_code == 500
    assert "u0whoever" not in failed.text
    assert "Traceback" not in failed.text
    id_ = failed.json()["recommendation_id"]
    assert any(line.get("id") == id_ and line["event"] == "failed" for line in lines), "it can be found by its id"
    for word in ("u0whoever", "myillness", secret, "gr_wrong_secret"):
        assert word not in text


def broken(*_: Any) -> Any:
    raise RuntimeError("u0whoever asked for myillness")


def test_headers_let_no_foreign_script_run(keyed: TestClient) -> None:
    for path in ("/docs", "/live", "/recommend", "/static/swagger/begin.js"):
        headers = keyed.get(path, headers={"origin": "https://elsewhere.example"}).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
    page = keyed.get("/docs").text
    assert "http" not in page, "nothing from elsewhere"
    assert page.count("<script") == page.count('<script src="/static/')


def test_what_is_too_large_is_refused() -> None:
    with serving(settings={"limits": {"body": 2000}}) as client:
        events = {"events": [{"user_id": "u0", "item_id": "i1", "event_id": "x" * 400}] * 10}
        assert "2,000 bytes" in post(client, "/events", events, expect=413)["detail"]
        parts = (b"x" * 500 for _ in range(10))
        assert client.post("/events", content=parts).status_code == 413, "without a length"
        assert client.get("/recommend", params={"user_id": "u" * 600}).status_code == 422
        assert client.get("/recommend", params={"user_id": "u0", "filter": "(" * 1500}).status_code == 422
        assert client.post("/recommend", content=b"[" * 1900).status_code == 422
        assert service_of(client).state.head == 0


def test_a_key_has_a_rate() -> None:
    keys = {name: (name, frozenset(["read"])) for name in ("a", "b")}
    limits = {"limits": {"rate": 0.001, "burst": 3}}
    with serving(journal=Memory(keys=keys), keyed=True, settings=limits) as client:
        found = [client.get("/version", headers={"x-api-key": "a"}) for _ in range(5)]
        assert [f.status_code for f in found] == [200, 200, 200, 429, 429]
        assert int(found[-1].headers["retry-after"]) >= 1
        assert client.get("/version", headers={"x-api-key": "b"}).status_code == 200
        assert client.get("/live").status_code == 200


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "' OR 1=1 --", "SELECT * WHERE { ?s ?p ?o }", "../../etc"]
)
def test_what_is_dangerous_elsewhere_is_text_here(text: str) -> None:
    with serving() as client:
        answers = [client.get("/recommend", params={name: text}) for name in ("user_id", "query", "filter", "cursor")]
        answers += [client.get("/explain", params={"user_id": text, "item_id": text}), client.get(f"/items/{text}")]
        answers.append(client.post("/admin/reload", json={"artifact": text}))
        for found in answers:
            assert found.status_code < 500
            assert found.headers["content-type"] == "application/json"
        ask(client, "/static/../guard.py", expect=404)
        assert client.get("/static/%2e%2e/guard.py").status_code == 404
        assert client.get("/static/__init__.py").status_code == 404


def test_a_page_from_elsewhere_asks_nothing_and_changes_nothing() -> None:
    with serving(hosts=("testserver", "127.0.0.1", "[::1]")) as client:
        for host, status in (("testserver", 200), ("127.0.0.1:8000", 200), ("[::1]:8000", 200), ("evil.example", 421)):
            assert client.get("/recommend?user_id=u0", headers={"host": host}).status_code == status
        event = {"events": [{"user_id": "u0", "item_id": "i1"}]}
        for origin, status in (("http://testserver", 202), ("https://evil.example", 403), ("null", 403)):
            assert client.post("/events", json=event, headers={"origin": origin}).status_code == status
        found = client.post("/events", content=json.dumps(event), headers={"content-type": "text/plain"})
        assert found.status_code == 422, "what a form can send is no event"
