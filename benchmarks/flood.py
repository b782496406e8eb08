"""Many requests of one process: over bare sockets, each request made beforehand, so that what asks costs little."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple


class Flood(NamedTuple):
    """Seconds that each answer took, of those that were answered and those that were refused; requests, that were sent;
    seconds, that it lasted."""

    accepted: list[float]
    refused: list[float]
    requests: int
    seconds: float


def flood(
    port: int,
    path: Callable[[int], str],
    *,
    seconds: float,
    rate: float | None = None,
    connections: int = 512,
    first: int = 0,
) -> Flood:
    """Ask at 127.0.0.1.

    Args:
        path: of each request by its number, from ``first`` on. rate: requests a second, sent at their times whether
            others wait or not, as long as a connection is free; none: each connection asks when it has been answered.

    Raises RuntimeError for an answer that is neither 200 nor a refusal with Retry-After.
    """
    selector, idle = selectors.DefaultSelector(), deque[socket.socket]()

    def connect() -> None:
        idle.append(socket.create_connection(("127.0.0.1", port)))
        idle[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(idle[-1], selectors.EVENT_READ)

    for _ in range(connections):
        connect()
    since, got = dict[socket.socket, float](), dict[socket.socket, bytes]()
    accepted, refused = list[float](), list[float]()
    start, sent = time.perf_counter(), 0
    while True:
        now = time.perf_counter()
        over = now >= start + seconds
        if over and not since:
            break
        while not over and idle and (rate is None or start + sent / rate <= now):
            asker = idle.popleft()
            asker.sendall(f"GET {path(first + sent)} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode())
            since[asker], got[asker] = time.perf_counter(), b""
            sent += 1
        due = start + seconds if rate is None or over else start + sent / rate
        for key, _ in selector.select(max(0.0, min(due - time.perf_counter(), 0.1)) if idle else 0.1):
            asker = key.fileobj  # type: ignore[assignment]
            if asker not in since:  # it has not been used for long
                selector.unregister(asker)
                idle.remove(asker)
                asker.close()
                connect()
                continue
            got[asker] += (part := asker.recv(1 << 18))
            if not part:
                raise RuntimeError("the service closed the connection before it had answered")
            head, end, body = got[asker].partition(b"\r\n\r\n")
            said = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:]) if end else {}
            if not end or len(body) < int(said[b"content-length"]):
                continue
            status, took = int(head.split(b" ", 2)[1]), time.perf_counter() - since.pop(asker)
            if status in (429, 503) and 1 <= int(said.get(b"retry-after", 0)) <= 60:
                refused.append(took)
            elif status == 200:
                accepted.append(took)
            else:
                raise RuntimeError(f"{status}: {body[:200]!r}")
            idle.append(asker)
    lasted = time.perf_counter() - start
    for asker in idle:
        asker.close()
    selector.close()
    return Flood(accepted, refused, sent, lasted)
