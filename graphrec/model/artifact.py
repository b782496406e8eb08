"""The artifact folder: written whole or not at all, checked byte by byte when read. Knows files, not models.

::

    model/
      manifest.json            schema_version, graphrec_version, files {name: {bytes, sha256}}, and the caller's fields
      manifest.sha256          checksum of manifest.json, in the format of ``sha256sum -c``
      …                        whatever ``fill`` wrote
    .model.graphrec-lock       held by a writer for as long as it writes; empty, stays behind
    .model.graphrec-new        being written, or being removed: worth nothing once its writer is gone
    .model.graphrec-old        the previous version, whole, between the two renames of a swap

A folder that is not empty cannot be replaced in one portable system call, so a swap is two renames: ``model`` →
``.graphrec-old`` and ``.graphrec-new`` → ``model``. A writer that dies between them leaves no ``model`` but a whole
``.graphrec-old``, and only then; the next ``read`` or ``write`` renames it back. Everything is fsynced before the first
rename. One writer at a time holds the lock, which the operating system releases when a process dies, so that whatever
else lies there under these names belongs to a dead one. Readers take no lock: one that is loading while a writer swaps
can find a file of the other version, so a server reloads after a save and not during it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock

from graphrec.errors import ArtifactError, CorruptArtifactError, SchemaVersionError

SCHEMA_VERSION = 5
MANIFEST = "manifest.json"
CHECKSUM = "manifest.sha256"


def write(path: str | Path, fill: Callable[[Path], None], manifest: Mapping[str, Any]) -> None:
    """Write an artifact, replacing the one at ``path``. A failure or kill at any moment leaves the old or the new one.

    Args:
        path: the folder to be; its parents are made. A symbolic link is followed.
        fill: writes the files into an empty folder beside ``path``; subfolders are fine.
        manifest: further fields of the manifest (JSON values).

    Raises ArtifactError where ``check_target`` or the disk refuses; what ``fill`` raises is passed on.
    """
    path = Path(path).resolve()
    new = _beside(path, "new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path):
            _recover(path)
            check_target(path)
            _sweep(path)
            new.mkdir()
            try:
                fill(new)
                _seal(new, manifest)
                _swap(path)
            finally:
                with suppress(OSError):  # what cannot be removed now is swept by the next write
                    _sweep(path)
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be written ({error}); free the disk or choose another path") from error


def read(path: str | Path) -> dict[str, Any]:
    """The manifest of an artifact, after checking that every file it names has its size and SHA-256.

    Files that the manifest does not name are ignored. Undoes the swap of a writer that died in the middle of it.

    Raises:
        ArtifactError: there is no artifact at ``path``, or it cannot be read.
        SchemaVersionError: written under another schema version.
        CorruptArtifactError: a file is missing, truncated or altered; names it, what was expected and what was found.
    """
    path = Path(path).resolve()
    try:
        if _vacant(path) and _beside(path, "old").exists():
            with _lock(path):
                _recover(path)
        if not path.exists():
            raise ArtifactError(f"{path}: no such folder; write one with `graphrec fit SOURCE --out {path}`")
        manifest = _manifest(path)
        for name, expected in manifest["files"].items():
            _check(path / name, expected["bytes"], expected["sha256"])
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error})") from error
    except KeyError as error:
        raise CorruptArtifactError(f"{path / MANIFEST}: lacks {error} of a file; write the artifact again") from None
    return manifest


def check_target(path: str | Path) -> None:
    """Raise ArtifactError unless ``write`` may put an artifact at ``path``: nothing is lost there but an older one.

    Allowed are a path that does not exist, an empty folder, and an artifact with no other files in it.
    Worth calling before a long training run.
    """
    path = Path(path).resolve()
    if _vacant(path):
        return
    files = _named_files(path)
    if files is None:
        what = "a folder that is not a graphrec artifact" if path.is_dir() else "a file"
        raise ArtifactError(f"{path}: is {what} and will not be overwritten; choose another path or delete it")
    if others := [name for name, _ in _walk(path) if name not in {MANIFEST, CHECKSUM, *files}]:
        raise ArtifactError(
            f"{path / others[0]}: would be lost with the artifact around it ({len(others)} such); move it elsewhere"
        )


def cleared(path: str | Path) -> None:
    """Remove what a writer that died left beside an artifact: an unfinished folder, or the previous version. Raises
    ArtifactError where the disk refuses."""
    path = Path(path).resolve()
    if not any(_beside(path, what).exists() for what in ("new", "old")):
        return
    try:
        with _lock(path):
            _recover(path)
            _sweep(path)
    except OSError as error:
        raise ArtifactError(f"{path}: what a dead writer left cannot be removed ({error}); remove it") from error


def earlier(path: str | Path) -> str:
    """What ``write`` would replace, for people: the version of a model and when it was written; "" for nothing."""
    file = Path(path).resolve() / MANIFEST
    if _named_files(file.parent) is None:
        return ""
    told = json.loads(file.read_bytes()).get("model_version", "of an unknown version")
    return f"model {told} of {datetime.fromtimestamp(file.stat().st_mtime).astimezone():%Y-%m-%d %H:%M}"


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.graphrec-{what}")


def _lock(path: Path) -> FileLock:
    return FileLock(_beside(path, "lock"))


def _vacant(path: Path) -> bool:
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below a folder, with its name in the manifest: relative, with forward slashes."""
    for file in sorted(folder.rglob("*")):
        if not file.is_dir():
            yield file.relative_to(folder).as_posix(), file


