"""The artifact folder: whole or not at all, whatever happens in between; checked byte by byte."""

from __future__ import annotations

import json
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.errors import ArtifactError, CorruptArtifactError, SchemaVersionError
from graphrec.model import artifact
from tests.conftest import examples

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
    known = {**json.loads(manifest.read_text("utf-8")), "schema_version": 99}
    for writer, remedy in (
        ("9.1", "fit again, or use graphrec 9.1"),
        (metadata.version("graphrec"), "fit again; another build"),
    ):
        manifest.write_text(json.dumps(known | {"graphrec_version": writer}), "utf-8")
        with pytest.raises(SchemaVersionError, match=rf"found schema version 99, expected \d+; {remedy}"):
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
@examples(40)
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
@examples(40)
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
