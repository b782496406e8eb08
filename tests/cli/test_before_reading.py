"""What can be refused or told without the data is, before any of it is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graphrec.cli.options import listed
from tests.cli.support import QUICK, run


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["blocks=magic"], "'magic' does not exist; there are"),
        (["blocks=spectral,spectral"], "names a block twice"),
        (["spectral.rnk=3"], "perhaps spectral.rank is meant"),
        (["runtime.device=abacus"], "'abacus' cannot be used"),
        (["kg.extractor=gliner"], "needs a model; set kg.model"),
        (["kg.overrides=absent.csv"], "there is no file 'absent.csv'"),
        (["features.encoder=./absent"], "there is no folder './absent'"),
    ],
)
@pytest.mark.parametrize(
    "command", [["fit", "--out", "m"], ["evaluate"], ["compare"], ["kg", "build", "--out", "g.nq"]]
)
def test_settings_are_looked_at_before_the_data(
    command: list[str],
    settings: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """There is no data: whoever reads first says that, and not what is wrong with the settings."""
    monkeypatch.chdir(tmp_path)
    run(*command, "absent.csv", *(word for setting in settings for word in ("--set", setting)), expect=2)
    err = capsys.readouterr().err
    assert said in err
    assert "absent.csv: " not in err


def test_models_of_a_comparison_are_looked_at_before_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    run("compare", "absent.csv", "--models", "oracle", expect=2)
    assert "unknown model oracle" in capsys.readouterr().err


def test_the_model_that_is_replaced_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "e.csv", tmp_path / "m"
    source.write_text("user_id,item_id\n" + "".join(f"u{n % 6},i{n % 5}\n" for n in range(30)), "utf-8")
    run("fit", source, "--out", out, *QUICK)
    assert "place of" not in capsys.readouterr().err
    run("fit", source, "--out", out, *QUICK)
    err = capsys.readouterr().err
    (before,) = re.findall(r"holds (model \S+ of \d{4}-\d\d-\d\d \d\d:\d\d), which is replaced when", err)
    assert f"written, in place of {before} (" in err
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("not a model", "utf-8")
    run("fit", source, "--out", tmp_path / "notes", *QUICK, expect=2)
    assert "will not be overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "said"), [(("--steps", "week"), "--steps week"), (("--split", "random"), "leave --split random out")]
)
def test_how_to_go_through_time_is_looked_at_before_the_data(
    call: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("evaluate", "absent.csv", "--prequential", *call, expect=2)
    assert said in capsys.readouterr().err


def test_steps_are_of_prequential_alone(capsys: pytest.CaptureFixture[str]) -> None:
    run("evaluate", "absent.csv", "--steps", "3", expect=2)
    assert "--steps 3 is of --prequential" in capsys.readouterr().err


def test_names_of_a_list_may_have_spaces_around_them() -> None:
    assert listed("activity, gender ") == ["activity", "gender"]
    assert listed(None) == []
