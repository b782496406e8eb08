"""The OpenAPI document: everything is described, and whatever is asked by it gets a documented answer."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pydantic import BaseModel

from graphrec.serve import replies
from graphrec.serve.app import make_app
from tests.conftest import examples
from tests.model.shop import QUICK, anew, rated
from tests.serve.support import ask, fitted, serving

schemathesis = pytest.importorskip("schemathesis")
schemathesis.checks.load_all_checks()
CHECKS = [
    schemathesis.checks.CHECKS.get_one(f"{name}_conformance")
    for name in ("status_code", "content_type", "response_schema")
]


@cache
def service() -> Any:
    """The service as an ASGI application, started when it is first asked: tests are collected without a fit."""
    app = make_app(fitted())
    app.state.service.start()
    return app


async def started(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await (SMALL if scope["path"] == "/openapi.json" else service())(scope, receive, send)
    while scope["type"] == "lifespan":
        what = (await receive())["type"]
        await send({"type": f"{what}.complete"})
        if what == "lifespan.shutdown":
            return


SMALL = make_app(anew(rated(5.0), QUICK.with_(blocks=["popularity"], kg={"enabled": False})))  # for the document
schema = schemathesis.openapi.from_asgi("/openapi.json", started)


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(examples(3), deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_asked_gets_a_documented_answer(case: Any) -> None:
    found = case.call(timeout=120)
    assert found.status_code < 500, found.text
    case.validate_response(found, checks=CHECKS)


def test_everything_is_described() -> None:
    with serving() as client:
        document = client.get("/openapi.json").json()
    assert document == schema.raw_schema
    lacking: list[tuple[str, ...]] = []
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            if not route.get("description"):
                lacking.append((method, path))
            assert {"422", "503"} <= set(route["responses"]) or path in ("/live", "/ready"), path
            for parameter in route.get("parameters", ()):
                about = parameter.get("description") or parameter["schema"].get("description")
                if not about and parameter["name"] not in ("item_id", "k", "limit", "title", "begins", "other_id"):
                    lacking.append((method, path, parameter["name"]))
    assert lacking == []
    assert "examples" in document["components"]["schemas"]["Ask"]


@pytest.mark.parametrize(
    ("path", "asked", "of"),
    [
        ("/recommend", {"user_id": "u0", "blocks": True, "explore": 0.1}, replies.Recommendations),
        ("/similar", {"item_id": "i1"}, replies.Similar),
        ("/explain", {"user_id": "u0", "item_id": "i2"}, replies.Explained),
        ("/why_not", {"user_id": "u0", "item_id": "i1"}, replies.NotRecommended),
        ("/contrast", {"user_id": "u0", "item_id": "i1", "other_id": "i2"}, replies.Contrasted),
        ("/users/u0", {}, replies.Profile),
        ("/items/i1", {}, replies.ItemReply),
        ("/ready", {}, replies.Told),
    ],
)
def test_answers_are_as_they_are_documented(path: str, asked: dict[str, Any], of: type[BaseModel]) -> None:
    with serving() as client:
        of.model_validate(ask(client, path, **asked), strict=True)
