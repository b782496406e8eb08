"""The commands profile and map."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrec.cli.portrait import _most
from tests.cli.support import QUICK as FEW_BLOCKS
from tests.cli.support import document, printed, run
from tests.model.shop import QUICK, fitted, shop


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "m"
    fitted(shop(), QUICK.with_(blocks=["popularity", "spectral"], features={"enabled": False})).save(out)
    return out


def test_one_document(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "profile", model, "--user", "u3")
    assert (found["user_id"], found["events"]) == ("u3", 7)
    assert {"label", "share"} <= set(found["interests"][0])
    assert isinstance(found["likes"], list)
    assert isinstance(found["dislikes"], list)
    assert len(document(capsys, "profile", model, "--history", "i1,i3", "-k", "2")["interests"]) <= 2


def test_a_table_for_people(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "profile", model, "--user", "u3")
    assert "B1" in text
    assert "7 events from 2020-09-16 to" in text
    assert "0 events" in printed(capsys, "profile", model, "--user", "whoever")
    short = printed(capsys, "profile", model, "--history", "i0,i1", "-k", "1")
    share = 1 - document(capsys, "profile", model, "--history", "i0,i1", "-k", "1")["interests"][0]["share"]
    assert share > 0.1
    assert f"beside these: {share:.1%} in other interests" in short


@pytest.mark.parametrize(
    ("counts", "place"),
    [
        ([0, 6, 1], 1),
        ([5, 3, 4, 1, 7, 5, 2], None),
        ([0, 3, 1], None),
        ([6, 6, 0, 0, 0], None),
        ([], None),
        ([2], None),
    ],
)
def test_a_day_or_an_hour_is_told_only_where_chance_alone_makes_none(counts: list[int], place: int | None) -> None:
    assert _most(counts) == place


def test_pictures(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("profile", model, "--user", "u3", "--draw", tmp_path / "p.svg")
    assert "B1" in (tmp_path / "p.svg").read_text()
    run("profile", model, "--user", "whoever", "--draw", tmp_path / "none.svg")
    told = capsys.readouterr().err
    assert "is not written: no interest is known" in told.replace("\n", " ")
    assert not (tmp_path / "none.svg").exists()
    found = document(capsys, "map", model, "--out", tmp_path / "m.svg")
    assert "</svg>" in (tmp_path / "m.svg").read_text()
    assert found["items"][0]["item_id"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("profile", "--user", ""), "--user is empty"),
        (("profile",), "of whom?"),
        (("profile", "--user", "u3", "--draw", "x.txt"), ".svg or .png"),
        (("profile", "--user", "u3", "--draw", "no/such/folder/x.svg"), "no folder"),
        (("map", "--out", "x.txt"), ".svg or .png"),
        (("profile", "--history", "nothing"), "unknown item id"),
    ],
)
def test_a_mistake_is_one_line(
    model: Path, call: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(call[0], model, *call[1:], expect=2)
    told = capsys.readouterr().err.strip()
    assert said in told
    assert "\n" not in told


@pytest.mark.parametrize("rows", [["a,i1", "a,i2", "b,i2", "b,i3"], ["a,i1", "b,i1"]])
def test_a_map_of_two_users(rows: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "two.csv").write_text("\n".join(["user_id,item_id", *rows]) + "\n", "utf-8")
    run("fit", tmp_path / "two.csv", "--out", tmp_path / "m", *FEW_BLOCKS)
    found = document(capsys, "map", tmp_path / "m", "--out", tmp_path / "m.svg")
    assert found["of"] == {"items": len({row.split(",")[1] for row in rows}), "users": 2}
    assert "</svg>" in (tmp_path / "m.svg").read_text()
