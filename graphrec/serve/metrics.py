"""What is watched, for Prometheus: rate, errors, latency, queue, what is degraded, shown, and comes of it."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphrec.data.kinds import WEIGHTS, plain
from graphrec.errors import MissingModelError
from graphrec.serve.journal import Heard

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
RECENT = 20_000  # answers whose scenario and version are remembered, for events that name them
REMEDY = "metrics need the package prometheus-client; pip install 'graphrec[serve]'"


class Metrics:
    """Counts nothing where prometheus-client is not installed; then ``text`` raises MissingModelError."""

    def __init__(self) -> None:
        self._recent: OrderedDict[str, tuple[str, str, Mapping[str, str]]] = OrderedDict()
        self._seen: dict[str, np.ndarray[Any, Any]] = {}
        try:
            import prometheus_client as prometheus
        except ImportError:
            self._prometheus: Any = None
            return
        self._prometheus, self.registry = prometheus, prometheus.CollectorRegistry()

        def counter(name: str, about: str, *labels: str) -> Any:
            return prometheus.Counter(f"graphrec_{name}", about, labels, registry=self.registry)

        def gauge(name: str, about: str, *labels: str, mode: Any = "max") -> Any:
            return prometheus.Gauge(f"graphrec_{name}", about, labels, registry=self.registry, multiprocess_mode=mode)

        def histogram(name: str, about: str, *labels: str, buckets: Any = BUCKETS) -> Any:
            return prometheus.Histogram(f"graphrec_{name}", about, labels, registry=self.registry, buckets=buckets)

        self.requests = counter("requests", "Requests by route and status.", "method", "route", "status")
        self.latency = histogram("request_seconds", "From the request to the end of the answer.", "route")
        self.waiting = gauge("queue", "Questions that wait.", mode="livesum")
        self.waited = histogram("queue_seconds", "How long questions waited.")
        self.together = histogram("batch", "Questions answered together.", buckets=(1, 2, 4, 8, 16, 32, 64, 128))
        self.refused = counter("refused", "Requests refused: by limits, keys and load.", "why")
        self.degraded = counter("degraded", "Answers that were less than they could be, by the first reason.", "why")
        self.answers = counter("answers", "Lists that were given.", "scenario", "version")
        self.impressions = counter("impressions", "Items that were shown.", "scenario", "version")
        self.events = counter("events", "Events that were accepted, each once.", "type")
        self.funnel = counter("funnel", "Events that name the answer they come from.", "scenario", "version", "type")
        self.coverage = gauge("coverage", "Share of the catalogue shown since the model took over.", "version")
        self.novelty = counter("novelty_bits", "Sum over items shown of -log2 of the share of people who took them.")
        self.age = gauge("model_age_seconds", "Since the model was written.")
        self.unseen = gauge("unseen_events", "Events that the model has not learned from.")
        self.pending = gauge("erasures_pending", "People erased whom a model that may answer was learned with.")
        self.lost = gauge("unrecorded_answers", "Answers that were not recorded.", mode="livesum")
        self.old = counter("dropped", "Rows of the store that were too old to be kept.", "table")
        self.reloads = counter("reloads", "Models that were to take over.", "outcome")

    def __bool__(self) -> bool:
        return self._prometheus is not None

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request has been answered."""
        if self:
            self.requests.labels(method, route, str(status)).inc()
            self.latency.labels(route).observe(seconds)

    def refuse(self, why: str) -> None:
        """A request was refused."""
        if self:
            self.refused.labels(why).inc()

    def less(self, degraded: list[str]) -> None:
        """An answer is less than it could be."""
        if self and degraded:
            self.degraded.labels(degraded[0].partition(":")[0][:40]).inc()

    def batch(self, size: int, waited: float) -> None:
        """Questions were answered together, the first after so many seconds."""
        if self:
            self.together.observe(size)
            self.waited.observe(waited)

    def answered(self, id_: str, scenario: str, version: str, whose: Mapping[str, str]) -> None:
        """A list was given; ``whose``: item id → version, where it is of two."""
        if not self:
            return
        self._recent[id_] = scenario, version, whose
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        self.answers.labels(scenario, version).inc()

    def shown(self, scenario: str, version: str, nums: Any, bits: Any, n_items: int) -> None:
        """Items were shown: their numbers int64 (n,), and how surprising each of the catalogue is, float32 (I,)."""
        if not self or not len(nums):
            return
        self.impressions.labels(scenario, version).inc(len(nums))
        self.novelty.inc(float(bits[nums].sum()))
        seen = self._seen.get(version)
        if seen is None:
            seen = self._seen[version] = np.zeros(n_items, bool)
        if len(seen) < n_items:  # it was told of new ones
            seen = self._seen[version] = np.append(seen, np.zeros(n_items - len(seen), bool))
        if not seen[nums].all():
            seen[nums] = True
            self.coverage.labels(version).set(float(seen.mean()))

    def accepted(self, event: Mapping[str, Any]) -> None:
        """An event was kept here: by one worker, once."""
        if self:
            self.events.labels(_kind(event.get("type"))).inc()

    def heard(self, event: Heard) -> None:
        """An event was heard, from whichever worker: it counts where its answer was given."""
        if not self:
            return
        kind = _kind(event.said.get("kind"))
        if event.recommendation_id and event.recommendation_id in self._recent:
            scenario, version, whose = self._recent[event.recommendation_id]
            self.funnel.labels(scenario, whose.get(event.item_id, version), kind).inc()

    def dropped(self, table: str, n: int) -> None:
        """Rows of the store were too old."""
        if self:
            self.old.labels(table).inc(n)

    def covered(self, version: str) -> float | None:
        """Share of the catalogue that a model has shown; None where it is not counted."""
        seen = self._seen.get(version)
        return None if seen is None else float(seen.mean())

    def reloaded(self, outcome: str) -> None:
        """A model was to take over."""
        if self:
            self.reloads.labels(outcome).inc()

    def text(self) -> bytes:
        """What Prometheus reads. Raises MissingModelError where prometheus-client is not installed."""
        if not self:
            raise MissingModelError(REMEDY)
        registry = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            from prometheus_client import multiprocess

            registry = self._prometheus.CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        out: bytes = self._prometheus.generate_latest(registry)
        return out


def _kind(name: Any) -> str:
    """One label for each kind, however its name is written, so that there are no more of them than kinds."""
    usual = plain(str(name or "default"))
    return usual if usual in WEIGHTS else str(name or "default")[:40]
