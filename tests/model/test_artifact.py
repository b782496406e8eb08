"""The artifact folder: whole or not at all, whatever happens in between; checked byte by byte."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.errors import ArtifactError, CorruptArtifactError, SchemaVersionError
from graphrec.model import artifact

FILES = ["config.toml", "profiles.bin", "kg/graph.nq", "empty"]


def fill(folder: Path, version: str = "old") -> None:
    (folder / "kg").mkdir()
    (folder / "config.toml").write_text(f'version = "{version}"\n', "utf-8")
    (folder / "profiles.bin").write_bytes(bytes(range(256)) * 3)
    (folder / "kg" / "graph.nq").write_text(f"<a> <b> <{version}> .\n", "utf-8")
    (folder / "empty").touch()


def write(path: Path, version: str = "old") -> None:
    artifact.write(path, partial(fill, version=version), {"version": version})


def whole(path: Path) -> str:
    """The version at a path, after checking that all of it is of that version."""
    version = artifact.read(path)["version"]
    assert (path / "config.toml").read_text("utf-8") == f'version = "{version}"\n'
    assert (path / "kg" / "graph.nq").read_text("utf-8") == f"<a> <b> <{version}> .\n"
    return str(version)


def beside(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir()} - {path.name, f".{path.name}.graphrec-lock"}


def test_read_returns_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "parents" / "model"
    artifact.write(path, fill, {"trained_on": {"users": 3}, "files": "ours wins"})
    manifest = artifact.read(str(path))
    assert manifest["trained_on"] == {"users": 3}
    assert manifest["schema_version"] == artifact.SCHEMA_VERSION
    assert manifest["graphrec_version"] == "0.1.0"
    assert sorted(manifest["files"]) == sorted(FILES)
    assert manifest["files"]["empty"] == {
        "bytes": 0,
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
    assert beside(path) == set()


def test_unknown_files_are_ignored_by_read(tmp_path: Path) -> None:
    write(tmp_path / "model")
    (tmp_path / "model" / "notes.txt").write_text("mine", "utf-8")
    assert whole(tmp_path / "model") == "old"


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "v1")
    (tmp_path / "current").symlink_to("v1")
    write(tmp_path / "current", "new")
    assert (tmp_path / "current").is_symlink()
    assert whole(tmp_path / "v1") == "new"


# --- what is refused --------------------------------------------------------------------------------------------------


def test_somebody_elses_folder_is_not_overwritten(tmp_path: Path) -> None:
    def never(folder: Path) -> None:
        pytest.fail("nothing may be written")

    photos, file, web = tmp_path / "photos", tmp_path / "file", tmp_path / "web"
    photos.mkdir()
    (photos / "cat.jpg").write_bytes(b"cat")
    file.write_bytes(b"file")
    web.mkdir()
    (web / "manifest.json").write_text('{"files": ["index.html"]}', "utf-8")
    for path, what in ((photos, "not a graphrec artifact"), (file, "is a file"), (web, "not a graphrec artifact")):
        with pytest.raises(ArtifactError, match=what):
            artifact.write(path, never, {})
    assert (photos / "cat.jpg").read_bytes() == b"cat"
    assert file.read_bytes() == b"file"
    assert (web / "manifest.json").exists()


def test_a_file_that_somebody_put_into_an_artifact_is_not_lost(tmp_path: Path) -> None:
    write(tmp_path / "model")
    (tmp_path / "model" / "kg" / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(ArtifactError, match=r"kg/notes.txt: would be lost.*\(1 such\)"):
        write(tmp_path / "model", "new")
    assert whole(tmp_path / "model") == "old"


def test_an_empty_folder_and_an_artifact_may_be_written_to(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.mkdir()
    for version in ("old", "new"):
        artifact.check_target(path)
        write(path, version)
        assert whole(path) == version
        assert beside(path) == set()


def test_a_damaged_artifact_may_be_written_again(tmp_path: Path) -> None:
    write(tmp_path / "model")
    (tmp_path / "model" / "config.toml").unlink()
    (tmp_path / "model" / "profiles.bin").write_bytes(b"")
    write(tmp_path / "model", "new")
    assert whole(tmp_path / "model") == "new"


def test_what_is_no_artifact_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no such folder.*graphrec fit"):
        artifact.read(tmp_path / "absent")
    with pytest.raises(ArtifactError, match="not a graphrec artifact"):
        artifact.read(tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}', "utf-8")
    with pytest.raises(ArtifactError, match="not a graphrec artifact"):
        artifact.read(tmp_path)


def test_another_schema_version_is_named(tmp_path: Path) -> None:
    write(tmp_path / "model")
    manifest = tmp_path / "model" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text("utf-8")), "schema_version": 99}), "utf-8")
    with pytest.raises(SchemaVersionError, match=r"found schema version 99, expected 3; fit again, or use graphrec 0"):
        artifact.read(tmp_path / "model")


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("artifact") / "model"
    write(path)
    return path


def expect_damage(file: Path, damaged: bytes) -> str:
    """Reading raises a typed error in one line which names the file; its text. The file is put back."""
    good = file.read_bytes()
    root = next(parent for parent in file.parents if parent.name == "model")
    try:
        file.write_bytes(damaged)
        with pytest.raises(ArtifactError) as caught:
            artifact.read(root)
    finally:
        file.write_bytes(good)
    assert isinstance(caught.value, CorruptArtifactError | SchemaVersionError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", [*FILES[:3], "manifest.json", "manifest.sha256"])
@settings(max_examples=40)
@given(data=st.data())
def test_one_altered_byte_anywhere_is_found(model: Path, name: str, data: st.DataObject) -> None:
    good = (model / name).read_bytes()
    position = data.draw(st.integers(0, len(good) - 1), label="position")
    mask = data.draw(st.integers(1, 255), label="mask")
    message = expect_damage(model / name, good[:position] + bytes([good[position] ^ mask]) + good[position + 1 :])
    if name in FILES:
        assert name in message
        assert "expected SHA-256" in message
        assert "found" in message


@pytest.mark.parametrize("name", [*FILES[:3], "manifest.json", "manifest.sha256"])
@settings(max_examples=40)
@given(data=st.data())
def test_truncation_and_growth_are_found(model: Path, name: str, data: st.DataObject) -> None:
    good = (model / name).read_bytes()
    kept = data.draw(st.integers(0, len(good) - 1), label="kept")
    expect_damage(model / name, good[:kept])
    message = expect_damage(model / name, good + b"\n")
    if name in FILES:
        assert f"{name}: expected {len(good):,} bytes, found {len(good) + 1:,}" in message


@pytest.mark.parametrize("name", [*FILES, "manifest.sha256"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path / "model")
    (tmp_path / "model" / name).unlink()
    with pytest.raises(CorruptArtifactError, match="manifest" if name.startswith("manifest") else name):
        artifact.read(tmp_path / "model")


# --- breaking off -----------------------------------------------------------------------------------------------------

CHANGES = {"open", "os.mkdir", "os.rename", "os.rmdir", "os.remove"}  # audit events, raised before the change is made


def broken_off(step: int, do: Callable[[], None], what: str) -> bool:
    """Run ``do`` in a child process that is killed, or whose disk fails, at its ``step``-th change to the disk.

    Returns whether it ended before that step.
    """
    if (child := os.fork()) == 0:
        seen = 0

        def hook(event: str, args: tuple[Any, ...]) -> None:
            nonlocal seen
            seen += event in CHANGES
            if event in CHANGES and (seen == step or (seen > step and what == "dead disk")):
                if what == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(28, "No space left on device")

        sys.addaudithook(hook)
        try:
            do()
        except ArtifactError:
            os._exit(1)
        except BaseException:
            os._exit(2)
        os._exit(0 if seen < step else 1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 1, -signal.SIGKILL), "only ArtifactError may come out of a failing disk"
    return code == 0


@pytest.mark.parametrize(
    ("what", "before"),
    [
        *(("kill", before) for before in ("nothing", "empty folder", "artifact", "broken swap")),
        *((failure, before) for failure in ("one failure", "dead disk") for before in ("nothing", "artifact")),
    ],
)
def test_broken_off_anywhere_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, before: str
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # a killed process loses nothing that it wrote
    outcomes: list[str] = []
    for step in range(1, 200):
        path = tmp_path / str(step) / "model"
        path.parent.mkdir()
        if before == "empty folder":
            path.mkdir()
        elif before != "nothing":
            write(path)
        if before == "broken swap":
            path.rename(path.with_name(".model.graphrec-old"))
            path.with_name(".model.graphrec-new").mkdir()
        ended = broken_off(step, partial(write, path, "new"), what)
        if what == "one failure" and before == "artifact":
            assert path.exists(), "put back at once, not by the next reader"
        if (previous := path.with_name(".model.graphrec-old")).exists():
            assert whole(previous) == "old"
        try:
            outcomes.append(whole(path))
        except ArtifactError:
            outcomes.append("nothing")
        write(path, "next")  # nothing is in its way, and it clears up
        assert whole(path) == "next"
        assert beside(path) == set()
        if ended:
            break
    first = "old" if before in ("artifact", "broken swap") else "nothing"
    assert set(outcomes) == {first, "new"}
    if what == "kill":
        assert outcomes == sorted(outcomes, key=[first, "new"].index), "the new one, once in place, stays"
    assert len(outcomes) > 10


@pytest.mark.parametrize("nth", range(1, 10))
def test_a_failing_fsync_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """Four files, the manifest and its checksum, and two folders before the swap; the parent after it."""
    calls = 0

    def fsync(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise OSError(5, "Input/output error")

    write(tmp_path / "model")
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ArtifactError, match="Input/output error"):
        write(tmp_path / "model", "new")
    assert whole(tmp_path / "model") == ("old" if nth < 9 else "new")
    calls = 0
    with suppress(ArtifactError):
        write(tmp_path / "model", "next")
    assert calls >= nth


def test_what_fill_raises_is_passed_on_and_changes_nothing(tmp_path: Path) -> None:
    def failing(folder: Path) -> None:
        fill(folder)
        raise ZeroDivisionError

    write(tmp_path / "model")
    with pytest.raises(ZeroDivisionError):
        artifact.write(tmp_path / "model", failing, {})
    assert whole(tmp_path / "model") == "old"
    assert beside(tmp_path / "model") == set()


def test_writers_at_the_same_time_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "model"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(partial(write, path), map(str, range(12))))
    assert whole(path) in map(str, range(12))
    assert beside(path) == set()
