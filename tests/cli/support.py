"""The command line, called in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from rich.cells import cell_len

from graphrec.cli.app import main

SETTLED = ("rank=8", "alpha=0.4", "beta=0.4", "power=0.4", "friends=0.1", "smoothing=0", "knowledge=0.3", "fading=0")
SPECTRAL = [part for value in SETTLED for part in ("--set", f"spectral.{value}")]  # nothing of it is searched
QUICK = ["--set", "blocks=popularity,spectral", "--set", "features.enabled=false", *SPECTRAL]


def run(*arguments: object, expect: int = 0) -> None:
    """Call the command line in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["graphrec", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert (ended.value.code or 0) == expect


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    """What a command prints with --json: exactly one document on standard output."""
    capsys.readouterr()
    run(*arguments, "--json")
    return json.loads(capsys.readouterr().out)


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command prints on standard output, in which no line is longer than 80 columns."""
    capsys.readouterr()
    run(*arguments)
    text = capsys.readouterr().out
    assert too_long(text) == []
    return text


def too_long(text: str, width: int = 80) -> Sequence[str]:
    return [line for line in text.splitlines() if cell_len(line) > width]
