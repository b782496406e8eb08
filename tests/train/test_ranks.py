"""Two processes learn what one does, go on from each other's checkpoints, and hear of it when the other is killed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.train import pair

ROOT = Path(__file__).resolve().parents[2]


class _Killed(Exception):
    pass


class _Pair(NamedTuple):
    folder: Path
    codes: list[int]
    said: list[str]

    def found(self, name: str) -> dict[str, np.ndarray[Any, Any]]:
        with np.load(self.folder / "found.npz") as arrays:
            return {key.removeprefix(f"{name}."): arrays[key] for key in arrays if key.startswith(f"{name}.")}


def _die() -> None:
    raise _Killed


@pytest.fixture(scope="module")
def pair_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with suppress(_Killed):
        pair.graph(folder / "of one", killed=_die)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    env = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    env["PYTHONPATH"] = str(ROOT)
    call = [sys.executable, "-m", "tests.train.pair", str(folder)]
    both = [
        subprocess.Popen(call, cwd=ROOT, env={**env, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=120)[1] for process in both]
        yield _Pair(folder, [process.returncode for process in both], said)
    finally:
        for process in both:
            process.kill()


@pytest.fixture(scope="module")
def by_one() -> dict[str, Any]:
    return pair.tuned(pair.folds())


def _close(one: dict[str, Any], other: dict[str, Any], within: float) -> None:
    assert set(one) == set(other)
    for name, value in one.items():
        np.testing.assert_allclose(other[name], value, atol=within, err_msg=name)


@pytest.mark.parametrize("name", ["popularity", "spectral", "graph", "paper", "sequence"])
def test_two_processes_learn_what_one_does(name: str, pair_of: _Pair, by_one: dict[str, Any]) -> None:
    blocks, chosen = by_one[name]
    _close(pair.rows(blocks[0]), pair_of.found(name), 0.0 if name in ("popularity", "spectral") else 2e-3)
    assert json.loads((pair_of.folder / "chosen.json").read_text("utf-8"))[name].keys() == chosen.keys()
    assert chosen.get("epochs", 1) > 0  # something was learned that could differ


def test_two_go_on_from_where_one_was_killed_and_one_from_where_two_were(
    pair_of: _Pair, by_one: dict[str, Any]
) -> None:
    whole = pair.rows(by_one["graph"][0][0])
    _close(whole, pair_of.found("went on"), 2e-3)
    one, epochs = pair.graph(pair_of.folder / "of two")
    assert epochs == [4, 5, 6]
    assert json.loads((pair_of.folder / "chosen.json").read_text("utf-8"))["epochs"] == [4, 5, 6]
    _close(whole, one, 2e-3)


def test_who_is_left_ends_with_what_to_do(pair_of: _Pair) -> None:
    assert pair_of.codes == [2, 9], pair_of.said
    assert "graphrec: another process of this run is gone (" in pair_of.said[0]
    assert pair_of.said[0].rstrip().endswith("run the same command again: it goes on from what was kept")
    assert "Traceback" not in pair_of.said[0]
