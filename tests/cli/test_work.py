"""A fit that was killed goes on from the folder beside its model, which is gone when the model is there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from graphrec.blocks.ials import IALS
from graphrec.blocks.popularity import Popularity
from graphrec.config import Config
from tests import worlds
from tests.cli.support import run

SETTINGS = ("--set", "blocks=popularity,ials", "--set", "kg.enabled=false", "--set", "features.enabled=false")


class _Killed(Exception):
    pass


def test_a_fit_that_was_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = worlds.two_tastes()
    i, source, out = data.interactions, tmp_path / "shop.csv", tmp_path / "model"
    users, items = (
        [ids[n] for n in nums] for ids, nums in ((data.users.ids, i.user_nums), (data.items.ids, i.item_nums))
    )
    pd.DataFrame({"user_id": users, "item_id": items}).to_csv(source, index=False)

    def killed(*_: object) -> None:
        raise _Killed

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
