"""What a folder of model files holds, in a few characters: equal for copies, different for different models."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from graphrec.features.cache import ContentCache, content_key

SETTLED = 2 * 10**9  # nanoseconds; a file that is younger may be altered again within one tick of its clock
NOT_READ = {".md"}  # endings of files that no model is loaded from
OTHER_RUNTIMES = {"onnx", "openvino"}  # folders with the same weights, for programs that are not used here


def fingerprint(folder: Path) -> str:
    """16 hexadecimal characters of the SHA-256 over relative names, sizes and SHA-256 of the folder's files.

    Hidden files, readmes and weights for other runtimes do not count. The SHA-256 of a file is cached under its place,
    size and times, so that weights are read once. Raises OSError where a file cannot be read.
    """
    files = sorted((f.relative_to(folder).as_posix(), f) for f in folder.rglob("*") if f.is_file())
    counted = [(name, file) for name, file in files if _counts(name)]
    keys = {name: _key(file) for name, file in counted}
    cache = ContentCache("fingerprints")
    known = cache.get_many(list(keys.values()))
    fresh: dict[str, bytes] = {}
    total = hashlib.sha256()
    for name, file in counted:
        stat = file.stat()
        sha256 = known[keys[name]].hex() if keys[name] in known else file_sha256(file)
        if keys[name] not in known and abs(time.time_ns() - stat.st_mtime_ns) > SETTLED:
            fresh[keys[name]] = bytes.fromhex(sha256)
        total.update(content_key(name, str(stat.st_size), sha256).encode())
    cache.put_many(fresh)
    return total.hexdigest()[:16]


def file_sha256(file: Path) -> str:
    """SHA-256 of a file's content, hexadecimal. Raises OSError."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _counts(name: str) -> bool:
    *folders, last = name.split("/")
    hidden = any(part.startswith(".") for part in (*folders, last))
    return not (hidden or Path(last).suffix.lower() in NOT_READ or OTHER_RUNTIMES & set(folders))


def _key(file: Path) -> str:
    stat = file.stat()
    return content_key(
        "file", str(file.resolve()), *map(str, (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
    )
