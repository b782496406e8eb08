"""The engine of a cluster: batches as tasks of Ray (Moritz et al., OSDI 2018), done anew where a worker dies.

The cluster is the one that ``RAY_ADDRESS`` names or that runs on this machine, else one that is started here for as
long as this process lives. Between its processes Ray pickles; nothing that graphrec writes or reads is a pickle.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Any, TypeVar
from uuid import uuid4

from graphrec.errors import ConfigError, GraphrecError, ProcessError

REMEDY = "pip install 'graphrec[ray]'"
RETRIES = 3  # of a batch at which a worker died
BEGINNINGS = 3  # of a cluster, to which Ray gives 30 seconds each
AHEAD = 2  # batches for each processor of the cluster, handed out and not yet taken back
ALONE = "run it with --engine local: what was read and embedded is kept in the caches"
A = TypeVar("A")
B = TypeVar("B")

_work: dict[str, Callable[[Any], Any]] = {}  # of a worker: what it was last given to do


def installed() -> bool:
    """Whether Ray is there."""
    return importlib.util.find_spec("ray") is not None


class OnRay:
    """Tasks of Ray; what they need is sent once to each machine, and what it is made of read once by each worker.

    Raises ConfigError where Ray is not installed.
    """

    def __init__(self) -> None:
        if not installed():
            raise ConfigError(f"runtime.engine: ray is not installed; {REMEDY}, or leave --engine ray out")

    @property
    def workers(self) -> int:
        """The processors of the cluster."""
        return max(1, int(connected().cluster_resources().get("CPU", 1)))

    def map(self, work: Callable[[A], B], batches: Iterable[A]) -> Iterator[B]:
        """See ``Engine``."""
        ray = connected()
        name, held, task = uuid4().hex, [ray.put(work)], _task()  # within a list a reference is sent, not its value
        rows = iter(batches)
        waiting: deque[Any] = deque(task.remote(name, held, row) for row in islice(rows, self.workers * AHEAD))
        try:
            while waiting:
                done = _taken(ray, waiting[0])
                waiting.popleft()
                waiting.extend(task.remote(name, held, row) for row in islice(rows, 1))
                yield done
        finally:
            for left in waiting:
                ray.cancel(left)


def connected(num_cpus: int | None = None) -> Any:
    """Ray, in touch with its cluster, or with one of ``num_cpus`` workers that is begun here.

    Raises ConfigError where none answers at ``RAY_ADDRESS``, or none begins here.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # tasks that ask for no card see those there are
    import ray

    for left in reversed(range(0 if ray.is_initialized() else BEGINNINGS)):
        try:
            ray.init(num_cpus=num_cpus, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
            break
        except Exception as error:  # Ray raises Exception itself where its processes do not begin in time
            ray.shutdown()
            if "timed out" in str(error) and left:
                continue
            why = str(error).strip().splitlines()[0][:200]
            address = os.environ.get("RAY_ADDRESS")
            if address:
                told = (
                    f"at RAY_ADDRESS={address} ({why}); start one there with `ray start --head`, or unset RAY_ADDRESS"
                )
            else:
                told = f"begins here ({why}); try again when less runs on this machine, or leave --engine ray out"
            raise ConfigError(f"no cluster of Ray {told}") from None
    return ray


def _taken(ray: Any, reference: Any) -> Any:
    """What a task gave. Raises what it raised, and ProcessError where it was never done."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, GraphrecError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise ProcessError(
            f"workers of the cluster died {RETRIES + 1} times at the same batch, perhaps for want of memory ({why}); "
            f"give each more, or {ALONE}"
        ) from None


@cache
def _task() -> Any:
    import ray

    return ray.remote(num_cpus=1, max_retries=RETRIES)(_do)


def _do(name: str, held: list[Any], batch: Any) -> Any:
    """In a worker: one batch, by what it holds of this work, or gets now."""
    if name not in _work:
        import ray

        _work.clear()
        _work[name] = ray.get(held[0])
    return _work[name](batch)
