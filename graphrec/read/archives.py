"""Zip files: folders of their members. Nothing is written outside of the folder, and nothing grows beyond reason."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from graphrec.errors import DataError

MAX_MEMBERS = 100_000
MAX_BYTES = 200 << 30  # of all members together
MAX_RATIO, FREE_BYTES = 300, 1 << 30  # unpacked to packed, beyond the first GiB
CHUNK = 1 << 20


def is_zip(path: Path) -> bool:
    """Whether a file is a zip file by its name and its content."""
    return path.name.lower().endswith(".zip") and path.is_file() and zipfile.is_zipfile(path)


def packed(path: Path) -> bool:
    """Whether a source is a zip file, or a folder with zip files in it."""
    return any(map(is_zip, path.iterdir())) if path.is_dir() else is_zip(path)


def opened(path: Path, into: Path) -> Path:
    """The source as a folder without zip files: their members beside the other files. Raises DataError.

    ``into`` is an empty folder, below which the members are written; the other files are linked.
    """
    if not path.is_dir():
        return unpack(path, into)
    folder = into / "source"
    folder.mkdir()
    plain = [p for p in path.iterdir() if not is_zip(p)]
    for other in plain:
        (folder / other.name).symlink_to(other.resolve())
    for number, archive in enumerate(sorted(p for p in path.iterdir() if is_zip(p))):
        inside = into / f"zip{number}"
        inside.mkdir()
        for member in sorted(unpack(archive, inside).iterdir()):
            target = folder / member.name
            if target.exists():
                raise DataError(
                    f"{archive}: holds {member.name}, which is in the folder as well; remove one, or point at the file"
                )
            target.symlink_to(member)
    return folder


def unpack(path: Path, into: Path) -> Path:
    """Unpack a zip file below the folder ``into``; the folder in which its files lie.

    A single folder at its top is passed over. Hidden files and those of macOS are left out. Raises DataError where it
    is broken, encrypted, names a path outside, or is far larger than its packed size allows for.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) > MAX_MEMBERS:
                raise DataError(f"{path}: holds {len(members):,} files; unpack it and bring those that count")
            left = min(MAX_BYTES, FREE_BYTES + MAX_RATIO * path.stat().st_size)
            for member in members:
                parts = _inside(path, member)
                if not any(p.startswith((".", "__MACOSX")) for p in parts):
                    left -= _copy(archive, member, into.joinpath(*parts), path, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError(f"{path}: not a readable zip file ({error}); pack it again") from None
    except RuntimeError:  # a password is needed
        raise DataError(f"{path}: is encrypted; unpack it and bring the folder") from None
    found = list(into.iterdir())
    return found[0] if len(found) == 1 and found[0].is_dir() else into


def _inside(path: Path, member: zipfile.ZipInfo) -> tuple[str, ...]:
    """The parts of a member's path below the folder."""
    name = member.filename.replace("\\", "/")
    parts = tuple(p for p in PurePosixPath(name).parts if p != ".")
    outside = name.startswith("/") or ".." in parts or PureWindowsPath(name).drive or not parts
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise DataError(f"{path}: holds {member.filename!r}, which lies outside of it; unpack it yourself with care")
    return parts


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, path: Path, left: int) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(member) as source, target.open("wb") as out:
        while block := source.read(CHUNK):
            written += len(block)
            if written > left:  # counted, not believed
                raise DataError(
                    f"{path}: unpacks to more than {MAX_RATIO} times its size; unpack it yourself if you trust it"
                )
            out.write(block)
    return written
