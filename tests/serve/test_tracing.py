"""Spans of requests: their stages, and nothing of anybody in them."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from graphrec.serve import tracing
from tests.serve.support import ask, service_of, serving


def test_requests_and_their_stages_are_spans_that_name_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "exporter_of", lambda settings: kept)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with serving(settings={"otel": {"service": "shop"}}) as client:
        client.get("/recommend?user_id=u0&query=secret+words&history=i3", headers={"traceparent": parent})
        ask(client, "/explain", user_id="u0", item_id="i2")
        ask(client, "/users/u0?export=true")
        ask(client, "/similar", expect=404, item_id="absent")
        traced = service_of(client).tracing
        assert traced is not None
        traced.provider.force_flush()
        spans = {span.name: span for span in kept.get_finished_spans()}
    names = [span.name for span in kept.get_finished_spans()]
    assert names.count("waiting") == 4
    assert {"GET /recommend", "search", "GET /explain", "explanation", "GET /users/{user_id:any_text}"} <= set(names)
    request, search, explained = spans["GET /recommend"], spans["search"], spans["explanation"]
    assert request.context is not None
    assert f"{request.context.trace_id:032x}" == parent[3:35]
    assert search.parent is not None
    assert search.parent.span_id == request.context.span_id
    assert explained.parent.span_id == spans["GET /explain"].context.span_id  # type: ignore[union-attr]
    assert request.start_time <= search.start_time <= search.end_time <= request.end_time  # type: ignore[operator]
    assert spans["GET /similar"].attributes["http.response.status_code"] == 404  # type: ignore[index]
    text = " ".join(span.to_json() for span in kept.get_finished_spans())
    assert not [word for word in ("u0", "i2", "i3", "secret", "absent", "127.0.0.1") if word in text]
    assert '"service.name": "shop"' in text


def test_nothing_is_traced_unless_it_is_asked_for() -> None:
    with serving() as client:
        ask(client, "/recommend", user_id="u0")
        assert service_of(client).tracing is None
