"""kill -9 at random moments: ``benchmarks/durability.py``, a few times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "durability.py"
NONE = ("lost", "twice", "torn", "back", "bytes")


@pytest.mark.parametrize(("kind", "times"), [("sqlite", 5), ("postgresql", 3)])
def test_what_was_acknowledged_is_there_once_after_a_kill(
    kind: str, times: int, request: pytest.FixtureRequest
) -> None:
    if kind == "postgresql":
        request.getfixturevalue("postgres")  # or it is skipped
    call = [sys.executable, str(SCRIPT), "--times", str(times), "--store", kind, "--json"]
    (found,) = json.loads(subprocess.run(call, stdout=subprocess.PIPE, check=True).stdout)
    assert {name: found[name] for name in NONE} == dict.fromkeys(NONE, 0)
    assert found["opened"] == times
    assert found["events"] > 10 * times
