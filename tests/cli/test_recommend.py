"""`recommend` and `explain` on the command line: for one, for a basket, and for many into a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphrec.cli import people
from graphrec.data import sink
from tests.cli.support import QUICK, document, printed, run

USERS, ITEMS = 30, 20
TITLES = ["[bold]x[/] [a]", "Live [/] :smile:", "plain"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tastes; titles that rich would take for markup, prices, and one id with a comma in it."""
    folder = tmp_path_factory.mktemp("shop")
    random = np.random.default_rng(0)
    rows = ["user_id,item_id,timestamp"]
    for user in range(USERS):
        for turn, item in enumerate(random.permutation(np.arange(user % 2, ITEMS, 2))[:6]):
            rows.append(f'u{user:02d},"{_item(int(item))}",{1_600_000_000 + 86_400 * (10 * turn + user)}')
    (folder / "events.csv").write_text("\n".join(rows) + "\n", "utf-8")
    items = [f'"{_item(n)}",{TITLES[n % 3]} {n},{n}.5' for n in range(ITEMS)]
    (folder / "items.csv").write_text("\n".join(["item_id,title,price", *items]) + "\n", "utf-8")
    run("fit", folder, "--out", folder / "model", *QUICK)
    return folder / "model"


def _item(n: int) -> str:
    return "a,b" if n == 7 else f"i{n:02d}"


def read(file: Path) -> pd.DataFrame:
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    return pd.read_json(file, lines=True) if file.suffix == ".jsonl" else pd.read_csv(file)


def rows_of(table: pd.DataFrame, user: str) -> list[tuple[Any, ...]]:
    mine = table[table["user_id"] == user]
    return [(r.item_id, pytest.approx(r.score, abs=1e-5), r.rank) for r in mine.itertuples()]


def alone(capsys: pytest.CaptureFixture[str], model: Path, *arguments: object) -> list[tuple[Any, ...]]:
    found = document(capsys, "recommend", model, *arguments)
    return [(row["item_id"], row["score"], row["rank"]) for row in found["items"]]


OPTIONS = ("-k", "4", "--filter", "price < 15 or price > 18", "--exclude", "i00,i01", "--rerank", "diversity=0.3")


# --- many -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_all_equals_one_by_one(
    ending: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "AT_ONCE", 7)
    monkeypatch.setattr(sink, "ROWS", 10)
    out = tmp_path / f"[recs]{ending}"
    run("recommend", model, "--all", "--out", out, *OPTIONS)
    printed_, said = capsys.readouterr()
    assert printed_ == ""
    assert f"{out} written: {4 * USERS} rows for {USERS} users" in said
    assert "users/s" in said
    table = read(out)
    assert list(table) == ["user_id", "item_id", "score", "rank"]
    assert table["user_id"].drop_duplicates().tolist() == [f"u{n:02d}" for n in range(USERS)]
    for user in ("u00", "u13", "u29"):
        assert rows_of(table, user) == alone(capsys, model, "--user", user, *OPTIONS)
    assert os.listdir(tmp_path) == [out.name]


def test_users_with_histories_equal_one_by_one(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "AT_ONCE", 2)
    users, out = tmp_path / "users.csv", tmp_path / "recs.csv"
    users.write_text('user_id,item_id\nnew,i02\nu03,"a,b"\nnew,i04\nlost,zzz\nother,i09\n,i02\nempty,\n', "utf-8")
    found = document(capsys, "recommend", model, "--users", users, "--out", out, "-k", "3")
    assert (found["users"], found["unknown_users"], found["rows"]) == (5, 4, 15)
    assert found["degraded"]["unknown_user"] == 2
    notes = " ".join(found["notes"])
    assert "1 rows without a user_id" in notes
    assert "1 rows of items that the model does not know" in notes
    assert "4 of 5 ids are of nobody the model knows" in notes
    table = read(out)
    assert table["user_id"].drop_duplicates().tolist() == ["new", "u03", "lost", "other", "empty"]
    assert rows_of(table, "new") == alone(capsys, model, "--history", "i02,i04", "-k", "3")
    assert rows_of(table, "u03") == alone(capsys, model, "--user", "u03", "--history", "a,b", "-k", "3")
    assert rows_of(table, "lost") == alone(capsys, model, "--user", "lost", "-k", "3") == rows_of(table, "empty")


