"""What the stages of a run take, in core-seconds and memory."""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from graphrec.budget import status_bytes

P = ParamSpec("P")
R = TypeVar("R")
BETWEEN = "between"  # what no stage is entered for


class Clock:
    """Core-seconds that this process has spent so far in the functions that it decorates; in one within another once.

    It is a process's own, as its core-seconds are: who wants those of a part takes the difference.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._runs = False

    def __call__(self, work: Callable[P, R]) -> Callable[P, R]:
        @wraps(work)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            if self._runs:
                return work(*args, **kwargs)
            self._runs, begun = True, time.process_time()
            try:
                return work(*args, **kwargs)
            finally:
                self._runs = False
                self.seconds += time.process_time() - begun

        return timed


JUDGING = Clock()  # what is done for each person who judges: ranking the catalogue, weighing what they were held out


class Stages:
    """Core-seconds of each stage by name, what it was entered for added up, and the peak of memory within it.

    Core-seconds are of all threads and ended children: what else the machine does makes them no longer. Where the
    system does not tell the peak of a part of a run (it is not Linux) it is that of the process so far.
    """

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = defaultdict(lambda: {"s": 0.0, "mb": 0.0})
        self.judging: dict[str, float] = defaultdict(float)  # part of the seconds of a stage, see ``JUDGING``

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self._peak(BETWEEN)
        busy, judging = core_seconds(), JUDGING.seconds
        yield
        self._peak(name)
        self.judging[name] += JUDGING.seconds - judging
        self.found[name]["s"] = round(self.found[name]["s"] + core_seconds() - busy, 2)

    def _peak(self, name: str) -> None:
        """The peak since the last call is of this stage."""
        if sys.platform == "linux":
            peak = status_bytes("VmHWM") / 2**20
            Path("/proc/self/clear_refs").write_text("5")
        else:
            import resource  # not on Windows

            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
        self.found[name]["mb"] = round(max(self.found[name]["mb"], peak))

    def ended(self, since: float = 0.0) -> dict[str, dict[str, float]]:
        """All stages, with the core-seconds of the process from ``since`` on that lay between them."""
        self._peak(BETWEEN)
        named = sum(stage["s"] for name, stage in self.found.items() if name != BETWEEN)
        self.found[BETWEEN]["s"] = round(max(core_seconds() - since - named, 0.0), 2)
        return {name: dict(stage) for name, stage in self.found.items()}


def held_mb() -> float:
    """What this process holds now, where the system tells; else 0."""
    return round(status_bytes("VmRSS") / 2**20) if sys.platform == "linux" else 0.0


def core_seconds() -> float:
    """Of this process so far, all threads and ended children."""
    return sum(os.times()[:4])
