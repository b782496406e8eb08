"""Threads that compute answers behind a bounded queue; questions that wait together are answered by one search."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Outcome: TypeAlias = tuple[Any, BaseException | None]
NICER = 10  # by how much threads that answer stand back


class Busy(Exception):
    """The queue is full; ``seconds`` until it may have room."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too much is asked at once; come again in {seconds:.0f} s")
        self.seconds = max(1, round(seconds))


@dataclass(eq=False)
class Task:
    """Something to compute: alone, or together with others of its kind by ``Pool.together``."""

    work: Callable[[], Any] | None
    question: Any
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    stage: str = "search"  # what it is, for who traces
    context: Any = None
    since: float = field(default_factory=time.perf_counter)

    @property
    def wanted(self) -> bool:
        """Whether anybody waits for it still."""
        return not self.future.done()


class Pool:
    """Args: threads; queue, how many tasks may wait; batch, how many questions are answered together by ``together``,
    which gives for each its answer or the exception that it raised."""

    def __init__(
        self, threads: int, queue: int, batch: int, together: Callable[[Sequence[Any]], Sequence[Outcome]]
    ) -> None:
        self.queue, self.batch, self.together = queue, batch, together
        self.batches: Callable[[int, float], None] = lambda size, waited: None  # told of every one
        self.context: Callable[[], Any] = lambda: None  # of whoever asks
        self.stages: Callable[[Sequence[Task], float, float], None] = lambda tasks, start, end: None
        self.usual = 0.01  # seconds a task takes, a moving mean
        self.busy = 0  # threads that compute
        self._tasks: deque[Task] = deque()
        self._ready = threading.Condition()
        self._closed = False
        self._threads = [threading.Thread(target=self._run, name=f"answers-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        return len(self._tasks)

    def full(self) -> Busy | None:
        """What the next task would be refused with, where it would be."""
        if len(self._tasks) < self.queue and not self._closed:
            return None
        return Busy(len(self._tasks) * self.usual / len(self._threads))

    def now(self, question: Any) -> Any:
        """The answer to a question that is not worth a thread's while, computed by whoever asks. Raises what it
        raises."""
        start = time.perf_counter()
        ((found, error),) = self._together([question])
        self.batches(1, 0.0)
        loop = asyncio.get_running_loop()
        task = Task(None, question, loop, loop.create_future(), "search", self.context(), start)
        self.stages([task], start, time.perf_counter())
        if error is not None:
            raise error
        return found

    async def run(self, work: Callable[[], Any], stage: str = "work") -> Any:
        """The result of a call. Raises Busy, and what the call raises."""
        return await self._put(work, None, stage)

    async def ask(self, question: Any) -> Any:
        """The answer to a question, computed with others. Raises Busy, and what it raises."""
        return await self._put(None, question, "search")

    def close(self) -> None:
        """Ends when all that waits is done."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        for thread in self._threads:
            thread.join(10)

    async def _put(self, work: Callable[[], Any] | None, question: Any, stage: str) -> Any:
        loop = asyncio.get_running_loop()
        task = Task(work, question, loop, loop.create_future(), stage, self.context())
        with self._ready:
            if busy := self.full():
                raise busy
            self._tasks.append(task)
            self._ready.notify()
        return await task.future

    def _take(self) -> list[Task]:
        """The next task, with all questions that may go with it; [] where it is over."""
        with self._ready:
            while not self._tasks:
                if self._closed:
                    return []
                self._ready.wait()
            first = self._tasks.popleft()
            if first.work is not None:
                return [first]
            out, rest = [first], deque[Task]()
            while self._tasks and len(out) < self.batch:
                other = self._tasks.popleft()
                (rest if other.work else out).append(other)
            rest.extend(self._tasks)
            self._tasks.clear()
            self._tasks.extend(rest)
            return out

    def _run(self) -> None:
        _behind()
        while taken := self._take():
            tasks = [task for task in taken if task.wanted]
            if not tasks:
                continue
            start, self.busy = time.perf_counter(), self.busy + 1
            if tasks[0].work is not None:
                outcomes: Sequence[Outcome] = [_outcome(tasks[0].work)]
            else:
                outcomes = self._together([task.question for task in tasks])
            self.busy -= 1
            took = time.perf_counter() - start
            self.usual += 0.05 * (took / len(tasks) - self.usual)
            self.batches(len(tasks), start - tasks[0].since)
            self.stages(tasks, start, start + took)
            _tell(tasks, outcomes)

    def _together(self, questions: Sequence[Any]) -> Sequence[Outcome]:
        try:
            return self.together(questions)
        except Exception as error:
            return [(None, error)] * len(questions)


def _behind() -> None:
    """Give this thread less of the processor than the one that takes and refuses requests, so that what is too much is
    refused at once on one core too. Elsewhere than on Linux only processes have a priority."""
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICER)


def _outcome(work: Callable[[], Any]) -> Outcome:
    try:
        return work(), None
    except BaseException as error:
        return None, error


def _tell(tasks: Sequence[Task], outcomes: Sequence[Outcome]) -> None:
    def settle() -> None:
        for task, (found, error) in zip(tasks, outcomes, strict=True):
            if task.future.done():
                continue
            if error is None:
                task.future.set_result(found)
            else:
                task.future.set_exception(error)

    try:
        tasks[0].loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the loop is closed: nobody waits
        return
