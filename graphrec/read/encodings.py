"""Which encoding a file is in: proven over the whole of it, not guessed from its beginning."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from charset_normalizer import from_bytes

from graphrec.read.streams import BOMS, HEAD, Break, unpacked, wide

FEW = 0.005  # of the lines: these are set aside, and the file stays UTF-8
SAMPLE = 1 << 16  # bytes of lines that are not UTF-8
# the likelier first; of two that read the same letters the first counts
LETTERS_APART = ("cp1252", "cp1250", "cp1254", "cp1257", "latin_1", "mac_roman")
LETTERS_TOGETHER = (
    *("gb18030", "cp1251", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1253", "cp1255", "cp1256", "koi8_r"),
    *("cp874", "cp1252", "cp1250", "latin_1"),
)
NAMES = {
    **{f"cp{n}": f"Windows-{n}" for n in range(1250, 1258)},
    "latin_1": "Latin-1",
    "gb18030": "GBK/GB18030",
    "big5": "Big5",
    "shift_jis": "Shift-JIS",
    "cp874": "Windows-874",
    "euc_jp": "EUC-JP",
    "euc_kr": "EUC-KR",
    "koi8_r": "KOI8-R",
    "mac_roman": "Mac Roman",
}
_RUN = re.compile(rb"([A-Za-z]?)([\x80-\xff]+)(?=([A-Za-z]?))")
_NOT_WESTERN = re.compile(r"[ðþýÐÞÝ×÷¤¦¬¯¹²³¼½¾µ¶]|(?<=[^\W\d_])[^\w\s\x00-\x7f’‘´·–—…](?=[^\W\d_])")
logging.getLogger("charset_normalizer").setLevel(logging.WARNING)


def find_encoding(path: Path) -> tuple[str, str]:
    """A Python codec name, and for people how it was found out ("" for UTF-8). Reads the whole file, once."""
    return _look(path)[:2]


def is_utf8(path: Path) -> bool:
    """Whether every line of a file is UTF-8. Reads the whole file, once."""
    encoding, _, n_other = _look(path)
    return encoding == "utf-8" and n_other == 0


def _look(path: Path) -> tuple[str, str, int]:
    stat = path.stat()
    return _find(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _find(path: Path, _time: int, _size: int) -> tuple[str, str, int]:
    """The encoding, why, and the number of lines that are no UTF-8."""
    first = next(_whole_lines(path), b"")[:HEAD]
    if (encoding := wide(first)) is not None:
        marked = any(first.startswith(mark) for mark, _ in BOMS)
        return encoding, f"{encoding.upper()} by its {'byte order mark' if marked else 'zeros between the letters'}", 0
    n_lines = n_letters = n_other = size = 0
    other: list[bytes] = []
    of_header = False
    for block in _whole_lines(path):
        n_before, n_lines = n_lines, n_lines + block.count(b"\n") + 1
        if block.isascii():
            continue
        try:
            block.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            n_letters += int((np.frombuffer(block, np.uint8) >= 0xC0).sum())
            continue
        for place, line in enumerate((block if b"\n" in block else block.replace(b"\r", b"\n")).split(b"\n")):
            if line.isascii():
                continue
            try:
                n_letters += len(line) - len(line.decode("utf-8"))
            except UnicodeDecodeError:
                n_other += 1
                of_header |= n_before + place == 0
                if size < SAMPLE:
                    other.append(line)
                    size += len(line)
    marked = first.startswith(b"\xef\xbb\xbf")
    if marked or not n_other or n_letters > n_other or (n_other <= FEW * n_lines and not of_header):
        return "utf-8", "", n_other
    return *guess(b"\n".join(other)[:SAMPLE]), n_other


def guess(sample: bytes) -> tuple[str, str]:
    """The legacy encoding of lines that are no UTF-8, and why.

    Letters beyond ASCII that stand alone or within words are Western or Central European; runs of them are a script of
    its own. Within these, charset-normalizer judges; Western Europe is taken where nothing speaks against it. Nothing
    found is Latin-1, in which all bytes are letters.
    """
    runs = _RUN.findall(sample)
    inside = sum(len(run) == 1 or (len(run) == 2 and bool(before or behind)) for before, run, behind in runs)
    together = 2 * inside < len(runs)
    order = LETTERS_TOGETHER if together else LETTERS_APART
    found = list(from_bytes(sample, cp_isolation=list(order), threshold=0.5, enable_fallback=False))
    encoding = "latin_1"
    coherence = {e: m.coherence for m in found for e in (m.encoding, *m.could_be_from_charset)}
    if not together and _is_western(sample) and max(coherence.values(), default=0) <= coherence.get("cp1252", 0) + 0.1:
        encoding = "cp1252"
    elif found:
        best = min(m.chaos for m in found)
        near = [m for m in found if m.chaos <= best + 0.02]
        coherent = max(m.coherence for m in near)
        same = {e for m in near if m.coherence >= coherent - 0.05 for e in (m.encoding, *m.could_be_from_charset)}
        encoding = next((e for e in order if e in same), encoding)
    return encoding, f"{NAMES.get(encoding, encoding)} by its letters (it is not UTF-8)"


def _is_western(sample: bytes) -> bool:
    """Whether the letters are those of Western Europe, with no sign inside a word, if the encoding is cp1252."""
    try:
        return _NOT_WESTERN.search(sample.decode("cp1252")) is None
    except UnicodeDecodeError:
        return False


def _whole_lines(path: Path) -> Iterator[bytes]:
    """The bytes as they are, cut behind line ends; where a stream breaks off, what came before."""
    rest = b""
    try:
        for block in unpacked(path, 1 << 22):
            end = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1
            if end:
                yield rest + block[:end]
                rest = b""
            rest += block[end:]
    except Break:
        return
    if rest:
        yield rest
