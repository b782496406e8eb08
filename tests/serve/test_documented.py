"""docs/serving.md and deploy/ say what is, and the client asks as they say."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from graphrec.errors import ConfigError, UnknownIdError
from graphrec.serve.client import Client, ServiceError
from graphrec.serve.journal import Memory
from graphrec.serve.schemas import Ask, Event
from graphrec.serve.settings import Limits, Oidc, Otel, Serving
from tests.serve.support import ask, ids, post, serving

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "serving.md").read_text("utf-8")


def test_every_route_and_field_is_on_the_page() -> None:
    with serving() as client:
        paths = client.get("/openapi.json").json()["paths"]
    named = {
        re.sub(r"/[iu]\d+$", "/{id}", path) for path in re.findall(r"(?:GET|POST|PUT|PATCH|DELETE) (/[\w/]+)", PAGE)
    }
    assert {re.sub(r"\{\w+\}", "{id}", path) for path in paths} == named
    for name in (*Ask.model_fields, *Event.model_fields):
        assert re.search(rf"\b{name}\b", PAGE), name


def test_the_defaults_on_the_page_are_the_defaults() -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    found = tomllib.loads(text)
    assert Limits.model_validate(found["limits"]) == Limits()
    assert set(found["limits"]) == set(Limits.model_fields)
    off = {name for name in Serving.model_fields if getattr(Serving(), name) is None}
    assert set(found) == set(Serving.model_fields) - off
    shown = tomllib.loads(re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE))
    assert set(shown) == set(Serving.model_fields), "what is off by default stands there to be uncommented"
    whole = Serving.model_validate(shown)
    assert whole.oidc is not None
    assert whole.otel == Otel()
    assert whole.oidc == Oidc(issuer=whole.oidc.issuer, audience=whole.oidc.audience, jwks=whole.oidc.jwks)
    assert (found["explore"], found["salt"]) == (Serving().explore, Serving().salt)
    Ask.model_validate(found["scenarios"]["home"])
    for example in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        compile(example, "docs/serving.md", "exec")


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    pytest.importorskip("prometheus_client")
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text("utf-8"))
    asked = {name for p in board["panels"] for t in p["targets"] for name in re.findall(r"graphrec_\w+", t["expr"])}
    with serving() as client:
        client.get("/recommend?user_id=u0")
        known = set(re.findall(r"^# TYPE (graphrec_\w+)", client.get("/metrics").text, re.MULTILINE))
    assert len(asked) > 12
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} <= known


def test_the_name_of_a_kind_may_be_written_in_any_way() -> None:
    pytest.importorskip("prometheus_client")
    with serving() as client:
        liked = ids(
            post(client, "/recommend", {"history": ["i1"], "suppose": [{"item_id": "i2", "type": "addtocart"}]})
        )
        for name in ("add_to_cart", "Add to Cart", "addToCart"):
            body = {"history": ["i1"], "suppose": [{"item_id": "i2", "type": name}]}
            assert ids(post(client, "/recommend", body)) == liked, name
            post(client, "/events", {"events": [{"user_id": "shopper", "item_id": "i2", "type": name}]}, expect=202)
        assert ask(client, "/users/shopper", export=True)["heard"] == 3
        text = client.get("/metrics").text
        assert 'graphrec_events_total{type="addtocart"} 3' in text
        assert "add_to_cart" not in text


@pytest.fixture
def client() -> Iterator[Client]:
    journal = Memory(keys={"key": ("key", frozenset(["admin"]))})
    with serving(journal=journal, keyed=True) as served, Client("http://testserver", "key") as client:
        served.headers["authorization"] = "Bearer key"
        client._http = served  # type: ignore[assignment]
        yield client


def test_the_client_asks_as_the_service_takes_it(client: Client) -> None:
    whole = client.recommend("u0", 30)
    assert [item for page in client.pages("u0", 4) for item in page["items"]] == whole["items"]
    best = ids(whole)[0]
    assert client.verify(client.explain("u0", best)["receipt"])["verified"] is True
    assert client.verify(whole["recommendation_id"])["verified"] is True
    assert client.why_not("u0", best, k=3)["rank"] == 1
    assert client.contrast("u0", best, ids(whole)[1], weights={"popularity": 0.0})["text"]
    assert client.similar(best, 3)["items"]
    assert client.send([{"user_id": "u0", "item_id": best}])["accepted"] == 1
    assert best not in ids(client.recommend("u0", 30))
    assert client.put_item("a/b", title="A thing")["title"] == "A thing"
    assert client.hide_item("a/b")["hidden"]
    assert client.profile("..")["user_id"] == ".."
    assert client.profile("u0", export=True)["history"]
    assert client.forget("u0")["removed"]
    assert [page["user_id"] for page in client.batch(["u1", "u2"], k=2, seen="allow")] == ["u1", "u2"]
    assert client.change_item(best, title="Another")["title"] == client.item(best)["title"] == "Another"
    assert [item["item_id"] for item in client.items(title="Another")] == [best]
    assert client.users(k=2) == ["u1", "u10"]
    assert client.version()["kept"]
    assert client.model()["counts"]
    assert client.ready()["status"] == "ready"
    for refused in (client.promote, client.rollback, lambda: list(client.batch([]))):
        with pytest.raises(ConfigError):
            refused()
    with pytest.raises(UnknownIdError, match="absent"):
        client.explain("u0", "absent")
    with pytest.raises(ConfigError, match="no such parameter"):
        client.recommend("u0", kk=3)
    with pytest.raises(ConfigError, match="in no folder"):
        client.reload()


def test_the_client_asks_again_where_too_much_was_asked(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = [httpx.Response(503, headers={"retry-after": "0"}, json={"detail": "busy"})] * 3
    good = httpx.Response(200, json={"items": []})
    dated = httpx.Response(503, headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})
    other = httpx.Response(502, text="<h1>Bad Gateway</h1>", request=httpx.Request("GET", "http://testserver"))
    monkeypatch.setattr("graphrec.serve.client.time", SimpleNamespace(sleep=lambda _: None))
    coming: Iterator[Any] = iter([dated, good, *busy, good, *busy, *busy, other])
    monkeypatch.setattr(client._http, "request", lambda *_, **__: next(coming))
    assert client.recommend("u0") == {"items": []}
    assert client.recommend("u0") == {"items": []}
    with pytest.raises(ServiceError, match="busy") as error:
        client.recommend("u0")
    assert error.value.status == 503
    with pytest.raises(ServiceError, match="status 502, and no answer of graphrec"):
        client.recommend("u0")

    def fails(*_: Any, **__: Any) -> Any:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(client._http, "request", fails)
    with pytest.raises(ServiceError, match="see whether it runs"):
        client.recommend("u0")
