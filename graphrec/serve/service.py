"""All parts of one service, as the routes use them."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from starlette.responses import Response

from graphrec.evaluate.metrics import information
from graphrec.serve.answering import Answering
from graphrec.serve.journal import Journal
from graphrec.serve.metrics import Metrics
from graphrec.serve.pool import Pool
from graphrec.serve.questions import Question
from graphrec.serve.reasons import Reasons
from graphrec.serve.recorder import Recorder
from graphrec.serve.schemas import Ask
from graphrec.serve.settings import Serving
from graphrec.serve.state import State
from graphrec.serve.tending import Tending
from graphrec.serve.tracing import Tracing
from graphrec.serve.trial import TEAMS
from graphrec.serve.version import Version
from graphrec.types import Floats

T = TypeVar("T")


class Slow(Exception):
    """An answer took longer than it may."""


class Service:
    """Args: version, the model to begin with; journal, where events are; folder, where artifacts lie side by side."""

    def __init__(
        self, version: Version, journal: Journal, settings: Serving | None = None, folder: Path | None = None
    ) -> None:
        self.settings = settings or Serving()
        self.folder = folder
        limits = self.settings.limits
        self.state = State(version, journal, self.settings)
        self.metrics = Metrics()
        self.answering, self.reasons = Answering(self.state), Reasons(self.state)
        self.answering.answered = self._answered
        self.state.hears, self.state.accepts = self.metrics.heard, self.metrics.accepted
        self.recorder = Recorder(journal, self.state.fault)
        self.tending = Tending(journal, self.settings.store.keep_days, self.metrics.dropped)
        self.pool = Pool(limits.threads, limits.queue, limits.batch, self.answering.together)
        self.pool.batches = self.metrics.batch
        self.tracing = Tracing.of(self.settings.otel) if self.settings.otel else None
        if self.tracing:
            self.pool.context, self.pool.stages = self.tracing.context, self.tracing.stages
        self._bits: dict[str, Floats] = {}  # of the two models that answered last
        self.loading = asyncio.Lock()
        self.rewrites = False  # whether models are written anew without people who are erased
        self.unerased = ""  # why the last time that was to be done it was not
        self.alone = False  # whether this process is for nothing else

    def start(self) -> None:
        """Build what answers need, and hear what the store holds."""
        version = self.state.current
        version.learned = self.state.journal.learned(version.name)
        version.warm()
        version.listen()
        self.state.start()
        self.state.current.fill(self.settings.limits.ready)
        self.settle()
        self.tending.start()

    def settle(self) -> None:
        """In a process of its own: what is there now stays for long, so the collector of garbage no longer walks
        through it, which of a million items takes 30 ms in the middle of an answer; what an earlier model left goes."""
        if self.alone:
            gc.unfreeze()
            gc.collect()
            gc.freeze()

    def stop(self) -> None:
        """Answer what waits, write what is to be recorded, and end."""
        self.tending.stop()
        self.pool.close()
        self.recorder.close()
        self.state.stop()
        self.state.journal.close()
        if self.tracing:
            self.tracing.close()

    async def ask(self, ask: Ask, id_: str) -> dict[str, Any]:
        """The answer to a question: here where a list of it is ready, or by the threads that answer. Raises Busy, Slow,
        and what the question deserves."""
        if self.answering.listed(ask):
            return cast(dict[str, Any], self.pool.now((ask, id_)))
        return cast(dict[str, Any], await self._timely(self.pool.ask((ask, id_))))

    async def run(self, work: Callable[[], T], stage: str = "work") -> T:
        """The result of a call, computed by the threads that answer. Raises Busy, Slow, and what it raises."""
        found: T = await self._timely(self.pool.run(work, stage))
        return found

    def carried(self, version: Version | None = None) -> dict[str, Any]:
        """What every answer carries beside its id."""
        version = version or self.state.current
        return {"model_version": version.name, "degraded": list(self.state.faults.values())}

    async def _timely(self, coming: Any) -> Any:
        try:
            async with asyncio.timeout(self.settings.limits.seconds):
                return await coming
        except TimeoutError:
            raise Slow(f"the answer took more than {self.settings.limits.seconds:g} s") from None

    def _answered(self, questions: Sequence[Question], document: dict[str, Any], nums: Any) -> None:
        """Record an answer, and count it; of two questions it is interleaved."""
        question, *others = questions
        self.metrics.less(document["degraded"])
        asked = question.ask.model_dump(exclude_defaults=True, mode="json")
        self.recorder.put(
            {
                **{
                    name: document[name]
                    for name in ("recommendation_id", "model_version", "user_id", "scenario", "items")
                },
                **({"interleaved": document["interleaved"]} if others else {}),
                "kind": "interleave" if others else "recommend",
                "named": sorted({name for text in question.ask.friends for name in (text, *text.split(","))}),
                "request": {
                    **asked,
                    "heard": question.heard,
                    "epoch": question.shown.epoch,
                    **({"interleaved": [[q.version.name, q.heard] for q in others]} if others else {}),
                },
                "time": time.time(),
            }
        )
        if self.metrics:
            self._count(questions, document, nums)

    def _count(self, questions: Sequence[Question], document: dict[str, Any], nums: Any) -> None:
        scenario, teams = questions[0].ask.scenario or "", [item.get("team", TEAMS[0]) for item in document["items"]]
        names = dict(zip(TEAMS, (q.version.of for q in questions), strict=False))
        if len(questions) == 1:
            self.metrics.answered(questions[0].id, scenario, names[TEAMS[0]], {})
        else:
            whose = {item["item_id"]: names[team] for item, team in zip(document["items"], teams, strict=True)}
            self.metrics.answered(questions[0].id, scenario, "interleaved", whose)
        for team, each in zip(TEAMS, questions, strict=False):
            model, name = each.version.model, each.version.name  # what is new in it is surprising too
            if name not in self._bits:
                self._bits = {**dict(list(self._bits.items())[-1:]), name: surprise(model)}
            own = nums[np.array([of == team for of in teams], bool)]
            self.metrics.shown(scenario, each.version.of, own, self._bits[name], model.data.n_items)


def surprise(model: Any) -> Floats:
    """How surprising each item is, in bits, float32 (I,); as the novelty of an evaluation."""
    taken = np.bincount(model.data.interactions.item_nums, minlength=model.data.n_items)
    return np.asarray(information(taken, model.data.n_users), np.float32)


def reply(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A document as a JSON response; numbers that JSON has not become null."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        body = text.encode("utf-8")
    except UnicodeEncodeError:
        body = json.dumps(document, allow_nan=False).encode()
    except ValueError:
        body = json.dumps(finite(document), ensure_ascii=False, default=str).encode("utf-8", "replace")
    return Response(body, status, headers, "application/json")


def finite(value: Any) -> Any:
    """A document in which numbers that JSON has not are null."""
    if isinstance(value, dict):
        return {str(name): finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