# --- swapping: the lock is held ---------------------------------------------------------------------------------------


def _swap(path: Path) -> None:
    """Put the new folder in the place of the old one."""
    if not _vacant(path):
        os.rename(path, _beside(path, "old"))
    try:
        _place(_beside(path, "new"), path)
    finally:
        _recover(path)


def _recover(path: Path) -> None:
    """Undo a swap that ended between its renames: nothing is at ``path``, the previous version is beside it."""
    old = _beside(path, "old")
    if old.exists() and _vacant(path):
        _place(old, path)


def _place(folder: Path, path: Path) -> None:
    """Rename a folder to a path that is vacant, durably."""
    if path.exists():
        path.rmdir()
    os.rename(folder, path)
    _fsync(path.parent)


def _sweep(path: Path) -> None:
    """Remove an unfinished folder, and the previous version where ``path`` holds its successor.

    The previous version is renamed first, so that ``.graphrec-old`` is whole whenever it exists.
    """
    new, old = _beside(path, "new"), _beside(path, "old")
    if new.exists():
        shutil.rmtree(new)
    if old.exists() and not _vacant(path):
        os.rename(old, new)
        shutil.rmtree(new)


# --- sealing and checking ---------------------------------------------------------------------------------------------


def _seal(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest and its checksum, and bring every file and folder to the disk."""
    files = {name: {"bytes": file.stat().st_size, "sha256": _sha256(file)} for name, file in _walk(folder)}
    own = {"schema_version": SCHEMA_VERSION, "graphrec_version": version("graphrec"), "files": files}
    (folder / MANIFEST).write_text(json.dumps({**manifest, **own}, indent=2, allow_nan=False) + "\n", "utf-8")
    (folder / CHECKSUM).write_text(f"{_sha256(folder / MANIFEST)}  {MANIFEST}\n", "utf-8")
    usual = stat.S_IMODE((folder / MANIFEST).stat().st_mode)  # as the umask has it; safetensors writes 0600
    for _, file in _walk(folder):
        file.chmod(usual)
    for entry in [*folder.rglob("*"), folder]:
        _fsync(entry)


def _fsync(path: Path) -> None:
    if os.name == "nt":
        return  # Windows flushes only what is open for writing, and opens no folders
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest, after checking its schema version and its own checksum."""
    file, checksum = path / MANIFEST, path / CHECKSUM
    if not file.is_file():
        raise ArtifactError(
            f"{path}: not a graphrec artifact (it has no {MANIFEST}); write one with `graphrec fit SOURCE --out MODEL`"
        )
    try:
        manifest = json.loads(file.read_bytes())
    except ValueError as error:
        raise CorruptArtifactError(f"{file}: expected JSON, found {error}; write the artifact again") from None
    found = manifest.get("schema_version") if isinstance(manifest, dict) else None
    if found is None and not checksum.exists():
        raise ArtifactError(f"{path}: not a graphrec artifact (its {MANIFEST} has no schema_version)")
    if found not in (None, SCHEMA_VERSION):
        writer = manifest.get("graphrec_version", "of another version")
        other = (
            f", or use graphrec {writer}" if writer != version("graphrec") else f"; another build of {writer} wrote it"
        )
        raise SchemaVersionError(f"{path}: found schema version {found!r}, expected {SCHEMA_VERSION}; fit again{other}")
    if lacking := [name for name in ("schema_version", "graphrec_version", "files") if name not in manifest]:
        raise CorruptArtifactError(f"{file}: lacks {lacking[0]}; write the artifact again")
    expected = checksum.read_bytes() if checksum.is_file() else b""
    if expected != (actual := f"{_sha256(file)}  {MANIFEST}\n".encode()):
        raise CorruptArtifactError(
            f"{file}: {CHECKSUM} expects {expected[:64].decode('ascii', 'replace')!r}, found {actual[:64].decode()!r};"
            " write the artifact again"
        )
    return dict(manifest)


def _named_files(path: Path) -> Collection[str] | None:
    """The names in the manifest of what is or was an artifact, None where a folder or file is something else."""
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        return dict(manifest["files"]) if "schema_version" in manifest else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _check(file: Path, size: int, sha256: str) -> None:
    if not file.is_file():
        raise CorruptArtifactError(f"{file}: expected {size:,} bytes, found no file; write the artifact again")
    if (found := file.stat().st_size) != size:
        raise CorruptArtifactError(f"{file}: expected {size:,} bytes, found {found:,}; write the artifact again")
    if (digest := _sha256(file)) != sha256:
        raise CorruptArtifactError(f"{file}: expected SHA-256 {sha256}, found {digest}; write the artifact again")
