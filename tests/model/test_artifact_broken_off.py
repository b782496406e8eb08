"""Saving that is broken off at any point leaves the old artifact or the new one; writers take turns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from graphrec.errors import ArtifactError
from graphrec.model import artifact
from tests.model.test_artifact import beside, fill, whole, write

CHANGES = {"open", "os.mkdir", "os.rename", "os.rmdir", "os.remove"}  # audit events, raised before the change is made


def broken_off(step: int, path: str, what: str) -> int:
    """Write an artifact in a child process that is killed, or whose disk fails, at its ``step``-th change to the disk.

    Returns how it ended: 0 before that step, 1 by ArtifactError, -9 killed, 2 by anything else.
    """
    if (child := os.fork()) == 0:
        seen = 0

        def hook(event: str, args: tuple[Any, ...]) -> None:
            nonlocal seen
            seen += event in CHANGES
            if event in CHANGES and (seen == step or (seen > step and what == "dead disk")):
                if what == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(28, "No space left on device")

        sys.addaudithook(hook)
        try:
            write(Path(path), "new")
        except ArtifactError:
            os._exit(1)
        except BaseException:
            os._exit(2)
        os._exit(0 if seen < step else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def serve() -> None:
    """``broken_off`` of every line of JSON: of a small process, which forks in no time."""
    os.fsync = lambda fd: None  # a killed process loses nothing that it wrote
    for line in sys.stdin:
        print(broken_off(*json.loads(line)), flush=True)


@pytest.fixture(scope="module")
def ended() -> Iterator[Callable[[int, Path, str], bool]]:
    """Whether a writing ended before the step at which it was to be broken off."""
    code = "from tests.model.test_artifact_broken_off import serve; serve()"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdin=-1, stdout=-1, text=True) as child:
        asked, told = child.stdin, child.stdout
        assert asked is not None
        assert told is not None

        def ask(step: int, path: Path, what: str) -> bool:
            print(json.dumps([step, str(path), what]), file=asked, flush=True)
            found = int(told.readline())
            assert found in (0, 1, -signal.SIGKILL), "only ArtifactError may come out of a failing disk"
            return found == 0

        yield ask
        asked.close()


@pytest.mark.parametrize(
    ("what", "before"),
    [
        *(("kill", before) for before in ("nothing", "empty folder", "artifact", "broken swap")),
        *((failure, before) for failure in ("one failure", "dead disk") for before in ("nothing", "artifact")),
    ],
)
def test_broken_off_anywhere_leaves_the_old_or_the_new(
    ended: Callable[[int, Path, str], bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    before: str,
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    outcomes: list[str] = []
    for step in range(1, 200):
        path = tmp_path / str(step) / "model"
        path.parent.mkdir()
        if before == "empty folder":
            path.mkdir()
        elif before != "nothing":
            write(path)
        if before == "broken swap":
            path.rename(path.with_name(".model.graphrec-old"))
            path.with_name(".model.graphrec-new").mkdir()
        over = ended(step, path, what)
        if what == "one failure" and before == "artifact":
            assert path.exists(), "put back at once, not by the next reader"
        if (previous := path.with_name(".model.graphrec-old")).exists():
            assert whole(previous) == "old"
        try:
            outcomes.append(whole(path))
        except ArtifactError:
            outcomes.append("nothing")
        write(path, "next")  # nothing is in its way, and it clears up
        assert whole(path) == "next"
        assert beside(path) == set()
        if over:
            break
    first = "old" if before in ("artifact", "broken swap") else "nothing"
    assert set(outcomes) == {first, "new"}
    if what == "kill":
        assert outcomes == sorted(outcomes, key=[first, "new"].index), "the new one, once in place, stays"
    assert len(outcomes) > 10


@pytest.mark.parametrize("nth", range(1, 10))
def test_a_failing_fsync_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """Four files, the manifest and its checksum, and two folders before the swap; the parent after it."""
    calls = 0

    def fsync(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise OSError(5, "Input/output error")

    write(tmp_path / "model")
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ArtifactError, match="Input/output error"):
        write(tmp_path / "model", "new")
    assert whole(tmp_path / "model") == ("old" if nth < 9 else "new")
    calls = 0
    with suppress(ArtifactError):
        write(tmp_path / "model", "next")
    assert calls >= nth


def test_what_fill_raises_is_passed_on_and_changes_nothing(tmp_path: Path) -> None:
    def failing(folder: Path) -> None:
        fill(folder)
        raise ZeroDivisionError

    write(tmp_path / "model")
    with pytest.raises(ZeroDivisionError):
        artifact.write(tmp_path / "model", failing, {})
    assert whole(tmp_path / "model") == "old"
    assert beside(tmp_path / "model") == set()


def test_writers_at_the_same_time_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "model"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(partial(write, path), map(str, range(12))))
    assert whole(path) in map(str, range(12))
    assert beside(path) == set()
