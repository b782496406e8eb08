"""What was killed goes on from what it kept: a fit and a refit from the folder beside their model, which is gone when
the model is there, a measurement from the folder that it was given."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from graphrec.blocks._network_run import Run
from graphrec.blocks.ials import IALS
from graphrec.blocks.popularity import Popularity
from graphrec.config import Config
from graphrec.recommender import Recommender
from tests import worlds
from tests.cli.support import document, run

SETTINGS = ("--set", "blocks=popularity,ials", "--set", "kg.enabled=false", "--set", "features.enabled=false")


class _Killed(Exception):
    pass


def killed(*_: object) -> None:
    raise _Killed


def shop(folder: Path) -> Path:
    """A source of two tastes."""
    data, source = worlds.two_tastes(), folder / "shop.csv"
    i = data.interactions
    users, items = (
        [ids[n] for n in nums] for ids, nums in ((data.users.ids, i.user_nums), (data.items.ids, i.item_nums))
    )
    pd.DataFrame({"user_id": users, "item_id": items}).to_csv(source, index=False)
    return source


def test_a_fit_that_was_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = shop(tmp_path), tmp_path / "model"
    with monkeypatch.context() as patch:
        patch.setattr(IALS, "tune", killed)
        with pytest.raises(_Killed):
            run("fit", str(source), "--out", str(out), *SETTINGS)
    work = tmp_path / "model.work"
    assert [file.name for file in work.glob("*/tuned/*.json")] == ["popularity.json"]
    assert not out.exists()
    assert "goes on" not in capsys.readouterr().err
    monkeypatch.setattr(Popularity, "tune", killed)  # it is not asked again
    run("fit", str(source), "--out", str(out), *SETTINGS)
    assert f"goes on from {work}: popularity" in " ".join(capsys.readouterr().err.split())
    assert out.exists()
    assert not work.exists()


def test_other_settings_do_not_go_on_from_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was chosen for another task is not taken over."""
    source, out = tmp_path / "shop.csv", tmp_path / "model"
    source.write_text("user_id,item_id\n" + "".join(f"u{u},i{(u + n) % 7}\n" for u in range(9) for n in range(4)))
    begun = tmp_path / "model.work" / Config().fingerprint()[:16] / "tuned"
    begun.mkdir(parents=True)
    (begun / "popularity.json").write_text("{}")
    run("fit", str(source), "--out", str(out), *SETTINGS)
    assert "goes on" not in capsys.readouterr().err
    assert not (tmp_path / "model.work").exists()


def test_a_refit_that_was_killed_does_not_train_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, model, out = shop(tmp_path), tmp_path / "model", tmp_path / "newer"
    small = ("--set", "blocks=graph", *(part for s in ("dim=4", "max_epochs=2") for part in ("--set", f"graph.{s}")))
    run("fit", source, "--out", model, *SETTINGS, *small)
    with monkeypatch.context() as patch:
        patch.setattr(Recommender, "save", killed)
        with pytest.raises(_Killed):
            run("refit", model, source, "--out", out)
    monkeypatch.setattr(Run, "epoch", killed)
    run("refit", model, source, "--out", out)
    assert f"goes on from {tmp_path / 'newer.work'}: 1 trainings" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "newer.work").exists()
    with pytest.raises(_Killed):  # what was kept is gone: it trains
        run("refit", model, source, "--out", out)


def test_a_measurement_that_was_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work, call = tmp_path / "work", ("evaluate", shop(tmp_path), *SETTINGS)
    work.mkdir()
    (work / "of somebody else").touch()
    whole = document(capsys, *call)
    with monkeypatch.context() as patch:
        patch.setattr(IALS, "tune", killed)
        with pytest.raises(_Killed):
            run(*call, "--work", work)
    monkeypatch.setattr(Popularity, "tune", killed)  # it is not asked again
    resumed = document(capsys, *call, "--work", work)
    assert [resumed[name] for name in ("metrics", "chosen")] == [whole[name] for name in ("metrics", "chosen")]
    assert [file.name for file in work.iterdir()] == ["of somebody else"]
    for other in (["--prequential"], [tmp_path], ["--recommendations", tmp_path]):
        run(*call, *other, "--work", work, expect=2)
        assert "keeps what is learned of SOURCE" in capsys.readouterr().err


def test_a_comparison_that_was_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few, work = ("--models", "popularity,ials,graphrec", "--set", "evaluate.trials=2"), tmp_path / "work"
    call = ("compare", shop(tmp_path), *few, *SETTINGS)
    whole = document(capsys, *call)
    with monkeypatch.context() as patch:
        patch.setattr(Recommender, "fit_split", killed)
        with pytest.raises(_Killed):
            run(*call, "--work", work)
    with monkeypatch.context() as patch:
        patch.setattr(Popularity, "tune", killed)  # they are not asked again …
        patch.setattr(IALS, "tune", killed)
        with pytest.raises(_Killed):  # … but by graphrec, which has other settings
            run(*call, "--work", work)
    assert f"goes on from {work}: ials, popularity" in " ".join(capsys.readouterr().err.split())
    resumed = document(capsys, *call, "--work", work)
    assert [{**row, "seconds": 0} for row in resumed["rows"]] == [{**row, "seconds": 0} for row in whole["rows"]]
    assert not work.exists()


def test_a_report_that_was_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ("report", shop(tmp_path), "--out", tmp_path / "page.html", *SETTINGS)
    with monkeypatch.context() as patch:
        patch.setattr(IALS, "tune", killed)
        with pytest.raises(_Killed):
            run(*call)
    monkeypatch.setattr(Popularity, "tune", killed)
    run(*call)
    assert "page.html.work: popularity" in " ".join(capsys.readouterr().err.split())
    assert [file.name for file in tmp_path.glob("page*")] == ["page.html"]
