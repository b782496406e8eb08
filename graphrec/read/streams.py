"""Files → bytes: packed ones unpacked, everything as UTF-8 with ``\\n`` at the end of a line.

What breaks off half-way is kept up to the last whole line, and the break is set aside.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from graphrec.door.quarantine import Quarantine

HEAD = 1 << 16  # bytes read to find out a format
BLOCK = 1 << 24  # bytes worked on at a time
PACKED = (".gz", ".bz2", ".xz", ".zst")
BROKEN = (EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)
NUL_SHARE = 0.4  # of the bytes at even or odd places: UTF-16 without a mark
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LOST = "\ufffd".encode()  # stands where bytes mean nothing in the file's encoding


class Break(Exception):
    """A packed stream that cannot be read on."""


def unpacked(path: Path, size: int = BLOCK) -> Iterator[bytes]:
    """The bytes of a file in blocks, unpacked by what they are, not by the name. Raises Break and OSError."""
    with path.open("rb") as file:
        first = file.read(6)
    parts: list[bytes] = []
    held = 0
    try:
        with _open(path, first) as stream:
            read = getattr(stream, "read1", stream.read)  # gives what there is before it meets a break
            while part := read(min(size, HEAD)):
                parts.append(part)
                held += len(part)
                if held >= size:
                    yield b"".join(parts)
                    parts, held = [], 0
    except (*BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's, not the packer's
            raise
        if parts:
            yield b"".join(parts)
        raise Break(str(error)) from None
    if parts:
        yield b"".join(parts)


def _open(path: Path, first: bytes) -> IO[bytes]:
    stream = _packed(path, first)
    if stream is None:
        return path.open("rb")
    if path.name.lower().endswith(PACKED):
        return stream
    try:  # no name says so: only what can be unpacked is packed
        stream.read(1)
    except (*BROKEN, OSError):
        return path.open("rb")
    finally:
        stream.close()
    return _packed(path, first) or path.open("rb")


def _packed(path: Path, first: bytes) -> IO[bytes] | None:
    if first.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if first.startswith(b"BZh") and first[3:4].isdigit():
        return bz2.open(path, "rb")
    if first.startswith(b"\xfd7zXZ\x00"):
        return lzma.open(path, "rb")
    if first.startswith(b"\x28\xb5\x2f\xfd"):
        return cast("IO[bytes]", pa.input_stream(str(path), compression="zstd"))
    return None


def bare(name: str) -> str:
    """A file's name without the ending of its packing: ``a.csv`` for ``a.csv.gz``."""
    return next((name[: -len(e)] for e in PACKED if name.lower().endswith(e)), name)


def head(path: Path, size: int = HEAD) -> bytes:
    """The first bytes, unpacked and without a byte order mark, UTF-16 and UTF-32 as UTF-8; fewer where it breaks."""
    out = b""
    try:
        for block in unpacked(path, size):
            out += block
            if len(out) >= size:
                break
    except Break:
        pass  # the reader reports the break
    encoding = wide(out)
    if encoding is not None:
        return codecs.getincrementaldecoder(encoding)("replace").decode(out[:size]).encode("utf-8", "replace")
    return out[:size].removeprefix(codecs.BOM_UTF8)


def wide(first: bytes) -> str | None:
    """UTF-16 or UTF-32, by the mark or by the zeros between the letters; None for everything else."""
    for mark, encoding in BOMS:
        if first.startswith(mark):
            return None if encoding == "utf-8" else encoding
    sample = first[:2000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(sample) >= 4 and max(even, odd) > NUL_SHARE * len(sample) / 2 and min(even, odd) * 8 < max(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    return None


def blocks(
    path: Path, quarantine: Quarantine, encoding: str = "utf-8", size: int = BLOCK
) -> Iterator[tuple[int, bytes]]:
    """Whole lines in blocks: the number of the first line (from 1), and the lines as UTF-8.

    Only the last line of the file may lack its ``\\n``. A file with ``\\r`` alone between its lines gets ``\\n``. Bytes
    that are none of another encoding come as U+FFFD; those that are no UTF-8 come as they are.
    """
    number, parts = 1, list[bytes]()
    decoder: Any = None if _is_utf8(encoding) else codecs.getincrementaldecoder(encoding)("replace")
    old_mac: bool | None = None
    try:
        for raw in unpacked(path, size):
            data = raw if decoder is None else decoder.decode(raw).encode("utf-8", "replace")
            if old_mac is None:
                data = data.removeprefix(codecs.BOM_UTF8)
                old_mac = b"\r" in data[:HEAD] and b"\n" not in data[: 16 * HEAD]
            if old_mac:
                data = data.replace(b"\r", b"\n")
            end = data.rfind(b"\n") + 1
            if end:
                whole = b"".join([*parts, data[:end]]) if parts else data[:end]
                yield number, whole
                number, parts = number + whole.count(b"\n"), []
            if end < len(data):
                parts.append(data[end:])
        if decoder is not None and (left := decoder.decode(b"", True)):
            parts.append(left.encode("utf-8", "replace"))
        if parts:
            yield number, b"".join(parts)
    except Break as error:
        quarantine.add(path, number, "the compressed file breaks off", error)


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in {"utf-8", "utf-8-sig", "ascii"}


def lines(path: Path, quarantine: Quarantine, encoding: str = "utf-8") -> Iterator[tuple[int, bytes]]:
    """Numbered lines (from 1), each with its ``\\n``. Where a stream breaks off, what came before is kept."""
    for first, block in blocks(path, quarantine, encoding, 1 << 20):
        yield from enumerate(block.splitlines(keepends=True) if b"\r" not in block else _split(block), first)


def _split(block: bytes) -> list[bytes]:
    """Lines at ``\\n`` only: a ``\\r`` elsewhere is part of its line."""
    found = [line + b"\n" for line in block.split(b"\n")]
    last = found.pop()[:-1]
    return [*found, last] if last else found


def slurp(path: Path, quarantine: Quarantine, encoding: str = "utf-8") -> bytes:
    """The whole file; of a broken stream the whole lines before the break."""
    return b"".join(block for _, block in blocks(path, quarantine, encoding))
