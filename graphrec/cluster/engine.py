"""One function over many batches: the plain loop, or the same function by the workers of a cluster.

Whoever has such work hands it to an engine and never asks which one it is. What an engine gives does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, Literal, Protocol, TypeVar

EngineName = Literal["local", "ray"]
KEPT = 4  # things that ``Made`` makes, held in a process
A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


class Engine(Protocol):
    """Does work.

    Attributes:
        workers: how many batches are worked on side by side.
    """

    @property
    def workers(self) -> int: ...

    def map(self, work: Callable[[A], B], batches: Iterable[A]) -> Iterator[B]:
        """What ``work`` gives for every batch, in their order, each once.

        Batches are taken a few ahead, so that few of them are held. ``work`` is what a process can be sent, depends on
        its batch alone and writes nothing, so that it may be done again where a worker died. Raises what it raises, and
        ProcessError where workers die at it again and again.
        """
        ...


class Local:
    """The plain loop, in this process."""

    workers = 1

    def map(self, work: Callable[[A], B], batches: Iterable[A]) -> Iterator[B]:
        """See ``Engine``."""
        return map(work, batches)


LOCAL = Local()


def engine_of(name: EngineName) -> Engine:
    """The engine of this name. Raises ConfigError where what it needs is not installed."""
    if name == "local":
        return LOCAL
    from graphrec.cluster.on_ray import OnRay

    return OnRay()


@dataclass(frozen=True)
class Made(Generic[T]):
    """Something large that workers make for themselves instead of being sent it: called, it gives what ``make(*args)``
    gives, made once in each process."""

    make: Callable[..., T]
    args: tuple[Hashable, ...] = ()

    def __call__(self) -> T:
        found: T = _made(self)
        return found


@lru_cache(maxsize=KEPT)
def _made(how: Made[Any]) -> Any:
    return how.make(*how.args)
