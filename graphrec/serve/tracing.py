"""Spans of requests and of the stages that answer them, for OpenTelemetry. They hold no id, no query and no address."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from graphrec.errors import MissingModelError
from graphrec.serve.pool import Task
from graphrec.serve.settings import Otel

REMEDY = "tracing needs the packages of OpenTelemetry; pip install 'graphrec[otel]'"


class Tracing:
    """Args: provider, of spans."""

    def __init__(self, provider: Any) -> None:
        from opentelemetry import context, trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self.provider, self._trace = provider, trace
        self._tracer = provider.get_tracer("graphrec.serve")
        self._carried = TraceContextTextMapPropagator()
        self.context = context.get_current

    @classmethod
    def of(cls, settings: Otel) -> Tracing:
        """Spans that are sent to a collector. Raises MissingModelError where OpenTelemetry is not installed."""
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
        except ImportError:
            raise MissingModelError(REMEDY) from None
        resource = Resource.create({"service.name": settings.service})
        provider = TracerProvider(sampler=ParentBasedTraceIdRatio(settings.share), resource=resource)
        provider.add_span_processor(BatchSpanProcessor(exporter_of(settings)))
        return cls(provider)

    def begin(self, method: str, traceparent: str) -> Any:
        """The span of a request; ``traceparent``: of whoever asks, as W3C has it."""
        parent = self._carried.extract({"traceparent": traceparent}) if traceparent else None
        return self._tracer.start_span(method, parent, self._trace.SpanKind.SERVER)

    def within(self, span: Any) -> AbstractContextManager[Any]:
        """What is done for a request is of its span."""
        found: AbstractContextManager[Any] = self._trace.use_span(
            span, record_exception=False, set_status_on_exception=False
        )
        return found

    def end(self, span: Any, method: str, route: str, status: int) -> None:
        """A request has been answered."""
        span.update_name(f"{method} {route}")
        told = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
        span.set_attributes(told)
        if status >= 500:
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()

    def stages(self, tasks: Sequence[Task], start: float, end: float) -> None:
        """Tasks waited until ``start`` and were computed together until ``end``, in seconds of perf_counter."""
        since = time.time_ns() - time.perf_counter_ns()

        def at(moment: float) -> int:
            return since + int(moment * 1e9)

        for task in tasks:
            waited = self._tracer.start_span("waiting", task.context, start_time=at(task.since))
            waited.end(at(start))
            done = self._tracer.start_span(task.stage, task.context, start_time=at(start))
            done.set_attribute("graphrec.together", len(tasks))
            done.end(at(end))

    def close(self) -> None:
        """Send what is left, and end."""
        self.provider.shutdown()


def exporter_of(settings: Otel) -> Any:
    """What sends spans: OTLP over HTTP. Raises MissingModelError."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise MissingModelError(REMEDY) from None
    return OTLPSpanExporter(settings.endpoint)
