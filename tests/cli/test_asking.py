"""Where and when somebody asks, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphrec.model import asked
from tests.cli.support import run
from tests.cli.test_recommend import model

__all__ = ["model"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "u00", "--here", "95,11"], "the latitude 95 is not between -90 and 90"),
        (["--user", "u00", "--here", "48,-200"], "the longitude -200 is not between -180 and 180"),
        (["--user", "u00", "--here", "Berlin"], "--here: 'Berlin' is no place"),
        (["--user", "u00", "--at", "soon"], "--at: 'soon' is no time; give seconds since 1970"),
        (["--user", "u00", "--now", "99999999999"], "no second between 1840 and 2100"),
        (["--user", "u00", "--at", "soon"], "--at: 'soon' is no time"),
    ],
)
@pytest.mark.parametrize("command", [("recommend",), ("explain", "--item", "i01")])
def test_what_is_no_place_and_no_moment_is_refused(
    command: tuple[str, ...], arguments: list[str], said: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(command[0], model, *command[1:], *arguments, expect=2)
    assert said in capsys.readouterr().err


def test_the_moment_and_the_place_of_asking_reach_the_question(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[dict[str, Any]] = []
    of, one = asked.Asked.of.__func__, asked.one  # type: ignore[attr-defined]

    def recommended(cls: Any, *given: Any, **options: Any) -> Any:
        heard.append(dict(options["context"]))
        return of(cls, *given, **options)

    def explained(*given: Any, **options: Any) -> Any:
        heard.append({name: options[name] for name in ("place", "now", "friends") if name in options})
        return one(*given, **options)

    monkeypatch.setattr(asked.Asked, "of", classmethod(recommended))
    monkeypatch.setattr("graphrec.model.reasons.one", explained)
    for at in ("2020-09-13T12:26:40Z", "1600000000"):
        for command in (("recommend",), ("explain", "--item", "i01")):
            run(command[0], model, "--user", "u00", *command[1:], "--at", at, "--here", "48.1,11.6")
    assert heard == [{"place": (48.1, 11.6), "now": 1_600_000_000}] * 4
    for command in (("recommend",), ("explain", "--item", "i01")):  # of whom nothing else is known
        run(command[0], model, *command[1:], "--friends", "u01,u02", "--friends", "u03")
    assert heard[4:] == [{"friends": ["u01", "u02", "u03"]}] * 2
    assert "by these friends" in capsys.readouterr().out
    run("explain", model, "--item", "i01", "--here", "48.1,11.6")
    assert "for somebody" in capsys.readouterr().out
