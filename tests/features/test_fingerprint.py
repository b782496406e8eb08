"""A folder of model files is told from others by its content, and its weights are read once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import graphrec.features.fingerprint as module
from graphrec.features.fingerprint import fingerprint

FILES = {"model.safetensors": b"weights", "config.json": b"{}", "1_Pooling/config.json": b"{}"}
LONG_AGO = 10**18


@pytest.fixture(autouse=True)
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose content was read, in a cache of its own."""
    monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path / "cache"))
    names: list[str] = []
    real = module.file_sha256

    def noted(file: Path) -> str:
        names.append(file.name)
        return real(file)

    monkeypatch.setattr(module, "file_sha256", noted)
    return names


def plant(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        os.utime(folder / name, ns=(LONG_AGO, LONG_AGO))
    return folder


def test_copies_are_equal(tmp_path: Path) -> None:
    assert fingerprint(plant(tmp_path / "a", FILES)) == fingerprint(plant(tmp_path / "b" / "c", FILES))


@pytest.mark.parametrize(
    "other",
    [
        {**FILES, "model.safetensors": b"WEIGHTS"},
        {**FILES, "config.json": b"[]"},
        {**FILES, "1_Pooling/config.json": b"[]"},
        {**FILES, "tokenizer.json": b""},
        {"model.safetensors": b"weights", "config.json": b"{}"},
        {"model.safetensors": b"weights", "config.json": b"{}", "2_Pooling/config.json": b"{}"},
        {"model.safetensors": b"{}", "config.json": b"weights", "1_Pooling/config.json": b"{}"},
    ],
)
def test_other_files_are_another_model(tmp_path: Path, other: dict[str, bytes]) -> None:
    assert fingerprint(plant(tmp_path / "a", FILES)) != fingerprint(plant(tmp_path / "b", other))


def test_what_no_model_is_loaded_from_does_not_count(tmp_path: Path) -> None:
    more = {"README.md": b"hello", ".gitattributes": b"x", ".cache/x.lock": b"", "onnx/model.onnx": b"weights"}
    assert fingerprint(plant(tmp_path / "a", FILES)) == fingerprint(plant(tmp_path / "b", {**FILES, **more}))


def test_the_second_time_nothing_is_read(tmp_path: Path, read: list[str]) -> None:
    first = fingerprint(plant(tmp_path / "a", FILES))
    assert len(read) == len(FILES)
    assert fingerprint(tmp_path / "a") == first
    assert len(read) == len(FILES)


def test_a_file_altered_behind_its_old_time_and_size_is_noticed(tmp_path: Path) -> None:
    folder = plant(tmp_path / "a", FILES)
    file = folder / "model.safetensors"
    first, before = fingerprint(folder), file.stat().st_ctime_ns
    while file.stat().st_ctime_ns == before:  # the clock of the file system has ticks
        plant(folder, {"model.safetensors": b"WEIGHTS"})
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (7, LONG_AGO)
    assert fingerprint(folder) != first


def test_a_file_just_written_is_read_again(tmp_path: Path, read: list[str]) -> None:
    """It may be altered once more within the tick of its time."""
    folder = plant(tmp_path / "a", FILES)
    (folder / "config.json").touch()
    fingerprint(folder)
    read.clear()
    fingerprint(folder)
    assert read == ["config.json"]
