"""Workers keep the order, hand on errors, and end with the process that started them, killed or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kg.extract.workers
from kg.errors import KGError
from kg.extract.workers import AHEAD, CHUNK, can_fork, in_order

pytestmark = pytest.mark.skipif(not can_fork(), reason="processes are not forked here")


def slow_first(texts: list[str]) -> list[str]:
    """The first chunk is done last."""
    time.sleep(0.3 if "0" in texts else 0)
    return [f"{text} by {os.getpid()}" for text in texts]


def test_order_is_kept_by_several_processes() -> None:
    rows = [row.split(" by ") for row in in_order(slow_first, map(str, range(5 * CHUNK + 3)), 2)]
    assert [text for text, _ in rows] == list(map(str, range(5 * CHUNK + 3)))
    assert len({pid for _, pid in rows} - {str(os.getpid())}) == 2


def test_little_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kg.extract.workers, "CHUNK", 2)
    taken = 0

    def texts() -> object:
        nonlocal taken
        for taken in range(1, 101):
            yield str(taken)

    results = in_order(slow_first, texts(), 2)  # type: ignore[arg-type]
    next(results)
    assert taken <= 2 * 2 * AHEAD + 2
    results.close()  # type: ignore[attr-defined]


def broken(texts: list[str]) -> list[str]:
    raise ValueError(texts[0])


def killed(texts: list[str]) -> list[str]:
    os.kill(os.getpid(), signal.SIGKILL)
    return texts


def test_errors_come_back() -> None:
    with pytest.raises(ValueError, match="a"):
        list(in_order(broken, ["a"], 2))
    with pytest.raises(KGError, match=r"a worker process was killed.*runtime\.processes=1"):
        list(in_order(killed, ["a"] * 3 * CHUNK, 2))


SCRIPT = """
import hashlib, os, sys, time
from graphrec.features.cache import ContentCache
from kg.extract.reading import extract
from kg.types import Span
from kg.extract.workers import in_order
from pathlib import Path

def work(texts):
    Path(sys.argv[1], f"worker{os.getpid()}").touch()
    time.sleep(0.01)
    return [[Span(0, 4, "tone", "aspect")] for _ in texts]

class Slow:
    id = "slow"
    def extract(self, texts):
        for n, spans in enumerate(in_order(work, texts, 2)):
            Path(sys.argv[1], "done").write_text(str(n))
            yield spans

extract([f"tone {n}" for n in range(100_000)], Slow(), ContentCache("mentions", Path(sys.argv[1])))
"""


def test_a_killed_build_keeps_its_batches_and_leaves_no_worker(tmp_path: Path) -> None:
    from graphrec.features.cache import ContentCache
    from kg.extract.reading import WRITE_EVERY, keys

    root = Path(__file__).resolve().parents[3]
    child = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(root)})
    try:
        wait_for(lambda: taken(tmp_path) > 3 * WRITE_EVERY)
    finally:
        child.kill()
        child.wait()
    kept = ContentCache("mentions", tmp_path).get_many(
        list(keys("slow", [f"tone {n}" for n in range(100_000)]).values())
    )
    assert len(kept) >= 3 * WRITE_EVERY
    assert len(kept) > taken(tmp_path) - WRITE_EVERY
    workers = [int(p.name.removeprefix("worker")) for p in tmp_path.glob("worker*")]
    assert workers
    wait_for(lambda: not any(map(alive, workers)))


def taken(folder: Path) -> int:
    """How many texts the build was given spans for, as far as it came to write that down."""
    file = folder / "done"
    found = file.read_text() if file.exists() else ""
    return int(found) if found.isdigit() else 0


def alive(pid: int) -> bool:
    """Whether it still runs; a zombie has only not been asked how it ended."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)
