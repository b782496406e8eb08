"""A service in a process of its own, against an endpoint that does nothing in the same framework, in the same run.

    python benchmarks/serving.py MODEL [--requests 3000] [--many 100000] [--only latency|overload|memory]

Questions and nothing are asked in turn over one connection each, so that whatever else the machine does meets both, in
five rounds;
then by eight connections for throughput; then memory is watched over many questions and events; then four times as
much is asked as can be answered, of a service that has one core, by a process that has another. The section goes into
RESULTS.md.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import report
from flood import flood

NOTHING = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/nothing")
async def nothing():
    return {"status": "ok"}
uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
"""
WARM = 200
HEARD = 2_000  # events before users after many events are asked for
ROUNDS = 5  # of questions and nothing in turn, of which the middle one is told
TIMES, AFTER = 4, 10  # what can be answered, and seconds that are watched after
CAPACITY = 5.0  # seconds in which it is seen how much can be answered


def free() -> int:
    """A port that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, path: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers at a port, until it is not needed."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            for _ in range(1800):
                try:
                    Asker(port).get(path)
                    break
                except OSError:
                    time.sleep(0.2)
            yield process
        finally:
            process.terminate()
            process.wait(30)


class Asker:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str) -> float:
        """Seconds of one answer. Raises RuntimeError for another status than 200."""
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: Any = None) -> float:
        """Seconds of one answer. Raises RuntimeError for one that is refused."""
        said = None if body is None else json.dumps(body).encode()
        start = time.perf_counter()
        self._http.request(method, path, said, {"content-type": "application/json"} if said else {})
        found = self._http.getresponse()
        text = found.read()
        took = time.perf_counter() - start
        if found.status not in (200, 202):
            raise RuntimeError(f"{path}: {found.status} {text[:200]!r}")
        return took


def told(seconds: list[float]) -> dict[str, float]:
    """Milliseconds at the middle and at the end."""
    found = np.array(seconds) * 1e3
    return {"p50": round(float(np.median(found)), 3), "p99": round(float(np.quantile(found, 0.99)), 3)}


def latency(port: int, idle: int, paths: dict[str, Any], n: int) -> dict[str, dict[str, float]]:
    """Each path and nothing in turn, n times."""
    service, nothing = Asker(port), Asker(idle)
    out: dict[str, list[float]] = {"nothing": [], **{name: [] for name in paths}}
    for turn in range(WARM + n):
        taken = {"nothing": nothing.get("/nothing"), **{name: service.get(path(turn)) for name, path in paths.items()}}
        if turn >= WARM:
            for name, seconds in taken.items():
                out[name].append(seconds)
    return {name: told(seconds) for name, seconds in out.items()}


def of_nothing(ms: dict[str, dict[str, float]]) -> dict[str, float]:
    """How many times as long as nothing a recommendation takes, by quantile."""
    return {q: ms["recommend"][q] / ms["nothing"][q] for q in ms["nothing"]}


def throughput(port: int, path: Any, n: int, connections: int = 8) -> float:
    """Answers a second, of several connections at once."""

    def asks(first: int) -> None:
        asker = Asker(port)
        for turn in range(first, n, connections):
            asker.get(path(turn))

    threads = [threading.Thread(target=asks, args=(first,)) for first in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return n / (time.perf_counter() - start)


def overload(port: int, path: Any, seconds: float) -> dict[str, Any]:
    """What becomes of four times as many questions as can be answered, sent at their times whether others wait or not,
    and of one question at a time from right after on. ``offered``: times what can be answered that were sent."""
    asker = Asker(port)
    before = told([asker.get(path(turn)) for turn in range(WARM)])
    usual = flood(port, path, seconds=CAPACITY, connections=8)
    capacity = len(usual.accepted) / usual.seconds
    found = flood(port, path, seconds=seconds, rate=TIMES * capacity, first=usual.requests)
    end, after = time.perf_counter(), [list[float]() for _ in range(AFTER)]
    asker = Asker(port)  # the other one was closed meanwhile
    while (second := int(time.perf_counter() - end)) < AFTER:
        after[second].append(asker.get(path(len(after[second]))))
    return {
        "per_second": round(capacity),
        "offered": round(found.requests / seconds / capacity, 2),
        "seconds": round(found.seconds, 1),
        "n_accepted": len(found.accepted),
        "n_refused": len(found.refused),
        "accepted": told(found.accepted),
        "refused": told(found.refused) if found.refused else None,
        "before": before,
        "after": [told(each) for each in after if each],  # of each second
    }


@contextmanager
def apart() -> Iterator[None]:
    """What is started within has the first core alone, and this process the others, where there are more."""
    cores = sorted(os.sched_getaffinity(0))
    try:
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[:1])
        yield
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[1:])
    except BaseException:
        os.sched_setaffinity(0, cores)
        raise


def resident(pid: int) -> float:
    """MiB of a process that are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def busy(pid: int) -> float:
    """Seconds of the CPU that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: subprocess.Popen[bytes], port: int, path: Any, event: Any, n: int) -> list[float]:
    """MiB of the service after each tenth of n questions and n events."""
    asker, out = Asker(port), []
    for turn in range(n):
        asker.get(path(turn))
        if turn % 50 == 49:
            asker.ask("POST", "/events", {"events": [event(at) for at in range(turn - 49, turn + 1)]})
        if turn % (n // 10) == n // 10 - 1:
            out.append(resident(process.pid))
    return out


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--many", type=int, default=100_000, help="questions, and events, over which memory is watched")
    parser.add_argument("--only", choices=("latency", "overload", "memory"), help="measure this alone")
    parser.add_argument("--keep", action="store_true", help="into RESULTS.md")
    asked = parser.parse_args()
    import graphrec

    data = graphrec.load(asked.model).fitted.data
    users, items = data.users.ids, data.items.ids
    random = np.random.default_rng(0)
    whom, what = random.integers(len(users), size=1 << 20), random.integers(len(items), size=1 << 20)

    def recommend(turn: int) -> str:
        return f"/recommend?user_id={users[whom[turn]]}"

    def explain(turn: int) -> str:
        return f"/explain?user_id={users[whom[turn]]}&item_id={items[what[turn]]}"

    def basket(turn: int) -> str:
        return f"/recommend?history={items[what[turn]]},{items[what[turn + 1]]},{items[what[turn + 2]]}"

    def long(turn: int) -> str:
        return basket(turn) + "&k=100&diversity=0.3"

    def event(turn: int) -> dict[str, Any]:
        return {"event_id": f"e{turn}", "user_id": users[whom[turn]], "item_id": items[what[turn]]}

    found: dict[str, Any] = {"model": asked.model.name, "users": len(users), "items": len(items)}
    port, idle = free(), free()
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/events.sqlite"
        serve = [sys.executable, "-m", "graphrec", "serve", str(asked.model), "--port", str(port), "--store", store]
        nothing = [sys.executable, "-c", NOTHING, str(idle)]
        if asked.only != "overload":
            with running(serve, port, "/ready") as process, running(nothing, idle, "/nothing"):
                if asked.only != "memory":
                    asking = {"recommend": recommend, "basket": basket, "live": lambda _: "/live"}
                    rounds = [latency(port, idle, asking, asked.requests) for _ in range(ROUNDS)]
                    rounds.sort(key=lambda ms: of_nothing(ms)["p99"])
                    found["rounds"] = [round(of_nothing(ms)["p99"], 2) for ms in rounds]
                    found["ms"], found["requests"] = rounds[ROUNDS // 2], asked.requests
                    found["times_nothing"] = {q: round(times, 2) for q, times in of_nothing(found["ms"]).items()}
                    found["ms"]["explain"] = latency(port, idle, {"explain": explain}, asked.requests // 10)["explain"]
                    found["per_second"] = {
                        "recommend": round(throughput(port, recommend, asked.requests)),
                        "basket": round(throughput(port, basket, asked.requests)),
                        "nothing": round(throughput(idle, lambda _: "/nothing", asked.requests)),
                    }
                    start = busy(process.pid)
                    throughput(port, recommend, asked.requests)
                    found["per_core_second"] = round(asked.requests / (busy(process.pid) - start))
                if asked.only != "latency":
                    found["mib"] = [round(each, 1) for each in memory(process, port, recommend, event, asked.many)]
                    found["many"] = asked.many
                    found["memory_grows"] = round(found["mib"][-1] / found["mib"][1] - 1, 4)
                if asked.only != "memory":  # after the events, where there were any
                    for at in range(0, HEARD, 50):
                        Asker(port).ask("POST", "/events", {"events": [event(n) for n in range(at, at + 50)]})
                    found["ms"]["heard"] = latency(port, idle, {"heard": recommend}, asked.requests // 3)["heard"]
        if asked.only in (None, "overload"):
            (Path(folder) / "serve.toml").write_text("[limits]\nqueue = 8\n")
            with ExitStack() as open_:
                with apart():
                    open_.enter_context(running([*serve, "--config", f"{folder}/serve.toml"], port, "/ready"))
                found["overload"] = {"basket": overload(port, basket, 30.0), "long": overload(port, long, 30.0)}
    found["load"] = round(os.getloadavg()[2], 1)
    print(json.dumps(found, indent=1))
    if asked.keep:
        report.keep("serving", asked.model.name, {**report.kept("serving", asked.model.name), **found})


if __name__ == "__main__":
    main()