@pytest.mark.parametrize("name", ["users.txt", "users", "users.jsonl", "users.parquet"])
def test_users_without_histories(name: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = pd.DataFrame({"user_id": ["u05", "nobody", "u05", "u01"]})
    if name.endswith(".jsonl"):
        ids.to_json(tmp_path / name, orient="records", lines=True)
    elif name.endswith(".parquet"):
        ids.to_parquet(tmp_path / name)
    else:
        (tmp_path / name).write_text("\ufeffu05\n\nnobody \nu05\nu01", "utf-8")
    out = tmp_path / "recs.csv"
    found = document(capsys, "recommend", model, "--users", tmp_path / name, "--out", out, "-k", "2")
    assert (found["users"], found["unknown_users"]) == (3, 1)
    assert "1 " in found["notes"][0]
    assert "once" in found["notes"][0]
    table = read(out)
    assert table["user_id"].tolist() == ["u05"] * 2 + ["nobody"] * 2 + ["u01"] * 2
    assert rows_of(table, "u01") == alone(capsys, model, "--user", "u01", "-k", "2")


def test_a_bar_shows_the_rate(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    run("recommend", model, "--all", "--out", tmp_path / "recs.csv")
    out, said = capsys.readouterr()
    assert out == ""
    assert "recommending" in said
    assert f"{USERS}/{USERS}" in said


def test_a_kill_in_the_middle_leaves_the_old_file_and_the_next_run_sweeps(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "recs.csv"
    out.write_text("old\n", "utf-8")
    code = (
        "import os, signal, sys\n"
        "from graphrec.cli import people\n"
        "from graphrec.data import sink\n"
        "people.AT_ONCE, sink.ROWS, flush, calls = 5, 1, sink.Sink._flush, []\n"
        "def killed(self):\n"
        "    flush(self)\n"
        "    self._handle.flush()\n"
        "    calls.append(1)\n"
        "    if len(calls) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "sink.Sink._flush = killed\n"
        f"sys.argv = ['graphrec', 'recommend', {str(model)!r}, '--all', '--out', {str(out)!r}]\n"
        "from graphrec.cli.app import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert out.read_text("utf-8") == "old\n"
    assert sorted(os.listdir(tmp_path)) == [".recs.csv.part", "recs.csv"]
    run("recommend", model, "--all", "--out", out)
    assert len(read(out)) == 10 * USERS
    assert os.listdir(tmp_path) == ["recs.csv"]


def test_a_filter_that_leaves_nothing_says_so(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = ("--filter", "price < 0")
    found = document(capsys, "recommend", model, "--user", "u00", *nothing)
    assert found["items"] == []
    assert found["degraded"] == ["fewer_items: none of 20 items passes the filter"]
    run("recommend", model, "--user", "u00", *nothing)
    out, said = capsys.readouterr()
    assert out == ""
    assert "none of 20 items passes the filter" in said
    for ending in (".csv", ".parquet"):
        run("recommend", model, "--all", "--out", tmp_path / f"recs{ending}", *nothing)
        said = capsys.readouterr().err
        assert f"fewer_items: {USERS} of {USERS} lists (none of 20 items passes the filter)" in said
        assert f"{USERS} of {USERS} users have no row" in said
        assert list(read(tmp_path / f"recs{ending}")) == ["user_id", "item_id", "score", "rank"]


# --- one --------------------------------------------------------------------------------------------------------------


def test_an_anonymous_basket(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "recommend", model, "--history", "i02,i04", "-k", "5")
    assert found["user_id"] is None
    assert found["degraded"] == []
    assert {int(row["item_id"][1:]) % 2 for row in found["items"]} == {0}
    assert not {"i02", "i04"} & {row["item_id"] for row in found["items"]}
    repeated = document(capsys, "recommend", model, "--history", "i02", "--history", "i04", "-k", "5")
    assert repeated == found
    text = printed(capsys, "recommend", model, "--history", "i02", "-k", "20", "--seen", "allow")
    assert all(title in text for title in TITLES)
    assert "for this history" in text


def test_a_comma_in_an_id(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    only = document(capsys, "recommend", model, "--history", "a,b", "--seen", "only")
    assert [row["item_id"] for row in only["items"]] == ["a,b"]
    rest = document(capsys, "recommend", model, "--user", "u00", "--seen", "allow", "-k", "20", "--exclude", "a,b")
    assert len(rest["items"]) == ITEMS - 1


def test_history_is_folded_in_beside_the_user(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = (
        {row["item_id"]: row["score"] for row in document(capsys, "recommend", model, *asked)["items"]}
        for asked in (("--user", "u00", "-k", "20"), ("--user", "u00", "--history", "i01,i03,i05", "-k", "20"))
    )
    assert after["i09"] > before["i09"]


def test_what_rerankers_change_is_said(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("recommend", model, "--user", "u00", "-k", "3", "--seen", "allow", "--rerank", "pin=i01")
    found = document(capsys, *asked)
    assert found["items"][0]["item_id"] == "i01"
    assert found["changes"][0]["came"] == ["i01"]
    run(*asked)
    assert "pin=i01: 1 item came: i01" in capsys.readouterr().err


def test_an_anonymous_basket_is_explained(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    basket = ("--history", "i02,i04")
    first, *_, last = document(capsys, "recommend", model, *basket, "-k", "5")["items"]
    why = document(capsys, "explain", model, *basket, "--item", first["item_id"])
    assert why["score"] == pytest.approx(first["score"], abs=1e-5)
    assert sum(why["blocks"].values()) == pytest.approx(why["score"], abs=1e-4)
    assert {step["tail"] for e in why["evidence"] for step in e["path"]} & {"item:i02", "item:i04"}
    gap = document(capsys, "explain", model, *basket, "--item", last["item_id"], "--why-not", "-k", "2")
    assert gap["rank"] == 5
    other = document(capsys, "explain", model, *basket, "--item", first["item_id"], "--versus", last["item_id"])
    assert other["difference"] == pytest.approx(first["score"] - last["score"], abs=1e-4)
    for more in ((), ("--why-not",), ("--versus", last["item_id"])):
        assert "somebody" in printed(capsys, "explain", model, *basket, "--item", first["item_id"], *more)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--user ID, --history A,B, --users FILE or --all"),
        (["--all"], "add --out FILE"),
        (["--users", "u.txt"], "add --out FILE"),
        (["--all", "--user", "u00", "--out", "r.csv"], "--all and --user do not go together"),
        (["--all", "--users", "u.txt", "--out", "r.csv"], "--all and --users do not go together"),
        (["--users", "u.txt", "--history", "i01", "--out", "r.csv"], "a --users table with the columns user_id"),
        (["--user", "u00", "--out", "r.csv"], "--out is for --all and --users"),
        (["--user", "u00", "--history", ","], "--history holds no item id"),
        (["--history", "i01,zzz"], "'zzz'"),
        (["--user", "u00", "--exclude", "zzz"], "'zzz'"),
        (["--user", "u00", "--rerank", "magic=1"], "magic"),
        (["--user", "u00", "--filter", "prise < 3"], "prise"),
        (["--all", "--out", "recs.txt"], ".parquet"),
        (["--all", "--out", "absent/recs.csv"], "there is no folder"),
        (["--all", "--out", "r.csv", "-k", "0"], "k = 0"),
        (["--user", " "], "--user is empty"),
        (["--query", "  "], "--query is empty"),
        (["--user", "u00", "--filter", ""], "--filter is empty"),
        (["--user", "u1", "--query", ""], "--query is empty"),
        (["--query", "x", "--out", "r.csv"], "--query … --json > r.csv"),
        (["--users", "absent.csv", "--out", "r.csv"], "no such file"),
        (["--users", "absent.txt", "--out", "r.csv"], "cannot be read"),
        (["--users", "odd.csv", "--out", "r.csv"], "no column user_id but name"),
        (["--users", "empty.txt", "--out", "r.csv"], "names no user"),
        (["--users", "latin.txt", "--out", "r.csv"], "UTF-8"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    arguments: list[str],
    said: str,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.csv").write_text("name\nu00\n", "utf-8")
    (tmp_path / "empty.txt").write_text("\n", "utf-8")
    (tmp_path / "latin.txt").write_bytes(b"J\xfcrg\n")
    before = sorted(os.listdir(tmp_path))
    run("recommend", model, *arguments, expect=2)
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.strip().splitlines()
    assert line.startswith("graphrec: ")
    assert said in line
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--history A,B"),
        (["--user", "u00", "-k", "3"], "only --why-not and --rerank ask about"),
    ],
)
def test_explain_refuses(arguments: list[str], said: str, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("explain", model, "--item", "i01", *arguments, expect=2)
    assert said in capsys.readouterr().err
