"""Work on many texts in several processes: order kept, little in flight, nobody left behind."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, TypeVar

from kg.errors import KGError

CHUNK = 32  # texts handed to a worker at once
AHEAD = 2  # chunks per worker handed out and not yet taken back
T = TypeVar("T")

_work: Callable[[list[str]], list[Any]]  # set in each worker


def chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Consecutive lists of ``size`` texts, the last one shorter."""
    rows = iter(texts)
    while chunk := list(islice(rows, size)):
        yield chunk


def can_fork() -> bool:
    """Whether worker processes may be forked; elsewhere they would run the caller's script again."""
    return sys.platform == "linux"


def in_order(work: Callable[[list[str]], list[T]], texts: Iterable[str], processes: int) -> Iterator[T]:
    """``work`` over the texts, CHUNK at a time in forked processes; one result per text, in order.

    At most ``processes · AHEAD · CHUNK`` texts are under way, so that is what a killed run can lose. Workers end with
    the process that started them, however that ends. Raises KGError where a worker dies.
    """
    rows = chunks(texts, CHUNK)
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(work,)) as pool:
        waiting: deque[Future[list[T]]] = deque(pool.submit(_do, chunk) for chunk in islice(rows, processes * AHEAD))
        try:
            while waiting:
                done = waiting.popleft().result()
                for chunk in islice(rows, 1):
                    waiting.append(pool.submit(_do, chunk))
                yield from done
        except BrokenProcessPool:
            raise KGError(
                "a worker process was killed, perhaps for want of memory; try again with runtime.processes=1: "
                "what was read is kept in the cache"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(work: Callable[[list[str]], list[Any]]) -> None:
    global _work
    _work = work
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent closes no queue: its workers would wait for work forever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _do(texts: list[str]) -> list[Any]:
    return _work(texts)
