"""The command itself: what is there before anything is learned or loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import graphrec
from graphrec.cli.completion import complete_setting
from graphrec.config import Config
from graphrec.errors import ConfigError
from tests.cli.support import run

HEAVY = ("numpy", "pandas", "pyarrow", "scipy", "torch", "faiss", "spacy", "sklearn", "optuna", "graphrec.config")


def python(*arguments: str, **environment: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=True)
    return done.stdout


@pytest.mark.parametrize("asked", ["--help", "fit --help", "kg --help", "--version"])
def test_help_imports_nothing_heavy(asked: str) -> None:
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('imported:', *(name for name in {HEAVY} if name in sys.modules)))\n"
        f"sys.argv = ['graphrec', *{asked.split()}]\n"
        "from graphrec.cli.app import main\n"
        "main()\n"
    )
    lines = python("-c", code).splitlines()
    assert len(lines) > 1
    assert lines[-1].strip() == "imported:"


@pytest.mark.parametrize("arguments", [["-h"], ["fit", "-h"], ["kg", "-h"], ["kg", "stats", "-h"]])
def test_h_is_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(*arguments)
    assert "Usage: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["recommendd"], "No such command 'recommendd'. Did you mean 'recommend'?; see `"),
        (["recommend", "m", "--seen", "perhaps"], "'perhaps' is not one of 'exclude', 'allow', 'only'"),
        (["recommend", "m", "--usr", "u"], "recommend -h`"),
        (["recommend", "m", "-k", "ten"], "recommend -h`"),
        (["recommend", "m", "-k"], "requires an argument; see `graphrec -h`"),
        (["fit"], "fit -h`"),
        (["kg", "stat"], "kg -h`"),
    ],
)
def test_a_call_that_cannot_be_read_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*arguments, expect=2)
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert line.startswith("graphrec: ")
    assert said in line
    assert "Value error" not in line
    assert out == ""


@pytest.mark.parametrize("arguments", [[], ["kg"]])
def test_where_nothing_is_asked_there_is_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(*arguments, expect=2)
    assert "Usage: " in "".join(capsys.readouterr())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    run("--version")
    assert capsys.readouterr().out == f"graphrec {graphrec.__version__}\n"


def test_the_shell_completes_graphrec_however_it_was_called() -> None:
    call = [sys.executable, "-m", "graphrec", "--show-completion", "bash"]
    found = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    assert found.splitlines()[-1].endswith("-F _graphrec_completion graphrec")
    assert "python" not in found


def test_python_m_graphrec() -> None:
    assert python("-m", "graphrec", "--version") == f"graphrec {graphrec.__version__}\n"
    assert "python -m graphrec" in python("-m", "graphrec", "-h")


def test_every_setting_is_completed_and_accepted() -> None:
    names = [name for name, _ in complete_setting("")]
    assert {"blocks=", "split.kind=", "evaluate.k=", "kg.min_mentions="} <= set(names)
    with pytest.raises(ConfigError) as refused:  # for their values at most
        Config.load(None, [f"{name}\x00" for name in names])
    assert "there is no such setting" not in str(refused.value)


def test_completion_starts_with_what_is_there_and_says_what_it_is() -> None:
    assert [name for name, _ in complete_setting("split.k")] == ["split.kind=", "split.k_core="]
    assert complete_setting("nothing.") == []
    told = dict(complete_setting("kg."))
    assert told["kg.min_mentions="] == "an aspect named fewer times in the training reviews is dropped"
    assert told["kg.enabled="] == ""


@pytest.mark.parametrize("command", ["fit x", "kg build x"])
def test_the_shell_completes_settings(command: str) -> None:
    found = python(
        "-c",
        "import sys; sys.argv = ['graphrec']; from graphrec.cli.app import main; main()",
        _GRAPHREC_COMPLETE="complete_zsh",
        _TYPER_COMPLETE_ARGS=f"graphrec {command} --set kg.min",
    )
    assert "kg.min_mentions=" in found
    assert "an aspect named fewer times" in found
