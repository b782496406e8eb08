"""A block of a package outside the repository, installed by pip: fitted, blended, saved, loaded and put in words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import graphrec
from graphrec.errors import GraphrecError

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "tests" / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the package, without network."""
    source, target = (tmp_path_factory.mktemp(name) for name in ("source", "target"))
    for name in ("pyproject.toml", "graphrec_together.py"):
        shutil.copy(PLUGIN / name, source)
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    _run([sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)])
    return target


def _run(command: list[str], installed: Path | None = None) -> str:
    """What a command prints, with the installed package on the path."""
    path = os.pathsep.join([*([] if installed is None else [str(installed)]), str(ROOT)])
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


BOTH = """
import runpy, sys
sys.modules["pytest"] = None  # the contract is imported without it
from graphrec.testing import BlockContract
del sys.modules["pytest"]
import pytest
failed = pytest.main(["--assert=plain", "-p", "no:cacheprovider", sys.argv[3]])
failed or runpy.run_path(sys.argv[2])
sys.exit(failed)
"""


@pytest.fixture(scope="module")
def used(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Any]]:
    """A saved model that holds the block; what pytest printed of the contract, and then the script, in one process."""
    model = tmp_path_factory.mktemp("used") / "model"
    scripts = [str(PLUGIN / name) for name in ("use_together.py", "check_together.py")]
    printed = _run([sys.executable, "-c", BOTH, str(model), *scripts], installed)
    return model, printed, json.loads(printed.splitlines()[-1])


def test_it_goes_the_whole_path(used: tuple[Path, str, dict[str, Any]]) -> None:
    found = used[2]
    assert found["section"] == {"damping": [0.0, 1.0]}
    assert "[together]\ndamping = [0.0, 1.0]" in found["toml"]
    assert set(found["chosen"]["together"]) == {"damping"}
    assert found["chosen"]["weights"]["together"] > 0
    assert found["answers"][0] == found["answers"][1]
    assert found["words"] in found["texts"][0]
    assert found["texts"][0] == found["texts"][1]
    assert found["contributions"]["together"] > 0


def test_it_keeps_the_contract(used: tuple[Path, str, dict[str, Any]]) -> None:
    assert " passed" in used[1]
    assert "failed" not in used[1]


def test_a_model_that_holds_it_says_so_where_it_is_not_installed(used: tuple[Path, str, dict[str, Any]]) -> None:
    with pytest.raises(GraphrecError, match=r"(?s)together.*install|install.*together"):
        graphrec.load(used[0])  # in this process there is no such package
